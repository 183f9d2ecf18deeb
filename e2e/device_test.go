package e2e

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// keyKept asks the browser's own store for the key of the device: none, or whether it could be taken out.
const keyKept = `new Promise((done) => {
	const opened = indexedDB.open('chartwarden', 1)
	opened.onupgradeneeded = () => opened.result.createObjectStore('device')
	opened.onsuccess = () => {
		const asked = opened.result.transaction('device').objectStore('device').get('key')
		asked.onsuccess = () => { opened.result.close(); done(!asked.result ? 'none' : asked.result.privateKey.extractable ? 'can be taken' : 'stays') }
	}
})`

func (b *tab) keyKept() string {
	b.t.Helper()
	ask[bool](b, `(window.kept = '', `+keyKept+`.then((k) => { window.kept = k }), true)`)
	b.until(`window.kept`)
	return ask[string](b, `window.kept`)
}

// A tablet becomes a device of the house by one touch behind a code, and proves itself with a key that its browser cannot give away. Lost, its
// open page empties by itself, and nobody signs in at it until it is registered anew.
func TestLostDevice(t *testing.T) {
	demo(t)
	admin := as(t, "administrator")
	admin.follow("Devices")
	admin.says("No device is registered", "You stand at it")
	admin.fits("devices-none")
	admin.fill("name", "Tablet ward 3")
	admin.follow("Make a code")
	admin.says("It works once", "Tablet ward 3")
	link := ask[string](admin, `document.querySelector('.note code').textContent`)

	who := demonstration.cast["nurse"]
	b := browse(t, admin.base)
	b.expect(403)
	b.open("/sign-in")
	if kept := b.keyKept(); kept != "none" {
		t.Fatalf("a strange browser's key is: %s", kept)
	}
	b.open(strings.TrimPrefix(link, b.base))
	b.says("Register this device", "As Tablet ward 3")
	b.fits("device-enrol")
	b.follow("Register this device")
	b.says("This device is registered")
	if kept := b.keyKept(); kept != "stays" {
		t.Fatalf("the key of the device: %s", kept)
	}
	b.open("/sign-in")
	b.until(`document.querySelector('form[action="/sign-in"]:has([name=totp])').elements.device?.value`)
	if status := b.signIn(who, who.code(t, 0)); status != 200 || b.at() == "/sign-in" {
		t.Fatalf("%s cannot sign in:\n%s", who.name, b.text())
	}
	b.open("/my-devices")
	b.says("a registered device", "In the hospital")
	b.fits("my-devices")

	admin.open("/admin/devices")
	admin.says("Tablet ward 3", "Last proved itself")
	admin.touch("summary:has(+ form[action*='/admin/devices/'])")
	admin.fits("devices")
	admin.fill("reason", "Left in a taxi")
	start := time.Now()
	admin.follow("It was lost")
	b.until(`document.body.innerText.includes('This screen is locked')`)
	t.Logf("the page at the lost device was empty %d ms after the touch", time.Since(start).Milliseconds())
	admin.says("nobody signs in at it", "Lost")
	b.silent("a registered device")

	b.open("/sign-in")
	if status := b.signIn(who, who.code(t, 1)); status != 403 {
		t.Fatalf("at a lost device a sign-in answers %d:\n%s", status, b.text())
	}
	b.says("reported lost")
}

// A nurse asks at her ward's tablet that it is registered; an administrator declines, with the sentence on the nurse's page, and agrees the second
// time: the tablet proves itself by the key that it made when it asked.
func TestAskingForADevice(t *testing.T) {
	o := newBureau(t)
	admin := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Administrator}}))
	nurse := o.as(o.person(identity.NewPerson{Name: "Théo Moreau", Roles: []string{identity.Nurse}}))
	ask := func() {
		t.Helper()
		nurse.open("/my-devices")
		nurse.fill("name", "Tablet ward 3")
		nurse.fill("reason", "The tablet of my ward")
		nurse.follow("Ask for registration")
		nurse.says("An administrator is asked", "has not answered yet")
		nurse.silent("Whose it is")
		if kept := nurse.keyKept(); kept != "stays" {
			t.Fatalf("the key of the device: %s", kept)
		}
	}
	nurse.open("/my-devices")
	nurse.fits("device-ask")
	ask()
	nurse.fits("device-asked")
	answer := func(how string) {
		t.Helper()
		admin.open("/approvals")
		admin.follow("Register the device “Tablet ward 3”")
		admin.says("The tablet of my ward", "Another administrator")
		if how == "Agree" {
			admin.fits("device-approval")
		}
		admin.follow(how)
		if err := o.Gate.CarryOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	answer("Decline")
	stale := nurse.beside() // it stays open while the request is made beside it
	stale.open("/my-devices")
	stale.fill("name", "Tablet ward 3")
	stale.fill("reason", "The tablet of my ward")
	ask()
	nurse.says("Ruth Adeyemi declined to register it")
	stale.expect(409)
	if status := stale.follow("Ask for registration"); status != 409 {
		t.Fatalf("asked again from a stale page: %d\n%s", status, stale.text())
	}
	stale.says("somebody asked for this device already")
	stale.close()
	answer("Agree")
	nurse.open("/my-devices")
	nurse.says("Ruth Adeyemi agreed: it is a device of the house", "Ruth Adeyemi declined")
	for end := time.Now().Add(patience); !strings.Contains(nurse.text(), "a registered device"); nurse.open("/my-devices") {
		if time.Now().After(end) {
			t.Fatalf("the tablet does not prove itself:\n%s", nurse.text())
		}
	}
	nurse.fits("device-agreed")
}
