package foreign

import (
	"strings"
	"testing"
	"time"
)

func TestTimesAreReadByLayout(t *testing.T) {
	for _, c := range []struct{ layout, text, want string }{
		{"yyyy-MM-dd HH:mm:ss", "2026-03-01 09:05:07", "2026-03-01T09:05:07"},
		{"yyyy-MM-dd HH:mm:ss", "2026-03-01 09:05:07.123456789", "2026-03-01T09:05:07"},
		{"yyyy-MM-ddTHH:mm:ss", "2026-03-01T09:05:07Z", "2026-03-01T09:05:07Z"},
		{"yyyy-MM-ddTHH:mm:ss", "2026-03-01T09:05:07.5-05:00", "2026-03-01T14:05:07Z"},
		{"yyyy-MM-dd HH:mm:ss", "2026-03-01 09:05:07 +0530", "2026-03-01T03:35:07Z"},
		{"M/d/yyyy h:mm:ss a", "3/1/2026 12:05:07 AM", "2026-03-01T00:05:07"},
		{"M/d/yyyy h:mm:ss a", "03/01/2026 12:05:07 pm", "2026-03-01T12:05:07"},
		{"dd-MMM-yyyy HH:mm:ss", "01-MAR-2026 23:59:59", "2026-03-01T23:59:59"},
		{"MMM d yyyy h:mma", "Mar  1 2026  1:05PM", "2026-03-01T13:05:00"},
		{"dd.MM.yyyy HH:mm", "29.02.2024 07:00", "2024-02-29T07:00:00"},
		{"unix", "1772355907", "2026-03-01T09:05:07Z"},
		{"unix-ms", "1772355907123", "2026-03-01T09:05:07Z"},
	} {
		l, why := parseLayout(c.layout, false)
		if why != "" {
			t.Fatal(c.layout, why)
		}
		sec, zoned, ok := l.read(c.text)
		got := time.Unix(sec, 0).UTC().Format("2006-01-02T15:04:05")
		if zoned {
			got += "Z"
		}
		if !ok || got != c.want {
			t.Errorf("%q by %q: %s %v, want %s", c.text, c.layout, got, ok, c.want)
		}
	}
	l, _ := parseLayout("M/d/yyyy h:mm:ss a", false)
	for _, s := range []string{"", "3/1/2026", "13/1/2026 1:00:00 AM", "2/30/2026 1:00:00 AM", "3/1/2026 0:00:00 AM", "3/1/2026 13:00:00 PM", "3/1/2026 1:60:00 AM", "3/1/1026 1:00:00 AM", "3/1/2026 1:00:00 AM EST", "3/1/2026 1:00:00 XM"} {
		if _, _, ok := l.read(s); ok {
			t.Errorf("%q passes for a time", s)
		}
	}
}

func TestLayoutsThatCannotWorkAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"yyyy-MM-dd":             "lacks the hour",
		"HH:mm":                  "lacks the year",
		"yyyy-MM-dd hh:mm":       "hours of twelve",
		"yyyy-MM-dd HH:mm a":     "hours of twelve",
		"YYYY-MM-DD HH:mm":       "a layout is written with",
		"yyyy-MM-dd HH:mm HH":    "twice",
		"2006-01-02 15:04:05":    "lacks the year",
		"yyyy-MM-dd HH:mm:ss zz": "a layout is written with",
	} {
		if _, why := parseLayout(text, false); !strings.Contains(why, want) {
			t.Errorf("%s: %q, want %q", text, why, want)
		}
	}
}

// The wall clock of New York on the two nights of 2026 on which it is set.
func TestTheRepeatedAndTheMissingHour(t *testing.T) {
	zone, err := LoadZone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	local := func(s string) int64 {
		v, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return v.Unix()
	}
	w := &wall{zone: zone}
	for _, c := range []struct{ at, want string }{
		{"2026-10-31 23:00", "2026-11-01T03:00Z"},
		{"2026-11-01 00:59", "2026-11-01T04:59Z"},
		{"2026-11-01 01:10", "2026-11-01T05:10Z"}, // the first time
		{"2026-11-01 01:55", "2026-11-01T05:55Z"},
		{"2026-11-01 01:50", "2026-11-01T05:50Z"}, // a little late
		{"2026-11-01 01:05", "2026-11-01T06:05Z"}, // the second time
		{"2026-11-01 01:06", "2026-11-01T06:06Z"},
		{"2026-11-01 02:00", "2026-11-01T07:00Z"},
		{"2026-11-02 12:00", "2026-11-02T17:00Z"},
		{"2027-03-13 23:00", "2027-03-14T04:00Z"},
		{"2027-03-14 01:59", "2027-03-14T06:59Z"},
		{"2027-03-14 02:30", "2027-03-14T07:30Z"}, // is not there: half past the hour that is
		{"2027-03-14 03:31", "2027-03-14T07:31Z"},
	} {
		if got := time.Unix(w.instant(local(c.at)), 0).UTC().Format("2006-01-02T15:04Z"); got != c.want {
			t.Errorf("%s: %s, want %s", c.at, got, c.want)
		}
	}
	if w.ambiguous != 5 || w.missing != 1 {
		t.Errorf("%d ambiguous, %d missing", w.ambiguous, w.missing)
	}
}

// Away from the nights on which a clock is set, every zone agrees with the standard library.
func TestWallAgreesWithTheLibrary(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"} {
		zone, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		w := &wall{zone: zone}
		start := time.Date(2025, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
		for i := range int64(3000) {
			u := start + i*3*3600 + i*7
			at := time.Unix(u, 0).In(zone)
			_, off := at.Zone()
			ambiguous, missing := w.ambiguous, w.missing
			if got := w.instant(u + int64(off)); got != u && w.ambiguous == ambiguous && w.missing == missing {
				t.Fatalf("%s %s: %d, want %d", name, at, got, u)
			}
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("M/d/yyyy h:mm:ss a", "3/1/2026 12:05:07 AM")
	f.Add("yyyy-MM-ddTHH:mm:ss", "2026-03-01T09:05:07.5-05:00")
	f.Add("MMM d yyyy h:mma", "Mar  1 2026  1:05PM")
	f.Add("unix-ms", "1772355907123")
	f.Fuzz(func(t *testing.T, layout, text string) {
		l, why := parseLayout(layout, false)
		if why != "" {
			return
		}
		if sec, _, ok := l.read(text); ok && l.unix == 0 && (sec < 0 || sec > 8<<30) {
			t.Errorf("%q by %q is %d", text, layout, sec)
		}
	})
}
