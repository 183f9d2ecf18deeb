package detect

import (
	"fmt"
	"testing"
)

func TestAnIndexFindsWhatItWasTold(t *testing.T) {
	var list []string
	var x index
	hashOf := func(i int32) uint64 { return digest(list[i]) % 1000 << 40 } // so that many have one hash
	find := func(s string) int32 {
		return x.find(digest(s)%1000<<40, func(i int32) bool { return list[i] == s })
	}
	for i := range 5000 {
		s := fmt.Sprint("Patient/", i)
		if find(s) >= 0 {
			t.Fatalf("%s is there before it was added", s)
		}
		list = append(list, s)
		x.add(hashOf(int32(i)), int32(i), hashOf)
	}
	for i, s := range list {
		if find(s) != int32(i) {
			t.Fatalf("%s is at %d, not %d", s, find(s), i)
		}
	}
	if len(x.slots) > 2*len(list) {
		t.Errorf("%d slots", len(x.slots))
	}
}
