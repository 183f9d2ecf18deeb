package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// A token is an opaque secret of 256 bits. Who holds it is the session or may enrol; we keep its SHA-256 only, so a copy of the
// database opens nothing. No salt: a random secret of that size cannot be guessed from its hash.
const tokenSize = 32

type tokenHash [sha256.Size]byte

var tokenText = base64.RawURLEncoding.Strict()

func newToken() (string, tokenHash) {
	var raw [tokenSize]byte
	_, _ = rand.Read(raw[:])
	return tokenText.EncodeToString(raw[:]), sha256.Sum256(raw[:])
}

// parseToken reads the one spelling of a token; whatever else arrives in a cookie or header is refused before any look-up.
func parseToken(s string) (tokenHash, bool) {
	if len(s) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return tokenHash{}, false
	}
	var raw [tokenSize + 1]byte
	n, err := tokenText.Decode(raw[:], []byte(s))
	if err != nil || n != tokenSize {
		return tokenHash{}, false
	}
	return sha256.Sum256(raw[:tokenSize]), true
}

// newID is a short opaque name: 80 bits in lower case, easy to type on a command line.
func newID() string { return strings.ToLower(rand.Text()[:16]) }
