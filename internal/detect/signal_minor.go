package detect

import "time"

// minor is a neighbour's child.
var minor = relation{name: "minor", text: "the patient is a child of the person's street", share: .04, rate: 1e-3,
	holds: func(w *world, a, p int32, t int64) bool {
		b := w.patients[p].born
		return b > 0 && neighbour.holds(w, a, p, t) && int64(time.Unix(t, 0).UTC().Year())-b < 16
	}}
