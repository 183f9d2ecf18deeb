package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"

	"github.com/pquerna/otp/totp"
)

// production is an installation that is no sandbox, in files, with its first administrator signed in.
func production(t *testing.T, o server.Options) (*servertest.Server, *servertest.Client, identity.Person) {
	t.Helper()
	c := server.Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", PublicURL: "http://localhost"}
	if err := server.Init(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.Open(context.WithoutCancel(t.Context()), c, o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() { h.Close(); _ = s.Close() })
	out := &servertest.Server{Server: s, URL: h.URL, Dir: c.Data}
	ada, _, err := s.Persons.Create(t.Context(), audit.Agent{Job: "command line"}, identity.NewPerson{Name: "Ada Admin", Roles: []string{identity.Administrator}})
	if err != nil {
		t.Fatal(err)
	}
	return out, enrolled(t, out, ada), ada
}

// enrolled is a browser whose person just set up how to sign in.
func enrolled(t *testing.T, s *servertest.Server, p identity.Person) *servertest.Client {
	t.Helper()
	link, err := s.Persons.Invite(t.Context(), audit.Agent{Job: "command line"}, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Persons.Enrolment(t.Context(), link.Token)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(e.Secret, s.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := browser(t, s)
	if got := c.Form(t, "/enrol/"+link.Token, "password", "correct horse battery", "again", "correct horse battery", "totp", code); got.Status != http.StatusSeeOther {
		t.Fatalf("no enrolment: %d %s", got.Status, got.Body)
	}
	return c
}

// What makes trials easy does not exist where patients are: no test sign-in, no start page, no session without factors, no test credentials;
// also where somebody starts the program as a demonstration, or sets what he can set.
func TestNoSandboxRoutesInProduction(t *testing.T) {
	for _, name := range []string{"CHARTWARDEN_SANDBOX", "CHARTWARDEN_DEMO", "CHARTWARDEN_TEST", "SANDBOX"} {
		t.Setenv(name, "true")
	}
	s, c, ada := production(t, server.Options{Demo: true})
	for _, route := range s.Routes() {
		if strings.HasPrefix(route.Pattern, "/session") || strings.HasPrefix(route.Pattern, "/demo") {
			t.Errorf("%s %s is served", route.Method, route.Pattern)
		}
	}
	for _, path := range []string{"/session/test", "/session/test/", "/session%2ftest", "//session/test", "/demo", "/Demo", "/demo/"} {
		for _, method := range []string{"GET", "POST"} {
			got := browser(t, s).Do(t, method, path, "person="+ada.ID+"&password=correct+horse+battery&totp=000000&seat=away", "Content-Type", "application/x-www-form-urlencoded")
			if got.Status < 300 || len(got.Header.Values("Set-Cookie")) > 0 && strings.Contains(strings.Join(got.Header.Values("Set-Cookie"), " "), "chartwarden=") {
				t.Errorf("%s %s: %d", method, path, got.Status)
			}
		}
	}
	if got := c.Get(t, "/admin/people", "Cookie", "chartwarden-seat=away"); strings.Contains(got.Body, "/demo") {
		t.Error("the pages offer the demonstration")
	}
	if _, err := s.Persons.Enter(t.Context(), ada.ID, "", identity.Arrival{}); !outcome.Is(err, outcome.NotSupported) {
		t.Errorf("a session without factors: %v", err)
	}
	if _, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Eve"}); !outcome.Is(err, outcome.NotSupported) {
		t.Errorf("test credentials: %v", err)
	}
}

// Neither SQL nor a file makes a sandbox of an installation, or the reverse: the flag is bound under the custodian.
func TestNobodyFlipsTheSandbox(t *testing.T) {
	for _, x := range []struct{ sandbox, started bool }{{false, false}, {true, false}, {false, true}, {true, true}} { // before a log says it, too
		sandbox := x.sandbox
		c := server.Config{Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", PublicURL: "http://localhost"}
		if err := server.Init(t.Context(), c, sandbox); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"sandbox", "SANDBOX", ".sandbox", "chartwarden.json"} {
			if err := os.WriteFile(filepath.Join(c.Data, name), []byte(`{"sandbox":true}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		start := func() (*server.Server, error) {
			return server.Open(context.WithoutCancel(t.Context()), c, server.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		}
		if x.started {
			s, err := start()
			if err != nil {
				t.Fatal(err)
			}
			if s.Sandbox() != sandbox {
				t.Errorf("a file made it %v", s.Sandbox())
			}
			_ = s.Close()
		}
		d := openFile(t, c.Data, "keys.db")
		if _, err := d.ExecContext(t.Context(), `update keyring set sandbox=1-sandbox`); err != nil {
			t.Fatal(err)
		}
		_ = d.Close()
		if s, err := start(); err == nil {
			t.Errorf("it starts as a sandbox %v, made as %v", s.Sandbox(), sandbox)
			_ = s.Close()
		}
	}
}

// Nobody gives herself a right through the pages: not to her own account, not to one of her making, not by agreeing to what she asked.
func TestNobodyGrantsHerself(t *testing.T) {
	s, c, ada := production(t, server.Options{})
	for _, role := range []string{identity.Physician, identity.Privacy, identity.Auditor} {
		got := c.Form(t, "/admin/people/"+ada.ID+"/roles", "role", identity.Administrator, "role", role)
		if got.Status < 400 || !strings.Contains(got.Body, "obody changes his own rights") {
			t.Errorf("%s to herself: %d", role, got.Status)
		}
	}
	if got := c.Form(t, "/admin/people/"+ada.ID+"/reach", "manager", "", "mail", "ada@example.org"); got.Status >= 500 {
		t.Error(got.Status)
	}
	c.Form(t, "/admin/people/"+ada.ID+"/reset", "with", ada.ID)
	if got := c.Form(t, "/admin/people", "name", "Pup Pet", "role", identity.Nurse, "login", "pup"); got.Status >= 400 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	pending, err := s.Persons.Pending(t.Context())
	if err != nil || len(pending) != 1 {
		t.Fatalf("a clinical account does not wait: %v %v", pending, err)
	}
	for _, act := range []string{"approve", "agree"} {
		if got := c.Form(t, "/admin/pending/"+pending[0].ID, "act", act); got.Status < 400 {
			t.Errorf("who asked agrees: %d", got.Status)
		}
	}
	if got := c.Form(t, "/admin/people/"+pending[0].Person+"/roles", "role", identity.Physician); got.Status < 400 {
		t.Errorf("who waits is changed: %d", got.Status)
	}
	if p, err := s.Persons.Person(t.Context(), pending[0].Person); err != nil || p.Active {
		t.Errorf("active: %+v %v", p, err)
	}
	program, item, err := s.Persons.RegisterClient(t.Context(), audit.Agent{Person: ada.ID, Capacity: identity.StaffCapacity}, identity.NewClient{ID: "mine", Name: "Mine", Owner: ada.ID, Scope: "user/*.rs", Redirects: []string{"https://mine.example/cb"}})
	if err != nil || item == nil || s.Persons.Live(program) {
		t.Fatalf("an own app is live at once: %v", err)
	}
	if got := c.Form(t, "/admin/pending/"+item.ID, "act", "approve"); got.Status < 400 {
		t.Errorf("she activates her own app: %d", got.Status)
	}
	if p, err := s.Persons.Person(t.Context(), ada.ID); err != nil || !slices.Equal(p.Roles, []string{identity.Administrator}) || len(p.Clearances) > 0 {
		t.Errorf("she is %+v %v", p, err)
	}
}
