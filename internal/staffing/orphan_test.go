package staffing_test

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/staffing"
)

// orphans gives the names of those on no roster, and of those of them who are known.
func (h *house) orphans() (unknown, known string) {
	h.t.Helper()
	r, err := h.Staffing.Orphans(h.t.Context())
	h.must(err)
	names := func(all []staffing.Unrostered) string {
		var out []string
		for _, o := range all {
			out = append(out, o.Name)
		}
		return strings.Join(out, ", ")
	}
	return names(r.Orphans), names(r.Known)
}

// Who is on no roster is listed, the longest unused first, until somebody says why she works here, and again when that is over; her end can be
// begun with one touch, and taken back.
func TestOrphansAreKnownOrEnd(t *testing.T) {
	h := open(t, true)
	ada := h.named("Ada Admin")
	if unknown, _ := h.orphans(); unknown != "" {
		t.Errorf("without any roster %s is an orphan", unknown)
	}
	tom := h.make(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing}})
	h.make(identity.NewPerson{Name: "Pia Patient", Roles: []string{identity.Patient}, Patient: "Patient/pia"})
	h.run(header+"1,Anna Lindqvist,anna,nurse,,,,,\n", "join 1, orphan, orphan")
	_, err := h.Persons.Enter(t.Context(), ada.ID, "", identity.Arrival{Zone: "hospital"})
	h.must(err)
	if unknown, _ := h.orphans(); unknown != "Tom Clerk, Ada Admin" {
		t.Error(unknown)
	}
	until := h.clock.now().Add(30 * day)
	for what, k := range map[string]identity.Known{"no reason": {Person: ada.ID, Until: until}, "two years": {Person: ada.ID, Because: "x", Until: until.AddDate(2, 0, 0)},
		"the past": {Person: ada.ID, Because: "x", Until: h.clock.now()}, "nobody": {Person: "nobody", Because: "x", Until: until}} {
		if err := h.Persons.KeepKnown(t.Context(), shell, k); err == nil {
			t.Errorf("%s: nothing is refused", what)
		}
	}
	if err := h.Persons.KeepKnown(t.Context(), agent(ada), identity.Known{Person: ada.ID, Because: "me", Until: until}); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("about herself: %v", err)
	}
	h.must(h.Persons.KeepKnown(t.Context(), agent(tom), identity.Known{Person: ada.ID, Because: "the vendor's engineer", Until: until}))
	if unknown, known := h.orphans(); unknown != "Tom Clerk" || known != "Ada Admin" {
		t.Errorf("%s; known %s", unknown, known)
	}
	if _, said := h.plan(header + "1,Anna Lindqvist,anna,nurse,,,,,\n"); said != "unchanged 1, orphan" {
		t.Error(said)
	}
	h.must(h.Staffing.EndOrphan(t.Context(), agent(ada), tom.ID))
	for _, who := range []identity.Person{tom, h.named("Anna Lindqvist")} { // set already; on the roster
		if err := h.Staffing.EndOrphan(t.Context(), shell, who.ID); !outcome.Is(err, outcome.Conflict) {
			t.Error(err)
		}
	}
	h.clock.pass(staffing.EndsWithin - time.Second)
	h.tick()
	if h.named("Tom Clerk").State != identity.Active {
		t.Error("ended too soon")
	}
	h.clock.pass(time.Second)
	h.tick()
	if h.named("Tom Clerk").State != identity.Ended {
		t.Error("works on")
	}
	h.clock.pass(30 * day)
	if unknown, known := h.orphans(); unknown != "Ada Admin" || known != "" {
		t.Errorf("when it is over: %s; known %s", unknown, known)
	}
}
