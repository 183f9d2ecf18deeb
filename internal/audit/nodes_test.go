package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

// beside are the options of another node on the same store.
func (s *site) beside(node string) Options {
	o := s.options()
	if s.in.URL != "" {
		d, err := db.Open(context.Background(), s.in.Source("audit"), s.in.Options("audit", db.Options{Turn: node}))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = d.Close() })
		o.DB = d
	}
	secret := sha256.Sum256([]byte(s.t.Name() + node))
	o.Node, o.Secret, o.HeadFile, o.JournalFile = node, secret[:], s.path("heads."+node), s.path("journal."+node)
	o.Tick = func(time.Duration) (<-chan time.Time, func()) { return make(chan time.Time), func() {} }
	return o
}

func (s *site) join(o Options) *Log {
	s.t.Helper()
	l, err := Open(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
	return l
}

// verifyAll is verify with the heads of all nodes that are named.
func (s *site) verifyAll(nodes ...string) *Report {
	s.t.Helper()
	return s.verify(func(o *VerifyOptions) {
		for _, n := range nodes {
			for _, b := range s.copyDir("heads." + n) {
				o.Heads = append(o.Heads, b...)
			}
		}
	})
}

func TestNodesAppendAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	main := s.start()
	logs := []*Log{main, s.join(s.beside("ward-7")), s.join(s.beside("clinic.north"))}
	var wg sync.WaitGroup
	for n, l := range logs {
		for c := range 8 {
			wg.Go(func() {
				for i := range 12 {
					e := reading(1, fhir.PatientID(1+i%3))
					e.Agent.Person = fmt.Sprint("p-", c)
					e.Text = fmt.Sprint(n, " ", c, " ", i)
					r, err := l.Disclose(context.Background(), e)
					if err != nil {
						t.Error(err)
					} else if !strings.HasPrefix(r.Entry(), l.State().Origin+"/") {
						t.Error(r.Entry())
					}
				}
			})
		}
	}
	wg.Wait()
	for _, l := range logs {
		whole, err := l.OfPatient(t.Context(), 2, Page{Limit: 1000})
		if err != nil || len(whole) != 3*8*4 {
			t.Fatalf("%d entries, %v", len(whole), err)
		}
		if !slices.IsSortedFunc(whole, newestFirst) {
			t.Error("the list is not in the order of time")
		}
		random := rand.New(rand.NewPCG(1, 2))
		pages(t, whole, func(p Page) ([]Read, error) { return l.OfPatient(t.Context(), 2, p) }, random)
		every, err := l.Range(t.Context(), Span{Kinds: []Kind{Disclosure}}, Page{Limit: 1000})
		if err != nil || len(every) != 3*8*12 {
			t.Fatalf("%d entries, %v", len(every), err)
		}
		pages(t, every, func(p Page) ([]Read, error) { return l.Range(t.Context(), Span{Kinds: []Kind{Disclosure}}, p) }, random)
		if person, err := l.OfPerson(t.Context(), "p-3", Page{Limit: 1000}); err != nil || len(person) != 3*12 {
			t.Fatalf("%d entries of a person, %v", len(person), err)
		}
		for _, r := range whole { // every entry is proven on every node
			origin, number, _ := cutLast(r.Entry())
			at, err := l.Find(origin, number)
			if err != nil || at != r.Index {
				t.Fatal(at, err)
			}
			entry, proof, err := l.InclusionProof(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			v, err := tlog.ParseVerifier(l.VerifierOf(at))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := proof.Check(entry, v); err != nil || v.Name() != origin {
				t.Fatal(v.Name(), err)
			}
		}
	}
	for _, l := range logs[1:] {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.stop()
	r := s.verifyAll("ward-7", "clinic.north")
	if !r.Holds() || len(r.Logs) != 3 || r.Outside < 3 {
		t.Fatalf("%+v", r)
	}
	d := s.database("audit.db")
	defer d.Close()
	made, err := ExportBundle(t.Context(), d, s.path("bundle"), ExportOptions{Box: s.ring.Box("audit"), Payloads: true, Patient: 2})
	if err != nil || made.Origin != origin || made.Events != 3*8*4 {
		t.Fatalf("%+v %v", made, err)
	}
	heads, err := Newest(t.Context(), d, false)
	if err != nil || len(splitHeads(heads)) != 3 {
		t.Fatalf("%s %v", heads, err)
	}
	if r, err = VerifyBundle(t.Context(), s.path("bundle"), VerifyOptions{Heads: heads}); err != nil || !r.Holds() || len(r.Logs) != 3 || r.Outside != 3 {
		t.Fatalf("%+v %v", r, err)
	}
}

func newestFirst(a, b Read) int {
	switch (moment{a.Recorded.UnixMicro(), a.Index}).newer(moment{b.Recorded.UnixMicro(), b.Index}) {
	case true:
		return -1
	default:
		return 1
	}
}

// pages reads a list page by page and wants what it is as a whole.
func pages(t *testing.T, whole []Read, list func(Page) ([]Read, error), random *rand.Rand) {
	t.Helper()
	var got []Read
	for p := (Page{}); ; {
		p.Limit = 1 + random.IntN(9)
		part, err := list(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
		if len(part) < p.Limit {
			break
		}
		p.Before = part[len(part)-1].Index
	}
	if !reflect.DeepEqual(got, whole) {
		t.Errorf("page by page %d entries, as a whole %d, or in another order", len(got), len(whole))
	}
}

func cutLast(name string) (origin string, number int64, err error) {
	at := strings.LastIndex(name, "/")
	_, err = fmt.Sscan(name[at+1:], &number)
	return name[:at], number, err
}

func TestFollowersSeeEveryLogOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	main := s.start()
	ward := s.join(s.beside("ward"))
	seen := map[Index]int{}
	for round := range 3 {
		for i := range 20 {
			disclose(t, main, reading(1, fhir.PatientID(i+1)))
			disclose(t, ward, reading(1, fhir.PatientID(i+1)))
		}
		follower, want := []*Log{main, ward}[round%2], int(main.State().Size+ward.State().Size)
		ctx, cancel := context.WithCancel(context.Background())
		_ = follower.Follow(ctx, "test", func(_ context.Context, _ *sql.Tx, batch []Read) error {
			for _, r := range batch {
				seen[r.Index]++
			}
			if len(seen) >= want {
				cancel()
			}
			return nil
		})
	}
	for at, n := range seen {
		if n != 1 {
			t.Errorf("entry %d was seen %d times", at, n)
		}
	}
	place := Cursor{}
	n := 0
	for {
		batch, err := ward.After(t.Context(), place, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		n += len(batch)
		if place, err = ParseCursor(place.Past(batch).Text()); err != nil {
			t.Fatal(err)
		}
	}
	if n != len(seen) {
		t.Errorf("%d entries by cursor, %d followed", n, len(seen))
	}
}

// A process whose log another has taken up discloses nothing any more, not even by its journal.
func TestAStolenLease(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.start()
	disclose(t, first, reading(1, 1))
	o := s.options()
	o.Tick = s.beside("x").Tick
	o.JournalFile = s.path("another journal") // which the first has open
	second := s.join(o)
	for range 2 {
		r, err := first.Disclose(t.Context(), reading(1, 1))
		if !outcome.Is(err, outcome.Lock) || r.Entry() != "" || r.Redeem(1000, 1) == nil {
			t.Fatalf("%q %v", r.Entry(), err)
		}
	}
	if first.Lost() == nil || first.State().Waiting != 0 {
		t.Fatalf("%v %+v", first.Lost(), first.State())
	}
	size := second.State().Size
	disclose(t, second, reading(1, 1))
	if second.State().Size != size+1 || second.Lost() != nil {
		t.Fatal("the second does not go on")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	for _, f := range s.verify(func(o *VerifyOptions) { o.JournalFile = s.path("another journal") }).Faults {
		if !strings.Contains(f.What, "emergency journal") { // that of the first is not where it is looked for
			t.Error(f)
		}
	}
}

func TestANodesNameIsTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	ward := s.join(s.beside("ward"))
	disclose(t, ward, reading(1, 1))
	o := s.beside("ward")
	o.Secret = bytes.Repeat([]byte{7}, 32)
	o.HeadFile = s.path("heads.elsewhere")
	o.JournalFile = ""
	if _, err := Open(t.Context(), o); !outcome.Is(err, outcome.Lock) || !strings.Contains(err.Error(), "--node") {
		t.Fatal(err)
	}
	disclose(t, ward, reading(1, 1)) // it goes on undisturbed

	s.now.add(5 * time.Minute) // the machine is gone, its key with it
	l := s.join(o)
	if state := l.State(); !state.Cut || state.Origin != origin+"/node/ward/2" || !strings.Contains(state.Evidence, "has not the key") {
		t.Fatalf("%+v", state)
	}
	if _, err := ward.Disclose(t.Context(), reading(1, 1)); !outcome.Is(err, outcome.Lock) && err != nil {
		t.Fatal(err)
	}
	if _, err := l.Acknowledge(t.Context(), Event{Agent: Agent{Person: "p-privacy"}}); err != nil {
		t.Fatal(err)
	}
}

func TestNodesWitnessEachOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage []string
		says   string
	}{
		"nothing":       {nil, ""},
		"a log is gone": {[]string{`delete from log where number = 1`, `delete from entry where at >> 40 = 1`, `delete from payload where id >> 52 = 1`, `delete from tile where id >> 44 = 1`, `delete from head where at >> 40 = 1`, `delete from lookup where at >> 40 = 1`}, "is not here"},
		"a log is cut short": {[]string{`delete from entry where at >= (1 << 40) + 3 and at >> 40 = 1`, `delete from payload where id >= ((1 << 40) + 3) << 12 and id >> 52 = 1`,
			`delete from head where at >> 40 = 1`, `insert into head select * from early`, `delete from lookup where at >= (1 << 40) + 3 and at >> 40 = 1`, `update cursor set at = (1 << 40) + 3 where number = 1`}, "of another node knows"},
		"a key is exchanged":    {[]string{`update log set verifier = (select verifier from log where number = 0) where number = 1`}, "not as it was written"},
		"a key is made derived": {[]string{`update log set bound = null where number = 1`}, "not signed by the log's key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			main := s.start()
			o := s.beside("ward")
			o.JournalFile = ""
			ward := s.join(o)
			disclose(t, ward, reading(1, 1))
			if err := s.d.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(said(s.d, `create table early as select at, note from head where at >> 40 = 1`))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			s.now.add(2 * time.Minute)
			for range 5 {
				disclose(t, ward, reading(1, 2))
			}
			s.now.add(2 * time.Minute)
			s.pulse()
			if err := ward.Close(); err != nil {
				t.Fatal(err)
			}
			stated, err := main.Range(t.Context(), Span{Kinds: []Kind{Node}}, Page{})
			if err != nil || len(stated) == 0 || !strings.Contains(stated[0].Event.Text, origin+"/node/ward\n") {
				t.Fatalf("%+v %v", stated, err)
			}
			s.stop()
			s.edit(c.damage...)
			r := s.verify(nil)
			if c.says == "" {
				if !r.Holds() {
					t.Error(r.Faults)
				}
				return
			}
			if !slices.ContainsFunc(r.Faults, func(f Fault) bool { return strings.Contains(f.What, c.says) }) {
				t.Errorf("%v", r.Faults)
			}
		})
	}
}

// The cut of one node's log is that node's alone.
func TestACutOfOneNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	o := s.beside("ward")
	ward := s.join(o)
	disclose(t, ward, reading(1, 1))
	if err := ward.Close(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.edit(`update entry set bytes = (select bytes from entry where at = 0) where at = (1 << 40) + 1`)
	main := s.start()
	if main.State().Cut {
		t.Fatal("the main node is cut")
	}
	o.DB = s.d
	if ward = s.join(o); !ward.State().Cut || ward.State().Origin != origin+"/node/ward/2" {
		t.Fatalf("%+v", ward.State())
	}
	disclose(t, ward, reading(1, 1))
	disclose(t, main, reading(1, 1))
	reads, err := main.OfPatient(t.Context(), 1, Page{})
	if err != nil || len(reads) < 2 || reads[1].Origin != origin+"/node/ward/2" {
		t.Fatal(reads, err)
	}
}

func TestNodeNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base, origin string
		n            int64
	}{{"a/log", "a/log", 1}, {"a/log", "a/log-2", 2}, {"a/log/node/w-2", "a/log/node/w-2", 1}, {"a/log/node/w", "a/log/node/w-2", 0},
		{"a/log/node/w", "a/log/node/w/3", 3}, {"a/log", "a/log/node/w", 0}, {"a/log", "a/log-1", 0}, {"a/log/node/w", "a/log/node/w/journal-1", 0}} {
		n, ok := ordinal(c.base, c.origin)
		if ok != (c.n > 0) || ok && n != c.n {
			t.Errorf("%s of %s: %d %v", c.origin, c.base, n, ok)
		}
	}
	for _, bad := range []string{"A", "a/b", "-a", "a b", "a+b", strings.Repeat("a", 64)} {
		o := Options{Node: bad}
		if o.checkNode() == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}
