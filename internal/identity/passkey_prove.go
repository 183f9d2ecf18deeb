package identity

import (
	"context"
	"database/sql"
	"errors"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Why a passkey is not taken. Nothing is slowed after it: a signature cannot be guessed.
var (
	errPasskey        = outcome.New(outcome.Login, "this passkey does not open anything here: sign in another way, or ask for a new start").Because("passkey.unknown")
	errPasskeyChanged = outcome.New(outcome.Login, "this passkey is not as it was when it was made: sign in another way, remove it under My sign-in, and make a new one").Because("passkey.changed")
	errPasskeyCopied  = outcome.New(outcome.Login, "there may be a copy of this passkey, so it opens nothing any more: sign in another way, remove it under My sign-in, and make a new one").Because("passkey.copied")
	errPasskeyOther   = outcome.New(outcome.Login, "this is somebody else's passkey").Because("passkey.other")
)

// shownKey is a passkey that an attempt proved, with what its authenticator said of itself.
type shownKey struct {
	id      string
	counter uint32
	backed  bool // a copy of it exists
}

// answered checks the answer of an authenticator for subject, or, with nil, for whom it names. The challenge is used up either way.
// Each refusal of a passkey that is known here, or of a challenge that was given, is an entry.
//
// Errors: outcome.Login; outcome.NotSupported; outcome.NoStore.
func (s *Store) answered(ctx context.Context, subject *row, a Attempt) (*row, proof, error) {
	if s.party == nil {
		return nil, proof{}, errNoPasskeys
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Passkey)
	if err != nil {
		return nil, proof{}, outcome.Wrap("identity: passkey", outcome.Login, "the browser's answer about the passkey cannot be read: try again", err)
	}
	purpose, asked := toOpen, ""
	if a.session != nil {
		purpose, asked = toStepUp, a.session.ID
	}
	data, late := s.take(ctx, parsed.Response.CollectedClientData.Challenge, purpose, asked)
	if late != nil && !errors.Is(late, errChallenge) {
		return nil, proof{}, late
	}
	found, err := s.passkeys(ctx, s.db.Reader(), `k.credential=?`, s.nameOf(parsed.RawID))
	if err != nil {
		return nil, proof{}, err
	}
	by, d := audit.Agent{Job: "sign-in", Device: a.From.Device, Address: addressOf(a.From), Zone: a.From.Zone}, didLogin // a stranger
	if a.session != nil {
		by, d = a.session.Agent(), didStepUp // whoever the passkey belongs to
	}
	if len(found) != 1 {
		if late == nil {
			return nil, proof{}, s.refusePasskey(ctx, by, d, "unknown", errPasskey)
		}
		return nil, proof{}, late
	}
	k := &found[0]
	r, err := s.scanPerson(s.db.Reader().QueryRowContext(ctx, selectPerson+` where p.number=?`, k.person))
	if err != nil {
		return nil, proof{}, err
	}
	if a.session == nil {
		by = agentOf(r.Person, "", a.From)
	}
	switch {
	case late != nil:
		return nil, proof{}, s.refusePasskey(ctx, by, d, k.id, late)
	case subject != nil && subject.number != r.number:
		return nil, proof{}, s.refusePasskey(ctx, by, d, k.id, errPasskeyOther)
	case k.Suspect:
		return nil, proof{}, s.refusePasskey(ctx, by, d, k.id, errPasskeyCopied)
	case k.Credential.Flags.BackupEligible != parsed.Response.AuthenticatorData.Flags.HasBackupEligible():
		return nil, proof{}, s.refusePasskey(ctx, by, d, k.id, errPasskeyChanged)
	}
	keys, err := s.passkeys(ctx, s.db.Reader(), `k.person=?`, r.number)
	if err != nil {
		return nil, proof{}, err
	}
	verified, err := s.verified(holder{r, keys}, data, parsed)
	if err != nil {
		_, _ = s.note(ctx, s.event(by, d, failed, "passkey "+k.id+": "+whatFailed(err))) // refused either way
		return nil, proof{}, outcome.Wrap("identity: passkey", outcome.Login, "the passkey does not hold here: use it on this site, with your finger, face or PIN", err).Because("passkey.refused")
	}
	if verified.Authenticator.CloneWarning {
		return nil, proof{}, s.suspect(ctx, by, d, k)
	}
	return r, proof{passkey: &shownKey{k.id, parsed.Response.AuthenticatorData.Counter, parsed.Response.AuthenticatorData.Flags.HasBackupState()}}, nil
}

// verified lets the library compare an answer with its challenge.
func (s *Store) verified(h holder, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if len(data.UserID) > 0 {
		return s.party.ValidateLogin(h, data, parsed)
	}
	return s.party.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) { return h, nil }, data, parsed)
}

// suspect closes a passkey whose counter went back: two authenticators answer for it, and nobody knows which is the person's.
func (s *Store) suspect(ctx context.Context, by audit.Agent, d did, k *heldPasskey) error {
	n, err := s.noteOrOwe(ctx, s.event(by, didSuspectPasskey, acted, "passkey "+k.id+" of person "+by.Person+": its counter went back, there may be a copy; it opens nothing any more"))
	if err != nil {
		return err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.alterPasskey(tx, k.person, k.id, func(k *heldPasskey) error { k.Suspect = true; return nil }); err != nil {
			return err
		}
		return s.tell(tx, k.person, didSuspectPasskey)
	})
	s.refresh(k.person)
	if err != nil {
		return err
	}
	return s.refusePasskey(ctx, by, d, k.id, errPasskeyCopied)
}

// spendPasskey keeps the counter of a passkey that was used, in the transaction of what it opens: of two answers with the same counter
// one counts. Whether it may be copied never changes; whether it was is kept as it is said.
func (s *Store) spendPasskey(tx *sql.Tx, person int64, shown *shownKey) error {
	return s.alterPasskey(tx, person, shown.id, func(k *heldPasskey) error {
		if k.Suspect {
			return errPasskeyCopied
		}
		if k.Credential.Authenticator.UpdateCounter(shown.counter); k.Credential.Authenticator.CloneWarning {
			return errChallenge // somebody was faster with the same counter; the next attempt says more
		}
		k.Credential.Flags.BackupState = shown.backed
		k.used = micros(s.now())
		return nil
	})
}
