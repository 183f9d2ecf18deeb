package access_test

import (
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// seen lets a patient have been treated by somebody who left, so many days ago.
func (w *ward) seen(t *testing.T, patient string, days int) {
	t.Helper()
	at := w.Now().AddDate(0, 0, -days).UTC()
	w.put(t, `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+
		w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Gone"}]}`)+`"}}],"period":{"start":"`+at.Format(time.RFC3339)+`","end":"`+at.Add(time.Hour).Format(time.RFC3339)+`"}}`)
}

func (w *ward) opens(t *testing.T, who *servertest.Client, patient string) bool {
	t.Helper()
	_, err := w.Gate.Chart(t.Context(), w.at(t, who), patient)
	if err != nil && !outcome.Is(err, outcome.Forbidden) {
		t.Fatal(err)
	}
	return err == nil
}

// A practice is declared by two people, opens unflagged charts of the last 24 months to those who treat, says so in the entry, and ends by one
// act, or with the fifteenth clinician.
func TestAPracticeIsDeclaredByTwoAndOpensItsPanel(t *testing.T) {
	w := newWard(t)
	nurse, clerk, ruth := w.Person(t, "Nils Berg", "nurse", ""), w.Person(t, "Cleo Desk", "front-desk", ""), w.Person(t, "Ruth Adeyemi", "privacy", "")
	admin := w.Person(t, "Ada Min", "administrator", "")
	w.seen(t, w.otto, 500)
	w.seen(t, w.maren, 800)
	if w.opens(t, nurse, w.otto) {
		t.Fatal("a hospital has no panel")
	}
	operator := access.Job(access.Operator)
	if _, err := w.Gate.AskPractice(t.Context(), w.at(t, nurse), "", "x"); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("asked for by a nurse: %v", err)
	}
	if err := w.Gate.DeclarePractice(t.Context(), w.at(t, admin), ""); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("declared by one person: %v", err)
	}
	if _, err := w.Gate.AskPractice(t.Context(), operator, nurse.Person.Person, "x"); !outcome.Is(err, outcome.Value) {
		t.Errorf("a reviewer who treats here: %v", err)
	}
	a, err := w.Gate.AskPractice(t.Context(), w.at(t, admin), "", "we are eight")
	if err == nil {
		_, err = w.Gate.Approve(t.Context(), w.at(t, admin), a.ID)
	}
	if !outcome.Is(err, outcome.Forbidden) {
		t.Fatalf("agreed to by who asked: %v", err)
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil || w.Gate.IsPractice() {
		t.Fatalf("one person's word is in force: %v", err)
	}
	if _, err := w.Gate.Approve(t.Context(), w.at(t, ruth), a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil || !w.Gate.IsPractice() {
		t.Fatal(err)
	}
	if !w.opens(t, nurse, w.otto) || w.opens(t, nurse, w.maren) || w.opens(t, clerk, w.otto) {
		t.Error("the panel is not: seen within 24 months, for those who treat")
	}
	done, err := w.Gate.MyActivity(t.Context(), w.at(t, nurse), access.Window{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, l := range done.Lines {
		if l.PatientID == w.otto && l.Outcome == 0 {
			said = l.Template + ": " + l.Sentence
		}
	}
	if said != "care.panel: works in the practice where you are a patient" {
		t.Errorf("the entry says %q", said)
	}
	w.put(t, `{"resourceType":"Flag","status":"active","subject":{"reference":"Patient/`+w.otto+`"},"code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"VIP"}]}}`)
	if w.opens(t, nurse, w.otto) {
		t.Error("a flagged chart is open by the panel")
	}
	sixty := w.put(t, `{"resourceType":"Patient","name":[{"family":"Sixty"}]}`)[len("Patient/"):]
	w.seen(t, sixty, 60)
	if !w.opens(t, nurse, sixty) {
		t.Fatal("not of the panel")
	}
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Fatalf("%+v %v", report, err)
	}
	var made []identity.Credentials
	for i := range 14 { // with the nurse fifteen
		one, err := w.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: fmt.Sprint("Doctor ", i), Roles: []string{identity.Physician}})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, one)
	}
	soon(t, "a site of fifteen is no practice", func() bool { return !w.opens(t, nurse, sixty) })
	if _, err := w.Gate.AskPractice(t.Context(), operator, "", "x"); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("a site of fifteen may become one: %v", err)
	}
	if _, err := w.Persons.Terminate(t.Context(), identityAgent, made[0].Person, "left"); err != nil {
		t.Fatal(err)
	}
	soon(t, "fourteen are one again", func() bool { return w.opens(t, nurse, sixty) })
	if err := w.Gate.EndPractice(t.Context(), w.at(t, nurse)); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("ended by a nurse: %v", err)
	}
	if err := w.Gate.EndPractice(t.Context(), w.at(t, admin)); err != nil || w.opens(t, nurse, sixty) {
		t.Fatalf("it goes on after its end: %v", err)
	}
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Fatalf("%+v %v", report, err)
	}
}

// In a practice of one the only physician is her own privacy officer: what she opens by nothing but the panel waits for a reviewer from
// outside, who opens no chart, and never for herself.
func TestAnOutsiderReviewsTheOnlyOfficer(t *testing.T) {
	w := newWard(t)
	dir := w.Dir
	clock := servertest.ClockAt(w.Now())
	w.Stop()
	w.Server = servertest.OpenOn(t, dir, clock)
	sole, outside := w.Person(t, "Sola Only", "physician privacy administrator", w.anna), w.Person(t, "Olga Utside", "privacy", "")
	if err := w.Gate.DeclarePractice(t.Context(), access.Job(access.Operator), outside.Person.Person); err != nil {
		t.Fatal(err)
	}
	w.seen(t, w.otto, 100)
	if !w.opens(t, sole, w.otto) || w.opens(t, outside, w.otto) {
		t.Fatal("the physician opens her panel, the reviewer no chart")
	}
	list := func(who *servertest.Client, state access.ReviewState) []access.Review {
		t.Helper()
		got, err := w.Gate.Reviews(t.Context(), w.at(t, who), state, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return got.Reviews
	}
	clock.Add(2 * time.Hour)
	mine := list(outside, access.ReviewsMine)
	if len(mine) != 1 || mine[0].Kind != "panel" || mine[0].Person != sole.Person.Person || len(list(sole, access.ReviewsMine)) != 0 {
		t.Fatalf("%+v", mine)
	}
	if err := w.Gate.Decide(t.Context(), w.at(t, sole), mine[0].ID, "explained", "it was me"); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("she reviews herself: %v", err)
	}
	if err := w.Gate.Decide(t.Context(), w.at(t, outside), mine[0].ID, "explained", "a repeat prescription"); err != nil {
		t.Error(err)
	}
	// A reviewer who comes to work here is none any more.
	roles := []string{"privacy", "nurse"}
	if _, _, err := w.Persons.Change(t.Context(), audit.Agent{Job: "test"}, outside.Person.Person, identity.Change{Roles: &roles}); err != nil {
		t.Fatal(err)
	}
	soon(t, "she no longer stands outside", func() bool {
		d, err := w.Gate.Practice(t.Context())
		return err == nil && d != nil && d.Reviewer == ""
	})
}

// soon waits for what another node, or what is remembered for a second, lets count.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 200 {
		if so() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(what)
}
