package simulate

var (
	onsets  = []string{"b", "br", "d", "dr", "f", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w"}
	nuclei  = []string{"a", "e", "i", "o", "u", "ai", "ea", "ou"}
	codas   = []string{"", "n", "r", "l", "s", "nd", "rt", "ck", "m"}
	endings = []string{"", "son", "er", "ley", "ova", "ez", "ton", "man"}
)

// word is the n-th invented word; different n mostly give different words.
func word(n int, syllables int, endings []string) string {
	h := mix(uint64(n) + 77)
	take := func(from []string) string {
		s := from[h%uint64(len(from))]
		h = mix(h)
		return s
	}
	out := ""
	for range syllables {
		out += take(onsets) + take(nuclei) + take(codas)
	}
	if endings != nil {
		out += take(endings)
	}
	return string(out[0]-'a'+'A') + out[1:]
}

const surnames, givens, streetsPerPost = 8000, 600, 64

func surname(n int) string { return word(n, 2, endings) }
func given(n int) string   { return word(100000+n, 2, nil) }
func street(n int) string {
	return word(200000+n, 2, nil) + []string{" Street", " Lane", " Close", " Road"}[n%4]
}

var cities = []string{"Eastmere", "Hollowbridge", "Sandwick", "Northam Cross", "Millhaven", "Ashwater", "Graybourne"}

// zipf draws ranks with weights 1/(rank+40): the commonest name is borne by some half of a hundred, most by few.
type zipf []int

func newZipf(n int) zipf {
	z, sum := make(zipf, n), 0
	for i := range z {
		sum += 10_000_000 / (i + 40)
		z[i] = sum
	}
	return z
}

func (z zipf) draw(d *draw) int {
	x := d.below(z[len(z)-1])
	lo, hi := 0, len(z)-1
	for lo < hi {
		if m := (lo + hi) / 2; z[m] > x {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return lo
}
