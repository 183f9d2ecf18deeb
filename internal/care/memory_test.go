package care

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// forgetful is a second graph on the tables of w that remembers nothing.
func forgetful(t *testing.T, w *world) *Graph {
	t.Helper()
	g, err := Open(context.Background(), w.d, w.box, Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range g.memory.touched {
		g.memory.touched[i].Store(math.MaxInt64)
	}
	g.memory.any.Store(math.MaxInt64)
	return g
}

// age makes everything in memory look as if it had been read so long ago.
func (g *Graph) age(by time.Duration) {
	g.memory.mu.Lock()
	defer g.memory.mu.Unlock()
	for k, one := range g.memory.lists {
		one.read = one.read.Add(-by)
		g.memory.lists[k] = one
	}
}

// Memory answers what the tables say at every step of a write: before its commit, between the commit and the word that it is durable,
// after that, and when it is undone; for the moment of the request, and for others.
func TestMemoryAnswersWhatTheTablesSay(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	undone := errors.New("undone")
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		live := newWorld(t)
		bare := forgetful(t, live)
		compare := func(when string) {
			t.Helper()
			for _, who := range []Actor{anna, bob, clerk} {
				for _, at := range []time.Time{live.now, live.now.Add(time.Millisecond), noon.Add(time.Duration(r.IntN(60)) * 30 * time.Minute)} {
					got := live.relate(who, at)
					want, err := bare.Relate(context.Background(), who, maren, at)
					if err != nil {
						t.Fatal(err)
					}
					for i := range got.Evidence {
						got.Evidence[i].zone, want.Evidence[i].zone = nil, nil
					}
					if !reflect.DeepEqual(got, want) {
						t.Fatalf("seed %d, %s, %s at %s: %+v, the tables say %+v", seed, when, who.Person, at.Format("15:04"), got, want)
					}
				}
			}
		}
		compare("empty")
		for i, c := range history(live, r, 40) {
			live.now = c.KnownAt
			live.tx++
			c.Tx = live.tx
			fails := i%5 == 0
			err := live.d.Write(context.Background(), func(tx *sql.Tx) error {
				if err := live.Project(context.Background(), tx, c); err != nil {
					return err
				}
				compare("before the commit")
				if fails {
					return undone
				}
				return nil
			})
			switch {
			case fails && errors.Is(err, undone):
				compare("undone")
				live.tx-- // the next one gets its number
			case err != nil:
				t.Fatal(err)
			default:
				compare("committed")
				live.Committed(live.tx)
				compare("told")
				compare("again")
			}
		}
	}
}

// What memory has not heard of, another node's write or a change by SQL, counts within a second: a relationship that ended is gone
// then, one that was tampered with is gone and told.
func TestMemoryIsOneSecondOldAtMost(t *testing.T) {
	w := newWorld(t)
	altered := 0
	w.o.Altered = func(string, int64) { altered++ }
	other := forgetful(t, w)
	w.says(clerk, `{'resourceType':'CareTeam','id':'t','status':'active','subject':{'reference':'Patient/7'},'participant':[{'member':%s}]}`, ref(anna))
	w.expect(anna, noon, "team")
	ended := w.change(clerk, `{'resourceType':'CareTeam','id':'t','status':'inactive','subject':{'reference':'Patient/7'}}`)
	if err := w.d.Write(context.Background(), func(tx *sql.Tx) error { return other.Project(context.Background(), tx, ended) }); err != nil {
		t.Fatal(err)
	}
	w.age(freshness)
	w.expect(anna, noon, "")

	w.says(clerk, `{'resourceType':'CareTeam','id':'u','status':'active','subject':{'reference':'Patient/7'},'participant':[{'member':%s}]}`, ref(anna))
	w.expect(anna, noon, "team")
	if err := w.d.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update care_edge set until=until+1 where closed>9000000000000000`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.age(freshness)
	w.expect(anna, noon, "")
	if altered == 0 {
		t.Error("nobody was told of the altered row")
	}
}

// A change without a number is never remembered past: nobody would tell when it is durable.
func TestAChangeWithoutANumberIsSeenAtOnce(t *testing.T) {
	w := newWorld(t)
	w.expect(anna, noon, "")
	c := w.change(clerk, `{'resourceType':'CareTeam','id':'t','status':'active','subject':{'reference':'Patient/7'},'participant':[{'member':{'reference':'Practitioner/anna'}}]}`)
	if err := w.d.Write(context.Background(), func(tx *sql.Tx) error { return w.Project(context.Background(), tx, c) }); err != nil {
		t.Fatal(err)
	}
	w.expect(anna, noon, "team")
}
