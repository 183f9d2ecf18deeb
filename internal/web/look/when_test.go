package look

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 9, 48, 7, 0, time.UTC)

func TestDatesAreWrittenOneWay(t *testing.T) {
	for _, c := range []struct {
		got  When
		want string
	}{
		{Day(noon), "21 Nov 2026"}, {ShortDay(noon), "21 Nov"}, {Clock(noon), "09:48"}, {Moment(noon), "Sat 21 Nov 2026, 09:48"}, {Exact(noon), "21 Nov 2026, 09:48:07"},
		{Partial("1961-03-14"), "14 Mar 1961"}, {Partial("1961-03"), "Mar 1961"}, {Partial("1961"), "1961"}, {Partial("1961-03-14T07:00:00Z"), "14 Mar 1961"},
		{Partial(""), ""}, {Partial("14/03/61"), ""}, {Day(time.Time{}), ""},
		{Recent(noon.Add(-time.Hour), noon), "08:48"}, {Recent(noon.Add(-10*time.Hour), noon), "Fri 23:48"}, {Recent(noon.AddDate(0, 0, -20), noon), "1 Nov"},
		{Recent(noon.AddDate(-1, 0, 0), noon), "21 Nov 2025"}, {Recent(noon.Add(20*time.Hour), noon), "Sun 05:48"}, {Recent(noon.AddDate(0, 0, 3), noon), "24 Nov 2026"},
	} {
		if c.got.Text() != c.want {
			t.Errorf("got %q, want %q", c.got.Text(), c.want)
		}
	}
}

func TestParseDay(t *testing.T) {
	for _, s := range []string{"14 Mar 1961", " 14  march 1961", "14.3.1961", "1961-03-14"} {
		if got, ok := ParseDay(s); !ok || got.Format(time.DateOnly) != "1961-03-14" {
			t.Errorf("%q: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "03/14/1961", "3/4/61", "14 Mar", "yesterday"} {
		if got, ok := ParseDay(s); ok {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

func TestAge(t *testing.T) {
	for born, want := range map[string]string{
		"1961-03-14": "65 years", "1961-11-21": "65 years", "1961-11-22": "64 years", "2026-11-18": "3 days", "2026-11-20": "1 day", "2026-10-01": "7 weeks",
		"2026-01-02": "10 months", "2025-01-30": "21 months", "1961": "about 65 years", "": "", "2027-01-01": "",
	} {
		if got := Age(born, noon); got != want {
			t.Errorf("born %s: %q, want %q", born, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1840: "1\u202f840", 18204000: "18\u202f204\u202f000", -1000: "-1\u202f000"} {
		if got := Number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if Plural(1, "chart", "charts") != "1 chart" || Plural(14, "chart", "charts") != "14 charts" || Shown(5, 31, "", "") != "5 of 31 shown" || Shown(3, 3, "note", "notes") != "3 notes" {
		t.Error("counts")
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Anna Lindqvist": "AL", "Lindqvist, Anna": "AL", "Laboratory": "L", "": "?", "Łukasz Dąbrowski": "ŁD", "O’Brien, Mary Jo": "MO"} {
		if got := Initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
