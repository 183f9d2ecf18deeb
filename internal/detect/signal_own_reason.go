package detect

import "math"

// excused is what it says that a person made the only reason for an unexplained look herself, beforehand: one who prepares an excuse knows
// what she is doing. It says as much as it is rare on the site.
func (e *Engine) excused(own bool, nats float64) float64 {
	if nats <= 0 {
		return 0
	}
	share := e.ownReasons[0] / e.ownReasons[1]
	e.ownReasons[1]++
	if !own {
		return 0
	}
	e.ownReasons[0]++
	const among = .15 // misuse
	return max(0, min(3, math.Log(among/share)))
}
