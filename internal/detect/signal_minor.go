package detect

import "time"

// minor is a child; it says little alone and more with what else is known.
var minor = relation{name: "minor", text: "the patient is a child", share: .08, rate: .1,
	holds: func(w *world, _, p int32, t int64) bool {
		b := w.patients[p].born
		return b > 0 && int64(time.Unix(t, 0).UTC().Year())-b < 16
	}}
