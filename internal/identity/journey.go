package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"chartwarden/internal/outcome"
)

// A journey is a sign-in that leaves this server and comes back: what has to be remembered until then, kept sealed beside the challenges of
// passkeys. It counts once, on whichever node it arrives.
type journey struct {
	For, Holder string
	Until       int64
	Data        json.RawMessage
}

var errJourney = outcome.New(outcome.Login, "this sign-in took too long, was used before, or began in another browser: start again").Because("provider.journey")

// Depart keeps data until [Store.Arrive] asks for it under the name that is given here, once. purpose and holder have to be the same then.
// Errors: outcome.Throttled for a flood from one network outside; outcome.NoStore.
func (s *Store) Depart(ctx context.Context, purpose, holder string, data any, lasts time.Duration, from Arrival) (string, error) {
	if !s.o.Zones[from.Zone].Inside && !s.asking.admit(network(from.Address), s.now()) {
		return "", outcome.New(outcome.Throttled, "too many sign-ins begin from this network: wait a minute")
	}
	plain, err := json.Marshal(data)
	if err != nil {
		return "", outcome.Wrap("identity: journey", outcome.Exception, "the sign-in could not be begun", err)
	}
	token, _ := newToken()
	name := sha256.Sum256([]byte("journey " + token))
	j := journey{purpose, holder, micros(s.now().Add(lasts)), plain}
	sealed, err := sealJSON(s.box, s.challengeKey, aad("journey", string(name[:])), j)
	if err != nil {
		return "", err
	}
	return token, s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identity_challenge(challenge, expires_at, sealed) values(?,?,?)`, name[:], j.Until, sealed)
		return err
	})
}

// Arrive uses up what [Store.Depart] kept. Errors: outcome.Login: there is nothing of that name for that purpose and holder, or no longer.
func (s *Store) Arrive(ctx context.Context, name, purpose, holder string, data any) error {
	hash := sha256.Sum256([]byte("journey " + name))
	var sealed []byte
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow(`select sealed from identity_challenge where challenge=?`, hash[:]).Scan(&sealed); err != nil {
			return err
		}
		return oneOr(errJourney)(tx.Exec(`delete from identity_challenge where challenge=?`, hash[:]))
	})
	var j journey
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errJourney
	case err != nil:
		return err
	case openJSON(s.box, aad("journey", string(hash[:])), sealed, &j) != nil, j.Until <= micros(s.now()), j.For != purpose, j.Holder != holder, json.Unmarshal(j.Data, data) != nil:
		return errJourney
	}
	return nil
}
