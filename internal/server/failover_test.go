package server_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/server/servertest"
)

// The primary dies under load, again and again, and a standby that commits wait for takes over. The server follows by itself, since its
// URL names all: no acknowledged write is lost, nothing was disclosed without its entry, and the log goes on under its own name.
// Then a standby that was left behind takes over: what is missing shows, and no start and no running server goes on as if nothing were.
func TestFailover(t *testing.T) {
	in, first, place := onServers(t)
	origin := value[string](t, in.dir, "audit.db", `select origin from log`)

	second := first.Standby(t)
	first.Await(t)
	lies(in.dir, place.On(t, first, second))
	p := serve(t, in.dir)
	enough := busy(in, p)
	time.Sleep(time.Duration(500+rand.IntN(500)) * time.Millisecond)
	first.Crash(t)
	second.Promote(t)
	recovers(t, in, p)
	all := enough()
	p.kill()
	sound(t, all)
	check(t, in, all, false)
	if now := value[string](t, in.dir, "audit.db", `select origin from log where number=(select max(number) from log)`); now != origin {
		t.Errorf("the log goes on as %s, it was %s", now, origin)
	}

	third := second.Standby(t) // nothing waits for it
	lies(in.dir, place.On(t, second, third))
	p = serve(t, in.dir)
	doctor := in.physician.at(p.url)
	third.Detach(t)
	for range 5 {
		doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], "70"))
	}
	second.Crash(t)
	third.Promote(t)
	var after []servertest.Answer
	eventually(t, "the server ends, since the log is not the one that it wrote", func() bool {
		if a, err := doctor.do("GET", "/fhir/Patient/"+in.patients[0], ""); err == nil && a.Status == http.StatusOK {
			after = append(after, a)
		}
		return p.over()
	})
	for _, a := range after {
		if !byJournal(a) {
			t.Errorf("an answer under %s of a log that lost its end", a.Header.Get("X-Audit-Entry"))
		}
	}
	p.endsByItself(t, "not as this server left") // the log, or the records: whichever looks first
	p = serve(t, in.dir)
	if !strings.Contains(p.printed.String(), "cut") {
		t.Errorf("the start says nothing: %s", p.printed)
	}
	answer := in.physician.at(p.url).want(t, http.StatusOK, "GET", "/fhir/Patient/"+in.patients[0], "")
	if entry := answer.Header.Get("X-Audit-Entry"); !strings.HasPrefix(entry, origin+"-2/") {
		t.Errorf("care goes on under entry %s, which is not of a new log", entry)
	}
	p.stop(t)
	faults := verify(t, in.dir)
	if !slices.ContainsFunc(faults, func(f audit.Fault) bool { return f.Log == origin }) {
		t.Errorf("nothing is said of the log that lost its end: %v", faults)
	}
}
