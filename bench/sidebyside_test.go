package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var (
	harness   = flag.String("fhirbench", "", "folder of the harness that drives any FHIR server; without, the side-by-side run is skipped")
	measured  = flag.String("measured", "", "file to which the side-by-side run appends what it measured, as JSON lines")
	phases    = flag.String("phases", sidePhases, "phases of the harness after its import")
	phaseTime = flag.String("phase-time", "10s", "measured time of each of them")
)

// BenchmarkSideBySide lets the harness drive a server as a hospital runs it: its import writes through the door as a backend service,
// everything after asks as a physician who has a visit in progress with each of the 50 patients.
func BenchmarkSideBySide(b *testing.B) {
	if *harness == "" {
		b.Skip("no harness: name its folder by -fhirbench (./scripts/bench side-by-side does)")
	}
	tool := filepath.Join(scratch, "fhirbench")
	build := exec.Command("go", "build", "-o", tool, ".")
	build.Dir = *harness
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("the harness does not build: %v: %s", err, out)
	}
	bundles := unpacked(b, servertest.Data(b, "fhir", "synthea"), 50)
	if *measured == "" {
		*measured = filepath.Join(scratch, "measured.jsonl")
	}
	at := func(b *testing.B, engine, name, database string) *side {
		return &side{B: b, engine: engine, dir: filepath.Join(scratch, engine+"-"+name), database: database, tool: tool, state: filepath.Join(scratch, engine+".state")}
	}
	b.Run("sqlite", func(b *testing.B) {
		at(b, "sqlite", "command", "").importSide(bundles)
		at(b, "sqlite", "served", "").run(bundles, 0)
	})
	b.Run("postgres", func(b *testing.B) {
		server := dbtest.Start(b)
		text, err := os.ReadFile(filepath.Join(server.Dir, "data", "postmaster.pid"))
		if err != nil {
			b.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		postmaster, _ := strconv.Atoi(first) // a number; else nothing is measured of it
		at(b, "postgres", "command", server.Database(b).URL).importSide(bundles)
		at(b, "postgres", "served", server.Database(b).URL).run(bundles, postmaster)
	})
}

// side is one installation under measurement.
type side struct {
	*testing.B
	engine, dir, database, tool, url, pids, state string
}

// command runs chartwarden on the installation.
func (s *side) command(args ...string) ([]byte, time.Duration) {
	s.Helper()
	out, state := command(s.B, append(args, s.at()...)...)
	return out, processorTime(state)
}

func (s *side) at() []string {
	if s.database == "" {
		return []string{"--data", s.dir}
	}
	return []string{"--data", s.dir, "--database", s.database}
}

// drive runs phases of the harness, which writes what it measured.
func (s *side) drive(args ...string) {
	s.Helper()
	c := exec.Command(s.tool, append([]string{"-base", s.url + "/fhir", "-state", s.state, "-pids", s.pids, "-label", s.engine, "-out", *measured}, args...)...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		s.Fatal("the harness ended with ", err)
	}
}

func (s *side) run(bundles string, postmaster int) {
	start := time.Now()
	s.command("init", "--sandbox")
	started := time.Since(start)
	keeper := s.person("Ruth Adeyemi", "administrator")
	physician := s.person("Anna Lindqvist", "physician", "--practitioner", "Practitioner/anna")
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	s.feed(key, keeper.Person)

	var served *process
	if *inside {
		s.url = servertest.OpenPlaceAt(s.B, dbtest.Place{Dir: s.dir, URL: s.database}, time.Now()).URL
	} else {
		served = serve(s.B, s.dir, s.at()[2:]...)
		s.url, s.pids = served.url, "server:"+strconv.Itoa(served.Process.Pid)
		s.note(taken{Phase: "start", Value: milliseconds(started + served.ready)})
	}
	if postmaster != 0 {
		s.pids += ",database:" + strconv.Itoa(postmaster)
	}
	bearer := token(s.B, s.url, key)
	s.drive("-phases", "import", "-token", bearer, "-data", bundles, "-n", "50", "-ic", "4")
	openVisits(s.B, s.url, bearer, s.state)
	jar := (&servertest.Server{URL: s.url}).SignIn(s.B, physician, "").Jar
	s.drive("-phases", *phases, "-header", "Cookie: "+cookieOf(s.B, jar, s.url), "-c", "8", "-d", *phaseTime, "-w", "2s")
	if served == nil {
		return
	}
	served.stop()
	served = serve(s.B, s.dir, s.at()[2:]...)
	time.Sleep(2 * time.Second)
	s.note(taken{Phase: "restart", Value: milliseconds(served.ready)})
	s.note(taken{Phase: "idle-MiB", Value: float64(served.status("VmRSS")) / 1024})
	served.stop()
}

// importSide takes the bundles into an empty installation by the command line.
func (s *side) importSide(bundles string) {
	s.command("init", "--sandbox")
	report := filepath.Join(scratch, "report.json")
	start := time.Now()
	_, cpu := s.command("import", "--report", report, bundles)
	wall := time.Since(start)
	n := float64(importedBy(s.B, report))
	s.note(taken{Phase: "command-import", Value: n / wall.Seconds(), CPU: milliseconds(cpu) / n})
}

func (s *side) note(t taken) {
	s.Helper()
	t.Label = s.engine
	line, err := json.Marshal(t)
	if err != nil {
		s.Fatal(err)
	}
	f, err := os.OpenFile(*measured, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		s.Fatal(err)
	}
}

func (s *side) person(name, role string, more ...string) (made identity.Credentials) {
	s.Helper()
	out, _ := s.command(append([]string{"person", "add", "--test-credentials", "--name", name, "--role", role}, more...)...)
	if err := json.Unmarshal(out, &made); err != nil {
		s.Fatal(err)
	}
	return made
}

// feed registers the backend service whose token the import takes.
func (s *side) feed(key *ecdsa.PrivateKey, owner string) {
	s.Helper()
	path := filepath.Join(scratch, s.engine+".jwks")
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES384"}}})
	if err == nil {
		err = os.WriteFile(path, keys, 0o600)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.command("client", "add", "--id", "feed", "--name", "Feed", "--jwks", path, "--scope", "system/*.cruds", "--owner", owner)
}

// unpacked gives a folder with the first bundles of patients in name order, as the harness reads them.
func unpacked(b *testing.B, data string, n int) string {
	b.Helper()
	names, err := filepath.Glob(filepath.Join(data, "*.json.gz"))
	if err != nil {
		b.Fatal(err)
	}
	into := filepath.Join(scratch, "bundles")
	if err := os.MkdirAll(into, 0o700); err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		if strings.Contains(name, "Information") { // hospitals and practitioners: each patient's bundle brings its own
			continue
		}
		if n--; n < 0 {
			break
		}
		from, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		text, err := gzip.NewReader(from)
		if err != nil {
			b.Fatal(err)
		}
		whole, err := io.ReadAll(text)
		_ = from.Close()
		if err == nil {
			err = os.WriteFile(filepath.Join(into, strings.TrimSuffix(filepath.Base(name), ".gz")), whole, 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return into
}

// token asks for an access token as a backend service does.
func token(b *testing.B, base string, key *ecdsa.PrivateKey) string {
	b.Helper()
	var discovery struct {
		Token string `json:"token_endpoint"`
	}
	anybody := &servertest.Client{Client: &http.Client{}, Base: base}
	if err := json.Unmarshal([]byte(anybody.Get(b, "/fhir/.well-known/smart-configuration").Body), &discovery); err != nil {
		b.Fatal(err)
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES384, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		b.Fatal(err)
	}
	assertion, err := jwt.Signed(by).Claims(jwt.Claims{Issuer: "feed", Subject: "feed", Audience: jwt.Audience{discovery.Token},
		Expiry: jwt.NewNumericDate(time.Now().Add(4 * time.Minute)), ID: rand.Text()}).Serialize()
	if err != nil {
		b.Fatal(err)
	}
	answer := anybody.Form(b, "/oauth/token", "grant_type", "client_credentials", "scope", "system/*.cruds",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", assertion)
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || got.Token == "" {
		b.Fatalf("no token: %d %s", answer.Status, answer.Body)
	}
	return got.Token
}

// openVisits gives the physician a visit in progress with each patient that the harness imported.
func openVisits(b *testing.B, base, feed, state string) {
	b.Helper()
	var imported struct{ Patients []struct{ ID string } }
	text, err := os.ReadFile(state)
	if err == nil {
		err = json.Unmarshal(text, &imported)
	}
	if err != nil || len(imported.Patients) == 0 {
		b.Fatal("the harness imported nothing: ", err)
	}
	var entries bytes.Buffer
	fmt.Fprint(&entries, `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Practitioner/anna"},`+
		`"resource":{"resourceType":"Practitioner","id":"anna","name":[{"family":"Lindqvist","given":["Anna"]}]}}`)
	for _, p := range imported.Patients {
		fmt.Fprintf(&entries, `,{"request":{"method":"POST","url":"Encounter"},"resource":{"resourceType":"Encounter","status":"in-progress",`+
			`"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/%s"},`+
			`"participant":[{"individual":{"reference":"Practitioner/anna"}}],"period":{"start":"%s"}}}`, p.ID, time.Now().UTC().Format(time.RFC3339))
	}
	entries.WriteString("]}")
	program := &servertest.Client{Client: &http.Client{}, Base: base}
	if answer := program.Do(b, http.MethodPost, "/fhir", entries.String(), "Authorization", "Bearer "+feed); answer.Status != http.StatusOK {
		b.Fatalf("no visits: %d %s", answer.Status, answer.Body)
	}
}

func cookieOf(b *testing.B, jar http.CookieJar, base string) string {
	b.Helper()
	at, err := url.Parse(base)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range jar.Cookies(at) {
		return c.Name + "=" + c.Value
	}
	b.Fatal("no session")
	return ""
}
