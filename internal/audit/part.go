package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"chartwarden/internal/seal"
)

const saltSize = 32

// Associated data of sealed parts. Who a part is about is in the part and bound by its key; where it belongs is bound by the entry's
// commitment, so a part that was moved opens but fits nowhere.
var (
	aadCommon  = []byte("common")
	aadPatient = []byte("patient")
)

// commit is the commitment of one part: SHA-256(salt | part).
func commit(salted []byte) [32]byte { return sha256.Sum256(salted) }

// commitment is what the entry holds: SHA-256 over the commitments of its parts, so that one part can be removed and the others
// still be shown to be what they were.
func commitment(parts [][32]byte) [32]byte {
	h := sha256.New()
	for i := range parts {
		h.Write(parts[i][:])
	}
	return [32]byte(h.Sum(nil))
}

// month is the calendar month of an instant in UTC, as in 202611: the period of keys.
func month(at time.Time) int64 { return int64(at.UTC().Year())*100 + int64(at.UTC().Month()) }

// sealParts seals the common part under the month's key and each patient's part under the patient's audit key, each with its own
// salt, and returns the ciphertexts with the commitment over them.
func sealParts(ctx context.Context, box *seal.Box, e *Event, patients []PatientPart, at time.Time) (sealed [][]byte, sum [32]byte, err error) {
	monthKey, err := box.Key(ctx, month(at), "month")
	if err != nil {
		return nil, sum, err
	}
	owners := make([]int64, 0, len(patients))
	for i := range patients {
		if patients[i].Patient != 0 {
			owners = append(owners, int64(patients[i].Patient))
		}
	}
	keys, err := box.Keys(ctx, owners, "patient")
	if err != nil {
		return nil, sum, err
	}
	salts := make([]byte, (1+len(patients))*saltSize)
	_, _ = rand.Read(salts) // never fails
	commitments := make([][32]byte, 0, 1+len(patients))
	sealed = make([][]byte, 0, 1+len(patients))
	var plain []byte
	add := func(key seal.KeyID, aad []byte, write func([]byte) []byte) error {
		at := len(commitments) * saltSize
		plain = write(append(plain[:0], salts[at:at+saltSize]...))
		commitments = append(commitments, commit(plain))
		b, err := box.Seal(nil, key, aad, plain)
		sealed = append(sealed, b)
		return err
	}
	if err := add(monthKey, aadCommon, func(b []byte) []byte { return appendCommon(b, e) }); err != nil {
		return nil, sum, err
	}
	next := 0
	for i := range patients {
		key := monthKey // what is of no patient needs no key of its own
		if patients[i].Patient != 0 {
			key = keys[next]
			next++
		}
		if err := add(key, aadPatient, func(b []byte) []byte { return appendPatient(b, &patients[i]) }); err != nil {
			return nil, sum, err
		}
	}
	clear(plain)
	return sealed, commitment(commitments), nil
}

// The states of a stored part.
type partState byte

const (
	partOpen     partState = iota
	partRedacted           // removed by an entry of kind Redaction; its commitment stands in its place
	partErased             // the key was shredded
	partLocked             // no keys here: an outside verifier
	partBad                // does not open although its key is there
)

// part is one stored part of a payload, opened as far as it can be.
type part struct {
	state      partState
	salted     []byte // salt and plain part, when open
	commitment [32]byte
}

func openPart(box *seal.Box, number int, sealed []byte) part {
	if len(sealed) == sha256.Size {
		return part{state: partRedacted, commitment: [32]byte(sealed)}
	}
	if box == nil {
		return part{state: partLocked}
	}
	aad := aadPatient
	if number == 0 {
		aad = aadCommon
	}
	salted, err := box.Open(nil, aad, sealed)
	switch {
	case errors.Is(err, seal.ErrShredded):
		return part{state: partErased}
	case err != nil || len(salted) < saltSize:
		return part{state: partBad}
	}
	return part{state: partOpen, salted: salted, commitment: commit(salted)}
}

// plain is the part without its salt.
func (p part) plain() []byte { return p.salted[saltSize:] }
