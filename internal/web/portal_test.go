package web

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// A stay with forty people is read on a phone: twenty lines, and nobody is lost.
func TestAVisitHasAtMostTwentyLines(t *testing.T) {
	stay := visitsOf(many(t, `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},"location":[{"location":{"display":"5 West"}}],"period":{"start":"2026-11-19T10:00:00+01:00"}}`), noon)
	var lines []access.Line
	for i := range 120 {
		person := "p" + strconv.Itoa(i%40)
		lines = append(lines, line(1000-i, person, "care.team", noon.Add(-time.Duration(i)*time.Minute), nil))
	}
	lines = append(lines, line(1, "old", "care.team", noon.AddDate(0, 0, -20), nil))
	got := portalVisits(lines, stay, "maren", noon)
	if len(got) != 2 || got[0].Title != "Stay, 5 West" || got[0].Span != "19 Nov 2026 until now" || len(got[0].Lines) != linesOfVisit || got[1].Title != "Sun 1 Nov 2026" {
		t.Fatalf("%d visits, %+v", len(got), got[0])
	}
	times, names := 0, ""
	for _, l := range got[0].Lines {
		times += l.Times
		names += l.Who + "\n"
		for _, e := range l.Each {
			names += e.Part + "\n"
		}
	}
	for i := range 40 {
		if !strings.Contains(names, "Name of p"+strconv.Itoa(i)) {
			t.Errorf("p%d is lost", i)
		}
	}
	if times != 120 {
		t.Errorf("%d of 120 openings", times)
	}
}

func TestThePatientReadsReasonsInHerWords(t *testing.T) {
	lines := []access.Line{
		line(9, "anna", "care.encounter.attending", noon, func(l *access.Line) { l.Sentence = "was your attending physician" }),
		line(8, "anna", "ops.find", noon.Add(-time.Minute), func(l *access.Line) { l.Class, l.Sentence = audit.Incidental, "looked you up in the list of patients" }),
		line(7, "eve", "", noon.Add(-time.Hour), func(l *access.Line) { l.Unexplained, l.Sentence = true, "" }),
		line(6, "list", "ops.find", noon.Add(-time.Hour), func(l *access.Line) { l.Class = audit.Incidental }),
		line(5, "maren", "self.patient", noon.Add(-time.Hour), func(l *access.Line) { l.Agent.Capacity = identity.PatientCapacity }),
		line(4, "no", "", noon.Add(-time.Hour), func(l *access.Line) { l.Kind, l.Outcome = audit.Refusal, 8 }),
	}
	got := portalVisits(lines, nil, "maren", noon)
	if len(got) != 1 || len(got[0].Lines) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{"Name of anna: Was your attending physician, 2 times", "Name of eve: No reason recorded yet, 1 times", "Name of list: Saw your name in a list of patients, 1 times"} {
		l := got[0].Lines[i]
		if s := l.Who + ": " + l.Reason + ", " + strconv.Itoa(l.Times) + " times"; s != want || l.Entry == "" {
			t.Errorf("%s, want %s", s, want)
		}
	}
	if s := portalSummary(lines, "maren", noon); s != "2 people opened your chart in the last 30 days. The record gives the reason for 1 of them. You can ask about each." {
		t.Error(s)
	}
	if s := portalSummary(nil, "maren", noon); !strings.HasPrefix(s, "Nobody") {
		t.Error(s)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for cell, want := range map[string]string{"=1+1": "'=1+1", "@x": "'@x", "-2": "'-2", "Anna": "Anna", "": ""} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q", cell, got)
		}
	}
}

func TestSinceYouLastLooked(t *testing.T) {
	c := chartOf(t, "p1", many(t, `{"resourceType":"Patient"}`,
		`{"resourceType":"Observation","meta":{"lastUpdated":"2026-11-21T09:00:00Z"}}`, `{"resourceType":"Observation","meta":{"lastUpdated":"2026-11-21T10:00:00Z"}}`,
		`{"resourceType":"Observation","meta":{"lastUpdated":"2026-11-19T10:00:00Z"}}`, `{"resourceType":"MedicationRequest","meta":{"lastUpdated":"2026-11-21T10:00:00Z"}}`))
	if since(openedFor(c), time.Time{}, noon) != nil {
		t.Error("on the first look nothing is new")
	}
	got := since(openedFor(c), noon.Add(-20*time.Hour), noon)
	if got == nil || len(got.Links) != 2 || got.Links[0].Text != "2 new readings and results" || got.Links[0].Href != "/chart/p1/results" || got.Links[1].Text != "1 change of medication" {
		t.Errorf("%+v", got)
	}
}

func TestMoreIsSaidToBeThereAndNeverWhat(t *testing.T) {
	if s := withheld(&access.Chart{}); s != "" {
		t.Error(s)
	}
	if s := withheld(&access.Chart{Withheld: 3, Damaged: 1}); !strings.Contains(s, "3 records are restricted and not shown to you. Who") || !strings.Contains(s, "1 record was altered") {
		t.Error(s)
	}
}
