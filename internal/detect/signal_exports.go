package detect

import (
	"math"
	"slices"
)

// exportsSignal counts exports and reports; their size counts apart, against the role's own and, beyond the largest, by how far.
var exportsSignal = counter{"export.count", "more exports than usual", .4, 1.5}

const keptSizes = 400

// size is the log e-value of one export of so many rows and bytes.
func (r *roleStats) size(ev *Event) (x float32, loge float64) {
	x = float32(math.Log(float64(1+ev.Rows)) + .05*math.Log(float64(1+ev.Bytes)))
	n := len(r.sizes)
	if n == 0 { // nothing known of the role: a thousand rows are much
		return x, logE(min(1, math.Exp(-2*float64(max(0, x-3)))))
	}
	i, _ := slices.BinarySearch(r.sizes, x)
	p := float64(1+n-i) / float64(n+1)
	if top := r.sizes[n-1]; x > top {
		d := float64(x - top)
		p *= math.Exp(-2 * d)
	}
	return x, logE(p)
}

func (r *roleStats) keepSize(x float32, draw uint64) {
	i, _ := slices.BinarySearch(r.sizes, x)
	r.sizes = slices.Insert(r.sizes, i, x)
	if len(r.sizes) > keptSizes {
		k := int(draw % uint64(len(r.sizes)))
		r.sizes = slices.Delete(r.sizes, k, k+1)
	}
}
