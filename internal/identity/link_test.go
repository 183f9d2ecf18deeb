package identity

import (
	"database/sql"
	"testing"

	"chartwarden/internal/outcome"
)

// A link that a recovery code opened dies with whatever shuts its holder out, so that nobody plants a key for afterwards.
func TestAnOpenLinkDiesWithWhatShutsItsHolderOut(t *testing.T) {
	for name, cut := range map[string]func(*site, someone, Opened){
		"suspension": func(s *site, p someone, _ Opened) {
			s.must(s.Suspend(t.Context(), shell, p.Person, "stolen phone"))
		},
		"kill": func(s *site, p someone, _ Opened) {
			_, err := s.Kill(t.Context(), shell, p.Person, "stolen phone")
			s.must(err)
		},
		"new codes": func(s *site, _ someone, o Opened) {
			_, err := s.NewRecoveryCodes(t.Context(), o.Session)
			s.must(err)
		},
		"a removed passkey": func(s *site, _ someone, o Opened) {
			s.must(s.RemovePasskey(t.Context(), o.Session, s.keyed(o.Session, laptop(), "").ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, true)
			s.t = t
			maren := s.hire("Maren Okafor", Nurse)
			o := maren.signIn()
			codes, err := s.NewRecoveryCodes(t.Context(), o.Session)
			s.must(err)
			link, err := s.Recover(t.Context(), maren.Person, codes[0], atStation)
			s.must(err)
			asked, err := s.AskFirstPasskey(t.Context(), link.Token)
			s.must(err)
			key := laptop()
			planted := key.create(t, asked)
			cut(s, maren, o)
			_, err = s.EnrolPasskey(t.Context(), link.Token, "", planted, atStation)
			s.refused(err, outcome.NotFound, "a passkey by the open link")
			if who, err := s.Person(t.Context(), maren.Person); err != nil || who.State != Suspended {
				return
			}
			_, err = s.Resume(t.Context(), shell, maren.Person, "found")
			s.must(err)
			_, err = s.SignIn(t.Context(), s.withKey(key))
			s.refused(err, outcome.Login, "the planted key")
			_, err = s.Enrolment(t.Context(), link.Token)
			s.refused(err, outcome.NotFound, "the link after the return")
		})
	}
}

// Whoever is suspended hears the same at every door, and a link made meanwhile waits for the return.
func TestNobodySuspendedUsesALinkOrACode(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	codes, err := s.NewRecoveryCodes(t.Context(), maren.signIn().Session)
	s.must(err)
	s.must(s.Suspend(t.Context(), shell, maren.Person, "on leave"))
	if _, err = s.Recover(t.Context(), maren.Person, codes[0], atStation); err != errSuspended {
		t.Fatalf("it says %v", err)
	}
	bob, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Bob New", Roles: []string{Billing}})
	s.must(err)
	s.must(s.Suspend(t.Context(), shell, bob.ID, "not yet"))
	link, err := s.Invite(t.Context(), shell, bob.ID)
	s.must(err)
	_, err = s.Enrolment(t.Context(), link.Token)
	s.refused(err, outcome.NotFound, "a link of somebody suspended")
	_, err = s.Resume(t.Context(), shell, bob.ID, "now")
	s.must(err)
	_, err = s.Enrolment(t.Context(), link.Token)
	s.must(err)
}

// A hospital account that showed one factor brings nobody a session at another's locked screen, as it brings none at the sign-in.
func TestOneFactorBeginsNoSessionAtALockedScreen(t *testing.T) {
	s := newSite(t, true)
	s.t = t
	maren, eve := s.hire("Maren Okafor", Nurse), s.hire("Eve Stone", Nurse)
	v := Vouched{Issuer: "https://id.example", Subject: "maren", Level: 1, Proved: s.now()}
	own := maren.signIn()
	s.must(s.LinkProvider(t.Context(), own.Session, v, "maren"))
	s.must(s.SignOut(t.Context(), own.Session)) // she has no place here to come back to
	screen := eve.signIn()
	s.must(s.Lock(t.Context(), screen.Session, ""))
	for name, try := range map[string]func() (Opened, error){
		"the sign-in": func() (Opened, error) { return s.SignIn(t.Context(), Attempt{Vouched: &v, From: atStation}) },
		"a locked screen": func() (Opened, error) {
			return s.Unlock(t.Context(), screen.Token, Attempt{Vouched: &v, From: atStation})
		},
	} {
		if o, err := try(); err == nil {
			t.Errorf("%s: one factor opened a session of level %d", name, o.Session.AAL)
		}
	}
}

// What an administrator or the person herself removed comes back by her own hand alone, not by the key that another source gave.
func TestARemovedLinkStaysRemoved(t *testing.T) {
	v := Vouched{Issuer: "https://id.example", Subject: "maren", Level: 2}
	for name, remove := range map[string]func(*site, someone, Opened){
		"by herself": func(s *site, _ someone, o Opened) { s.must(s.Unlink(t.Context(), o.Session)) },
		"with the reset of how she signs in": func(s *site, p someone, _ Opened) {
			s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
				r, err := s.find(t.Context(), tx, p.Person)
				if err == nil {
					_, err = s.dropFactors(tx, r.number)
				}
				return err
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, true)
			s.t = t
			maren := s.hire("Maren Okafor", Nurse)
			s.must(s.TakeOn(t.Context(), shell, Account{Source: HRSource, Person: maren.Person, Key: "7"}))
			known := func() error { return s.LinkKnown(t.Context(), v, HRSource, "7", "maren") }
			s.must(known())
			o := maren.signIn()
			remove(s, maren, o)
			s.refused(known(), outcome.Login, "the link that was removed")
			if _, err := s.LinkedTo(t.Context(), v); err == nil {
				t.Fatal("the account is linked again")
			}
			if name != "by herself" {
				return // she comes in again by a new enrolment first
			}
			s.must(s.LinkProvider(t.Context(), o.Session, v, "maren"))
			if who, err := s.LinkedTo(t.Context(), v); err != nil || who.ID != maren.Person {
				t.Fatalf("her own word links nothing: %v", err)
			}
		})
	}
}

// A session that another session of the provider confirmed ends with either.
func TestASessionEndsWithEachWordThatHoldsIt(t *testing.T) {
	for _, sid := range []string{"of the sign-in", "of the confirmation"} {
		s := newSite(t, true)
		maren := s.hire("Maren Okafor", Nurse)
		v := Vouched{Issuer: "https://id.example", Subject: "maren", Session: "of the sign-in", Level: 2, Proved: s.now()}
		s.must(s.LinkProvider(t.Context(), maren.signIn().Session, v, "maren"))
		o, err := s.SignIn(t.Context(), Attempt{Vouched: &v, From: atStation})
		s.must(err)
		v.Session, v.Proved = "of the confirmation", s.now()
		_, err = s.StepUp(t.Context(), o.Session, Attempt{Person: maren.Person, Vouched: &v, From: atStation})
		s.must(err)
		if n, err := s.EndVouched(t.Context(), v.Issuer, v.Subject, sid); err != nil || n != 1 {
			t.Errorf("the end of the session %s there ends %d here, %v", sid, n, err)
		}
	}
}
