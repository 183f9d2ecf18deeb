package identity

import (
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// Somebody who could never agree is nobody whom an asker has to wait for.
func TestWhoCanNeverAgreeLocksNobodyOut(t *testing.T) {
	for _, role := range []string{HR, Security, Auditor, Nurse} {
		t.Run(role, func(t *testing.T) {
			s := newSite(t, false)
			ada, other := s.hire("Ada Solo", Administrator), s.hire("Otto Other", role)
			s.clock.pass(25 * time.Hour)
			_, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
			s.must(err)
			_, err = s.Approve(t.Context(), other.agent(), item.ID)
			s.refused(err, outcome.Forbidden, "by a "+role)
			_, err = s.Approve(t.Context(), ada.agent(), item.ID)
			s.refused(err, outcome.Forbidden, "alone at once")
			s.clock.pass(aloneAfter)
			_, err = s.Approve(t.Context(), ada.agent(), item.ID)
			s.must(err)
		})
	}
}

// So is somebody from whom the house's own rules take it.
func TestWhomTheRulesForbidToAgreeLocksNobodyOut(t *testing.T) {
	s, ada, ben, eve := office(t)
	s.o.Agrees = func(p Person) bool { return p.ID != ben.Person }
	p, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Hal Resources", Roles: []string{HR}})
	s.must(err)
	if item != nil || !p.Active {
		t.Error("what nobody could look at waits")
	}
	_, item, err = s.Change(t.Context(), ada.agent(), eve.Person, Change{Clearances: ptr([]string{"PSY"})})
	s.must(err)
	if list, err := s.CanAgree(t.Context(), ada.Person, eve.Person); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	s.clock.pass(aloneAfter)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.refused(err, outcome.Forbidden, "by whom the rules forbid it")
	_, err = s.Approve(t.Context(), ada.agent(), item.ID)
	s.must(err)
}

// An administrator and a privacy officer are two: neither does alone what two should do, and together they do everything.
func TestAnAdministratorAndAPrivacyOfficerAreTwo(t *testing.T) {
	s, ada, ben, eve := office(t)
	for _, role := range []string{Administrator, Privacy, Security, HR} {
		p, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Pup " + role, Roles: []string{role}})
		s.must(err)
		if item == nil || p.Active {
			t.Fatalf("a new %s came at once, though a privacy officer could look", role)
		}
		s.clock.pass(aloneAfter)
		_, err = s.Approve(t.Context(), ada.agent(), item.ID)
		s.refused(err, outcome.Forbidden, "alone although a privacy officer is there")
		_, err = s.Approve(t.Context(), ben.agent(), item.ID)
		s.must(err)
	}
	if list, err := s.CanAgree(t.Context(), ada.Person, eve.Person); err != nil || len(list) != 1 || list[0].ID != ben.Person {
		t.Error(list, err)
	}
	item, err := s.AskReset(t.Context(), ada.agent(), eve.Person, "lost phone")
	s.must(err)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.must(err)
	// What concerns the only other one waits for nobody: he could not look at it.
	if list, err := s.CanAgree(t.Context(), ada.Person, ben.Person); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	_, item, err = s.Change(t.Context(), ada.agent(), ben.Person, Change{Roles: ptr([]string{Privacy, Security})})
	s.must(err)
	if item != nil {
		t.Error("it waits for the one whom it concerns")
	}
}
