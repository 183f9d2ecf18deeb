package detect

// deceased is a patient who died more than a week ago: the work of the last days is over.
var deceased = relation{name: "deceased", text: "the patient died more than a week before", share: .03, rate: 5e-3,
	holds: func(w *world, _, p int32, t int64) bool { d := w.patients[p].died; return d > 0 && t > d+7*day }}
