package watch

import (
	"testing"
	"time"
)

// The night run is due four hours after midnight of the site and asks about what lies before midnight, on days with a change of the clock too.
func TestNightBefore(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{"2026-03-10 03:59": "2026-03-09 00:00", "2026-03-10 04:00": "2026-03-10 00:00", "2026-03-10 23:59": "2026-03-10 00:00",
		"2026-03-29 04:59": "2026-03-28 00:00", "2026-03-29 05:00": "2026-03-29 00:00", "2026-10-25 03:00": "2026-10-25 00:00"} {
		now, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := nightBefore(now, zone).Format("2006-01-02 15:04"); got != want {
			t.Errorf("at %s the night before ends %s, want %s", at, got, want)
		}
		if nightBefore(now.UTC(), zone) != nightBefore(now, zone) {
			t.Errorf("at %s the zone of the clock matters", at)
		}
	}
}
