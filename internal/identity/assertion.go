package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/outcome"

	"github.com/go-jose/go-jose/v4"
)

// AssertionAlgorithm is the one algorithm by which a key may sign a client's assertion; empty for a key that may not.
// Source: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html.
func AssertionAlgorithm(k jose.JSONWebKey) jose.SignatureAlgorithm {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 && (k.Algorithm == "" || k.Algorithm == string(jose.RS384)) {
			return jose.RS384
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P384() && (k.Algorithm == "" || k.Algorithm == string(jose.ES384)) {
			return jose.ES384
		}
	}
	return ""
}

// ErrReplayed refuses an assertion that was used before.
var ErrReplayed error = outcome.New(outcome.Login, "this assertion was used before: sign a new one, with a jti of its own, for each request").Because("assertion.replay")

// SpendAssertion counts a client's jti once, until the assertion is over anyway. Call it after everything else of the assertion holds,
// or somebody could use up the numbers of another. Errors: [ErrReplayed]; outcome.NoStore.
func (s *Store) SpendAssertion(ctx context.Context, client, jti string, expires time.Time) error {
	sum := sha256.Sum256([]byte(client + "\x00" + jti))
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		return oneOr(ErrReplayed)(tx.Exec(`insert into identity_assertion(jti, expires_at) values(?,?) on conflict do nothing`, sum[:], micros(expires)))
	})
}

// AssertionSpent refuses a number that [Store.SpendAssertion] counted, without counting it: for what is spent only once it worked, so that it
// can be sent again where it did not. Errors: [ErrReplayed]; outcome.NoStore.
func (s *Store) AssertionSpent(ctx context.Context, client, jti string) error {
	sum := sha256.Sum256([]byte(client + "\x00" + jti))
	var n int
	if err := s.db.Reader().QueryRowContext(ctx, `select count(*) from identity_assertion where jti=?`, sum[:]).Scan(&n); err != nil {
		return outcome.Wrap("identity: assertion", outcome.NoStore, "what was sent before cannot be read", err)
	}
	if n > 0 {
		return ErrReplayed
	}
	return nil
}

// TokenSigner is the key that signs identity tokens (RS256, as the standard wants), made at the first need and kept sealed. id names it
// in the JWK Set.
func (s *Store) TokenSigner(ctx context.Context) (id string, key *rsa.PrivateKey, err error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	if s.signer != nil {
		return s.signerID, s.signer, nil
	}
	k, err := s.box.Key(ctx, 0, "signer")
	if err != nil {
		return "", nil, err
	}
	var sealed []byte
	const newest = `select id, sealed from identity_signer order by created_at, id limit 1`
	err = s.db.Reader().QueryRowContext(ctx, newest).Scan(&id, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		fresh, genErr := rsa.GenerateKey(rand.Reader, 3072)
		if genErr != nil {
			return "", nil, outcome.Wrap("identity: signer", outcome.Exception, "no key could be made", genErr)
		}
		id = newID()
		if sealed, err = s.box.Seal(nil, k, aad("signer", id), x509.MarshalPKCS1PrivateKey(fresh)); err != nil {
			return "", nil, err
		}
		if err = s.db.Write(ctx, func(tx *sql.Tx) error {
			if _, err := tx.Exec(`insert into identity_signer(id, created_at, sealed) select ?,?,? where not exists (select 1 from identity_signer)`, id, micros(s.now()), sealed); err != nil {
				return err
			}
			return tx.QueryRow(newest).Scan(&id, &sealed) // another process may have been faster
		}); err != nil {
			return "", nil, err
		}
	} else if err != nil {
		return "", nil, outcome.Wrap("identity: signer", outcome.NoStore, "the key cannot be read", err)
	}
	plain, err := s.box.Open(nil, aad("signer", id), sealed)
	if err != nil {
		return "", nil, err
	}
	if key, err = x509.ParsePKCS1PrivateKey(plain); err != nil {
		return "", nil, outcome.Wrap("identity: signer", outcome.Exception, "the key cannot be read", err)
	}
	s.signerID, s.signer = id, key
	return id, key, nil
}
