package casework_test

import (
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// opened are accesses of a person to patients, the first an hour before midnight.
func opened(p access.Principal, until time.Time, patients ...string) (out []casework.Unexplained) {
	for i, ref := range patients {
		at := until.Add(-time.Hour - time.Duration(i)*time.Minute)
		out = append(out, casework.Unexplained{Event: "e-" + ref + at.Format("0102"), Entry: 3, Agent: p.Session.Person.Practitioner, Patient: ref, Kind: "read", At: at})
	}
	return out
}

func (h *house) night(until time.Time, list ...casework.Unexplained) int {
	h.t.Helper()
	n, err := h.Office.Night(h.t.Context(), until, list)
	h.must(err)
	return n
}

// One message a person and night, none for who is looked at already, none for a night that was asked about.
func TestTheMessageOfTheNight(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	eva := h.staff("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: h.put(`{"resourceType":"Practitioner"}`)})
	jo := h.staff("Jo Park", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: h.put(`{"resourceType":"Practitioner"}`)})
	until := h.now().Truncate(24 * time.Hour)
	h.raise(func(x *servertest.Suspicion) { x.Agent = eva.Session.Person.Practitioner })
	h.raise(func(x *servertest.Suspicion) {
		x.Agent, x.Hypothesis, x.Queue = jo.Session.Person.Practitioner, "exfiltration", casework.Watch
	})
	list := append(opened(h.nurse, until, h.maren, h.otto, h.maren), opened(eva, until, h.maren)...)
	list = append(append(list, opened(jo, until, h.maren)...), casework.Unexplained{Event: "x", Agent: "Practitioner/elsewhere", Patient: h.maren, At: until.Add(-time.Hour)})
	if n := h.night(until, list...); n != 1 {
		t.Fatalf("%d messages", n)
	}
	if n := h.night(until, list...); n != 0 {
		t.Errorf("the same night is asked about again: %d", n)
	}
	q, err := o.Questions(ctx, h.nurse)
	h.must(err)
	if len(q) != 1 || q[0].Case != "" || !q[0].Night.Equal(until) || len(q[0].Accesses) != 2 {
		t.Fatalf("%+v", q)
	}
	if got, err := o.Questions(ctx, eva); err != nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	if n := h.night(until.AddDate(0, 0, 1), opened(h.nurse, until.AddDate(0, 0, 1), h.otto)...); n != 1 {
		t.Errorf("%d messages of the next night", n)
	}
}

// A later explanation clears a message; it counts as no offence.
func TestALaterReasonClearsTheMessage(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	until := h.now().Truncate(24 * time.Hour)
	list := opened(h.nurse, until, h.maren, h.otto)
	h.night(until, list...)
	asked, err := o.Messaged(ctx, until.Add(-time.Hour))
	if h.must(err); !asked[list[0].Event] || len(asked) != 2 {
		t.Errorf("%v", asked)
	}
	h.must(o.Explained(ctx, list[0].Agent, list[0].Event, "has an appointment"))
	if cleared, err := o.Cleared(ctx, h.nurse); err != nil || len(cleared) != 0 {
		t.Errorf("half of it is explained: %+v %v", cleared, err)
	}
	if number, wanted, err := o.Letter(ctx, 1); err != nil || !wanted || number != h.nurse.Session.Person.ID {
		t.Errorf("%v %v %v", number, wanted, err)
	}
	h.must(o.Explained(ctx, list[1].Agent, list[1].Event, "is on the care team"))
	cleared, err := o.Cleared(ctx, h.nurse)
	if h.must(err); len(cleared) != 1 || cleared[0].Accesses[0].Explained != "has an appointment" {
		t.Errorf("%+v", cleared)
	}
	if q, err := o.Questions(ctx, h.nurse); err != nil || len(q) != 0 {
		t.Errorf("it still asks: %+v %v", q, err)
	}
	if _, wanted, err := o.Letter(ctx, 1); err != nil || wanted {
		t.Errorf("a letter would still leave: %v", err)
	}
	h.pass(40 * 24 * time.Hour)
	n, err := o.Nights(ctx, h.ruth)
	h.must(err)
	if s := n.Spans[1]; s.Messages != 1 || s.Explained != 1 || s.First != 0 || n.Entry == "" {
		t.Errorf("%+v", n)
	}
}

// An answer closes what is only on watch and about nothing else, never what is in review, and never about family.
func TestAnAnswerClosesWhatIsOnWatch(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	until := h.now().Truncate(24 * time.Hour)
	onWatch := func(x *servertest.Suspicion) {
		x.Queue, x.Hypothesis, x.At = casework.Watch, "stalking", until.Add(-3*time.Hour)
	}
	plain := h.raise(onWatch)
	family := h.raise(onWatch, func(x *servertest.Suspicion) {
		x.Hypothesis, x.Signals = "snoop", []detect.Signal{{Name: "unexplained", Nats: 4}, {Name: "kin.household", Nats: 3}}
	})
	other := h.raise(onWatch, func(x *servertest.Suspicion) {
		x.Hypothesis, x.Patients = "harvest", append(x.Patients, h.put(`{"resourceType":"Patient","name":[{"family":"Third"}]}`))
	})
	h.night(until, opened(h.nurse, until, h.maren, h.otto)...)
	after := h.raise(onWatch, func(x *servertest.Suspicion) { x.Hypothesis, x.At = "shared-credential", until.Add(time.Hour) })
	copied := h.raise(onWatch, func(x *servertest.Suspicion) { x.Hypothesis = "exfiltration" })
	q, err := o.Questions(ctx, h.nurse)
	h.must(err)
	h.fails(o.Answer(ctx, h.nurse, q[0].ID, casework.Working, ""), outcome.Required, "what you were working on")
	h.must(o.Answer(ctx, h.nurse, q[0].ID, casework.Working, "covering for a colleague"))
	for _, x := range []struct {
		id   string
		open bool
	}{{plain.ID, false}, {family.ID, true}, {other.ID, true}, {after.ID, true}, {copied.ID, true}} {
		c, err := o.Case(ctx, x.id)
		if h.must(err); c.Open() != x.open || !x.open && (c.Outcome != casework.Answered || len(c.Notes) != 1) {
			t.Errorf("case %s (%s) is %s %q, %v", c.ID, c.Hypothesis, c.State, c.Outcome, c.Notes)
		}
	}
	pairs, _, err := o.Closures(ctx, h.ruth)
	if h.must(err); len(pairs) != 0 {
		t.Errorf("an officer seems to have closed it: %+v", pairs)
	}
	facts, err := o.Facts(ctx, h.now())
	if h.must(err); len(facts) != 0 {
		t.Errorf("an answer trains: %+v", facts)
	}
	if again := h.raise(onWatch); again.ID != "" {
		t.Errorf("watched again, though answered: %+v", again)
	}
	if again := h.raise(onWatch, func(x *servertest.Suspicion) { x.Queue = casework.Review }); again.ID != plain.ID || !again.Open() || again.Outcome != "" {
		t.Errorf("what is found later is kept shut by the person's own word: %+v", again)
	}
}

// Of two answers at once, in two windows, one counts and the other is told so.
func TestAMessageIsAnsweredOnce(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	until := h.now().Truncate(24 * time.Hour)
	h.night(until, opened(h.nurse, until, h.maren)...)
	q, err := h.Office.Questions(ctx, h.nurse)
	h.must(err)
	answers := make(chan error)
	const windows = 6
	for range windows {
		go func() { answers <- h.Office.Answer(ctx, h.nurse, q[0].ID, casework.NotMe, "") }()
	}
	counted := 0
	for range windows {
		if err := <-answers; err == nil {
			counted++
		} else if !outcome.Is(err, outcome.NotFound) {
			t.Error(err)
		}
	}
	if list := h.list(h.ruth, casework.ToDo); counted != 1 || len(list.Cases) != 1 || len(list.Cases[0].Notes) != 1 {
		t.Errorf("%d answers count: %+v", counted, list.Cases)
	}
}

// Who does not know the access sets off an alarm about the account.
func TestADisownedAccessOpensACase(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	o := h.Office
	until := h.now().Truncate(24 * time.Hour)
	for i := range 2 {
		at := until.AddDate(0, 0, i)
		h.night(at, opened(h.nurse, at, h.maren)...)
	}
	q, err := o.Questions(ctx, h.nurse)
	h.must(err)
	for i := range 2 {
		h.must(o.Answer(ctx, h.nurse, q[i].ID, casework.NotMe, ""))
		list := h.list(h.ruth, casework.ToDo)
		if len(list.Cases) != 1 || list.Cases[0].Queue != casework.Automatic || !list.Cases[0].Escalated || len(list.Cases[0].Events) != i+1 || len(list.Cases[0].Notes) != i+1 {
			t.Fatalf("%+v", list.Cases)
		}
	}
	later := until.AddDate(0, 0, 2)
	if n := h.night(later, opened(h.nurse, later, h.otto)...); n != 0 {
		t.Error("a message may reach the wrong person")
	}
	alerts, _, err := o.Alerts(ctx, h.ruth, 0)
	if h.must(err); len(alerts) != 1 {
		t.Errorf("%+v", alerts)
	}
}

// Repeat figures count people whose first message lies far enough back.
func TestWhoIsToldAgain(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	eva := h.staff("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Practitioner: h.put(`{"resourceType":"Practitioner"}`)})
	tell := func(p access.Principal) {
		until := h.now().Truncate(24 * time.Hour)
		h.night(until, opened(p, until, h.maren)...)
	}
	tell(eva)
	h.pass(20 * 24 * time.Hour)
	tell(h.nurse)
	h.pass(20 * 24 * time.Hour)
	tell(h.nurse) // 20 days after the first
	h.pass(35 * 24 * time.Hour)
	tell(eva) // 75 days after the first
	h.pass(20 * 24 * time.Hour)
	n, err := h.Office.Nights(ctx, h.ruth)
	h.must(err)
	month, quarter := n.Spans[0], n.Spans[1]
	if month.First != 2 || month.Again != 1 || month.Messages != 1 || month.People != 1 || quarter.First != 1 || quarter.Again != 1 || quarter.Messages != 3 || quarter.Open != 3 {
		t.Errorf("%+v", n.Spans)
	}
}
