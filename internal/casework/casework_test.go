package casework

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

type desk struct {
	*Store
	now  time.Time
	disk *db.DB
	box  *seal.Box
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	place := dbtest.New(t)
	custodian, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Create(t.Context(), place.Open(t, "keys"), custodian, true)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{now: morning, disk: place.Open(t, "records"), box: ring.Box("casework")}
	d.Store = d.open(t)
	return d
}

func (d *desk) open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{DB: d.disk, Box: d.box, Now: func() time.Time { return d.now },
		Person: func(_ context.Context, agent string) string { return "p-" + agent }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func found(logE float64, at time.Duration, ids ...string) (detect.Case, []Event) {
	c := detect.Case{ID: "c-1", Revision: 1, Agent: "Practitioner/17", Hypothesis: "snoop", Opened: morning.Unix(), Updated: morning.Add(at).Unix(),
		LogE: logE, Posterior: .2, Severity: .5, Queue: "review", Summary: "Practitioner/17 opened the chart of a patient.", Events: ids, Patients: []string{"Patient/9"}}
	var evs []Event
	for _, id := range ids {
		evs = append(evs, Event{Entry: 5, ID: id, Time: morning.Add(at), Kind: "read", Patient: "Patient/9"})
	}
	return c, evs
}

func (d *desk) absorb(t *testing.T, logE float64, at time.Duration, ids ...string) Change {
	t.Helper()
	c, evs := found(logE, at, ids...)
	out, err := d.Absorb(t.Context(), c, evs, "0:7")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (d *desk) close(t *testing.T, id string) {
	t.Helper()
	if _, err := d.update(t.Context(), id, 0, func(c *Case) error { c.State, c.Closed = Closed, d.now; return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestOneOpenCaseOfAPersonAndHypothesisTakesInWhatFollows(t *testing.T) {
	d := newDesk(t)
	first := d.absorb(t, 5, 0, "a", "b")
	if !first.Opened || first.Case.State != New || first.Case.Person != "p-Practitioner/17" || len(first.Case.Events) != 2 {
		t.Fatalf("opened: %+v", first)
	}
	second := d.absorb(t, 6, time.Minute, "a", "b", "c")
	if second.Opened || !second.Grown || second.Case.ID != first.Case.ID || len(second.Case.Events) != 3 || second.Case.LogE != 6 {
		t.Fatalf("grown: %+v", second)
	}
	other, evs := found(7, time.Minute, "c")
	other.Hypothesis = "harvest"
	if out, err := d.Absorb(t.Context(), other, evs, ""); err != nil || !out.Opened {
		t.Fatalf("another hypothesis: %+v, %v", out, err)
	}
	if queue, err := d.Queue(t.Context()); err != nil || len(queue) != 2 {
		t.Fatalf("%d cases, %v", len(queue), err)
	}
	if mine, err := d.ByPerson(t.Context(), "Practitioner/17"); err != nil || len(mine) != 2 {
		t.Fatalf("%d cases of the person, %v", len(mine), err)
	}
	if at, err := d.Cursor(t.Context()); err != nil || at != "0:7" {
		t.Fatalf("cursor %q, %v", at, err)
	}
}

func TestTheSameAgainChangesNothing(t *testing.T) {
	d := newDesk(t)
	before := d.absorb(t, 5, 0, "a").Case
	d.absorb(t, 6, time.Minute, "a", "b")
	for _, again := range []Change{d.absorb(t, 5, 0, "a"), d.absorb(t, 6, time.Minute, "a", "b")} {
		if again.Opened || again.Grown {
			t.Fatalf("told twice: %+v", again)
		}
	}
	after, err := d.Case(t.Context(), before.ID)
	if err != nil || after.LogE != 6 || after.Revision != 2 {
		t.Fatalf("%+v, %v", after, err)
	}
}

func TestWhatWasDecidedIsNotAskedAgain(t *testing.T) {
	d := newDesk(t)
	first := d.absorb(t, 5, 0, "a").Case
	d.now = morning.Add(time.Hour)
	d.close(t, first.ID)
	d.Store = d.open(t) // a restart replays
	if again := d.absorb(t, 5, 0, "a"); again.Opened || again.Grown {
		t.Fatalf("reopened: %+v", again)
	}
	if late := d.absorb(t, 5.5, 30*time.Minute, "a", "b"); late.Opened {
		t.Fatalf("what happened before it was closed opens another: %+v", late)
	}
	next := d.absorb(t, 6, 2*time.Hour, "c", "d")
	if !next.Opened || next.Case.ID == first.ID || len(next.Case.Events) != 2 {
		t.Fatalf("what happened since: %+v", next)
	}
	if grown := d.absorb(t, 7, 3*time.Hour, "a", "c", "e"); !grown.Grown || len(grown.Case.Events) != 3 || grown.Case.knows("a") {
		t.Fatalf("closed events in a new case: %+v", grown)
	}
	if closed, err := d.Done(t.Context(), 0, 10); err != nil || len(closed) != 1 || closed[0].ID != first.ID {
		t.Fatalf("%+v, %v", closed, err)
	}
}

func TestActsOfTwoOfficersDoNotMix(t *testing.T) {
	d := newDesk(t)
	c := d.absorb(t, 5, 0, "a").Case
	take := func(c *Case) error { c.State = Taken; return nil }
	if _, err := d.update(t.Context(), c.ID, c.Revision, take); err != nil {
		t.Fatal(err)
	}
	if _, err := d.update(t.Context(), c.ID, c.Revision, take); !outcome.Is(err, outcome.Conflict) {
		t.Fatalf("a stale act: %v", err)
	}
	if _, err := d.update(t.Context(), "99", 0, take); !outcome.Is(err, outcome.NotFound) {
		t.Fatalf("no such case: %v", err)
	}
}

func TestWaitWakesAtAChange(t *testing.T) {
	d := newDesk(t)
	c := d.absorb(t, 5, 0, "a").Case
	woken := make(chan error, 1)
	go func() { woken <- d.Wait(t.Context(), c.Change) }()
	d.absorb(t, 5, 0, "a", "b")
	select {
	case err := <-woken:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was woken")
	}
	if changed, err := d.Since(t.Context(), c.Change); err != nil || len(changed) != 1 {
		t.Fatalf("%d changed, %v", len(changed), err)
	}
}

func TestNothingOfACaseStandsInClear(t *testing.T) {
	d := newDesk(t)
	d.absorb(t, 5, 0, "entry-a")
	disk := dbtest.Disk(t, d.disk)
	for _, secret := range []string{"Practitioner/17", "Patient/9", "snoop", "opened the chart", "entry-a"} {
		if bytes.Contains(disk, []byte(secret)) {
			t.Errorf("%q lies in clear", secret)
		}
	}
}

func TestAnAlteredRowIsNoticed(t *testing.T) {
	d := newDesk(t)
	c := d.absorb(t, 5, 0, "a").Case
	if err := d.disk.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`update casework_case set open = 0`); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Case(t.Context(), c.ID); !outcome.Is(err, outcome.Exception) {
		t.Fatalf("a case closed by SQL: %v", err)
	}
}

func TestOneNodeJudges(t *testing.T) {
	d := newDesk(t)
	first := d.Store
	if err := first.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !d.disk.Shared() {
		t.Skip("one process alone")
	}
	second := d.open(t)
	soon, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	beating, stop := context.WithCancel(t.Context())
	go func() { _ = first.Beat(beating) }()
	if err := second.Lead(soon); err == nil {
		t.Fatal("two lead")
	}
	stop() // as if it were killed: no beat, no word
	if err := second.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, evs := found(5, 0, "a")
	if _, err := first.Absorb(t.Context(), c, evs, "0:9"); !outcome.Is(err, outcome.Lock) {
		t.Errorf("the earlier one still writes: %v", err)
	}
	if _, err := second.Absorb(t.Context(), c, evs, "0:9"); err != nil {
		t.Error(err)
	}
	if err := second.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Lead(t.Context()); err != nil {
		t.Fatal(err)
	}
}
