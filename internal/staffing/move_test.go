package staffing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

const day = 24 * time.Hour

// set sets a move by somebody.
func (h *house) set(by, p identity.Person, at time.Time, overlap time.Duration, roles ...string) {
	h.t.Helper()
	h.must(h.Persons.Schedule(h.t.Context(), agent(by), identity.Scheduled{Person: p.ID, Kind: identity.ChangeAt, At: at, Reason: "changes place", Overlap: overlap,
		Change: &identity.Change{Roles: &roles}}))
}

func (h *house) tick() { h.t.Helper(); h.must(h.Staffing.Tick(h.t.Context())) }

// What a mover had stays beside what is new, and ends by the clock; taken back it stays.
func TestOldRolesOfAMoverEndByTheClock(t *testing.T) {
	h := open(t, true)
	ada := h.named("Ada Admin")
	bo := h.make(identity.NewPerson{Name: "Bo Berg", Roles: []string{identity.Nurse, identity.Auditor}})
	di := h.make(identity.NewPerson{Name: "Di Ek", Roles: []string{identity.Nurse}})
	at := h.clock.now().Add(time.Hour)
	h.set(ada, bo, at, 14*day, identity.Billing, identity.Auditor)
	h.set(ada, di, at, 14*day, identity.Billing)
	h.tick()
	h.holds("Bo Berg", "auditor nurse", "")
	h.clock.pass(time.Hour)
	h.tick()
	h.holds("Bo Berg", "auditor billing nurse", "")
	set, err := h.Persons.ScheduledFor(t.Context(), bo.ID)
	if h.must(err); len(set) != 1 || set[0].Kind != identity.RolesEndAt || !set[0].At.Equal(at.Add(14*day)) || set[0].By != ada.ID {
		t.Fatalf("%+v", set)
	}
	// An administrator gives something meanwhile, which stays; of the other the old role stays after all.
	_, _, err = h.Persons.Change(t.Context(), shell, bo.ID, identity.Change{Roles: &[]string{identity.Auditor, identity.Billing, identity.FrontDesk, identity.Nurse}})
	h.must(err)
	h.must(h.Persons.Unschedule(t.Context(), agent(ada), di.ID, identity.RolesEndAt))
	h.clock.pass(14*day - time.Second)
	h.tick()
	h.holds("Bo Berg", "auditor billing front-desk nurse", "")
	h.clock.pass(time.Second)
	h.tick()
	h.holds("Bo Berg", "auditor billing front-desk", "")
	h.holds("Di Ek", "billing nurse", "")
	if set, err := h.Persons.ScheduledFor(t.Context(), ""); err != nil || len(set) != 0 {
		t.Errorf("%+v %v", set, err)
	}
	// Two moves within one overlap: each old role has its own end, and one that comes back has none.
	h.set(ada, bo, h.clock.now(), 10*day, identity.Nurse)
	h.tick()
	h.clock.pass(4 * day)
	h.set(ada, bo, h.clock.now(), 10*day, identity.Billing)
	h.tick()
	h.holds("Bo Berg", "auditor billing front-desk nurse", "")
	h.clock.pass(6 * day)
	h.tick()
	h.holds("Bo Berg", "auditor billing front-desk nurse", "") // auditor and frontdesk were lost by the second move, too
	h.clock.pass(4 * day)
	h.tick()
	h.holds("Bo Berg", "billing", "")
	if err := h.Persons.Schedule(t.Context(), agent(ada), identity.Scheduled{Person: bo.ID, Kind: identity.ChangeAt, Reason: "x", Overlap: 93 * day, Change: &identity.Change{}}); !outcome.Is(err, outcome.Value) {
		t.Error(err)
	}
	report, err := h.Verify(t.Context(), nil)
	if h.must(err); len(report.Faults) > 0 {
		t.Errorf("%+v", report.Faults)
	}
}

// Nobody on shift or behind an open glass loses by the clock what she reads by: it is taken when that is over. What is new comes on time.
func TestAMoveTakesNothingMidCare(t *testing.T) {
	h, boss, _, cy, di := unit(t)
	h.put(`{"resourceType":"Patient","id":"otto"}`)
	now := h.clock.now()
	h.put(`{"resourceType":"Schedule","id":"shift","actor":[{"reference":"Practitioner/cy"}],"planningHorizon":{"start":"` + now.Format(time.RFC3339) + `","end":"` + now.Add(8*time.Hour).Format(time.RFC3339) + `"}}`)
	in, err := h.Persons.Enter(t.Context(), di.ID, "", identity.Arrival{Zone: "hospital"})
	h.must(err)
	session, err := h.Persons.Authenticate(t.Context(), in.Token)
	h.must(err)
	h.set(boss, cy, now.Add(time.Minute), 0, identity.Billing)
	h.set(boss, di, now.Add(time.Minute), 0, identity.Billing)
	h.clock.pass(time.Minute)
	_, err = h.Gate.BreakGlass(t.Context(), access.Person(session), "otto", "emergency", "found on the floor")
	h.must(err)
	for range 3 {
		h.tick()
		h.clock.pass(2 * time.Minute)
	}
	h.holds("Cy Dahl", "billing nurse", "")
	h.holds("Di Ek", "billing nurse", "")
	h.clock.pass(80 * time.Hour) // the shift is over, and so is the glass
	h.tick()
	h.holds("Cy Dahl", "billing", "")
	h.holds("Di Ek", "billing", "")
}

// Who set a move is no second person to it, though the clock carries it out; and what waits is asked anew when the old roles end.
func TestWhoSetsAMoveIsNoSecondPerson(t *testing.T) {
	h := open(t, false)
	ada := h.named("Ada Admin")
	tom := h.make(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing}})
	h.set(ada, tom, h.clock.now(), 2*day, identity.Nurse)
	h.tick()
	waits := func() identity.Pending {
		t.Helper()
		items, err := h.Persons.Pending(t.Context())
		if err != nil || len(items) != 1 || items[0].AskedBy != ada.ID {
			t.Fatalf("%+v %v", items, err)
		}
		return items[0]
	}
	first := waits()
	h.holds("Tom Clerk", "billing", "")
	h.clock.pass(2 * day)
	h.tick()
	h.holds("Tom Clerk", "", "")
	if second := waits(); second.ID == first.ID || strings.Join(*second.Change.Roles, " ") != "nurse" {
		t.Errorf("%+v", second)
	}
}

// S:mover. The dry run of the HR file shows what goes, what comes and until when both stay; a second run does nothing, and what the file gives again stays.
func TestMoversOfHROverlap(t *testing.T) {
	h := open(t, true)
	text := func(roles, days string) string {
		return "employee,name,roles,unit,overlap\n1,Anna Lindqvist," + roles + ",4 East," + days + "\n"
	}
	h.run(text("nurse auditor", ""), "join 1, orphan")
	plan := h.run(text("billing", "14"), "move 1, orphan")
	if says := plan.Steps[0].Says; says != `roles "auditor nurse" -> "billing"; auditor nurse until 4 Dec 2046 09:00` {
		t.Error(says)
	}
	h.holds("Anna Lindqvist", "auditor billing nurse", "")
	h.clock.pass(day)
	h.run(text("billing nurse", "14"), "move 1, orphan")
	h.clock.pass(13 * day)
	h.tick()
	h.holds("Anna Lindqvist", "billing nurse", "")
	h.run(text("billing", "0"), "move 1, orphan") // at once; the nurse came from the file and was not kept beside it
	h.holds("Anna Lindqvist", "billing", "")
	for _, bad := range []string{"-1", "93", "soon", "1.5"} {
		if _, said := h.plan(text("billing", bad)); said != "leave 1, orphan, line 2" && !strings.HasSuffix(said, "line 2") {
			t.Errorf("%s: %s", bad, said)
		}
	}
}

// Somebody on shift keeps what the file takes until the shift is over, also without any overlap.
func TestTheFileOfHRTakesNothingMidCare(t *testing.T) {
	h := open(t, true)
	h.put(`{"resourceType":"Practitioner","id":"cy","name":[{"family":"Dahl"}]}`)
	now := h.clock.now()
	h.put(`{"resourceType":"Schedule","id":"shift","actor":[{"reference":"Practitioner/cy"}],"planningHorizon":{"start":"` + now.Format(time.RFC3339) + `","end":"` + now.Add(8*time.Hour).Format(time.RFC3339) + `"}}`)
	h.run("employee,name,roles,practitioner\n1,Cy Dahl,nurse,Practitioner/cy\n", "join 1, orphan")
	h.run("employee,name,roles,practitioner\n1,Cy Dahl,billing,Practitioner/cy\n", "move 1, orphan")
	h.tick()
	h.holds("Cy Dahl", "billing nurse", "")
	h.clock.pass(9 * time.Hour)
	h.tick()
	h.holds("Cy Dahl", "billing", "")
}

// What a second person refused is not asked for again while the file goes on saying the same; when it said something else in between, it is.
func TestARefusedRoleIsNotAskedForAgain(t *testing.T) {
	h := open(t, false)
	ada := h.named("Ada Admin")
	text := "employee,name,roles\n1,Anna Lindqvist,auditor nurse\n"
	waiting := func(want int) []identity.Pending {
		t.Helper()
		items, err := h.Persons.Pending(t.Context())
		if err != nil || len(items) != want {
			t.Fatalf("%+v %v", items, err)
		}
		return items
	}
	h.run(text, "join 1, orphan")
	h.must(h.Persons.Decline(t.Context(), agent(ada), waiting(1)[0].ID, "who is she?"))
	for range 3 {
		plan := h.run(text, "unchanged 1, orphan")
		if says := plan.Steps[0].Says; !strings.Contains(says, "nurse was refused") {
			t.Errorf("the run says nothing of it: %q", says)
		}
		waiting(0)
		h.clock.pass(8 * day)
	}
	h.run("employee,name,roles\n1,Anna Lindqvist,auditor billing nurse\n", "move 1, orphan") // something else: the nurse is still refused
	waiting(0)
	h.run("employee,name,roles\n1,Anna Lindqvist,auditor\n", "move 1, orphan")
	h.run(text, "move 1, orphan")
	waiting(1)
	if got := h.named("Anna Lindqvist").Roles; slices.Contains(got, identity.Nurse) {
		t.Errorf("%v", got)
	}
}
