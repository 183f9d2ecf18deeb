package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"chartwarden/internal/intake"
	"chartwarden/internal/server/servertest"
)

func doctor(family, updated string) string {
	meta := ""
	if updated != "" {
		meta = `"meta":{"lastUpdated":"` + updated + `"},`
	}
	return `{"resourceType":"Practitioner","id":"d",` + meta + `"name":[{"family":"` + family + `"}]}`
}

// Two contents for one id: which one stays does not depend on how often the files are run, and what gave way is named.
func TestTwoContentsForOneID(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		stays    string
		first    string // stored, skipped, rejected
		outdated string
	}{
		"no dates: the last new one":    {map[string]string{"a.json": doctor("Early", ""), "b.json": doctor("Late", "")}, "Late", "2 0 0", ""},
		"in one file":                   {map[string]string{"a.ndjson": doctor("Early", "") + "\n" + doctor("Late", "")}, "Late", "2 0 0", ""},
		"dates: the newest, come last":  {map[string]string{"a.json": doctor("Early", "2020-01-01T00:00:00Z"), "b.json": doctor("Late", "2021-01-01T00:00:00Z")}, "Late", "2 0 0", ""},
		"dates: the newest, come first": {map[string]string{"a.json": doctor("Late", "2021-01-01T00:00:00Z"), "b.json": doctor("Early", "2020-01-01T00:00:00Z")}, "Late", "1 1 0", "b.json"},
		"one date for both":             {map[string]string{"a.json": doctor("Early", "2020-01-01T00:00:00Z"), "b.json": doctor("Late", "2020-01-01T00:00:00Z")}, "Late", "2 0 0", ""},
		"three":                         {map[string]string{"a.json": doctor("Early", ""), "b.json": doctor("Between", ""), "c.json": doctor("Late", "")}, "Late", "3 0 0", ""},
	} {
		for _, atomic := range []bool{false, true} {
			if atomic && name == "in one file" {
				continue // one transaction takes a resource once
			}
			t.Run(fmt.Sprint(name, " atomic ", atomic), func(t *testing.T) {
				s := servertest.Start(t)
				o := intake.Options{Paths: []string{put(t, c.files)}, Atomic: atomic}
				got, report := take(t, s, o)
				if got != c.first || len(report.Outdated) > 0 != (c.outdated != "") || c.outdated != "" && report.Outdated[0] != (intake.Outdated{File: c.outdated, Type: "Practitioner"}) {
					t.Fatal(got, report)
				}
				clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
				before := clerk.Get(t, "/fhir/Practitioner/d")
				if !strings.Contains(before.Body, c.stays) {
					t.Fatal(before.Body)
				}
				for range 2 {
					got, report := take(t, s, o)
					if report.Stored != 0 || len(report.Rejected) != 0 || len(report.Outdated) == 0 {
						t.Fatal(got, report)
					}
					var shown strings.Builder
					if report.Write(&shown); !strings.Contains(shown.String(), "outdated "+report.Outdated[0].File+" entry") {
						t.Error(shown.String())
					}
				}
				if after := clerk.Get(t, "/fhir/Practitioner/d"); after.Body != before.Body {
					t.Errorf("a second run changed\n%s to\n%s", before.Body, after.Body)
				}
			})
		}
	}
}

// What was changed or deleted here is not taken back by another run of the files that it came from; what they bring anew is taken in.
func TestAnotherRunTakesNothingBack(t *testing.T) {
	s := servertest.Start(t)
	files := func(family string) intake.Options {
		return intake.Options{Paths: []string{put(t, map[string]string{"a.json": doctor(family, "")})}}
	}
	take(t, s, files("Imported"))
	admin := s.Person(t, "Ruth Adeyemi", "administrator", "")
	if got := admin.Do(t, "PATCH", "/fhir/Practitioner/d", `[{"op":"replace","path":"/name/0/family","value":"Mended"}]`, "Content-Type", "application/json-patch+json"); got.Status != 200 {
		t.Fatal(got)
	}
	if got, report := take(t, s, files("Imported")); got != "0 1 0" || len(report.Outdated) != 1 || !strings.Contains(admin.Get(t, "/fhir/Practitioner/d").Body, "Mended") {
		t.Fatal(got, report)
	}
	if got, _ := take(t, s, files("Anew")); got != "1 0 0" || !strings.Contains(admin.Get(t, "/fhir/Practitioner/d").Body, "Anew") {
		t.Fatal(got)
	}
	if got := admin.Do(t, "DELETE", "/fhir/Practitioner/d", ""); got.Status != 204 {
		t.Fatal(got)
	}
	if got, report := take(t, s, files("Anew")); got != "0 1 0" || len(report.Outdated) != 1 || admin.Get(t, "/fhir/Practitioner/d").Status != 410 {
		t.Fatal(got, report)
	}
}
