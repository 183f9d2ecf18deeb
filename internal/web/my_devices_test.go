package web_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// A person sees where she is signed in and ends it there: the session of another browser is dead at once, and its live stream with it.
// Each ending is an entry. Nobody ends a session of somebody else so.
func TestMyDevices(t *testing.T) {
	o := newOffice(t)
	here, sam := o.staff("Anna Berg", identity.Nurse), o.staff("Sam Rivera", identity.Physician)
	there, again := *here, *here
	for _, p := range []*person{&there, &again} {
		o.clock.pass(30 * time.Second)
		p.signIn()
	}
	sams := sam.session.Session.ID
	over := make(chan struct{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+"/events", nil)
	o.must(err)
	stream, err := there.browser.Do(r)
	o.must(err)
	t.Cleanup(func() { _ = stream.Body.Close() })
	go func() {
		defer close(over)
		for lines := bufio.NewScanner(stream.Body); lines.Scan() && lines.Text() != "event: lock"; {
		}
	}()

	a := here.page("/my-devices", "This session", "Other sessions 2 sessions", "In the hospital", "two factors", "Devices that you used", "3 sign-ins")
	o.hides(a, here.session.Session.ID, sams)
	o.shows(here.post("/my-devices/"+sams+"/end"), http.StatusNotFound, "no such session")
	o.shows(here.post("/my-devices/"+strings.Repeat("a", 16)+"/end"), http.StatusNotFound, "no such session")
	sam.page("/my-devices", "Nowhere else")

	if a := here.post("/my-devices/" + there.session.Session.ID + "/end"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.text())
	}
	if a := there.get("/my-devices"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") {
		t.Errorf("a session that was ended is answered %d", a.status)
	}
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Error("the live stream of the ended session goes on")
	}
	here.page("/my-devices", "1 session was ended.", "Other sessions 1 session")
	if a := here.post("/my-devices/end-others"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	here.page("/my-devices", "1 session was ended.", "Nowhere else")
	if a := again.get("/day"); a.status != http.StatusSeeOther {
		t.Errorf("a session that was ended is answered %d", a.status)
	}
	sam.page("/my-devices")

	list, err := o.Log.OfPerson(t.Context(), here.made.Person, audit.Page{Limit: 50})
	o.must(err)
	ended := 0
	for _, e := range list {
		if e.Event.Interaction == "session-kill" {
			ended++
		}
	}
	if ended != 2 {
		t.Errorf("%d entries of 2 sessions that were ended", ended)
	}
	if a := here.post("/my-devices/" + here.session.Session.ID + "/end"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/sign-in" {
		t.Errorf("ending this session answers %d to %s", a.status, a.header.Get("Location"))
	}
}
