package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// What a nonce for a device is good for.
const ToEnrol = "enrol"

// AtBrowser is what the nonce of a sign-in or an unlock is good for: the browser of the device's cookie. Empty where there is none.
func AtBrowser(device string) string {
	if device == "" {
		return ""
	}
	return "browser/" + device
}

// OfSession is what the nonce of a running session is good for.
func OfSession(ses *Session) string { return "session/" + ses.ID }

const (
	nonceLasts  = 10 * time.Minute
	proofLasts  = time.Hour        // a device that proved nothing for so long counts as unknown until it does
	proofFresh  = 10 * time.Minute // then a page asks for it again
	deviceProof = "chartwarden-device/1\n"
)

// DeviceNonce makes what a device has to sign. It is kept nowhere: it names its time and proves itself, for one purpose, for ten minutes.
func (s *Store) DeviceNonce(purpose string) string {
	var raw [32]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(s.now().Unix()))
	_, _ = rand.Read(raw[8:16]) // never fails
	mac := s.box.PRF("device-nonce", []byte(purpose), raw[:16])
	copy(raw[16:], mac[:16])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// readNonce checks that this installation made a nonce for a purpose within the last ten minutes, and tells when.
func (s *Store) readNonce(nonce []byte, purpose string) (asked time.Time, ok bool) {
	if len(nonce) != 32 || purpose == "" {
		return time.Time{}, false
	}
	mac := s.box.PRF("device-nonce", []byte(purpose), nonce[:16])
	asked = time.Unix(int64(binary.BigEndian.Uint64(nonce[:8])), 0)
	age := s.now().Sub(asked)
	return asked, subtle.ConstantTimeCompare(mac[:16], nonce[16:]) == 1 && age >= -time.Minute && age <= nonceLasts
}

var errProof = outcome.New(outcome.Login, "this device did not prove itself")

// readProof checks a proof, point.nonce.signature in base64url, and gives the key that it shows. The signature is ECDSA over P-256 and
// SHA-256 as WebCrypto gives it, r and s of 32 bytes each, of "chartwarden-device/1", a line feed and the nonce.
// Source: https://www.w3.org/TR/WebCryptoAPI/#ecdsa-operations.
func (s *Store) readProof(proof, purpose string) (point []byte, err error) {
	parts := strings.Split(proof, ".")
	if len(proof) > 400 || len(parts) != 3 || purpose == "" {
		return nil, errProof
	}
	var raw [3][]byte
	for i, part := range parts {
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, errProof
		}
	}
	point, nonce, sig := raw[0], raw[1], raw[2]
	if len(sig) != 64 {
		return nil, errProof
	}
	if _, ok := s.readNonce(nonce, purpose); !ok {
		return nil, errProof
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, errProof
	}
	sum := sha256.Sum256([]byte(deviceProof + parts[1]))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return nil, errProof
	}
	return point, nil
}

var errLostDevice = outcome.New(outcome.Forbidden, "this device was reported lost: it opens nothing until an administrator registers it again")

// shows finds the registered device of an arrival: by the key that it proved, which may be none. Whoever comes with a lost device's key, or at a
// lost device's browser, gets errLostDevice.
func (s *Store) shows(q queryer, from Arrival, purpose string) (key *deviceKeyColumns, err error) {
	point, proofErr := s.readProof(from.Proof, purpose)
	found, err := s.deviceKeys(q, `y.browser<>'' and y.browser=? or y.point=?`, from.Device, append([]byte{}, point...))
	if err != nil {
		return nil, err
	}
	for i := range found {
		k := &found[i]
		d, err := s.deviceOf(q, k.device)
		switch {
		case outcome.Is(err, outcome.NotFound):
		case err != nil:
			return nil, err
		case d.state == DeviceLost:
			return nil, errLostDevice
		case d.state == DeviceRegistered && proofErr == nil && bytes.Equal(k.point, point):
			named, err := s.names(d, point)
			if err != nil {
				return nil, err
			}
			if named {
				key = k
			}
		}
	}
	return key, nil
}

// provenBy puts what an arrival proved into a session's row.
func (c *sessionColumns) provenBy(key *deviceKeyColumns, from Arrival, now int64) {
	c.registered, c.proven = "", 0
	if c.trust = from.Trust; c.trust == "" {
		c.trust = "unknown"
	}
	if key != nil {
		c.trust, c.registered, c.proven = DeviceRegistered, key.device, now
	}
}

// seen notes that a key was just shown, and at which browser it is now.
func (s *Store) seen(tx *sql.Tx, key *deviceKeyColumns, from Arrival, now int64) error {
	if key == nil {
		return nil
	}
	if key.browser = from.Device; key.browser == "" {
		return nil
	}
	_, err := tx.Exec(`update identity_device_key set browser=?, seen_at=?, mac=? where number=?`, key.browser, now, s.tags.deviceKey.Tag(key.tagged()...), key.number)
	return err
}

// ProofDue reports whether the page of a session should have its device prove itself (again).
func (s *Store) ProofDue(ses *Session) bool {
	if ses.Registered == "" {
		return ses.Trust == "unknown"
	}
	return s.now().Sub(ses.proven) >= proofFresh
}

// ProveDevice takes the proof of a running session's device, for a nonce of [OfSession], and trusts the session accordingly for an hour.
// Errors: outcome.Login (no registered device proved itself; the session goes on as before); [ErrSignedOut].
func (s *Store) ProveDevice(ctx context.Context, ses *Session, from Arrival) error {
	key, err := s.shows(s.db.Reader(), from, OfSession(ses))
	if errors.Is(err, errLostDevice) { // it came in without showing its key, by a cookie that was cleared
		return errors.Join(err, s.end(ctx, ses, ses.Agent(), didKill, "session "+ses.ID+" at a lost device"))
	}
	if err != nil {
		return err
	}
	if key == nil {
		return errProof
	}
	n := noted{}
	if ses.Registered != key.device {
		if n, err = s.note(ctx, s.event(ses.Agent(), didProveDevice, acted, "device "+key.device)); err != nil {
			return err
		}
	}
	now := micros(s.now())
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		d, err := s.deviceOf(tx, key.device)
		if err != nil || d.state != DeviceRegistered { // it may have been lost meanwhile
			return errProof
		}
		if named, err := s.names(d, key.point); err != nil || !named { // or registered anew
			return errProof
		}
		if err := s.seen(tx, key, from, now); err != nil {
			return err
		}
		return s.alterSession(tx, openSession+` and s.locked_at=0`, []any{ses.ID}, func(c *sessionColumns) { c.provenBy(key, from, now) })
	})
	s.refresh(ses.person)
	return err
}
