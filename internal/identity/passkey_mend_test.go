package identity

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

// What a factor opened ends with it; the session that removes it stays.
func TestARemovedFactorTakesItsSessionsAlong(t *testing.T) {
	for name, remove := range map[string]func(*site, *Session, string) error{
		"passkey":  func(s *site, ses *Session, id string) error { return s.RemovePasskey(t.Context(), ses, id) },
		"password": func(s *site, ses *Session, _ string) error { return s.RemovePassword(t.Context(), ses) },
	} {
		s := newSite(t, true)
		maren, other := s.hire("Maren Okafor", Nurse), s.hire("Noor Haddad", Physician).signIn()
		o := maren.signIn()
		key := laptop()
		k := s.keyed(o.Session, key, "")
		lost, err := s.SignIn(t.Context(), s.withKey(key))
		s.must(err)
		s.must(remove(s, o.Session, k.ID))
		_, err = s.Authenticate(t.Context(), lost.Token)
		s.refused(err, outcome.Login, "a session beside the one that removed the "+name)
		for _, token := range []string{o.Token, other.Token} {
			_, err = s.Authenticate(t.Context(), token)
			s.must(err)
		}
	}
}

// A passkey that was closed can go as soon as one good key is left, and its device can make a new one.
func TestAClosedPasskeyIsReplaced(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	key := laptop()
	k, good := s.keyed(o.Session, key, ""), s.keyed(o.Session, phone(), "")
	s.must(s.RemovePassword(t.Context(), o.Session))
	copied := key.but(func(*authenticator) {})
	for range 2 {
		_, err := s.SignIn(t.Context(), s.withKey(key))
		s.must(err)
	}
	_, err := s.SignIn(t.Context(), s.withKey(copied))
	s.refused(err, outcome.Login, "a copy")
	asked, err := s.AskNewPasskey(t.Context(), o.Session)
	s.must(err)
	if e := optionsOf(t, asked).PublicKey.ExcludeCredentials; len(e) != 1 || e[0].ID == text64.EncodeToString(key.id) {
		t.Fatalf("%s", asked)
	}
	s.refused(s.RemovePasskey(t.Context(), o.Session, good.ID), outcome.Conflict, "the last good one")
	s.must(s.RemovePasskey(t.Context(), o.Session, k.ID))
}

// Whoever holds the disk makes no challenge last longer: its end is sealed.
func TestAChallengeEndsWhateverItsRowSays(t *testing.T) {
	s := newSite(t, true)
	key := phone()
	s.keyed(s.hire("Maren Okafor", Nurse).signIn().Session, key, "")
	late := s.withKey(key)
	s.must(s.db.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_challenge set expires_at=?`, micros(s.clock.now().Add(24*time.Hour)))
		return err
	}))
	s.clock.pass(challengeLasts)
	_, err := s.SignIn(t.Context(), late)
	s.refused(err, outcome.Login, "an answer after five minutes")
}

// What is no passkey of hers names itself in no entry.
func TestAnEntryNamesPasskeysOnly(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	s.trail.take()
	for _, id := range []string{"Jane Doe, born 1970, has it", "aaaaaaaaaaaaaaaa", "\x00\xff"} {
		s.refused(s.RenamePasskey(t.Context(), o.Session, id, "Desk"), outcome.NotFound, "a name for nothing")
		s.refused(s.RemovePasskey(t.Context(), o.Session, id), outcome.NotFound, "the removal of nothing")
	}
	s.wantSaid()
}

// A step-up by another's passkey is told of the session, not of whom the passkey belongs to.
func TestAnothersPasskeyAtAStepUpIsOfTheSession(t *testing.T) {
	s := newSite(t, true)
	maren := s.hire("Maren Okafor", Nurse)
	o, other := maren.signIn(), s.hire("Noor Haddad", Physician).signIn()
	s.keyed(o.Session, laptop(), "")
	others := laptop()
	s.keyed(other.Session, others, "")
	asked, err := s.AskStepUp(t.Context(), o.Session)
	s.must(err)
	s.trail.take()
	_, err = s.StepUp(t.Context(), o.Session, Attempt{Passkey: others.get(t, asked), From: atStation})
	s.refused(err, outcome.Login, "another's passkey")
	if e := s.trail.take(); len(e) != 1 || e[0].Interaction != "step-up" || e[0].Outcome == 0 || e[0].Agent.Person != maren.Person || e[0].Agent.Session != o.Session.ID {
		t.Fatalf("%+v", e)
	}
}

// Browsers write addresses small and without the usual port; so does what passkeys are compared with.
func TestTheSiteIsAsBrowsersWriteIt(t *testing.T) {
	for site, want := range map[string]string{"https://EHR.Example": "https://ehr.example", "https://ehr.example:443": "https://ehr.example", "https://ehr.example:8443": "https://ehr.example:8443",
		"http://LOCALHOST:8080": "http://localhost:8080"} {
		p := newParty(site, "x")
		if p == nil || p.Config.RPID != strings.Split(strings.TrimPrefix(strings.TrimPrefix(want, "https://"), "http://"), ":")[0] || (&Store{party: p}).PasskeySite() != want {
			t.Errorf("%s: %+v", site, p)
		}
	}
}

// A name is as long as the form allows, in any script.
func TestANameIsCountedInCharacters(t *testing.T) {
	s := newSite(t, true)
	o := s.hire("Maren Okafor", Nurse).signIn()
	name := strings.Repeat("機", longestPasskeyName)
	k := s.keyed(o.Session, laptop(), name)
	if k.Name != name {
		t.Fatalf("%q", k.Name)
	}
	s.must(s.RenamePasskey(t.Context(), o.Session, k.ID, strings.Repeat("ж", longestPasskeyName)))
	s.refused(s.RenamePasskey(t.Context(), o.Session, k.ID, name+"機"), outcome.Value, "too long")
}
