package care

import (
	"context"
	"slices"

	"chartwarden/internal/fhir"
)

// The panel of a practice: everybody of a site that declared itself one stands to each patient who was seen or booked there within 24
// months (docs/adr/0204). What a person herself says about a patient puts nobody on the panel for her until somebody else acts on it:
// else a booking of her own, for whichever colleague, would open a chart.

// panelKinds are visits, whoever takes part, and appointments.
const panelKinds = `kind in (3,4,13) and patient>0`

const (
	seenQuery  = `select ` + edgeColumns + ` from care_edge where patient=?1 and ` + panelKinds + ` and until>?2 and known<=?3 and closed>?3`
	panelQuery = `select ` + edgeColumns + ` from care_edge where ` + panelKinds + ` and until>?1 and known<=?2 and closed>?2`
)

// panel reads, in a practice, who is on its panel.
func (r *Relations) panel(ctx context.Context) error {
	if !r.g.o.Practice() {
		return nil
	}
	rows, err := r.g.query(ctx, "care: panel", r.g.read.panel, r.now-panelReach, r.now)
	r.seen = map[fhir.PatientID][]row{}
	for _, one := range rows {
		r.seen[one.patient] = append(r.seen[one.patient], one)
	}
	return err
}

// onPanel takes in the visits that put the patient on the practice's panel.
func (c *collapse) onPanel(seen []row) {
	c.out.Facts.Panel = slices.ContainsFunc(seen, func(r row) bool {
		return c.exempt || !c.who.is(r.author) || r.confirmed != 0 && r.confirmed <= c.now
	})
	if c.out.Facts.Panel {
		c.found(panel, row{edge: edge{since: always, until: never}, known: always})
	}
}
