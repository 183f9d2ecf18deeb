package identity

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
)

func TestSignInTakesBothFactorsOnce(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	s.trail.take()
	a := maren.attempt()
	o, err := s.SignIn(t.Context(), a)
	s.must(err)
	if o.Session.AAL != 2 || o.Session.Capacity != StaffCapacity || o.Session.Degraded || !o.Session.AuthTime(2).Equal(s.clock.now()) || o.Session.Ends.Sub(s.clock.now()) != 12*time.Hour {
		t.Fatalf("%+v", o.Session)
	}
	got, err := s.Authenticate(t.Context(), o.Token)
	s.must(err)
	if got.ID != o.Session.ID || got.Person.Name != "Maren Okafor" {
		t.Fatalf("%+v", got)
	}
	s.wantSaid("login")

	_, err = s.SignIn(t.Context(), a)
	s.refused(err, outcome.Login, "the same code again")
	for name, b := range map[string]Attempt{
		"wrong password": {Person: maren.Person, Password: "wrong horse battery", Code: maren.code()},
		"no password":    {Person: maren.Person, Code: maren.code()},
		"no code":        {Person: maren.Person, Password: maren.Password},
		"wrong code":     {Person: maren.Person, Password: maren.Password, Code: "000000"},
		"nobody":         {Person: "nobody", Password: maren.Password, Code: maren.code()},
		"empty":          {},
	} {
		s.clock.pass(2 * time.Minute)
		_, err := s.SignIn(t.Context(), b)
		s.refused(err, outcome.Login, name)
		if err.Error() != errCredentials.Error() {
			t.Errorf("%s: %q tells what was wrong", name, err)
		}
	}
	if said := s.trail.said(); len(said) != 7 || said[0] != "login failed" {
		t.Fatalf("noted %q", said)
	}
}

func TestSignInBySignInName(t *testing.T) {
	s := newSite(t, true)
	first, second := s.hire("Zoë Ångström"), s.hire("Zoe  Angstrom")
	for _, p := range []someone{first, second} {
		who, err := s.Person(t.Context(), p.Person)
		s.must(err)
		a := p.attempt()
		a.Person = " " + strings.ToUpper(who.SignInName)
		o, err := s.SignIn(t.Context(), a)
		s.must(err)
		if o.Session.Person.ID != p.Person {
			t.Fatalf("%s signed somebody else in", who.SignInName)
		}
	}
	if p, _ := s.Person(t.Context(), second.Person); p.SignInName != "zoe.angstrom2" {
		t.Fatal(p.SignInName)
	}
}

// Of many who send the same code at the same moment one gets in.
func TestACodeOpensOneSessionOfMany(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	a := p.attempt()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var opened int
	for range 4 {
		wg.Go(func() {
			if _, err := s.SignIn(context.Background(), a); err == nil {
				mu.Lock()
				opened++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if opened != 1 {
		t.Fatalf("%d sessions from one code", opened)
	}
}

func TestGuessesAreSlowedAndLifted(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	far := Arrival{Zone: "internet", Address: netip.MustParseAddr("198.51.100.7")}
	guess := func() error {
		_, err := s.SignIn(t.Context(), Attempt{Person: p.Person, Password: "wrong horse battery", Code: "000000", From: far})
		return err
	}
	for range 4 {
		s.refused(guess(), outcome.Login, "guess")
	}
	err := guess()
	s.refused(err, outcome.Throttled, "fifth guess")
	if w := (Wait{}); !errors.As(err, &w) || w.For != time.Second {
		t.Fatalf("%v", err)
	}
	p.signIn() // at the hospital, unharmed
	s.clock.pass(time.Millisecond)
	s.must(s.process().LiftThrottle(t.Context(), shell, p.Person))
	s.clock.pass(time.Millisecond)
	s.refused(guess(), outcome.Login, "after the throttle was lifted by another process")
}

func TestCareGoesOnWithoutALog(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	s.trail.take()
	s.trail.failWith(outcome.New(outcome.NoStore, "disk full"))
	o := p.signIn()
	if !o.Session.Degraded {
		t.Fatal("the session does not say that its entry is missing")
	}
	s.must(s.Lock(t.Context(), o.Session, "/chart/1"))
	_, err := s.Unlock(t.Context(), o.Token, Attempt{Code: p.code(), From: atStation})
	s.must(err)
	got, err := s.Authenticate(t.Context(), o.Token)
	s.must(err)
	s.must(s.SignOut(t.Context(), got))
	_, _, err = s.Change(t.Context(), shell, p.Person, Change{Roles: &[]string{Physician}})
	s.refused(err, outcome.NoStore, "a change of roles without a log")
	if who, _ := s.Person(t.Context(), p.Person); !slices.Equal(who.Roles, []string{Nurse}) {
		t.Fatal("changed all the same")
	}
	if err := s.settle(t.Context()); err == nil {
		t.Fatal("settled without a log")
	}
	s.trail.failWith(nil)
	s.must(s.settle(t.Context()))
	s.wantSaid("login", "lock", "unlock", "logout")
	s.must(s.settle(t.Context()))
	s.wantSaid()

	s.trail.failWith(outcome.New(outcome.Transient, "busy"))
	_, err = s.SignIn(t.Context(), p.attempt())
	s.refused(err, outcome.Transient, "a log that is only busy")
}

func TestANurseWhoIsAPatient(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse, Patient)
	o := p.signIn()
	if o.Session.Capacity != StaffCapacity || !slices.Equal(o.Session.Roles(), []string{Nurse}) {
		t.Fatalf("%s with %v", o.Session.Capacity, o.Session.Roles())
	}
	s.must(s.SaveDraft(t.Context(), o.Session, "/message", []byte("about a colleague")))
	s.trail.take()
	own, err := s.SwitchCapacity(t.Context(), o.Session, PatientCapacity)
	s.must(err)
	s.wantSaid("capacity")
	if !slices.Equal(own.Session.Roles(), []string{Patient}) || own.Session.Agent().Role != Patient || !own.Session.Ends.Equal(o.Session.Ends) || own.Token == o.Token {
		t.Fatalf("%+v", own.Session)
	}
	if _, err := s.Authenticate(t.Context(), o.Token); !errors.Is(err, ErrSignedOut) {
		t.Fatalf("the staff session lives on: %v", err)
	}
	if text, err := s.LoadDraft(t.Context(), own.Session, "/message"); err != nil || text != nil {
		t.Fatalf("the draft crossed capacities: %q %v", text, err)
	}
	_, err = s.SwitchCapacity(t.Context(), s.hire("Only Nurse", Nurse).signIn().Session, PatientCapacity)
	s.refused(err, outcome.Forbidden, "a nurse without a chart here")
	a := s.hire("Only Patient", Patient).attempt()
	a.Capacity = StaffCapacity
	_, err = s.SignIn(t.Context(), a)
	s.refused(err, outcome.Forbidden, "a patient as staff")

	// taking the role away ends the sessions that act in it
	_, _, err = s.Change(t.Context(), shell, p.Person, Change{Roles: &[]string{Nurse}})
	s.must(err)
	if _, err := s.Authenticate(t.Context(), own.Token); !errors.Is(err, ErrSignedOut) {
		t.Fatalf("a session in a lost capacity lives on: %v", err)
	}
}

func TestNothingReadableInTheFiles(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse, Patient)
	who, err := s.Person(t.Context(), p.Person)
	s.must(err)
	o := p.signIn()
	s.must(s.SaveDraft(t.Context(), o.Session, "/chart/77123/note", []byte("pt denies chest pain")))
	s.Touch(o.Session, "/chart/77123/labs")
	s.must(s.flush(t.Context()))
	s.must(s.Lock(t.Context(), o.Session, "/chart/77123/meds"))
	text, err := s.LoadDraft(t.Context(), o.Session, "/chart/77123/note")
	s.must(err)
	if string(text) != "pt denies chest pain" {
		t.Fatalf("%q", text)
	}
	if b, err := s.LoadDraft(t.Context(), s.hire("Somebody Else").signIn().Session, "/chart/77123/note"); err != nil || b != nil {
		t.Fatalf("somebody else's draft: %q %v", b, err)
	}
	s.refused(s.SaveDraft(t.Context(), o.Session, "/x", make([]byte, longestDraft+1)), outcome.TooLong, "a huge draft")
	secret, _ := secretText.DecodeString(p.Secret)
	files, err := filepath.Glob(filepath.Join(s.place.Dir, "*.db*"))
	s.must(err)
	disk := map[string][]byte{"keys": dbtest.Disk(t, s.keys), "records": dbtest.Disk(t, s.db)}
	for _, f := range files {
		disk[filepath.Base(f)], err = os.ReadFile(f)
		s.must(err)
	}
	for f, raw := range disk {
		for _, plain := range []string{"chest pain", "77123", "Maren", "Okafor", "maren.okafor", "argon2id", p.Password, p.Secret, string(secret), who.Practitioner, who.Patient, o.Token, "nurse"} {
			if bytes.Contains(raw, []byte(plain)) {
				t.Errorf("%s contains %.12q", f, plain)
			}
		}
	}
	s.must(s.DropDraft(t.Context(), o.Session, "/chart/77123/note"))
	if text, err := s.LoadDraft(t.Context(), o.Session, "/chart/77123/note"); err != nil || text != nil {
		t.Fatalf("%q %v", text, err)
	}
}

func TestManyPeopleSignInAtOnce(t *testing.T) {
	s := newSite(t, true)
	var all []someone
	for range 30 {
		all = append(all, s.hire("Maren Okafor", Nurse))
	}
	s.clock.pass(codePeriod)
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			secret, _ := secretText.DecodeString(p.Secret)
			_, err := s.SignIn(context.Background(), Attempt{Person: p.Person, Password: p.Password, Code: codeAt(secret, s.clock.now().Unix()/30), From: atStation})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestSandboxOnly(t *testing.T) {
	s := newSite(t, false)
	_, err := s.CreateForTest(t.Context(), shell, NewPerson{Name: "Maren Okafor"})
	s.refused(err, outcome.NotSupported, "test credentials")
	_, err = s.Enter(t.Context(), s.hire("Maren Okafor", Nurse).Person, "", atStation)
	s.refused(err, outcome.NotSupported, "one touch")
	box := newSite(t, true)
	o, err := box.Enter(t.Context(), box.hire("Maren Okafor", Nurse).Person, "", atStation)
	box.must(err)
	if _, err := box.Authenticate(t.Context(), o.Token); err != nil {
		t.Fatal(err)
	}
}

// A name that nobody has, and somebody without a password, are checked against a password like everybody else: where that fails, signing in
// fails with it.
func TestUnknownNamesCostTheSame(t *testing.T) {
	s := newSite(t, false)
	person, _, err := s.Create(t.Context(), shell, NewPerson{Name: "No Password", Roles: []string{Billing}})
	s.must(err)
	for _, name := range []string{"nobody at all", person.ID} {
		_, err := s.SignIn(t.Context(), Attempt{Person: name, Password: "wrong wrong wrong", Code: "000000"})
		s.refused(err, outcome.Login, name)
	}
	s.hasher.decoy = "no hash"
	for _, name := range []string{"nobody at all", person.ID} {
		_, err := s.SignIn(t.Context(), Attempt{Person: name, Password: "wrong wrong wrong", Code: "000000"})
		s.refused(err, outcome.Exception, name+", where nothing can be checked")
	}
}

// BenchmarkRefusedSignIn compares what a guesser can time: a name that is here and one that is not, at the usual cost of a password.
func BenchmarkRefusedSignIn(b *testing.B) {
	s := newSite(b, true)
	s.hasher = newHasher(usual)
	made, err := s.CreateForTest(b.Context(), shell, NewPerson{Name: "Anna Lindqvist", Roles: []string{Nurse}})
	s.must(err)
	for name, who := range map[string]string{"known": made.Person, "unknown": "nobody at all"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.clock.pass(2 * time.Hour) // nobody is slowed
				if _, err := s.SignIn(b.Context(), Attempt{Person: who, Password: "wrong wrong wrong", Code: "000000"}); !outcome.Is(err, outcome.Login) {
					b.Fatal(err)
				}
			}
		})
	}
}
