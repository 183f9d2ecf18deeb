package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// agents are who the newest entries of a person name, newest first.
func agents(t *testing.T, s *servertest.Server, person string) (out []audit.Agent) {
	t.Helper()
	list, err := s.Log.OfPerson(t.Context(), person, audit.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		out = append(out, r.Event.Agent)
	}
	return out
}

// Every entry of a person names the browser and the network address that the request came from, which are told apart from request to request.
func TestEveryEntryNamesDeviceAndAddress(t *testing.T) {
	s := servertest.Start(t)
	nurse := s.Person(t, "Theo", "nurse", "")
	if a := agents(t, s, nurse.Person.Person)[0]; a.Device != "" || a.Address == "" {
		t.Errorf("a program that never saw a page is a device: %+v", a)
	}
	const page = "text/html,application/xhtml+xml"
	nurse.Get(t, "/sign-in", "Accept", page)
	nurse.Get(t, "/fhir/Patient/nobody")
	mine := agents(t, s, nurse.Person.Person)[0]
	if len(mine.Device) != 16 || mine.Address != "127.0.0.1" || mine.Session == "" {
		t.Fatalf("%+v", mine)
	}
	if again := nurse.Get(t, "/day", "Accept", page); strings.Contains(strings.Join(again.Header.Values("Set-Cookie"), " "), "device") {
		t.Error("a known browser is given another name")
	}
	list, _ := s.Log.OfPerson(t.Context(), nurse.Person.Person, audit.Page{Limit: 1})
	if line := string(list[0].Resource()); !strings.Contains(line, `"Device/`+mine.Device+`"`) || !strings.Contains(line, `"address":"127.0.0.1","type":"2"`) {
		t.Error(line)
	}

	// The session's cookie in another browser: the session is the same, the device is not; and what the log calls a device passes for nobody's.
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	secret := ""
	for _, c := range nurse.Jar.Cookies(at) {
		if c.Name == "chartwarden-device" {
			secret = c.Value
		}
	}
	for value, want := range map[string]bool{secret: true, mine.Device: false, "": false, "x": false, strings.Repeat("A", 22): false, secret + "A": false} {
		nurse.Jar.SetCookies(at, []*http.Cookie{{Name: "chartwarden-device", Value: value}})
		nurse.Get(t, "/fhir/Patient/nobody")
		if a := agents(t, s, nurse.Person.Person)[0]; (a.Device == mine.Device) != want || a.Session != mine.Session {
			t.Errorf("cookie of %d characters: %+v", len(value), a)
		}
	}
	nurse.Jar.SetCookies(at, []*http.Cookie{{Name: "chartwarden-device", Value: secret}})
	if a := nurse.Form(t, "/sign-out"); a.Status != http.StatusSeeOther || strings.Contains(a.Header.Get("Clear-Site-Data"), "cookies") {
		t.Errorf("%d %q", a.Status, a.Header.Get("Clear-Site-Data"))
	}
	if a := agents(t, s, nurse.Person.Person)[0]; a.Device != mine.Device {
		t.Errorf("the sign-out names %+v", a)
	}
}

// Who lures a person to a page that sends a form here, or frames a page of this house, does not give the browser another name.
func TestAnotherSiteGivesNoBrowserANewName(t *testing.T) {
	s := servertest.Start(t)
	for _, from := range []struct {
		method string
		header []string
		meets  bool
	}{
		{"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site"}, true},
		{"GET", nil, true}, // says nothing of where it is shown
		{"GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "cross-site"}, false},
		{"GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image", "Sec-Fetch-Site", "cross-site"}, false},
		{"POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", "cross-site"}, false},
		{"POST", nil, false},
	} {
		c := &servertest.Client{Client: &http.Client{}, Base: s.URL}
		a := c.Do(t, from.method, "/sign-in", "", append([]string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded"}, from.header...)...)
		if met := strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), " "), "chartwarden-device="); met != from.meets {
			t.Errorf("%s %v: %d, meets %v", from.method, from.header, a.Status, met)
		}
	}
}
