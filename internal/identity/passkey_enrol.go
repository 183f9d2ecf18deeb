package identity

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"
	"unicode/utf8"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// AskNewPasskey gives a browser the options of a further passkey for the session's person, as JSON for
// PublicKeyCredential.parseCreationOptionsFromJSON: a discoverable one, with user verification, on an authenticator that has none of
// hers yet that is good. Errors: [ErrStale]; outcome.NotSupported; outcome.NoStore.
func (s *Store) AskNewPasskey(ctx context.Context, ses *Session) ([]byte, error) {
	if err := s.fresh(ses); err != nil {
		return nil, err
	}
	h, err := s.holderOf(ctx, ses.Person.ID)
	if err != nil {
		return nil, err
	}
	return s.askNew(ctx, h, toAdd, ses.ID)
}

// AskFirstPasskey is [Store.AskNewPasskey] behind an enrolment link. Errors: outcome.NotFound (the link).
func (s *Store) AskFirstPasskey(ctx context.Context, token string) ([]byte, error) {
	e, _, _, err := s.enrolment(ctx, token)
	if err != nil {
		return nil, err
	}
	h, err := s.holderOf(ctx, e.Person)
	if err != nil {
		return nil, err
	}
	return s.askNew(ctx, h, toEnrol, linkHolder(token))
}

// linkHolder names a link in a challenge without being it.
func linkHolder(token string) string {
	hash, _ := parseToken(token)
	return hex.EncodeToString(hash[:])
}

func (s *Store) askNew(ctx context.Context, h holder, purpose, by string) ([]byte, error) {
	options, data, err := s.party.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.good().WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return nil, fault("new passkey", err)
	}
	return s.ask(ctx, ceremony{For: purpose, Holder: by, Data: *data}, options)
}

// AddPasskey keeps what the browser answered to [Store.AskNewPasskey], under a name ("" makes one), and tells the person.
// Errors: [ErrStale]; outcome.Login (too late, or a second time); outcome.Value (not made as asked: another site, no user verification);
// outcome.Duplicate.
func (s *Store) AddPasskey(ctx context.Context, ses *Session, name string, answer []byte) (Passkey, error) {
	if err := s.fresh(ses); err != nil {
		return Passkey{}, err
	}
	h, err := s.holderOf(ctx, ses.Person.ID)
	if err != nil {
		return Passkey{}, err
	}
	k, err := s.made(ctx, ses.Agent(), h, toAdd, ses.ID, name, answer)
	if err != nil {
		return Passkey{}, err
	}
	n, err := s.note(ctx, s.event(ses.Agent(), didAddPasskey, acted, k.described()+" of person "+h.ID))
	if err != nil {
		return Passkey{}, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.still(tx, ses); err != nil {
			return err
		}
		if err := s.insertPasskey(tx, *k); err != nil {
			return err
		}
		return s.tell(tx, ses.person, didAddPasskey)
	})
	s.refresh(ses.person)
	return k.shown(), err
}

// EnrolPasskey is [Store.Enrol] by a passkey in place of password and authenticator: answer is the browser's to [Store.AskFirstPasskey].
// Errors: as [Store.Enrol] and [Store.AddPasskey]; the link stays good.
func (s *Store) EnrolPasskey(ctx context.Context, token, name string, answer []byte, from Arrival) (Opened, error) {
	e, r, _, err := s.enrolment(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	h, err := s.holderOf(ctx, e.Person)
	if err != nil {
		return Opened{}, err
	}
	by := agentOf(r.Person, "", from)
	k, err := s.made(ctx, by, h, toEnrol, linkHolder(token), name, answer)
	if err != nil {
		return Opened{}, err
	}
	return s.enrolled(ctx, token, r, from, "person "+r.ID+" set "+k.described(), func(tx *sql.Tx) error { return s.insertPasskey(tx, *k) })
}

// described is a passkey in an entry.
func (k *heldPasskey) described() string {
	kind := "synced"
	if !k.Credential.Flags.BackupEligible {
		kind = "device-bound"
	}
	return "passkey " + k.id + " (" + kind + ", model " + hex.EncodeToString(k.Credential.Authenticator.AAGUID) + ")"
}

// made checks what an authenticator answered to the wish for a new passkey.
func (s *Store) made(ctx context.Context, by audit.Agent, h holder, purpose, holds, name string, answer []byte) (*heldPasskey, error) {
	refuse := func(cause error) error {
		err := error(outcome.Wrap("identity: passkey", outcome.Value, "the passkey was not made as it has to be: on this site, and with your finger, face or PIN; try again", cause).Because("passkey.made"))
		_, _ = s.note(ctx, s.event(by, didAddPasskey, failed, "passkey of person "+h.ID+" not taken: "+whatFailed(cause))) // refused either way
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, outcome.Wrap("identity: passkey", outcome.Value, "the browser's answer about the passkey cannot be read: try again", err)
	}
	data, err := s.take(ctx, parsed.Response.CollectedClientData.Challenge, purpose, holds)
	if err != nil {
		_, _ = s.note(ctx, s.event(by, didAddPasskey, failed, "passkey of person "+h.ID+" not taken: "+err.Error()))
		return nil, err
	}
	credential, err := s.party.CreateCredential(h, data, parsed)
	if err != nil {
		return nil, refuse(err)
	}
	tag := s.nameOf(credential.ID)
	if found, err := s.passkeys(ctx, s.db.Reader(), `k.credential=?`, tag); err != nil || len(found) > 0 {
		if err == nil {
			err = outcome.New(outcome.Duplicate, "this passkey is known here already")
		}
		return nil, err
	}
	if name = passkeyName(name); name == "" || utf8.RuneCountInString(name) > longestPasskeyName {
		name = "Passkey of " + s.now().UTC().Format("2 January 2006")
	}
	now := micros(s.now().UTC().Truncate(time.Microsecond))
	return &heldPasskey{passkeyColumns: passkeyColumns{id: newID(), person: h.number, credential: tag, made: now, used: now}, Name: name, Credential: *credential}, nil
}

// whatFailed is what the library found wrong, for an entry: its own words, which hold nothing of a person.
func whatFailed(err error) string {
	var p *protocol.Error
	if errors.As(err, &p) {
		return p.Details
	}
	return "it does not hold"
}
