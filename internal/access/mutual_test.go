package access

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"chartwarden/internal/identity"
)

// taken is n requests of asker to which second agreed.
func taken(asker, second string, n int) (out []identity.Agreed) {
	for range n {
		out = append(out, identity.Agreed{Asker: asker, Second: second})
	}
	return out
}

// Two who sign for each other while others share the work are told; a house in which there is nobody else to ask is not, nor is a helpful
// officer who agrees to everybody, nor one side alone.
func TestPairsWhoAgreeToEachOther(t *testing.T) {
	var house []identity.Agreed
	people := []string{"a", "b", "c", "d", "e"}
	for _, x := range people {
		for _, y := range people {
			if x != y {
				house = append(house, taken(x, y, 3)...)
			}
		}
	}
	if got := mutuals(house); len(got) != 0 {
		t.Errorf("all take turns, and told is %+v", got)
	}
	cosy := append(append(house, taken("a", "b", 12)...), taken("b", "a", 10)...)
	got := mutuals(cosy)
	if len(got) != 1 || got[0].One.ID != "a" || got[0].Other.ID != "b" || got[0].Agreed != 28 || got[0].Asked != 46 || got[0].Expected > 14 {
		t.Errorf("two who sign for each other: %+v", got)
	}
	if got := mutuals(append(taken("a", "b", 40), taken("b", "a", 40)...)); len(got) != 0 {
		t.Errorf("there are only two: %+v", got)
	}
	officer := append(taken("a", "o", 30), taken("b", "o", 30)...)
	officer = append(append(officer, taken("c", "o", 30)...), taken("o", "a", 2)...)
	if got := mutuals(officer); len(got) != 0 {
		t.Errorf("the officer agrees to everybody: %+v", got)
	}
	if got := mutuals(append(house, taken("a", "b", 12)...)); len(got) != 0 {
		t.Errorf("one side alone: %+v", got)
	}
}

// Houses in which who agrees is drawn by chance name a pair in at most one of a hundred, and a little for luck.
func TestChanceNamesFewPairs(t *testing.T) {
	d := rand.New(rand.NewPCG(3, 9))
	const houses = 2000
	named := 0
	for range houses {
		n := 3 + d.IntN(8)
		var all []identity.Agreed
		for range 20 + d.IntN(150) {
			a, b := d.IntN(n), d.IntN(n-1)
			if b >= a {
				b++
			}
			all = append(all, identity.Agreed{Asker: fmt.Sprint(a), Second: fmt.Sprint(b)})
		}
		if len(mutuals(all)) > 0 {
			named++
		}
	}
	if named > houses*2/100 {
		t.Errorf("%d of %d houses of chance name a pair", named, houses)
	}
}

func TestBinomialSumsToOne(t *testing.T) {
	for _, n := range []int{0, 1, 7, 60} {
		sum := 0.
		for _, p := range binomial(n, .3) {
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Error(n, sum)
		}
	}
}
