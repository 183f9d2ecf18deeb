package detect

import "slices"

// kinOnFile is next of kin by what the directory says: the person is a contact of the patient, or the patient of her.
var kinOnFile = relation{name: "kin.on-file", text: "the patient's chart names the person as family, or hers the patient", share: .18, rate: 5e-5,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		if y.staff == a {
			return false
		}
		if namesBody(y.kin, &x.body) {
			return true
		}
		return x.own >= 0 && namesBody(w.patients[x.own].kin, &y.body)
	}}

// namesBody reports whether keyed names and phones are somebody's. The key of nothing is nobody's.
func namesBody(kin []uint64, b *body) bool {
	return slices.ContainsFunc(kin, func(v uint64) bool { return v != 0 && (v == b.name || slices.Contains(b.phones, v)) })
}
