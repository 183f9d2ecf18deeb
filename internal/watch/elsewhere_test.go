package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/feed"
	"chartwarden/internal/ingest"
	"chartwarden/internal/seal"
)

// post watches a system whose log comes into a directory.
type post struct {
	t                 *testing.T
	context, incoming string
	feed              *feed.Store
	cases             *casework.Store
	log               *audit.Log
	settle            time.Duration

	mu       sync.Mutex
	verdicts []string // event and revision, in order
	panics   string   // the event at which detection fails
}

const header = "ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\tworkstation\n"

func newPost(t *testing.T) *post {
	t.Helper()
	place := dbtest.New(t)
	p := &post{t: t, context: t.TempDir(), incoming: t.TempDir(), settle: 10 * time.Millisecond}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	custodian, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "key"))
	must(err)
	ring, err := seal.Create(t.Context(), place.Open(t, "keys"), custodian, true)
	must(err)
	records := place.Open(t, "records")
	p.log, err = audit.Open(t.Context(), audit.Options{DB: dbtest.Place{Dir: place.Dir}.Open(t, "audit"), Box: ring.Box("audit"), Origin: "test.example/log", Sandbox: true})
	must(err)
	t.Cleanup(func() { _ = p.log.Close() })
	p.cases, err = casework.Open(t.Context(), casework.Options{DB: records, Box: ring.Box("casework")})
	must(err)
	p.feed, err = feed.Open(t.Context(), feed.Options{DB: records, Box: ring.Box("feed"), Dir: p.incoming, Form: ingest.Form{Name: "epic-research", Zone: time.UTC}, Still: time.Nanosecond})
	must(err)
	return p
}

// row is an access so many minutes after the beginning.
func row(minute int, who, patient string) string {
	return time.Date(2026, 3, 2, 8, minute, 0, 0, time.UTC).Format("2006-01-02 15:04:05") + "\t" + who + "\t" + patient + "\tMR_SNAPSHOT\tW1\n"
}

// drop lets a file come.
func (p *post) drop(name string, rows ...string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.incoming, name), []byte(header+strings.Join(rows, "")), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.feed.Scan(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// watch runs until what it gives is called.
func (p *post) watch() (*Watch, *Elsewhere, func()) {
	p.t.Helper()
	source := NewElsewhere(ElsewhereOptions{Log: p.log, Feed: p.feed, Context: p.context, Every: 5 * time.Millisecond, Settle: p.settle})
	w := New(Options{Source: source, Cases: p.cases, Verdict: func(v *detect.Verdict) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, number, _ := strings.Cut(v.Patient, ":")
		p.verdicts = append(p.verdicts, fmt.Sprint(number, " ", v.Revision))
		if p.panics == number {
			panic("planted")
		}
	}})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	end := sync.OnceFunc(func() { stop(); <-done })
	p.t.Cleanup(end)
	return w, source, end
}

// until polls generously.
func (p *post) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("waited in vain: %s; %v", what, p.verdicts)
		}
	}
}

func (p *post) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.verdicts, ",")
}

// A row that comes a little late is put in its place; one that nobody expects any more after a while is judged, and until then the place of
// the watch lies before it.
func TestRowsWaitForOlderOnes(t *testing.T) {
	p := newPost(t)
	p.settle = time.Hour
	p.drop("a.tsv", row(1, "u", "p1"), row(2, "u", "p2"), row(3, "u", "p3"), row(4, "u", "p4"))
	w, _, stop := p.watch()
	p.until("the rows are read", func() bool { return w.State().Ready })
	p.drop("b.tsv", row(3, "u", "p5"))
	p.until("the place lies before what waits", func() bool { at, err := p.cases.Cursor(t.Context()); return err == nil && at == "piece:0" })
	if got := p.said(); got != "" {
		t.Errorf("judged too early: %s", got)
	}
	stop()
	p.settle = 10 * time.Millisecond
	w, _, _ = p.watch()
	p.until("they are judged", func() bool { return w.State().Events == 5 })
	if got := p.said(); got != "p1 1,p2 1,p3 1,p5 1,p4 1" {
		t.Error(got)
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Error(err)
	}
	p.until("the place is behind them", func() bool { at, err := p.cases.Cursor(t.Context()); return err == nil && at == "piece:2" })
}

// An access at which detection fails is left out, and all others are judged.
func TestALineThatPoisonsIsLeftOut(t *testing.T) {
	p := newPost(t)
	p.panics = "p3"
	p.drop("a.tsv", row(1, "u", "p1"), row(2, "u", "p2"), row(3, "u", "p3"), row(4, "u", "p4"), row(5, "u", "p5"))
	w, _, _ := p.watch()
	p.until("the rest is judged", func() bool { return strings.HasSuffix(p.said(), "p1 1,p2 1,p4 1,p5 1") })
	if x := w.State(); x.Failures != 1 {
		t.Errorf("%+v", x)
	}
}

// What is kept of a line leads back to it, and what was rejected is told with its line.
func TestTheFeedIsTold(t *testing.T) {
	p := newPost(t)
	p.drop("a.tsv", row(1, "u", "p1"), "rubbish\n", row(2, "v", "p2"), row(3, "u", "p3"), row(4, "u", "p4"))
	w, source, _ := p.watch()
	p.until("it is judged", func() bool { return w.State().Events == 4 })
	p.until("it is counted", func() bool { f, err := source.Feed(t.Context()); return err == nil && f.Met.UnknownPatients == 4 })
	f, err := source.Feed(t.Context())
	if err != nil || len(f.Files) != 1 || f.Judged != 4 || f.Rejected != 1 || f.Files[0].Some[0].Line != 3 || f.Met.UnknownPeople != 2 || !f.Newest.Equal(time.Date(2026, 3, 2, 8, 4, 0, 0, time.UTC)) {
		t.Errorf("%+v %v", f, err)
	}
	e, err := source.Row(t.Context(), 1, 4)
	if err != nil || e.Agent != "Practitioner/employee:v" || e.Patients[0] != "Patient/pat-id:p2" {
		t.Errorf("%+v %v", e, err)
	}
	if _, err := source.Row(t.Context(), 1, 3); err == nil {
		t.Error("a line that is none was read")
	}
}

// What the context gains while the watch stands is known from then on.
func TestTheContextGrowsWhileItWatches(t *testing.T) {
	p := newPost(t)
	w, source, _ := p.watch()
	p.until("it stands", func() bool { return w.State().Ready })
	if err := os.WriteFile(filepath.Join(p.context, "hr.csv"), []byte("employee id,login,family,given,department,role\nu,uu,Moreau,Theo,3 West,nurse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.until("somebody is known", func() bool { m, ok := source.Member("Practitioner/employee:u"); return ok && m.Name == "Theo Moreau" })
	if err := os.WriteFile(filepath.Join(p.context, "hr.map"), []byte("what is this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.until("a bad mapping is told", func() bool {
		f, err := source.Feed(t.Context())
		return err == nil && strings.Contains(f.Trouble, "hr.map")
	})
	if x := w.State(); x.Standing != "" || x.Records != 1 {
		t.Errorf("%+v", x)
	}
}
