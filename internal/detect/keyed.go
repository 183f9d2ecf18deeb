package detect

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
	"unicode"
)

// keyer turns names, addresses and numbers of a directory into values that can be compared and nothing else. The key is random, lives in
// memory and is different in each run; verdicts depend on equality only.
type keyer struct{ mac hash.Hash }

func newKeyer() *keyer {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return &keyer{hmac.New(sha256.New, key[:])}
}

// key is 0 when any part is empty: nothing is not equal to nothing.
func (k *keyer) key(kind string, parts ...string) uint64 {
	k.mac.Reset()
	k.mac.Write([]byte(kind))
	for _, p := range parts {
		p = folded(p)
		if p == "" {
			return 0
		}
		k.mac.Write([]byte{0})
		k.mac.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	return binary.BigEndian.Uint64(k.mac.Sum(sum[:0])) | 1
}

// folded leaves letters and digits in lower case, so that spacing and punctuation do not tell two spellings apart.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// home is where somebody lives, as keyed values: the dwelling and the street, which is the address without its number.
type home struct{ dwelling, street uint64 }

func (k *keyer) home(street, postal string) home {
	rest := street
	for i, word := range strings.Fields(street) {
		if d := strings.TrimRightFunc(word, unicode.IsLetter); d != "" && strings.IndexFunc(d, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
			rest = strings.Join(append(append([]string{}, strings.Fields(street)[:i]...), strings.Fields(street)[i+1:]...), " ")
			break
		}
	}
	return home{k.key("dwelling", street, postal), k.key("street", rest, postal)}
}

// body is a human as keyed values.
type body struct {
	home
	surname, name, birth uint64 // name is family and given; birth is name and date
	phones               []uint64
}

func (k *keyer) body(f *Folk) body {
	b := body{home: k.home(f.Street, f.Postal), surname: k.key("surname", f.Family), name: k.key("name", f.Family, f.Given),
		birth: k.key("birth", f.Family, f.Given, f.Birth)}
	for _, p := range f.Phones {
		if v := k.key("phone", p); v != 0 {
			b.phones = append(b.phones, v)
		}
	}
	return b
}
