package identity

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// A role of the house narrows all roles that a person has. To take it away, or to give another, opens more of charts, so it waits for a second
// person; nobody does so for herself.
func TestARoleOfTheHouseNarrows(t *testing.T) {
	s, ada, ben, eve := office(t)
	s.o.House = func(name string) ([]string, bool) {
		if name == "ward-clerk" || name == "night" {
			return []string{Nurse}, true
		}
		return nil, false
	}
	house := func(name string) Change { return Change{House: &name} }
	for what, c := range map[string]Change{
		"no such role":                {House: ptr("wizard")},
		"a role that it is not of":    {House: ptr("ward-clerk"), Roles: ptr([]string{Nurse, FrontDesk})},
		"an administrator's narrowed": {House: ptr("ward-clerk"), Roles: ptr([]string{Administrator})},
	} {
		if _, _, err := s.Change(t.Context(), ada.agent(), eve.Person, c); err == nil || outcome.Status(err) >= 500 {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.wantSaid()
	p, item, err := s.Change(t.Context(), ada.agent(), eve.Person, house("ward-clerk"))
	s.must(err)
	if e := s.trail.take(); item != nil || p.House != "ward-clerk" || len(e) != 1 || !strings.Contains(e[0].Text, `role of the house "" -> "ward-clerk"`) {
		t.Fatalf("%+v, %+v, %+v", p, item, e)
	}
	_, _, err = s.Change(t.Context(), eve.agent(), eve.Person, house(""))
	s.refused(err, outcome.Forbidden, "one's own narrowing")
	_, _, err = s.Change(t.Context(), ada.agent(), eve.Person, Change{Roles: ptr([]string{Nurse, Physician})})
	s.refused(err, outcome.Value, "another role beside")
	for _, next := range []string{"", "night"} {
		p, item, err = s.Change(t.Context(), ada.agent(), eve.Person, house(next))
		s.must(err)
		if item == nil || p.House != "ward-clerk" {
			t.Fatalf("%q came at once: %+v", next, p)
		}
		_, err = s.Approve(t.Context(), ada.agent(), item.ID)
		s.refused(err, outcome.Forbidden, "one pair of eyes")
		s.must(s.Decline(t.Context(), ada.agent(), item.ID, "a test"))
	}
	_, item, err = s.Change(t.Context(), ada.agent(), eve.Person, house(""))
	s.must(err)
	s.clock.pass(time.Second)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.must(err)
	p, err = s.Person(t.Context(), eve.Person)
	s.must(err)
	if p.House != "" || !slices.Equal(p.Roles, []string{Nurse}) {
		t.Fatalf("%+v", p)
	}
	// Rules that dropped the role stop nobody from any other change.
	_, _, err = s.Change(t.Context(), ada.agent(), eve.Person, house("ward-clerk"))
	s.must(err)
	s.o.House = nil
	_, _, err = s.Change(t.Context(), ada.agent(), eve.Person, Change{Department: ptr("5 West")})
	s.must(err)
}
