package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

// elsewhere sends every request to one address, as if that machine were another.
type elsewhere string

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", string(e)
	return http.DefaultTransport.RoundTrip(r)
}

// The page calls a record proven only while a witness on another machine cosigns it, and says how long one is away.
func TestIntegrityTellsOfWitnesses(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	log, err := tlog.ParseVerifier(o.Log.Verifier())
	o.must(err)
	dir := t.TempDir()
	key, err := witness.MakeKey(dir, "witness.example/county")
	o.must(err)
	w, err := witness.Open(witness.Options{Dir: dir, Logs: []tlog.Verifier{log}, Now: o.clock.Now})
	o.must(err)
	defer w.Close()
	away, lie := false, false
	outside := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if away {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		if lie {
			rw.Header().Set("Content-Type", "text/x.tlog.size")
			rw.WriteHeader(http.StatusConflict)
			_, _ = rw.Write([]byte("1000000\n"))
			return
		}
		w.Handler().ServeHTTP(rw, r)
	}))
	defer outside.Close()

	o.stop()
	o.witnesses = outside.URL + "=" + key.Verifier().String()
	o.open()
	ruth.signInAgain()
	a := ruth.page("/integrity", "self-witnessed", "a witness on this machine", "witness.example/county", "Agrees", "in other hands")
	o.hides(a, "Proven", "proven")

	o.stop()
	host, err := url.Parse(outside.URL)
	o.must(err)
	o.witnesses = "https://witness.example=" + key.Verifier().String()
	o.outward = &http.Client{Transport: elsewhere(host.Host)}
	o.open()
	ruth.signInAgain()
	a = ruth.page("/integrity", "Proven: ", "a witness on another machine", "Agrees")
	o.hides(a, "self-witnessed", "Not witnessed")
	if a := ruth.post("/integrity"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ruth.page("/integrity", "Whole")
	ruth.page("/privacy", "witnessed outside")

	o.clock.pass(61 * time.Second)
	ruth.page("/integrity", "Not witnessed for 1 minute", "Ask who runs the witness")
	ruth.page("/privacy", "the witness is away")
	away = true
	o.stop()
	o.open()
	o.clock.pass(20 * time.Minute)
	ruth.signInAgain()
	a = ruth.page("/integrity", "Not witnessed for 2", "Does not cosign", "answers with status 502")
	o.hides(a, "Proven")

	// it comes back with another history: nobody is kept from a chart, and what takes data out waits
	away = false
	lie = true
	if _, _, err := o.Log.Export(t.Context(), filepath.Join(t.TempDir(), "bundle"), audit.ExportOptions{}, audit.Event{Agent: audit.Agent{Job: "test"}, Interaction: "export"}); err != nil {
		t.Fatal(err)
	}
	a = ruth.page("/integrity", "A witness knows another record than this one", "Disagrees", "entries are missing")
	o.hides(a, "Proven", "I have seen this")
	anna := o.staff("Anna Berg", identity.Administrator)
	o.shows(anna.post("/admin/people", "name", "Kim Osei", "login", "kim.osei", "role", "nurse"), http.StatusServiceUnavailable, "A witness knows another audit record")

	// and the line to it is cut
	lie, away = false, true
	if _, _, err := o.Log.Export(t.Context(), filepath.Join(t.TempDir(), "bundle"), audit.ExportOptions{}, audit.Event{Agent: audit.Agent{Job: "test"}, Interaction: "export"}); err != nil {
		t.Fatal(err)
	}
	ruth.page("/integrity", "A witness knows another record than this one", "Disagrees", "entries are missing")
	o.shows(anna.post("/admin/people", "name", "Kim Osei", "login", "kim.osei", "role", "nurse"), http.StatusServiceUnavailable, "A witness knows another audit record")
}
