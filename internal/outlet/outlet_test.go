package outlet

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outlet/outlettest"
)

// office is a source whose cases the test makes.
type office struct {
	mu    sync.Mutex
	cases []string // by change
	taken map[string]bool
}

func (o *office) Alerts(_ context.Context, since int64) (about []string, changes []int64, newest int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := int(since); i < len(o.cases); i++ {
		about, changes = append(about, o.cases[i]), append(changes, int64(i+1))
	}
	return about, changes, int64(len(o.cases)), nil
}

func (o *office) Message(_ context.Context, about string) (Message, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if about == "feed-silent" {
		return Message{Hypothesis: about, Text: "Nothing has come"}, !o.taken[about], nil
	}
	return Message{Case: about, Hypothesis: "harvest", Severity: "high", Queue: "review", Link: "https://ehr.example/privacy/cases/" + about}, !o.taken[about], nil
}

func (o *office) Newest(context.Context) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(len(o.cases)), nil
}

func (o *office) Wait(ctx context.Context, _ int64) error { <-ctx.Done(); return nil }

func (o *office) raise(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cases = append(o.cases, id)
}

type world struct {
	*office
	t   *testing.T
	d   *db.DB
	now time.Time
	x   *Outlet
}

func newWorld(t *testing.T, hook *Webhook, mail *Mail) *world {
	w := &world{office: &office{taken: map[string]bool{}}, t: t, d: dbtest.New(t).Open(t, "records"), now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
	w.open(hook, mail)
	w.turn()
	return w
}

func (w *world) open(hook *Webhook, mail *Mail) {
	x, err := Open(w.t.Context(), Options{DB: w.d, Source: w.office, Webhook: hook, Mail: mail, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.x = x
}

// turn is one round of Run.
func (w *world) turn() {
	w.t.Helper()
	if _, err := w.x.take(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.x.send(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) state(way string) State {
	w.t.Helper()
	s, err := w.x.State(w.t.Context(), way)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

var secret = []byte("sixteen letters and more")

func TestAWebhookIsSignedAndTriedAgain(t *testing.T) {
	var got []*http.Request
	var bodies []string
	answer, elsewhere := 500, 0
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer trap.Close()
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		w.Header().Set("Location", trap.URL)
		w.WriteHeader(answer)
	}))
	defer fake.Close()
	hook, err := NewWebhook(fake.URL+"/alerts", secret)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, hook, nil)
	w.raise("17")
	w.turn()
	if s := w.state(ByWebhook); len(got) != 1 || s.Failures != 1 || s.Waiting != 1 || s.Trouble != "the webhook answers 500" {
		t.Fatalf("%d, %+v", len(got), s)
	}
	w.turn() // not before its time
	answer = 302
	w.now = w.now.Add(11 * time.Second)
	w.open(hook, nil) // a restart keeps what waits
	w.turn()
	if s := w.state(ByWebhook); len(got) != 2 || s.Waiting != 1 || elsewhere != 0 {
		t.Fatalf("a redirect: %d, %d, %+v", len(got), elsewhere, s)
	}
	answer = 204
	w.now = w.now.Add(time.Minute)
	w.turn()
	w.turn()
	if s := w.state(ByWebhook); len(got) != 3 || s.Waiting != 0 || s.Trouble != "" || s.Sent != 1 {
		t.Fatalf("%d, %+v", len(got), s)
	}
	var m Message
	if err := json.Unmarshal([]byte(bodies[2]), &m); err != nil || m.Case != "17" || m.Severity != "high" {
		t.Fatalf("%s, %v", bodies[2], err)
	}
	at, sum, _ := strings.Cut(strings.TrimPrefix(got[2].Header.Get("Chartwarden-Signature"), "t="), ",v1=")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at + "." + bodies[2]))
	if sum != hex.EncodeToString(mac.Sum(nil)) || at != fmt.Sprint(w.now.Unix()) {
		t.Errorf("signature %s of %s", sum, at)
	}
	if got[0].Header.Get("Chartwarden-Delivery") != got[2].Header.Get("Chartwarden-Delivery") {
		t.Error("a repetition looks like another")
	}
}

func TestAWebhookGoesNowhereElse(t *testing.T) {
	for _, bad := range []string{"http://example.org/x", "ftp://127.0.0.1/", "https://name:word@example.org/", "nowhere", "https://", "file:///etc/passwd"} {
		if _, err := NewWebhook(bad, secret); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := NewWebhook("https://example.org/x", []byte("short")); err == nil {
		t.Error("a short secret is taken")
	}
}

func TestAMailGathersWhatNobodyTook(t *testing.T) {
	address, mails := outlettest.Post(t)
	mail, err := NewMail(address, "Chartwarden <ehr@example.org>", "a@example.org, b@example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, mail)
	for _, id := range []string{"17", "18", "19"} {
		w.raise(id)
	}
	w.turn()
	if len(mails()) != 0 || w.state(ByMail).Waiting != 3 {
		t.Fatalf("%q leaves before anybody had time, %+v", mails(), w.state(ByMail))
	}
	w.taken["18"] = true
	w.now = w.now.Add(6 * time.Minute)
	w.turn()
	got := mails()
	if len(got) != 1 || w.state(ByMail).Waiting != 0 {
		t.Fatalf("%q, %+v", got, w.state(ByMail))
	}
	for _, want := range []string{"Subject: 2 cases wait for the privacy office", "privacy/cases/17\n", "privacy/cases/19\n", "To: <a@example.org>, <b@example.org>"} {
		if !strings.Contains(got[0], want) {
			t.Errorf("%q is not in\n%s", want, got[0])
		}
	}
	if strings.Contains(got[0], "cases/18") {
		t.Error("what somebody took is mailed")
	}
}

// What is no case is told in its own words, once, and not when it is over.
func TestWordThatIsAboutNoCase(t *testing.T) {
	address, mails := outlettest.Post(t)
	mail, err := NewMail(address, "ehr@example.org", "a@example.org", "")
	if err != nil {
		t.Fatal(err)
	}
	mail.Patience = 0
	w := newWorld(t, nil, mail)
	for range 2 {
		if err := w.x.Tell(t.Context(), "feed-silent", 7); err != nil {
			t.Fatal(err)
		}
		w.turn()
	}
	w.taken["feed-silent"] = true
	if err := w.x.Tell(t.Context(), "feed-silent", 8); err != nil {
		t.Fatal(err)
	}
	w.turn()
	if got := mails(); len(got) != 1 || !strings.Contains(got[0], "Subject: Nothing has come\n") || !strings.Contains(got[0], "\nNothing has come.\n") || strings.Contains(got[0], "Case ") {
		t.Errorf("%q", got)
	}
}

func TestAMailServerThatFailsIsTold(t *testing.T) {
	mail, err := NewMail("127.0.0.1:1", "ehr@example.org", "a@example.org", "name\nword")
	if err != nil {
		t.Fatal(err)
	}
	mail.Patience = 0
	w := newWorld(t, nil, mail)
	w.raise("17")
	w.turn()
	if s := w.state(ByMail); s.Trouble != "the mail server fails at connecting" || s.Waiting != 1 {
		t.Fatalf("%+v", s)
	}
	for _, bad := range [][4]string{{"nohost", "a@b.org", "c@d.org", ""}, {"h:25", "a\r\nb", "c@d.org", ""}, {"h:25", "a@b.org", "", ""}, {"h:25", "a@b.org", "c@d.org", "one line"}} {
		if _, err := NewMail(bad[0], bad[1], bad[2], bad[3]); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestWhatIsOldDoesNotLeave(t *testing.T) {
	hook, err := NewWebhook("http://127.0.0.1:1/", secret)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{office: &office{cases: []string{"3"}}, t: t, d: dbtest.New(t).Open(t, "records"), now: time.Now()}
	w.open(hook, nil)
	w.turn()
	if s := w.state(ByWebhook); s.Waiting != 0 || s.Failures != 0 {
		t.Fatalf("%+v", s)
	}
}
