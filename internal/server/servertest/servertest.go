// Package servertest starts a whole real server for tests: own directory, own keys, own log, own clock.
//
//	s := servertest.Start(t)
//	s.Import(t, "synthea/Alfreda...json.gz")
//	nurse := s.Person(t, "nurse", "Practitioner/x")   // an HTTP client that is signed in
//	answer := nurse.Get(t, "/fhir/Patient/1")
package servertest

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/intake"
	"chartwarden/internal/server"

	"github.com/pquerna/otp/totp"
)

// Server is a running server of a test.
type Server struct {
	*server.Server
	URL  string
	Dir  string
	http *httptest.Server
}

// Start makes a sandbox installation in the test's own directory and serves it until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartAt(t, dbtest.New(t))
}

// StartAt is Start on a place of the test's choice.
func StartAt(t testing.TB, place dbtest.Place) *Server {
	t.Helper()
	Lies(place.Dir, place.URL)
	if err := server.Init(t.Context(), server.Config{Data: place.Dir, Database: place.URL}, true); err != nil {
		t.Fatal(err)
	}
	return Open(t, place.Dir)
}

// databases are the URLs of installations on PostgreSQL, by data directory.
var databases sync.Map

// Lies notes that the installation of a data directory keeps its tables in a database; an empty url: in the directory.
func Lies(dir, url string) { databases.Store(dir, url) }

// Node starts another node on the database of s, with a data directory of its own.
func (s *Server) Node(t testing.TB, name string) *Server {
	t.Helper()
	dir := t.TempDir()
	key, err := os.ReadFile(filepath.Join(s.Dir, "custodian.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "custodian.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	databases.Store(dir, s.Config.Database)
	return open(t, dir, name, nil)
}

// database is where the installation of dir keeps its tables.
func database(dir string) string {
	url, _ := databases.Load(dir)
	text, _ := url.(string) // none: in dir
	return text
}

// Open serves an installation that is there, as after a restart.
func Open(t testing.TB, dir string) *Server { return open(t, dir, "", nil) }

// OpenWitnessed is Open with witnesses, written as the setting is.
func OpenWitnessed(t testing.TB, dir, witnesses string) *Server {
	return opened(t, server.Config{Data: dir, Database: database(dir), Witnesses: witnesses}, nil)
}

// OpenZoned is OpenOn with zones, written as the setting is.
func OpenZoned(t testing.TB, dir, zones string, c *Clock) *Server {
	return opened(t, server.Config{Data: dir, Database: database(dir), Zones: zones}, c.Now)
}

// OpenAt is Open with a clock that runs from at.
func OpenAt(t testing.TB, dir string, at time.Time) *Server {
	begun := time.Now()
	return open(t, dir, "", func() time.Time { return at.Add(time.Since(begun)) })
}

// OpenOn is Open with a clock that the test turns.
func OpenOn(t testing.TB, dir string, c *Clock) *Server { return open(t, dir, "", c.Now) }

// OpenPlace is Open of an installation that keeps its tables in the place's database.
func OpenPlace(t testing.TB, place dbtest.Place) *Server {
	databases.Store(place.Dir, place.URL)
	return Open(t, place.Dir)
}

// OpenPlaceAt is OpenAt of an installation that keeps its tables in the place's database.
func OpenPlaceAt(t testing.TB, place dbtest.Place, at time.Time) *Server {
	databases.Store(place.Dir, place.URL)
	return OpenAt(t, place.Dir, at)
}

func open(t testing.TB, dir, node string, now func() time.Time) *Server {
	t.Helper()
	return opened(t, server.Config{Data: dir, Database: database(dir), Node: node}, now)
}

// OpenRuled is Open of a program that brings these rules; on an error there is no server.
func OpenRuled(t testing.TB, dir string, rules fs.FS) (*Server, error) {
	return openedWith(t, server.Config{Data: dir, Database: database(dir)}, server.Options{Rules: rules})
}

func opened(t testing.TB, c server.Config, now func() time.Time) *Server {
	t.Helper()
	s, err := openedWith(t, c, server.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openedWith(t testing.TB, c server.Config, o server.Options) (*Server, error) {
	t.Helper()
	c.Listen, c.PublicURL = "127.0.0.1:0", "http://localhost"
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.Open(context.WithoutCancel(t.Context()), c, o)
	if err != nil {
		return nil, err
	}
	h := httptest.NewServer(s.Handler())
	out := &Server{Server: s, URL: h.URL, Dir: c.Data, http: h}
	t.Cleanup(out.Stop)
	return out, nil
}

// Reachable is Start for tests whose other side follows the server's own addresses: its public URL is where it listens.
func Reachable(t testing.TB) *Server { t.Helper(); return ReachableAs(t, nil) }

// ReachableAs is Reachable with further settings, which set makes once the public URL is known; nil: none.
func ReachableAs(t testing.TB, set func(*server.Config)) *Server {
	t.Helper()
	place := dbtest.New(t)
	dir := place.Dir
	databases.Store(dir, place.URL)
	h := httptest.NewUnstartedServer(nil)
	c := server.Config{Data: dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://" + h.Listener.Addr().String()}
	if set != nil {
		set(&c)
	}
	if err := server.Init(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(context.WithoutCancel(t.Context()), c, server.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h.Config.Handler = s.Handler()
	h.Start()
	out := &Server{Server: s, URL: h.URL, Dir: dir, http: h}
	t.Cleanup(out.Stop)
	return out
}

// Stop ends the server and frees its directory. Stopping twice is fine.
func (s *Server) Stop() {
	s.http.Close()
	_ = s.Server.Close()
}

// Data is the folder with the published definitions and patients; a test that needs it is skipped when it is not there.
func Data(t testing.TB, elements ...string) string {
	t.Helper()
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		for dir := "."; ; dir = filepath.Join(dir, "..") {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				root = filepath.Join(dir, "..", "shared")
				break
			}
			if abs, _ := filepath.Abs(dir); abs == "/" {
				break
			}
		}
	}
	path := filepath.Join(append([]string{root}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the published data is not here (CHARTWARDEN_TESTDATA)")
	}
	return path
}

// Import takes files in through the door and fails the test on any rejection.
func (s *Server) Import(t testing.TB, paths ...string) intake.Report {
	t.Helper()
	report, err := intake.Run(t.Context(), s.Gate, intake.Options{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Rejected {
		t.Errorf("rejected: %+v", r)
	}
	return report
}

// Client is a signed-in person's browser without a screen.
type Client struct {
	*http.Client
	Base   string
	Person identity.Credentials
}

// Person creates somebody with test credentials and signs in through /session/test. practitioner may be empty.
func (s *Server) Person(t testing.TB, name, role, practitioner string) *Client {
	t.Helper()
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: name, Roles: strings.Fields(role),
		Practitioner: practitioner, TrainingDue: s.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return s.SignIn(t, made, "")
}

// Patient creates somebody who is a patient with access to the own chart, and signs in.
func (s *Server) Patient(t testing.TB, name, patientID string) *Client {
	t.Helper()
	made, err := s.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: name, Roles: []string{identity.Patient},
		Patient: "Patient/" + patientID})
	if err != nil {
		t.Fatal(err)
	}
	return s.SignIn(t, made, identity.PatientCapacity)
}

// SignIn gives a client with a session for made.
func (s *Server) SignIn(t testing.TB, made identity.Credentials, capacity string) *Client {
	t.Helper()
	now := time.Now()
	if s.Server != nil { // it may be served by another process, which keeps the machine's time
		now = s.Now()
	}
	code, err := totp.GenerateCode(made.Secret, now)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Base: s.URL, Person: made}
	answer, err := c.PostForm(s.URL+"/session/test", url.Values{"person": {made.Person}, "password": {made.Password}, "totp": {code}, "capacity": {capacity}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("sign-in: %d %s", answer.StatusCode, body)
	}
	return c
}

// Answer is a response, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request with a body ("" for none) and header pairs.
func (c *Client) Do(t testing.TB, method, path, body string, header ...string) Answer {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{answer.StatusCode, answer.Header, string(b)}
}

// Get reads a path.
func (c *Client) Get(t testing.TB, path string, header ...string) Answer {
	t.Helper()
	return c.Do(t, http.MethodGet, path, "", header...)
}

// Form posts a form.
func (c *Client) Form(t testing.TB, path string, fields ...string) Answer {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return c.Do(t, http.MethodPost, path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// Adopt lets a client that signed in before a restart talk to s with the cookies that it has from old, the server's former URL.
func (s *Server) Adopt(t testing.TB, c *Client, jar http.CookieJar, old string) {
	t.Helper()
	from, err := url.Parse(old)
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	c.Jar.SetCookies(to, jar.Cookies(from))
	c.Base = s.URL
}
