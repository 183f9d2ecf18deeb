package identity

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const testSite = "https://ehr.example"

// challenge is the options of a sign-in or unlock.
func (s *site) challenge() []byte {
	s.t.Helper()
	b, err := s.AskPasskey(s.t.Context(), atStation)
	s.must(err)
	return b
}

// withKey is an attempt by an authenticator.
func (s *site) withKey(a *authenticator) Attempt {
	s.t.Helper()
	return Attempt{Passkey: a.get(s.t, s.challenge()), From: atStation}
}

// keyed adds a passkey to somebody who is signed in.
func (s *site) keyed(ses *Session, a *authenticator, name string) Passkey {
	s.t.Helper()
	asked, err := s.AskNewPasskey(s.t.Context(), ses)
	s.must(err)
	k, err := s.AddPasskey(s.t.Context(), ses, name, a.create(s.t, asked))
	s.must(err)
	return k
}

func TestAPasskeyIsEnrolledByTheLinkAndSignsInWithoutAName(t *testing.T) {
	s := newSite(t, false)
	first, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Ada Admin", Roles: []string{Administrator}})
	s.must(err)
	link, err := s.Invite(t.Context(), shell, first.ID)
	s.must(err)
	asked, err := s.AskFirstPasskey(t.Context(), link.Token)
	s.must(err)
	if o := optionsOf(t, asked).PublicKey; o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "required" || o.User.ID != text64.EncodeToString([]byte(first.ID)) {
		t.Fatalf("%s", asked)
	}
	s.trail.take()
	key := laptop()
	o, err := s.EnrolPasskey(t.Context(), link.Token, "  Ward  laptop ", key.create(t, asked), atStation)
	s.must(err)
	s.wantSaid("enrol", "login")
	if o.Session.AAL != 2 || !o.Session.Person.Active {
		t.Fatalf("%+v", o.Session)
	}
	if who, err := s.Person(t.Context(), first.ID); err != nil || !who.Enrolled {
		t.Fatalf("%+v %v", who, err)
	}
	if _, err := s.Invite(t.Context(), shell, first.ID); !outcome.Is(err, outcome.Conflict) {
		t.Fatalf("a second link: %v", err)
	}
	keys, err := s.Passkeys(t.Context(), first.ID)
	s.must(err)
	if len(keys) != 1 || keys[0].Name != "Ward laptop" || !keys[0].Bound {
		t.Fatalf("%+v", keys)
	}
	_, err = s.EnrolPasskey(t.Context(), link.Token, "", key.create(t, asked), atStation)
	s.refused(err, outcome.NotFound, "the link again")

	s.must(s.SignOut(t.Context(), o.Session))
	s.clock.pass(time.Hour)
	s.trail.take()
	in, err := s.SignIn(t.Context(), s.withKey(key))
	s.must(err)
	if in.Session.Person.ID != first.ID || in.Session.AAL != 2 || !in.Session.AuthTime(2).Equal(s.clock.now()) {
		t.Fatalf("%+v", in.Session)
	}
	if e := s.trail.take(); len(e) != 1 || e[0].Interaction != "login" || e[0].Text != "by passkey "+keys[0].ID || e[0].Agent.AAL != 2 {
		t.Fatalf("%+v", e)
	}
	if keys, _ = s.Passkeys(t.Context(), first.ID); !keys[0].Used.Equal(s.clock.now()) {
		t.Fatalf("used %s", keys[0].Used)
	}
	if got, err := s.Authenticate(t.Context(), in.Token); err != nil || got.Person.Name != "Ada Admin" {
		t.Fatalf("%v %v", got, err)
	}
}

func TestAPasskeyUnlocksAndStepsUp(t *testing.T) {
	s := newSite(t, true)
	maren, noor := s.hire("Maren Okafor", Nurse), s.hire("Noor Haddad", Physician)
	o, other := maren.signIn(), noor.signIn()
	key, others := phone(), laptop()
	if k := s.keyed(o.Session, key, ""); k.Bound || k.Name != "Passkey of "+s.clock.now().Format("2 January 2006") {
		t.Fatalf("%+v", k)
	}
	s.keyed(other.Session, others, "")
	s.must(s.Lock(t.Context(), o.Session, "/chart/1"))
	s.trail.take()
	back, err := s.Unlock(t.Context(), o.Token, s.withKey(key))
	s.must(err)
	if back.Session.ID != o.Session.ID || back.Page != "/chart/1" || !back.Session.AuthTime(2).Equal(s.clock.now()) {
		t.Fatalf("%+v %q", back.Session, back.Page)
	}
	s.wantSaid("unlock")

	s.must(s.Lock(t.Context(), back.Session, "/chart/1"))
	theirs, err := s.Unlock(t.Context(), o.Token, s.withKey(others))
	s.must(err)
	if theirs.Session.Person.ID != noor.Person || theirs.Page == "/chart/1" {
		t.Fatalf("%+v %q", theirs.Session, theirs.Page)
	}
	if _, err := s.Authenticate(t.Context(), o.Token); err != ErrLocked {
		t.Fatalf("another's passkey opens the locked session: %v", err)
	}
	back, err = s.Unlock(t.Context(), o.Token, s.withKey(key))
	s.must(err)

	s.clock.pass(time.Minute)
	asked, err := s.AskStepUp(t.Context(), back.Session)
	s.must(err)
	if a := optionsOf(t, asked).PublicKey.AllowCredentials; len(a) != 1 || a[0].ID != text64.EncodeToString(key.id) {
		t.Fatalf("%s", asked)
	}
	s.trail.take()
	up, err := s.StepUp(t.Context(), back.Session, Attempt{Passkey: key.get(t, asked), From: atStation})
	s.must(err)
	if !up.AuthTime(2).Equal(s.clock.now()) {
		t.Fatal("not fresh")
	}
	s.wantSaid("step-up")
	asked, err = s.AskStepUp(t.Context(), back.Session)
	s.must(err)
	_, err = s.StepUp(t.Context(), back.Session, Attempt{Passkey: others.get(t, asked), From: atStation})
	s.refused(err, outcome.Login, "a step-up by somebody else's passkey")
	if !strings.Contains(err.Error(), "somebody else's") {
		t.Errorf("it says %q", err)
	}
	_, err = s.StepUp(t.Context(), back.Session, s.withKey(key))
	s.refused(err, outcome.Login, "a step-up by the challenge of a sign-in")
	asked, err = s.AskStepUp(t.Context(), back.Session)
	s.must(err)
	_, err = s.SignIn(t.Context(), Attempt{Passkey: key.get(t, asked), From: atStation})
	s.refused(err, outcome.Login, "a sign-in by the challenge of a step-up")
}

// What no passkey may do: each is refused, each is an entry, and none keeps the real one out.
func TestPasskeysAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		synced bool
		forge  func(*authenticator)
		says   string
	}{
		{"another origin", false, func(a *authenticator) { a.origin = "https://ehr.example.evil.test" }, "does not hold here"},
		{"the same host by http", false, func(a *authenticator) { a.origin = "http://ehr.example" }, "does not hold here"},
		{"another site", false, func(a *authenticator) { a.site = "evil.test" }, "does not hold here"},
		{"no user verification", false, func(a *authenticator) { a.flags &^= verifiedFlag }, "does not hold here"},
		{"nobody there", false, func(a *authenticator) { a.flags &^= present }, "does not hold here"},
		{"a key that can be copied now", false, func(a *authenticator) { a.flags |= copyable }, "make a new one"},
		{"a key that cannot be copied any more", true, func(a *authenticator) { a.flags &^= copyable | copied }, "make a new one"},
		{"copied and not copyable", false, func(a *authenticator) { a.flags |= copied }, "does not hold here"},
		{"another key", false, func(a *authenticator) { a.key = laptop().key }, "does not hold here"},
		{"another person's handle", false, func(a *authenticator) { a.handle = []byte("another person") }, "does not hold here"},
		{"no handle", false, func(a *authenticator) { a.handle = nil }, "does not hold here"},
		{"a key that is unknown here", false, func(a *authenticator) { a.id = laptop().id }, "does not open anything here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, true)
			maren := s.hire("Maren Okafor", Nurse)
			key := laptop()
			if c.synced {
				key = phone()
			}
			k := s.keyed(maren.signIn().Session, key, "")
			s.trail.take()
			forged := key.but(c.forge)
			_, err := s.SignIn(t.Context(), s.withKey(forged))
			s.refused(err, outcome.Login, c.name)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %q", err)
			}
			e := s.trail.take()
			if len(e) != 1 || e[0].Interaction != "login" || e[0].Outcome == 0 || !strings.HasPrefix(e[0].Text, "passkey ") {
				t.Fatalf("noted %+v", e)
			}
			key.counter = forged.counter
			_, err = s.SignIn(t.Context(), s.withKey(key))
			s.must(err)
			if keys, _ := s.Passkeys(t.Context(), maren.Person); len(keys) != 1 || keys[0].Bound == c.synced || keys[0].ID != k.ID {
				t.Errorf("the passkey was rewritten: %+v", keys)
			}
		})
	}
}

func TestAChallengeCountsOnceAndForFiveMinutes(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	key := phone()
	o := maren.signIn()
	s.keyed(o.Session, key, "")
	a := s.withKey(key)
	_, err := s.SignIn(t.Context(), a)
	s.must(err)
	s.trail.take()
	_, err = s.SignIn(t.Context(), a)
	s.refused(err, outcome.Login, "the same answer again")
	s.wantSaid("login failed")
	_, err = s.process().SignIn(t.Context(), a)
	s.refused(err, outcome.Login, "the same answer at another node")

	bad := s.challenge()
	_, err = s.SignIn(t.Context(), Attempt{Passkey: key.but(func(a *authenticator) { a.origin = "https://evil.test" }).get(t, bad), From: atStation})
	s.refused(err, outcome.Login, "another origin")
	_, err = s.SignIn(t.Context(), Attempt{Passkey: key.get(t, bad), From: atStation})
	s.refused(err, outcome.Login, "a challenge that a wrong answer used up")

	late := s.withKey(key)
	s.clock.pass(challengeLasts)
	_, err = s.SignIn(t.Context(), late)
	s.refused(err, outcome.Login, "an answer after five minutes")
	_, err = s.SignIn(t.Context(), Attempt{Passkey: key.get(t, []byte(`{"publicKey":{"challenge":"`+text64.EncodeToString(make([]byte, 32))+`"}}`)), From: atStation})
	s.refused(err, outcome.Login, "a made-up challenge")

	misused := optionsOf(t, s.challenge()).PublicKey.Challenge
	for range 2 {
		_, err = s.take(t.Context(), misused, toAdd, "")
		s.refused(err, outcome.Login, "a challenge for another purpose")
	}
	_, err = s.take(t.Context(), misused, toOpen, "")
	s.refused(err, outcome.Login, "a challenge that was used up for another purpose")

	again := s.withKey(key)
	var wg sync.WaitGroup
	var mu sync.Mutex
	opened := 0
	for range 4 {
		wg.Go(func() {
			if _, err := s.SignIn(context.Background(), again); err == nil {
				mu.Lock()
				opened++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if opened != 1 {
		t.Fatalf("%d sessions from one answer", opened)
	}
	other, err := s.process().SignIn(t.Context(), s.withKey(key)) // asked here, answered at another node
	s.must(err)
	if other.Session.Person.ID != maren.Person {
		t.Fatal(other.Session)
	}
	left := 0
	s.withKey(key)
	s.clock.pass(challengeLasts + time.Second)
	s.must(s.forget(t.Context()))
	s.must(s.db.Reader().QueryRow(`select count(*) from identity_challenge`).Scan(&left))
	if left != 0 {
		t.Fatalf("%d challenges are kept for ever", left)
	}
}

// A registration that is not as asked is refused, and so is the challenge of somebody else's.
func TestNewPasskeysAreRefused(t *testing.T) {
	s := newSite(t, true)
	maren, noor := s.hire("Maren Okafor", Nurse), s.hire("Noor Haddad", Physician)
	o, other := maren.signIn(), noor.signIn()
	for name, forge := range map[string]func(*authenticator){
		"another origin":          func(a *authenticator) { a.origin = "https://evil.test" },
		"another site":            func(a *authenticator) { a.site = "evil.test" },
		"no user verification":    func(a *authenticator) { a.flags &^= verifiedFlag },
		"copied and not copyable": func(a *authenticator) { a.flags |= copied },
	} {
		asked, err := s.AskNewPasskey(t.Context(), o.Session)
		s.must(err)
		s.trail.take()
		_, err = s.AddPasskey(t.Context(), o.Session, "", laptop().but(forge).create(t, asked))
		s.refused(err, outcome.Value, name)
		s.wantSaid("passkey-add failed")
	}
	asked, err := s.AskNewPasskey(t.Context(), o.Session)
	s.must(err)
	key := laptop()
	answer := key.create(t, asked)
	_, err = s.AddPasskey(t.Context(), other.Session, "", answer)
	s.refused(err, outcome.Login, "somebody else's challenge")
	_, err = s.AddPasskey(t.Context(), o.Session, "", answer)
	s.refused(err, outcome.Login, "a challenge that was used up")
	s.keyed(o.Session, key, "")
	asked, err = s.AskNewPasskey(t.Context(), other.Session)
	s.must(err)
	_, err = s.AddPasskey(t.Context(), other.Session, "", key.create(t, asked))
	s.refused(err, outcome.Duplicate, "a key that somebody else has")
	asked, err = s.AskNewPasskey(t.Context(), o.Session)
	s.must(err)
	if e := optionsOf(t, asked).PublicKey.ExcludeCredentials; len(e) != 1 {
		t.Fatalf("%s", asked)
	}
	s.clock.pass(freshFor + time.Second)
	ses, err := s.Authenticate(t.Context(), o.Token)
	if err == nil {
		_, err = s.AskNewPasskey(t.Context(), ses)
	}
	if err != ErrStale && err != ErrLocked {
		t.Fatalf("a stale session adds a passkey: %v", err)
	}
}

// An authenticator whose counter goes back has a twin: neither opens anything any more.
func TestACopiedPasskeyIsClosed(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	key := laptop()
	s.keyed(maren.signIn().Session, key, "")
	copied := key.but(func(*authenticator) {})
	for range 3 {
		_, err := s.SignIn(t.Context(), s.withKey(key))
		s.must(err)
	}
	s.trail.take()
	_, err := s.SignIn(t.Context(), s.withKey(copied))
	s.refused(err, outcome.Login, "a copy")
	s.wantSaid("passkey-suspect", "login failed")
	_, err = s.SignIn(t.Context(), s.withKey(key))
	s.refused(err, outcome.Login, "the other of the two")
	o := maren.signIn()
	keys, err := s.Passkeys(t.Context(), maren.Person)
	s.must(err)
	if len(keys) != 1 || !keys[0].Suspect || !o.Session.Told && !s.told(o) {
		t.Fatalf("%+v", keys)
	}
	s.must(s.RemovePasskey(t.Context(), o.Session, keys[0].ID))
}

// told reports whether the session says that there are notices.
func (s *site) told(o Opened) bool {
	s.t.Helper()
	ses, err := s.Authenticate(s.t.Context(), o.Token)
	s.must(err)
	return ses.Told
}

// Whoever guesses at names and passwords slows guesses, not passkeys.
func TestOthersFailuresSlowNoPasskey(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	key := laptop()
	s.keyed(maren.signIn().Session, key, "")
	far := atStation
	far.Zone, far.Device = "internet", ""
	for range 40 {
		_, _ = s.SignIn(t.Context(), Attempt{Person: maren.Person, Password: "wrong horse battery", Code: "000000", From: far})
		_, _ = s.SignIn(t.Context(), Attempt{Passkey: laptop().get(t, s.challenge()), From: far})
	}
	a := s.withKey(key)
	a.From = far
	_, err := s.SignIn(t.Context(), a)
	s.must(err)
}

func TestFactorsAreRemovedButNotTheLast(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	o := maren.signIn()
	s.refused(s.RemovePassword(t.Context(), o.Session), outcome.Conflict, "the only factors")
	key, second := laptop(), phone()
	k := s.keyed(o.Session, key, "Laptop")
	if !s.told(o) {
		t.Fatal("the person is not told of a new passkey")
	}
	notices, err := s.Notices(t.Context(), o.Session)
	s.must(err)
	if len(notices) != 1 || notices[0].Kind != "passkey-add" {
		t.Fatalf("%+v", notices)
	}
	s.must(s.SeeNotices(t.Context(), o.Session))
	if !s.told(o) {
		t.Fatal("the session that made a passkey puts its notice aside")
	}
	o = maren.signIn()
	s.must(s.SeeNotices(t.Context(), o.Session))
	if s.told(o) {
		t.Fatal("told for ever")
	}
	if notices, err = s.Notices(t.Context(), o.Session); err != nil || len(notices) != 1 || !notices[0].Seen.Equal(s.clock.now()) {
		t.Fatalf("what was seen is gone: %+v %v", notices, err)
	}
	s.must(s.RenamePasskey(t.Context(), o.Session, k.ID, "Desk"))
	s.refused(s.RenamePasskey(t.Context(), o.Session, k.ID, " "), outcome.Value, "no name")
	s.refused(s.RenamePasskey(t.Context(), s.hire("Somebody Else").signIn().Session, k.ID, "Mine"), outcome.NotFound, "another's passkey")
	s.trail.take()
	s.must(s.RemovePassword(t.Context(), o.Session))
	s.wantSaid("password-remove")
	_, err = s.SignIn(t.Context(), maren.attempt())
	s.refused(err, outcome.Login, "the password that was removed")
	s.refused(s.RemovePasskey(t.Context(), o.Session, k.ID), outcome.Conflict, "the last passkey")
	l := s.keyed(o.Session, second, "Phone")
	stale := *o.Session
	stale.auth[2] = s.clock.now().Add(-freshFor - time.Second)
	if err := s.RemovePasskey(t.Context(), &stale, k.ID); err != ErrStale {
		t.Fatalf("a stale session removes a passkey: %v", err)
	}
	var wg sync.WaitGroup
	gone := make([]error, 2)
	for i, id := range []string{k.ID, l.ID} {
		wg.Go(func() { gone[i] = s.RemovePasskey(context.Background(), o.Session, id) })
	}
	wg.Wait()
	if (gone[0] == nil) == (gone[1] == nil) {
		t.Fatalf("of two who remove one of two each, one must not: %v", gone)
	}
	keys, err := s.Passkeys(t.Context(), maren.Person)
	s.must(err)
	if len(keys) != 1 {
		t.Fatalf("%+v", keys)
	}
	left := map[string]*authenticator{k.ID: key, l.ID: second}[keys[0].ID]
	lost := map[string]*authenticator{l.ID: key, k.ID: second}[keys[0].ID]
	_, err = s.SignIn(t.Context(), s.withKey(left))
	s.must(err)
	_, err = s.SignIn(t.Context(), s.withKey(lost))
	s.refused(err, outcome.Login, "a passkey that was removed")
}

// Who was shut out a moment ago, and is still believed, leaves no way back: no passkey, no codes; and removes nobody's.
func TestAnEndedSessionChangesNoFactor(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	k := s.keyed(o.Session, laptop(), "")
	asked, err := s.AskNewPasskey(t.Context(), o.Session)
	s.must(err)
	_, err = s.Kill(t.Context(), shell, p.Person, "stolen")
	s.must(err)
	_, err = s.AddPasskey(t.Context(), o.Session, "", laptop().create(t, asked))
	s.refused(err, outcome.Login, "a passkey")
	_, err = s.NewRecoveryCodes(t.Context(), o.Session)
	s.refused(err, outcome.Login, "recovery codes")
	s.refused(s.RemovePasskey(t.Context(), o.Session, k.ID), outcome.Login, "a removal")
	s.refused(s.RemovePassword(t.Context(), o.Session), outcome.Login, "a removal")
	if r, err := s.Recovery(t.Context(), o.Session); err != nil || r.Left != 0 {
		t.Fatalf("%+v %v", r, err)
	}
}

// A passkey makes somebody a second person a day after it was made, and not before.
func TestAPasskeyRipens(t *testing.T) {
	s := newSite(t, false)
	first, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Ada Admin", Roles: []string{Administrator}})
	s.must(err)
	link, err := s.Invite(t.Context(), shell, first.ID)
	s.must(err)
	asked, err := s.AskFirstPasskey(t.Context(), link.Token)
	s.must(err)
	o, err := s.EnrolPasskey(t.Context(), link.Token, "", laptop().create(t, asked), atStation)
	s.must(err)
	_, item, err := s.Create(t.Context(), shell, NewPerson{Name: "Maren Okafor", Roles: []string{Nurse}})
	s.must(err)
	_, err = s.Approve(t.Context(), o.Session.Agent(), item.ID)
	s.refused(err, outcome.Forbidden, "an authenticator of today")
	s.clock.pass(24*time.Hour + time.Second)
	_, err = s.Approve(t.Context(), o.Session.Agent(), item.ID)
	s.must(err)
}

// Whoever holds one recovery code plants a passkey: its owner's old authenticator does not make him a second person, not even once he
// removed the passkey again or had it closed. Nor does it let who asked approve alone.
func TestTheNewestFactorDecidesWhoIsASecondPerson(t *testing.T) {
	for name, after := range map[string]func(s *site, ses *Session, key *authenticator, id string){
		"it stays": func(*site, *Session, *authenticator, string) {},
		"it is removed": func(s *site, ses *Session, _ *authenticator, id string) {
			s.must(s.RemovePasskey(t.Context(), ses, id))
		},
		"it is closed": func(s *site, ses *Session, _ *authenticator, id string) {
			s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
				return s.alterPasskey(tx, ses.person, id, func(k *heldPasskey) error { k.Suspect = true; return nil })
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, ada, ben, _ := office(t)
			codes, err := s.NewRecoveryCodes(t.Context(), ben.signIn().Session)
			s.must(err)
			link, err := s.Recover(t.Context(), ben.Person, codes[0], atStation)
			s.must(err)
			asked, err := s.AskFirstPasskey(t.Context(), link.Token)
			s.must(err)
			key := laptop()
			in, err := s.EnrolPasskey(t.Context(), link.Token, "", key.create(t, asked), atStation)
			s.must(err)
			asked, err = s.AskStepUp(t.Context(), in.Session)
			s.must(err)
			up, err := s.StepUp(t.Context(), in.Session, Attempt{Passkey: key.get(t, asked), From: atStation})
			s.must(err)
			keys, err := s.Passkeys(t.Context(), ben.Person)
			s.must(err)
			after(s, up, key, keys[0].ID)
			_, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
			s.must(err)
			_, err = s.Approve(t.Context(), ben.agent(), item.ID)
			s.refused(err, outcome.Forbidden, "a factor of today")
			s.clock.pass(24*time.Hour - time.Second)
			_, err = s.Approve(t.Context(), ben.agent(), item.ID)
			s.refused(err, outcome.Forbidden, "a factor of yesterday")
			s.clock.pass(2 * time.Second)
			_, err = s.Approve(t.Context(), ada.agent(), item.ID)
			s.refused(err, outcome.Forbidden, "alone")
			_, err = s.Approve(t.Context(), ben.agent(), item.ID)
			s.must(err)
		})
	}
}

// A reset and a termination take passkeys and recovery codes along.
func TestAResetTakesPasskeysAway(t *testing.T) {
	for name, cut := range map[string]func(*site, someone, someone){
		"reset": func(s *site, p, by someone) {
			third := s.hire("Third Admin", Administrator)
			item, err := s.AskReset(t.Context(), by.agent(), p.Person, "lost")
			s.must(err)
			_, err = s.Approve(t.Context(), third.agent(), item.ID)
			s.must(err)
		},
		"termination": func(s *site, p, by someone) {
			c, err := s.Terminate(t.Context(), by.agent(), p.Person, "left")
			s.must(err)
			if c.CredentialsRemoved != 3 {
				t.Fatalf("%d factors removed", c.CredentialsRemoved)
			}
		},
	} {
		s := newSite(t, true)
		p, by := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
		o := p.signIn()
		key := laptop()
		s.keyed(o.Session, key, "")
		codes, err := s.NewRecoveryCodes(t.Context(), o.Session)
		s.must(err)
		cut(s, p, by)
		_, err = s.SignIn(t.Context(), s.withKey(key))
		s.refused(err, outcome.Login, "a passkey after a "+name)
		_, err = s.Recover(t.Context(), p.Person, codes[0], atStation)
		s.refused(err, outcome.Login, "a recovery code after a "+name)
	}
}

// Rows of passkeys and recovery codes that this server did not write are as if they were not there, and are named; and so are those that
// are as they once were.
func TestForgedPasskeysAreUselessAndNamed(t *testing.T) {
	s := newSite(t, true)
	var altered []string
	s.o.Altered = func(table string, _ int64) { altered = append(altered, table) }
	maren, mallory := s.hire("Maren Okafor", Nurse), s.hire("Mal Lory", Billing)
	o := maren.signIn()
	key, evil := laptop(), laptop()
	k := s.keyed(o.Session, key, "")
	own := mallory.signIn()
	e := s.keyed(own.Session, evil, "")
	codes, err := s.NewRecoveryCodes(t.Context(), o.Session)
	s.must(err)
	exec := func(statement string, args ...any) {
		t.Helper()
		s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement, args...); return err }))
	}
	verify := func() (named []string) {
		t.Helper()
		s.trail.mu.Lock()
		defer s.trail.mu.Unlock()
		c, err := NewCheck(t.Context(), s.db, s.ring.Box("identity"), false, func(table string, _ int64, what string) { named = append(named, table+" "+what) })
		s.must(err)
		for i, e := range s.trail.events {
			c.Entry(&audit.Read{Index: audit.Index(i + 1), Recorded: e.Time, Event: e})
		}
		rows, err := c.Read(t.Context())
		s.must(err)
		c.Compare(rows)
		return named
	}
	if named := verify(); len(named) > 0 {
		t.Fatalf("a sound installation is named: %q", named)
	}
	number := func(p someone) (n int64) {
		s.must(s.db.Reader().QueryRow(`select number from identity_person where id=?`, p.Person).Scan(&n))
		return n
	}

	exec(`update identity_passkey set person=? where id=?`, number(maren), e.ID)
	evil.handle = []byte(maren.Person)
	_, err = s.SignIn(t.Context(), s.withKey(evil))
	s.refused(err, outcome.Login, "a passkey handed to another person")
	if named := verify(); !slices.Contains(altered, passkeyTable) || !slices.ContainsFunc(named, func(n string) bool { return strings.HasPrefix(n, passkeyTable+" was not written") }) {
		t.Fatalf("altered %q, named %q", altered, named)
	}
	exec(`update identity_passkey set person=? where id=?`, number(mallory), e.ID)
	if named := verify(); len(named) > 0 {
		t.Fatalf("%q", named)
	}

	exec(`create table kept as select * from identity_passkey where id=?`, k.ID)
	exec(`create table kept_codes as select * from identity_recovery`)
	s.must(s.RemovePasskey(t.Context(), o.Session, k.ID))
	_, err = s.Recover(t.Context(), maren.Person, codes[0], atStation)
	s.must(err)
	exec(`insert into identity_passkey select * from kept`)
	exec(`delete from identity_recovery`)
	exec(`insert into identity_recovery select * from kept_codes`)
	named := strings.Join(verify(), "\n")
	for _, want := range []string{"passkey that was removed", "recovery code that was used, and is good again"} {
		if !strings.Contains(named, want) {
			t.Errorf("not named: %s\n%s", want, named)
		}
	}
	exec(`delete from identity_passkey where id=?`, e.ID)
	if named := strings.Join(verify(), "\n"); !strings.Contains(named, passkeyTable+" is missing") {
		t.Errorf("a deleted passkey is not named:\n%s", named)
	}
	exec(`update identity_recovery set used_at=0, person=?`, number(mallory))
	_, err = s.Recover(t.Context(), mallory.Person, codes[1], atStation)
	s.refused(err, outcome.Login, "recovery codes handed to another person")
}

// Neither names of passkeys nor anything of a credential, a challenge or a code lies readable on the disk.
func TestPasskeysLieSealed(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	key := laptop()
	s.keyed(o.Session, key, "Kitchen tablet")
	codes, err := s.NewRecoveryCodes(t.Context(), o.Session)
	s.must(err)
	challenge := optionsOf(t, s.challenge()).PublicKey.Challenge
	disk := dbtest.Disk(t, s.db)
	for _, plain := range []string{"Kitchen tablet", string(key.id), text64.EncodeToString(key.id), challenge, codes[0], strings.ReplaceAll(codes[0], "-", ""), p.Person + "passkey"} {
		if bytes.Contains(disk, []byte(plain)) {
			t.Errorf("the disk holds %.20q", plain)
		}
	}
}

func TestWherePasskeysCannotBe(t *testing.T) {
	for site, want := range map[string]string{"https://ehr.example": "ehr.example", "https://ehr.example:8443": "ehr.example", "http://localhost:8080": "localhost", "http://ehr.example": "",
		"http://127.0.0.1:8080": "", "https://10.0.0.7": "", "https://[::1]": "", "": "", "ehr.example": ""} {
		p := newParty(site, "x")
		if (p == nil) != (want == "") || p != nil && p.Config.RPID != want {
			t.Errorf("%s: %v", site, p)
		}
	}
	s := newSite(t, true)
	s.party = nil
	_, err := s.AskPasskey(t.Context(), atStation)
	s.refused(err, outcome.NotSupported, "no site")
	_, err = s.SignIn(t.Context(), Attempt{Passkey: []byte("{}")})
	s.refused(err, outcome.NotSupported, "no site")
}

// A flood of requests from one network outside is bounded; the hospital is not.
func TestAFloodOfChallengesIsBounded(t *testing.T) {
	s := newSite(t, true)
	far := Arrival{Zone: "internet"}
	for range askedMost {
		s.asking.admit(network(far.Address), s.clock.now())
	}
	_, err := s.AskPasskey(t.Context(), far)
	s.refused(err, outcome.Throttled, "a flood")
	s.challenge()
	s.clock.pass(time.Minute)
	_, err = s.AskPasskey(t.Context(), far)
	s.must(err)
}

// Whatever a browser sends is an answer that holds or an error, never a panic; and nothing but the authenticator's own answer holds.
func FuzzPasskeyAnswer(f *testing.F) {
	key := laptop()
	key.origin, key.site = testSite, "ehr.example"
	asked := []byte(`{"publicKey":{"challenge":"` + text64.EncodeToString(make([]byte, 32)) + `","user":{"id":"c29tZWJvZHk"}}}`)
	created := key.create(f, asked)
	got := key.get(f, asked)
	f.Add(got)
	f.Add(created)
	f.Add([]byte(`{"id":"","rawId":"","type":"public-key","response":{}}`))
	s := &Store{party: newParty(testSite, "test")}
	h := holder{row: &row{Person: Person{ID: "somebody"}}}
	data := webauthn.SessionData{Challenge: text64.EncodeToString(make([]byte, 32)), UserID: []byte("somebody"), UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault()}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(created)
	if err != nil {
		f.Fatal(err)
	}
	made, err := s.party.CreateCredential(h, data, parsed)
	if err != nil {
		f.Fatal(err)
	}
	h.keys = []heldPasskey{{Credential: *made}}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if parsed, err := protocol.ParseCredentialCreationResponseBytes(answer); err == nil {
			_, _ = s.party.CreateCredential(h, data, parsed)
		}
		parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
		if err != nil {
			return
		}
		if _, err := s.verified(h, data, parsed); err == nil && !bytes.Contains(got, []byte(text64.EncodeToString(parsed.Response.Signature))) {
			t.Fatalf("holds: %s", answer)
		}
	})
}
