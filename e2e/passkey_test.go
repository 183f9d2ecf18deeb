package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// authenticator is Chromium's own, in software: it answers as a laptop with a fingerprint reader would.
type authenticator struct {
	b  *tab
	id webauthn.AuthenticatorID
}

// laptop gives the tab an authenticator.
func (b *tab) laptop() authenticator {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	made, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		b.t.Fatal(err)
	}
	return authenticator{b, made.AuthenticatorID}
}

// recognises says whether the finger is the right one.
func (a authenticator) recognises(on bool) {
	a.b.t.Helper()
	if _, err := chromedp.Call(a.b.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: on}); err != nil {
		a.b.t.Fatal(err)
	}
}

// copies says whether the keys that the authenticator holds can be copied.
func (a authenticator) copies(on bool) {
	a.b.t.Helper()
	held, err := chromedp.Call(a.b.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id})
	if err != nil {
		a.b.t.Fatal(err)
	}
	if len(held.Credentials) != 1 || !held.Credentials[0].IsResidentCredential {
		a.b.t.Fatalf("the authenticator holds %+v", held.Credentials)
	}
	if _, err := chromedp.Call(a.b.ctx, webauthn.SetCredentialProperties, webauthn.SetCredentialPropertiesParams{AuthenticatorID: a.id,
		CredentialID: held.Credentials[0].CredentialID, BackupEligibility: &on}); err != nil {
		a.b.t.Fatal(err)
	}
}

// byButton turns the autofill of the sign-in name off: Chromium's own authenticator would choose for the person before she touches anything.
func (b *tab) byButton() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false)`}); err != nil {
		b.t.Fatal(err)
	}
}

// leaves signs out.
func (b *tab) leaves() {
	b.t.Helper()
	b.touch(personMenu)
	b.follow("Sign out")
	if b.at() != "/sign-in" {
		b.t.Fatalf("signing out leads to %s", b.at())
	}
}

// A person enrols a passkey behind the link and never types a password: she signs in, unlocks and confirms by a touch. What is not as it
// was made opens nothing. A recovery code leads to a new factor, and a passkey that was removed opens nothing any more.
func TestPasskey(t *testing.T) {
	demo(t)
	admin := as(t, "administrator")
	admin.follow("Add a person")
	admin.fill("name", "Liv Sandberg")
	admin.fill("login", "liv.sandberg")
	admin.fill("department", "5 West")
	admin.touch("[name=role][value=nurse]")
	admin.follow("Add this person")
	link := ask[string](admin, `document.querySelector('.note code').textContent`)

	b := browse(t, admin.base)
	key := b.laptop()
	b.expect(401)
	b.expect(403)
	b.expect(400)
	b.expect(409)
	b.open(strings.TrimPrefix(link, b.base))
	b.says("Welcome, Liv Sandberg", "Create a passkey")
	b.fits("enrol-passkey")
	if b.follow("Create a passkey"); b.at() != "/day" {
		t.Fatalf("enrolling leads to %s:\n%s", b.at(), b.text())
	}
	b.says("Liv Sandberg")

	b.touch(personMenu)
	b.follow("Sign out")
	b.do(chromedp.WaitVisible(personMenu)) // the browser offers the passkey with the sign-in name, and here takes it
	if b.at() != "/day" {
		t.Fatalf("the autofill leads to %s", b.at())
	}

	b.byButton()
	b.leaves()
	b.fits("sign-in-passkey")
	if b.follow("Sign in with a passkey"); b.at() != "/day" {
		t.Fatalf("the passkey leads to %s:\n%s", b.at(), b.text())
	}

	b.touch(personMenu)
	b.follow("My sign-in")
	b.says("Passkeys", "Bound to one device", "Not set. You sign in with a passkey.")
	b.fits("my-sign-in")
	b.touch("summary:has(+ form[action*='/my-sign-in/passkeys/'])")
	b.fill("name", "Ward laptop")
	b.follow("Rename")
	b.says("Ward laptop")
	b.touch("summary:has(+ form[action*='/my-sign-in/passkeys/'])")
	if status := b.follow("button[value=remove]"); status != 409 {
		t.Fatalf("removing the last factor answers %d", status)
	}
	b.says("the last way in which you can sign in")

	b.follow("Add a passkey")
	b.says("Name, so that you know it again", "Create a passkey")
	b.fits("passkey-add")
	b.touch("Create a passkey")
	b.until(`document.querySelector('[data-passkey-says]').checkVisibility()`)
	b.says("This device holds a passkey of yours already.")
	if ask[bool](b, `document.querySelector('[data-without-passkey]').checkVisibility()`) {
		t.Error("the page says that no passkey can be made")
	}

	b.open("/activity")
	b.touch(personMenu)
	b.follow("Lock this screen")
	b.says("This screen is locked")
	b.fits("locked-passkey")
	if b.follow("Unlock with a passkey"); b.at() != "/activity" {
		t.Fatalf("unlocking leads to %s:\n%s", b.at(), b.text())
	}

	b.goes("the form that asks for a factor", chromedp.Evaluate[chromedp.Void](`(() => {
		const form = Object.assign(document.createElement('form'), { method: 'post', action: '/step-up' })
		const next = Object.assign(document.createElement('input'), { name: 'next', value: '/my-sign-in' })
		form.append(next)
		document.body.append(form)
		form.submit()
	})()`))
	b.says("Confirm that it is you", "Confirm with your passkey")
	b.fits("step-up-passkey")
	if b.follow("Confirm with your passkey"); b.at() != "/my-sign-in" {
		t.Fatalf("confirming leads to %s:\n%s", b.at(), b.text())
	}

	b.follow("Make ten recovery codes")
	codes := ask[[]string](b, `[...document.querySelectorAll('.codes code')].map(e => e.textContent)`)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes:\n%s", len(codes), b.text())
	}
	b.says("10 codes left", "Shown only now", "Your sign-in changed.", "New recovery codes were made")
	b.fits("my-sign-in-codes")
	b.open("/my-sign-in")
	b.silent(append(codes, "This was all me")...)
	b.says("What was done since you signed in stays here")
	b.leaves()
	b.follow("Sign in with a passkey")
	b.says("Your sign-in changed.")
	b.open("/my-sign-in")
	b.follow("This was all me")
	b.says("New recovery codes were made")
	b.silent("Your sign-in changed.")
	b.leaves()

	refused := func(why, says string) {
		t.Helper()
		if status := b.follow("Sign in with a passkey"); status != 401 || b.at() != "/sign-in" {
			t.Fatalf("%s: answers %d and leads to %s", why, status, b.at())
		}
		b.says(says)
	}
	key.copies(true)
	refused("a passkey that can be copied now", "not as it was when it was made")
	b.fits("sign-in-refused")
	key.copies(false)
	key.recognises(false)
	b.touch("Sign in with a passkey")
	b.until(`document.querySelector('[data-passkey-says]').checkVisibility()`)
	b.says("Nothing was confirmed")
	b.fits("sign-in-unverified")
	key.recognises(true)
	if b.follow("Sign in with a passkey"); b.at() != "/day" {
		t.Fatalf("the passkey as it was leads to %s:\n%s", b.at(), b.text())
	}
	b.leaves()

	b.follow("Use a recovery code")
	b.fits("recover")
	b.fill("person", "liv.sandberg")
	b.fill("code", "0000-0000-0000-0000")
	if status := b.follow("Go on"); status != 401 {
		t.Fatalf("a wrong recovery code answers %d", status)
	}
	b.fill("code", codes[4])
	b.follow("Go on")
	b.says("Welcome, Liv Sandberg")
	secret := strings.Join(strings.Fields(ask[string](b, `document.querySelector('code.secret').textContent`)), "")
	b.fill("password", "a long and quiet sentence")
	b.fill("again", "a long and quiet sentence")
	b.fill("totp", signIn{secret: secret}.code(t, 0))
	if b.follow("Finish and sign in"); b.at() != "/day" {
		t.Fatalf("a new factor leads to %s:\n%s", b.at(), b.text())
	}
	b.says("Your sign-in changed.")
	b.open("/my-sign-in")
	b.says("A recovery code was used", "9 codes left")
	b.touch("summary:has(+ form[action*='/my-sign-in/passkeys/'])")
	if status := b.follow("button[value=remove]"); status != 403 {
		t.Fatalf("a recovery code, and nothing since, removes a passkey: %d", status)
	}
	b.says("This changes how you sign in")
	b.fill("confirm-code", signIn{secret: secret}.code(t, 1))
	b.follow("Confirm and go on")
	b.says("No passkey yet", "A passkey was removed")
	b.leaves()
	refused("a passkey that was removed", "does not open anything here")
}
