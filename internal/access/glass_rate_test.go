package access

import (
	"math"
	"testing"
)

func TestAtLeastByChanceIsThePoissonTail(t *testing.T) {
	for n, mean := range map[int]float64{0: 3, 3: 3, 10: 3, 25: 5} {
		var want float64
		for k := n; k < n+200; k++ {
			g, _ := math.Lgamma(float64(k + 1))
			want += math.Exp(float64(k)*math.Log(mean) - mean - g)
		}
		if got := atLeastByChance(n, mean); math.Abs(got-want) > 1e-9 {
			t.Errorf("%d or more of %v: %v, want %v", n, mean, got, want)
		}
	}
}
