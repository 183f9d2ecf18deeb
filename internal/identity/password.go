package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"chartwarden/internal/outcome"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// cost is that of one argon2id hash. 19 MiB, 2 passes, 1 lane is the smaller of the two OWASP profiles; 64 MiB and 3 passes took
// over a second here, which is a denial of service of our own making.
// Source: https://www.rfc-editor.org/rfc/rfc9106.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

var usual = cost{memory: 19 << 10, passes: 2, lanes: 1}

const (
	shortestPassword = 12   // characters; it never stands alone, a code comes with it
	longestPassword  = 1024 // bytes; more only costs time
	saltSize         = 16
	hashSize         = 32
)

// hasher makes and checks password hashes, a bounded number at a time, so that a flood of sign-ins costs time and not memory.
type hasher struct {
	cost  cost
	slots chan struct{}
	decoy string // what a name without a password is checked against: it takes as long, and nothing matches it
}

func newHasher(c cost) *hasher {
	return &hasher{cost: c, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0))), decoy: encodeHash(c, make([]byte, saltSize), make([]byte, hashSize))}
}

// hash derives a new stored form. Errors: outcome.Timeout when ctx ends before a slot is free.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails (https://pkg.go.dev/crypto/rand#Read)
	sum, err := h.derive(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return encodeHash(h.cost, salt, sum), nil
}

// verify checks password against stored; with an empty stored it does the same work in vain.
func (h *hasher) verify(ctx context.Context, stored, password string) (bool, error) {
	if stored == "" {
		stored = h.decoy
	}
	c, salt, want, err := decodeHash(stored)
	if err != nil {
		return false, err
	}
	if len(password) > longestPassword {
		password = "" // matches nothing that preparePassword let through
	}
	got, err := h.derive(ctx, password, salt, c)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *hasher) derive(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, outcome.Wrap("identity: password", outcome.Timeout, "too many people are signing in at this moment, please try again", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.passes, c.memory, c.lanes, hashSize), nil
}

// checkPassword refuses what is too short, too long, or the person's own name. There are no rules of composition: they make
// passwords worse (NIST SP 800-63B-4).
func checkPassword(password string, names ...string) error {
	switch {
	case !utf8.ValidString(password):
		return outcome.New(outcome.Value, "the password is not valid text")
	case utf8.RuneCountInString(password) < shortestPassword:
		return outcome.New(outcome.Value, "the password is too short: use at least 12 characters, a few unrelated words for example")
	case len(password) > longestPassword:
		return outcome.New(outcome.Value, "the password is too long: use at most 1,024 bytes")
	}
	for _, n := range names {
		if n != "" && strings.EqualFold(strings.Join(strings.Fields(n), ""), strings.Join(strings.Fields(password), "")) {
			return outcome.New(outcome.Value, "the password is your name: choose another")
		}
	}
	return nil
}

// encodeHash writes the usual PHC string, so that a later change of cost leaves old hashes readable.
func encodeHash(c cost, salt, sum []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.lanes, b.EncodeToString(salt), b.EncodeToString(sum))
}

func decodeHash(s string) (c cost, salt, sum []byte, err error) {
	bad := outcome.New(outcome.Exception, "a stored password hash cannot be read")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.lanes); err != nil || n != 3 {
		return c, nil, nil, bad
	}
	if c.memory < 8 || c.memory > 256<<10 || c.passes < 1 || c.passes > 10 || c.lanes < 1 || c.lanes > 8 {
		return c, nil, nil, bad
	}
	b := base64.RawStdEncoding.Strict()
	if salt, err = b.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, bad
	}
	if sum, err = b.DecodeString(parts[5]); err != nil || len(sum) != hashSize {
		return c, nil, nil, bad
	}
	return c, salt, sum, nil
}
