package staffing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/staffing"
)

// unit is a house with a nurse manager and four people, of whom Cy is known in the directory.
func unit(t *testing.T) (h *house, boss, bo, cy, di identity.Person) {
	h = open(t, true)
	boss = h.make(identity.NewPerson{Name: "Maren Okafor", Roles: []string{identity.Nurse}, Department: "4 East"})
	h.put(`{"resourceType":"Practitioner","id":"cy","name":[{"family":"Dahl"}]}`)
	bo = h.make(identity.NewPerson{Name: "Bo Berg", Roles: []string{identity.Nurse, identity.Billing}, Department: "4 East", Manager: boss.ID, Clearances: []string{"PSY"}})
	cy = h.make(identity.NewPerson{Name: "Cy Dahl", Roles: []string{identity.Nurse}, Department: "4 East", Manager: boss.ID, Practitioner: "Practitioner/cy"})
	di = h.make(identity.NewPerson{Name: "Di Ek", Roles: []string{identity.Nurse}, Department: "4 East", Manager: boss.ID})
	h.make(identity.NewPerson{Name: "Pia Privacy", Roles: []string{identity.Privacy}})
	return h, boss, bo, cy, di
}

func agent(p identity.Person) audit.Agent { return audit.Agent{Person: p.ID} }

func (h *house) ask(r staffing.Recertifying) identity.Recertification {
	h.t.Helper()
	x, err := h.Staffing.Recertify(h.t.Context(), shell, r)
	h.must(err)
	return x
}

// of finds what is asked about somebody.
func (h *house) of(x identity.Recertification, p identity.Person, what string) identity.Holding {
	h.t.Helper()
	all, err := h.Persons.Holdings(h.t.Context(), x.ID)
	h.must(err)
	i := slices.IndexFunc(all, func(o identity.Holding) bool { return o.Person == p.ID && o.What == what })
	if i < 0 {
		h.t.Fatalf("nobody is asked about %s of %s", what, p.Name)
	}
	return all[i]
}

func (h *house) holds(name, roles, clearances string) {
	h.t.Helper()
	p := h.named(name)
	if strings.Join(p.Roles, " ") != roles || strings.Join(p.Clearances, " ") != clearances {
		h.t.Errorf("%s holds %v %v, want %q %q", name, p.Roles, p.Clearances, roles, clearances)
	}
}

func TestWhatNobodyAnsweredLapses(t *testing.T) {
	h, boss, bo, cy, di := unit(t)
	pia := h.named("Pia Privacy")
	x := h.ask(staffing.Recertifying{Owners: []string{pia.ID, boss.ID}})
	for p, reviewer := range map[string]identity.Person{bo.ID: boss, cy.ID: boss, di.ID: boss, boss.ID: pia, h.named("Ada Admin").ID: pia, pia.ID: boss} {
		all, err := h.Persons.Holdings(t.Context(), x.ID)
		h.must(err)
		if i := slices.IndexFunc(all, func(o identity.Holding) bool { return o.Person == p }); i < 0 || all[i].Reviewer != reviewer.ID {
			t.Errorf("person %s is not answered for by %s", p, reviewer.Name)
		}
	}
	if x.Asks != 8 || !x.Due.Equal(h.clock.now().Add(staffing.AnswersWithin)) {
		t.Errorf("%+v", x)
	}
	if got := h.of(x, bo, identity.Billing).Marks; !slices.Contains(got, staffing.UnusualMark) || staffing.Risk(h.of(x, cy, identity.Nurse)) != 0 || !slices.Contains(h.of(x, pia, identity.Privacy).Marks, staffing.AdministersMark) {
		t.Errorf("marks %v", got)
	}
	h.must(h.Staffing.Answer(t.Context(), agent(boss), h.of(x, bo, identity.Nurse).ID, true))
	h.must(h.Staffing.Answer(t.Context(), agent(boss), h.of(x, bo, identity.Billing).ID, false))
	h.holds("Bo Berg", "nurse", "PSY")
	n, err := h.Staffing.KeepOrdinary(t.Context(), agent(boss))
	if h.must(err); n != 2 { // the nurses Cy and Di; the clearance is unusual
		t.Errorf("%d ordinary ones", n)
	}
	h.clock.pass(staffing.AnswersWithin - time.Second)
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Bo Berg", "nurse", "PSY")
	h.clock.pass(time.Second)
	lapsed, err := h.Staffing.Lapse(t.Context())
	h.must(err)
	var named []string
	for _, l := range lapsed {
		named = append(named, l.What)
	}
	slices.Sort(named)
	if got := strings.Join(named, " "); got != "PSY nurse" { // the boss's own; the last administrator and the last officer stay
		t.Errorf("lapsed: %s", got)
	}
	h.holds("Bo Berg", "nurse", "")
	h.holds("Maren Okafor", "", "")
	h.holds("Ada Admin", "administrator", "")
	h.holds("Pia Privacy", "privacy", "")
	h.holds("Di Ek", "nurse", "")
	done, err := h.Staffing.Progress(t.Context(), x.ID)
	if h.must(err); done.Kept != 3 || done.Taken != 1 || done.Lapsed != 2 || done.Open != 2 || done.People != 6 {
		t.Errorf("%+v", done)
	}
	h.make(identity.NewPerson{Name: "Olga Officer", Roles: []string{identity.Privacy}})
	h.clock.pass(2 * time.Minute)
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Pia Privacy", "", "")
	if err := h.Staffing.Answer(t.Context(), agent(boss), h.of(x, di, identity.Nurse).ID, false); !outcome.Is(err, outcome.NotFound) {
		t.Errorf("answered twice: %v", err)
	}
	list, err := h.Log.OfPerson(t.Context(), boss.ID, audit.Page{Limit: 100})
	h.must(err)
	said := 0
	for _, e := range list {
		if strings.Contains(e.Event.Text, "of recertification "+x.ID) {
			said++
		}
	}
	if said != 4 {
		t.Errorf("%d entries say what the manager answered", said)
	}
	report, err := h.Verify(t.Context(), nil)
	if h.must(err); len(report.Faults) > 0 {
		t.Errorf("%+v", report.Faults)
	}
}

func TestNobodyAnswersForHerself(t *testing.T) {
	h, boss, bo, _, _ := unit(t)
	if _, err := h.Staffing.Recertify(t.Context(), shell, staffing.Recertifying{Owners: []string{boss.ID}}); !outcome.Is(err, outcome.Conflict) || !strings.Contains(err.Error(), boss.ID) {
		t.Errorf("a lone owner without a manager: %v", err)
	}
	if _, err := h.Staffing.Recertify(t.Context(), shell, staffing.Recertifying{Owners: []string{"nobody"}}); !outcome.Is(err, outcome.Value) {
		t.Errorf("an owner who is not here: %v", err)
	}
	if _, err := h.Staffing.Recertify(t.Context(), shell, staffing.Recertifying{Due: h.clock.now().Add(time.Hour)}); !outcome.Is(err, outcome.Value) {
		t.Errorf("an hour to answer: %v", err)
	}
	x := h.ask(staffing.Recertifying{Manager: boss.ID})
	own := h.of(x, bo, identity.Billing)
	for what, err := range map[string]error{
		"her own": h.Staffing.Answer(t.Context(), agent(bo), own.ID, true), "by a colleague": h.Staffing.Answer(t.Context(), agent(h.named("Di Ek")), own.ID, true),
		"by the command line": h.Staffing.Answer(t.Context(), shell, own.ID, true)} {
		if !outcome.Is(err, outcome.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.Persons.TakeAway(t.Context(), agent(bo), own, identity.Taken); !outcome.Is(err, outcome.Forbidden) {
		t.Error(err)
	}
	if err := h.Persons.AnswerHolding(t.Context(), agent(bo), own, identity.Kept); !outcome.Is(err, outcome.Forbidden) {
		t.Error(err)
	}
	// Where who is asked has left, an owner answers; not about herself either.
	y := h.ask(staffing.Recertifying{Owners: []string{bo.ID, h.named("Di Ek").ID}, Department: "4 East"})
	_, err := h.Staffing.End(t.Context(), shell, boss.ID, "left")
	h.must(err)
	h.must(h.Staffing.Answer(t.Context(), agent(bo), h.of(y, h.named("Cy Dahl"), identity.Nurse).ID, true))
	if err := h.Staffing.Answer(t.Context(), agent(bo), h.of(y, bo, identity.Billing).ID, true); !outcome.Is(err, outcome.NotFound) {
		t.Errorf("an owner about herself: %v", err)
	}
	h.must(h.Staffing.Answer(t.Context(), agent(h.named("Di Ek")), h.of(y, bo, identity.Billing).ID, true))
}

func TestLapsingWaitsForShiftGlassAndPatient(t *testing.T) {
	h, boss, _, cy, di := unit(t)
	h.put(`{"resourceType":"Practitioner","id":"eva","name":[{"family":"Fell"}]}`)
	eva := h.make(identity.NewPerson{Name: "Eva Fell", Roles: []string{identity.Nurse}, Department: "4 East", Manager: boss.ID, Practitioner: "Practitioner/eva"})
	h.put(`{"resourceType":"Patient","id":"pat","name":[{"family":"Struck"}]}`)
	h.ask(staffing.Recertifying{Manager: boss.ID})
	h.clock.pass(staffing.AnswersWithin - time.Hour)
	now := h.clock.now()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	h.put(`{"resourceType":"Schedule","id":"shift","actor":[{"reference":"Practitioner/cy"}],"planningHorizon":{"start":"` + at(-time.Hour) + `","end":"` + at(7*time.Hour) + `"}}`)
	h.put(`{"resourceType":"Encounter","id":"visit","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/pat"},"participant":[{"individual":{"reference":"Practitioner/eva"}}],"period":{"start":"` + at(-time.Hour) + `"}}`)
	enter := func(p identity.Person) access.Principal {
		in, err := h.Persons.Enter(t.Context(), p.ID, "", identity.Arrival{Zone: "hospital"})
		h.must(err)
		return access.Person(in.Session)
	}
	enter(eva)
	if _, err := h.Gate.BreakGlass(t.Context(), enter(di), "pat", "covering", "for the night"); err != nil {
		t.Fatal(err)
	}
	h.clock.pass(time.Hour)
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Bo Berg", "", "")
	for _, waits := range []identity.Person{cy, di, eva} {
		h.holds(waits.Name, "nurse", "")
	}
	h.clock.pass(8 * time.Hour) // the shift is over, and Eva's session is idle, but not ended
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Cy Dahl", "", "")
	h.holds("Di Ek", "nurse", "")
	h.clock.pass(6 * time.Hour) // her session has ended
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Eva Fell", "", "")
	h.holds("Di Ek", "nurse", "")
	h.clock.pass(72 * time.Hour) // the glass is shut
	h.must(h.Staffing.Tick(t.Context()))
	h.holds("Di Ek", "", "")
}

// A cover is asked about as what it is, ends by the answer, and is no answer any more when it has ended.
func TestACoverIsAskedAbout(t *testing.T) {
	h, boss, bo, cy, di := unit(t)
	in, err := h.Persons.Enter(t.Context(), cy.ID, "", identity.Arrival{Zone: "hospital"})
	h.must(err)
	for _, p := range []identity.Person{bo, di} {
		_, err = h.Gate.Cover(t.Context(), access.Person(in.Session), p.ID, cy.ID, h.clock.now(), h.clock.now().Add(30*24*time.Hour))
		h.must(err)
	}
	x := h.ask(staffing.Recertifying{Manager: boss.ID})
	covers := func(p identity.Person) identity.Holding {
		all, err := h.Persons.Holdings(t.Context(), x.ID)
		h.must(err)
		return all[slices.IndexFunc(all, func(o identity.Holding) bool { return o.Person == p.ID && o.Kind == identity.WordHeld })]
	}
	if got := covers(bo).Says; !strings.HasPrefix(got, "stands in for Cy Dahl, until ") {
		t.Error(got)
	}
	h.must(h.Staffing.Answer(t.Context(), agent(boss), covers(bo).ID, false))
	words, err := h.Gate.StandingWords(t.Context(), h.clock.now())
	if h.must(err); len(words[bo.ID]) != 0 || len(words[di.ID]) != 1 {
		t.Errorf("%+v", words)
	}
	_, err = h.Gate.EndWord(t.Context(), access.Person(in.Session), words[di.ID][0].ID)
	h.must(err)
	h.must(h.Staffing.Answer(t.Context(), agent(boss), covers(di).ID, false))
	if covers(bo).Answer != identity.Taken || covers(di).Answer != identity.Moot {
		t.Errorf("%s, %s", covers(bo).Answer, covers(di).Answer)
	}
}
