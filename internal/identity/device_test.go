package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"strings"
	"testing"

	"chartwarden/internal/outcome"
)

func signNonce(t testing.TB, k *ecdsa.PrivateKey, nonce string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(deviceProof + nonce))
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	point, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	b64 := base64.RawURLEncoding.EncodeToString
	return b64(point) + "." + nonce + "." + b64(sig)
}

// A device that is marked lost in one process is lost in every other on the same files, and what SQL makes of its row gives no trust.
func TestALostDeviceIsLostInEveryProcess(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	other := s.process()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	from := Arrival{Device: "b-1", Zone: "internet"}
	code, err := s.MakeDeviceCode(t.Context(), admin.agent(), "", "Tablet")
	s.must(err)
	from.Proof = signNonce(t, k, s.DeviceNonce(ToEnrol))
	d, err := other.EnrolDevice(t.Context(), code.Token, from)
	s.must(err)
	at := func(proof string) Attempt {
		a := p.attempt()
		a.From = Arrival{Device: "b-1", Zone: "internet", Proof: proof}
		return a
	}
	shown, err := s.SignIn(t.Context(), at(signNonce(t, k, s.DeviceNonce(AtBrowser("b-1")))))
	s.must(err)
	plain, err := s.SignIn(t.Context(), at(signNonce(t, k, s.DeviceNonce(AtBrowser("b-2"))))) // a nonce of another browser
	s.must(err)
	elsewhere := p.signIn()
	if shown.Session.Trust != DeviceRegistered || shown.Session.Registered != d.ID || plain.Session.Trust != "unknown" {
		t.Fatalf("%+v, %+v", shown.Session, plain.Session)
	}
	if got, err := other.Authenticate(t.Context(), shown.Token); err != nil || got.Registered != d.ID || got.Trust != DeviceRegistered {
		t.Fatalf("%v %v", got, err)
	}
	next, err := s.SwitchCapacity(t.Context(), shown.Session, PatientCapacity)
	s.refused(err, outcome.Forbidden, "a capacity that she has not")
	_ = next

	n, err := other.LoseDevice(t.Context(), admin.agent(), d.ID, "left in a taxi")
	if err != nil || n != 2 {
		t.Fatalf("%d sessions ended: %v", n, err)
	}
	s.clock.pass(freshness)
	s.dead(shown.Token, "at the lost device")
	s.dead(plain.Token, "at its browser, unproven")
	s.alive(elsewhere.Token, "elsewhere")
	_, err = s.SignIn(t.Context(), at(""))
	s.refused(err, outcome.Forbidden, "a sign-in at the lost device")
	if a := s.trail.said(); a[len(a)-1] != "login failed" {
		t.Errorf("the refusal is not noted: %q", a)
	}

	// A session that began without the cookie and the key, as through a provider, ends when its page shows the key.
	unseen, err := s.SignIn(t.Context(), func() Attempt { a := p.attempt(); a.From = Arrival{Device: "b-9", Zone: "internet"}; return a }())
	s.must(err)
	err = s.ProveDevice(t.Context(), unseen.Session, Arrival{Device: "b-9", Zone: "internet", Proof: signNonce(t, k, s.DeviceNonce(OfSession(unseen.Session)))})
	s.refused(err, outcome.Forbidden, "the key of a lost device")
	s.dead(unseen.Token, "once the lost device showed its key")

	s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update identity_device set state='registered' where id=?`, d.ID)
		return err
	}))
	back, err := s.SignIn(t.Context(), at(signNonce(t, k, s.DeviceNonce(AtBrowser("b-1")))))
	if err == nil && back.Session.Trust != "unknown" {
		t.Error("SQL made a lost device a registered one")
	}
}

// Whatever arrives as the proof of a device is refused with a sentence, and only a signature of this server's nonce shows a key.
func FuzzDeviceProof(f *testing.F) {
	f.Add("")
	f.Add("a.b.c")
	f.Add(strings.Repeat("A", 87) + "." + strings.Repeat("A", 43) + "." + strings.Repeat("A", 86))
	s := newSite(f, true)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	good := signNonce(f, k, s.DeviceNonce(ToEnrol))
	f.Add(good)
	f.Fuzz(func(t *testing.T, proof string) {
		if point, err := s.readProof(proof, ToEnrol); (err == nil) != (proof == good) && err == nil {
			t.Errorf("%d bytes show %d bytes", len(proof), len(point))
		}
	})
}

// What two people agreed to registers the key that was shown when it was asked: once, and never one that was lost or registered meanwhile.
func TestAnAskedDeviceIsRegisteredOnce(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	from := Arrival{Device: "b-1", Zone: "internet", Proof: signNonce(t, k, s.DeviceNonce(ToEnrol))}
	a, err := s.AskedDevice("Tablet", from)
	s.must(err)
	for range 2 {
		s.must(s.RegisterAsked(t.Context(), admin.agent(), "item1", admin.agent().Person, a))
	}
	_, err = s.AskedDevice("Tablet", from)
	s.refused(err, outcome.Conflict, "a registered device")
	s.refused(s.RegisterAsked(t.Context(), admin.agent(), "item2", admin.agent().Person, a), outcome.Conflict, "the same key again")
	at := p.attempt()
	at.From = Arrival{Device: "b-1", Zone: "internet", Proof: signNonce(t, k, s.DeviceNonce(AtBrowser("b-1")))}
	in, err := s.SignIn(t.Context(), at)
	s.must(err)
	if in.Session.Registered != "item1" || in.Session.Trust != DeviceRegistered {
		t.Errorf("%+v", in.Session)
	}
	_, err = s.LoseDevice(t.Context(), admin.agent(), "item1", "left in a taxi")
	s.must(err)
	_, err = s.AskedDevice("Tablet", from)
	s.refused(err, outcome.Forbidden, "a lost device asks")
	s.refused(s.RegisterAsked(t.Context(), admin.agent(), "item3", admin.agent().Person, a), outcome.Forbidden, "an agreed request of a lost device")
	list, err := s.Devices(t.Context())
	s.must(err)
	if len(list) != 1 || list[0].State != DeviceLost {
		t.Errorf("%+v", list)
	}
}
