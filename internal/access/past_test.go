package access_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
)

// Every decision about a chart that the log keeps comes out the same when it is made again, from nothing but its entry.
func TestDecisionsOfTheLogReplay(t *testing.T) {
	w := newWard(t)
	from := w.Now().Add(-time.Hour)
	doctor := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	stranger := w.Person(t, "Per Stranger", "physician", "")
	nurse := w.Person(t, "Nils Nurse", "nurse", "")
	desk := w.Person(t, "Marcus Hale", "front-desk", "")
	w.checkIn(t, w.anna, w.maren)
	for path, want := range map[string]int{"/fhir/Condition?patient=" + w.maren: 200, "/fhir/Patient/" + w.maren: 200, "/fhir/Patient/" + w.maren + "/$everything": 200, "/fhir/Patient": 200} {
		if got := doctor.Get(t, path); got.Status != want {
			t.Fatalf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	doctor.Get(t, "/chart/"+w.maren)
	if got := doctor.Do(t, "POST", "/fhir/Condition", condition(w.maren, "")); got.Status != http.StatusCreated {
		t.Fatal(got)
	}
	stranger.Get(t, "/fhir/Condition?patient="+w.otto)
	stranger.Get(t, "/fhir/Patient/"+w.otto, "X-Break-Glass", "emergency")
	nurse.Get(t, "/fhir/Patient/"+w.maren)
	nurse.Get(t, "/fhir/Practitioner?family=Lindqvist")
	desk.Get(t, "/fhir/Patient/"+w.maren)
	desk.Get(t, "/fhir/Condition?patient="+w.maren)
	desk.Get(t, "/find?name=Okafor&birthdate=1961-03-14")

	allowed, refused, actions := 0, 0, map[string]int{}
	read, err := w.Gate.Past(t.Context(), access.Job(access.Operator), "a test", from, w.Now().Add(time.Hour), func(p access.Past) error {
		if p.Hash != policy.Default().Hash() {
			t.Errorf("%s: by %s", p.Entry, p.Hash)
		}
		actions[p.Facts.Action]++
		same := false
		for _, q := range p.Facts.Requests() {
			d := policy.Default().Decide(q)
			if d.Allowed != p.Allowed {
				t.Errorf("%s: was %v, is %v: %s", p.Entry, p.Allowed, d.Allowed, p.Facts.Text())
			}
			same = same || slices.Equal(d.PermitIDs(), p.Permits)
		}
		if !same {
			t.Errorf("%s: was permitted by %v: %s", p.Entry, p.Permits, p.Facts.Text())
		}
		if p.Allowed {
			allowed++
		} else {
			refused++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if allowed < 12 || refused < 3 || read.Without > 0 || read.Entry == "" {
		t.Errorf("%d allowed, %d refused, %+v", allowed, refused, read)
	}
	for _, a := range []string{policy.Read, policy.Search, policy.Write, policy.Break} {
		if actions[a] == 0 {
			t.Errorf("no %s among %v", a, actions)
		}
	}
	t.Logf("%v %+v", actions, read)
}

// Whoever may not propose rules does not read what was decided.
func TestPastIsNotForEverybody(t *testing.T) {
	w := newWard(t)
	if _, err := w.Gate.Past(t.Context(), access.Principal{}, "nothing", w.Now().Add(-time.Hour), w.Now(), nil); err == nil {
		t.Error("nobody in particular read it")
	}
}
