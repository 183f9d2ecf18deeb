package identity

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
)

// A process that is killed between the entry and the row of an act leaves a row as it was before. A verification accepts that of the last acts
// before a start, and of nothing else: the same row, put back where no process ended, is named.
func TestACrashBetweenEntryAndRowIsNoTampering(t *testing.T) {
	for name, one := range map[string]struct {
		act   func(s *site, p someone) error
		named string // where nothing ended
	}{
		"a move": {func(s *site, p someone) error {
			other := "Ward 7"
			_, _, err := s.Change(t.Context(), audit.Agent{Job: "test"}, p.Person, Change{Department: &other})
			return err
		}, "holds other department"},
		"sessions": {func(s *site, p someone) error {
			_, err := s.Kill(t.Context(), audit.Agent{Job: "test"}, p.Person, "lost phone")
			return err
		}, "was set back"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, true)
			p := s.hire("Maren Okafor", Nurse)
			var state string
			var epoch, revision, relieved int64
			var sealed, mac []byte
			read := func() {
				s.must(s.db.Reader().QueryRow(`select state, epoch, revision, relieved_at, sealed, mac from identity_person where id=?`, p.Person).Scan(&state, &epoch, &revision, &relieved, &sealed, &mac))
			}
			restore := func() {
				s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.Exec(`update identity_person set state=?, epoch=?, revision=?, relieved_at=?, sealed=?, mac=? where id=?`, state, epoch, revision, relieved, sealed, mac, p.Person)
					return err
				}))
			}
			begins := func(after time.Duration) {
				s.trail.mu.Lock()
				defer s.trail.mu.Unlock()
				last := s.trail.events[len(s.trail.events)-1].Time
				if after > 0 {
					last = last.Add(after)
					s.trail.events = append(s.trail.events, audit.Event{Kind: audit.Heartbeat, Time: last})
				}
				s.trail.events = append(s.trail.events, audit.Event{Kind: audit.Started, Time: last.Add(time.Minute)})
			}
			verify := func() (named []string) {
				t.Helper()
				s.trail.mu.Lock()
				defer s.trail.mu.Unlock()
				c, err := NewCheck(t.Context(), s.db, s.ring.Box("identity"), false, func(table string, _ int64, what string) { named = append(named, table+" "+what) })
				s.must(err)
				for i, e := range s.trail.events {
					c.Entry(&audit.Read{Index: audit.Index(i + 1), Recorded: e.Time, Event: e})
				}
				rows, err := c.Read(t.Context())
				s.must(err)
				c.Compare(rows)
				return named
			}
			wants := func(yes bool, when string) {
				t.Helper()
				if got := slices.ContainsFunc(verify(), func(n string) bool { return strings.Contains(n, one.named) }); got != yes {
					t.Errorf("%s: named %v, want %v: %q", when, got, yes, verify())
				}
			}
			read()
			s.must(one.act(s, p))
			restore()
			wants(true, "put back")
			begins(0)
			wants(false, "after a crash")
			s.must(one.act(s, p))
			restore()
			s.must(one.act(s, p)) // it is tried again while the disk fails
			restore()
			begins(0)
			wants(false, "after a crash that cut two tries")
			s.must(one.act(s, p))
			wants(false, "done again")
			restore()
			s.trail.mu.Lock()
			n := len(s.trail.events)
			s.trail.mu.Unlock()
			begins(crashing + time.Second)
			if name == "a move" {
				wants(true, "put back long before the crash")
			}
			s.trail.mu.Lock()
			s.trail.events = s.trail.events[:n]
			s.trail.mu.Unlock()
			s.must(one.act(s, p))
			restore()
			begins(crashing + time.Second)
			wants(true, "put back after several")
		})
	}
}
