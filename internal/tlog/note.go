package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chartwarden/internal/outcome"
)

// Kinds of signature, as the first byte of a public key in a verifier's text.
const (
	kindEd25519     = 0x01 // a log signs its own checkpoint
	kindCosignature = 0x04 // a witness signs the checkpoint and the time at which it saw it, https://c2sp.org/tlog-cosignature
)

// maxSignatures and maxNote bound what a hostile note can cost.
const (
	maxSignatures = 100
	maxNote       = 1 << 20
)

const signaturePrefix = "— "

// Signer signs notes in the name of a log or, made by [NewCosigner], of a witness.
type Signer struct {
	verifier Verifier
	key      ed25519.PrivateKey
}

// NewSigner returns the signer of a log. The name is the log's origin: not empty, without spaces and `+`.
func NewSigner(name string, key ed25519.PrivateKey) (Signer, error) {
	return newSigner(name, key, kindEd25519)
}

// NewCosigner returns the signer of a witness.
func NewCosigner(name string, key ed25519.PrivateKey) (Signer, error) {
	return newSigner(name, key, kindCosignature)
}

func newSigner(name string, key ed25519.PrivateKey, kind byte) (Signer, error) {
	if !validName(name) || len(key) != ed25519.PrivateKeySize {
		return Signer{}, outcome.New(outcome.Value, "a signer needs a name without spaces and `+`, and an Ed25519 key")
	}
	return Signer{Verifier{name, kind, key.Public().(ed25519.PublicKey)}, key}, nil
}

// Name is the name in which s signs.
func (s Signer) Name() string { return s.verifier.name }

// Verifier is the public half of s.
func (s Signer) Verifier() Verifier { return s.verifier }

// Sign returns the signed note of text. The text must end in a newline.
func (s Signer) Sign(text []byte) []byte {
	return append(append(append([]byte(nil), text...), '\n'), s.line(text, time.Time{})...)
}

// Cosign returns note with the witness's signature of that time added as its last line.
func (s Signer) Cosign(note []byte, at time.Time) ([]byte, error) {
	line, err := s.Cosignature(note, at)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(nil), note...), line...), nil
}

// Cosignature returns the line that [Signer.Cosign] adds: what a witness answers.
func (s Signer) Cosignature(note []byte, at time.Time) ([]byte, error) {
	text, _, err := cut(note)
	if err != nil {
		return nil, err
	}
	return s.line(text, at), nil
}

func (s Signer) line(text []byte, at time.Time) []byte {
	sig := binary.BigEndian.AppendUint32(nil, s.verifier.id())
	if s.verifier.kind == kindCosignature {
		sig = binary.BigEndian.AppendUint64(sig, uint64(at.Unix()))
		text = cosigned(text, at.Unix())
	}
	sig = append(sig, ed25519.Sign(s.key, text)...)
	return []byte(signaturePrefix + s.verifier.name + " " + base64.StdEncoding.EncodeToString(sig) + "\n")
}

func cosigned(text []byte, unix int64) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatInt(unix, 10)+"\n"), text...)
}

// Verifier checks the signatures of one key.
type Verifier struct {
	name string
	kind byte
	key  ed25519.PublicKey
}

// ParseVerifier reads a verifier's text, `name+id+base64(kind | public key)`, as [Verifier.String] writes it.
// Source: https://c2sp.org/signed-note.
func ParseVerifier(text string) (Verifier, error) {
	name, rest, _ := strings.Cut(text, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	key, err := decode(encoded)
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != kindEd25519 && key[0] != kindCosignature || !validName(name) {
		return Verifier{}, outcome.New(outcome.Value, "not a verifier key: `name+id+key` of Ed25519 or a cosignature is expected")
	}
	v := Verifier{name, key[0], key[1:]}
	if fmt.Sprintf("%08x", v.id()) != id {
		return Verifier{}, outcome.New(outcome.Value, "the verifier key's id does not belong to its name and key")
	}
	return v, nil
}

// Name is the name that signatures of this key carry.
func (v Verifier) Name() string { return v.name }

// Cosigns reports whether the key is a witness's, whose signatures carry a time, and not that of a log.
func (v Verifier) Cosigns() bool { return v.kind == kindCosignature }

// String is the text that people copy into a verifier's configuration.
func (v Verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.id(), base64.StdEncoding.EncodeToString(append([]byte{v.kind}, v.key...)))
}

func (v Verifier) id() uint32 {
	sum := sha256.Sum256(append(append([]byte(v.name+"\n"), v.kind), v.key...))
	return binary.BigEndian.Uint32(sum[:])
}

// Signature is one that [OpenNote] found to hold.
type Signature struct {
	Name string
	Time time.Time // when a witness saw the note; zero for a log's own signature
}

// OpenNote returns the text of a signed note and which of the verifiers signed it. A signature in a verifier's name that does not hold
// makes the whole note invalid; signatures of others are passed over; no known signature at all is an error.
func OpenNote(note []byte, verifiers ...Verifier) (text []byte, held []Signature, err error) {
	text, lines, err := cut(note)
	if err != nil {
		return nil, nil, err
	}
	for _, line := range lines {
		name, sig, err := signatureLine(line)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range verifiers {
			if v.name != name || v.id() != binary.BigEndian.Uint32(sig) {
				continue
			}
			at, ok := v.check(text, sig[4:])
			if !ok {
				return nil, nil, outcome.New(outcome.Invariant, "a signature of the note does not hold")
			}
			held = append(held, Signature{name, at})
		}
	}
	if len(held) == 0 {
		return nil, nil, outcome.New(outcome.Invariant, "the note carries no signature of a known key")
	}
	return text, held, nil
}

func (v Verifier) check(text, sig []byte) (at time.Time, ok bool) {
	if v.kind == kindCosignature {
		if len(sig) < 8 {
			return at, false
		}
		unix := int64(binary.BigEndian.Uint64(sig))
		at, text, sig = time.Unix(unix, 0).UTC(), cosigned(text, unix), sig[8:]
	}
	return at, len(sig) == ed25519.SignatureSize && ed25519.Verify(v.key, text, sig)
}

// cut divides a note at its last blank line into text and signature lines.
func cut(note []byte) (text []byte, lines []string, err error) {
	bad := outcome.New(outcome.Structure, "not a signed note: text, a blank line and signature lines are expected")
	if len(note) > maxNote || !utf8.Valid(note) || bytes.IndexFunc(note, func(r rune) bool { return r < ' ' && r != '\n' }) >= 0 {
		return nil, nil, bad
	}
	at := bytes.LastIndex(note, []byte("\n\n"))
	if at < 0 || note[len(note)-1] != '\n' {
		return nil, nil, bad
	}
	text = note[:at+1]
	lines = strings.Split(strings.TrimSuffix(string(note[at+2:]), "\n"), "\n")
	if len(note) == at+2 || len(lines) > maxSignatures {
		return nil, nil, bad
	}
	return text, lines, nil
}

func signatureLine(line string) (name string, sig []byte, err error) {
	rest, ok := strings.CutPrefix(line, signaturePrefix)
	name, encoded, cutOK := strings.Cut(rest, " ")
	sig, err = decode(encoded)
	if !ok || !cutOK || err != nil || !validName(name) || len(sig) < 5 {
		return "", nil, outcome.New(outcome.Structure, "a signature line of the note is malformed")
	}
	return name, sig, nil
}

func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsSpace) < 0 && !strings.Contains(name, "+")
}
