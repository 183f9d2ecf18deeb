package identity

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

func (s *site) ask(by someone, about string) *Pending {
	s.t.Helper()
	p, err := s.Ask(s.t.Context(), by.agent(), Act{Kind: "undo", About: about, Reason: "charts were vandalised", Says: "take back work", Body: json.RawMessage(`{"n":1}`), Lapses: time.Hour})
	s.must(err)
	return p
}

// An act of another package waits here for a second person, who is none of those who must not be.
func TestAnActNeedsASecondPerson(t *testing.T) {
	s, ada, ben, eve := office(t)
	_, err := s.Ask(t.Context(), ada.agent(), Act{Kind: "undo", Lapses: time.Hour})
	s.refused(err, outcome.Required, "no reason")
	item := s.ask(ada, eve.Person)
	people, err := s.Pending(t.Context())
	s.must(err)
	if len(people) != 0 {
		t.Fatalf("an act is listed among the people: %+v", people)
	}
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.refused(err, outcome.NotFound, "an act approved as if it were about a person")
	fresh := s.hire("New Hire", Privacy)
	s.trail.take()
	for what, by := range map[string]someone{"who asked": ada, "whom it is done to": eve, "a new authenticator": fresh} {
		_, err := s.Agree(t.Context(), by.agent(), item.ID, nil)
		s.refused(err, outcome.Forbidden, what)
	}
	_, err = s.Agree(t.Context(), shell, item.ID, nil)
	s.refused(err, outcome.Forbidden, "the command line")
	done, err := s.Agree(t.Context(), ben.agent(), item.ID, nil)
	s.must(err)
	if done.By != ben.Person || done.AskedBy != ada.Person || string(done.Act.Body) != `{"n":1}` || done.Reason != "charts were vandalised" {
		t.Fatalf("%+v", done)
	}
	_, err = s.Agree(t.Context(), ben.agent(), item.ID, nil)
	s.refused(err, outcome.NotFound, "twice")
	waiting, err := s.Acts(t.Context(), "approved")
	s.must(err)
	if len(waiting) != 1 || waiting[0].Person != eve.Person || waiting[0].By != ben.Person {
		t.Fatalf("%+v", waiting)
	}
	s.must(s.Finish(t.Context(), shell, item.ID, "carried out"))
	s.refused(s.Finish(t.Context(), shell, item.ID, "carried out"), outcome.Conflict, "carried out twice")
	said := s.trail.said()
	if slices.Index(said, "approval-give") < 0 || slices.Index(said, "approval-done") < 0 {
		t.Fatalf("%v", said)
	}
}

// It lapses, it is refused, and nobody agrees alone, however long it waited.
func TestAnActLapses(t *testing.T) {
	s, ada, ben, eve := office(t)
	item := s.ask(ada, eve.Person)
	s.clock.pass(61 * time.Minute)
	_, err := s.Agree(t.Context(), ben.agent(), item.ID, nil)
	s.refused(err, outcome.NotFound, "after it lapsed")
	late, err := s.Act(t.Context(), item.ID)
	s.must(err)
	if late.State != "lapsed" {
		t.Fatalf("%+v", late)
	}
	other := s.ask(ada, eve.Person)
	s.must(s.Disagree(t.Context(), ben.agent(), other.ID, "not now", nil))
	_, err = s.Agree(t.Context(), ben.agent(), other.ID, nil)
	s.refused(err, outcome.NotFound, "after it was refused")
	if open, err := s.Acts(t.Context(), "open"); err != nil || len(open) != 0 {
		t.Fatalf("%v %v", open, err)
	}
}

// Whom it is done to may leave meanwhile: that is the usual case.
func TestAnActOutlivesWhomItIsDoneTo(t *testing.T) {
	s, ada, ben, eve := office(t)
	item := s.ask(ada, eve.Person)
	_, err := s.Terminate(t.Context(), ben.agent(), eve.Person, "left")
	s.must(err)
	_, err = s.Agree(t.Context(), ben.agent(), item.ID, nil)
	s.must(err)
}

// What failed after it was begun may be begun again, but not for somebody who left or was shut out while it ran.
func TestAFailedActOfALeaverIsWithdrawn(t *testing.T) {
	s, ada, ben, eve := office(t)
	fail := func() *Pending {
		t.Helper()
		item := s.ask(ada, eve.Person)
		_, err := s.Agree(t.Context(), ben.agent(), item.ID, nil)
		s.must(err)
		s.must(s.Finish(t.Context(), shell, item.ID, "begun"))
		return item
	}
	state := func(item *Pending, want string) {
		t.Helper()
		s.must(s.Unfinish(t.Context(), shell, item.ID, "failed"))
		if now, err := s.Act(t.Context(), item.ID); err != nil || now.State != want {
			t.Errorf("%+v %v, want %s", now, err, want)
		}
	}
	state(fail(), "approved")
	item := fail()
	s.must(s.Suspend(t.Context(), shell, ben.Person, "on leave"))
	state(item, "withdrawn")
}
