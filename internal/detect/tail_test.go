package detect

import (
	"math"
	"testing"
	"unsafe"
)

func TestTails(t *testing.T) {
	for _, a := range []float64{.1, 1, 7.5, 80} {
		for _, b := range []float64{.2, 1, 5} {
			// brute force by the probabilities themselves
			q, term, sum := 1/(1+b), math.Pow(b/(1+b), a), 0.0
			for k := range 60 {
				if got := negativeBinomialTail(a, b, k); math.Abs(got-(1-sum)) > 1e-9 {
					t.Fatalf("a %g b %g k %d: %g, want %g", a, b, k, got, 1-sum)
				}
				sum += term
				term *= (a + float64(k)) * q / float64(k+1)
			}
		}
	}
	if got := binomialTail(10, 10, .5); math.Abs(got-math.Pow(.5, 10)) > 1e-12 {
		t.Errorf("%g", got)
	}
	if got := binomialTail(10, 0, .3); math.Abs(got-1) > 1e-9 {
		t.Errorf("%g", got)
	}
}

func TestMixtureOfENullsIsSmall(t *testing.T) {
	// e = .1 p^-.9 has mean 1 under a uniform p
	sum, n := 0.0, 2_000_000
	for i := range n {
		sum += .1 * math.Pow((float64(i)+.5)/float64(n), -.9)
	}
	if m := sum / float64(n); m > 1.0001 || m < .7 {
		t.Errorf("mean %g", m)
	}
}

func TestMemoryOfAPerson(t *testing.T) {
	var p person
	var d today
	size := 4096
	if got := int(unsafe.Sizeof(p)) + 2*int(unsafe.Sizeof(d)) + 32*16 + 30*int(unsafe.Sizeof(look{})); got > size {
		t.Errorf("a person with two days of 15 patients takes %d bytes, more than %d", got, size)
	}
}
