package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/identity"
)

// secret is something that may stand nowhere but in an answer.
type secret struct{ kind, text string }

// secretsIn reads what identifies people from a file of Synthea.
func secretsIn(t testing.TB, path string) (out []secret) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct {
		Entry []struct {
			FullURL  string
			Resource struct {
				ResourceType string
				Name         json.RawMessage // of an Organization a string
				Address      json.RawMessage
				Telecom      []struct{ Value string }
				Identifier   json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(b, &bundle); err != nil {
		t.Fatal(err)
	}
	for _, e := range bundle.Entry {
		r := e.Resource
		if r.ResourceType != "Patient" && r.ResourceType != "Practitioner" {
			continue
		}
		if len(e.FullURL) >= 8 {
			out = append(out, secret{"name from elsewhere", strings.TrimPrefix(e.FullURL, "urn:uuid:")})
		}
		var names []struct{ Family string }
		var addresses []struct{ Line []string }
		var identifiers []struct{ Value string }
		for raw, into := range map[*json.RawMessage]any{&r.Name: &names, &r.Address: &addresses, &r.Identifier: &identifiers} {
			if len(*raw) > 0 {
				if err := json.Unmarshal(*raw, into); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, n := range names {
			if len(strings.Trim(n.Family, "0123456789")) >= 5 {
				out = append(out, secret{"family name", n.Family}, secret{"family name", strings.Trim(n.Family, "0123456789")})
			}
		}
		for _, a := range addresses {
			for _, line := range a.Line {
				out = append(out, secret{"address", line})
			}
		}
		for _, c := range r.Telecom {
			out = append(out, secret{"telecom", c.Value})
		}
		for _, i := range identifiers {
			if len(i.Value) >= 8 {
				out = append(out, secret{"identifier", i.Value})
			}
		}
	}
	return out
}

// Nothing that identifies a patient, and no credential, stands outside sealed envelopes: not in the databases, their write-ahead logs,
// the emergency journal, the head file or anything else in the data directory, and not in what the program prints, whatever it is
// asked and whatever goes wrong.
func TestNothingLeaks(t *testing.T) {
	in := install(t)
	var secrets []secret
	for _, path := range in.files {
		secrets = append(secrets, secretsIn(t, path)...)
	}
	kinds := map[string]int{}
	for _, s := range secrets {
		kinds[s.kind]++
	}
	if kinds["family name"] < 4 || kinds["address"] < 4 || kinds["telecom"] < 4 || kinds["identifier"] < 8 {
		t.Fatalf("too few secrets to look for: %v", kinds)
	}
	for _, name := range []string{"Lindqvist", "Whitlock", "Rivera", "Adeyemi"} {
		secrets = append(secrets, secret{"name of staff", name})
	}
	for _, c := range []caller{in.physician, in.clerk, in.colleague, in.admin} {
		secrets = append(secrets, secret{"session token", c.token})
	}
	var printed strings.Builder

	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"resourceType":"Patient","name":[{"family":"`+secrets[0].text+`"}],"birthDate":"`+secrets[0].text+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	out, complaint, _ := run(t, "import", "--data", in.dir, "--report", report, bad)
	printed.WriteString(out + complaint)
	if b, err := os.ReadFile(report); err != nil || !bytes.Contains(b, []byte("Patient.birthDate")) {
		t.Fatalf("the report does not name the place: %v", err)
	} else {
		printed.Write(b)
	}

	p := serve(t, in.dir)
	made := hired(t, in.dir, "Tove Ringstad", "nurse")
	secrets = append(secrets, secret{"name of staff", "Ringstad"}, secret{"password", made.Password}, secret{"TOTP secret", made.Secret})
	nurse := signIn(t, p.url, made)
	secrets = append(secrets, secret{"session token", nurse.token})
	visit(t, in, p, false)
	mention(t, in, p, made, secrets)
	p.kill() // as a crash leaves it, with write-ahead logs
	printed.WriteString(p.printed.String())
	look(t, in.dir, printed.String(), secrets)

	if urlOf(in.dir) != "" {
		return // what follows is about files
	}
	// Once more without the log, so that the emergency journal takes what is read.
	if err := os.WriteFile(filepath.Join(in.dir, "audit.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	p = serve(t, in.dir)
	if answers := visit(t, in, p, false); len(answers) < visits || !strings.Contains(answers[0].answer.Header.Get("X-Audit-Entry"), "/journal-") {
		t.Fatal("the emergency journal took nothing")
	}
	mention(t, in, p, made, secrets)
	p.kill()
	look(t, in.dir, p.printed.String(), secrets)
}

// mention sends secrets to the server in every way that may end in a message: searches, wrong values, malformed bodies, sign-ins.
func mention(t testing.TB, in installation, p *process, made identity.Credentials, secrets []secret) {
	t.Helper()
	doctor, clerk := in.physician.at(p.url), in.clerk.at(p.url)
	for i, s := range secrets {
		if i%5 > 0 && s.kind != "password" {
			continue
		}
		b, err := json.Marshal(s.text)
		if err != nil {
			t.Fatal(err)
		}
		text, quoted := url.QueryEscape(s.text), string(b)
		for _, ask := range []struct{ method, path, body string }{
			{"GET", "/fhir/Patient?name=" + text, ""},
			{"GET", "/fhir/Patient?nonsense=" + text, ""},
			{"GET", "/fhir/Patient?birthdate=" + text, ""},
			{"GET", "/fhir/Patient?" + text + "=1", ""},
			{"GET", "/fhir/Patient/" + url.PathEscape(s.text), ""},
			{"GET", "/fhir/" + url.PathEscape(s.text), ""},
			{"GET", "/chart/" + url.PathEscape(s.text), ""},
			{"POST", "/fhir/Observation", `{"resourceType":"Observation","status":` + quoted + `}`},
			{"POST", "/fhir/Observation", `{"resourceType":"Observation",` + quoted + `:1,` + quoted + `:2}`},
			{"POST", "/fhir/Observation", quoted},
			{"POST", "/fhir/Observation", `{"resourceType":"Observation","status":"final","code":{"text":` + quoted + `},"subject":{"reference":` + quoted + `}}`},
			{"POST", "/fhir/Patient", `{"resourceType":"Patient","birthDate":` + quoted + `}`},
		} {
			for _, who := range []caller{doctor, clerk} {
				if _, err := who.do(ask.method, ask.path, ask.body); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, form := range []url.Values{
		{"person": {made.Person}, "password": {secrets[0].text}, "totp": {"000000"}},
		{"person": {secrets[0].text}, "password": {made.Password}, "totp": {"000000"}},
	} {
		if _, err := doctor.do("POST", "/session/test", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); err != nil {
			t.Fatal(err)
		}
	}
	stranger := caller{token: secrets[0].text}.at(p.url)
	stranger.want(t, http.StatusUnauthorized, "GET", "/fhir/Patient", "")
}

// look searches every file below dir, and what was printed, for secrets as they are, in small letters, and in UTF-16.
func look(t testing.TB, dir, printed string, secrets []secret) {
	t.Helper()
	type shape struct {
		secret
		bytes []byte
	}
	var shapes []shape
	for _, s := range secrets {
		lower := strings.ToLower(s.text)
		shapes = append(shapes, shape{s, []byte(lower)}, shape{s, []byte(strings.Join(strings.Split(lower, ""), "\x00"))}, shape{s, []byte(strings.ToLower(url.QueryEscape(s.text)))})
	}
	search := func(where string, b []byte) {
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c | 0x20
			}
		}
		for _, s := range shapes {
			if at := bytes.Index(b, s.bytes); at >= 0 {
				t.Errorf("%s holds a %s in clear at %d: %.60q", where, s.kind, at, b[max(0, at-20):])
			}
		}
	}
	search("the output", []byte(printed))
	files := 0
	for _, root := range append([]string{dir}, filesOf(t, dir)...) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			search(filepath.Base(path), bytes.TrimRight(b, "\x00"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 6 {
		t.Fatalf("%d files searched", files)
	}
}
