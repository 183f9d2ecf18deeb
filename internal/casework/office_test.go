package casework_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// house is a whole installation with a clock of its own and three privacy officers.
type house struct {
	*servertest.Server
	t                *testing.T
	clock            *servertest.Clock
	ruth, omar, ines access.Principal // officers; ines works in 3 West
	nurse            access.Principal // Practitioner/nurse of 3 West
	maren, otto      string           // Patient/x
}

func (h *house) now() time.Time { return h.clock.Now() }

func (h *house) pass(d time.Duration) { h.clock.Add(d) }

func newHouse(t *testing.T) *house {
	t.Helper()
	place := dbtest.New(t)
	servertest.StartAt(t, place).Stop()
	h := &house{t: t, clock: servertest.ClockAt(time.Now().Add(time.Hour).Truncate(time.Second))}
	h.Server = servertest.OpenOn(t, place.Dir, h.clock)
	h.ruth = h.staff("Ruth Adeyemi", identity.NewPerson{Roles: []string{identity.Privacy}, Department: "Privacy office"})
	h.omar = h.staff("Omar Haddad", identity.NewPerson{Roles: []string{identity.Privacy}, Department: "Privacy office"})
	h.ines = h.staff("Ines Duarte", identity.NewPerson{Roles: []string{identity.Privacy}, Department: "3 West"})
	h.nurse = h.staff("Dana Whitlock", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: h.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock"}]}`)})
	h.maren = h.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`)
	h.otto = h.put(`{"resourceType":"Patient","name":[{"family":"Brandt","given":["Otto"]}],"birthDate":"1950-01-02"}`)
	return h
}

func (h *house) put(body string) string {
	h.t.Helper()
	doc, err := document.Parse([]byte(body))
	h.must(err)
	done, err := h.Gate.Import(h.t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	h.must(err)
	h.must(done[0].Err)
	return doc.Type() + "/" + done[0].Written.ID
}

func (h *house) staff(name string, n identity.NewPerson) access.Principal {
	h.t.Helper()
	n.Name, n.TrainingDue = name, h.now().AddDate(1, 0, 0)
	made, err := h.Persons.CreateForTest(h.t.Context(), audit.Agent{Job: "test"}, n)
	h.must(err)
	return h.as(made.Person, identity.StaffCapacity)
}

func (h *house) as(person, capacity string) access.Principal {
	h.t.Helper()
	who, err := h.Persons.Person(h.t.Context(), person)
	h.must(err)
	return access.Person(&identity.Session{Person: who, Capacity: capacity, AAL: 2, Trust: policy.Registered, Zone: policy.Hospital, Created: h.now()})
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// fails wants an error of a code whose words hold text.
func (h *house) fails(err error, code outcome.Code, text string) {
	h.t.Helper()
	if !outcome.Is(err, code) || !strings.Contains(err.Error(), text) {
		h.t.Errorf("got %v, want %v with %q", err, code, text)
	}
}

func (h *house) raise(more ...func(*servertest.Suspicion)) casework.Case {
	h.t.Helper()
	x := servertest.Suspicion{Agent: h.nurse.Session.Person.Practitioner, At: h.now().Add(-time.Hour), Patients: []string{h.maren, h.otto}}
	for _, fn := range more {
		fn(&x)
	}
	return servertest.Raise(h.t, h.Office.Store, x)
}

func (h *house) list(p access.Principal, v casework.View) casework.List {
	h.t.Helper()
	list, err := h.Office.Cases(h.t.Context(), p, casework.Filter{View: v, Limit: 50}, h.now().Add(-24*time.Hour))
	h.must(err)
	return list
}

// steps are the words of the log about casework, in order.
func (h *house) steps(of access.Principal) (out []string) {
	h.t.Helper()
	reads, err := h.Log.OfPerson(h.t.Context(), of.Session.Person.ID, audit.Page{Limit: 200})
	h.must(err)
	for _, r := range slices.Backward(reads) {
		if name, ok := strings.CutPrefix(r.Event.Interaction, "case-"); ok {
			if r.Event.Kind == audit.Refusal {
				name += " refused"
			}
			out = append(out, name)
		}
	}
	return out
}

// One case from the queue to a finding: each step is in the log before it shows, the person stays a pseudonym until it is taken, her
// answer closes nothing, and what justified it is kept for ninety days.
func TestCaseIsWorked(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	c := h.raise()
	list := h.list(h.ruth, casework.ToDo)
	if len(list.Cases) != 1 || list.Today != 1 || list.Budget != 1 {
		t.Fatalf("the queue holds %+v", list)
	}
	who := list.Cases[0].Who
	if who.Name != "" || who.Role != identity.Nurse || who.Unit != "3 West" || !strings.HasPrefix(who.Alias, "N-") || len(who.Alias) != 5 {
		t.Errorf("before it is taken the person is %+v", who)
	}
	file, err := o.Open(ctx, h.ruth, c.ID)
	h.must(err)
	if file.Who.Name != "" || file.Entry == "" || file.Barred != "" || len(file.Facts) == 0 || file.Facts[0].Of != 2 {
		t.Errorf("the case opens as %+v", file)
	}
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "Why?")
	h.fails(err, outcome.Conflict, "take the case first")
	_, err = o.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = o.Take(ctx, h.omar, c.ID)
	h.fails(err, outcome.Conflict, "Ruth Adeyemi has taken this case")
	file, err = o.Open(ctx, h.ruth, c.ID)
	h.must(err)
	if file.Who.Name != "Dana Whitlock" {
		t.Errorf("who took it sees %+v", file.Who)
	}
	if other, err := o.Open(ctx, h.omar, c.ID); err != nil || other.Who.Name != "" {
		t.Errorf("another officer sees %+v, %v", other.Who, err)
	}
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "  ")
	h.fails(err, outcome.Required, "sentence")
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "Why did you need these two charts?")
	h.must(err)
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "And?")
	h.fails(err, outcome.Conflict, "waiting for an answer")
	asked, err := o.Questions(ctx, h.nurse)
	h.must(err)
	if len(asked) != 1 || len(asked[0].Accesses) != 2 || asked[0].Accesses[0].Patient != h.otto {
		t.Fatalf("the person is asked %+v", asked)
	}
	h.fails(o.Answer(ctx, h.omar, asked[0].ID, casework.Working, "x"), outcome.NotFound, "no such question")
	h.fails(o.Answer(ctx, h.nurse, asked[0].ID, "perhaps", ""), outcome.Value, "choose")
	h.must(o.Answer(ctx, h.nurse, asked[0].ID, casework.Working, "I covered the night on 3 West."))
	h.fails(o.Answer(ctx, h.nurse, asked[0].ID, casework.Working, "again"), outcome.NotFound, "answered already")
	file, err = o.Open(ctx, h.ruth, c.ID)
	h.must(err)
	if file.State != casework.Taken || file.Notes[len(file.Notes)-1].Text != "working: I covered the night on 3 West." {
		t.Errorf("after the answer the case is %s with %+v", file.State, file.Notes)
	}
	manager := h.staff("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West"})
	_, err = o.AskManager(ctx, h.ruth, c.ID, "nobody", "Was she on that night?")
	h.fails(err, outcome.Value, "choose somebody")
	_, err = o.AskManager(ctx, h.ruth, c.ID, manager.Session.Person.ID, "Was she on that night?")
	h.must(err)
	if asked, err = o.Questions(ctx, manager); err != nil || len(asked) != 1 || asked[0].Own() || asked[0].Accesses[0].Patient != "" {
		t.Fatalf("the manager is asked %+v, %v", asked, err)
	}
	h.must(o.Answer(ctx, manager, asked[0].ID, casework.InTheWork, ""))
	_, err = o.Note(ctx, h.omar, c.ID, "The roster agrees.")
	h.must(err)
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: "fine", Text: "x", Seen: 2})
	h.fails(err, outcome.Value, "choose an outcome")
	h.raise(func(x *servertest.Suspicion) { x.At = h.now() })
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Justified, Text: "Covered.", Seen: 2})
	h.fails(err, outcome.Conflict, "took in 2 more")
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Training, Text: "x", Seen: 4, Fact: &casework.Fact{Patients: "all", Reason: "x"}})
	h.fails(err, outcome.Value, "only a justified case")
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Justified, Text: "Covered the night.", Seen: 4, Fact: &casework.Fact{Unit: "3 West", Patients: "patients of 3 West", Reason: "Covers nights"}})
	h.must(err)
	facts, err := o.Facts(ctx, h.now())
	h.must(err)
	if len(facts) != 1 || facts[0].Unit != "3 West" || facts[0].Person != "" {
		t.Errorf("facts %+v", facts)
	}
	if facts, err = o.Facts(ctx, h.now().Add(91*24*time.Hour)); err != nil || len(facts) != 0 {
		t.Errorf("after 91 days the facts are %+v, %v", facts, err)
	}
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "One more thing")
	h.fails(err, outcome.Conflict, "closed")
	if list = h.list(h.ruth, casework.ToDo); len(list.Cases) != 0 {
		t.Errorf("a closed case is in the queue: %+v", list.Cases)
	}
	if list = h.list(h.ruth, casework.Done); len(list.Cases) != 1 || list.Cases[0].Outcome != casework.Justified {
		t.Errorf("closed: %+v", list.Cases)
	}
	pairs, _, err := o.Closures(ctx, h.omar)
	h.must(err)
	if len(pairs) != 1 || pairs[0].Officer != "Ruth Adeyemi" || pairs[0].Closed != 1 || pairs[0].Who.Name != "" {
		t.Errorf("closures %+v", pairs)
	}
	_, err = o.Reopen(ctx, h.omar, c.ID, "A second look.")
	h.must(err)
	standing, err := o.Standing(ctx, h.ruth)
	h.must(err)
	if standing.Open != 1 || standing.Taken != 1 {
		t.Errorf("standing %+v", standing)
	}
	if got, want := strings.Join(h.steps(h.ruth), " "), "queue open take open ask open ask-manager close queue queue"; got != want {
		t.Errorf("the log holds %q, want %q", got, want)
	}
	if got := strings.Join(h.steps(h.nurse), " "); got != "answer" {
		t.Errorf("of the person the log holds %q", got)
	}
}

// Who is close to the person or a patient of a case takes no step on it, and a case about oneself is not there.
func TestNobodyHidesAFriend(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	c := h.raise()
	_, err := o.Take(ctx, h.ines, c.ID)
	h.fails(err, outcome.Forbidden, "same unit")
	if file, err := o.Open(ctx, h.ines, c.ID); err != nil || !strings.Contains(file.Barred, "same unit") {
		t.Errorf("the page says %q, %v", file.Barred, err)
	}
	_, err = o.Note(ctx, h.ines, c.ID, "Leave her alone.")
	h.fails(err, outcome.Forbidden, "same unit")
	if got := strings.Join(h.steps(h.ines), " "); got != "take refused open note refused" {
		t.Errorf("the log holds %q", got)
	}

	own := h.staff("Own Chart", identity.NewPerson{Roles: []string{identity.Privacy}, Patient: h.maren})
	_, err = o.Take(ctx, own, c.ID)
	h.fails(err, outcome.Forbidden, "your own chart")

	doctor := h.put(`{"resourceType":"Practitioner","name":[{"family":"Berg"}]}`)
	treats := h.staff("Anna Berg", identity.NewPerson{Roles: []string{identity.Privacy}, Practitioner: doctor})
	h.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"` + h.otto + `"},"participant":[{"individual":{"reference":"` + doctor + `"}}],
		"period":{"start":"` + h.now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}}`)
	_, err = o.Take(ctx, treats, c.ID)
	h.fails(err, outcome.Forbidden, "relationship of care")

	_, err = o.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = o.HandOver(ctx, h.ruth, c.ID, h.ines.Session.Person.ID, "")
	h.fails(err, outcome.Value, "choose another")
	_, err = o.HandOver(ctx, h.omar, c.ID, h.omar.Session.Person.ID, "")
	h.fails(err, outcome.Value, "another privacy officer")
	_, err = o.HandOver(ctx, h.ruth, c.ID, h.omar.Session.Person.ID, "On leave from tomorrow")
	h.must(err)
	_, err = o.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Unclear, Text: "x", Seen: 2})
	h.fails(err, outcome.Conflict, "take the case first")

	mine := h.raise(func(x *servertest.Suspicion) {
		x.Agent = doctor
		x.Hypothesis = "harvest"
	})
	if list := h.list(treats, casework.ToDo); list.Elsewhere != 1 || slices.ContainsFunc(list.Cases, func(l casework.Listed) bool { return l.ID == mine.ID }) {
		t.Errorf("the own case is listed: %+v", list)
	}
	_, err = o.Open(ctx, treats, mine.ID)
	h.fails(err, outcome.NotFound, "no such case")
	_, err = o.Take(ctx, treats, mine.ID)
	h.fails(err, outcome.NotFound, "no such case")
}

// What the account's owner does not know makes a case more pressing, and detection does not take that back.
func TestNotMeEscalates(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	c := h.raise()
	_, err := o.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = o.AskPerson(ctx, h.ruth, c.ID, "Were these yours?")
	h.must(err)
	asked, err := o.Questions(ctx, h.nurse)
	h.must(err)
	h.must(o.Answer(ctx, h.nurse, asked[0].ID, casework.NotMe, ""))
	h.raise(func(x *servertest.Suspicion) { x.At = h.now() })
	if c, err = o.Case(ctx, c.ID); err != nil || c.Queue != casework.Automatic || !c.Open() || c.Mutable() {
		t.Errorf("the case is %+v, %v", c, err)
	}
}

// A suspicion is left alone by two officers, for thirty days, one case in twenty aside; never where the own chart, household or kin is
// concerned; and the person never sees that it waits.
func TestMuteTakesTwo(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	h.pass(48 * time.Hour) // their authenticators are ripe
	kin := h.raise(func(x *servertest.Suspicion) {
		x.Hypothesis = "stalking"
		x.Signals = []detect.Signal{{Name: "kin.household", Nats: 5, Text: "decisive: the patient lives at the person's address"}}
	})
	_, err := o.Take(ctx, h.ruth, kin.ID)
	h.must(err)
	_, err = o.AskMute(ctx, h.ruth, kin.ID, "It is her mother.")
	h.fails(err, outcome.NotSupported, "never left alone")

	c := h.raise()
	_, err = o.Take(ctx, h.ruth, c.ID)
	h.must(err)
	item, err := o.AskMute(ctx, h.ruth, c.ID, "The unit's patients move at night.")
	h.must(err)
	_, err = h.Gate.Approve(ctx, h.ruth, item)
	h.fails(err, outcome.Forbidden, "somebody else")
	_, err = h.Gate.Approve(ctx, h.ines, item)
	h.fails(err, outcome.Forbidden, "same unit")
	_, err = h.Gate.Approve(ctx, h.omar, item)
	h.must(err)
	h.must(h.Gate.CarryOut(ctx))
	h.must(h.Gate.CarryOut(ctx))
	muted, left := 0, 0
	var many []casework.Case
	for i := range 400 {
		many = append(many, casework.Case{ID: string(rune('a' + i)), Agent: c.Agent, Hypothesis: c.Hypothesis})
	}
	state, err := o.Muted(ctx, many...)
	h.must(err)
	for _, x := range many {
		if state[x.ID] {
			muted++
		} else {
			left++
		}
	}
	if left < 8 || left > 40 || muted == 0 {
		t.Errorf("%d of %d stay in the queue, want about one in twenty", left, len(many))
	}
	if state, err = o.Muted(ctx, kin); err != nil || state[kin.ID] {
		t.Errorf("another suspicion is left alone too: %v, %v", state, err)
	}
	h.pass(31 * 24 * time.Hour)
	if state, err = o.Muted(ctx, many...); err != nil || len(state) != 0 {
		t.Errorf("after 31 days: %v, %v", state, err)
	}
}

// Nobody but the privacy office learns of a case.
func TestCasesAreThePrivacyOfficesAlone(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	c := h.raise()
	for _, role := range identity.Roles() {
		if role == identity.Privacy || role == identity.Patient {
			continue
		}
		p := h.staff("Some "+role, identity.NewPerson{Roles: []string{role}})
		_, err := h.Office.Cases(ctx, p, casework.Filter{View: casework.ToDo}, h.now())
		h.fails(err, outcome.Forbidden, "")
		_, err = h.Office.Open(ctx, p, c.ID)
		h.fails(err, outcome.Forbidden, "")
		_, err = h.Office.Take(ctx, p, c.ID)
		h.fails(err, outcome.Forbidden, "")
		_, err = h.Office.Note(ctx, p, c.ID, "x")
		h.fails(err, outcome.Forbidden, "")
		_, _, err = h.Office.Closures(ctx, p)
		h.fails(err, outcome.Forbidden, "")
		if n, err := h.Office.Standing(ctx, p); err != nil || n != (casework.Counts{}) {
			t.Errorf("%s counts %+v, %v", role, n, err)
		}
	}
}

// Names are shown to who answers for the case, with a reason, until it is closed.
func TestNamesWithAReason(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	c := h.raise()
	_, err := h.Office.ShowNames(ctx, h.ruth, c.ID, "To call them.")
	h.fails(err, outcome.Conflict, "take the case first")
	_, err = h.Office.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = h.Office.ShowNames(ctx, h.ruth, c.ID, " ")
	h.fails(err, outcome.Required, "why")
	c, err = h.Office.ShowNames(ctx, h.ruth, c.ID, "To call them.")
	h.must(err)
	if c.Named[h.ruth.Session.Person.ID] != "To call them." {
		t.Errorf("named %v", c.Named)
	}
	c, err = h.Office.Close(ctx, h.ruth, c.ID, casework.Finding{Outcome: casework.Unclear, Text: "Nobody remembers.", Seen: 2})
	h.must(err)
	if len(c.Named) != 0 {
		t.Errorf("after it is closed: %v", c.Named)
	}
}

// Family, household and neighbours are known from the records, not from a role: detection tells.
func TestNobodyDecidesAboutHerHousehold(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	const home = `"address":[{"line":["Mill Lane 4"],"city":"Harbour","postalCode":"20001"}]`
	sister := h.put(`{"resourceType":"Patient","name":[{"family":"Berg","given":["Tove"]}],"birthDate":"1991-01-02",` + home + `}`)
	doctor := h.put(`{"resourceType":"Practitioner","name":[{"family":"Berg","given":["Anna"]}],` + home + `}`)
	anna := h.staff("Anna Berg", identity.NewPerson{Roles: []string{identity.Privacy}, Practitioner: doctor})
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); h.Watch.Run(following) }()
	defer func() { stop(); <-done }()
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	h.must(h.Watch.CatchUp(patience))
	c := h.raise(func(x *servertest.Suspicion) { x.Patients = []string{h.maren, sister} })
	_, err := h.Office.Take(ctx, anna, c.ID)
	h.fails(err, outcome.Forbidden, "close to the person or a patient")
	other := h.raise(func(x *servertest.Suspicion) { x.Hypothesis = "harvest" })
	_, err = h.Office.Take(ctx, anna, other.ID)
	h.must(err)
}

// The log tells auditors that an officer worked on a case, and nobody but the office about whom.
func TestTheLogNamesNobodyToOthers(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	c := h.raise()
	_, err := h.Office.Take(ctx, h.ruth, c.ID)
	h.must(err)
	_, err = h.Office.Open(ctx, h.ruth, c.ID) // names the person in its entry
	h.must(err)
	auditor := h.staff("Ada Roth", identity.NewPerson{Roles: []string{identity.Auditor}})
	for _, x := range []struct {
		who  access.Principal
		sees bool
	}{{auditor, false}, {h.omar, true}, {h.ruth, true}} {
		list, err := h.Gate.AuditRange(ctx, x.who, access.AuditFilter{Person: h.ruth.Session.Person.ID, Window: access.Window{Limit: 50}})
		h.must(err)
		steps, named := 0, false
		for _, l := range list.Lines {
			if strings.HasPrefix(l.Interaction, "case-") {
				steps++
				named = named || strings.Contains(l.Text, h.nurse.Session.Person.ID)
			}
		}
		if steps != 2 || named != x.sees {
			t.Errorf("%s sees %d steps, named %v", x.who.Session.Person.Name, steps, named)
		}
	}
}
