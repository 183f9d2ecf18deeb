package access

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
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
	About       audit.Index // of a reason or a question: the entry that it is about
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
	watches := d.Allowed
	if !watches {
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
	out := AccessList{Lines: lines(reads), Older: older(reads, w), Entry: logged.Entry()}
	if !watches {
		behind, err := g.shield(ctx, p)
		if err != nil {
			return AccessList{}, err
		}
		out.Lines = discreet(behind.lines(out.Lines), p.Session != nil && s.who.Capacity == policy.Staff)
	}
	return out, err
}

// discreet leaves out what only those may read who watch: what they wrote in their work, and, before colleagues, that they looked at
// all, since nobody should learn from a page that somebody is under review.
func discreet(ls []Line, colleague bool) []Line {
	for i := range ls {
		if ls[i].Kind != audit.Glass {
			ls[i].Text = ""
		}
	}
	return slices.DeleteFunc(ls, func(l Line) bool {
		return colleague && (l.Kind == audit.Casework || l.Purpose == "HCOMPL")
	})
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
	Refused   bool   // only what did not succeed
	Unusual   bool   // only glass and unexplained
	Class     string // of the access: deliberate, incidental or machine; empty: any
}

// AuditRange lists entries for those who read the audit. The reading is an entry, with its filter and the patient it asks about.
// Errors: outcome.Forbidden; outcome.NotFound when there is no such patient.
func (g *Gate) AuditRange(ctx context.Context, p Principal, f AuditFilter) (AccessList, error) {
	if err := g.Permit(ctx, p, policy.AuditRead); err != nil {
		return AccessList{}, err
	}
	var about []chart
	if f.PatientID != "" {
		c, err := g.chartByID(ctx, f.PatientID)
		if err != nil {
			return AccessList{}, err
		}
		about = append(about, c)
	}
	logged, err := g.readLog(ctx, p, policy.AuditRead, about...)
	if err != nil {
		return AccessList{}, err
	}
	f.Limit = cmp.Or(f.Limit, 50)
	list := func(w audit.Page) ([]audit.Read, error) {
		switch {
		case len(about) > 0:
			return g.log.OfPatient(ctx, about[0].number, w)
		case f.Person != "":
			return g.log.OfPerson(ctx, f.Person, w)
		}
		span := audit.Span{From: f.From, Kinds: f.Kinds, Keep: f.keeps}
		if !f.To.IsZero() {
			span.To = f.To.Add(lateMost)
		}
		return g.log.Range(ctx, span, w)
	}
	reads, err := f.fill(list)
	for i := range reads {
		g.unsaid(ctx, p, &reads[i].Event)
	}
	return AccessList{Lines: lines(reads), Older: older(reads, f.Window), Entry: logged.Entry()}, err
}

// lateMost is how long after an act its entry may be recorded: acts of an emergency journal come with their own time.
const lateMost = 72 * time.Hour

// fill collects entries that the filter keeps until the page is full or the list ends. The list may filter too.
func (f AuditFilter) fill(list func(audit.Page) ([]audit.Read, error)) ([]audit.Read, error) {
	var out []audit.Read
	for w := (audit.Page{Before: f.Before, Limit: f.Limit}); ; {
		reads, err := list(w)
		if err != nil {
			return nil, err
		}
		for _, r := range reads {
			if !f.From.IsZero() && r.Recorded.Before(f.From.Add(-time.Hour)) { // a clock may have been set back
				return out, nil
			}
			if f.keeps(&r) {
				if out = append(out, r); len(out) == f.Limit {
					return out, nil
				}
			}
			w.Before = r.Index
		}
		if len(reads) < w.Limit {
			return out, nil
		}
	}
}

func (f AuditFilter) keeps(r *audit.Read) bool {
	e, at := &r.Event, happened(*r)
	switch {
	case !f.From.IsZero() && at.Before(f.From), !f.To.IsZero() && !at.Before(f.To),
		f.Person != "" && e.Agent.Person != f.Person,
		len(f.Kinds) > 0 && !slices.Contains(f.Kinds, e.Kind),
		f.Refused && e.Outcome == succeeded, f.Class != "" && e.Class != f.Class:
		return false
	}
	return !f.Unusual || slices.ContainsFunc(e.Patients, func(x audit.PatientPart) bool { return x.Glass || x.Unexplained })
}

// AuditEntry gives one entry whole with its proof: to those who read the audit, to the person who acted, in the capacity of then, and
// to a patient whom it is about, who sees the own part and nothing of what others wrote among themselves.
// Errors: outcome.NotFound, the same for an entry that is not there and for one that is not theirs.
func (g *Gate) AuditEntry(ctx context.Context, p Principal, origin string, number int64) (AuditDetail, error) {
	absent := outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to read")
	index, err := g.log.Find(origin, number)
	if err != nil {
		return AuditDetail{}, absent
	}
	read, err := g.log.Entry(ctx, index)
	if err != nil {
		return AuditDetail{}, absent
	}
	action := policy.AuditRead
	if p.Session != nil {
		own, err := g.actor(ctx, p.Session.Person)
		if err != nil {
			return AuditDetail{}, err
		}
		who := read.Event.Agent
		switch {
		case who.Person == p.Session.Person.ID && (who.Capacity == "" || who.Capacity == p.Session.Capacity):
			action = policy.Own
		case p.Session.Capacity == policy.Patient && own.Patient != 0:
			if read.Event, err = toPatient(read.Event, own.Patient); err != nil {
				return AuditDetail{}, absent
			}
			behind, err := g.shield(ctx, p)
			if err != nil {
				return AuditDetail{}, err
			}
			read.Event = behind.event(read.Event)
			action = policy.Own
		}
	}
	var about []chart // it names them, so its reading does
	for _, part := range read.Event.Patients {
		if part.Patient != 0 {
			about = append(about, chart{number: part.Patient, id: strings.TrimPrefix(part.Ref, "Patient/")})
		}
	}
	about, err = g.withAsked(ctx, read.Event.Query, about)
	if err != nil {
		return AuditDetail{}, err
	}
	logged, err := g.readLog(ctx, p, action, about...)
	if err != nil {
		return AuditDetail{}, absent
	}
	g.unsaid(ctx, p, &read.Event)
	out := AuditDetail{Read: read, Line: lineOf(read), Reading: logged.Entry()}
	for _, rule := range g.policy.Policies() {
		if slices.Contains(out.Line.Permits, rule.ID) {
			out.Rules = append(out.Rules, rule)
		}
	}
	return out, g.prove(ctx, &out)
}

// withAsked adds to charts those that a query names: who asked got nothing of them, but who reads the question learns that they are there.
func (g *Gate) withAsked(ctx context.Context, query string, charts []chart) ([]chart, error) {
	if plain, err := url.QueryUnescape(query); err == nil {
		query = plain
	}
	for _, id := range strings.FieldsFunc(query, func(r rune) bool { return !fhir.IsID(string(r)) }) {
		c, err := g.chartByID(ctx, id)
		switch {
		case outcome.Is(err, outcome.NotFound):
		case err != nil:
			return nil, err
		case !slices.ContainsFunc(charts, func(x chart) bool { return x.number == c.number }):
			charts = append(charts, c)
		}
	}
	return charts, nil
}

// toPatient leaves of an event what its patient may read: who, when, why and what, in the own part; of the words that people wrote
// only the reason at the glass.
func toPatient(e audit.Event, patient fhir.PatientID) (audit.Event, error) {
	at := slices.IndexFunc(e.Patients, func(x audit.PatientPart) bool { return x.Patient == patient })
	if at < 0 {
		return e, outcome.New(outcome.NotFound, "not about this patient")
	}
	own := e.Patients[at]
	own.Relation, own.Details = "", ""
	e.Patients = []audit.PatientPart{own}
	e.Query, e.Request = "", ""
	e.Agent.Session, e.Agent.Device, e.Agent.Address = "", "", ""
	if e.Kind != audit.Glass {
		e.Text = ""
	}
	return e, nil
}

// watched is what the patient reads of somebody who reads the record of accesses.
const watched = "looked into who opened your chart"

// readLog decides about reading the log and writes that it was read, and about whom.
func (g *Gate) readLog(ctx context.Context, p Principal, action string, about ...chart) (audit.Logged, error) {
	s, d, err := g.May(ctx, p, action)
	if err != nil {
		return audit.Logged{}, err
	}
	e := s.event("audit-read", "R")
	e.Kind, e.PolicyHash = audit.LogRead, d.Hash
	sentence := watched
	switch {
	case s.who.Capacity == policy.Patient:
		sentence = "was you"
	case action == policy.Own:
		sentence = "looked again at an access of their own to your chart"
	}
	for _, c := range about {
		e.Patients = append(e.Patients, audit.PatientPart{Patient: c.number, Ref: "Patient/" + c.id, Permits: d.PermitIDs(), Template: "review", Sentence: sentence})
	}
	return g.log.Note(ctx, e)
}

// Permit asks whether p may act on the installation itself, such as on people or settings; nil when so, and a denial is an entry. It
// comes before every administrative act. Errors: those of [Gate.May].
func (g *Gate) Permit(ctx context.Context, p Principal, action string) error {
	_, _, err := g.May(ctx, p, action)
	return err
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
	if slices.Contains(waits, action) {
		if err := g.uncut(); err != nil {
			return s, d, err
		}
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
			l.Own, l.About = ownWords(part.Details), detailsOf(part.Details).About
			if ref, ok := fhir.ParseReference(part.Ref); ok {
				l.PatientID = ref.ID
			}
		}
	}
	return l
}

// details keep what else an entry says of a patient: the sentence that the person read, beside the patient's; the review that
// casework is about; the entry that a reason or a question is about.
type details struct {
	You    string      `json:"you,omitempty"`
	Review int64       `json:"review,omitempty"`
	About  audit.Index `json:"about,omitempty"` // of a reason or a question: the entry that it is about
	Asks   string      `json:"asks,omitempty"`  // of a question: the person whom it is about
	Way    string      `json:"way,omitempty"`   // of a refusal: the way forward that it offered
	// Back says of each record of an undo, by number, the version whose content it has again; 0: none.
	Back map[string]int64 `json:"back,omitempty"`
}

func (r Reason) details() string { return details{You: r.Sentence}.text() }

func (d details) text() string {
	b, err := json.Marshal(d)
	if err != nil {
		return ""
	}
	return string(b)
}

func detailsOf(text string) (d details) {
	if text == "" || json.Unmarshal([]byte(text), &d) != nil {
		return details{}
	}
	return d
}

func ownWords(text string) string { return detailsOf(text).You }

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
