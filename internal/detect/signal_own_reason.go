package detect

import (
	"math"
	"strings"
)

// fraction is how often something is met: of all, how many. It begins as a few of a thousand.
type fraction struct{ some, all float64 }

func (s *fraction) met(yes bool) {
	s.all++
	if yes {
		s.some++
	}
}

// excused is what it says that a person made the only reason for an unexplained look herself, beforehand: one who prepares an excuse knows
// what she is doing. It says as much as it is rare in the role: who books for others books before she looks.
func (e *Engine) excused(role int32, own bool, nats float64) float64 {
	if nats <= 0 {
		return 0
	}
	const among, weight = .15, 60 // of misuse
	r := &e.stats(role).ownReasons
	common := (r.some + weight*e.ownReasons.some/e.ownReasons.all) / (r.all + weight)
	e.ownReasons.met(own)
	r.met(own)
	if !own {
		return 0
	}
	return max(0, min(3, math.Log(among/common)))
}

// blind is what it says that the first that somebody does in a chart without a known reason is to order something for its patient: who does
// not know her yet has nothing to order.
func (e *Engine) blind(role int32, ev *Event, nats float64) float64 {
	if nats <= 0 {
		return 0
	}
	const among, weight = .1, 300 // of misuse
	r := &e.stats(role).blindOrders
	common := (r.some + weight*e.blindOrders.some/e.blindOrders.all) / (r.all + weight)
	first := ordersFirst(ev)
	e.blindOrders.met(first)
	r.met(first)
	if !first {
		return 0
	}
	return max(0, min(4, math.Log(among/common)))
}

// ordersFirst reports whether an event writes an order.
func ordersFirst(ev *Event) bool {
	return ev.Kind == Create && (strings.HasPrefix(ev.Data, "ServiceRequest/") || strings.HasPrefix(ev.Data, "MedicationRequest/"))
}
