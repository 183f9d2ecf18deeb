package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// The flags of authenticator data. Source: https://www.w3.org/TR/webauthn-3/#authdata-flags.
const (
	present      = 0x01
	verifiedFlag = 0x04
	copyable     = 0x08 // backup eligible
	copied       = 0x10 // backup state
	attested     = 0x40
)

// authenticator is one in software: it signs whatever it is told to.
type authenticator struct {
	origin, site string
	flags        byte
	counter      uint32
	step         uint32 // by which the counter rises; 0 as of those that sync
	id, handle   []byte
	key          *ecdsa.PrivateKey
}

// laptop is an authenticator of the site of these tests, with a key that stays on it.
func laptop() *authenticator {
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &authenticator{origin: testSite, site: "ehr.example", flags: present | verifiedFlag, step: 1, id: id, key: k}
}

// phone is one whose key is synced.
func phone() *authenticator {
	a := laptop()
	a.flags, a.step = a.flags|copyable|copied, 0
	return a
}

// but is a copy of a that differs.
func (a authenticator) but(change func(*authenticator)) *authenticator { change(&a); return &a }

func (a *authenticator) data(more byte) []byte {
	a.counter += a.step
	sum := sha256.Sum256([]byte(a.site))
	return binary.BigEndian.AppendUint32(append(sum[:], a.flags|more), a.counter)
}

var text64 = base64.RawURLEncoding

func (a *authenticator) clientData(kind, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	return b
}

// options are those that a browser is given, as far as these tests read them.
type options struct {
	PublicKey struct {
		Challenge              string
		User                   struct{ ID string }
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
		ExcludeCredentials     []struct{ ID string }
		AllowCredentials       []struct{ ID string }
		UserVerification       string
	}
}

func optionsOf(t testing.TB, b []byte) (o options) {
	t.Helper()
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return o
}

// create answers the wish for a new key.
func (a *authenticator) create(t testing.TB, asked []byte) []byte {
	t.Helper()
	o := optionsOf(t, asked)
	a.handle, _ = text64.DecodeString(o.PublicKey.User.ID)
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	data := append(a.data(attested), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(a.id))), a.id...)
	data = append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32)
	data = append(append(append(data, point[1:33]...), 0x22, 0x58, 32), point[33:]...)
	object := append([]byte{0xa3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xa0, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x58, byte(len(data))}, data...)
	return a.answer(map[string]any{"clientDataJSON": text64.EncodeToString(a.clientData("webauthn.create", o.PublicKey.Challenge)), "attestationObject": text64.EncodeToString(object), "transports": []string{"internal"}})
}

// get answers the wish for a proof.
func (a *authenticator) get(t testing.TB, asked []byte) []byte {
	t.Helper()
	client := a.clientData("webauthn.get", optionsOf(t, asked).PublicKey.Challenge)
	data := a.data(0)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": text64.EncodeToString(client), "authenticatorData": text64.EncodeToString(data), "signature": text64.EncodeToString(signature),
		"userHandle": text64.EncodeToString(a.handle)})
}

func (a *authenticator) answer(response map[string]any) []byte {
	id := text64.EncodeToString(a.id)
	b, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": map[string]any{}, "response": response})
	return b
}
