package identity

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

func TestARecoveryCodeLeadsToANewFactorAndNothingElse(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	o := p.signIn()
	codes, err := s.NewRecoveryCodes(t.Context(), o.Session)
	s.must(err)
	seen := map[string]bool{}
	for _, c := range codes {
		if seen[c] = true; !regexp.MustCompile(`^([0-9a-hj-km-np-tv-z]{4}-){3}[0-9a-hj-km-np-tv-z]{4}$`).MatchString(c) {
			t.Fatalf("%q is no code of 80 bits", c)
		}
	}
	if len(seen) != 10 {
		t.Fatalf("%d codes", len(seen))
	}
	who, err := s.Person(t.Context(), p.Person)
	s.must(err)
	s.trail.take()
	link, err := s.Recover(t.Context(), who.SignInName, " "+strings.ToUpper(strings.ReplaceAll(codes[3], "-", " ")), atStation)
	s.must(err)
	if e := s.trail.take(); len(e) != 1 || e[0].Interaction != "recovery-use" || e[0].Agent.AAL != 1 || e[0].Agent.Person != p.Person {
		t.Fatalf("%+v", e)
	}
	if link.Expires.Sub(s.clock.now()) != 15*time.Minute {
		t.Fatal(link.Expires)
	}
	_, err = s.Recover(t.Context(), p.Person, codes[3], atStation)
	s.refused(err, outcome.Login, "the same code again")
	r, err := s.Recovery(t.Context(), o.Session)
	s.must(err)
	if r.Left != 9 || r.Made.IsZero() {
		t.Fatalf("%+v", r)
	}
	if !s.told(o) {
		t.Fatal("the person is not told")
	}
	asked, err := s.AskFirstPasskey(t.Context(), link.Token)
	s.must(err)
	key := laptop()
	in, err := s.EnrolPasskey(t.Context(), link.Token, "", key.create(t, asked), atStation)
	s.must(err)
	if in.Session.AAL != 2 || !s.told(in) {
		t.Fatalf("%+v", in.Session)
	}
	_, err = s.Enrolment(t.Context(), link.Token)
	s.refused(err, outcome.NotFound, "the link again")

	if !in.Session.AuthTime(2).IsZero() || !s.alive(in.Token, "recovered").AuthTime(2).IsZero() {
		t.Fatalf("the session behind a recovery code is fresh: %s", in.Session.AuthTime(2))
	}
	if _, err := s.NewRecoveryCodes(t.Context(), in.Session); err != ErrStale {
		t.Fatalf("a recovery code changes further factors: %v", err)
	}
	asked, err = s.AskStepUp(t.Context(), in.Session)
	s.must(err)
	in.Session, err = s.StepUp(t.Context(), in.Session, Attempt{Passkey: key.get(t, asked), From: atStation})
	s.must(err)
	next, err := s.NewRecoveryCodes(t.Context(), in.Session)
	s.must(err)
	_, err = s.Recover(t.Context(), p.Person, codes[0], atStation)
	s.refused(err, outcome.Login, "a code of the set before")
	link, err = s.Recover(t.Context(), p.Person, next[0], atStation)
	s.must(err)
	s.clock.pass(15 * time.Minute)
	_, err = s.Enrolment(t.Context(), link.Token)
	s.refused(err, outcome.NotFound, "the link after this sitting")
	stale := *in.Session
	stale.auth[2] = s.clock.now().Add(-freshFor - time.Second)
	if _, err := s.NewRecoveryCodes(t.Context(), &stale); err != ErrStale {
		t.Fatalf("a stale session makes codes: %v", err)
	}
}

func TestRecoveryCodesAreThrottledAndCountOnce(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Maren Okafor", Nurse)
	codes, err := s.NewRecoveryCodes(t.Context(), p.signIn().Session)
	s.must(err)
	s.trail.take()
	far := Arrival{Zone: "internet"}
	for _, who := range []string{p.Person, "nobody"} {
		for range 4 {
			_, err := s.Recover(t.Context(), who, "0000-0000-0000-0000", far)
			s.refused(err, outcome.Login, who)
			if err.Error() != errRecovery.Error() {
				t.Fatalf("%s: %q tells what was wrong", who, err)
			}
		}
		_, err = s.Recover(t.Context(), who, codes[0], far)
		s.refused(err, outcome.Throttled, who)
	}
	if said := s.trail.said(); len(said) != 8 || said[0] != "recovery-use failed" {
		t.Fatalf("noted %q", said)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 3 {
		wg.Go(func() {
			if _, err := s.Recover(context.Background(), p.Person, codes[0], atStation); err == nil {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if taken != 1 {
		t.Fatalf("one code counts %d times", taken)
	}
	_, err = s.Recover(t.Context(), s.hire("Somebody Else").Person, codes[1], atStation)
	s.refused(err, outcome.Login, "another's code")
}
