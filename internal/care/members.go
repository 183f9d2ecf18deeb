package care

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

const (
	teamQuery = `select ` + edgeColumns + ` from care_edge
  where patient=?1 and kind in (1,2,3,4) and since<=?2 and until>?2 and known<=?2 and closed>?2`
	holdersQuery = `select ` + edgeColumns + ` from care_edge where patient=0 and kind=20 and place=?1 and since<=?2 and until>?2 and known<=?2 and closed>?2`
)

// Member is somebody who treats a patient now.
type Member struct {
	Ref  string // Practitioner/x, or PractitionerRole/y where no person is known for it
	Name string // as the resource displays it, or ""
	Edge Edge
}

// Team lists who treats the patient at that moment, by care team, own doctor, encounter or appointment, each once with the strongest
// reason. Links that their authors made for themselves and nobody confirmed are left out. Errors: outcome.NoStore.
func (g *Graph) Team(ctx context.Context, p fhir.PatientID, at time.Time) ([]Member, error) {
	now := at.UnixMilli()
	known, err := g.query(ctx, "care: team", g.read.team, int64(p), now)
	if err != nil {
		return nil, err
	}
	best := map[int64]Member{}
	for _, r := range known {
		if r.waits(now) {
			continue
		}
		who, err := g.holder(ctx, r.actor, now)
		if err != nil {
			return nil, err
		}
		c := collapse{g: g, who: workforce{selves: []int64{r.actor}}, now: now}
		c.one(r)
		rel := c.result()
		if len(rel.Evidence) == 0 {
			continue
		}
		m := Member{Edge: rel.Evidence[0]}
		if before, ok := best[who]; ok && compareEvidence(before.Edge, m.Edge) <= 0 {
			continue
		}
		n := g.named(who)
		if m.Ref, m.Name = n.Ref, n.Name; m.Name == "" {
			m.Name = g.named(r.actor).Name
		}
		best[who] = m
	}
	out := make([]Member, 0, len(best))
	for _, m := range best {
		out = append(out, m)
	}
	slices.SortFunc(out, func(x, y Member) int {
		if c := compareEvidence(x.Edge, y.Edge); c != 0 {
			return c
		}
		if x.Ref < y.Ref {
			return -1
		}
		return 1
	})
	return out, nil
}

// holder is the person behind a role; the name itself when it is no role, or nobody is known for it.
func (g *Graph) holder(ctx context.Context, key, now int64) (int64, error) {
	rows, err := g.query(ctx, "care: team", g.read.holders, key, now)
	if err != nil || len(rows) == 0 {
		return key, err
	}
	return rows[0].actor, nil
}
