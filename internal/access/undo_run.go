package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// undoBatch is how many versions one commit of an undo makes.
const undoBatch = 50

// undoTries is how often an undo looks again when others write meanwhile.
const undoTries = 20

func (g *Gate) carryUndo(ctx context.Context, it *identity.Pending) (Undoing, error) {
	b := bodyOf(it)
	done, err := g.undo(ctx, b.Person, b.Since, b.Until, wanted(it))
	if err != nil {
		return done, err
	}
	err = g.persons.Finish(ctx, audit.Agent{Job: undoer}, it.ID, fmt.Sprintf("took back %d changes, left %d as they are", len(done.Steps), len(done.Left)))
	if outcome.Is(err, outcome.Conflict) { // another node was faster
		err = nil
	}
	return done, err
}

// undo takes back, batch by batch, each through the door like any write. What to do is worked out from what is stored, anew whenever
// somebody else writes meanwhile and after a kill: nothing is done twice, and nobody's later version is touched.
func (g *Gate) undo(ctx context.Context, person string, since, until time.Time, text string) (Undoing, error) {
	all := Undoing{Person: person, Since: since, Until: until}
	if err := g.uncut(); err != nil {
		return all, err
	}
	refused := map[string]string{} // what could not be stored, and why
	for range undoTries {
		plan, err := g.undoing(ctx, person, since, until)
		if err != nil {
			return all, err
		}
		steps := slices.DeleteFunc(slices.Clone(plan.Steps), func(s UndoStep) bool { _, not := refused[s.Type+"/"+s.ID]; return not })
		again := false
		for len(steps) > 0 && !again {
			if g.betweenBatches != nil {
				if err := g.betweenBatches(); err != nil {
					return all, err
				}
			}
			batch := steps[:min(undoBatch, len(steps))]
			entry, err := g.takeBack(ctx, batch, text)
			var at faulty
			switch {
			case outcome.Is(err, outcome.Lock): // the log was cut or is disputed since: what is left waits, and the item with it
				return all, err
			case errors.As(err, &at) && !outcome.Is(err, outcome.Precondition) && !errors.Is(err, record.ErrRace):
				s := batch[at.index]
				refused[s.Type+"/"+s.ID] = public(at.err)
				steps = slices.Delete(steps, at.index, at.index+1)
			case outcome.Is(err, outcome.Precondition), errors.Is(err, record.ErrRace):
				again = true
			case err != nil:
				return all, err
			default:
				all.Steps, steps = append(all.Steps, batch...), steps[len(batch):]
				if all.Entry == "" {
					all.Entry = entry
				}
			}
		}
		if again {
			continue
		}
		all.Left = plan.Left
		for _, s := range plan.Steps {
			if why, not := refused[s.Type+"/"+s.ID]; not {
				all.Left = append(all.Left, UndoLeft{s.Type, s.ID, s.Version, why})
			}
		}
		return all, nil
	}
	return all, outcome.New(outcome.Conflict, "others keep writing what is to be taken back: it is tried again later")
}

// takeBack makes the versions of one batch: the contents that come back are opened under an entry of their own.
func (g *Gate) takeBack(ctx context.Context, steps []UndoStep, text string) (string, error) {
	p := Principal{Job: undoer, taking: &takingBack{text: text, back: map[int64]int64{}}}
	docs, err := g.contents(ctx, p, steps)
	if err != nil {
		return "", err
	}
	writes := make([]record.Write, len(steps))
	for i, s := range steps {
		p.taking.back[int64(s.top.Record())] = s.To
		w := record.Write{Op: record.Delete, Type: s.Type, ID: s.ID, IfMatch: s.Version, Author: "job:" + undoer}
		if s.Does != UndoDelete {
			// A reference that waits may stand in it; whose word it is again carries the weight that it had.
			w.Op, w.Doc, w.Await, w.Kept = record.Update, docs[i], true, true
			if s.Does == UndoRestore {
				w.Author, w.AuthorActor = authorOf(s.author), s.author.Practitioner
			}
		}
		writes[i] = w
	}
	done, err := g.put(ctx, p, "undo", writes)
	if err != nil {
		return "", err
	}
	return done[0].Entry, nil
}

// authorOf is how the relationships know who wrote a version.
func authorOf(a audit.Agent) string {
	switch {
	case a.Person != "":
		return a.Person
	case a.Client != "":
		return "client:" + a.Client
	}
	return "job:" + a.Job
}

// contents opens what comes back, and notes that are to be marked.
func (g *Gate) contents(ctx context.Context, p Principal, steps []UndoStep) ([]*document.Doc, error) {
	out := make([]*document.Doc, len(steps))
	byChart := map[fhir.PatientID]int{}
	var parts []permitted
	var places [][]int
	var first *standing
	for i, s := range steps {
		x := s.base
		if s.Does == UndoRetract {
			x = s.top
		}
		if s.Does == UndoDelete {
			continue
		}
		at, known := byChart[x.Patient()]
		if !known {
			c, err := g.chartOf(ctx, x)
			if err != nil {
				return nil, err
			}
			st, err := g.relate(ctx, p, c)
			if err != nil {
				return nil, err
			}
			at = len(parts)
			byChart[x.Patient()] = at
			parts, places = append(parts, permitted{standing: st, action: policy.Read}), append(places, nil)
			if first == nil {
				first = &st
			}
		}
		d := g.decide(parts[at].standing, policy.Read, parts[at].standing.resource(x))
		if !d.Allowed {
			return nil, faulty{index: i, err: refusal(d, outcome.NoWay)}
		}
		parts[at].decision, parts[at].records = d, append(parts[at].records, x)
		places[at] = append(places[at], i)
	}
	if len(parts) == 0 {
		return out, nil
	}
	e := first.event("undo", "R")
	e.Text = p.taking.text
	opened, err := g.disclose(ctx, e, parts...)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, in := range places {
		for _, i := range in {
			doc := opened.Docs[n]
			n++
			if steps[i].Does == UndoRetract {
				whole := whole{doc: doc, version: steps[i].Version, typ: steps[i].Type}
				w, err := whole.with(map[string]string{"status": `"entered-in-error"`})
				if err != nil {
					return nil, faulty{index: i, err: err}
				}
				doc = w.Doc
			}
			out[i] = doc
		}
	}
	return out, nil
}
