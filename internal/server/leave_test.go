package server_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"
	"chartwarden/internal/server/servertest"
)

// leaver is somebody with many ways in, over two nodes.
type leaver struct {
	a, b      *servertest.Server
	made      identity.Credentials
	condition string
	client    identity.Client
	sessions  []string // tokens
	tokens    []string
	refresh   []string
	codes     []string
	streams   []*stream
	http      *http.Client
}

// stream is a live page.
type stream struct {
	over chan struct{} // closed when it ended, or said that nothing more is shown
	at   time.Time     // when; after over
}

var codeVerifier = strings.Repeat("v", 43)

// leaving makes n sessions, n apps with tokens and n streams of a physician with a patient, half of each to be used at either node.
func leaving(t testing.TB, a, b *servertest.Server, n int) *leaver {
	t.Helper()
	ctx := t.Context()
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l := &leaver{a: a, b: b, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, MaxConnsPerHost: 0}}}
	t.Cleanup(l.http.CloseIdleConnections)
	anna := stored(t, a.Gate, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`)
	maren := stored(t, a.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor"}],"birthDate":"1961-03-14"}`)
	l.condition = stored(t, a.Gate, `{"resourceType":"Condition","subject":{"reference":"`+maren+`"},"code":{"text":"Asthma"}}`)
	stored(t, a.Gate, `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP","system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},
		"subject":{"reference":"`+maren+`"},"participant":[{"individual":{"reference":"`+anna+`"}}],"period":{"start":"`+a.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	var err error
	l.made, err = a.Persons.CreateForTest(ctx, audit.Agent{Job: "test"}, identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Physician}, Practitioner: anna, TrainingDue: a.Now().AddDate(1, 0, 0)})
	fail(err)
	owner, err := a.Persons.CreateForTest(ctx, audit.Agent{Job: "test"}, identity.NewPerson{Name: "Tom Owner", Roles: []string{identity.Billing}})
	fail(err)
	id := "growth-" + l.made.Person
	l.client, _, err = a.Persons.RegisterClient(ctx, audit.Agent{Job: "test"}, identity.NewClient{ID: id, Name: "Growth", Owner: owner.Person, Scope: "user/Condition.rs offline_access", Redirects: []string{"https://growth.example/cb"}})
	fail(err)
	sum := sha256.Sum256([]byte(codeVerifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	from := identity.Arrival{Zone: "hospital", Trust: "registered"}
	set, err := scope.Parse("user/Condition.rs offline_access")
	fail(err)
	for i := range n {
		node := l.node(i)
		opened, err := node.Persons.Enter(ctx, l.made.Person, identity.StaffCapacity, from)
		fail(err)
		l.sessions = append(l.sessions, opened.Token)
		code, err := node.Persons.Authorize(ctx, opened.Session, identity.Consent{Client: l.client, Redirect: l.client.Redirects[0], Challenge: challenge, Scope: set})
		fail(err)
		if i%10 == 9 { // some codes are not redeemed yet
			l.codes = append(l.codes, code)
			code, err = node.Persons.Authorize(ctx, opened.Session, identity.Consent{Client: l.client, Redirect: l.client.Redirects[0], Challenge: challenge, Scope: set})
			fail(err)
		}
		got, err := node.Persons.RedeemCode(ctx, l.client, code, l.client.Redirects[0], codeVerifier, from)
		fail(err)
		l.tokens, l.refresh = append(l.tokens, got.Access), append(l.refresh, got.Refresh)
	}
	for i := range n {
		l.streams = append(l.streams, l.listen(t, i))
	}
	return l
}

func (l *leaver) node(i int) *servertest.Server {
	if i%2 == 0 {
		return l.a
	}
	return l.b
}

// listen opens the live stream of a session, on the node that did not open the session.
func (l *leaver) listen(t testing.TB, i int) *stream {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, l.node(i+1).URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.sessions[i])
	answer, err := l.http.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("no stream: %v %v", err, answer)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	s := &stream{over: make(chan struct{})}
	go func() {
		defer close(s.over)
		for lines := bufio.NewScanner(answer.Body); lines.Scan() && lines.Text() != "event: lock"; {
		}
		s.at = time.Now()
	}()
	return s
}

// reads reports whether a token still reads a record, at a node.
func (l *leaver) reads(t testing.TB, node *servertest.Server, token string) bool {
	r, err := http.NewRequest(http.MethodGet, node.URL+"/fhir/"+l.condition, nil)
	if err != nil {
		t.Error(err)
		return false
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := l.http.Do(r)
	if err != nil {
		t.Error(err)
		return false
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a read gives %d", answer.StatusCode)
	}
	return answer.StatusCode == http.StatusOK
}

// way is one of the ways in.
type way struct {
	node  *servertest.Server
	token string
	died  time.Time
}

func (l *leaver) ways() (out []*way) {
	for i, token := range slices.Concat(l.sessions, l.tokens) {
		out = append(out, &way{node: l.node(i + i/len(l.sessions)), token: token})
	}
	return out
}

// watch asks for every way again and again until it is dead, some at a time.
func (l *leaver) watch(t testing.TB, all []*way, patience time.Duration) {
	begun := time.Now()
	var done sync.WaitGroup
	for k := range 8 {
		done.Go(func() {
			for left := true; left && time.Since(begun) < patience; {
				left = false
				for i := k; i < len(all); i += 8 {
					if !all[i].died.IsZero() {
						continue
					}
					if l.reads(t, all[i].node, all[i].token) {
						left = true
					} else {
						all[i].died = time.Now()
					}
				}
			}
		})
	}
	done.Wait()
}

// Whatever lets somebody in dies with the termination, on both nodes: sessions, tokens, refresh tokens, codes, streams, the open glass,
// what waits for her, factors.
func TestTerminationEndsEveryWayIn(t *testing.T) {
	a := servertest.StartAt(t, dbtest.Postgres(t))
	b := a.Node(t, "second")
	l := leaving(t, a, b, 10)
	stranger := stored(t, a.Gate, `{"resourceType":"Patient","name":[{"family":"Frost"}],"birthDate":"1950-01-02"}`)
	session, err := a.Persons.Authenticate(t.Context(), l.sessions[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Gate.BreakGlass(t.Context(), access.Person(session), strings.TrimPrefix(stranger, "Patient/"), "emergency", "found on the floor"); err != nil {
		t.Fatal(err)
	}
	by := audit.Agent{Job: "test"}
	asked, err := a.Persons.Ask(t.Context(), session.Agent(), identity.Act{Kind: access.ExportAct, Reason: "a study", Says: "events", Lapses: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	agreed, err := a.Persons.Ask(t.Context(), session.Agent(), identity.Act{Kind: access.ExportAct, Reason: "a study", Says: "events", Lapses: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	officer := a.Person(t, "Ruth Adeyemi", "privacy", "")
	if _, err := a.Persons.Agree(t.Context(), audit.Agent{Person: officer.Person.Person, Capacity: identity.StaffCapacity}, agreed.ID, nil); err != nil {
		t.Fatal(err)
	}
	all := l.ways()
	for _, w := range all {
		if !l.reads(t, w.node, w.token) {
			t.Fatal("a way in is shut before")
		}
	}
	done, err := a.Staffing.End(t.Context(), by, l.made.Person, "left")
	if err != nil {
		t.Fatal(err)
	}
	l.watch(t, all, 30*time.Second)
	for _, w := range all {
		if w.died.IsZero() {
			t.Fatal("a way in is open 30 s later")
		}
	}
	for _, s := range l.streams {
		select {
		case <-s.over:
		case <-time.After(30 * time.Second):
			t.Fatal("a stream goes on 30 s later")
		}
	}
	from := identity.Arrival{Zone: "hospital"}
	for _, node := range []*servertest.Server{a, b} {
		for _, token := range l.refresh {
			if _, err := node.Persons.Refresh(t.Context(), l.client.ID, token, scope.Set{}, from); !outcome.Is(err, outcome.Login) {
				t.Errorf("a refresh token: %v", err)
			}
		}
		for _, code := range l.codes {
			if _, err := node.Persons.RedeemCode(t.Context(), l.client, code, l.client.Redirects[0], codeVerifier, from); !outcome.Is(err, outcome.Login) {
				t.Errorf("an authorization code: %v", err)
			}
		}
		for _, item := range []string{asked.ID, agreed.ID} {
			if it, err := node.Persons.Act(t.Context(), item); err != nil || it.State != "withdrawn" {
				t.Errorf("an export that she asked for: %+v %v", it, err)
			}
		}
	}
	c := done.Certificate
	if len(c.Sessions) != 10 || c.AuthorizationsCut < 10 || c.CredentialsRemoved != 2 || c.ExportsStopped != 2 || c.GrantsEnded == nil || *c.GrantsEnded != 1 ||
		c.Accesses30d == nil || *c.Accesses30d < len(all) || *c.Exports30d != 0 || *c.OpenCases != 0 || c.Notice == "" {
		t.Errorf("%s", done.Signed)
	}
	if read, err := identity.ReadCertificate(done.Signed, a.Persons.CertificateKey()); err != nil || read.Person != l.made.Person {
		t.Errorf("%v", err)
	}
	elsewhere, err := b.Staffing.Certificate(t.Context(), l.made.Person)
	if err != nil || string(elsewhere.Signed) != string(done.Signed) {
		t.Errorf("the other node gives another certificate: %v", err)
	}
	for _, secret := range []string{"Okafor", "Frost", "Asthma", "floor", "Patient/"} {
		if strings.Contains(string(done.Signed), secret) {
			t.Errorf("the certificate holds %s", secret)
		}
	}
	report, err := a.Verify(t.Context(), nil)
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("%v %+v", err, report)
	}
}

// BenchmarkLeave measures how long after the termination of somebody with 100 sessions, 100 tokens of apps and 100 live streams over two
// nodes the last of them is seen to be dead: from the moment that it was acknowledged. `make leave` runs it.
func BenchmarkLeave(b *testing.B) {
	first := servertest.StartAt(b, dbtest.Postgres(b))
	second := first.Node(b, "second")
	var worst = map[string][]time.Duration{}
	note := func(what string, since time.Time, died []time.Time) {
		last := slices.MaxFunc(died, time.Time.Compare)
		worst[what] = append(worst[what], max(0, last.Sub(since)))
	}
	var acted []time.Duration
	for b.Loop() {
		l := leaving(b, first, second, 100)
		all := l.ways()
		for _, w := range all { // warm: what a node believes, it believes
			if !l.reads(b, w.node, w.token) {
				b.Fatal("a way in is shut before")
			}
		}
		asking := make(chan struct{})
		go func() { defer close(asking); l.watch(b, all, 30*time.Second) }()
		time.Sleep(200 * time.Millisecond)
		begun := time.Now()
		if _, err := first.Persons.Terminate(b.Context(), audit.Agent{Job: "test"}, l.made.Person, "left"); err != nil {
			b.Fatal(err)
		}
		since := time.Now()
		acted = append(acted, since.Sub(begun))
		<-asking
		died := map[string][]time.Time{}
		for i, w := range all {
			if w.died.IsZero() {
				b.Fatal("a way in is open 30 s later")
			}
			what := []string{"sessions", "tokens"}[i/len(l.sessions)]
			died[what] = append(died[what], w.died)
		}
		for _, s := range l.streams {
			select {
			case <-s.over:
				died["streams"] = append(died["streams"], s.at)
			case <-time.After(30 * time.Second):
				b.Fatal("a stream goes on 30 s later")
			}
		}
		for what, times := range died {
			note(what, since, times)
		}
	}
	b.ReportMetric(0, "ns/op")
	worst["terminate"] = acted
	for what, took := range worst {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, what+"-median-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, what+"-max-ms")
	}
	b.Log(fmt.Sprint(len(acted), " terminations"))
}
