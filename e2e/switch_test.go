package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/sso/ssotest"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// ward is a server of the test's own, on which people take turns at one workstation, and a patient of one of them.
type ward struct {
	*servertest.Server
	t     *testing.T
	base  string
	chart string // path
	nurse string // Practitioner/x who treats the patient
}

func newWard(t *testing.T, set func(*server.Config)) *ward {
	t.Helper()
	needsBrowser(t)
	w := &ward{t: t}
	w.Server = servertest.ReachableAs(t, func(c *server.Config) {
		c.PublicURL = strings.Replace(c.PublicURL, "127.0.0.1", "localhost", 1) // an address is no site of a passkey
		c.Zones = "hospital=127.0.0.0/8@5m-15m+shared,hospital=::1/128+shared"
		if set != nil {
			set(c)
		}
		w.base = c.PublicURL
	})
	admin, clerk := w.Person(t, "Hollis Brackett", "administrator", ""), w.Person(t, "Marcus Hale", "front-desk", "")
	made := func(a servertest.Answer) string {
		t.Helper()
		if a.Status != http.StatusCreated {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		parts := strings.Split(a.Header.Get("Location"), "/fhir/")
		path := strings.Split(parts[len(parts)-1], "/")
		return path[0] + "/" + path[1]
	}
	w.nurse = made(admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Sandberg"}]}`))
	patient := made(clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Quintanilla","given":["Rosa"]}],"birthDate":"1961-03-14"}`))
	made(clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"`+patient+`"},"participant":[{"individual":{"reference":"`+w.nurse+`"}}],"period":{"start":"`+w.Now().UTC().Format(time.RFC3339)+`"}}`))
	w.chart = "/chart/" + strings.TrimPrefix(patient, "Patient/")
	return w
}

// joins makes somebody and gives the path of her enrolment link.
func (w *ward) joins(name, practitioner string) string {
	w.t.Helper()
	p, _, err := w.Persons.Create(w.t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: name, Roles: []string{identity.Nurse}, Practitioner: practitioner, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		w.t.Fatal(err)
	}
	link, err := w.Persons.Invite(w.t.Context(), audit.Agent{Job: "test"}, p.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return "/enrol/" + link.Token
}

// shared has two nurses enrolled at one workstation, Liv Sandberg, who treats the patient, and Joel Sand, who is on. Each carries an authenticator;
// the last touch was his.
func (w *ward) shared(b *tab) (hers, his authenticator) {
	w.t.Helper()
	b.byButton()
	enrol := func(name, practitioner string) authenticator {
		w.t.Helper()
		carried := b.roaming()
		b.open(w.joins(name, practitioner))
		if b.follow("Create a passkey"); b.at() != "/day" {
			w.t.Fatalf("enrolling leads to %s:\n%s", b.at(), b.text())
		}
		return carried
	}
	hers = enrol("Liv Sandberg", w.nurse)
	hers.touched(false)
	return hers, enrol("Joel Sand", "")
}

// roaming gives the tab an authenticator that a person carries with her: there may be several.
func (b *tab) roaming() authenticator {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	made, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportUsb,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		b.t.Fatal(err)
	}
	return authenticator{b, made.AuthenticatorID}
}

// touched says whether its person touches this authenticator when one is asked for.
func (a authenticator) touched(on bool) {
	a.b.t.Helper()
	if _, err := chromedp.Call(a.b.ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: on}); err != nil {
		a.b.t.Fatal(err)
	}
	a.recognises(on)
}

// Two people take turns at one workstation by one touch each. What the first was writing, and where, is there when she comes back, and nothing
// of it is seen by the second, in the page or by the way back.
func TestSwitch(t *testing.T) {
	w := newWard(t, nil)
	b := browse(t, w.base)
	hers, his := w.shared(b)
	b.says("Joel Sand")
	b.fits("switch-day")
	b.follow("Switch")
	b.says("This screen is locked", "Joel Sand", "Also on this workstation", "Liv Sandberg", "Somebody else")
	b.fits("switch-locked")

	his.touched(false)
	hers.touched(true)
	if b.follow("Unlock with a passkey"); b.at() != "/day" {
		t.Fatalf("her touch leads to %s:\n%s", b.at(), b.text())
	}
	b.says("Liv Sandberg")
	page := w.chart + "/notes/new"
	if b.open(page) != http.StatusOK {
		t.Fatalf("her patient's note: %s", b.text())
	}
	const sentence = "Breathing easier since the second dose."
	b.size(1440, 500)
	b.fill("title", "Round")
	b.fill("text", sentence)
	hidden := b.beside() // a tab behind, without a stream of its own, as a browser has it when another is in front
	hidden.open(w.chart)
	hidden.says("Quintanilla")
	ask[bool](hidden, `(Object.defineProperty(document, 'hidden', { value: true }), document.dispatchEvent(new Event('visibilitychange')))`)
	ask[bool](b, `(scrollTo({ top: 120, behavior: 'instant' }), true)`)
	down := ask[int](b, `Math.round(scrollY)`)
	secrets := []string{"Quintanilla", "Rosa", "Breathing", "second dose"}
	b.goes("Switch", chromedp.Evaluate[chromedp.Void](`document.querySelector('button.switch').click()`)) // without scrolling there
	b.silent(secrets...)
	hidden.until(`document.querySelector('h1').textContent === 'This screen is locked'`)
	hidden.silent(secrets...)

	hers.touched(false)
	his.touched(true)
	begun := time.Now()
	b.follow("Unlock with a passkey")
	took := time.Since(begun)
	b.says("Joel Sand")
	b.silent(append(secrets, "Liv Sandberg")...)
	t.Logf("from the touch to his page: %v", took)
	b.expect(403)
	b.expect(404)
	b.do(chromedp.NavigateBack())
	b.silent(secrets...)
	b.open(page) // closed to him, which says whose chart it is and nothing of what she wrote
	b.silent("Breathing", "second dose", "Liv Sandberg")

	b.open("/day")
	b.follow("Switch")
	his.touched(false)
	hers.touched(true)
	if b.follow("Unlock with a passkey"); b.at() != page {
		t.Fatalf("she comes back to %s:\n%s", b.at(), b.text())
	}
	if got := ask[string](b, `document.querySelector('main [name=text]').value`); got != sentence {
		t.Errorf("the note reads %q", got)
	}
	b.until(`Math.round(scrollY) === ` + strconv.Itoa(down))
	if down == 0 {
		t.Error("nothing was scrolled")
	}
	if ask[string](b, `location.hash`) != "" {
		t.Error("the place stays in the address")
	}
}

// A screen warns a minute before it locks, stays for a touch, and locks without one: nothing of the patient is left in the page, the other
// tab of the person included, and unlocking brings back page, place and text.
func TestLock(t *testing.T) {
	w := newWard(t, nil)
	who, err := w.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Liv Sandberg", Roles: []string{identity.Nurse}, Practitioner: w.nurse, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	b := browse(t, w.base)
	b.open("/sign-in")
	liv := signIn{login: who.Person, password: who.Password, secret: who.Secret}
	if b.signIn(liv, liv.code(t, 0)); b.at() != "/day" {
		t.Fatalf("signing in leads to %s:\n%s", b.at(), b.text())
	}
	page := w.chart + "/notes/new"
	other := b.beside()
	other.open(w.chart)
	other.says("Quintanilla")
	later := func(seconds int) {
		t.Helper()
		ask[bool](b, `(() => { const now = Date.now, by = `+strconv.Itoa(seconds)+` * 1000; Date.now = () => now() + by; return true })()`)
	}
	b.open(page)
	if got := ask[string](b, `document.querySelector('[data-lock-after]').dataset.lockAfter`); got != "300" {
		t.Fatalf("a screen that is looked at stays open for %s s", got)
	}
	later(250)
	b.until(`document.querySelector('[data-lock-warning]').textContent.includes('locks in')`)
	if ask[string](b, `document.querySelector('[data-lock-warning]').getAttribute('role')`) != "alert" {
		t.Error("the warning is not read out")
	}
	b.fits("lock-warning")
	b.keys("x")
	b.until(`document.querySelector('[data-lock-warning]').textContent === ''`)
	const sentence = "Walked to the window."
	b.size(1440, 500)
	b.fill("title", "Round")
	b.fill("text", sentence)
	ask[bool](b, `(scrollTo({ top: 120, behavior: 'instant' }), true)`)
	down := ask[int](b, `Math.round(scrollY)`)
	later(320) // longer than a screen that is looked at, and not as long as one that is written on
	time.Sleep(1200 * time.Millisecond)
	b.says("Quintanilla")
	later(900)
	b.until(`document.querySelector('h1').textContent === 'This screen is locked'`)
	secrets := []string{"Quintanilla", "Rosa", "Walked", "Liv Sandberg"}
	b.silent(secrets...)
	other.until(`document.querySelector('h1').textContent === 'This screen is locked'`)
	other.silent(secrets...)
	b.follow("Unlock")
	b.fill("password", who.Password)
	if b.follow("Unlock"); b.at() != page {
		t.Fatalf("unlocking leads to %s:\n%s", b.at(), b.text())
	}
	if got := ask[string](b, `document.querySelector('main [name=text]').value`); got != sentence {
		t.Errorf("the note reads %q", got)
	}
	b.until(`Math.round(scrollY) === ` + strconv.Itoa(down))
	if down == 0 {
		t.Error("nothing was scrolled")
	}
}

// A person links her hospital account, signs in with it, and one that nobody linked is told so.
func TestOIDC(t *testing.T) {
	issuer := ssotest.Free(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(ssotest.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWard(t, func(c *server.Config) {
		c.OIDCIssuer, c.OIDCClient, c.OIDCSecretFile, c.OIDCTwoFactors, c.OIDCACR = issuer, "chartwarden", secret, "two", "two,one"
	})
	ssotest.Run(t, issuer, w.base+"/sign-in/provider/back", w.base+"/sign-in/provider/logout")
	who, err := w.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Liv Sandberg", Roles: []string{identity.Nurse}, Practitioner: w.nurse, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	b := browse(t, w.base)
	b.expect(403)
	b.expect(404)                      // the provider has no icon
	b.tolerate("fonts.googleapis.com") // which its page that signs out asks for
	b.open("/sign-in")
	b.fits("oidc-sign-in")
	liv := signIn{login: who.Person, password: who.Password, secret: who.Secret}
	b.signIn(liv, liv.code(t, 0))
	b.open("/my-sign-in")
	b.says("Your hospital account", "Not linked")
	b.follow("Link your hospital account")
	b.says("Go on to localhost")
	b.fits("oidc-link")
	account := func(name, button string) {
		t.Helper()
		b.fill("who", name)
		b.follow(button)
	}
	b.follow("Go on to localhost")
	account("s-1", "Sign in with two factors")
	if b.at() != "/my-sign-in" {
		t.Fatalf("linking leads to %s:\n%s", b.at(), b.text())
	}
	b.says("Account of s-1", "A hospital account was linked")
	b.fits("oidc-linked")
	b.touch(personMenu)
	b.follow("Lock this screen")
	b.fits("oidc-locked")
	b.follow("Unlock with your hospital account")
	account("s-1", "Sign in with two factors")
	if b.at() != "/my-sign-in" {
		t.Fatalf("unlocking leads to %s:\n%s", b.at(), b.text())
	}
	b.touch(personMenu)
	b.follow("Sign out")
	b.until(`location.pathname === '/session/end' && document.readyState === 'complete'`) // it leads on to the provider by itself
	b.says("Do you want to sign-out")
	b.follow("Yes, sign me out")
	if b.at() != "/sign-in" {
		t.Fatalf("signing out at the provider leads to %s:\n%s", b.at(), b.text())
	}
	b.follow("Sign in with your hospital account")
	account("s-1", "Sign in with two factors") // the provider still knows her; people take turns here, so it asks who it is
	if b.at() != "/day" {
		t.Fatalf("signing in leads to %s:\n%s", b.at(), b.text())
	}
	b.says("Liv Sandberg")

	c := browse(t, w.base)
	c.expect(403)
	c.expect(404)
	b = c
	c.open("/sign-in")
	c.follow("Sign in with your hospital account")
	account("s-1", "Sign in with one")
	c.says("One more step", "Liv Sandberg")
	c.fits("oidc-second-factor")
	c.fill("totp", liv.code(t, 1))
	if c.follow("Go on"); c.at() != "/day" {
		t.Fatalf("the second factor leads to %s:\n%s", c.at(), c.text())
	}

	d := browse(t, w.base)
	d.expect(403)
	d.expect(404)
	b = d
	d.open("/sign-in")
	d.follow("Sign in with your hospital account")
	account("liv.sandberg", "Sign in with two factors")
	d.says("Your hospital account is not linked here", "Nothing was opened and nothing was made")
	d.fits("oidc-unlinked")
}
