package identity

import (
	"testing"

	"chartwarden/internal/outcome"
)

// Whoever is suspended is out at once and is told at the door; she comes back with what she had, and where charts open two people want it.
func TestSuspendedPeopleComeBackByTwo(t *testing.T) {
	s := newSite(t, false)
	ada := s.hire("Ada Admin", Administrator)
	s.clock.pass(ripeDefault * 2)
	anna, ruth := s.hire("Anna Lindqvist", Nurse), s.hire("Ruth Adeyemi", Privacy)
	s.clock.pass(ripeDefault * 2)
	in := anna.signIn()
	s.refused(s.Suspend(t.Context(), shell, ada.Person, "why not"), outcome.Conflict, "the last administrator")
	s.refused(s.Suspend(t.Context(), anna.agent(), anna.Person, "me"), outcome.Forbidden, "oneself")
	s.must(s.Suspend(t.Context(), shell, anna.Person, "on leave"))
	_, err := s.Authenticate(t.Context(), in.Token)
	s.refused(err, outcome.Login, "a session of a suspended person")
	_, err = s.SignIn(t.Context(), anna.attempt())
	s.refused(err, outcome.Forbidden, "a suspended person signs in")
	item, err := s.Resume(t.Context(), ruth.agent(), anna.Person, "back")
	s.must(err)
	if p, err := s.Person(t.Context(), anna.Person); err != nil || item == nil || p.State != Suspended {
		t.Fatalf("%+v %v", p, err)
	}
	_, err = s.Resume(t.Context(), ruth.agent(), anna.Person, "back")
	s.refused(err, outcome.Duplicate, "asked twice")
	_, err = s.Approve(t.Context(), ada.agent(), item.ID)
	s.must(err)
	s.clock.pass(ripeDefault)
	anna.signIn()
	s.must(s.Suspend(t.Context(), shell, ruth.Person, "on leave"))
	if item, err = s.Resume(t.Context(), ada.agent(), ruth.Person, "back"); err != nil || item != nil {
		t.Fatalf("%+v %v", item, err)
	}
	s.must(s.Suspend(t.Context(), shell, ruth.Person, "again"))
	if _, err := s.Terminate(t.Context(), shell, ruth.Person, "left"); err != nil {
		t.Fatal(err)
	}
}
