package sso_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/sso"
)

// wire is a way to a provider that can be cut: then whoever asks hangs until it is let go, and has no answer.
type wire struct {
	asked atomic.Int64
	mu    sync.Mutex
	hangs chan struct{}
}

func (w *wire) cut() (let func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangs = make(chan struct{})
	return sync.OnceFunc(func() { close(w.hangs) })
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangs = nil
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked.Add(1)
	w.mu.Lock()
	hangs := w.hangs
	w.mu.Unlock()
	if hangs != nil {
		<-hangs
		return nil, errors.New("nothing came")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A provider that hangs is asked once by all who come, is left alone for a moment when nothing came, and holds up nobody where it said before
// what it is.
func TestAProviderThatHangsHoldsNobodyUp(t *testing.T) {
	l, w, clock := lying(t), &wire{}, servertest.ClockAt(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC))
	p, err := sso.New(sso.Options{Issuer: l.URL, Client: "chartwarden", Redirect: "http://localhost/back", Transport: w, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	leave := func(ctx context.Context) error {
		_, err := p.Leave(ctx, false, func(sso.Trip) (string, error) { return "state", nil })
		return err
	}
	let := w.cut()
	t.Cleanup(let)
	answers := make(chan error, 8)
	for range cap(answers) {
		go func() { answers <- leave(t.Context()) }()
	}
	for w.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := leave(gone); !outcome.Is(err, outcome.Transient) { // nobody waits who went away
		t.Errorf("who went away: %v", err)
	}
	let()
	for range cap(answers) {
		if err := <-answers; !outcome.Is(err, outcome.Transient) {
			t.Errorf("somebody who waited: %v", err)
		}
	}
	w.mend()
	if err := leave(t.Context()); !outcome.Is(err, outcome.Transient) {
		t.Errorf("a moment later: %v", err)
	}
	if n := w.asked.Load(); n > 1 {
		t.Errorf("it was asked %d times", n)
	}
	clock.Add(time.Minute)
	if err := leave(t.Context()); err != nil {
		t.Errorf("a minute later, and it answers: %v", err)
	}
	clock.Add(2 * time.Hour)
	let = w.cut()
	t.Cleanup(let)
	before, first := w.asked.Load(), make(chan error, 1)
	go func() { first <- leave(t.Context()) }()
	for w.asked.Load() == before {
		time.Sleep(time.Millisecond)
	}
	if err := leave(t.Context()); err != nil { // else it hangs here
		t.Errorf("while it hangs, with what it said before: %v", err)
	}
	let()
	if err := <-first; err != nil {
		t.Errorf("who asked it: %v", err)
	}
}

// A logout that could not be carried out can be sent again, and counts once when it was.
func TestALogoutCountsWhenItWorked(t *testing.T) {
	l := lying(t)
	s := servertest.ReachableAs(t, func(c *server.Config) { c.OIDCIssuer, c.OIDCClient = l.URL, "chartwarden" })
	l.claims = map[string]any{"iss": l.URL, "aud": "chartwarden", "sub": "s-1", "sid": "here", "jti": "1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	form := url.Values{"logout_token": {l.sign(t)}}
	send := func() int {
		t.Helper()
		answer, err := http.PostForm(s.URL+"/sign-in/provider/logout", form)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	records := dbtest.Place{Dir: s.Dir, URL: s.Config.Database}.Open(t, "records")
	rename := func(from, to string) {
		t.Helper()
		if err := records.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`alter table ` + from + ` rename to ` + to)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	rename("identity_vouched", "identity_elsewhere")
	if got := send(); got != http.StatusServiceUnavailable {
		t.Errorf("while the sessions cannot be read: %d", got)
	}
	rename("identity_elsewhere", "identity_vouched")
	if got := send(); got != http.StatusOK {
		t.Errorf("sent again: %d", got)
	}
	if got := send(); got != http.StatusBadRequest {
		t.Errorf("sent after it worked: %d", got)
	}
}
