package detect

import "math"

// The counts of a person's day, each with its file and its shipped mean and variance over the days of a role.
const (
	countPatients = iota
	countUnexplained
	countExports
	countPrints
	countDeletes
	countErased
	countAlterations
	countGlass
	countSearches
	countConcurrent
	countStray
	countSecond
	counters
)

type counter struct {
	name, text     string
	mean, variance float64
}

var counted = [counters]counter{
	countPatients:    patientsSignal,
	countUnexplained: unexplainedSignal,
	countExports:     exportsSignal,
	countPrints:      printsSignal,
	countDeletes:     deletesSignal,
	countErased:      erasedSignal,
	countAlterations: alterationsSignal,
	countGlass:       glassSignal,
	countSearches:    searchesSignal,
	countConcurrent:  concurrentSignal,
	countStray:       straySignal,
	countSecond:      secondSignal,
}

// roleStats is what a role's days look like, decayed over weeks; it begins as priorDays days of the shipped values.
type roleStats struct {
	n            float64
	sum, sq      [counters]float64
	looks        float64
	surroundings surroundings
	ownReasons   fraction
	blindOrders  fraction
	open         rates       // of relations, among looks without a known reason
	returns      [16]float64 // unexplained patients, by on how many days of fourteen they were opened
	attr         [attributes]float64
	hours        [168]float64
	sizes        extremes          // of exports
	day          [counters]float64 // of the day that is judged for good, and how many people
	dayN         float64
}

const priorDays = 200

func (r *roleStats) moments(c int) (mean, variance float64) {
	k := counted[c]
	n := r.n + priorDays
	mean = (r.sum[c] + priorDays*k.mean) / n
	second := (r.sq[c] + priorDays*(k.variance+float64(k.mean*k.mean))) / n
	return mean, max(0, second-float64(mean*mean))
}

// usual is how many days of her own a person's habits count for at most: more would forget how much days differ.
const usual = 8

// evidence is the log e-value of a count today, against what the role and the person usually do: Gamma-Poisson. Where the others of the
// role do more of it than usual on the same day, so may she: a feed that stands still or a practice that joins is nobody's misuse.
func (r *roleStats) evidence(c int, p *person, k int32) float64 {
	m, v := r.moments(c)
	f := r.common(c, m, float64(k))
	if float64(k) <= m*f {
		return logE(1)
	}
	b0 := m / max(v-m, .05*m)
	n := min(float64(p.days), usual)
	return logE(negativeBinomialTail(f*(float64(m*b0)+float64(n*float64(p.means[c]))), b0+n, int(k)))
}

// common is by how much the others of the role exceed their mean m on the day that is judged, of which k are her own; at least 1.
func (r *roleStats) common(c int, m, k float64) float64 {
	if r.dayN < 2 {
		return 1
	}
	const shrink = 3
	return max(1, (max(0, r.day[c]-k)+shrink*m)/((r.dayN-1+shrink)*m))
}

// gather counts a day's people by role, so that each can be compared with the others of that day.
func (e *Engine) gather(people []int32, on int32) {
	for i := range e.roleStats {
		e.roleStats[i].day, e.roleStats[i].dayN = [counters]float64{}, 0
	}
	for _, a := range people {
		d := e.dayOf(a, on)
		r := e.stats(d.role)
		r.dayN++
		for c, k := range d.counts {
			r.day[c] += float64(k)
		}
	}
}

// logE turns a p-value into the logarithm of an e-value: .5 / sqrt(p), at most e^25.
func logE(p float64) float64 {
	return min(25, math.Log(.5)-.5*math.Log(max(p, 1e-300)))
}

func pos(x float64) float64 { return max(0, x) }

// logMean is the log of the mean of e-values given by their logs.
func logMean(x ...float64) float64 {
	s := 0.0
	for _, v := range x {
		s += math.Exp(v)
	}
	return math.Log(s / float64(len(x)))
}

// negativeBinomialTail is P(X >= k) for a Poisson count whose rate is Gamma(a, b).
func negativeBinomialTail(a, b float64, k int) float64 {
	if k <= 0 {
		return 1
	}
	if a <= 0 {
		return 1e-300
	}
	q := 1 / (1 + b)
	from := func(j int) float64 {
		x, _ := math.Lgamma(a + float64(j))
		y, _ := math.Lgamma(a)
		z, _ := math.Lgamma(float64(j) + 1)
		return math.Exp(x - y - z + float64(a*math.Log1p(-q)) + float64(float64(j)*math.Log(q)))
	}
	if float64(k) < a/b { // below the mean: what is left of 1
		term, sum := from(0), 0.0
		for j := range k {
			sum += term
			term *= (a + float64(j)) * q / float64(j+1)
		}
		return max(0, 1-sum)
	}
	term, sum := from(k), 0.0
	for j := k; j < k+100_000; j++ {
		sum += term
		if term < sum*1e-12 {
			break
		}
		term *= (a + float64(j)) * q / float64(j+1)
	}
	return min(1, sum)
}

// binomialTail is P(X >= k) of n draws with probability p.
func binomialTail(n, k int, p float64) float64 {
	sum := 0.0
	ln, _ := math.Lgamma(float64(n) + 1)
	for j := k; j <= n; j++ {
		lj, _ := math.Lgamma(float64(j) + 1)
		lm, _ := math.Lgamma(float64(n-j) + 1)
		sum += math.Exp(ln - lj - lm + float64(float64(j)*math.Log(p)) + float64(float64(n-j)*math.Log1p(-p)))
	}
	return min(1, sum)
}
