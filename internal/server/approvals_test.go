package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"

	"github.com/pquerna/otp/totp"
)

// house is a stopped installation that is no sandbox, with two people who may want things together.
type house struct {
	t            *testing.T
	dir          string
	ann, officer identity.Credentials // of an administrator, who writes, and of the privacy officer, both of two days ago
}

func newHouse(t *testing.T) *house {
	t.Helper()
	place := dbtest.New(t)
	h := &house{t: t, dir: filepath.Join(place.Dir, "data")}
	lies(h.dir, place.URL)
	servertest.Lies(h.dir, place.URL)
	if err := server.Init(t.Context(), server.Config{Data: h.dir, Database: place.URL}, false); err != nil {
		t.Fatal(err)
	}
	s := servertest.OpenAt(t, h.dir, time.Now().Add(-48*time.Hour)) // a new authenticator is no second pair of eyes
	h.ann, h.officer = h.enrolled(s, "Ann One", identity.Administrator), h.enrolled(s, "Olu Privacy", identity.Privacy)
	s.Stop()
	bundle := filepath.Join(t.TempDir(), "records.json")
	if err := os.WriteFile(bundle, []byte(`{"resourceType":"Bundle","type":"collection","entry":[
		{"resource":{"resourceType":"Patient","id":"p1"},"request":{"method":"PUT","url":"Patient/p1"}},
		{"resource":{"resourceType":"Patient","id":"p2"},"request":{"method":"PUT","url":"Patient/p2"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "import", "--data", h.dir, bundle)
	return h
}

// inside opens the installation in this process for a while.
func (h *house) inside(f func(s *servertest.Server)) {
	h.t.Helper()
	s := servertest.Open(h.t, h.dir)
	defer s.Stop()
	f(s)
}

// enrolled is a new person who can sign in.
func (h *house) enrolled(s *servertest.Server, name, role string) identity.Credentials {
	h.t.Helper()
	by := audit.Agent{Job: "test"}
	who, waits, err := s.Persons.Create(h.t.Context(), by, identity.NewPerson{Name: name, Roles: strings.Fields(role), TrainingDue: s.Now().AddDate(1, 0, 0)})
	if err == nil && waits != nil { // some roles take a second person
		_, err = s.Persons.Approve(h.t.Context(), audit.Agent{Person: h.officer.Person, Capacity: identity.StaffCapacity}, waits.ID)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return h.enters(s, who.ID)
}

// enters has a new person follow her link.
func (h *house) enters(s *servertest.Server, person string) identity.Credentials {
	h.t.Helper()
	link, err := s.Persons.Invite(h.t.Context(), audit.Agent{Job: "test"}, person)
	if err != nil {
		h.t.Fatal(err)
	}
	enrolment, err := s.Persons.Enrolment(h.t.Context(), link.Token)
	if err != nil {
		h.t.Fatal(err)
	}
	made := identity.Credentials{Person: person, Password: "seven quiet herons", Secret: enrolment.Secret}
	code, err := totp.GenerateCode(made.Secret, s.Now())
	if err == nil {
		_, err = s.Persons.Enrol(h.t.Context(), link.Token, made.Password, code, identity.Arrival{})
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// as is a person who has just signed in; a code counts once.
func (h *house) as(s *servertest.Server, who identity.Credentials) access.Principal {
	h.t.Helper()
	if sessions, err := s.Persons.Sessions(h.t.Context(), who.Person); err == nil && len(sessions) > 0 && sessions[0].Created.After(s.Now().Add(-time.Hour)) {
		return access.Person(sessions[0])
	}
	code, err := totp.GenerateCode(who.Secret, s.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	opened, err := s.Persons.SignIn(h.t.Context(), identity.Attempt{Person: who.Person, Password: who.Password, Code: code, From: identity.Arrival{Zone: policy.Hospital, Trust: policy.Managed}})
	if err != nil {
		h.t.Fatal(err)
	}
	return access.Person(opened.Session)
}

// approve is the word of the privacy officer.
func (h *house) approve(item string) {
	h.t.Helper()
	h.inside(func(s *servertest.Server) {
		if _, err := s.Gate.Approve(h.t.Context(), h.as(s, h.officer), item); err != nil {
			h.t.Fatal(err)
		}
	})
}

var itemWaits = regexp.MustCompile(`(?i)item (\w+) waits for `)

// asked is the item that a command made, instead of doing what two people have to want.
func (h *house) asked(args ...string) string {
	h.t.Helper()
	out, complaint, _ := run(h.t, append(args, "--data", h.dir)...)
	found := itemWaits.FindStringSubmatch(out + complaint)
	if found == nil {
		h.t.Fatalf("nothing waits: %s%s", out, complaint)
	}
	return found[1]
}

// refused is a command that must say so in words and change nothing.
func (h *house) refused(words string, args ...string) {
	h.t.Helper()
	_, complaint, code := run(h.t, append(args, "--data", h.dir)...)
	if code != 2 || !strings.Contains(complaint, words) {
		h.t.Errorf("%s: exit %d, %q, want %q", strings.Join(args, " "), code, complaint, words)
	}
}

// Outside a sandbox events leave in clear once for each time that a second person agreed, and only those that were agreed to.
func TestAnApprovedExportLeavesOnce(t *testing.T) {
	h := newHouse(t)
	out := filepath.Join(t.TempDir(), "clear")
	export := func(more ...string) []string {
		return append([]string{"audit", "export", "--out", out, "--payloads"}, more...)
	}
	item := h.asked(export("--patient", "p1", "--reason", "for the court")...)
	h.refused("nobody agreed yet", export("--patient", "p1", "--approval", item)...)
	h.approve(item)
	h.refused("agreed to other events", export("--patient", "p2", "--approval", item)...)
	h.refused("agreed to other events", export("--approval", item)...)
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused export wrote something")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	whole := out
	out = filepath.Join(file, "clear") // no folder can be there
	if _, complaint, code := run(t, append(export("--patient", "p1", "--approval", item), "--data", h.dir)...); code == 0 || !strings.Contains(complaint, "cannot be written") {
		t.Errorf("an export to nowhere: exit %d, %q", code, complaint)
	}
	out = whole // what failed used nothing up
	must(t, append(export("--patient", "p1", "--approval", item), "--data", h.dir)...)
	events, err := os.ReadFile(filepath.Join(out, "events.ndjson"))
	if err != nil || !strings.Contains(string(events), `"Patient/p1"`) || strings.Contains(string(events), `"Patient/p2"`) {
		t.Errorf("%v\n%s", err, events)
	}
	must(t, "audit", "verify", "--bundle", out)
	out = filepath.Join(t.TempDir(), "again")
	h.refused("was used", export("--patient", "p1", "--approval", item)...)
	h.refused("no such item about an export", export("--approval", "nothing")...)
	other := h.asked("shred", "--patient", "p1", "--reason", "for the court")
	h.refused("no such item about an export", export("--approval", other)...)
	must(t, "audit", "verify", "--data", h.dir)
	h.inside(func(s *servertest.Server) { // the entry of the export names the item and who agreed
		reads, err := s.Log.OfAgent(t.Context(), audit.Agent{Job: access.Operator}, audit.Page{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, r := range reads {
			if r.Event.Interaction == "export" && r.Event.Outcome == 0 {
				if left++; !strings.Contains(r.Event.Text, item) || !strings.Contains(r.Event.Text, h.officer.Person) {
					t.Errorf("%q", r.Event.Text)
				}
			}
		}
		if left != 2 { // the one that failed is an entry, too
			t.Errorf("%d exports are in the log", left)
		}
	})
}

// What two people wanted is carried out by the command line where no server runs: not before, and once.
func TestAnApprovedItemOnAStoppedInstallation(t *testing.T) {
	h := newHouse(t)
	var made string
	since := ""
	h.inside(func(s *servertest.Server) {
		since = s.Now().UTC().Format("2006-01-02T15:04:05.000000000Z")
		doc, err := document.Parse([]byte(`{"resourceType":"Location","name":"Nowhere"}`))
		if err != nil {
			t.Fatal(err)
		}
		done, err := s.Gate.Create(t.Context(), h.as(s, h.ann), doc)
		if err != nil {
			t.Fatal(err)
		}
		made = done.ID
	})
	undo := h.asked("undo", "--person", h.ann.Person, "--since", since, "--reason", "it was spoilt")
	shred := h.asked("shred", "--patient", "p1", "--reason", "the court said so")
	h.refused("only an approved one", "undo", "--item", undo)
	h.refused("only an approved one", "shred", "--item", shred)
	h.refused("no such", "undo", "--item", "nothing")
	there := func(want bool) {
		t.Helper()
		h.inside(func(s *servertest.Server) {
			if _, err := s.Gate.Read(t.Context(), access.Job("undo"), "Location", made); (err == nil) != want || err != nil && !outcome.Is(err, outcome.Deleted) {
				t.Errorf("%v, want it there: %v", err, want)
			}
		})
	}
	there(true)
	h.approve(undo)
	h.approve(shred)
	there(true)   // a process that does not serve does not begin with it
	for range 2 { // the second time finds it done
		for command, item := range map[string]string{"undo": undo, "shred": shred} {
			if out := must(t, command, "--item", item, "--data", h.dir); out != fmt.Sprintf("Item %s is done.\n", item) {
				t.Errorf("%s: %q", command, out)
			}
		}
	}
	there(false)
	h.inside(func(s *servertest.Server) {
		if n, err := s.Gate.History(t.Context(), access.Job("undo"), "Location", made, nil, ""); err != nil || len(n.Versions) != 2 {
			t.Errorf("%+v %v", n.Versions, err)
		}
	})
	h.refused("erased already", "shred", "--patient", "p1", "--reason", "again")
	must(t, "audit", "verify", "--data", h.dir)
}
