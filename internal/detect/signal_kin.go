package detect

import "slices"

// kinOnFile is next of kin by what the directory says: the person is a contact of the patient, or the patient of her.
var kinOnFile = relation{name: "kin.on-file", text: "the patient's chart names the person as family, or hers the patient", share: .18, rate: 5e-5,
	holds: func(w *world, a, p int32, _ int64) bool {
		x, y := &w.persons[a], &w.patients[p]
		if y.staff == a {
			return false
		}
		if namesBody(y.kin, &x.body) || slices.Contains(y.kin, kinStaff(a)) {
			return true
		}
		if x.own < 0 {
			return false
		}
		own := w.patients[x.own].kin
		return namesBody(own, &y.body) || slices.Contains(own, kinChart(p)) || slices.Contains(y.kin, kinChart(x.own))
	}}

// kinStaff and kinChart stand among keyed values for relatives whom a record names outright. They are even; a keyed value never is.
func kinStaff(a int32) uint64 { return 2 * (uint64(a) + 1) }
func kinChart(p int32) uint64 { return 1<<40 + 2*uint64(p) }

// namesBody reports whether keyed names and phones are somebody's. The key of nothing is nobody's.
func namesBody(kin []uint64, b *body) bool {
	return slices.ContainsFunc(kin, func(v uint64) bool { return v != 0 && (v == b.name || slices.Contains(b.phones, v)) })
}
