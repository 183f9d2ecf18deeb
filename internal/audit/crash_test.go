package audit

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir"
	"chartwarden/internal/seal"
	"chartwarden/internal/tied"
)

// The crash test needs a second process: the test binary itself, sent here by an environment variable.
func TestMain(m *testing.M) {
	if dir := os.Getenv("AUDIT_TEST_CHILD"); dir != "" {
		childAppend(dir)
		return
	}
	os.Exit(m.Run())
}

// childAppend appends from many goroutines and says each entry's name once it was told that it is durable.
func childAppend(dir string) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	key, err := seal.OpenKeyFile(dir + "/key")
	must(err)
	keys, err := db.Open(context.Background(), dir+"/keys.db", db.Options{})
	must(err)
	ring, err := seal.Open(context.Background(), keys, key)
	must(err)
	in := dbtest.Place{Dir: dir, URL: os.Getenv("AUDIT_TEST_URL")}
	d, err := db.Open(context.Background(), in.Source("audit"), in.Options("audit", db.Options{Turn: "main"}))
	must(err)
	l, err := Open(context.Background(), Options{DB: d, Box: ring.Box("audit"), Origin: origin, HeadFile: dir + "/heads", JournalFile: dir + "/journal", JournalSize: 1 << 20,
		Tick: func(time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(5 * time.Millisecond)
			return t.C, t.Stop
		}})
	must(err)
	out := make(chan Index)
	for c := range 8 {
		go func() {
			for i := 0; ; i++ {
				r, err := l.Disclose(context.Background(), reading(1, fhir.PatientID(1+(c+i)%5)))
				must(err)
				out <- r.Logged().Index()
			}
		}()
	}
	for i := range out {
		fmt.Println(int64(i))
	}
}

func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if err := s.keys.Close(); err != nil {
		t.Fatal(err)
	}
	told := map[int64]bool{}
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		cmd := tied.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "AUDIT_TEST_CHILD="+s.dir, "AUDIT_TEST_URL="+s.in.URL)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var i int64
			if _, err := fmt.Sscanln(lines.Text(), &i); err == nil { // a last line cut short does not count
				told[i] = true
			}
			if n == 150 {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	s.keys = s.database("keys.db")
	var err error
	if s.ring, err = seal.Open(t.Context(), s.keys, s.key); err != nil {
		t.Fatal(err)
	}
	l := s.start()
	if state := l.State(); state.Cut || state.Outside != "agrees" || len(told) < 150*rounds {
		t.Fatalf("%+v after %d entries", state, len(told))
	}
	for i := range told {
		if r, err := l.Entry(t.Context(), Index(i)); err != nil || r.Event.Kind != Disclosure {
			t.Fatalf("entry %d was acknowledged and is gone: %v", i, err)
		}
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}

// Chains stay whole while links are forgotten and loaded again, commits fail in between, and the process restarts.
func TestChainsStayWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for round := range 2 {
		s.d = s.database("audit.db")
		o := s.options()
		o.links = 4
		l, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		s.log = l
		var wg sync.WaitGroup
		for c := range 6 {
			wg.Go(func() {
				for i := range 60 {
					e := reading(1, fhir.PatientID(1+(c*7+i*3)%23), fhir.PatientID(30+i%11))
					e.Agent.Person = fmt.Sprint("p-", (c+i)%9)
					_, _ = l.Disclose(context.Background(), e) // fails now and then, on purpose
				}
			})
		}
		for range 5 {
			s.sabotage()
			s.mend()
			_ = l.catchUp(t.Context())
		}
		wg.Wait()
		s.pulse()
		s.stop()
		if r := s.verify(nil); !r.Holds() {
			t.Fatalf("round %d: %v", round, r.Faults)
		}
	}
}

func TestAWriterThatLostTheLogStops(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	s.exec(`insert into head(at, note) values(12345, 'x')`) // another program writes
	if r, err := l.Disclose(t.Context(), reading(1, 1)); err != nil || !r.Logged().Journaled() {
		t.Fatal("went on in a log that is not its own", err)
	}
}

// The writer hands a batch to the engine, which loses it: rows, tree, chains and head are as if it had never been.
func TestABatchThatWasLostLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	before := l.State().Size
	for range 3 {
		e := reading(1, 1, 2)
		drafts, err := l.draft(t.Context(), Disclosure, &e)
		if err != nil {
			t.Fatal(err)
		}
		lost := errors.New("lost")
		err = s.d.Write(t.Context(), func(tx *sql.Tx) error {
			if err := l.writer.apply(tx, []*act{{drafts: drafts}}); err != nil {
				return err
			}
			return lost
		})
		if !errors.Is(err, lost) {
			t.Fatal(err)
		}
	}
	if at := disclose(t, l, reading(1, 1, 2)).Logged().Index(); at.Number() != before {
		t.Fatalf("entry %d follows %d", at, before)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}

func TestAStaleLinkIsNotTakenIn(t *testing.T) {
	t.Parallel()
	c, o := newChains(1), owner{ownerPatient, 1}
	_, generation := c.get(o)
	for i := range 2 {
		_, g := c.get(owner{ownerPatient, int64(10 + i)})
		c.put(owner{ownerPatient, int64(10 + i)}, &link{}, g)
		c.age(Index(i), Index(i))
	}
	c.put(o, &link{n: 5}, generation)
	if k, _ := c.get(o); k != nil {
		t.Fatal("what was loaded before links were forgotten may be stale")
	}
}
