package training_test

import (
	"slices"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
	"chartwarden/internal/training"
)

// A completion stands only where its entry says the same of the same person, even for one who holds the keys of the house.
func TestACompletionSaysWhatItsEntrySays(t *testing.T) {
	s := servertest.Start(t)
	nurse, other := s.Person(t, "Noa Nurse", "nurse", ""), s.Person(t, "Dov Dahl", "nurse", "")
	sessions, err := s.Persons.Sessions(t.Context(), nurse.Person.Person)
	if err != nil {
		t.Fatal(err)
	}
	done, _, err := s.School.Complete(t.Context(), sessions[0], "promise", nil)
	if err != nil {
		t.Fatal(err)
	}
	faults := func() (out []string) {
		t.Helper()
		report, err := s.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Faults {
			out = append(out, f.Row+" "+f.What)
		}
		return out
	}
	if got := faults(); len(got) != 0 {
		t.Fatal(got)
	}
	none, moved, longer := done, done, done
	none.Entry += "99"
	moved.Module = "phishing"
	longer.At = done.At.Add(time.Hour)
	for _, forged := range []struct {
		person string
		training.Done
	}{{nurse.Person.Person, none}, {nurse.Person.Person, moved}, {nurse.Person.Person, longer}, {other.Person.Person, done}} {
		if forged.Entry != done.Entry {
			forged.At = forged.At.Add(time.Second)
		}
		if err := s.School.Retell(t.Context(), forged.person, forged.Done); err != nil {
			t.Fatal(err)
		}
	}
	got := faults()
	if len(got) != 4 || !slices.ContainsFunc(got, func(f string) bool { return f == "training_done row 5 says other than its entry" }) {
		t.Error(got)
	}
}
