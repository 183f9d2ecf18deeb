package access_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
)

// What somebody else records soon after the glass closes its review and is quoted there; what the person enters herself, and what begins
// much later, does not.
func TestALaterFactClosesTheReview(t *testing.T) {
	w := newWard(t)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ben := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Ben"]}]}`)
	other := w.Person(t, "Ben Osei", "physician", ben)
	officer := w.at(t, w.Person(t, "Ruth Adeyemi", "privacy", ""))
	waiting := func(state access.ReviewState) []access.Review {
		t.Helper()
		list, err := w.Gate.Reviews(t.Context(), officer, state, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return list.Reviews
	}
	for who, patient := range map[*servertest.Client]string{c: w.maren, other: w.otto} {
		if got := who.Get(t, "/fhir/Condition?patient="+patient, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
			t.Fatal(got.Status, got.Body)
		}
	}
	if n := len(waiting(access.ReviewsOpen)); n != 2 {
		t.Fatalf("%d reviews wait", n)
	}
	own := c.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
		"subject":{"reference":"Patient/`+w.maren+`"},"participant":[{"individual":{"reference":"`+w.anna+`"}}],"period":{"start":"`+w.Now().UTC().Format(time.RFC3339)+`"}}`)
	if own.Status != http.StatusCreated {
		t.Fatal(own.Status, own.Body)
	}
	w.put(t, `{"resourceType":"Appointment","status":"booked","start":"`+w.Now().Add(50*time.Hour).UTC().Format(time.RFC3339)+`","end":"`+
		w.Now().Add(51*time.Hour).UTC().Format(time.RFC3339)+`","participant":[{"actor":{"reference":"Patient/`+w.otto+`"},"status":"accepted"},
		{"actor":{"reference":"`+ben+`"},"status":"accepted"}]}`)
	if n := len(waiting(access.ReviewsOpen)); n != 2 {
		t.Fatalf("a visit of her own making or one in two days closed a review: %d wait", n)
	}
	if err := w.Gate.Exec(t.Context(), `UPDATE access_review SET person = 'nobody' WHERE person = ?`, c.Person.Person); err != nil {
		t.Fatal(err)
	}
	w.checkIn(t, ben, w.otto) // one review that cannot be looked up keeps no other open, and nobody from the list
	open, closed := waiting(access.ReviewsOpen), waiting(access.ReviewsClosed)
	if len(open) != 1 || open[0].PatientID != w.maren || len(closed) != 1 || closed[0].Verdict != "explained" || closed[0].Reviewer != "" {
		t.Fatalf("open %+v, closed %+v", open, closed)
	}
	if err := w.Gate.Exec(t.Context(), `UPDATE access_review SET person = ? WHERE person = 'nobody'`, c.Person.Person); err != nil {
		t.Fatal(err)
	}
	one, err := w.Gate.ReviewOf(t.Context(), officer, closed[0].ID)
	if err != nil || len(one.History) != 1 || one.History[0].Text != "explained: care.encounter" || one.History[0].Agent.Job != "reviews" {
		t.Errorf("history: %+v %v", one.History, err)
	}
	if o, err := w.Gate.Overview(t.Context(), officer); err != nil || o.Reconciled != 1 || o.Answered != 0 || o.Open != 1 {
		t.Errorf("overview: %+v %v", o, err)
	}
	waiting(access.ReviewsOpen)
	if one, _ = w.Gate.ReviewOf(t.Context(), officer, closed[0].ID); len(one.History) != 1 {
		t.Errorf("it was closed twice: %+v", one.History)
	}
	if err := w.Gate.Decide(t.Context(), officer, closed[0].ID, "escalate", "She was at home that day"); err != nil {
		t.Error("nobody can answer otherwise:", err)
	}
	if n := len(waiting(access.ReviewsOpen)); n != 1 {
		t.Errorf("%d wait", n)
	}
	page := w.Person(t, "Nora Vance", "privacy", "").Get(t, "/privacy/reviews?show=closed").Body
	if !strings.Contains(page, "A case") {
		t.Error(page)
	}
}
