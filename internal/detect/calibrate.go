package detect

import (
	"math"
	"slices"
)

// calibrator turns the fixed sum of a hypothesis into a p-value: its rank among the person-days of the site's last weeks, role first,
// with an exponential tail beyond them, and shipped tables until there are enough.
type calibrator struct {
	ring  [weeks]dayScores
	at    int
	site  [hypotheses]table
	roles []([hypotheses]table)
}

const weeks = 28 // days of the site's own that are looked back on

// dayScores are the sums of the people of one day: the role of each, how many of her sums are above 0, and these, which are few, one person's
// behind the other's.
type dayScores struct {
	roles []int32
	many  []uint8
	of    []hypothesis
	x     []float32
}

func (d *dayScores) add(role int32, t *[hypotheses]float64) {
	n := uint8(0)
	for h, x := range t {
		if x := float32(x); x > 0 {
			d.of, d.x = append(d.of, hypothesis(h)), append(d.x, x)
			n++
		}
	}
	d.roles, d.many = append(d.roles, role), append(d.many, n)
}

// table is the distribution of one sum: the positive values, of n in all.
type table struct {
	values []float32
	n      int
	u      float64 // where the tail begins
	above  float64 // share beyond u
	beta   float64 // mean excess there
}

const (
	priorTable  = 500 // person-days that shipped tables count for
	shrinkRole  = 30
	tailShare   = .02
	sampledDays = 60_000
)

func (t *table) fit(n int, beta0, weight float64, heavy bool) {
	t.n = n
	slices.Sort(t.values)
	k := max(int(tailShare*float64(n)), 1)
	t.u = 0
	if len(t.values) > 0 { // where most days are nothing, the upper half of the others
		t.u = float64(t.values[max(len(t.values)-1-k, len(t.values)/2)])
	}
	i, _ := slices.BinarySearch(t.values, float32(t.u))
	for i < len(t.values) && float64(t.values[i]) <= t.u {
		i++
	}
	above := 0.0
	if heavy {
		above, t.beta = beyond(t.values[i:], t.u, beta0, weight)
	} else {
		above, t.beta = honest(t.values[i:], t.u, beta0, weight)
	}
	t.above = (above + .5) / float64(n+1)
}

// beyond fits an exponential tail to the values above u: how many they are, and their mean excess, by the median, which the misuse among
// them hardly moves.
func beyond(values []float32, u, beta0, weight float64) (count, beta float64) {
	k := len(values)
	if k == 0 {
		return 0, beta0
	}
	median := (float64(values[k/2]) - u) / math.Ln2
	return float64(k), (float64(median*float64(k)) + float64(beta0*weight)) / (float64(k) + weight)
}

// honest is beyond where a share of the values, which they tell themselves, is misuse spread evenly: it leaves that out.
func honest(values []float32, u, beta0, weight float64) (count, beta float64) {
	const rounds, doubt = 12, 20
	beta = beta0
	share := .02
	for range rounds {
		n, sum := 0.0, 0.0
		for _, v := range values {
			x := float64(v) - u
			care := (1 - share) * math.Exp(-x/beta) / beta
			w := care / (care + share/span)
			n += w
			sum += float64(w * x)
		}
		beta = (sum + float64(beta0*weight)) / (n + weight)
		share = (float64(len(values)) - n + .02*doubt) / (float64(len(values)) + doubt)
		count = n
	}
	return count, beta
}

// tail is the share of days at least as far as x.
func (t *table) tail(x float64) float64 {
	if x > t.u {
		return t.above * math.Exp(-(x-t.u)/t.beta)
	}
	i, _ := slices.BinarySearch(t.values, float32(x))
	return float64(1+len(t.values)-i) / float64(t.n+1)
}

// p is how rare a day like this is without misuse.
func (c *calibrator) p(h hypothesis, role int32, x float64) float64 {
	if x <= 0 {
		return 1
	}
	k := &hypothesesTable[h]
	prior := k.share * math.Exp(-x/k.beta)
	site := &c.site[h]
	p := 1.0
	if site.n > 0 {
		p = site.tail(x)
		if role >= 0 && int(role) < len(c.roles) && c.roles[role][h].n > 0 {
			r := &c.roles[role][h]
			p = (float64(float64(r.n)*r.tail(x)) + float64(shrinkRole*p)) / (float64(r.n) + shrinkRole)
		}
	}
	n := float64(site.n)
	return max(1e-12, min(1, (float64(n*p)+float64(priorTable*prior))/(n+priorTable)))
}

// span is over how many nats the sums of misuse are spread, above where it is usual.
const span = 10

// evidence is the log of how much more often misuse of the kind has such a sum than days without have: days without fall off as the site's
// own do, misuse is spread evenly from where it is usual, and is rarer below. Neither ends at span nor is divided by the tail's own width, so
// that its mean without misuse is somewhat above 1: it orders cases only. The e-value beside it is the p-value calibrated by .1 p^-.9 and
// lowered where the shape says so, whose mean without misuse is at most 1 as far as the p-value is one (Vovk and Wang 2021,
// https://doi.org/10.1214/20-AOS2020).
func (c *calibrator) evidence(h hypothesis, role int32, x float64) (logE, eValue float64) {
	from := hypothesesTable[h].from
	if x <= 0 {
		return -math.Log(span) - from, -math.Log(span) - from
	}
	nats, unusual := -math.Log(c.p(h, role, x)), pos(from-x)
	return nats - math.Log(span) - unusual, float64(.9*nats) - math.Log(span) - unusual
}

// add puts a day into the ring, in the place of the oldest.
func (c *calibrator) add(d dayScores) {
	c.at = (c.at + 1) % weeks
	c.ring[c.at] = dayScores{slices.Clone(d.roles), slices.Clone(d.many), slices.Clone(d.of), slices.Clone(d.x)}
}

// learn makes the tables anew from the days in the ring; of very many, every so-manieth.
func (c *calibrator) learn(roles int) {
	total := 0
	for _, d := range c.ring {
		total += len(d.roles)
	}
	stride := 1 + total/sampledDays
	for len(c.roles) < roles {
		c.roles = append(c.roles, [hypotheses]table{})
	}
	n, perRole := 0, make([]int, roles)
	for h := range c.site {
		c.site[h].values = c.site[h].values[:0]
		for r := range c.roles {
			c.roles[r][h].values = c.roles[r][h].values[:0]
		}
	}
	k := 0
	for _, d := range c.ring {
		next := 0
		for i, role := range d.roles {
			from := next
			next += int(d.many[i])
			if k++; k%stride != 0 {
				continue
			}
			n++
			if role >= 0 {
				perRole[role]++
			}
			for s := from; s < next; s++ {
				h, x := d.of[s], d.x[s]
				c.site[h].values = append(c.site[h].values, x)
				if role >= 0 {
					v := &c.roles[role][h].values
					*v = append(*v, x)
				}
			}
		}
	}
	for h := range c.site {
		c.site[h].fit(n, hypothesesTable[h].beta, 4, hypothesis(h).heavy())
		for r := range c.roles {
			c.roles[r][h].fit(perRole[r], c.site[h].beta, 30, hypothesis(h).heavy())
		}
	}
}
