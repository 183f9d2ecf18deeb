package care

import (
	"testing"
	"time"
)

func FuzzSpan(f *testing.F) {
	for _, s := range []string{"2026", "2026-11", "2026-11-21", "2026-11-21T10:00:00Z", "2026-11-21T10:00:60.5+02:00", "21.11.2026", ""} {
		f.Add(s)
	}
	zone := time.FixedZone("east", 3*3600)
	f.Fuzz(func(t *testing.T, s string) {
		from, to, ok := span(s, zone)
		if ok && (to < from || to-from > 367*day) {
			t.Fatalf("%d to %d", from, to)
		}
	})
}

func TestSpan(t *testing.T) {
	zone := time.FixedZone("east", 3*3600)
	for text, want := range map[string][2]string{
		"2026":                      {"2025-12-31T21:00:00Z", "2026-12-31T21:00:00Z"},
		"2026-02":                   {"2026-01-31T21:00:00Z", "2026-02-28T21:00:00Z"},
		"2026-11-21":                {"2026-11-20T21:00:00Z", "2026-11-21T21:00:00Z"},
		"2026-11-21T10:00:00+01:00": {"2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z"},
		"2026-06-30T23:59:60Z":      {"2026-06-30T23:59:59Z", "2026-06-30T23:59:59Z"},
	} {
		from, to, ok := span(text, zone)
		if got := [2]string{stamp(time.UnixMilli(from).UTC()), stamp(time.UnixMilli(to).UTC())}; !ok || got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"", "x", "2026-13", "2026-02-30", "2026-11-21T10:00"} {
		if _, _, ok := span(text, zone); ok {
			t.Errorf("%q passes", text)
		}
	}
}
