package detect

import (
	"strings"
	"testing"
)

func FuzzIDsComeBackAsTheyWere(f *testing.F) {
	uuid := "5f0c9d2e-7b1a-4c3d-8e6f-0123456789ab"
	for _, id := range []string{"", "e1", uuid, strings.ToUpper(uuid), "5f0c9d2e-7b1a-4c3d-8e6f-0123456789aB", "5f0c9d2e-7b1a-4c3d-8e6f-0123456789a-", "\xff" + uuid, "\xfe", "\xff", "\xfe\xff"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		var s ids
		a, b, again, c := s.add("a"), s.add(id), s.add(id), s.add("z")
		if s.at(a) != "a" || s.at(b) != id || again != b || s.at(c) != "z" || s.at(-1) != "" || s.at(99) != "" {
			t.Errorf("%q became %q", id, s.at(b))
		}
		if s.clip(); s.at(b) != id {
			t.Errorf("%q became %q when clipped", id, s.at(b))
		}
	})
}

func TestAUUIDTakesHalf(t *testing.T) {
	var s ids
	if s.add("5f0c9d2e-7b1a-4c3d-8e6f-0123456789ab"); len(s.packed) != 17 {
		t.Errorf("%d bytes", len(s.packed))
	}
}
