package access

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Who treats a patient hears at once that somebody broke the glass there: she alone may know at a glance that it was right, or that it was not.

// Broken is that somebody broke the glass, as those hear of it who treat the patient.
type Broken struct {
	Grant     int64
	By        string // id of the person
	PatientID string
	Code      string // reason
	At        time.Time
	Team      []string // ids of those who treated the patient at that moment, apart from By
}

// brokenGlasses are the newest openings, as this node has read them.
type brokenGlasses struct {
	mu      sync.Mutex
	list    []Broken            // oldest first
	known   map[int64]time.Time // grants that were told, or of which nobody is to be told, with when they began
	changed chan struct{}       // closed at the next change
}

const (
	brokenKept = 72 * time.Hour
	// brokenLook is how often a node looks for openings of others, and brokenBack how far back: a row may come in after one with a higher number.
	brokenLook = 500 * time.Millisecond
	brokenBack = 10 * time.Minute
)

// endOfGrants is later than any.
var endOfGrants = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func newBrokenGlasses() *brokenGlasses {
	return &brokenGlasses{known: map[int64]time.Time{}, changed: make(chan struct{})}
}

// TellBroken follows the openings of closed charts until ctx ends, on every node. tell is given each of the last minutes; it is given one again
// after a restart, or when it failed. Openings by a declared downtime are not among them: a sample of those is looked at afterwards.
func (g *Gate) TellBroken(ctx context.Context, tell func(Broken) error) {
	tick := time.NewTicker(brokenLook)
	defer tick.Stop()
	since, fresh := g.now().Add(-brokenKept), g.now().Add(-brokenBack) // what is older was told before this start
	for {
		began := g.now()
		if err := g.takeBroken(ctx, since, fresh, tell); err == nil {
			since, fresh = began.Add(-brokenBack), began.Add(-brokenBack)
		} else if ctx.Err() == nil {
			g.logger.Warn("those who treat could not be told of an opening with the glass; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// BrokenBetween lists the openings of closed charts from one time to another, without those by a declared downtime and of charts that are gone,
// and without their teams. It is for the server, which tells patients; what it gives is no disclosure of a chart. Errors: outcome.NoStore.
func (g *Gate) BrokenBetween(ctx context.Context, from, to time.Time) (out []Broken, err error) {
	found, err := g.grantsBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		b := Broken{Grant: o.ID, By: o.Person, Code: o.Code, At: o.Opened}
		if b.PatientID, err = g.records.PatientRef(ctx, o.Patient); outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.Deleted) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// grantsBetween gives the grants that this server wrote of one time to another, but for those of a downtime.
func (g *Gate) grantsBetween(ctx context.Context, from, to time.Time) (found []Grant, err error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT `+grantColumns+` FROM access_grant WHERE opened >= ? AND opened <= ? ORDER BY id`, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		o, mac, err := scanGrant(rows)
		if err != nil {
			return nil, unreadable(err)
		}
		if o.Code != downtimeCode && g.tags.Holds(mac, o.columns()...) {
			found = append(found, o)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return found, nil
}

// takeBroken takes in what was opened since a time and is not known yet, and has told what is fresh.
func (g *Gate) takeBroken(ctx context.Context, since, fresh time.Time, tell func(Broken) error) error {
	found, err := g.grantsBetween(ctx, since, endOfGrants)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(o Grant) bool { return g.broken.has(o.ID) })
	var failed error
	for _, o := range found {
		b, err := g.brokenBy(ctx, o)
		if err == nil && len(b.Team) > 0 && !b.At.Before(fresh) {
			err = tell(b)
		}
		if err != nil { // it keeps the next one from nobody
			failed = errors.Join(failed, err)
			continue
		}
		g.broken.add(b, g.now().Add(-brokenKept))
	}
	return failed
}

// brokenBy finds who is to hear of a grant; nobody of one whose chart is gone.
func (g *Gate) brokenBy(ctx context.Context, o Grant) (Broken, error) {
	b := Broken{Grant: o.ID, By: o.Person, Code: o.Code, At: o.Opened}
	c, err := g.chartNumber(ctx, o.Patient)
	if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.Deleted) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.PatientID = c.id
	b.Team, err = g.team(ctx, o.Patient, o.Opened, o.Person)
	return b, err
}

// team are the ids of those who treat a patient at that moment, apart from one.
func (g *Gate) team(ctx context.Context, patient fhir.PatientID, at time.Time, but string) (out []string, err error) {
	members, err := g.care.Team(ctx, patient, at)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	here, err := g.colleagues.at(ctx, g.persons, g.now())
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if id, ok := here[m.Ref]; ok && id != but && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}

func (b *brokenGlasses) has(grant int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.known[grant]
	return known
}

// add keeps one, and forgets those that began before from.
func (b *brokenGlasses) add(one Broken, from time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.known, func(_ int64, at time.Time) bool { return at.Before(from) })
	b.list = slices.DeleteFunc(b.list, func(o Broken) bool { return o.At.Before(from) })
	if b.known[one.Grant] = one.At; len(one.Team) > 0 {
		b.list = append(b.list, one)
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

// BrokenAtMine lists openings with the glass of the last three days at patients whom p treated at that moment, newest first, and what is closed
// when there is another at anybody's patient. It names charts by id and opens none.
func (g *Gate) BrokenAtMine(p Principal) ([]Broken, <-chan struct{}) {
	g.broken.mu.Lock()
	defer g.broken.mu.Unlock()
	var out []Broken
	from := g.now().Add(-brokenKept)
	for _, one := range slices.Backward(g.broken.list) {
		if p.Session != nil && one.At.After(from) && slices.Contains(one.Team, p.Session.Person.ID) {
			out = append(out, one)
		}
	}
	return out, g.broken.changed
}
