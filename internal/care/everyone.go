package care

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

// everyoneQuery is relationQuery for all patients at once, without their visits.
const everyoneQuery = `select ` + edgeColumns + ` from care_edge
  where actor in (select value from json_each(?1)) and patient>0 and kind<>13 and until>cast(?2 as bigint)-7776000000 and known<=?3 and closed>?2`

// Relations is how one person stands to every patient at one moment: what [Graph.Relate] would say of each but for Relation.Visits, for
// one question of many. It is for one request and one goroutine.
type Relations struct {
	g     *Graph
	actor Actor
	who   workforce
	now   int64
	known map[fhir.PatientID][]row
	seen  map[fhir.PatientID][]row // in a practice: what puts patients on its panel
}

// RelateAll is [Graph.Relate] for all patients, by two queries. Errors: outcome.NoStore.
func (g *Graph) RelateAll(ctx context.Context, a Actor, at time.Time) (*Relations, error) {
	r := &Relations{g: g, actor: a, now: at.UnixMilli(), known: map[fhir.PatientID][]row{}}
	var err error
	if r.who, err = g.workforce(ctx, a, r.now, nil); err != nil {
		return nil, err
	}
	if err := g.lean(ctx, &r.who, a, r.now); err != nil {
		return nil, err
	}
	reach := listing(r.who.reach())
	rows, err := g.memory.rows(memoryKey{everyone: true, of: reach}, r.now, func(m *remembered) (err error) {
		m.rows, err = g.query(ctx, "care: relate all", g.read.everyone, reach, m.from, m.to)
		return err
	}, func(one *row) bool { return one.until > r.now-recent && one.isKnown(r.now) })
	if err != nil {
		return nil, err
	}
	for _, one := range rows {
		r.known[one.patient] = append(r.known[one.patient], one)
	}
	for _, word := range r.who.words {
		if _, ok := r.known[word.Patient]; !ok && word.Patient != 0 {
			r.known[word.Patient] = nil
		}
	}
	return r, r.panel(ctx)
}

// Of is how the person stands to one patient.
func (r *Relations) Of(p fhir.PatientID) Relation {
	return r.g.collapse(r.actor, r.who, p, r.now, r.known[p], r.seen[p])
}

// Patients are those to whom the person stands otherwise than to a stranger, sorted.
func (r *Relations) Patients() []fhir.PatientID {
	out := make([]fhir.PatientID, 0, len(r.known)+1)
	for p := range r.known {
		out = append(out, p)
	}
	if r.actor.Patient != 0 && !slices.Contains(out, r.actor.Patient) {
		out = append(out, r.actor.Patient)
	}
	for p := range r.seen {
		if _, known := r.known[p]; !known && p != r.actor.Patient {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
