package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/server/servertest"
)

// A script breaks the glass of chart after chart. It gets one in ten seconds, from the fourth in an hour a factor opens one chart and no
// more, at once or one after the other, by the page and by the header alike; and each stands in the officer's list.
func TestScriptedGlass(t *testing.T) {
	first := servertest.Start(t)
	first.Stop()
	clock := servertest.ClockAt(time.Now())
	s := servertest.OpenOn(t, first.Dir, clock)
	sam := s.Person(t, "Sam Rivera", "physician", "")
	opened := 0
	chart := func() string {
		_, id, _ := strings.Cut(stored(t, s.Gate, `{"resourceType":"Patient","name":[{"family":"Brandt"}]}`), "/")
		return id
	}
	breaks := func(page bool) bool {
		id := chart()
		if page {
			if sam.Form(t, "/glass", "patient", id, "code", "emergency").Header.Get("X-Audit-Entry") == "" {
				return false
			}
		} else if sam.Get(t, "/fhir/Patient/"+id, "X-Break-Glass", "emergency").Status != http.StatusOK {
			return false
		}
		opened++
		return true
	}
	var all sync.WaitGroup // many at once: one
	var at sync.Mutex
	ids := []string{chart(), chart(), chart(), chart(), chart(), chart()}
	for _, id := range ids {
		all.Go(func() {
			if sam.Get(t, "/fhir/Patient/"+id, "X-Break-Glass", "emergency").Status == http.StatusOK {
				at.Lock()
				opened++
				at.Unlock()
			}
		})
	}
	all.Wait()
	if opened != 1 {
		t.Fatalf("%d of six at once opened", opened)
	}
	for range 2 {
		if breaks(true) || breaks(false) {
			t.Fatal("two within ten seconds")
		}
		clock.Add(11 * time.Second)
		if !breaks(true) {
			t.Fatal("one of three")
		}
	}
	for round := range 2 {
		clock.Add(3 * time.Minute)
		if breaks(true) || breaks(false) {
			t.Fatal("the fourth without a factor")
		}
		if got := sam.Form(t, "/step-up", "next", "/", "confirm-code", codeOf(t, sam.Person, s.Now())); got.Status != http.StatusSeeOther {
			t.Fatal(got.Status)
		}
		if !breaks(round == 0) {
			t.Fatal("the fourth with a factor")
		}
		for range 5 { // the factor is still young
			clock.Add(11 * time.Second)
			if breaks(round == 0) {
				t.Fatal("a factor opened two charts")
			}
		}
	}
	officer := s.Person(t, "Priya Nair", "privacy", "")
	session, err := s.Persons.Sessions(t.Context(), officer.Person.Person)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Gate.Reviews(t.Context(), access.Person(session[0]), access.ReviewsOpen, 0, 50)
	if err != nil || list.Total != opened {
		t.Errorf("%d openings, %d reviews wait, %v", opened, list.Total, err)
	}
}
