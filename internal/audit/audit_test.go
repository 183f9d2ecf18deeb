package audit

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir"
	"chartwarden/internal/seal"
	"chartwarden/internal/witness"
)

// site is an installation in a directory of its own, with keys, that can be stopped, damaged and started again.
type site struct {
	t    testing.TB
	dir  string
	in   dbtest.Place
	key  seal.Custodian
	ring *seal.Keyring
	keys *db.DB
	d    *db.DB
	log  *Log
	now  *clock
	tick chan time.Time

	visits    chan time.Time // rounds to the witnesses
	witnesses []witness.Remote
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Microsecond)
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const origin = "hospital.example/log"

func newSite(t testing.TB) *site {
	t.Helper()
	return newSiteIn(t, dbtest.New(t))
}

func newSiteIn(t testing.TB, in dbtest.Place) *site {
	t.Helper()
	s := &site{t: t, in: in, now: &clock{at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, tick: make(chan time.Time), visits: make(chan time.Time)}
	if s.dir = s.in.Dir; s.dir == "" {
		s.dir = t.TempDir()
	}
	var err error
	if s.key, err = seal.CreateKeyFile(filepath.Join(s.dir, "key")); err != nil {
		t.Fatal(err)
	}
	if s.keys, err = db.Open(context.Background(), s.path("keys.db"), db.Options{}); err != nil {
		t.Fatal(err)
	}
	if s.ring, err = seal.Create(context.Background(), s.keys, s.key, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(); _ = s.keys.Close() })
	return s
}

func (s *site) database(name string) *db.DB {
	s.t.Helper()
	source, o := s.path(name), db.Options{Turn: "main"}
	if s.in.URL != "" && name != "keys.db" {
		name = strings.TrimSuffix(name, ".db")
		source, o = s.in.Source(name), s.in.Options(name, o)
	}
	d, err := db.Open(context.Background(), source, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) options() Options {
	return Options{DB: s.d, Box: s.ring.Box("audit"), Origin: origin, HeadFile: s.path("heads"), JournalFile: s.path("journal"), JournalSize: 1 << 20, Version: "test",
		Witnesses: s.witnesses, Now: s.now.now, Tick: func(d time.Duration) (<-chan time.Time, func()) {
			return map[bool]chan time.Time{true: s.visits, false: s.tick}[d == witnessPace], func() {}
		}}
}

// start opens the log as a server would.
func (s *site) start() *Log {
	s.t.Helper()
	s.d = s.database("audit.db")
	l, err := Open(context.Background(), s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	s.log = l
	return l
}

func (s *site) stop() {
	s.t.Helper()
	if s.log != nil {
		if err := s.log.Close(); err != nil {
			s.t.Error(err)
		}
	}
	if s.d != nil {
		if err := s.d.Close(); err != nil {
			s.t.Error(err)
		}
	}
	s.log, s.d = nil, nil
}

// pulse is one second of the keeper: when it returns the keeper has finished the round.
func (s *site) pulse() {
	s.tick <- time.Time{}
	s.tick <- time.Time{}
}

// edit changes tables behind the log's back, as somebody with the database file could.
func (s *site) edit(statements ...string) {
	s.t.Helper()
	d := s.database("audit.db")
	err := d.Write(context.Background(), func(tx *sql.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(said(d, q)); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// copyDir keeps the data directory as it is, for a roll-back.
func (s *site) copyDir(names ...string) map[string][]byte {
	s.t.Helper()
	out := map[string][]byte{}
	for _, name := range names {
		if name == "audit.db" && s.in.URL != "" {
			out[name] = s.copyTables()
			continue
		}
		b, err := os.ReadFile(s.path(name))
		if err != nil {
			s.t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

func (s *site) putBack(files map[string][]byte) {
	s.t.Helper()
	for name, b := range files {
		if name == "audit.db" && s.in.URL != "" {
			s.putTables(b)
			continue
		}
		if err := os.WriteFile(s.path(name), b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

var nurse = Agent{Person: "p-nurse", Name: "N. Adeyemi", Role: "nurse", Capacity: "staff", Practitioner: "Practitioner/17", Session: "s-1", Device: "Device/8", Address: "10.1.2.3", Zone: "hospital", AAL: 2}

// reading is an explained read of n records of each patient.
func reading(n int, patients ...fhir.PatientID) Event {
	e := Event{Agent: nurse, Action: "R", Interaction: "read", Class: Deliberate, Purpose: "TREAT", PolicyHash: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
	for _, p := range patients {
		part := PatientPart{Patient: p, Ref: fmt.Sprintf("Patient/%d", p), Permits: []string{"treat.team"}, Template: "care-team", Sentence: "is on the care team", Groups: []string{"results"}}
		for i := range n {
			part.Records = append(part.Records, Record{Record: fhir.RecordID(int64(p)*1000 + int64(i)), Version: 1 + int64(i%3)})
		}
		e.Patients = append(e.Patients, part)
	}
	return e
}

func disclose(t testing.TB, l *Log, e Event) Receipt {
	t.Helper()
	r, err := l.Disclose(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
