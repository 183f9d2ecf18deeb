package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/ingest"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/simulate"
)

// another is another system: who works there, and the files that its log would be exported to, one a day.
type another struct {
	context string
	tables  []string // tab-separated, a file a day
	lines   []string // the same as AuditEvents
}

var simulated = sync.OnceValues(func() (another, error) {
	out := filepath.Join(workshop, "another")
	if _, err := simulate.Run(simulate.Options{Seed: 5, Staff: 200, Patients: 2000, Days: 10, Out: out}); err != nil {
		return another{}, err
	}
	a := another{context: filepath.Join(out, "context")}
	f, err := os.Open(filepath.Join(out, "log.ndjson"))
	if err != nil {
		return a, err
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	day, last, text := "", int64(0), strings.Builder{}
	flush := func() {
		if text.Len() > 0 {
			a.tables = append(a.tables, tableHeader+text.String())
			text.Reset()
		}
	}
	for in.Scan() {
		e, why := ingest.Event(in.Text())
		if why != "" || len(e.Patients) != 1 || !strings.HasPrefix(e.Agent, "Practitioner/") || e.Time < last {
			continue
		}
		last = e.Time
		if at := time.Unix(e.Time, 0).UTC().Format(time.DateOnly); at != day {
			flush()
			day = at
		}
		text.WriteString(row(e.Time, strings.TrimPrefix(e.Agent, "Practitioner/"), strings.TrimPrefix(e.Patients[0], "Patient/"), strings.TrimPrefix(e.Device, "Device/")))
		a.lines = append(a.lines, in.Text())
	}
	flush()
	return a, in.Err()
})

const tableHeader = "ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\tworkstation\n"

func row(at int64, who, patient, device string) string {
	return time.Unix(at, 0).UTC().Format("2006-01-02 15:04:05") + "\t" + who + "\t" + patient + "\tMR_SNAPSHOT\t" + device + "\n"
}

func anotherSystem(t testing.TB) another {
	t.Helper()
	a, err := simulated()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// post is an installation that watches another system, in this process.
type post struct {
	*server.Server
	place    dbtest.Place
	incoming string
	o        server.Watched
	set      []func(*server.Config)
	url      string
	stop     func()

	mu       sync.Mutex
	verdicts map[string]string
	cases    map[string]string
}

// stand makes an installation that watches a system with this context.
func stand(t *testing.T, o server.Watched, set ...func(*server.Config)) *post {
	t.Helper()
	p := &post{place: dbtest.New(t), o: o, set: set, verdicts: map[string]string{}, cases: map[string]string{}}
	if o.TLS == "" && o.UDP == "" {
		p.incoming = t.TempDir()
		p.o.Incoming = p.incoming
	}
	p.o.Still, p.o.Settle, p.o.Every = time.Hour, 10*time.Millisecond, 10*time.Millisecond
	if err := server.Init(t.Context(), p.config(), true); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *post) config() server.Config {
	c := server.Config{Data: p.place.Dir, Database: p.place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost"}
	for _, set := range p.set {
		set(&c)
	}
	return c
}

func (p *post) start(t *testing.T) {
	t.Helper()
	s, err := server.Open(context.WithoutCancel(t.Context()), p.config(), server.Options{Watched: &p.o,
		Verdict: func(v *detect.Verdict) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.verdicts[v.Event+" "+v.Patient] = string(v.AppendJSON(nil))
		},
		Case: func(c *detect.Case) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cases[fmt.Sprint(c.Agent, " ", c.Hypothesis, " ", time.Unix(c.Opened, 0).UTC().Format(time.RFC3339))] = string(c.AppendJSON(nil))
		}})
	if err != nil {
		t.Fatal(err)
	}
	p.Server = s
	running, end := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- s.Serve(running, func(url string) { ready <- url }) }()
	select {
	case p.url = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	p.stop = sync.OnceFunc(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// again stops and starts it.
func (p *post) again(t *testing.T) {
	t.Helper()
	p.stop()
	p.start(t)
}

// put drops a file, as a program does that copies it under another name first.
func (p *post) put(t *testing.T, name, text string) {
	t.Helper()
	temporary := filepath.Join(p.incoming, name+".part")
	err := os.WriteFile(temporary, []byte(text), 0o600)
	if err == nil {
		err = os.Rename(temporary, filepath.Join(p.incoming, name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// grow appends to a file.
func (p *post) grow(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(p.incoming, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// judged waits until so many lines are read and nothing waits.
func (p *post) judged(t *testing.T, n int64) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if x := p.Watch.State(); x.Events+x.Rejected >= n && x.Ready {
			soon, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := p.Watch.CatchUp(soon); err != nil {
				t.Fatalf("%v; %+v", err, p.Watch.State())
			}
			return
		}
	}
	t.Fatalf("%d lines were not read: %+v", n, p.Watch.State())
}

// equals compares what was said with a replay of the files, without what the replay says of the last access when its log ends.
func (p *post) equals(t *testing.T, form ingest.Form, tail string, logs ...string) {
	t.Helper()
	out := t.TempDir()
	sum, err := ingest.Replay(t.Context(), ingest.Options{Context: p.o.Context, Logs: logs, Form: form, Out: out, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events, %d accesses, %d cases, %d rejected", sum.Events, sum.Accesses, sum.Cases, sum.Rejected)
	if sum.Accesses < 1000 || sum.Cases == 0 {
		t.Error("the log says too little")
	}
	last := func(m map[string]string) map[string]string {
		for k := range m {
			if strings.Contains(k, tail) {
				delete(m, k)
			}
		}
		return m
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	compare(t, "verdict", last(p.verdicts), last(newest(t, filepath.Join(out, "verdicts.ndjson"), func(v map[string]any) string { return fmt.Sprint(v["event"], " ", v["patient"]) })))
	compare(t, "case", last(p.cases), last(newest(t, filepath.Join(out, "cases.ndjson"), func(v map[string]any) string {
		delete(v, "case")
		return fmt.Sprint(v["agent"], " ", v["hypothesis"], " ", v["opened"])
	})))
	stored, err := p.Cases.Queue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	agents := map[string]bool{}
	for _, c := range stored {
		agents[c.Agent+" "+c.Hypothesis] = true
	}
	for k := range p.cases {
		if who, rest, _ := strings.Cut(k, " "); !agents[who+" "+strings.Fields(rest)[0]] {
			t.Errorf("%s is no case of the office", k)
		}
	}
}

// A table that is dropped each day, over stops and starts: the verdicts and cases are those of a replay of the same files.
func TestReplayGivesWhatTheWatchSaidOfDroppedTables(t *testing.T) {
	if testing.Short() {
		t.Skip("judges ten days")
	}
	a := anotherSystem(t)
	form := ingest.Form{Name: "epic-research", Zone: time.UTC}
	p := stand(t, server.Watched{Context: a.context, Form: form})
	days := slices.Clone(a.tables)
	end := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	if e, why := ingest.Event(a.lines[len(a.lines)-1]); why == "" {
		end = e.Time + 5*86400 // late documentation is waited for no more
	}
	days = append(days, tableHeader+"no row\n")
	for i := range int64(6) { // so many agree that time went on
		days[len(days)-1] += row(end+60*i, "nobody", "nobody", "W1")
	}
	dir := t.TempDir()
	var logs []string
	n := int64(0)
	for i, text := range days {
		name := fmt.Sprintf("day-%02d.tsv", i)
		p.put(t, name, text)
		logs = append(logs, filepath.Join(dir, name))
		if err := os.WriteFile(logs[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		n += int64(strings.Count(text, "\n") - 1)
		switch i {
		case 3:
			p.judged(t, n)
			p.again(t)
		case 6:
			p.again(t)
		}
	}
	p.judged(t, n)
	p.equals(t, form, "nobody", logs...)
	feed, err := p.Feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if feed.Rejected == 0 || len(feed.Files) != len(days) || feed.Files[0].Some[0].Line != 2 || feed.Files[0].Newest.Unix() != end+300 || feed.Silent != 0 {
		t.Errorf("%+v", feed)
	}
	cases, err := p.Cases.Queue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(cases, func(c casework.Case) bool { return len(c.Events) > 0 && c.Events[0].Piece > 0 })
	if at < 0 {
		t.Fatalf("no case says where its accesses are kept: %+v", cases)
	}
}

// nobody are AuditEvents five days after the last, so that nothing before is waited for any more.
func nobody(t *testing.T, lines []string) (out string) {
	t.Helper()
	e, why := ingest.Event(lines[len(lines)-1])
	if why != "" {
		t.Fatal(why)
	}
	for i := range int64(6) {
		out += string(ingest.AppendEvent(nil, &detect.Event{ID: fmt.Sprint("nobody-", i), Time: e.Time + 5*86400 + i, Kind: detect.Read, Agent: "Practitioner/nobody", Patients: []string{"Patient/nobody"}}))
	}
	return out
}

// AuditEvents in a file that grows, in the middle of lines too, over stops and starts.
func TestReplayGivesWhatTheWatchSaidOfAGrowingFile(t *testing.T) {
	if testing.Short() {
		t.Skip("judges days")
	}
	a := anotherSystem(t)
	p := stand(t, server.Watched{Context: a.context})
	lines := a.lines[:20_000]
	text := strings.Join(lines, "\n") + "\n" + nobody(t, lines)
	random := rand.New(rand.NewPCG(7, 7))
	for at, i := 0, 0; at < len(text); i++ {
		n := min(1+random.IntN(2_000_000), len(text)-at)
		p.grow(t, "events.ndjson", text[at:at+n])
		if at += n; i%4 == 3 {
			p.again(t)
		}
	}
	p.judged(t, int64(strings.Count(text, "\n")))
	log := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.equals(t, ingest.Form{}, "nobody", log)
}

// Audit messages that come by TLS are judged as a replay judges a file of them.
func TestReplayGivesWhatTheWatchSaidOfMessages(t *testing.T) {
	if testing.Short() {
		t.Skip("judges days")
	}
	a := anotherSystem(t)
	seal := httptest.NewTLSServer(nil) // for its certificate
	defer seal.Close()
	p := stand(t, server.Watched{Context: a.context, TLS: "127.0.0.1:0", Senders: &tls.Config{Certificates: seal.TLS.Certificates, MinVersion: tls.VersionTLS12}, Form: ingest.Form{Zone: time.UTC}})
	var frames strings.Builder
	n := int64(0)
	for line := range strings.Lines(strings.Join(a.lines[:9000], "\n") + "\n" + nobody(t, a.lines[:9000])) {
		e, why := ingest.Event(strings.TrimSpace(line))
		if why != "" {
			t.Fatal(why)
		}
		m := fmt.Sprintf(`<85>1 %[1]s ward EHR %[4]d IHE+RFC-3881 - <AuditMessage><EventIdentification EventActionCode="R" EventDateTime="%[1]s" EventOutcomeIndicator="0"><EventID csd-code="110110"/></EventIdentification>`+
			`<ActiveParticipant UserID="%[2]s" UserIsRequestor="true"/><ParticipantObjectIdentification ParticipantObjectID="%[3]s" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1"/></AuditMessage>`,
			time.Unix(e.Time, 0).UTC().Format(time.RFC3339), strings.TrimPrefix(e.Agent, "Practitioner/"), strings.TrimPrefix(e.Patients[0], "Patient/"), n)
		fmt.Fprintf(&frames, "%d %s\n", len(m), m)
		n++
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(seal.Certificate())
	conn, err := tls.Dial("tcp", p.Collector().TLSAddr().String(), &tls.Config{RootCAs: trusted, ServerName: "example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, frames.String()); err != nil {
		t.Fatal(err)
	}
	p.judged(t, n)
	_ = conn.Close()
	p.again(t) // what was taken is there
	p.judged(t, n)
	log := filepath.Join(t.TempDir(), "messages.log")
	if err := os.WriteFile(log, []byte(frames.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p.equals(t, ingest.Form{Name: "atna"}, "nobody", log)
}

// However often it is killed, each line is judged once: the cases are those of a watch that nobody kills.
func TestKillLosesNothingThatAnotherSystemLogged(t *testing.T) {
	if testing.Short() {
		t.Skip("judges days")
	}
	a := anotherSystem(t)
	lines := a.lines[:12_000]
	text := strings.Join(lines, "\n") + "\n" + nobody(t, lines)
	held := func(p *post) map[string]string {
		t.Helper()
		p.judged(t, int64(strings.Count(text, "\n")))
		cases, err := p.Cases.Queue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, c := range cases {
			if c.Drawn() { // by a secret of each installation
				continue
			}
			var ids []string
			for _, e := range c.Events {
				ids = append(ids, fmt.Sprint(e.ID, " ", e.Patient, " ", e.Time.Unix()))
			}
			slices.Sort(ids)
			out[c.Agent+" "+c.Hypothesis] = strings.Join(ids, "\n")
		}
		return out
	}
	straight := stand(t, server.Watched{Context: a.context})
	straight.put(t, "events.ndjson", text)
	want := held(straight)
	straight.stop()
	if len(want) < 3 {
		t.Fatalf("%d cases say too little", len(want))
	}

	p := stand(t, server.Watched{Context: a.context})
	p.stop()
	args := placed([]string{"watch", "--data", p.place.Dir, "--context", a.context, "--incoming", p.incoming, "--listen", "127.0.0.1:0"})
	random := rand.New(rand.NewPCG(9, 9))
	for at, round := 0, 0; at < len(text); round++ {
		n := min(1+random.IntN(2_000_000), len(text)-at)
		p.grow(t, "events.ndjson", text[at:at+n])
		at += n
		running := begin(t, nil, args...)
		if round%3 > 0 && !running.answers() {
			t.Fatal(running.printed)
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		running.kill()
	}
	p.start(t)
	got := held(p)
	for who, events := range want {
		if got[who] != events {
			t.Errorf("%s\nkilled:  %s\nstraight: %s", who, got[who], events)
		}
	}
	for who := range got {
		if _, ok := want[who]; !ok {
			t.Errorf("%s only where it was killed", who)
		}
	}
	feed, err := p.Feed(t.Context())
	if err != nil || feed.Duplicates != 0 || feed.Rejected != 0 || feed.Judged != strings.Count(text, "\n") {
		t.Errorf("%v %+v", err, feed)
	}
}

// signed is somebody who is signed in where another system is watched.
func (p *post) signed(t *testing.T, name, roles, practitioner string) *servertest.Client {
	t.Helper()
	s := &servertest.Server{Server: p.Server, URL: p.url, Dir: p.place.Dir}
	return s.Person(t, name, roles, practitioner)
}

// An installation that watches has no charts and says so, to programs and to people; and it is nothing else.
func TestAWatchHasNoCharts(t *testing.T) {
	p := stand(t, server.Watched{Context: t.TempDir()})
	for _, path := range []string{"/fhir/metadata", "/fhir/Patient/1", "/fhir/Patient?name=a", "/fhir", "/oauth/token", "/.well-known/smart-configuration"} {
		for _, method := range []string{"GET", "POST"} {
			r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "OperationOutcome") || !strings.Contains(string(body), "holds no charts") {
				t.Errorf("%s %s: %d %s", method, path, answer.StatusCode, body)
			}
		}
	}
	officer := p.signed(t, "Officer", "privacy", "")
	nurse := p.signed(t, "Nurse", "nurse", "Practitioner/x")
	for _, path := range []string{"/day", "/find", "/chart/1", "/chart/1/notes", "/desk", "/billing", "/me", "/privacy/reviews"} {
		if a := nurse.Get(t, path); a.Status != http.StatusBadRequest || !strings.Contains(a.Body, "holds no charts") {
			t.Errorf("%s: %d %.300s", path, a.Status, a.Body)
		}
	}
	for path, says := range map[string]string{"/privacy/cases": "Nothing has come of the watched log yet", "/privacy/feed": "Nothing has come yet", "/audit": "Audit explorer", "/integrity": "Integrity", "/activity": "My activity"} {
		if a := officer.Get(t, path); a.Status != http.StatusOK || !strings.Contains(a.Body, says) || strings.Contains(a.Body, `href="/privacy/reviews"`) || strings.Contains(a.Body, `href="/day"`) {
			t.Errorf("%s: %d %.3000s", path, a.Status, a.Body)
		}
	}
	for path, to := range map[string]string{"/": "/privacy/cases", "/privacy": "/privacy/cases"} {
		if a := officer.Get(t, path); a.Header.Get("Location") != to {
			t.Errorf("%s leads to %q", path, a.Header.Get("Location"))
		}
	}
	if a := nurse.Get(t, "/"); a.Header.Get("Location") != "/activity" {
		t.Errorf("%v", a.Header)
	}
	if a := nurse.Get(t, "/privacy/feed"); a.Status != http.StatusForbidden {
		t.Errorf("%d", a.Status)
	}
	p.stop()
	s, err := server.Open(t.Context(), p.config(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Serve(t.Context(), func(string) { t.Error("it serves") }); err == nil || !strings.Contains(err.Error(), "chartwarden watch") || !s.Watches() {
		t.Error(err)
	}
}

// An installation that holds charts watches nobody else.
func TestAnInstallationWithChartsWatchesNobodyElse(t *testing.T) {
	s := servertest.Start(t)
	doc, err := document.Parse([]byte(`{"resourceType":"Patient"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: "Patient", Doc: doc}}); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := server.Open(t.Context(), s.Config, server.Options{Watched: &server.Watched{}}); err == nil || !strings.Contains(err.Error(), "holds charts") {
		t.Error(err)
	}
}

// A feed that falls silent is told: on the officers' pages, as an entry, and to those who are away, once.
func TestASilentFeedIsTold(t *testing.T) {
	told := make(chan string, 10)
	away := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		told <- string(text)
	}))
	defer away.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := stand(t, server.Watched{Context: t.TempDir(), Silence: time.Millisecond}, func(c *server.Config) { c.WebhookURL, c.WebhookSecretFile = away.URL, secret })
	officer := p.signed(t, "Officer", "privacy", "")
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := officer.Get(t, "/privacy/cases")
		if strings.Contains(a.Body, "Nothing has come of the watched log for") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody is told")
		}
	}
	if a := officer.Get(t, "/privacy/feed"); !strings.Contains(a.Body, "what is not logged is not judged") {
		t.Errorf("%.2000s", a.Body)
	}
	reads, err := p.Log.Range(t.Context(), audit.Span{}, audit.Page{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(reads, func(r audit.Read) bool { return r.Event.Interaction == "feed-silent" }) {
		t.Error("no entry says so")
	}
	select {
	case text := <-told:
		if !strings.Contains(text, "Nothing has come of the watched log") || !strings.Contains(text, "/privacy/feed") {
			t.Errorf("who is away reads %s", text)
		}
	case <-time.After(time.Minute):
		t.Error("nobody who is away is told")
	}
}

// An officer works on a case of a watched system as on one of the own: alerted by the open page, the person a pseudonym until she takes it,
// patients by letters until she says why, the lines of the other log as they came, which lie in clear nowhere.
func TestAnOfficerWorksOnACaseOfAnotherSystem(t *testing.T) {
	if testing.Short() {
		t.Skip("judges days")
	}
	a := anotherSystem(t)
	p := stand(t, server.Watched{Context: a.context, Form: ingest.Form{Name: "epic-research", Zone: time.UTC}})
	officer := p.signed(t, "Officer", "privacy", "")
	open := (&played{Server: &servertest.Server{Server: p.Server, URL: p.url}}).watches(t, officer)
	n := int64(0)
	for i, text := range a.tables[:4] {
		p.put(t, fmt.Sprintf("day-%02d.tsv", i), text)
		n += int64(strings.Count(text, "\n") - 1)
	}
	p.judged(t, n)
	cases, err := p.Cases.Queue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(cases, func(c casework.Case) bool {
		return c.Queue == casework.Review && len(c.Patients) > 0 && len(c.Events) > 0 && c.Events[0].Piece > 0
	})
	if i < 0 {
		t.Fatalf("no case to work on: %+v", cases)
	}
	c := cases[i]
	t.Logf("%+v", c)
	heard := open.notice("/privacy/cases/" + c.ID)
	place := "/privacy/cases/" + c.ID
	number := casework.Number(c.Events[0].Patient)
	m, ok := p.Member(c.Agent)
	if !ok || m.Name == "" {
		t.Fatalf("%+v", m)
	}
	for _, hidden := range []string{c.Agent, strings.TrimPrefix(c.Agent, "Practitioner/"), m.Name, number} {
		if strings.Contains(fmt.Sprint(heard), hidden) {
			t.Errorf("the alert says %s: %v", hidden, heard)
		}
	}
	row, err := p.Row(t.Context(), c.Events[0].Piece, c.Events[0].Line)
	if err != nil || casework.Number(row.Patients[0]) != number || row.Time != c.Events[0].Time.Unix() {
		t.Fatalf("%+v %v", row, err)
	}
	before := officer.Get(t, place)
	for _, hidden := range []string{strings.TrimPrefix(c.Agent, "Practitioner/"), m.Name, number} {
		if strings.Contains(before.Body, hidden) {
			t.Errorf("the page says %s before the case is taken", hidden)
		}
	}
	if !strings.Contains(before.Body, "Take this case") || row.Device != "" && !strings.Contains(before.Body, strings.TrimPrefix(row.Device, "Device/")) {
		t.Errorf("%s is not on the page", row.Device)
	}
	herself := p.signed(t, "Herself", "privacy", c.Agent)
	if a := herself.Get(t, place); a.Status != http.StatusNotFound {
		t.Errorf("somebody reads a case about herself: %d", a.Status)
	}
	do := func(fields ...string) servertest.Answer {
		t.Helper()
		if a := officer.Form(t, place, fields...); a.Status != http.StatusSeeOther {
			t.Errorf("%v: %d %.500s", fields, a.Status, a.Body)
		}
		return officer.Get(t, place)
	}
	if a := do("act", "take"); !strings.Contains(a.Body, m.Name) || strings.Contains(a.Body, number) || !strings.Contains(a.Body, "no account here") {
		t.Errorf("taken: %.300s", a.Body)
	}
	if a := do("act", "names", "names", "To look the charts up"); !strings.Contains(a.Body, number+" (") || !strings.Contains(a.Body, "To look the charts up") {
		t.Error("the numbers are not shown")
	}
	if a := do("act", "ask", "text", "Why?"); !strings.Contains(a.Body, "has no account here") {
		t.Error("it is not said that nobody can be asked here")
	}
	if a := do("act", "heard", "text", "By telephone: a colleague asked for help"); !strings.Contains(a.Body, "wrote down an answer: “By telephone") {
		t.Error("the answer is not in the case")
	}
	do("act", "close", "outcome", "unclear", "text", "Nothing more is known", "seen", fmt.Sprint(len(c.Events)))
	if c, err = p.Cases.Case(t.Context(), c.ID); err != nil || c.State != casework.Closed {
		t.Errorf("%+v %v", c, err)
	}
	reads, err := p.Log.Range(t.Context(), audit.Span{}, audit.Page{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]bool{}
	for _, r := range reads {
		steps[r.Event.Interaction] = true
		if strings.Contains(r.Event.Text, number) {
			t.Errorf("an entry names a patient: %s", r.Event.Text)
		}
	}
	for _, step := range []string{"case-open", "case-take", "case-names", "case-numbers", "case-heard", "case-close"} {
		if !steps[step] {
			t.Errorf("%s is no entry", step)
		}
	}
	p.stop()
	for _, name := range []string{"records.db", "records.db-wal", "audit.db", "audit.db-wal"} {
		text, err := os.ReadFile(filepath.Join(p.place.Dir, name))
		if err != nil {
			continue
		}
		for _, secret := range []string{number, m.Name, "MR_SNAPSHOT", "day-00.tsv"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %s in clear", name, secret)
			}
		}
	}
}
