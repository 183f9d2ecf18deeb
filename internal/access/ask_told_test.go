package access_test

import (
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
)

// What became of a request reaches who asked, and nobody else; that one waits, who may answer it.
func TestAnswersReachWhoAsked(t *testing.T) {
	w, turn := turned(t)
	w.checkIn(t, w.anna, w.maren)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ben := w.Person(t, "Ben Ito", "physician", w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Ito"}]}`))
	cleo := w.Person(t, "Cleo Moss", "nurse", "")
	// hears polls until somebody hears as much: what was read last stands for half a second.
	hears := func(who *servertest.Client, answers, open int) (mine []access.Answered) {
		t.Helper()
		var waits []string
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			var err error
			if mine, waits, err = w.Gate.AnswersToMine(t.Context(), w.as(t, who)); err != nil {
				t.Fatal(err)
			}
			if len(mine) == answers && len(waits) == open {
				return mine
			}
			if time.Now().After(end) {
				t.Fatalf("%d answers and %d requests, want %d and %d", len(mine), len(waits), answers, open)
			}
		}
	}
	ask := func() string {
		t.Helper()
		a, err := w.Gate.AskTeam(t.Context(), w.as(t, ben), w.maren, "she called me")
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	id := ask()
	hears(ben, 0, 0)
	hears(anna, 0, 1)
	for who, want := range map[*servertest.Client]int{anna: 1, cleo: 0} {
		if n, err := w.Gate.AsksWaiting(t.Context(), w.as(t, who)); err != nil || n != want {
			t.Errorf("%d requests wait for her word (%v), want %d", n, err, want)
		}
	}
	if err := w.Gate.AnswerAsk(t.Context(), w.as(t, anna), id, false); err != nil {
		t.Fatal(err)
	}
	if got := hears(ben, 1, 0)[0]; got.Yes || got.PatientID != w.maren || got.By != anna.Person.Person {
		t.Errorf("%+v", got)
	}
	if err := w.Gate.AnswerAsk(t.Context(), w.as(t, anna), ask(), true); err != nil {
		t.Fatal(err)
	}
	if got := hears(ben, 2, 0); got[0].Yes == got[1].Yes {
		t.Errorf("%+v", got)
	}
	hears(anna, 0, 0)
	hears(cleo, 0, 0)
	turn(11 * time.Minute)
	hears(ben, 0, 0)
}
