package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/posture"
)

// A machine enrols and reports without a session. What it says stands in words in the registry and under My devices, beside a browser that its
// own address tied to it; a report that is not as demanded says why, and no session ends.
func TestMachines(t *testing.T) {
	o := newOffice(t)
	ruth, anna := o.staff("Ruth Adeyemi", identity.Administrator), o.staff("Anna Berg", identity.Nurse)
	key, browser := newDeviceKey(o), newDeviceKey(o)
	ruth.post("/admin/devices", "name", "Desk ER-02")
	link := deviceLink.FindStringSubmatch(ruth.get("/admin/devices").body)
	if link == nil {
		t.Fatal("no code")
	}
	code := strings.TrimPrefix(link[1], "/device/")
	nonce := func(purpose, device string) string {
		return anna.post("/device/machine/nonce", "for", purpose, "device", device).body
	}
	o.shows(anna.post("/device/machine/nonce", "for", "anything"), http.StatusBadRequest, "enrol, report or browser")
	o.shows(anna.post("/device/machine/enrol", "code", code, "proof", key.proof(o, nonce("browser", ""))), http.StatusBadRequest, "did not prove its key")
	var enrolled struct{ Device, Browser string }
	a := anna.post("/device/machine/enrol", "code", code, "proof", key.proof(o, nonce("enrol", "")))
	if err := json.Unmarshal([]byte(a.body), &enrolled); err != nil || a.status != http.StatusOK || len(enrolled.Device) != 16 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	o.shows(anna.post("/device/machine/enrol", "code", code, "proof", key.proof(o, nonce("enrol", ""))), http.StatusNotFound, "not valid")
	ruth.page("/admin/devices", "reported nothing yet")
	_, at, _ := strings.Cut(enrolled.Browser, "/device/")
	at = "/device/" + at
	jar, err := cookiejar.New(nil)
	o.must(err)
	anna.browser.Jar = jar
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+at, nil)
	o.must(err)
	r.Header.Set("Accept", "text/html")
	page := anna.do(r, nil)
	o.shows(page, http.StatusOK, "As Desk ER-02")
	o.shows(anna.post(at, "device", browser.proof(o, deviceNonce.FindStringSubmatch(page.body)[1])), http.StatusOK, "This device is registered")
	anna.comes(&browser)
	anna.page("/my-devices", "a registered device")

	report := func(change func(*posture.Report)) seen {
		o.clock.pass(time.Second)
		now := o.clock.Now()
		r := posture.Report{Device: enrolled.Device, Nonce: nonce("report", enrolled.Device), System: "debian 12", Disk: posture.Encrypted, Lock: 5 * time.Minute, LockBy: posture.ByPolicy,
			Updated: now.Add(-49 * time.Hour).Truncate(time.Second), Started: now.Add(-time.Hour).Truncate(time.Second)}
		change(&r)
		signature, err := posture.Sign(key.PrivateKey, r.Text())
		o.must(err)
		return anna.post("/device/machine/report", "report", r.Text(), "signature", signature)
	}
	o.shows(report(func(*posture.Report) {}), http.StatusOK, `"trust":"managed"`)
	o.clock.pass(time.Second)
	ruth.page("/admin/devices", "Managed", "Debian 12, disk encrypted, screen locks after 5 min, updated 2 days ago, started today")
	anna.page("/my-devices", "a managed device", "Debian 12, disk encrypted")
	o.shows(report(func(r *posture.Report) { r.Disk = posture.Open }), http.StatusOK, `"trust":"registered"`, "its disk is not encrypted")
	o.clock.pass(time.Second)
	ruth.page("/admin/devices", "Not managed: its disk is not encrypted.")
	anna.page("/my-devices", "a registered device", "Not managed: its disk is not encrypted.")
	o.shows(report(func(r *posture.Report) { r.Nonce = strings.Repeat("A", 43) }), http.StatusConflict, "fetch a nonce")
	o.shows(report(func(r *posture.Report) { r.Device = "aaaaaaaaaaaaaaaa" }), http.StatusUnauthorized, "not enrolled")
	o.shows(report(func(r *posture.Report) { r.System = "x" }), http.StatusBadRequest, "a system is a name")
}
