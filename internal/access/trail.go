package access

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Line is one act as lists of the log show it.
type Line struct {
	Entry       string // origin/index
	Index       audit.Index
	At          time.Time
	Agent       audit.Agent
	Kind        audit.Kind
	Interaction string
	Class       string
	Purpose     string
	Outcome     int
	Text        string // the agent's own words, such as the reason at the glass
	PatientID   string // of the first patient; empty for none
	Patients    int
	Template    string
	Sentence    string // to the patient
	Own         string // to the person who acted
	Permits     []string
	Groups      []string
	Records     int
	Glass       bool
	Unexplained bool
	PolicyHash  string
}

// Window is which part of a list is wanted, newest first: before an index (0: from the newest), at most Limit.
type Window struct {
	Before audit.Index
	Limit  int
}

func (w Window) page() audit.Page { return audit.Page{Before: w.Before, Limit: w.Limit} }

// AccessList is a part of the log, read through the door.
type AccessList struct {
	Lines []Line
	Older audit.Index // pass it as Window.Before for the next part; 0 at the end
	Entry string      // of this reading
}

// WhoLooked lists who did what about one patient. The patient may ask about herself, whoever may open the chart about it, and those
// who read the audit about anybody. The reading is an entry.
//
// Errors: outcome.Forbidden, outcome.NotFound.
func (g *Gate) WhoLooked(ctx context.Context, p Principal, patientID string, w Window) (AccessList, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return AccessList{}, g.absent(ctx, p, policy.Read, "audit-read", "Patient", err)
	}
	if err != nil {
		return AccessList{}, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return AccessList{}, err
	}
	d := g.decide(s, policy.AuditRead, policy.Resource{})
	if !d.Allowed {
		if s, d, err = g.permit(ctx, p, policy.Read, "audit-read", c, func(s standing) policy.Resource { return s.typical("Patient") }); err != nil {
			return AccessList{}, err
		}
	}
	e := s.event("audit-read", "R")
	e.Kind, e.PolicyHash = audit.LogRead, d.Hash
	e.Patients = []audit.PatientPart{permitted{standing: s, decision: d}.entry(s.reason(d))}
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return AccessList{}, err
	}
	reads, err := g.log.OfPatient(ctx, c.number, w.page())
	return AccessList{Lines: lines(reads), Older: older(reads, w), Entry: logged.Entry()}, err
}

// MyActivity lists what p did, newest first. It is the person's own mirror; looking into it is an entry too.
func (g *Gate) MyActivity(ctx context.Context, p Principal, w Window) (AccessList, error) {
	logged, err := g.readLog(ctx, p, policy.Own)
	if err != nil {
		return AccessList{}, err
	}
	reads, err := g.log.OfPerson(ctx, p.Session.Person.ID, w.page())
	return AccessList{Lines: lines(reads), Older: older(reads, w), Entry: logged.Entry()}, err
}

// AuditFilter says which entries an auditor wants.
type AuditFilter struct {
	Window
	From, To  time.Time
	Person    string // id
	PatientID string
	Kinds     []audit.Kind
	Refused   bool // only what did not succeed
	Unusual   bool // only glass and unexplained
}

// AuditRange lists entries for those who read the audit. The reading is an entry, with its filter.
func (g *Gate) AuditRange(ctx context.Context, p Principal, f AuditFilter) (AccessList, error) {
	logged, err := g.readLog(ctx, p, policy.AuditRead)
	if err != nil {
		return AccessList{}, err
	}
	keep := func(r *audit.Read) bool {
		if f.Person != "" && r.Event.Agent.Person != f.Person || f.Refused && r.Event.Outcome == 0 {
			return false
		}
		return !f.Unusual || slices.ContainsFunc(r.Event.Patients, func(x audit.PatientPart) bool { return x.Glass || x.Unexplained })
	}
	var reads []audit.Read
	switch {
	case f.PatientID != "":
		var n fhir.PatientID
		if n, err = g.records.Patient(ctx, f.PatientID); err != nil {
			return AccessList{}, err
		}
		if reads, err = g.log.OfPatient(ctx, n, f.page()); err == nil {
			reads = slices.DeleteFunc(reads, func(r audit.Read) bool { return !keep(&r) })
		}
	case f.Person != "":
		if reads, err = g.log.OfPerson(ctx, f.Person, f.page()); err == nil {
			reads = slices.DeleteFunc(reads, func(r audit.Read) bool { return !keep(&r) })
		}
	default:
		reads, err = g.log.Range(ctx, audit.Span{From: f.From, To: f.To, Kinds: f.Kinds, Keep: keep}, f.page())
	}
	return AccessList{Lines: lines(reads), Older: older(reads, f.Window), Entry: logged.Entry()}, err
}

// AuditEntry gives one entry whole, for those who read the audit, and for its own agent and patient.
func (g *Gate) AuditEntry(ctx context.Context, p Principal, origin string, number int64) (audit.Read, string, error) {
	absent := outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to read")
	index, err := g.log.Find(origin, number)
	if err != nil {
		return audit.Read{}, "", absent
	}
	read, err := g.log.Entry(ctx, index)
	if err != nil {
		return audit.Read{}, "", absent
	}
	action := policy.AuditRead
	if p.Session != nil && read.Event.Agent.Person == p.Session.Person.ID {
		action = policy.Own
	}
	logged, err := g.readLog(ctx, p, action)
	if err != nil {
		return audit.Read{}, "", absent
	}
	return read, logged.Entry(), nil
}

// readLog decides about reading the log and writes that it was read.
func (g *Gate) readLog(ctx context.Context, p Principal, action string) (audit.Logged, error) {
	s, d, err := g.May(ctx, p, action)
	if err != nil {
		return audit.Logged{}, err
	}
	e := s.event("audit-read", "R")
	e.Kind, e.PolicyHash = audit.LogRead, d.Hash
	return g.log.Note(ctx, e)
}

// May decides about an action on the installation itself, such as people, settings or reading the audit; a denial is an entry.
// Errors: outcome.Forbidden with the way forward; outcome.Login when a fresher sign-in would do.
func (g *Gate) May(ctx context.Context, p Principal, action string) (standing, policy.Decision, error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return s, policy.Decision{}, err
	}
	d := g.decide(s, action, policy.Resource{})
	if !d.Allowed {
		return s, d, g.refuse(ctx, s, action, action, policy.Resource{}, d)
	}
	return s, d, nil
}

func lines(reads []audit.Read) []Line {
	out := make([]Line, 0, len(reads))
	for _, r := range reads {
		out = append(out, lineOf(r))
	}
	return out
}

func lineOf(r audit.Read) Line {
	e := r.Event
	l := Line{Entry: r.Entry(), Index: r.Index, At: happened(r), Agent: e.Agent, Kind: e.Kind, Interaction: e.Interaction, Class: e.Class,
		Purpose: e.Purpose, Outcome: e.Outcome, Text: e.Text, PolicyHash: e.PolicyHash}
	for _, part := range e.Patients {
		l.Records += len(part.Records)
		if part.Patient == 0 {
			continue
		}
		l.Patients++
		l.Glass, l.Unexplained = l.Glass || part.Glass, l.Unexplained || part.Unexplained
		if l.Patients == 1 {
			l.Template, l.Sentence, l.Permits, l.Groups = part.Template, part.Sentence, part.Permits, part.Groups
			l.Own = ownWords(part.Details)
			if ref, ok := fhir.ParseReference(part.Ref); ok {
				l.PatientID = ref.ID
			}
		}
	}
	return l
}

// details keep, beside the patient's sentence, the one that the person read.
type details struct {
	You string `json:"you,omitempty"`
}

func (r Reason) details() string {
	b, err := json.Marshal(details{r.Sentence})
	if err != nil {
		return ""
	}
	return string(b)
}

func ownWords(text string) string {
	var d details
	if text == "" || json.Unmarshal([]byte(text), &d) != nil {
		return ""
	}
	return d.You
}

func older(reads []audit.Read, w Window) audit.Index {
	limit := w.Limit
	if limit == 0 {
		limit = 50
	}
	if len(reads) < limit {
		return 0
	}
	return reads[len(reads)-1].Index
}

// happened is when the act was, which for an entry merged later is before it was recorded.
func happened(r audit.Read) time.Time {
	if !r.Event.Time.IsZero() {
		return r.Event.Time
	}
	return r.Recorded
}
