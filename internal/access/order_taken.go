package access

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/care"
	"chartwarden/internal/outcome"
)

// takenLasts is how long an order that was taken opens the chart, at most: the order itself may end before.
const takenLasts = 24 * time.Hour

// TakeOrder says that p takes up an order, referral or task that others addressed to a department of hers, where the roster does not have
// her on shift. It rests on that order: what she wrote herself gives nothing, and it ends with it. The patient and who treats her see it.
//
// Errors: outcome.Conflict where the chart is open to p; outcome.Forbidden where there is no such order; outcome.NotFound.
func (g *Gate) TakeOrder(ctx context.Context, p Principal, patientID string) (Word, error) {
	s, ways, err := g.waysTo(ctx, p, patientID)
	if err != nil {
		return Word{}, err
	}
	if !slices.Contains(ways, outcome.TakeOrder) {
		return Word{}, outcome.New(outcome.Forbidden, "no open order for this patient is addressed to your department").Because("no.order")
	}
	w := Word{Kind: care.Took, Person: s.who.ID, Patient: s.chart.number, By: s.who.ID, From: s.at, Until: s.at.Add(takenLasts), Known: s.at}
	e := s.event(wordGiven, "E")
	e.PolicyHash = g.policy.Hash()
	return w, g.say(ctx, e, &w, s.chart, "took over an order for you that is addressed to their department")
}
