package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what authenticator apps speak; HMAC-SHA-1 is not affected by collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Codes are time-based one-time passwords: SHA-1, 6 digits, 30 s. Sources: https://www.rfc-editor.org/rfc/rfc6238 and rfc4226.
const (
	codePeriod = 30 * time.Second
	codeDigits = 6
	secretSize = 20 // bytes
)

var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

func newSecret() []byte {
	s := make([]byte, secretSize)
	_, _ = rand.Read(s)
	return s
}

// codeAt is the code of one step (steps count 30 s since 1970).
func codeAt(secret []byte, step int64) string {
	m := hmac.New(sha1.New, secret)
	_ = binary.Write(m, binary.BigEndian, step) // a hash takes everything
	sum := m.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, n%1_000_000)
}

// acceptCode finds the step that code belongs to: the present one or a neighbour, for clocks differ. A step counts once: nothing
// at or before last is taken, so neither the same code nor the one before it opens anything again. The caller stores the step in
// the transaction that uses it, by compare-and-set.
func acceptCode(secret []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	present := now.Unix() / int64(codePeriod/time.Second)
	for _, s := range []int64{present, present - 1, present + 1} {
		if s > last && subtle.ConstantTimeCompare([]byte(codeAt(secret, s)), []byte(code)) == 1 {
			return s, true
		}
	}
	return 0, false
}

// keyURI is what the QR code of an enrolment page says.
// Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
func keyURI(issuer, account string, secret []byte) string {
	q := url.Values{"secret": {secretText.EncodeToString(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	label := url.PathEscape(issuer) + ":" + url.PathEscape(account)
	return "otpauth://totp/" + label + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
