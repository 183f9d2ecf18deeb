package detect

import (
	"math"
	"slices"
)

// extremes are the largest of something, on a log scale, of a role's days that had any: at most keptExtremes, in order.
type extremes []float32

const (
	keptExtremes = 400
	upper        = .2  // of the days, by which the fall-off beyond is told
	fallOff      = .5  // mean excess before a site has shown its own: twice as large is a quarter as likely
	fallOffDays  = 2.0 // that it counts for
)

// evidence is the log e-value of a day with x: its rank among the role's days, and beyond the upper ones as fast as these fall off (after
// Hill 1975, https://doi.org/10.1214/aos/1176343247, by the median). Who never takes out more than a page does not take out ten by chance.
func (of extremes) evidence(x, unknown float64) float64 {
	n := len(of)
	if n == 0 { // nothing known of the role
		return logE(min(1, math.Exp(-max(0, x-unknown)/fallOff)))
	}
	i, _ := slices.BinarySearch(of, float32(x))
	p := float64(1+n-i) / float64(n+1)
	k := max(1, int(upper*float64(n)))
	from := float64(of[n-k])
	if x <= from {
		return logE(p)
	}
	median := (float64(of[n-(k+1)/2]) - from) / math.Ln2 // which the misuse among them hardly moves
	mean := (float64(median*float64(k)) + fallOff*fallOffDays) / (float64(k) + fallOffDays)
	return logE(min(p, float64(k+1)/float64(n+1)*math.Exp((from-x)/mean)))
}

// keep adds a day's; draw says which one goes when there are many.
func (of *extremes) keep(x float32, draw uint64) {
	i, _ := slices.BinarySearch(*of, x)
	*of = slices.Insert(*of, i, x)
	if len(*of) > keptExtremes {
		k := int(draw % uint64(len(*of)))
		*of = slices.Delete(*of, k, k+1)
	}
}

func natural(n int64) float64 { return math.Log(float64(max(1, n))) }
