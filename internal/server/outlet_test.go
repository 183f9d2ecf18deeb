package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

func TestACaseIsToldToThoseWhoAreAway(t *testing.T) {
	bodies := make(chan string, 10)
	fake := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
	}))
	defer fake.Close()
	place := dbtest.New(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost", WebhookURL: fake.URL + "/a?token=s3cret", WebhookSecretFile: secret}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(context.WithoutCancel(t.Context()), c, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if shown := s.Config.Shown().WebhookURL; strings.Contains(shown, "s3cret") || !strings.HasPrefix(shown, fake.URL) {
		t.Errorf("shown as %s", shown)
	}
	running, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.RunOutlet(running) }()
	defer func() { stop(); <-done }()
	told := false
	for n := 0; !told; n++ { // what was there before it began does not leave
		found := detect.Case{Agent: "Practitioner/17", Hypothesis: "harvest", Updated: time.Now().Unix(), Severity: .8, Posterior: .5, Queue: casework.Review,
			Summary: "Practitioner/17 opened far more charts.", Events: []string{"e"}, Patients: []string{"Patient/9"}}
		found.Hypothesis += strings.Repeat("x", n)
		if _, err := s.Cases.Absorb(t.Context(), found, nil, ""); err != nil {
			t.Fatal(err)
		}
		select {
		case b := <-bodies:
			told = true
			if !strings.Contains(b, `"severity":"high"`) || !strings.Contains(b, `"link":"http://localhost/privacy/cases/`) || strings.Contains(b, "Practitioner") || strings.Contains(b, "Patient") {
				t.Errorf("%s", b)
			}
		case <-time.After(3 * time.Second):
			if n > 20 {
				t.Fatalf("nobody was told: %s", s.Trouble("--webhook-url"))
			}
		}
	}
}

func TestAWayOutThatCannotBeUsedIsNamed(t *testing.T) {
	dir := t.TempDir()
	for want, c := range map[string]server.Config{
		"--webhook-url":         {WebhookURL: "http://elsewhere.example/", WebhookSecretFile: "/dev/null"},
		"--webhook-secret-file": {WebhookURL: "https://elsewhere.example/", WebhookSecretFile: filepath.Join(dir, "none")},
		"--mail-server":         {MailServer: "nohost"},
		"--mail-to":             {MailServer: "h:25", MailFrom: "a@b.org"},
	} {
		c.Data = filepath.Join(dir, "installation")
		err := server.Init(t.Context(), c, true)
		if err == nil || !strings.Contains(err.Error(), want) && !outcome.Is(err, outcome.NotFound) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
