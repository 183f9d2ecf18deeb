package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// icons tell the people of the start page apart.
var icons = map[string]string{"physician": "stethoscope", "nurse": "heart-pulse", "front-desk": "id-card", "billing": "receipt-text",
	"privacy": "shield-check", "administrator": "settings", "patient": "user"}

// personMenu is the menu under the person's name.
const personMenu = ".me > details > summary"

// as signs in somebody of the demonstration by one touch on the start page, by role.
func as(t testing.TB, role string) *tab {
	t.Helper()
	b := browse(t, demo(t).base)
	b.open("/")
	b.follow("button:has([href$='#" + icons[role] + "'])")
	return b
}

// signedIn signs somebody in with password and code.
func signedIn(t testing.TB, who signIn) *tab {
	t.Helper()
	b := browse(t, demo(t).base)
	b.open("/sign-in")
	if status := b.signIn(who, who.code(t, 0)); status != 200 || b.at() == "/sign-in" {
		t.Fatalf("%s cannot sign in:\n%s", who.name, b.text())
	}
	return b
}

// signIn fills the form and sends it.
func (b *tab) signIn(who signIn, code string) int {
	b.t.Helper()
	b.fill("person", who.login)
	b.fill("password", who.password)
	b.fill("totp", code)
	return b.follow("Sign in")
}

// The demonstration reaches a chart: start page, one touch, My day, and a chart without a prompt.
func TestChartInThreeTouches(t *testing.T) {
	b := browse(t, demo(t).base)
	b.open("/")
	b.says("Who would you like to be?", "Sandbox.")
	b.fits("start")
	b.follow("button:has([href$='#stethoscope'])")
	if b.at() != "/day" {
		t.Fatalf("the physician begins at %s", b.at())
	}
	b.says("My day")
	b.fits("day")
	if status := b.follow("Okafor, Maren"); status != 200 {
		t.Fatalf("a patient of My day answers %d:\n%s", status, b.text())
	}
	b.says("Why you can open this chart", "Vitals", "Medications", "Problems", "Who else looked", "Allergies")
	if n := ask[int](b, `document.querySelectorAll('section:has(#vitals) svg.plot').length`); n < 2 {
		t.Errorf("%d vital signs are drawn", n)
	}
	b.fits("chart")
	if dir := os.Getenv("CHARTWARDEN_PICTURES"); dir != "" {
		b.size(1440, 1000)
		b.capture(filepath.Join(dir, "readme-chart.png"))
	}
}

// The judge of accessibility is worth what it can find.
func TestAxeFindsFaults(t *testing.T) {
	b := browse(t, demo(t).base)
	b.open("/sign-in")
	js, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	ask[bool](b, string(js)+";true")
	if found := promised(b, runAxe); found != "" {
		t.Fatalf("axe-core finds %s", found)
	}
	ask[bool](b, `document.querySelector('main').append(new Image()), document.querySelector('main h1').style.color = '#ddd', true`)
	if found := promised(b, runAxe); !strings.Contains(found, "image-alt") || !strings.Contains(found, "color-contrast") {
		t.Fatalf("axe-core overlooks an image without words or pale text: %q", found)
	}
}

func TestSignInByPasswordAndCode(t *testing.T) {
	h := demo(t)
	who := h.cast["billing"]
	if len(h.cast) != len(icons) {
		t.Fatalf("the demonstration prints %d people:\n%s", len(h.cast), h.printed)
	}
	b := browse(t, h.base)
	b.expect(401)
	b.open("/sign-in?next=/activity")
	b.fits("sign-in")
	code := who.code(t, 0)
	wrong := "000000"
	if code == wrong || who.code(t, 1) == wrong || who.code(t, -1) == wrong {
		wrong = "999999"
	}
	if status := b.signIn(who, wrong); status != 401 {
		t.Fatalf("a wrong code answers %d at %s", status, b.at())
	}
	b.says("wrong")
	b.fits("sign-in-wrong")
	b.silent(who.password)
	if status := b.signIn(who, code); status != 200 || b.at() != "/activity" {
		t.Fatalf("the right code answers %d and leads to %s:\n%s", status, b.at(), b.text())
	}
	b.says(who.name)
	b.touch(personMenu)
	b.follow("Sign out")
	if b.at() != "/sign-in" {
		t.Fatalf("signing out leads to %s", b.at())
	}
	if status := b.signIn(who, code); status != 401 {
		t.Fatalf("the same code a second time answers %d at %s", status, b.at())
	}
	if status := b.signIn(who, who.code(t, 1)); status != 200 {
		t.Fatalf("the next code answers %d:\n%s", status, b.text())
	}
}

// The first administrator of an installation in earnest enrols by the link that init prints, once.
func TestFirstAdministrator(t *testing.T) {
	needsBrowser(t)
	dir := t.TempDir() + "/data"
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.Fields(run(t, "init", "--data", dir, "--admin", "Ruth Adeyemi", "--public-url", "http://localhost:"+port))
	link := printed[len(printed)-1]
	server, err := launchAt(port, "serve", "--data", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	path, ok := strings.CutPrefix(link, server.base)
	if !ok {
		t.Fatalf("init prints %s for the server at %s", link, server.base)
	}
	b := browse(t, server.base)
	b.expect(400)
	b.expect(404)
	if b.open(path); !strings.Contains(b.text(), "Welcome, Ruth Adeyemi") {
		t.Fatalf("the link opens:\n%s", b.text())
	}
	if strings.Contains(b.text(), "Sandbox") {
		t.Error("an installation in earnest calls itself a sandbox")
	}
	b.fits("enrol")
	who := signIn{secret: strings.Join(strings.Fields(ask[string](b, `document.querySelector('code.secret').textContent`)), "")}
	enrol := func(password, again string) int {
		b.fill("password", password)
		b.fill("again", again)
		b.fill("totp", who.code(t, 0))
		return b.follow("Finish and sign in")
	}
	if status := enrol("a long and quiet sentence", "another long sentence"); status != 400 {
		t.Fatalf("two different passwords answer %d", status)
	}
	b.says("differ")
	if status := enrol("a long and quiet sentence", "a long and quiet sentence"); status != 200 || b.at() != "/admin/people" {
		t.Fatalf("enrolling answers %d and leads to %s:\n%s", status, b.at(), b.text())
	}
	b.says("Ruth Adeyemi")
	b.fits("first-people")
	again := browse(t, server.base)
	again.expect(404)
	again.expect(410)
	if status := again.open(path); status < 400 || strings.Contains(again.text(), "Ruth Adeyemi") {
		t.Fatalf("the used link answers %d:\n%s", status, again.text())
	}
	again.fits("link-used")
}
