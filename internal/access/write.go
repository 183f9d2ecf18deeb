package access

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/validate"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Written is what a write left behind.
type Written struct {
	Doc     *document.Doc // as stored, with id and meta; nil after a delete
	Type    string
	ID      string
	Version int64
	Updated time.Time
	Created bool
	Changed bool   // false when the content was here already and no version was made
	Entry   string // of the intent, which was durable before the records changed; empty when nothing had to change
	Awaited []Awaited
	behind  bool // unchanged, since the record went on from this content
}

// Awaited is a conditional or logical reference that an import kept as it was sent, since its target is not here, or is here more
// than once.
type Awaited struct {
	At     string // FHIRPath
	Reason string
}

// Create stores doc as a new resource under an id of the server's making. An id inside doc is not used.
//
// Errors: outcome codes of validation with the place; outcome.Forbidden with the reason; outcome.Invalid for a reference to what is
// not here; outcome.NoStore when the audit cannot be written: writes wait for the log, reads go on.
func (g *Gate) Create(ctx context.Context, p Principal, doc *document.Doc) (Written, error) {
	return g.writeOne(ctx, p, "create", record.Write{Op: record.Create, Type: doc.Type(), Doc: doc})
}

// Update stores doc as the next version of the resource that its id names, or as its first (update as create). ifMatch is the
// version that the caller saw, or zero. Errors: those of [Gate.Create]; outcome.Precondition when another version came between;
// outcome.Conflict when the caller sees the resource masked only: a whole update would lose what the mask hides.
func (g *Gate) Update(ctx context.Context, p Principal, doc *document.Doc, ifMatch int64) (Written, error) {
	return g.writeNamed(ctx, p, "update", record.Write{Op: record.Update, Type: doc.Type(), ID: doc.ID(), Doc: doc, IfMatch: ifMatch})
}

// CreateAs is [Gate.Update] of what must not be there yet: outcome.Precondition when something has the id, deleted or not.
func (g *Gate) CreateAs(ctx context.Context, p Principal, doc *document.Doc) (Written, error) {
	return g.writeNamed(ctx, p, "update", record.Write{Op: record.Update, Type: doc.Type(), ID: doc.ID(), Doc: doc, IfNew: true})
}

// Delete adds a version that says deleted; earlier versions stay. Deleting what is deleted succeeds without a new version.
// Errors: those of [Gate.Update]; outcome.NotFound.
func (g *Gate) Delete(ctx context.Context, p Principal, typ, id string, ifMatch int64) (Written, error) {
	return g.writeNamed(ctx, p, "delete", record.Write{Op: record.Delete, Type: typ, ID: id, IfMatch: ifMatch})
}

// writeNamed is writeOne of a resource that the client named: when somebody else changed it at the same moment, what the client asked
// for is decided anew on what is there now, and fails only if the client said that it must not have changed.
func (g *Gate) writeNamed(ctx context.Context, p Principal, interaction string, w record.Write) (out Written, err error) {
	for range attempts {
		if out, err = g.writeOne(ctx, p, interaction, w); !errors.Is(err, record.ErrRace) {
			break
		}
	}
	return out, err
}

func (g *Gate) writeOne(ctx context.Context, p Principal, interaction string, w record.Write) (Written, error) {
	out, err := g.write(ctx, p, interaction, []record.Write{w})
	if err != nil {
		var at faulty
		if errors.As(err, &at) {
			err = at.err
		}
		return Written{}, err
	}
	return out[0], nil
}

// faulty says which of several writes an error is about.
type faulty struct {
	index int
	err   error
	later bool // what it refers to comes later
}

func (f faulty) Error() string { return f.err.Error() }
func (f faulty) Unwrap() error { return f.err }

// write is the door for every change: validate, relate and decide each, seal, append the intent with the hash of each ciphertext,
// commit, append the outcome. Either all of ws are stored or none; an error that concerns one of them is a faulty.
func (g *Gate) write(ctx context.Context, p Principal, interaction string, ws []record.Write) ([]Written, error) {
	for i := range ws {
		if err := checkWrite(ws[i]); err != nil {
			return nil, faulty{index: i, err: err}
		}
		if err := checkConsent(ws[i].Doc, g.zone); err != nil {
			return nil, faulty{index: i, err: err}
		}
	}
	return g.store(ctx, p, interaction, ws)
}

// store is write for what is valid already.
func (g *Gate) store(ctx context.Context, p Principal, interaction string, ws []record.Write) ([]Written, error) {
	switch faults, err := g.dangling(ctx, ws, nil, nil, nil); {
	case err != nil:
		return nil, err
	case len(faults) > 0:
		return nil, faults[0]
	}
	return g.put(ctx, p, interaction, ws)
}

// put is store for what refers to nothing that is missing.
func (g *Gate) put(ctx context.Context, p Principal, interaction string, ws []record.Write) ([]Written, error) {
	for i := range ws {
		if ws[i].Op == record.Delete {
			if err := g.uncut(); err != nil {
				return nil, faulty{index: i, err: err}
			}
		}
		if ws[i].Author == "" {
			p.sign(&ws[i])
		}
		ws[i].Sees = g.sight(p)
	}
	prepared, err := g.records.Prepare(ctx, ws)
	if err != nil {
		if err := g.askedFor(ctx, p, interaction, ws); err != nil {
			return nil, err
		}
		var at record.Faulty
		if !errors.As(err, &at) {
			return nil, err
		}
		switch code := outcome.CodeOf(err); {
		case ws[at.Index].ID == "": // nothing is stored yet that the answer could tell of
		case code == outcome.Precondition, code == outcome.BusinessRule, code == outcome.Deleted:
			err = g.unprepared(ctx, p, interaction, ws[at.Index], err)
		case code == outcome.NotFound && ws[at.Index].Op == record.Delete:
			err = g.absent(ctx, p, policy.Write, interaction, ws[at.Index].Type, err)
		}
		return nil, faulty{index: at.Index, err: err}
	}
	e, err := g.admitAll(ctx, p, interaction, ws, prepared)
	if err != nil {
		return nil, err
	}
	written, err := g.commit(ctx, e, ws, prepared)
	if err == nil && interaction != "import" { // an import resolves at its end
		g.arrived(ctx, ws, prepared.Changes())
	}
	return written, err
}

// unprepared is the answer to a change that does not fit what is stored: only who may make the change learns why.
func (g *Gate) unprepared(ctx context.Context, p Principal, interaction string, w record.Write, failed error) error {
	found, err := g.records.Read(ctx, w.Type, w.ID)
	if outcome.Is(err, outcome.Deleted) {
		return g.erased(ctx, p, policy.Write, interaction, w.Type, w.ID, failed)
	}
	if err == nil {
		_, _, err = g.admit(ctx, p, policy.Write, interaction, found)
	} else if outcome.Is(err, outcome.NotFound) && w.Op == record.Update { // it would be created
		w.IfMatch, w.IfNew, w.Guard = 0, false, record.Guard{}
		var prepared *record.Prepared
		if prepared, err = g.records.Prepare(ctx, []record.Write{w}); err == nil {
			_, err = g.admitAll(ctx, p, interaction, []record.Write{w}, prepared)
		}
	}
	var refused faulty
	switch {
	case errors.As(err, &refused):
		return refused.err
	case err != nil:
		return err
	}
	return failed
}

// admission is who writes into one chart, and what was decided about it so far.
type admission struct {
	standing
	judge *policy.Judge
}

// admitAll decides about every change and gathers the intent: one part for each chart, with the reason, and the versions to come.
func (g *Gate) admitAll(ctx context.Context, p Principal, interaction string, ws []record.Write, prepared *record.Prepared) (audit.Event, error) {
	var e audit.Event
	reasons := map[fhir.PatientID]audit.PatientPart{}
	charts := map[fhir.PatientID]admission{}
	decided := map[fhir.PatientID][]policy.Resource{}
	for i, change := range prepared.Changes() {
		number := fhir.PatientID(0)
		if len(change.Patients) > 0 {
			number = change.Patients[0]
		}
		a, known := charts[number]
		if !known {
			c, err := g.chartToBe(ctx, number, change)
			if err != nil {
				return e, err
			}
			s, err := g.relate(ctx, p, c)
			if err != nil {
				return e, err
			}
			if s.actor != nil {
				return e, g.refuse(ctx, s, policy.Write, interaction, s.typical("Patient"), policy.Decision{Hash: g.policy.Hash(), Forbids: []policy.Reason{onlyReads}})
			}
			a = admission{s, g.policy.Judge(s.who, policy.Write, s.relation, s.context)}
			charts[number] = a
		}
		if e.Interaction == "" {
			e = a.event(interaction, letterOf(ws[i].Op))
		}
		d, err := g.admitWrite(ctx, a, interaction, change, ws[i])
		if err != nil {
			return e, faulty{index: i, err: err}
		}
		e.PolicyHash = d.Hash
		if _, known := reasons[number]; !known {
			reasons[number] = permitted{standing: a.standing, decision: d}.entry(a.reason(d))
		}
		decided[number] = append(decided[number], a.written(change)...)
	}
	for number, of := range decided {
		why := reasons[number]
		why.Relation = charts[number].facts(policy.Write, of...)
		reasons[number] = why
	}
	for _, part := range prepared.Intents() {
		why := reasons[part.Patient]
		part.Ref, part.Permits, part.Template, part.Sentence, part.Relation = why.Ref, why.Permits, why.Template, why.Sentence, why.Relation
		part.Unexplained, part.Glass = why.Unexplained, why.Glass
		if p.taking != nil {
			part.Details, e.Text = p.taking.details(part), p.taking.text
		}
		e.Patients = append(e.Patients, part)
		delete(reasons, part.Patient)
	}
	for _, number := range slices.Sorted(maps.Keys(reasons)) { // nothing of theirs changes, yet the answer tells what is stored
		if number != 0 {
			e.Patients = append(e.Patients, reasons[number])
		}
	}
	if len(ws) > 1 {
		e.Action = "E"
	}
	return e, nil
}

// chartToBe names the chart of a change. That of a Patient who is being registered does not exist yet.
func (g *Gate) chartToBe(ctx context.Context, number fhir.PatientID, change record.Change) (chart, error) {
	if change.Type == "Patient" {
		return chart{number: number, id: change.ID}, nil
	}
	c, err := g.chartNumber(ctx, number)
	if outcome.Is(err, outcome.NotFound) { // registered in this very batch
		return chart{number: number, id: "new"}, nil
	}
	return c, err
}

// commit is the order that makes a write provable: intent durable, then the records, then the outcome. An outcome that cannot be
// appended leaves a dangling intent, which the next start resolves against the records; the write itself stands.
func (g *Gate) commit(ctx context.Context, e audit.Event, ws []record.Write, prepared *record.Prepared) ([]Written, error) {
	changes := prepared.Changes()
	intent, err := g.log.Intend(ctx, e) // names no record where nothing changes: somebody asked all the same
	if err != nil {
		return nil, err
	}
	stored, err := g.records.Commit(ctx, prepared, intent)
	if err == nil || outcome.Is(err, outcome.Conflict) {
		g.conclude(ctx, e, intent, err)
	} // after any other error the disk may hold the commit although it failed: the next start looks and concludes
	if err != nil {
		return nil, err
	}
	out := make([]Written, len(stored))
	for i, r := range stored {
		out[i] = Written{Type: r.Type(), ID: r.ID(), Version: r.Version(), Updated: r.Updated(), Created: changes[i].Effect == record.Created,
			Changed: changes[i].Effect != record.Unchanged, Entry: intent.Entry(), behind: changes[i].Behind}
		for _, a := range prepared.Awaited(i) {
			out[i].Awaited = append(out[i].Awaited, Awaited{a.At, public(a.Reason)})
		}
		if ws[i].Doc == nil {
			continue
		}
		if out[i].Doc = prepared.Content(i); out[i].Doc != nil {
			continue
		}
		if out[i].Doc, err = ws[i].Doc.Stamp(r.ID(), strconv.FormatInt(r.Version(), 10), r.Updated()); err != nil { // it was here already
			return nil, err
		}
	}
	return out, nil
}

// conclude appends how an intended write ended.
func (g *Gate) conclude(ctx context.Context, e audit.Event, intent audit.Logged, failed error) {
	end := audit.Event{Time: g.now(), Agent: e.Agent, Action: e.Action, Interaction: e.Interaction, Class: e.Class, Purpose: e.Purpose,
		PolicyHash: e.PolicyHash, Outcome: succeeded, Intent: intent.Index()}
	if failed != nil {
		end.Outcome, end.Text = refused, "not stored"
	}
	if _, err := g.log.Conclude(ctx, end); err != nil {
		g.logger.Error("the outcome of a write could not be appended; the next start resolves it", "intent", intent.Entry())
	}
}

// admitWrite decides about one prepared change: on what it brings, and on the version that it replaces.
func (g *Gate) admitWrite(ctx context.Context, a admission, interaction string, change record.Change, w record.Write) (policy.Decision, error) {
	after := a.written(change)[0]
	if a.who.Capacity == policy.Patient && !a.principal.asking {
		return policy.Decision{}, g.refuse(ctx, a.standing, policy.Write, interaction, after, policy.Decision{Hash: g.policy.Hash(), Forbids: []policy.Reason{onlyAsks}})
	}
	d := a.bounded(g.judge(a, after), scopeOf(w.Op), change.Type)
	if d.Allowed && !a.reaches(w, change) {
		d = a.beyond(d)
	}
	if !d.Allowed {
		return d, g.refuse(ctx, a.standing, policy.Write, interaction, after, d)
	}
	if change.Before == nil {
		return d, nil
	}
	before := a.written(change)[1]
	if old := g.judge(a, before); !old.Allowed {
		return old, g.refuse(ctx, a.standing, policy.Write, interaction, before, old)
	}
	if w.Doc != nil && !w.Kept && change.Effect != record.Unchanged && a.principal.Session != nil && g.masker(a.standing, policy.Read, change.Type).any() {
		return d, outcome.New(outcome.Conflict, "you see this resource without some of its parts, and a whole update would lose them: use PATCH")
	}
	if w.Doc != nil && !w.Kept && change.Effect != record.Unchanged && a.principal.SignedIn() && w.Doc.Partial() {
		return d, outcome.New(outcome.Conflict, "this copy lacks elements, as its SUBSETTED or REDACTED says, and a whole update would lose them: use PATCH, or read the resource whole").At(change.Type + ".meta")
	}
	return d, nil
}

// written is what a write is decided by: what the change brings, and what it replaces where there is something.
func (s standing) written(change record.Change) []policy.Resource {
	out := []policy.Resource{{Type: change.Type, Group: string(change.Group), Labels: change.Labels, Released: true, Restricted: s.withheld.WithholdsAll(change.Type), New: change.Before == nil, PatientKey: s.key()}}
	if change.Before != nil {
		out = append(out, s.resource(change.Before))
	}
	return out
}

// judge decides about one record of a batch; an error of a rule is an alarm and denies.
func (g *Gate) judge(a admission, r policy.Resource) policy.Decision {
	d := a.judge.Decide(r)
	g.alarm(d)
	return d
}

// checkWrite refuses what the standard refuses. A delete has no document.
func checkWrite(w record.Write) error {
	if !fhir.IsResourceType(w.Type) {
		return outcome.New(outcome.Structure, "resourceType is none that FHIR R4 defines").At("resourceType")
	}
	if w.Doc == nil {
		return nil
	}
	return outcome.Invalids(validate.Check(w.Doc))
}

// dangling finds the writes that refer to what is neither here nor in the same batch, by the first such reference of each. What was
// left out of the batch is gone. A relative reference to what is coming may be stored, as one of ahead; whom a resource is about, and
// what a name stands for, has to be here first.
func (g *Gate) dangling(ctx context.Context, ws []record.Write, gone map[string]bool, coming func(string) bool, ahead map[int][]Ahead) (faults []faulty, err error) {
	leads := map[string]bool{"": true} // of each reference: whether it leads somewhere
	for _, w := range ws {
		leads[w.Alias] = true
		if w.Op == record.Update {
			leads[w.Type+"/"+w.ID] = true
		}
	}
	for i, w := range ws {
		if w.Doc == nil {
			continue
		}
		var fault *faulty
		for n := range w.Doc.Root().All() {
			if n.Name() != "reference" || n.Kind() != document.String {
				continue
			}
			ref, relative := fhir.Unversioned(n.Text()), false
			here, known := leads[ref]
			if !known {
				if here, err = g.records.Resolves(ctx, ref); err != nil {
					return nil, err
				}
				leads[ref] = here
			}
			if !here {
				if _, relative = fhir.ParseReference(ref); relative && w.Base != "" {
					if here = leads[w.Base+"/"+ref]; !here {
						if here, err = g.records.Named(ctx, w.Base+"/"+ref); err != nil {
							return nil, err
						}
					}
				}
			}
			if here {
				continue
			}
			if coming != nil && (coming(ref) || relative && w.Base != "" && coming(w.Base+"/"+ref)) {
				if relative && w.Base == "" && !strings.HasPrefix(ref, "Patient/") {
					ahead[i] = append(ahead[i], Ahead{n.Expression(), strings.Clone(ref)})
				} else if fault == nil {
					fault = &faulty{index: i, err: outcome.New(outcome.Invalid, "it refers to what comes too far behind it: hand both in at once, or first what it refers to").At(n.Expression()), later: true}
				}
				continue
			}
			mend := "the reference leads to nothing here: store its target first, or send both in one bundle"
			if gone[ref] || gone[w.Base+"/"+ref] {
				mend = "it refers to an entry that was rejected"
			}
			fault = &faulty{index: i, err: outcome.New(outcome.Invalid, mend).At(n.Expression())}
			break
		}
		if fault != nil {
			faults = append(faults, *fault)
		}
	}
	return faults, nil
}

// public is the sentence of an error.
func public(err error) string {
	var e *outcome.Error
	if errors.As(err, &e) {
		return e.Public
	}
	return ""
}

// sign notes who makes a change, for the relationships that it may create: what somebody makes for himself carries no weight.
func (p Principal) sign(w *record.Write) {
	switch {
	case p.taking != nil: // whose word it is again stands there already
		return
	case p.Session == nil && p.App != nil:
		w.Author = "client:" + p.App.Client.ID
		return
	case p.Session == nil:
		w.Author = "job:" + p.Job
		return
	}
	w.Author, w.AuthorActor = p.Session.Person.ID, p.Session.Person.Practitioner
}

func interactionOf(op record.Op) string {
	switch op {
	case record.Create:
		return "create"
	case record.Delete:
		return "delete"
	}
	return "update"
}

func letterOf(op record.Op) string {
	switch op {
	case record.Create:
		return "C"
	case record.Delete:
		return "D"
	}
	return "U"
}
