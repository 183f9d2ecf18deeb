package care

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

// mineQuery gives everything near that concerns the names in ?1 at the moment ?2, across patients.
const mineQuery = `select ` + edgeColumns + ` from care_edge
  where actor in (select value from json_each(?1)) and actor<>0 and patient>0 and until>cast(?2 as bigint)-259200000 and since<cast(?2 as bigint)+172800000 and known<=?2 and closed>?2`

// Related is one patient of a person, with the strongest reason.
type Related struct {
	Patient fhir.PatientID
	Edge    Edge
}

// Patients lists the patients to whom a is related around that moment, the strongest reason first, equal ones by number: who is on her
// list today, and because of what. Links that she made herself and nobody confirmed are left out. Errors: outcome.NoStore.
func (g *Graph) Patients(ctx context.Context, a Actor, at time.Time) ([]Related, error) {
	now := at.UnixMilli()
	w, err := g.workforce(ctx, a, now, nil)
	if err != nil {
		return nil, err
	}
	rows, err := g.query(ctx, "care: patients", g.read.mine, listing(w.reach()), now)
	if err != nil {
		return nil, err
	}
	byPatient := map[fhir.PatientID][]row{}
	for _, r := range rows {
		byPatient[r.patient] = append(byPatient[r.patient], r)
	}
	var out []Related
	for patient, known := range byPatient {
		c := collapse{g: g, who: w, now: now}
		c.all(known)
		rel := c.result()
		if f := rel.Facts; len(rel.Evidence) == 0 || rel.Evidence[0].template == selfMade || f.Self || patient == a.Patient {
			continue
		}
		out = append(out, Related{patient, rel.Evidence[0]})
	}
	slices.SortFunc(out, func(x, y Related) int {
		return cmp.Or(x.Edge.template.strength-y.Edge.template.strength, cmp.Compare(x.Patient, y.Patient))
	})
	return out, nil
}
