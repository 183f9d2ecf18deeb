package access

import (
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// A backend service gets its part of each hour, whatever it did before that hour and whatever others do.
func TestQuotasOfAnHour(t *testing.T) {
	q := newQuotas(Quota{Requests: 3, Records: 10})
	now := time.Date(2026, 11, 22, 9, 0, 30, 0, time.UTC)
	take := func(client string, more Quota, want bool) {
		t.Helper()
		err := q.take(client, now, more)
		if (err == nil) != want || err != nil && !outcome.Is(err, outcome.Throttled) {
			t.Fatalf("%s %+v at %s: %v", client, more, now.Format(time.TimeOnly), err)
		}
	}
	take("a", Quota{Records: 11}, false)
	take("a", Quota{Records: 10}, true) // what was refused was not counted
	take("a", Quota{Records: 1}, false)
	take("a", Quota{}, true)
	take("b", Quota{Records: 10}, true)
	for range 3 {
		take("a", Quota{Requests: 1}, true)
		now = now.Add(20 * time.Minute)
	}
	take("a", Quota{Requests: 1, Records: 10}, true) // the first of each is an hour ago
	take("a", Quota{Requests: 1}, false)
	if !q.tell("a", now) || q.tell("a", now) {
		t.Error("a refusal is told once a minute")
	}
	now = now.Add(time.Minute)
	if !q.tell("a", now) {
		t.Error("and again in the next")
	}
	now = now.Add(24 * time.Hour)
	take("a", Quota{Requests: 3, Records: 10}, true)
	now = now.Add(-25 * time.Hour) // a clock that was set back refuses nobody
	take("a", Quota{Requests: 1}, true)
}
