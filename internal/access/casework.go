package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// The door's part of casework: each step on a case is decided and durable before it happens or anything is shown, and what the log and
// the relationships say about a case is read under such an entry. Cases themselves are kept by package casework.
//
// No step names a patient: the patient's list says nothing of a suspicion. Where a name is opened, [Gate.Named] says so to the patient.

// CaseStep is what somebody does about a case.
type CaseStep struct {
	Case string // its number; empty: none, such as the whole queue
	Step string // a word: queue, open, take, ask, ...
	Text string // the words that go with it
}

func (c CaseStep) text() string {
	switch {
	case c.Case == "": // the word of somebody who is asked and knows of no case
		return c.Text
	case c.Text == "":
		return "case " + c.Case
	}
	return "case " + c.Case + ": " + c.Text
}

// StepCase decides by an action of the policy whether p may take a step on a case, and appends it. Where it fails the step must not be
// taken and nothing be shown. It gives the entry. Errors: those of [Gate.May]; outcome.NoStore.
func (g *Gate) StepCase(ctx context.Context, p Principal, action string, c CaseStep) (string, error) {
	s, d, err := g.May(ctx, p, action)
	if err != nil {
		return "", err
	}
	e := s.caseEvent(c, d)
	e.Kind = audit.Casework
	logged, err := g.log.Note(ctx, e)
	return logged.Entry(), err
}

// RefuseCase appends that a step was refused by a rule of casework that no policy knows, such as that nobody decides about a friend,
// and gives the refusal back. Errors: why; those of [Gate.May]; outcome.NoStore.
func (g *Gate) RefuseCase(ctx context.Context, p Principal, action string, c CaseStep, why error) error {
	s, d, err := g.May(ctx, p, action)
	if err != nil {
		return err
	}
	e := s.caseEvent(c, d)
	e.Outcome = refused
	if _, err := g.log.Refuse(ctx, e); err != nil {
		return err
	}
	return why
}

func (s standing) caseEvent(c CaseStep, d policy.Decision) audit.Event {
	letter := "E"
	if c.Step == "queue" || c.Step == "open" {
		letter = "R"
	}
	e := s.event("case-"+c.Step, letter)
	e.PolicyHash, e.Text = d.Hash, c.text()
	return e
}

// unsaid takes the words of a step on a case from an entry before who neither took it nor works on cases, and before whom it names:
// nobody learns from the log that somebody is under suspicion, or that she is.
func (g *Gate) unsaid(ctx context.Context, p Principal, e *audit.Event) {
	if !strings.HasPrefix(e.Interaction, "case-") || e.Text == "" || p.Session != nil && e.Agent.Person == p.Session.Person.ID {
		return
	}
	s, err := g.relate(ctx, p, chart{})
	if err == nil && g.decide(s, policy.Cases, policy.Resource{}).Allowed && !strings.Contains(e.Text, s.who.ID) {
		return
	}
	e.Text = ""
}

// CaseLines reads entries of the log, by their index, for who works on a case; the reading is an entry. Those that are not here are left out.
// Errors: those of [Gate.May].
func (g *Gate) CaseLines(ctx context.Context, p Principal, c CaseStep, entries ...int64) ([]Line, string, error) {
	s, d, err := g.May(ctx, p, policy.Cases)
	if err != nil {
		return nil, "", err
	}
	e := s.caseEvent(c, d)
	e.Kind = audit.LogRead
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return nil, "", err
	}
	var out []Line
	for _, i := range entries {
		read, err := g.log.Entry(ctx, audit.Index(i))
		if err != nil {
			continue // its log is of another installation, or gone
		}
		out = append(out, lineOf(read))
	}
	return out, logged.Entry(), nil
}

// CaseFact is one kind of link that would have explained accesses, and for how many of them it was there.
type CaseFact struct {
	What  string // as [Sought.What]
	Of    int    // pairs of person and patient that were looked at
	Found int    // linked when the access happened
	Since int    // not linked then, but on record by now
}

// Link is a person's access to one patient's chart.
type Link struct {
	PatientID string
	At        time.Time
}

// CaseFacts looks for every kind of link between a person and the patients of a case, as it was known at each access and as it is known
// now. It reads relationships only and is meant for a page whose entry is durable. Unknown patients are left out.
func (g *Gate) CaseFacts(ctx context.Context, person string, links []Link) ([]CaseFact, error) {
	var out []CaseFact
	for _, l := range links {
		c, err := g.chartByID(ctx, l.PatientID)
		if err != nil {
			continue
		}
		found, err := g.sought(ctx, Review{Person: person}, c, l.At)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			at := slices.IndexFunc(out, func(x CaseFact) bool { return x.What == f.What })
			if at < 0 {
				at = len(out)
				out = append(out, CaseFact{What: f.What})
			}
			out[at].Of++
			if f.Found {
				out[at].Found++
			}
			if f.Since {
				out[at].Since++
			}
		}
	}
	return out, nil
}

// Shift is when and where the roster had a person at work.
type Shift struct {
	From, Until time.Time
	Place       string
}

// ShiftsAround lists the shifts that a person had at, or within twelve hours of, some moments, in order and each once.
func (g *Gate) ShiftsAround(ctx context.Context, person string, moments ...time.Time) (out []Shift, err error) {
	who, err := g.persons.Person(ctx, person)
	if err != nil {
		return nil, nil // somebody of another system has no roster here
	}
	actor, err := g.actor(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, at := range moments {
		for _, off := range []time.Duration{0, -4 * time.Hour, -8 * time.Hour, -12 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour} {
			s, err := g.care.OnShift(ctx, actor, at.Add(off))
			if err != nil {
				return nil, err
			}
			one := Shift{s.From, s.Until, s.Place}
			if s.On && !s.Until.IsZero() && !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	slices.SortFunc(out, func(a, b Shift) int { return a.From.Compare(b.From) })
	return out, nil
}

// Hours counts deliberate openings of patients' charts by weekday (Monday first) and hour at the site.
type Hours [7][24]int

// hoursRead is how many entries of one person the usual hours are told from.
const hoursRead = 600

// HoursOf tells at which hours people usually open charts, from their newest entries since a time and before another. It gives numbers
// only and is meant for a page whose entry is durable.
func (g *Gate) HoursOf(ctx context.Context, since, until time.Time, persons ...string) (h Hours, err error) {
	for _, person := range persons {
		reads, err := g.log.OfPerson(ctx, person, audit.Page{Limit: hoursRead})
		if err != nil {
			return h, err
		}
		for _, r := range reads {
			at := happened(r).In(g.zone)
			if r.Event.Class != audit.Deliberate || r.Event.Kind != audit.Disclosure || !at.Before(until) || at.Before(since) ||
				!slices.ContainsFunc(r.Event.Patients, func(x audit.PatientPart) bool { return x.Patient != 0 }) {
				continue
			}
			h[(int(at.Weekday())+6)%7][at.Hour()]++
		}
	}
	return h, nil
}

// Acquaintance is how somebody is close to the person or the patients of a case, and so cannot decide about it.
type Acquaintance string

// The ways, the closest first; none is empty.
const (
	SamePerson Acquaintance = "self"    // it is about her own accesses
	OwnChart   Acquaintance = "chart"   // her own chart is among those that were opened
	TreatsWho  Acquaintance = "treats"  // she and the person, or she and a patient, stand in a relationship of care
	SameUnit   Acquaintance = "unit"    // they work in the same unit
	RelatedTo  Acquaintance = "related" // family, household or neighbours, as detection knows it
)

// Acquainted tells how somebody is close to the person of a case or to its patients, as the directory and the relationships have it;
// empty for not at all. person may be the zero Person, when nobody here is known for it. It discloses nothing.
func (g *Gate) Acquainted(ctx context.Context, who, person identity.Person, patientIDs []string) (Acquaintance, error) {
	if who.ID == person.ID || who.Practitioner != "" && who.Practitioner == person.Practitioner {
		return SamePerson, nil
	}
	own := strings.TrimPrefix(who.Patient, "Patient/")
	if own != "" && slices.Contains(patientIDs, own) {
		return OwnChart, nil
	}
	actor, err := g.actor(ctx, who)
	if err != nil {
		return "", err
	}
	other, err := g.actor(ctx, person)
	if err != nil {
		return "", err
	}
	all, err := g.care.RelateAll(ctx, actor, g.now())
	if err != nil {
		return "", err
	}
	charts := []fhir.PatientID{other.Patient}
	for _, id := range patientIDs {
		if c, err := g.chartByID(ctx, id); err == nil {
			charts = append(charts, c.number)
		}
	}
	for _, n := range charts {
		if n == 0 {
			continue
		}
		if treats(all.Of(n)) {
			return TreatsWho, nil
		}
	}
	if actor.Patient != 0 { // the person treats the officer
		r, err := g.care.Relate(ctx, other, actor.Patient, g.now())
		if err != nil {
			return "", err
		}
		if treats(r) {
			return TreatsWho, nil
		}
	}
	if who.Department != "" && strings.EqualFold(who.Department, person.Department) {
		return SameUnit, nil
	}
	mine, err := g.care.OnShift(ctx, actor, g.now())
	if err != nil {
		return "", err
	}
	theirs, err := g.care.OnShift(ctx, other, g.now())
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(mine.Departments, func(d string) bool { return slices.Contains(theirs.Departments, d) }) {
		return SameUnit, nil
	}
	return "", nil
}

// treats reports whether a relation is one of care: to be of the same practice is none.
func treats(r care.Relation) bool {
	return slices.ContainsFunc(r.Evidence, func(e care.Edge) bool { return e.Template != panelTemplate })
}
