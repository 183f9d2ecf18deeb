// Package posture is what a machine says of itself: whether its disk is encrypted, its screen locks, its system is kept up to date.
//
// A [Report] is text, signed by the machine's own key and bound to a nonce of the server, as docs/formats/device-posture.md states it for
// programs of any system. [Demands] are what a house wants of a machine that is to count as managed. Nothing here reads a machine or a
// database: package machine does the one on Linux, identity keeps the other.
package posture

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Report is what a machine says of itself.
type Report struct {
	Device  string // its id in the registry
	Nonce   string // of the server, which makes the report count once
	System  string // name and version: "debian 12"
	Disk    string // [Encrypted], [Open], [NotKnown]
	Lock    time.Duration
	LockBy  string    // who says so: [ByPolicy], [ByDesktop], [ByWord]; empty with Lock 0: the screen does not lock, or nobody knows
	Updated time.Time // when the system last took its updates; zero: not known
	Started time.Time // when it was started
}

// What a disk may be.
const (
	Encrypted = "encrypted"
	Open      = "open" // data of people lies on at least one volume in clear
	NotKnown  = "unknown"
)

// Who says after how long the screen locks.
const (
	ByPolicy  = "policy"  // a setting that people at the machine cannot change
	ByDesktop = "desktop" // the setting of one person's desktop
	ByWord    = "stated"  // whoever enrolled the machine
)

const (
	first = "chartwarden-posture/1"
	most  = 1024 // bytes of a report
)

var (
	deviceForm = regexp.MustCompile(`^[a-z2-7]{16}$`)
	nonceForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	systemForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39} [A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	lockForm   = regexp.MustCompile(`^([1-9][0-9]{0,5}) (policy|desktop|stated)$`)
)

// Text is the report as it is signed and sent.
func (r Report) Text() string {
	lock, updated := "none", NotKnown
	if r.Lock > 0 {
		lock = strconv.Itoa(int(r.Lock/time.Second)) + " " + r.LockBy
	}
	if !r.Updated.IsZero() {
		updated = r.Updated.UTC().Format(time.RFC3339)
	}
	return first + "\ndevice " + r.Device + "\nnonce " + r.Nonce + "\nsystem " + r.System + "\ndisk " + r.Disk + "\nlock " + lock +
		"\nupdated " + updated + "\nstarted " + r.Started.UTC().Format(time.RFC3339) + "\n"
}

// Parse reads a report. There is one way to write each, so that what was signed is what was read. Errors: outcome.Value, which names the line.
func Parse(text string) (r Report, err error) {
	bad := func(line, mend string) (Report, error) {
		return Report{}, outcome.New(outcome.Value, "the report cannot be read: "+mend).At(line)
	}
	if len(text) > most {
		return bad("report", "it is longer than "+strconv.Itoa(most)+" bytes")
	}
	lines := strings.Split(text, "\n")
	names := []string{"device", "nonce", "system", "disk", "lock", "updated", "started"}
	if len(lines) != len(names)+2 || lines[len(lines)-1] != "" || lines[0] != first {
		return bad("report", "it is eight lines, each with a line feed at its end, the first "+first)
	}
	said := map[string]string{}
	for i, name := range names {
		value, ok := strings.CutPrefix(lines[i+1], name+" ")
		if !ok {
			return bad(name, "line "+strconv.Itoa(i+2)+" is "+name+", a space and its value")
		}
		said[name] = value
	}
	r = Report{Device: said["device"], Nonce: said["nonce"], System: said["system"], Disk: said["disk"]}
	switch {
	case !deviceForm.MatchString(r.Device):
		return bad("device", "a device is named by the 16 letters that enrolment gave it")
	case !nonceForm.MatchString(r.Nonce):
		return bad("nonce", "the nonce is the 43 characters that the server gave")
	case !systemForm.MatchString(r.System):
		return bad("system", "a system is a name in small letters, a space and a version: debian 12")
	case r.Disk != Encrypted && r.Disk != Open && r.Disk != NotKnown:
		return bad("disk", "a disk is encrypted, open or unknown")
	}
	if said["lock"] != "none" {
		m := lockForm.FindStringSubmatch(said["lock"])
		if m == nil {
			return bad("lock", "write none, or seconds and policy, desktop or stated: 300 policy")
		}
		seconds, _ := strconv.Atoi(m[1])
		r.Lock, r.LockBy = time.Duration(seconds)*time.Second, m[2]
	}
	if said["updated"] != NotKnown {
		if r.Updated, err = moment(said["updated"]); err != nil {
			return bad("updated", "write unknown, or a time as 2026-11-20T04:12:00Z")
		}
	}
	if r.Started, err = moment(said["started"]); err != nil {
		return bad("started", "write a time as 2026-11-20T04:12:00Z")
	}
	if r.Text() != text {
		return bad("report", "a value is not written in its one form")
	}
	return r, nil
}

func moment(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}

// Sign signs the text of a report: ECDSA over P-256 and SHA-256, r and s of 32 bytes each, in base64url.
func Sign(key *ecdsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return base64.RawURLEncoding.EncodeToString(sig[:]), nil
}

// Verify reports whether a signature of text, as [Sign] writes it, is by the key of a point (P-256, uncompressed).
func Verify(point []byte, text, signature string) bool {
	sig, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(sig) != 64 {
		return false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(text))
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}
