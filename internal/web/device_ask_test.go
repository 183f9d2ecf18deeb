package web_test

import (
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

var askedHref = regexp.MustCompile(`action="/my-devices/([a-z2-7]{16})/withdraw"`)

// A person asks that the browser at which she sits becomes a device of the house. An administrator alone agrees, never the asker; it is asked
// once for a browser, withdrawn, refused with a sentence, and lapses; agreed to, the session proves itself by the key that it showed.
func TestAskingForADevice(t *testing.T) {
	o := newOffice(t)
	ruth, olu, anna, sam := o.staff("Ruth Adeyemi", identity.Administrator), o.staff("Olu Bankole", identity.Privacy), o.staff("Anna Berg", identity.Nurse), o.staff("Sam Rivera", identity.Physician)
	patient := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	patient.page("/my-devices")
	o.hides(patient.get("/my-devices"), "Ask for registration")
	jar, err := cookiejar.New(nil)
	o.must(err)
	anna.browser.Jar = jar
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+"/sign-in", nil) // where the browser gets its cookie
	o.must(err)
	r.Header.Set("Accept", "text/html")
	anna.do(r, nil)
	anna.comes(nil)

	key := newDeviceKey(o)
	asks := func(p *person, k deviceKey, name, reason string) seen {
		nonce := ruth.page("/admin/devices") // any nonce to enrol is as good as another: it proves no person
		return p.post("/my-devices/register", "name", name, "reason", reason, "device", k.proof(o, deviceNonce.FindStringSubmatch(nonce.body)[1]))
	}
	anna.page("/my-devices", "Ask for registration")
	o.shows(asks(patient, key, "Mine", "my own"), http.StatusForbidden)
	o.shows(asks(anna, key, " ", "my ward"), http.StatusBadRequest, "at most 60 characters")
	o.shows(asks(anna, key, "Tablet", " "), http.StatusBadRequest, "Say why")
	o.shows(anna.post("/my-devices/register", "name", "Tablet", "reason", "my ward", "device", key.proof(o, anna.post("/device/nonce").body)), http.StatusBadRequest, "did not prove its key")
	ask := func() string {
		t.Helper()
		if a := asks(anna, key, "Tablet of bay 7", "The tablet of my ward"); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.text())
		}
		a := anna.page("/my-devices", "Tablet of bay 7", "has not answered yet", "this device")
		o.hides(a, "Ask for registration")
		return askedHref.FindStringSubmatch(a.body)[1]
	}
	item := ask()
	o.shows(asks(anna, newDeviceKey(o), "Tablet", "again"), http.StatusConflict, "asked for this device already")
	o.shows(sam.post("/my-devices/"+item+"/withdraw"), http.StatusNotFound, "no such item")
	o.shows(ruth.post("/my-devices/"+item+"/withdraw"), http.StatusNotFound, "no such item")
	if a := anna.post("/my-devices/" + item + "/withdraw"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(anna.page("/my-devices", "The request was withdrawn", "Ask for registration"), "Tablet of bay 7")

	item = ask()
	o.hides(olu.page("/approvals"), "Tablet of bay 7")
	o.shows(olu.get("/approvals/"+item), http.StatusNotFound)
	o.clock.pass(49 * time.Hour) // a new authenticator is no second pair of eyes
	for _, p := range []*person{ruth, olu, anna} {
		p.comes(nil)
	}
	if _, err := o.Gate.Approve(t.Context(), olu.session, item); err == nil {
		t.Error("a privacy officer registers a device")
	}
	if _, err := o.Gate.Approve(t.Context(), sam.session, item); err == nil {
		t.Error("a physician registers a device")
	}
	ruth.page("/approvals/"+item, "Register the device “Tablet of bay 7”", "The tablet of my ward", "Another administrator")
	if a := ruth.post("/approvals/"+item, "act", "refuse", "why", "unknown to me"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	anna.page("/my-devices", "Tablet of bay 7", "Ruth Adeyemi declined to register it", "Ask for registration")

	item = ask()
	o.clock.pass(8 * 24 * time.Hour)
	for _, p := range []*person{ruth, anna} {
		p.comes(nil)
	}
	o.shows(ruth.post("/approvals/"+item, "act", "approve"), http.StatusNotFound)
	anna.page("/my-devices", "Ask for registration", "an unknown device")

	item = ask()
	if a := ruth.post("/approvals/"+item, "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.must(o.Gate.CarryOut(t.Context()))
	if a := anna.post("/device/proof", "device", newDeviceKey(o).proof(o, anna.post("/device/nonce").body)); a.status != http.StatusNoContent || anna.page("/my-devices", "an unknown device").status != http.StatusOK {
		t.Errorf("another key of the same browser: %d", a.status)
	}
	if a := anna.post("/device/proof", "device", key.proof(o, anna.post("/device/nonce").body)); a.status != http.StatusNoContent {
		t.Fatal(a.status, a.text())
	}
	o.hides(anna.page("/my-devices", "a registered device", "Ruth Adeyemi agreed: it is a device of the house"), "Ask for registration")
	ruth.page("/admin/devices", "Tablet of bay 7", "by Ruth Adeyemi")
	list, err := o.Persons.Devices(t.Context())
	o.must(err)
	if len(list) != 1 || list[0].ID != item || !strings.HasPrefix(list[0].Name, "Tablet") {
		t.Errorf("%+v", list)
	}
	if report, err := o.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("a verification finds %+v, %v", report.Faults, err)
	}
}
