package identity

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

func (s *site) dead(token, what string) {
	s.t.Helper()
	if _, err := s.Authenticate(s.t.Context(), token); !errors.Is(err, ErrSignedOut) {
		s.t.Fatalf("%s: the session lives on (%v)", what, err)
	}
}

func (s *site) alive(token, what string) *Session {
	s.t.Helper()
	ses, err := s.Authenticate(s.t.Context(), token)
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	return ses
}

func TestTerminationKillsWithinOneCall(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	one, two := p.signIn(), p.signIn()
	s.alive(one.Token, "before")
	s.alive(two.Token, "before")
	s.must(s.SaveDraft(t.Context(), one.Session, "/x", []byte("text")))
	s.trail.take()

	_, err := s.Terminate(t.Context(), p.agent(), p.Person, "tired")
	s.refused(err, outcome.Forbidden, "oneself")
	_, err = s.Terminate(t.Context(), admin.agent(), p.Person, "")
	s.refused(err, outcome.Required, "without a reason")
	s.wantSaid()
	c, err := s.Terminate(t.Context(), admin.agent(), p.Person, "left the hospital")
	s.must(err)
	s.dead(one.Token, "at once")
	s.dead(two.Token, "at once")
	s.wantSaid("person-terminate")
	if len(c.Sessions) != 2 || c.CredentialsRemoved != 2 || c.DraftsDropped != 1 || c.Person != p.Person || c.Owed {
		t.Fatalf("%+v", c)
	}
	_, err = s.SignIn(t.Context(), p.attempt())
	s.refused(err, outcome.Login, "sign in after the end")
	_, err = s.Invite(t.Context(), admin.agent(), p.Person)
	s.refused(err, outcome.Conflict, "a link after the end")
	_, err = s.Terminate(t.Context(), admin.agent(), p.Person, "again")
	s.refused(err, outcome.Conflict, "twice")
	_, err = s.Terminate(t.Context(), shell, admin.Person, "everybody out")
	s.refused(err, outcome.Conflict, "the last administrator")

	signed, err := s.Attest(c)
	s.must(err)
	var got struct {
		Person, Reason, Key, Signature string
		Sessions                       []struct{ ID string }
	}
	s.must(json.Unmarshal(signed, &got))
	key, _ := base64.StdEncoding.DecodeString(got.Key)
	signature, _ := base64.StdEncoding.DecodeString(got.Signature)
	body := string(signed[:strings.LastIndex(string(signed), `,"key"`)]) + "}"
	if got.Person != p.Person || len(got.Sessions) != 2 || !ed25519.Verify(key, []byte(body), signature) {
		t.Fatalf("%s", signed)
	}
}

func TestTerminationFromAnotherProcess(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.alive(o.Token, "before")
	s.trail.take()
	other := s.process()
	other.o.Trail = nil // the log is the server's
	c, err := other.Terminate(t.Context(), shell, p.Person, "left")
	s.must(err)
	if len(c.Sessions) != 1 || !c.Owed {
		t.Fatalf("%+v", c)
	}
	s.clock.pass(time.Second)
	s.dead(o.Token, "within a second")
	s.wantSaid()
	s.must(s.settle(t.Context()))
	s.wantSaid("person-terminate")
}

func TestAKillDuringASignInWins(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	r, err := s.find(t.Context(), s.db.Reader(), p.Person)
	s.must(err)
	_, err = s.Kill(t.Context(), shell, p.Person, "lost badge")
	s.must(err)
	_, err = s.open(t.Context(), r, opening{capacity: StaffCapacity, from: atStation}) // read before the kill
	if !errors.Is(err, ErrSignedOut) {
		t.Fatalf("opened across a kill: %v", err)
	}
	p.signIn() // but anew it works
}

// The epoch alone kills, whatever a session's row says: a row restored from a backup, for example.
func TestAnOldEpochIsDead(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_person set epoch=epoch+1`)
		return err
	}))
	s.alive(o.Token, "trusted for a second")
	s.clock.pass(time.Second)
	s.dead(o.Token, "then looked up")
}

func TestNoLookOutrunsAKill(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	for range 20 {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						s.refresh(o.Session.person)
						_, _ = s.Authenticate(context.Background(), o.Token)
					}
				}
			})
		}
		_, err := s.Kill(t.Context(), shell, p.Person, "lost badge")
		s.dead(o.Token, "after the kill returned")
		close(stop)
		wg.Wait()
		s.must(err)
		o = p.signIn()
	}
}

// Deterministic: what was read before a kill is not believed after it.
func TestAReadFromBeforeAKillIsNotKept(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	gen := s.generation()
	st, err := s.stored(t.Context(), o.Token)
	s.must(err)
	_, err = s.Kill(t.Context(), shell, p.Person, "lost badge")
	s.must(err)
	s.remember(st, gen, s.clock.now())
	s.dead(o.Token, "killed")
}

func TestALockHoldsWithoutADatabase(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Lock(broken, o.Session, ""); err == nil {
		t.Fatal("the lock claims to be stored")
	}
	for range 2 {
		if _, err := s.Authenticate(t.Context(), o.Token); !errors.Is(err, ErrLocked) {
			t.Fatalf("not locked: %v", err)
		}
		s.clock.pass(2 * time.Second)
	}
}

func TestRolesFollowWithinASecond(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.alive(o.Token, "before")
	_, _, err := s.Change(t.Context(), shell, p.Person, Change{Roles: &[]string{FrontDesk}})
	s.must(err)
	if got := s.alive(o.Token, "after").Roles(); !slices.Equal(got, []string{FrontDesk}) {
		t.Fatalf("at once here: %v", got)
	}
	_, _, err = s.process().Change(t.Context(), shell, p.Person, Change{Roles: &[]string{}})
	s.must(err)
	s.clock.pass(time.Second)
	if got := s.alive(o.Token, "after").Roles(); len(got) != 0 {
		t.Fatalf("within a second elsewhere: %v", got)
	}
}

func TestIdleLocksAndOnlyDeedsRenew(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.trail.take()
	for range 5 { // deeds
		s.clock.pass(9 * time.Minute)
		s.Touch(s.alive(o.Token, "in use"), "/chart/1/labs")
	}
	s.must(s.flush(t.Context()))
	for range 9 { // polling
		s.clock.pass(time.Minute)
		s.alive(o.Token, "polled")
	}
	s.clock.pass(time.Minute)
	for range 3 {
		if _, err := s.Authenticate(t.Context(), o.Token); !errors.Is(err, ErrLocked) || outcome.Status(err) != 401 {
			t.Fatalf("not locked: %v", err)
		}
	}
	s.wantSaid("lock")
	if _, err := s.process().Authenticate(t.Context(), o.Token); !errors.Is(err, ErrLocked) {
		t.Fatalf("the lock is not stored: %v", err)
	}
	screen, err := s.Locked(t.Context(), o.Token)
	s.must(err)
	if screen.Name != "Maren Okafor" {
		t.Fatalf("%+v", screen)
	}
	back, err := s.Unlock(t.Context(), o.Token, Attempt{Password: p.Password, From: atStation})
	s.must(err)
	if back.Page != "/chart/1/labs" || back.Token != o.Token || back.Session.ID != o.Session.ID {
		t.Fatalf("%+v", back)
	}
	if !back.Session.AuthTime(1).Equal(s.clock.now()) || back.Session.AuthTime(2).Equal(s.clock.now()) {
		t.Fatal("one factor proves level 1, not level 2")
	}
	s.alive(o.Token, "unlocked")
	s.wantSaid("unlock")
}

func TestAPublicScreenLocksSooner(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	a := p.attempt()
	a.From.Zone = "public"
	o, err := s.SignIn(t.Context(), a)
	s.must(err)
	s.clock.pass(2 * time.Minute)
	if _, err := s.Authenticate(t.Context(), o.Token); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
}

func TestTheHardEnd(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	for range 12*60/9 + 1 {
		s.clock.pass(9 * time.Minute)
		if ses, err := s.Authenticate(t.Context(), o.Token); err == nil {
			s.Touch(ses, "")
		}
	}
	s.dead(o.Token, "after 12 hours of use")
	_, err := s.Unlock(t.Context(), o.Token, Attempt{Password: p.Password, From: atStation})
	if !errors.Is(err, ErrSignedOut) {
		t.Fatalf("unlocked after the end: %v", err)
	}
}

func TestUnlockRefusesAWrongFactor(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.must(s.Lock(t.Context(), o.Session, "/chart/1"))
	code := p.code()
	for name, a := range map[string]Attempt{"nothing": {}, "a wrong password": {Password: "wrong horse battery"}, "a wrong code": {Code: "000000"},
		"one right, one wrong": {Password: "wrong horse battery", Code: code}} {
		s.clock.pass(2 * time.Minute)
		a.From = atStation
		_, err := s.Unlock(t.Context(), o.Token, a)
		s.refused(err, outcome.Login, name)
	}
	s.clock.pass(2 * time.Minute)
	if _, err := s.Authenticate(t.Context(), o.Token); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	code = p.code()
	_, err := s.Unlock(t.Context(), o.Token, Attempt{Code: code, From: atStation})
	s.must(err)
	s.clock.pass(time.Second)
	_, err = s.Unlock(t.Context(), o.Token, Attempt{Code: code, From: atStation})
	s.refused(err, outcome.Login, "the same code again")
}

func TestTwoPeopleAtOneScreen(t *testing.T) {
	s := newSite(t, true)
	maren, ada := s.hire("Maren Okafor", Nurse), s.hire("Ada Berg", Physician)
	m := maren.signIn()
	s.must(s.SaveDraft(t.Context(), m.Session, "/chart/1/note", []byte("half a sentence")))
	s.Touch(m.Session, "/chart/1/note")

	_, err := s.Unlock(t.Context(), m.Token, Attempt{Person: ada.Person, Password: ada.Password, From: atStation})
	s.refused(err, outcome.Login, "one factor of somebody who has no session here")
	s.alive(m.Token, "a failed switch disturbs nobody")
	s.clock.pass(time.Minute)
	a, err := s.Unlock(t.Context(), m.Token, ada.attempt()) // the first time takes both
	s.must(err)
	if a.Session.Person.ID != ada.Person || a.Token == m.Token || a.Page != "" {
		t.Fatalf("%+v", a)
	}
	if _, err := s.Authenticate(t.Context(), m.Token); !errors.Is(err, ErrLocked) {
		t.Fatalf("the first session is open: %v", err)
	}
	if text, err := s.LoadDraft(t.Context(), a.Session, "/chart/1/note"); err != nil || text != nil {
		t.Fatalf("somebody else's draft: %q %v", text, err)
	}
	s.Touch(a.Session, "/chart/2/orders")

	back, err := s.Unlock(t.Context(), a.Token, Attempt{Person: maren.Person, Password: maren.Password, From: atStation}) // now one is enough
	s.must(err)
	text, err := s.LoadDraft(t.Context(), back.Session, "/chart/1/note")
	s.must(err)
	if back.Session.ID != m.Session.ID || back.Page != "/chart/1/note" || string(text) != "half a sentence" || back.Token == m.Token {
		t.Fatalf("%+v %q", back, text)
	}
	s.dead(m.Token, "the old token")
	if _, err := s.Authenticate(t.Context(), a.Token); !errors.Is(err, ErrLocked) {
		t.Fatalf("the second session is open: %v", err)
	}
	again, err := s.Unlock(t.Context(), back.Token, Attempt{Person: ada.Person, Code: ada.code(), From: atStation})
	s.must(err)
	if again.Page != "/chart/2/orders" {
		t.Fatalf("%+v", again)
	}

	elsewhere := atStation
	elsewhere.Device = "station-9"
	_, err = s.Unlock(t.Context(), again.Token, Attempt{Person: maren.Person, Password: maren.Password, From: elsewhere})
	s.refused(err, outcome.Login, "one factor at another device")

	s.clock.pass(time.Minute)
	nowhere := ada.attempt()
	nowhere.From.Device = ""
	n, err := s.SignIn(t.Context(), nowhere)
	s.must(err)
	nowhere = maren.attempt()
	nowhere.From.Device = ""
	_, err = s.SignIn(t.Context(), nowhere)
	s.must(err)
	_, err = s.Unlock(t.Context(), n.Token, Attempt{Person: maren.Person, Password: maren.Password, From: nowhere.From})
	s.refused(err, outcome.Login, "one factor where the device is unknown")
}

func TestStepUpWearsOff(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.clock.pass(5 * time.Minute)
	_, err := s.StepUp(t.Context(), s.alive(o.Token, "before"), Attempt{Code: "000000", From: atStation})
	s.refused(err, outcome.Login, "a wrong factor")
	up, err := s.StepUp(t.Context(), s.alive(o.Token, "before"), Attempt{Code: p.code(), From: atStation})
	s.must(err)
	now := s.clock.now()
	s.clock.pass(5 * time.Minute)
	if got := s.alive(o.Token, "after"); !up.AuthTime(2).Equal(now) || !got.AuthTime(2).Equal(now) {
		t.Fatalf("%v %v, want %v", up.AuthTime(2), got.AuthTime(2), now)
	}
}

// Whoever saw a password typed unlocks with it, and makes no factor of his own.
func TestAPasswordAloneChangesNoFactor(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.clock.pass(freshFor + time.Second)
	s.must(s.Lock(t.Context(), o.Session, ""))
	back, err := s.Unlock(t.Context(), o.Token, Attempt{Password: p.Password, From: atStation})
	s.must(err)
	_, err = s.StepUp(t.Context(), back.Session, Attempt{Password: p.Password, From: atStation})
	s.refused(err, outcome.Required, "a step-up by the password alone")
	if _, err := s.NewRecoveryCodes(t.Context(), s.alive(o.Token, "after")); err != ErrStale {
		t.Fatalf("a password alone makes recovery codes: %v", err)
	}
	up, err := s.StepUp(t.Context(), back.Session, Attempt{Password: p.Password, Code: p.code(), From: atStation})
	s.must(err)
	_, err = s.NewRecoveryCodes(t.Context(), up)
	s.must(err)
}

// A proof is for the change that it was asked for.
func TestAChangeOfFactorsAsksForAFreshProof(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	s.clock.pass(2 * time.Minute)
	s.must(s.Fresh(o.Session))
	s.clock.pass(time.Second)
	if _, err := s.AskNewPasskey(t.Context(), o.Session); err != ErrStale {
		t.Fatalf("a sign-in of two minutes ago adds a passkey: %v", err)
	}
}

func TestSessionsOfMine(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	one, two := p.signIn(), p.signIn()
	list, err := s.Sessions(t.Context(), p.Person)
	s.must(err)
	if len(list) != 2 || list[0].ID != two.Session.ID || list[0].Device != "station-4" {
		t.Fatalf("%v", list)
	}
	s.refused(s.EndSession(t.Context(), p.agent(), s.hire("Ada Berg").Person, one.Session.ID), outcome.NotFound, "a session of somebody else")
	s.must(s.EndSession(t.Context(), p.agent(), p.Person, one.Session.ID))
	s.dead(one.Token, "ended from the list")
	s.alive(two.Token, "the other one")
	s.must(s.SignOut(t.Context(), two.Session))
	s.dead(two.Token, "signed out")
	if list, err = s.Sessions(t.Context(), p.Person); err != nil || len(list) != 0 {
		t.Fatalf("%v %v", list, err)
	}
}

func TestASessionSurvivesARestart(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	s.clock.pass(9 * time.Minute)
	s.Touch(s.alive(o.Token, "before"), "/chart/1")
	s.must(s.Close()) // stores the idle time
	s.clock.pass(9 * time.Minute)
	if _, err := s.process().Authenticate(t.Context(), o.Token); err != nil {
		t.Fatal(err)
	}
}

func TestOldThingsAreForgotten(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	s.must(s.SaveDraft(t.Context(), o.Session, "/x", []byte("text")))
	count := func(table string) (n int) {
		s.must(s.db.Reader().QueryRow(`select count(*) from ` + table).Scan(&n))
		return n
	}
	s.must(s.forget(t.Context()))
	if count("identity_session") != 1 || count("identity_draft") != 1 {
		t.Fatal("forgot what is in use")
	}
	s.clock.pass(31 * 24 * time.Hour)
	s.must(s.forget(t.Context()))
	if count("identity_session") != 0 || count("identity_draft") != 0 || count("identity_person") != 1 {
		t.Fatal("kept what is over")
	}
}

func TestAPersonPrintsAsAnID(t *testing.T) {
	p := Person{ID: "abc", Name: "Maren Okafor"}
	for _, got := range []string{fmt.Sprint(p), fmt.Sprintf("%v %+v %#v %s", p, &p, p, p), fmt.Sprintf("%+v", struct{ P Person }{p}), fmt.Sprint(&Session{ID: "x", Person: p})} {
		if strings.Contains(got, "Okafor") {
			t.Errorf("%s", got)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	s := newSite(b, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	b.Run("fresh", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Authenticate(b.Context(), o.Token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("each from the database", func(b *testing.B) {
		for b.Loop() {
			s.refresh(o.Session.person)
			if _, err := s.Authenticate(b.Context(), o.Token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
