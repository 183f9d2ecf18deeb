package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"

	"github.com/pquerna/otp/totp"
)

// deviceKey signs as the browser of a device does.
type deviceKey struct{ *ecdsa.PrivateKey }

func newDeviceKey(o *office) deviceKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	o.must(err)
	return deviceKey{k}
}

func (k deviceKey) proof(o *office, nonce string) string {
	sum := sha256.Sum256([]byte("chartwarden-device/1\n" + nonce))
	r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, sum[:])
	o.must(err)
	point, err := k.PublicKey.Bytes()
	o.must(err)
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	b64 := base64.RawURLEncoding.EncodeToString
	return b64(point) + "." + nonce + "." + b64(sig)
}

var (
	deviceLink  = regexp.MustCompile(`<code class="secret">[^<]*(/device/[A-Za-z0-9_-]{43})</code>`)
	deviceNonce = regexp.MustCompile(`data-device-nonce="([^"]+)"`)
	deviceHref  = regexp.MustCompile(`action="(/admin/devices/[a-z2-7]{16})"`)
)

// comes signs somebody in anew in the same browser, with what the device proves; without a key it is any browser.
func (p *person) comes(k *deviceKey) seen {
	p.o.t.Helper()
	p.o.clock.pass(30 * time.Second)
	code, err := totp.GenerateCode(p.made.Secret, p.o.clock.Now())
	p.o.must(err)
	p.post("/sign-out")
	fields := []string{"person", p.made.Person, "password", p.made.Password, "totp", code}
	if k != nil {
		fields = append(fields, "device", k.proof(p.o, p.post("/device/nonce").body))
	}
	a := p.post("/sign-in", fields...)
	if sessions, err := p.o.Persons.Sessions(p.o.t.Context(), p.made.Person); a.status == http.StatusSeeOther && err == nil {
		p.session.Session = sessions[0]
	}
	return a
}

// A browser becomes a device of the house by a code that an administrator made, and proves itself at each sign-in. Lost, its sessions are dead and
// nobody signs in at it until it is registered anew. A cookie, a proof for something else, or a second use proves nothing.
func TestDevices(t *testing.T) {
	o := newOffice(t)
	ruth, anna := o.staff("Ruth Adeyemi", identity.Administrator), o.staff("Anna Berg", identity.Nurse)
	o.shows(anna.get("/admin/devices"), http.StatusForbidden)
	o.shows(anna.post("/admin/devices", "name", "Mine"), http.StatusForbidden)
	ruth.page("/admin/devices", "No device is registered")
	o.shows(ruth.post("/admin/devices", "name", " "), http.StatusBadRequest, "at most 60 characters")
	code := func(path string, fields ...string) string {
		if a := ruth.post(path, fields...); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.text())
		}
		a := ruth.page("/admin/devices", "It works once")
		o.hides(ruth.page("/admin/devices"), "It works once")
		return deviceLink.FindStringSubmatch(a.body)[1]
	}
	link := code("/admin/devices", "name", "Tablet ward 3")

	jar, err := cookiejar.New(nil)
	o.must(err)
	anna.browser.Jar = jar
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+link, nil)
	o.must(err)
	r.Header.Set("Accept", "text/html")
	a := anna.do(r, nil)
	o.shows(a, http.StatusOK, "Register this device", "As Tablet ward 3")
	key, other := newDeviceKey(o), newDeviceKey(o)
	nonce := deviceNonce.FindStringSubmatch(a.body)[1]
	for _, bad := range []string{"", "x", "..", "a.b.c", key.proof(o, anna.post("/device/nonce").body), strings.Replace(key.proof(o, nonce), ".", "x.", 1), key.proof(o, nonce)[:100] + strings.Repeat("A", 116), strings.Repeat("A", 9000)} {
		o.shows(anna.post(link, "device", bad), http.StatusBadRequest, "did not prove its key")
	}
	o.shows(anna.post(link, "device", key.proof(o, nonce)), http.StatusOK, "This device is registered")
	o.shows(anna.post(link, "device", other.proof(o, nonce)), http.StatusNotFound, "not valid")

	trust := func(want string) {
		t.Helper()
		if got := anna.session.Session.Trust; got != want {
			t.Errorf("the session is at a %s device, want %s", got, want)
		}
	}
	if a := anna.comes(nil); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	trust("unknown") // the cookie alone
	o.shows(anna.post("/device/proof", "device", other.proof(o, anna.post("/device/nonce").body)), http.StatusNoContent)
	anna.page("/my-devices", "an unknown device")
	o.shows(anna.post("/device/proof", "device", key.proof(o, anna.post("/device/nonce").body)), http.StatusNoContent)
	anna.page("/my-devices", "a registered device")
	o.shows(anna.post("/device/nonce"), http.StatusNoContent) // nothing is due
	o.clock.pass(61 * time.Minute)
	anna.comes(&key)
	trust("registered")
	stolen := *anna
	stolen.browser = &http.Client{CheckRedirect: anna.browser.CheckRedirect, Jar: anna.browser.Jar}

	path := deviceHref.FindStringSubmatch(ruthComes(ruth).page("/admin/devices", "Tablet ward 3", "Last proved itself").body)[1]
	o.shows(ruth.post(path, "act", "lost"), http.StatusBadRequest, "Say what happened")
	o.shows(ruth.post(path, "act", "give away"), http.StatusBadRequest, "Choose what becomes")
	if a := ruth.post(path, "act", "lost", "reason", "left in a taxi"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	ruth.page("/admin/devices", "nobody signs in at it", "Lost")
	o.shows(ruth.post(path, "act", "lost", "reason", "again"), http.StatusConflict, "lost already")
	if a := stolen.get("/my-devices"); a.status != http.StatusSeeOther {
		t.Errorf("a session at a lost device is answered %d", a.status)
	}
	o.shows(anna.comes(nil), http.StatusForbidden, "reported lost") // its browser
	jar, err = cookiejar.New(nil)
	o.must(err)
	anna.browser.Jar = jar
	anna.get("/sign-in")
	r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+"/sign-in", nil)
	o.must(err)
	r.Header.Set("Accept", "text/html")
	anna.do(r, nil)                                                  // a browser that forgot its cookies
	o.shows(anna.comes(&key), http.StatusForbidden, "reported lost") // its key

	link = code(path, "act", "code")
	a = anna.get(link)
	fresh := newDeviceKey(o)
	o.shows(anna.post(link, "device", fresh.proof(o, deviceNonce.FindStringSubmatch(a.body)[1])), http.StatusOK, "This device is registered")
	anna.comes(&key)
	trust("unknown") // the key that it had when it was lost
	anna.comes(&fresh)
	trust("registered")
	if a := ruth.post(path, "act", "retire"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	anna.page("/my-devices", "an unknown device")
	ruth.page("/admin/devices", "Out of service")
}

// ruthComes signs an administrator in anew, since administration asks for a fresh factor.
func ruthComes(ruth *person) *person {
	ruth.o.clock.pass(30 * time.Second)
	ruth.signIn()
	return ruth
}
