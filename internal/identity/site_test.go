package identity

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// site is an installation of a test: real files, real keys, a clock that stands still.
type site struct {
	*Store
	t     testing.TB
	place dbtest.Place
	keys  *db.DB
	ring  *seal.Keyring
	clock *clockwork
	trail *trail
}

type clockwork struct {
	mu sync.Mutex
	at time.Time
}

func (c *clockwork) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clockwork) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// trail is the real log; it remembers what it was given and can be told to fail, as with a full disk.
type trail struct {
	log    *audit.Log
	mu     sync.Mutex
	fail   error
	events []audit.Event
}

func (tr *trail) Note(ctx context.Context, e audit.Event) (audit.Logged, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.fail != nil {
		return audit.Logged{}, tr.fail
	}
	logged, err := tr.log.Note(ctx, e)
	if err == nil {
		tr.events = append(tr.events, e)
	}
	return logged, err
}

func (tr *trail) failWith(err error) { tr.mu.Lock(); defer tr.mu.Unlock(); tr.fail = err }

// said are the interactions noted since the last call.
func (tr *trail) said() (out []string) {
	for _, e := range tr.take() {
		s := e.Interaction
		if e.Outcome != 0 {
			s += " failed"
		}
		out = append(out, s)
	}
	return out
}

func (tr *trail) take() []audit.Event {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	out := tr.events
	tr.events = nil
	return out
}

func newSite(t testing.TB, sandbox bool) *site {
	t.Helper()
	s := &site{t: t, place: dbtest.New(t), clock: &clockwork{at: start}, trail: &trail{}}
	custodian, err := seal.CreateKeyFile(filepath.Join(s.place.Dir, "key"))
	s.must(err)
	s.keys = s.place.Open(t, "keys")
	s.ring, err = seal.Create(t.Context(), s.keys, custodian, sandbox)
	s.must(err)
	logDB := dbtest.Place{Dir: s.place.Dir}.Open(t, "audit")
	s.trail.log, err = audit.Open(t.Context(), audit.Options{DB: logDB, Box: s.ring.Box("audit"), Origin: "test.example/log", Sandbox: sandbox, Now: s.clock.now})
	s.must(err)
	t.Cleanup(func() { _ = s.trail.log.Close() })
	s.Store = s.process()
	return s
}

// process opens another store on the same files, as the command line does beside a running server.
func (s *site) process() *Store {
	s.t.Helper()
	records := s.place.Open(s.t, "records")
	st, err := Open(s.t.Context(), Options{DB: records, Box: s.ring.Box("identity"), Trail: s.trail, Sandbox: s.ring.Sandbox(), Now: s.clock.now, Site: testSite})
	s.must(err)
	st.hasher = newHasher(cost{memory: 64, passes: 1, lanes: 1}) // the usual cost has its own tests
	s.t.Cleanup(func() { _ = st.Close() })
	return st
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// refused wants an error with a code.
func (s *site) refused(err error, code outcome.Code, what string) {
	s.t.Helper()
	if !outcome.Is(err, code) {
		s.t.Fatalf("%s: got %v (%s), want %s", what, err, outcome.CodeOf(err), code)
	}
}

func (s *site) wantSaid(want ...string) {
	s.t.Helper()
	if got := s.trail.said(); !slices.Equal(got, want) {
		s.t.Fatalf("noted %q, want %q", got, want)
	}
}

// someone is a person of a test with her factors.
type someone struct {
	Credentials
	s *site
}

var shell = audit.Agent{Job: "command line"}

// hire makes an active, enrolled person in any installation.
func (s *site) hire(name string, roles ...string) someone {
	s.t.Helper()
	n := NewPerson{Name: name, Roles: roles}
	if slices.Contains(roles, Patient) {
		n.Patient = "Patient/" + newID()
	}
	if anyClinical(roles) {
		n.Practitioner = "Practitioner/" + newID()
	}
	sandbox := s.o.Sandbox
	s.o.Sandbox = true
	defer func() { s.o.Sandbox = sandbox }()
	c, err := s.CreateForTest(s.t.Context(), shell, n)
	s.must(err)
	return someone{c, s}
}

var atStation = Arrival{Device: "station-4", Trust: "managed", Zone: "hospital", Address: netip.MustParseAddr("10.1.2.3")}

// code waits for a fresh step and gives its code.
func (p someone) code() string {
	p.s.clock.pass(codePeriod)
	secret, err := secretText.DecodeString(p.Secret)
	p.s.must(err)
	return codeAt(secret, p.s.clock.now().Unix()/30)
}

func (p someone) attempt() Attempt {
	return Attempt{Person: p.Person, Password: p.Password, Code: p.code(), From: atStation}
}

func (p someone) signIn() Opened {
	p.s.t.Helper()
	o, err := p.s.SignIn(p.s.t.Context(), p.attempt())
	p.s.must(err)
	return o
}

// agent is the person as an administrator who is signed in.
func (p someone) agent() audit.Agent {
	return audit.Agent{Person: p.Person, Capacity: StaffCapacity}
}
