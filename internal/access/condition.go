package access

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// condition is by what a conditional request finds its resource: "Patient?identifier=...". It may hold patient data.
type condition struct {
	q    *search.Query
	text string // as asked, without the type
	from string // where the request says it
}

// newCondition reads criteria. Only what finds resources belongs there: nothing that orders, shortens or widens an answer.
func (g *Gate) newCondition(typ, text, where string) (*condition, error) {
	text = strings.TrimPrefix(text, "?")
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, outcome.New(outcome.Invalid, "the criteria are not well formed: encode spaces, % and & in values").At(where)
	}
	for name := range values {
		switch strings.SplitN(name, ":", 2)[0] {
		case "_count", "_total", "_summary", "_elements", "_sort", "_include", "_revinclude", "_cursor", "_contained", "_containedType":
			return nil, outcome.New(outcome.Invalid, "criteria only find a resource: leave out what shapes a search's answer").At(where)
		case "_format", "_pretty":
			values.Del(name)
		}
	}
	text = values.Encode()
	q, err := search.Parse(typ, values, g.reading())
	if err != nil {
		var what *outcome.Error
		if errors.As(err, &what) && what.Expression != "" {
			return nil, what.At(where + " " + what.Expression)
		}
		return nil, err
	}
	if len(q.Clauses()) == 0 {
		return nil, outcome.New(outcome.Invalid, "the criteria are empty: name at least one search parameter").At(where)
	}
	return &condition{q, text, where}, nil
}

// name is the same for all ways to write a condition.
func (c *condition) name() string { return c.q.Normalised() }

// met is what p finds by a condition: a search like any other, under p's rights and with its own entry.
type met struct {
	doc   *document.Doc // nil when nothing is found
	many  bool
	entry string
}

func (m met) version() int64 {
	n, _ := strconv.ParseInt(m.doc.VersionID(), 10, 64)
	return n
}

// written tells of what is there already.
func (m met) written() *Written {
	updated, _ := m.doc.LastUpdated()
	return &Written{Doc: m.doc, Type: m.doc.Type(), ID: m.doc.ID(), Version: m.version(), Updated: updated, Entry: m.entry}
}

func (g *Gate) meet(ctx context.Context, p Principal, c *condition) (met, error) {
	two := *c.q
	two.Count = 2
	page, err := g.Search(ctx, p, &two, c.text)
	var what *outcome.Error
	if errors.As(err, &what) && what.Code == outcome.TooCostly && what.Expression == "" {
		err = what.At(c.from)
	}
	m := met{entry: page.Entry, many: len(page.Docs) > 1}
	if err == nil && len(page.Docs) > 0 {
		m.doc = page.Docs[0]
	}
	return m, err
}

// several refuses to choose. Source: https://hl7.org/fhir/R4/http.html#cond-update.
func several() error {
	return outcome.New(outcome.Precondition, "the criteria fit several resources: narrow them, or name one by its id")
}

// attempts bounds how often a decision is made anew because somebody else was faster, on another node.
const attempts = 5

// deciding runs decide when it is its turn for every condition, and again when its write lost a race. What decide reads is newer
// than the last write that was decided by the same conditions.
func (g *Gate) deciding(ctx context.Context, conditions []*condition, decide func() error) error {
	var names []string
	for _, c := range conditions {
		if c != nil {
			names = append(names, c.name())
		}
	}
	give, err := g.turns.take(ctx, names...)
	if err != nil {
		return err
	}
	defer give()
	for range attempts {
		if err = decide(); !errors.Is(err, record.ErrRace) {
			return err
		}
	}
	return err
}

// hiddenFrom finds what fits a condition by which its asker found nothing: records that the asker may not see, among patients, staff
// and places, and in the charts that doc is about. Every chart would be too many to look through for a note.
func (g *Gate) hiddenFrom(ctx context.Context, c *condition, doc *document.Doc) ([]*record.Sealed, error) {
	if c.q.Type == "Patient" || !fhir.InPatientCompartment(c.q.Type) {
		return g.unfiltered(ctx, c, 0)
	}
	var out []*record.Sealed
	for _, ref := range fhir.PatientRefs(doc) {
		number, err := g.records.Patient(ctx, ref.ID)
		if outcome.Is(err, outcome.NotFound) { // comes in the same bundle
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err := g.unfiltered(ctx, c, number)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			if !slices.ContainsFunc(out, func(y *record.Sealed) bool { return y.Record() == x.Record() }) {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// unfiltered finds at most two records by a condition, as nobody but the door may. What would be too costly finds nothing.
func (g *Gate) unfiltered(ctx context.Context, c *condition, chart fhir.PatientID) ([]*record.Sealed, error) {
	two := *c.q
	two.Count = 2
	page, err := g.records.Search(ctx, record.SearchRequest{Query: &two, Patient: chart})
	if outcome.Is(err, outcome.TooCostly) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return page.Hits, nil
}

// tellOfTwins notes that a conditional write made what is there already, hidden from who wrote. The writer learns nothing of it; those
// who read the log do. See docs/adr/0060.
func (g *Gate) tellOfTwins(ctx context.Context, done Written, hidden []*record.Sealed) {
	if len(hidden) == 0 {
		return
	}
	made, err := g.records.Read(ctx, done.Type, done.ID)
	if err == nil {
		_, err = g.log.Note(ctx, audit.Event{Kind: audit.Job, Time: g.now(), Agent: audit.Agent{Job: "duplicates"}, Interaction: "duplicate", Class: audit.Machine,
			Purpose: "HSYSADMIN", PolicyHash: g.policy.Hash(), Text: "a conditional write made what may be here already, hidden from who wrote",
			Patients: g.records.Parts(append([]*record.Sealed{made}, hidden...)...)})
	}
	if err != nil {
		g.logger.Error("a possible duplicate could not be noted", "type", done.Type, "entry", done.Entry)
	}
}

// CreateUnless is [Gate.Create] unless p finds something by the criteria (If-None-Exist): then that is the answer and nothing is
// written. Of several that create at the same time by the same criteria one does. What p may not see does not count as found.
//
// Errors: those of [Gate.Create] and [Gate.Search]; outcome.Precondition when the criteria fit several.
func (g *Gate) CreateUnless(ctx context.Context, p Principal, doc *document.Doc, criteria string) (Written, error) {
	return g.one(ctx, p, Entry{Method: "POST", URL: doc.Type(), IfNoneExist: criteria, Doc: doc})
}

// UpdateWhere stores doc as the next version of the one resource that p finds by the criteria; where there is none it is created,
// under the id in doc if it has one. Errors: those of [Gate.Update] and [Gate.Search]; outcome.Precondition when the criteria fit
// several; outcome.Invalid when doc has an id that is not that of what was found.
func (g *Gate) UpdateWhere(ctx context.Context, p Principal, doc *document.Doc, criteria, ifMatch string) (Written, error) {
	return g.one(ctx, p, Entry{Method: "PUT", URL: doc.Type() + "?" + criteria, IfMatch: ifMatch, Doc: doc})
}

// DeleteWhere deletes the one resource that p finds by the criteria; where there is none nothing happens. Errors: those of
// [Gate.Delete] and [Gate.Search]; outcome.Precondition when the criteria fit several.
func (g *Gate) DeleteWhere(ctx context.Context, p Principal, typ, criteria, ifMatch string) (Written, error) {
	return g.one(ctx, p, Entry{Method: "DELETE", URL: typ + "?" + criteria, IfMatch: ifMatch})
}

// one carries out one entry that writes.
func (g *Gate) one(ctx context.Context, p Principal, e Entry) (Written, error) {
	r, err := g.request(e)
	if err != nil {
		return Written{}, err
	}
	var out Written
	err = g.deciding(ctx, []*condition{r.condition}, func() error {
		d, err := g.settle(ctx, p, r)
		if err != nil {
			return err
		}
		if d.there != nil {
			out = *d.there
			return nil
		}
		interaction := interactionOf(d.write.Op)
		if r.patch != nil {
			interaction = "patch"
		}
		if out, err = g.writeOne(ctx, p, interaction, d.write); err != nil {
			return d.raced(err)
		}
		if err := d.show(&out); err != nil {
			return err
		}
		g.tellOfTwins(ctx, out, d.hidden)
		return nil
	})
	return out, err
}

// decided is what a request comes to: a write, or what is there already.
type decided struct {
	write  record.Write
	there  *Written         // nothing is written
	hidden []*record.Sealed // of a creation: what fits the condition and the asker may not see
	masker masker           // of a patch: what its writer does not see
	pinned bool             // the version to be replaced is the one found, not one that the client named
}

// raced tells a version that changed since it was found from one that the client had wrong.
func (d decided) raced(err error) error {
	if d.pinned && outcome.Is(err, outcome.Precondition) {
		return lost()
	}
	return err
}

// lost is the error of a decision that is to be made anew.
func lost() error {
	return outcome.Wrap("access: condition", outcome.Conflict, "somebody else changed the resource at the same moment: please try again", record.ErrRace)
}

// settle decides a request by what its condition finds now.
func (g *Gate) settle(ctx context.Context, p Principal, r request) (decided, error) {
	d := decided{write: r.write}
	err := g.settleTarget(ctx, p, r, &d)
	if err == nil && r.patch != nil {
		err = g.patched(ctx, p, r.patch, &d)
	}
	return d, err
}

// settleTarget finds by its condition what a request is about.
func (g *Gate) settleTarget(ctx context.Context, p Principal, r request, d *decided) error {
	if r.condition == nil {
		return nil
	}
	var err error
	if d.write.Guard, err = g.records.Guard(ctx, r.condition.name()); err != nil {
		return err
	}
	found, err := g.meet(ctx, p, r.condition)
	if err == nil && found.many {
		err = several()
	}
	if err != nil {
		return err
	}
	if found.doc == nil {
		return g.settleAbsent(ctx, p, r, d, found)
	}
	if r.write.Op == record.Create {
		d.there = found.written()
		return nil
	}
	if id := r.write.ID; id != "" && id != found.doc.ID() {
		return outcome.New(outcome.Invalid, "the id in the body is not that of the resource that the criteria find: leave it out").At(r.write.Type + ".id")
	}
	d.write.ID = found.doc.ID()
	if d.write.IfMatch == 0 {
		d.write.IfMatch, d.pinned = found.version(), true
	}
	return nil
}

// settleAbsent decides a request whose condition found nothing.
func (g *Gate) settleAbsent(ctx context.Context, p Principal, r request, d *decided, found met) error {
	switch r.write.Op {
	case record.Delete:
		d.there = &Written{Type: r.write.Type, Entry: found.entry}
		return nil
	case record.Update:
		if r.patch != nil {
			return outcome.New(outcome.NotFound, "the criteria find nothing that could be patched")
		}
		if r.write.IfMatch != 0 {
			return outcome.New(outcome.Precondition, "the criteria find nothing, so there is no such version")
		}
		if r.write.ID == "" {
			d.write.Op = record.Create
		}
	}
	err := g.mayMiss(ctx, p, r.condition)
	if err == nil {
		d.hidden, err = g.hiddenFrom(ctx, r.condition, r.write.Doc)
	}
	return err
}

// mayMiss refuses to register a patient by criteria that p may not see of every patient: p finds nothing and cannot know that there is
// nothing, and a second chart of one person is a danger. The refusal depends on who asks and for what, never on what is stored.
func (g *Gate) mayMiss(ctx context.Context, p Principal, c *condition) error {
	if c.q.Type != "Patient" {
		return nil
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return err
	}
	touched := map[fhir.Group]bool{fhir.FieldGroup(c.q.Type): true}
	for _, clause := range c.q.Clauses() {
		elements := clause.Param.Elements()
		if elements == nil {
			for _, group := range fhir.ElementGroups(c.q.Type) {
				touched[group] = touched[group] || clause.Param.Name != "_id"
			}
		}
		for _, element := range elements {
			touched[fhir.ElementGroup(c.q.Type, element)] = true
		}
	}
	for group := range touched {
		r := s.typical(c.q.Type)
		r.Group, r.PatientKey = string(group), "any" // somebody with whom nothing links p
		if !touched[group] || g.decide(s, policy.Search, r).Allowed {
			continue
		}
		e := s.event("search-type", "E")
		e.PolicyHash, e.Outcome, e.Text, e.Query = g.policy.Hash(), refused, "refused", c.q.Type+"?"+c.text
		if _, err := g.log.Refuse(ctx, e); err != nil {
			return err
		}
		return outcome.New(outcome.Forbidden, "your role does not see of every patient what these criteria ask for, so you cannot know that nobody fits: "+
			"look the patient up by name and birth date, or let somebody register who may").Because("not.yours")
	}
	return nil
}
