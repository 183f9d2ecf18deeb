package web_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server"

	"github.com/pquerna/otp/totp"
)

// office is a whole installation with a clock of its own: real files, real keys, real log.
type office struct {
	*server.Server
	t     *testing.T
	dir   string
	url   string
	clock *clock
	http  *httptest.Server
	maren string // id of the patient Okafor, Maren

	drill     string       // report of the last drill
	witnesses string       // of the configuration
	outward   *http.Client // by which they are reached
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), clock: &clock{at: time.Date(2046, 11, 20, 9, 10, 0, 0, time.UTC)}} // cookies live by the real clock, so it is ahead of that
	if err := server.Init(t.Context(), server.Config{Data: o.dir}, true); err != nil {
		t.Fatal(err)
	}
	o.open()
	t.Cleanup(o.stop)
	o.maren = o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14",
		"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"value":"00482217"}]}`)
	o.put(`{"resourceType":"Condition","subject":{"reference":"Patient/` + o.maren + `"},"code":{"text":"Asthma bronchiale"}}`)
	return o
}

func (o *office) open() {
	o.t.Helper()
	s, err := server.Open(context.WithoutCancel(o.t.Context()), server.Config{Data: o.dir, PublicURL: "http://ehr.example", Witnesses: o.witnesses, DrillReport: o.drill},
		server.Options{Now: o.clock.Now, Outward: o.outward})
	o.must(err)
	o.Server, o.http = s, httptest.NewServer(s.Handler())
	o.url = o.http.URL
}

func (o *office) stop() { o.http.Close(); _ = o.Server.Close() }

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// put stores a resource as the importer and returns its id.
func (o *office) put(body string) string {
	o.t.Helper()
	doc, err := document.Parse([]byte(body))
	o.must(err)
	done, err := o.Gate.Import(o.t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	o.must(err)
	o.must(done[0].Err)
	return done[0].Written.ID
}

// person is somebody with a browser.
type person struct {
	o       *office
	made    identity.Credentials
	browser *http.Client
	session access.Principal
}

func (o *office) person(name string, n identity.NewPerson) *person {
	o.t.Helper()
	n.Name, n.TrainingDue = name, o.clock.Now().AddDate(1, 0, 0)
	made, err := o.Persons.CreateForTest(o.t.Context(), audit.Agent{Job: "test"}, n)
	o.must(err)
	p := &person{o: o, made: made}
	p.signIn()
	return p
}

func (o *office) staff(name string, roles ...string) *person {
	o.t.Helper()
	return o.person(name, identity.NewPerson{Roles: roles})
}

func (p *person) signIn() {
	p.o.t.Helper()
	jar, err := cookiejar.New(nil)
	p.o.must(err)
	p.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	code, err := totp.GenerateCode(p.made.Secret, p.o.clock.Now())
	p.o.must(err)
	if a := p.post("/sign-in", "person", p.made.Person, "password", p.made.Password, "totp", code); a.status != http.StatusSeeOther {
		p.o.t.Fatalf("sign-in: %d %s", a.status, a.text())
	}
	sessions, err := p.o.Persons.Sessions(p.o.t.Context(), p.made.Person)
	p.o.must(err)
	p.session = access.Person(sessions[0])
}

// code waits for a fresh step and gives its code.
func (p *person) code() string {
	p.o.t.Helper()
	p.o.clock.pass(30 * time.Second)
	code, err := totp.GenerateCode(p.made.Secret, p.o.clock.Now())
	p.o.must(err)
	return code
}

// seen is an answer, read whole.
type seen struct {
	status int
	header http.Header
	body   string
}

var tags = regexp.MustCompile(`(?s)<(script|style)[^>]*>.*?</(script|style)>|<[^>]*>`)

// text is what a person reads of a page.
func (a seen) text() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(a.body, " "))), " ")
}

func (p *person) do(r *http.Request, err error) seen {
	p.o.t.Helper()
	p.o.must(err)
	answer, err := p.browser.Do(r)
	p.o.must(err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	p.o.must(err)
	return seen{answer.StatusCode, answer.Header, string(b)}
}

func (p *person) get(path string) seen {
	p.o.t.Helper()
	return p.do(http.NewRequestWithContext(p.o.t.Context(), http.MethodGet, p.o.url+path, nil))
}

// post sends a form. Where its answer has an address of its own, that is read.
func (p *person) post(path string, fields ...string) seen {
	p.o.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(p.o.t.Context(), http.MethodPost, p.o.url+path, strings.NewReader(v.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a := p.do(r, err)
	if to := a.header.Get("Location"); strings.Contains(to, "?typed=") || to == path && strings.HasPrefix(path, "/privacy/reviews/") {
		return p.get(to)
	}
	return a
}

// page wants a page whose text holds every one of want.
func (p *person) page(path string, want ...string) seen {
	p.o.t.Helper()
	a := p.get(path)
	p.o.shows(a, http.StatusOK, want...)
	return a
}

func (o *office) shows(a seen, status int, want ...string) {
	o.t.Helper()
	text := a.text()
	if a.status != status {
		o.t.Fatalf("status %d, want %d: %s", a.status, status, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) && !strings.Contains(html.UnescapeString(a.body), w) {
			o.t.Errorf("the page does not say %q: %s", w, text)
		}
	}
}

func (o *office) hides(a seen, never ...string) {
	o.t.Helper()
	for _, w := range never {
		if strings.Contains(html.UnescapeString(a.body), w) {
			o.t.Errorf("the page holds %q: %s", w, a.text())
		}
	}
}

// breaks opens the chart of Maren Okafor behind the glass.
func (p *person) breaks(code, text string) access.Grant {
	p.o.t.Helper()
	grant, err := p.o.Gate.BreakGlass(p.o.t.Context(), p.session, p.o.maren, code, text)
	p.o.must(err)
	_, err = p.o.Gate.Chart(p.o.t.Context(), p.session, p.o.maren)
	p.o.must(err)
	return grant
}
