package access_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// A chart that two people erased is gone for everybody, on every way in; who looked at it stays answerable.
func TestShredByTwoPeople(t *testing.T) {
	w := newWard(t)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	w.checkIn(t, w.anna, w.maren)
	w.checkIn(t, w.anna, w.otto)
	nurse := w.Person(t, "Théo Moreau", "nurse", "")
	admin, officer, clerk := w.Person(t, "Ruth Adeyemi", "administrator", ""), w.Person(t, "Olu Privacy", "privacy", ""), w.Person(t, "Marcus Hale", "front-desk", "")
	_, conditionID, _ := strings.Cut(w.put(t, condition(w.maren, "")), "/")
	if a := anna.Get(t, "/fhir/Condition?patient="+w.maren); total(t, a) == 0 {
		t.Fatal(a.Body)
	}
	if _, err := w.Gate.AskShred(t.Context(), w.as(t, officer), w.maren, "asked for"); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("an officer asks: %v", err)
	}
	item, err := w.Gate.AskShred(t.Context(), w.as(t, admin), w.maren, "the patient asked for it")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]*servertest.Client{"who asked": admin, "a physician": anna} {
		if _, err := w.Gate.Approve(t.Context(), w.as(t, c), item.ID); !outcome.Is(err, outcome.Forbidden) {
			t.Errorf("%s approves: %v", what, err)
		}
	}
	if _, err := w.Gate.Approve(t.Context(), w.as(t, officer), item.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		for path, status := range map[string]int{
			"/fhir/Patient/" + w.maren: http.StatusGone, "/fhir/Condition/" + conditionID: http.StatusGone, "/fhir/Condition/" + conditionID + "/_history": http.StatusGone,
			"/fhir/Condition?patient=" + w.maren: http.StatusGone, "/fhir/Patient/" + w.maren + "/$everything": http.StatusGone, "/chart/" + w.maren: http.StatusGone,
			"/fhir/Condition?patient=" + w.otto: http.StatusOK, "/fhir/Condition": http.StatusOK, "/fhir/Patient": http.StatusOK, "/day": http.StatusOK,
		} {
			a := anna.Get(t, path)
			if a.Status != status || strings.Contains(a.Body, "Okafor") {
				t.Errorf("%s: %d, want %d: %.200s", path, a.Status, status, a.Body)
			}
		}
		if a := anna.Do(t, "POST", "/fhir/Condition", condition(w.maren, "")); a.Status != http.StatusGone {
			t.Errorf("a write: %d %s", a.Status, a.Body)
		}
		if a := nurse.Get(t, "/fhir/Patient/"+w.maren); a.Status != http.StatusForbidden {
			t.Errorf("a stranger: %d %s", a.Status, a.Body)
		}
		if a := clerk.Get(t, "/fhir/Patient?name=Okafor"); total(t, a) != 0 {
			t.Errorf("it is found: %s", a.Body)
		}
		if a := clerk.Get(t, "/fhir/Patient?name=Brandt"); total(t, a) != 1 {
			t.Errorf("others are not found: %s", a.Body)
		}
		seen, err := w.Gate.WhoLooked(t.Context(), w.as(t, officer), w.maren, access.Window{Limit: 200})
		if err != nil || !slices.ContainsFunc(seen.Lines, func(l access.Line) bool { return l.Agent.Person == anna.Person.Person && l.Kind == audit.Disclosure }) ||
			!slices.ContainsFunc(seen.Lines, func(l access.Line) bool { return l.Kind == audit.Keys && l.Interaction == access.Shredding }) {
			t.Errorf("who looked: %d lines, %v", len(seen.Lines), err)
		}
		if a := officer.Get(t, "/privacy"); a.Status != http.StatusOK {
			t.Errorf("the officer's page: %d", a.Status)
		}
		report, err := w.Verify(t.Context(), nil)
		if err != nil || !report.Holds() {
			t.Errorf("%+v %v", report, err)
		}
	}
	check()
	old := w.URL
	w.Stop()
	w.Server = servertest.Open(t, w.Dir)
	for _, c := range []*servertest.Client{anna, nurse, admin, officer, clerk} {
		w.Adopt(t, c, c.Jar, old)
	}
	check()
	if _, err := w.Gate.AskShred(t.Context(), w.as(t, admin), w.maren, "again"); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("erased twice: %v", err)
	}
}
