package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/tied"

	"github.com/pquerna/otp/totp"
)

// The tests of this package that end a server in the middle of its work need the real program in a process of its own. It is built
// once, and so is an installation with patients and people, made by the program's own commands; each test works on a copy of it.

func TestMain(m *testing.M) {
	var err error
	if workshop, err = os.MkdirTemp("", "chartwarden-server-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(workshop)
	os.Exit(code)
}

// workshop holds the program and the installation that tests copy.
var workshop string

var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workshop, "chartwarden")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/chartwarden").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// command is a process that ends with this one at the latest.
func command(name string, args ...string) *exec.Cmd { return tied.Command(name, args...) }

// run carries out one command of the program and gives what it prints and its exit code.
func run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var out, complaint bytes.Buffer
	c := tied.To(exec.CommandContext(t.Context(), path, placed(args)...))
	c.Stdout, c.Stderr = &out, &complaint
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), complaint.String(), c.ProcessState.ExitCode()
}

// must is run for a command that has to succeed.
func must(t testing.TB, args ...string) string {
	t.Helper()
	out, complaint, code := run(t, args...)
	if code != 0 {
		t.Fatalf("chartwarden %s: exit %d\n%s", strings.Join(args, " "), code, complaint)
	}
	return out
}

// lines keeps what a process prints while it runs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// process is a running server of its own.
type process struct {
	command *exec.Cmd
	url     string
	printed *lines
	ended   chan struct{}
}

var listening = regexp.MustCompile(`chartwarden: listening on (http://\S+)`)

// serve starts the program on dir and waits until it answers; before are words in front of the program, such as a tracer.
func serve(t testing.TB, dir string, before ...string) *process {
	t.Helper()
	p, ok := tryServe(t, dir, before...)
	if !ok {
		t.Fatalf("the server does not start:\n%s", p.printed)
	}
	return p
}

func tryServe(t testing.TB, dir string, before ...string) (*process, bool) {
	t.Helper()
	p := launch(t, dir, before...)
	return p, p.answers()
}

// launch starts the program on dir and waits for nothing.
func launch(t testing.TB, dir string, before ...string) *process {
	t.Helper()
	return begin(t, before, placed([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0"})...)
}

// begin starts a command of the program that goes on until it is ended, at the latest with the test. It waits for nothing.
func begin(t testing.TB, before []string, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	words := slices.Concat(before, []string{path}, args)
	p := &process{command: command(words[0], words[1:]...), printed: &lines{}, ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = p.printed, p.printed
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // how it ended stands in ProcessState
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// answers waits until the server listens; false when it ends instead.
func (p *process) answers() bool {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found := listening.FindStringSubmatch(p.printed.String()); found != nil {
			p.url = found[1]
			return true
		}
		if p.over() {
			return false
		}
	}
	return false
}

// kill ends the process as a power cut would and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may be gone already
	<-p.ended
}

// stop asks the process to end and reports how it did.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.kill()
		t.Fatal("the server does not stop")
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("the server stopped with exit %d:\n%s", code, p.printed)
	}
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// caller is a signed-in person without a screen. Its session outlives the server, as sessions do.
type caller struct {
	base, token string
	client      *http.Client
}

func (c caller) at(url string) caller {
	c.base, c.client = url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	return c
}

// do sends a request. The error says that no whole answer came.
func (c caller) do(method, path, body string, header ...string) (servertest.Answer, error) {
	r, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return servertest.Answer{}, err
	}
	if c.token != "" {
		r.AddCookie(&http.Cookie{Name: "chartwarden", Value: c.token})
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return servertest.Answer{}, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return servertest.Answer{Status: answer.StatusCode, Header: answer.Header, Body: string(b)}, err
}

// want is do for a request that has to end with a status.
func (c caller) want(t testing.TB, status int, method, path, body string, header ...string) servertest.Answer {
	t.Helper()
	answer, err := c.do(method, path, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != status {
		t.Fatalf("%s %s: %d, want %d\n%s", method, path, answer.Status, status, answer.Body)
	}
	return answer
}

// signIn gives a session for what `person add --test-credentials` printed.
func signIn(t testing.TB, url string, made identity.Credentials) caller {
	t.Helper()
	code, err := totp.GenerateCode(made.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := caller{}.at(url)
	answer := c.want(t, http.StatusNoContent, "POST", "/session/test", "person="+made.Person+"&password="+made.Password+"&totp="+code,
		"Content-Type", "application/x-www-form-urlencoded")
	set := (&http.Response{Header: answer.Header}).Cookies()
	if len(set) != 1 {
		t.Fatal("no session cookie")
	}
	c.token = set[0].Value
	return c
}

// hired is a new person with test credentials, made by the command line.
func hired(t testing.TB, dir, name, role string, more ...string) identity.Credentials {
	t.Helper()
	out := must(t, append([]string{"person", "add", "--data", dir, "--name", name, "--role", role, "--test-credentials"}, more...)...)
	var made identity.Credentials
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatalf("person add printed %q: %v", out, err)
	}
	return made
}

// installation is a stopped installation: patients, and people with live sessions.
type installation struct {
	dir       string
	files     []string // that were imported
	patients  []string // ids; the physician is in an open contact with each
	physician caller
	clerk     caller
	colleague caller               // a physician without a link to anybody
	secrets   identity.Credentials // of the colleague
	made      time.Time            // when all signed in
	admin     caller
}

var shared struct {
	sync.Mutex
	made  installation
	tries int
}

// imported are the patients of the shared installation, by the beginnings of their files' names: small ones.
var imported = []string{"Alfreda", "Barney", "Dana_", "Errol"}

// freshFor is how long the sessions of the shared installation serve: idle ones lock after ten minutes, and a test may take some of them.
const freshFor = 4 * time.Minute

// install gives a copy of the shared installation in a directory of the test's own.
func install(t testing.TB) installation {
	t.Helper()
	data := servertest.Data(t, "fhir", "synthea")
	shared.Lock()
	defer shared.Unlock()
	if time.Since(shared.made.made) > freshFor {
		if shared.tries++; shared.tries > 1 && shared.made.dir == "" {
			t.Fatal("the shared installation could not be made")
		}
		shared.made = installation{}
		shared.made = prepare(t, data)
	}
	in := shared.made
	in.dir = filepath.Join(t.TempDir(), "data")
	duplicate(t, in.dir, shared.made.dir)
	return in
}

func prepare(t testing.TB, data string) installation {
	in := installation{dir: filepath.Join(workshop, fmt.Sprint("installation-", shared.tries))}
	if dbtest.Engine() == db.PostgreSQL {
		lies(in.dir, dbtest.Start(t).Database(t).URL)
	}
	return prepareAt(t, in, data)
}

// prepareAt makes the installation in the directory and, where that is noted, the database of in.
func prepareAt(t testing.TB, in installation, data string) installation {
	for _, name := range imported {
		found, err := filepath.Glob(filepath.Join(data, name+"*.json.gz"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no Synthea patient %s: %v", name, err)
		}
		in.files = append(in.files, found[0])
	}
	must(t, "init", "--data", in.dir, "--sandbox", "--admin", "Ruth Adeyemi")
	must(t, append([]string{"import", "--data", in.dir}, in.files...)...)
	p := serve(t, in.dir)
	in.admin = signIn(t, p.url, hired(t, in.dir, "Ines Varga", "administrator"))
	in.clerk = signIn(t, p.url, hired(t, in.dir, "Dana Whitlock", "front-desk"))
	in.secrets, in.made = hired(t, in.dir, "Sam Rivera", "physician"), time.Now()
	in.colleague = signIn(t, p.url, in.secrets)
	made := in.admin.want(t, http.StatusCreated, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	practitioner := "Practitioner/" + resourcesIn(t, made.Body)[0].ID
	in.physician = signIn(t, p.url, hired(t, in.dir, "Anna Lindqvist", "physician", "--practitioner", practitioner))
	for _, r := range resourcesIn(t, in.clerk.want(t, http.StatusOK, "GET", "/fhir/Patient?_count=50", "").Body) {
		in.patients = append(in.patients, r.ID)
		in.clerk.want(t, http.StatusCreated, "POST", "/fhir/Encounter", encounter(r.ID, practitioner))
	}
	if len(in.patients) != len(imported) {
		t.Fatalf("%d patients, want %d", len(in.patients), len(imported))
	}
	p.stop(t)
	return in
}

func encounter(patient, practitioner string) string {
	return `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"Patient/` + patient + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}],"period":{"start":"` +
		time.Now().UTC().Format(time.RFC3339) + `"}}`
}

func observation(patient, value string) string {
	return `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"Heart rate"},
		"subject":{"reference":"Patient/` + patient + `"},"effectiveDateTime":"` + time.Now().UTC().Format(time.RFC3339) + `",
		"valueQuantity":{"value":` + value + `,"unit":"/min"}}`
}

// duplicate copies a stopped installation; zeros set aside on the disk become holes.
func duplicate(t testing.TB, to, from string) {
	t.Helper()
	if from := urlOf(from); from != "" {
		lies(to, dbtest.Place{URL: from}.Copy(t))
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(to, rel), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		for at := 0; at < len(b) && err == nil; at += block {
			if one := b[at:min(len(b), at+block)]; !bytes.Equal(one, zeros[:len(one)]) {
				_, err = f.WriteAt(one, int64(at))
			}
		}
		return errors.Join(err, f.Truncate(int64(len(b))), f.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
}

const block = 64 << 10

var zeros [block]byte

// resource is what tests read of one in an answer.
type resource struct {
	ResourceType string
	ID           string
	Meta         struct{ VersionID string }
}

func (r resource) ref() string { return r.ResourceType + "/" + r.ID }

// resourcesIn lists the resources of an answer: the one, or those of a bundle and of bundles in it. Outcomes are none.
func resourcesIn(t testing.TB, body string) (out []resource) {
	t.Helper()
	var b struct {
		resource
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatalf("an answer is no JSON: %v\n%.200s", err, body)
	}
	switch b.ResourceType {
	case "OperationOutcome", "CapabilityStatement":
		return nil
	case "Bundle":
		for _, e := range b.Entry {
			if len(e.Resource) > 0 {
				out = append(out, resourcesIn(t, string(e.Resource))...)
			}
		}
		return out
	}
	return []resource{b.resource}
}

// eventually waits for what happens in the background.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
