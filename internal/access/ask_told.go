package access

import (
	"context"
	"slices"
	"sync"
	"time"

	"chartwarden/internal/identity"
)

// Who asked a colleague for a chart hears on her open page what became of it, and who may answer that somebody asks: nobody loads a page anew
// with a patient before her.

// Answered is what became of a request for a chart.
type Answered struct {
	ID        string
	PatientID string
	By        string // id of who answered
	Yes       bool
	Decided   time.Time
}

// answeredTold is for how long an answer is news.
const answeredTold = 10 * time.Minute

// chartAsks are the requests for charts as this node last read them: once for all open pages, and not while nobody has one.
type chartAsks struct {
	mu      sync.Mutex
	read    time.Time
	open    []identity.Pending // those to who treats a patient
	settled []identity.Pending // those, and those for a timed grant
}

// asksRead is how old they may be.
const asksRead = 500 * time.Millisecond

func (c *chartAsks) of(ctx context.Context, g *Gate) (open, settled []identity.Pending, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) < asksRead {
		return c.open, c.settled, nil
	}
	if open, err = g.persons.ActsOpen(ctx, teamAsk); err != nil {
		return nil, nil, err
	}
	for _, kind := range []string{teamAsk, GrantAct} {
		some, err := g.persons.ActsSettled(ctx, kind, g.now().Add(-answeredTold))
		if err != nil {
			return nil, nil, err
		}
		settled = append(settled, some...)
	}
	c.read, c.open, c.settled = time.Now(), open, settled
	return open, settled, nil
}

// AnswersToMine lists what became, in the last ten minutes, of p's own requests for charts, and tells which requests of others stand open to
// whoever treats the patient, so that a page knows when to count again ([Gate.AsksWaiting]). Both are half a second old at most. It names charts
// by id and opens none. Errors: outcome.NoStore.
func (g *Gate) AnswersToMine(ctx context.Context, p Principal) (mine []Answered, open []string, err error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return nil, nil, nil
	}
	me := p.Session.Person.ID
	asked, settled, err := g.asks.of(ctx, g)
	if err != nil {
		return nil, nil, err
	}
	for i := range settled {
		if it := &settled[i]; it.AskedBy == me {
			mine = append(mine, Answered{ID: it.ID, PatientID: bodyOf(it).PatientID, By: it.By, Yes: it.State == "done", Decided: it.Decided})
		}
	}
	for i := range asked {
		if asked[i].AskedBy != me {
			open = append(open, asked[i].ID)
		}
	}
	slices.Sort(open)
	return mine, open, nil
}
