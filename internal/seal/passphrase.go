package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"chartwarden/internal/outcome"

	"golang.org/x/crypto/argon2"
)

// stretching are argon2id's costs. They travel with each wrapped key, so that raising them leaves old ones readable.
type stretching struct {
	passes, kibibytes uint32
	lanes             uint8
}

// recommended is the second choice of RFC 9106, section 4: for machines that cannot spare 2 GiB at start.
var recommended = stretching{3, 64 * 1024, 4}

type passphrase struct {
	secret []byte
	cost   stretching
}

const (
	saltSize         = 16
	passphraseHeader = 1 + 4 + 4 + 1 + saltSize
)

// OpenPassphrase is a custodian whose key is stretched (argon2id, about 64 MiB and a tenth of a second a call) from words that
// people keep. It stores nothing: salt and cost are part of what it wraps, so the same call serves creation and start.
// Errors: outcome.Invalid for fewer than 12 bytes.
func OpenPassphrase(words []byte) (Custodian, error) {
	if len(words) < 12 {
		return nil, outcome.New(outcome.Invalid, "the passphrase is too short: use at least 12 characters, better six random words")
	}
	return &passphrase{bytes.Clone(words), recommended}, nil
}

func (p *passphrase) ID() string { return "passphrase" }

func (p *passphrase) Wrap(plain, context []byte) ([]byte, error) {
	head := []byte{1}
	head = binary.BigEndian.AppendUint32(head, p.cost.passes)
	head = binary.BigEndian.AppendUint32(head, p.cost.kibibytes)
	head = append(head, p.cost.lanes)
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	head = append(head, salt...)
	aead, err := p.stretch(p.cost, salt)
	if err != nil {
		return nil, err
	}
	return aead.Seal(head, nil, plain, join(head, context)), nil
}

func (p *passphrase) Unwrap(wrapped, context []byte) ([]byte, error) {
	if len(wrapped) < passphraseHeader || wrapped[0] != 1 {
		return nil, errors.New("seal: not wrapped by a passphrase")
	}
	head := wrapped[:passphraseHeader]
	cost := stretching{binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:]), head[9]}
	if cost.passes == 0 || cost.passes > 64 || cost.kibibytes > 4<<20 || cost.lanes == 0 { // who edits the file must not choose our memory
		return nil, errors.New("seal: unreasonable stretching cost")
	}
	aead, err := p.stretch(cost, head[10:])
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, wrapped[passphraseHeader:], join(head, context))
}

func (p *passphrase) stretch(c stretching, salt []byte) (cipher.AEAD, error) {
	return gcm(argon2.IDKey(p.secret, salt, c.passes, c.kibibytes, c.lanes, 32))
}

func join(a, b []byte) []byte { return append(bytes.Clone(a), b...) }
