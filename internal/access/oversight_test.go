package access_test

import (
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// at is the principal of a client's session.
func (w *ward) at(t *testing.T, c *servertest.Client) access.Principal {
	t.Helper()
	sessions, err := w.Persons.Sessions(t.Context(), c.Person.Person)
	if err != nil || len(sessions) == 0 {
		t.Fatal(err)
	}
	return access.Person(sessions[0])
}

// The share of explained openings comes with what the same openings would give had each met the patient of another one.
func TestOverviewCountsWhatTheLogHolds(t *testing.T) {
	w := newWard(t)
	ben := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Ben"]}]}`)
	w.checkIn(t, w.anna, w.maren)
	w.checkIn(t, ben, w.otto)
	a, b := w.at(t, w.Person(t, "Anna Lindqvist", "physician", w.anna)), w.at(t, w.Person(t, "Ben Osei", "physician", ben))
	officer := w.at(t, w.Person(t, "Ruth Adeyemi", "privacy", ""))
	for range 20 {
		for who, patient := range map[*access.Principal]string{&a: w.maren, &b: w.otto} {
			if _, err := w.Gate.Chart(t.Context(), *who, patient); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := w.Gate.BreakGlass(t.Context(), a, w.otto, "emergency", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Gate.Chart(t.Context(), a, w.otto); err != nil {
		t.Fatal(err)
	}
	o, err := w.Gate.Overview(t.Context(), officer)
	if err != nil {
		t.Fatal(err)
	}
	today := o.Days[len(o.Days)-1]
	if today.Openings != 41 || today.Unexplained != 1 || today.Glass != 1 || o.GlassToday != 1 || o.Open != 1 || o.Oldest.IsZero() || o.Answered != 0 {
		t.Errorf("figures: %+v", o)
	}
	// One chart behind the glass is not explained; dealt at random nothing is, but for Anna's visit to otto, who may be dealt maren.
	if o.Twin.Openings != 41 || o.Twin.Explained != 40 || o.Twin.Dealt > 1 {
		t.Errorf("twin: %+v", o.Twin)
	}
	if n, err := w.Gate.Waiting(t.Context(), officer); n != 1 || err != nil {
		t.Errorf("waiting: %d %v", n, err)
	}
	if n, err := w.Gate.Waiting(t.Context(), a); n != 0 || err != nil {
		t.Errorf("a physician is told how many reviews wait: %d %v", n, err)
	}
}

// A visit that was written down after the opening shows as such; colleagues never read that somebody looked into it.
func TestReviewFindsWhatCameLater(t *testing.T) {
	w := newWard(t)
	sam := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Rivera","given":["Sam"]}]}`)
	s := w.at(t, w.Person(t, "Sam Rivera", "physician", sam))
	officer := w.at(t, w.Person(t, "Ruth Adeyemi", "privacy", ""))
	if _, err := w.Gate.BreakGlass(t.Context(), s, w.maren, "patient-contact", "She came to the desk"); err != nil {
		t.Fatal(err)
	}
	list, err := w.Gate.Reviews(t.Context(), officer, access.ReviewsOpen, 0, 10)
	if err != nil || len(list.Reviews) != 1 || list.Total != 1 || list.Reviews[0].Code != "patient-contact" {
		t.Fatalf("reviews: %+v %v", list, err)
	}
	visit := func() access.Sought {
		one, err := w.Gate.ReviewOf(t.Context(), officer, list.Reviews[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(one.Lines) != 1 || one.Lines[0].Text != "patient-contact: She came to the desk" {
			t.Errorf("lines: %+v", one.Lines)
		}
		return one.Sought[slices.IndexFunc(one.Sought, func(x access.Sought) bool { return x.What == "visit" })]
	}
	if v := visit(); v.Found || v.Since {
		t.Errorf("there is no visit yet: %+v", v)
	}
	w.checkIn(t, sam, w.maren)
	if v := visit(); v.Found || !v.Since {
		t.Errorf("the visit came later: %+v", v)
	}
	if err := w.Gate.Decide(t.Context(), officer, list.Reviews[0].ID, "ask", "Who sent her?"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Gate.Named(t.Context(), officer, "to be sure", w.maren); err != nil {
		t.Fatal(err)
	}
	w.checkIn(t, w.anna, w.maren)
	colleague := w.at(t, w.Person(t, "Anna Lindqvist", "physician", w.anna))
	seen, err := w.Gate.WhoLooked(t.Context(), colleague, w.maren, access.Window{})
	if err != nil || len(seen.Lines) == 0 {
		t.Fatal(err)
	}
	for _, l := range seen.Lines {
		if l.Kind == audit.Casework || l.Agent.Name == "Ruth Adeyemi" || strings.Contains(l.Text, "Who sent") {
			t.Errorf("a colleague reads about the review: %+v", l)
		}
	}
}
