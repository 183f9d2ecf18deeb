package access

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Undoing is what taking back a person's work comes to: what is done, and what is left as it is.
type Undoing struct {
	Person       string // id
	Since, Until time.Time
	Steps        []UndoStep // in the order in which they are done
	Left         []UndoLeft
	Entry        string // of this reading, or of the first thing done
}

// What a step does.
const (
	UndoRestore = "restore" // the content of an earlier version comes back, as a new version
	UndoDelete  = "delete"  // what the person made is deleted, as a new version
	UndoRetract = "retract" // a note that the person signed stays, marked as entered in error
)

// UndoStep is one new version that an undo makes, or made.
type UndoStep struct {
	Type, ID  string
	PatientID string // whose chart; empty for staff and system data
	Does      string // UndoRestore, UndoDelete, UndoRetract
	Version   int64  // the current version, which is taken back
	To        int64  // whose content comes back; 0: none

	top, base *record.Sealed
	author    audit.Agent // of base
}

// UndoLeft is something of the person's that stays.
type UndoLeft struct {
	Type, ID string
	Version  int64 // the person's; 0: of no single one
	Why      string
}

// undoer is the job that takes work back.
const undoer = "undo"

// takingBack is what the versions of an undo say of themselves in the log.
type takingBack struct {
	text string
	back map[int64]int64 // by record: the version whose content comes back
}

func (t *takingBack) details(part audit.PatientPart) string {
	d := details{Back: map[string]int64{}}
	for _, r := range part.Records {
		d.Back[strconv.FormatInt(int64(r.Record), 10)] = t.back[int64(r.Record)]
	}
	return d.text()
}

// UndoDryRun lists exactly what taking back the work of a person since a time would do now, and what it would leave. Nothing is changed.
// The reading is an entry. Errors: outcome.Forbidden; outcome.NotFound for the person; outcome.Value for a time that is to come.
func (g *Gate) UndoDryRun(ctx context.Context, p Principal, person string, since time.Time) (Undoing, error) {
	s, err := g.mayAsk(ctx, p, policy.Undo)
	if err == nil {
		err = g.toUndo(ctx, person, since)
	}
	if err != nil {
		return Undoing{}, err
	}
	return g.dryRun(ctx, s, person, since, s.at)
}

// UndoOf is [Gate.UndoDryRun] for who looks at an item that asks for one. Errors: as [Gate.ApprovalOf].
func (g *Gate) UndoOf(ctx context.Context, p Principal, item string) (Undoing, error) {
	a, err := g.ApprovalOf(ctx, p, item)
	if err != nil {
		return Undoing{}, err
	}
	if a.Kind != UndoAct {
		return Undoing{}, outcome.New(outcome.NotFound, "this item takes nothing back")
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return Undoing{}, err
	}
	return g.dryRun(ctx, s, a.Person, a.Since, a.Until)
}

func (g *Gate) dryRun(ctx context.Context, s standing, person string, since, until time.Time) (Undoing, error) {
	e := s.event("undo-list", "R")
	e.Kind, e.PolicyHash, e.Text = audit.LogRead, g.policy.Hash(), "what taking back the work of person "+person+" since "+since.UTC().Format(time.RFC3339)+" would do"
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return Undoing{}, err
	}
	out, err := g.undoing(ctx, person, since, until)
	out.Entry = logged.Entry()
	return out, err
}

// AskUndo asks that the work of a person since a time be taken back: what was written until now. Errors: as [Gate.UndoDryRun];
// outcome.Required without a reason. Who asks may mean the own work; then somebody else has to agree like always.
func (g *Gate) AskUndo(ctx context.Context, p Principal, person string, since time.Time, reason string) (Approval, error) {
	s, err := g.mayAsk(ctx, p, policy.Undo)
	if err == nil {
		err = g.toUndo(ctx, person, since)
	}
	if err != nil {
		return Approval{}, err
	}
	return g.ask(ctx, p, UndoAct, person, "take back what person "+person+" wrote since "+since.UTC().Format(time.RFC3339), reason,
		actBody{Person: person, Since: since, Until: s.at})
}

func (g *Gate) toUndo(ctx context.Context, person string, since time.Time) error {
	if _, err := g.persons.Person(ctx, person); err != nil {
		return err
	}
	if since.After(g.now()) {
		return outcome.New(outcome.Value, "that time is to come: name one that is past").At("since")
	}
	return nil
}

// UndoNow is for a sandbox, where nobody is a second person: it takes back at once. Errors: as [Gate.AskUndo].
func (g *Gate) UndoNow(ctx context.Context, p Principal, person string, since time.Time, reason string) (Undoing, error) {
	if !g.sandbox {
		return Undoing{}, outcome.New(outcome.Forbidden, "two people take back a person's work: ask for it").Because("two-people")
	}
	s, err := g.mayAsk(ctx, p, policy.Undo)
	if err == nil {
		err = g.toUndo(ctx, person, since)
	}
	if err != nil {
		return Undoing{}, err
	}
	return g.undo(ctx, person, since, s.at, "in a sandbox, by one person: "+reason)
}

// undoing works out what taking back comes to, from the log and the versions as they are. What an undo did before is done: it is neither
// listed nor repeated.
func (g *Gate) undoing(ctx context.Context, person string, since, until time.Time) (Undoing, error) {
	out := Undoing{Person: person, Since: since, Until: until}
	refs, unread, err := g.wrote(ctx, person, since, until)
	if err != nil {
		return out, err
	}
	for range unread {
		out.Left = append(out.Left, UndoLeft{Why: "an entry of the log about it cannot be read"})
	}
	writers := map[string]*writer{}
	for _, ref := range refs {
		if err := g.undoOne(ctx, &out, writers, ref); err != nil {
			return out, err
		}
	}
	if err := g.keepOthers(ctx, &out); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Steps, func(a, b UndoStep) int { return cmp.Compare(a.rank(), b.rank()) })
	return out, nil
}

// rank puts patients who come back first and patients who go last, as what lies in their charts needs it.
func (s UndoStep) rank() int {
	switch {
	case s.Type == "Patient" && s.Does != UndoDelete:
		return 0
	case s.Does != UndoDelete:
		return 1
	case s.Type != "Patient":
		return 2
	}
	return 3
}

// wrote lists what a person announced to write between two times, by Type/id, oldest first.
func (g *Gate) wrote(ctx context.Context, person string, since, until time.Time) (refs []string, unread int, err error) {
	const batch = 500
	seen := map[string]bool{}
	for before := audit.Index(0); ; {
		reads, err := g.log.OfPerson(ctx, person, audit.Page{Before: before, Limit: batch})
		if err != nil {
			return nil, 0, err
		}
		for _, r := range reads {
			before = r.Index
			at := happened(r)
			if at.Before(since) || at.After(until) {
				continue
			}
			if r.Damaged || r.Withheld > 0 && r.Event.Kind == audit.Intent { // what a damaged one was about cannot be told
				unread++
			}
			if r.Event.Kind != audit.Intent {
				continue
			}
			for _, part := range r.Event.Patients {
				for _, x := range part.Records {
					if x.Ref != "" && !seen[x.Ref] {
						seen[x.Ref] = true
						refs = append(refs, x.Ref)
					}
				}
			}
		}
		if len(reads) < batch || reads[len(reads)-1].Recorded.Before(since) {
			slices.Reverse(refs)
			return refs, unread, nil
		}
	}
}

// writer is who wrote a version, as the entry says that announced it; nil where none can be found.
type writer struct {
	agent audit.Agent
	at    time.Time
	back  map[string]int64 // of an undo: by record, the version whose content it has again
}

func (g *Gate) writerOf(ctx context.Context, known map[string]*writer, x *record.Sealed) (*writer, error) {
	entry, err := g.records.Announced(ctx, x)
	if err != nil || entry == "" {
		return nil, err
	}
	if w, ok := known[entry]; ok {
		return w, nil
	}
	known[entry] = nil
	first, _, _ := strings.Cut(entry, ",")
	at := strings.LastIndexByte(first, '/')
	number, err := strconv.ParseInt(first[at+1:], 10, 64)
	if err != nil {
		return nil, nil
	}
	i, err := g.log.Find(first[:at], number)
	var r audit.Read
	if err == nil {
		r, err = g.log.Entry(ctx, i)
	}
	if outcome.Is(err, outcome.NotFound) || err == nil && r.Damaged {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w := &writer{agent: r.Event.Agent, at: happened(r), back: map[string]int64{}}
	if w.agent.Job == undoer {
		for _, part := range r.Event.Patients {
			for record, version := range detailsOf(part.Details).Back {
				w.back[record] = version
			}
		}
	}
	known[entry] = w
	return w, nil
}

// undoOne adds what becomes of one resource. Its versions are laid one upon the other, and what an undo took back is taken off again: if
// the person's lie on top, what lies below them comes back; what others laid upon hers stays, and hers below it.
func (g *Gate) undoOne(ctx context.Context, out *Undoing, writers map[string]*writer, ref string) error {
	typ, id, _ := strings.Cut(ref, "/")
	leave := func(version int64, why string) { out.Left = append(out.Left, UndoLeft{typ, id, version, why}) }
	history, err := g.records.History(ctx, typ, id)
	switch {
	case outcome.Is(err, outcome.NotFound): // announced and not stored
		return nil
	case outcome.Is(err, outcome.Deleted):
		leave(0, "the chart was erased")
		return nil
	case err != nil:
		return err
	}
	type layer struct {
		x    *record.Sealed
		by   *writer
		hers bool
	}
	var layers []layer
	for _, x := range slices.Backward(history) {
		if x.Fault() != nil {
			leave(x.Version(), "a version was altered outside this server")
			return nil
		}
		by, err := g.writerOf(ctx, writers, x)
		if err != nil {
			return err
		}
		if by != nil && by.agent.Job == undoer {
			for to := by.back[strconv.FormatInt(int64(x.Record()), 10)]; len(layers) > 0 && layers[len(layers)-1].x.Version() != to; {
				layers = layers[:len(layers)-1]
			}
			continue
		}
		hers := by != nil && by.agent.Person == out.Person && !by.at.Before(out.Since) && !by.at.After(out.Until)
		layers = append(layers, layer{x, by, hers})
	}
	step := UndoStep{Type: typ, ID: id, Version: history[0].Version(), Does: UndoRestore, top: history[0]}
	n := len(layers)
	for n > 0 && layers[n-1].hers {
		n--
	}
	for _, l := range layers[:n] {
		if l.hers {
			leave(l.x.Version(), "somebody else changed it since")
		}
	}
	if n == len(layers) {
		return nil
	}
	top := layers[len(layers)-1].x
	if n > 0 && !layers[n-1].x.Deleted() {
		base := layers[n-1]
		if base.by == nil {
			leave(top.Version(), "who wrote the version before it cannot be told")
			return nil
		}
		step.To, step.base, step.author = base.x.Version(), base.x, base.by.agent
	} else {
		switch {
		case top.Deleted():
			return nil // it was not there before either
		case top.Signed() && top.Retracted():
			leave(top.Version(), "it is a signed note, and marked as entered in error already")
			return nil
		case top.Signed():
			step.Does = UndoRetract
		default:
			step.Does = UndoDelete
		}
		if n > 0 {
			step.To = layers[n-1].x.Version()
		}
	}
	c, err := g.chartOf(ctx, history[0])
	if err != nil && !outcome.Is(err, outcome.NotFound) {
		return err
	}
	step.PatientID = c.id
	out.Steps = append(out.Steps, step)
	return nil
}

// keepOthers takes the deletion of a patient off the list whose chart holds what stays.
func (g *Gate) keepOthers(ctx context.Context, out *Undoing) error {
	goes := map[string]bool{}
	for _, s := range out.Steps {
		goes[s.Type+"/"+s.ID] = s.Does == UndoDelete
	}
	var kept []UndoStep
	for _, s := range out.Steps {
		if s.Type == "Patient" && s.Does == UndoDelete {
			in, err := g.records.Chart(ctx, s.top.Patient())
			if err != nil {
				return err
			}
			if slices.ContainsFunc(in, func(x *record.Sealed) bool { return !goes[x.Ref()] }) {
				out.Left = append(out.Left, UndoLeft{s.Type, s.ID, s.Version, "the chart holds what others wrote"})
				continue
			}
		}
		kept = append(kept, s)
	}
	out.Steps = kept
	return nil
}
