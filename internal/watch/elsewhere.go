package watch

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/detect"
	"chartwarden/internal/feed"
	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// Elsewhere is the log of another system, as a feed brings it, and a directory that says who is who there. Its log's time is that of its
// entries: it stands while none comes, so that a file of yesterday is judged as of yesterday. Safe for concurrent use.
type Elsewhere struct {
	how ElsewhereOptions
	tally
}

// ElsewhereOptions are what it stands on.
type ElsewhereOptions struct {
	Log     *audit.Log // the own, which says that the context is read
	Feed    *feed.Store
	Context string        // directory as for ingest.Replay; it is read again where its files change
	Every   time.Duration // how often that is looked at; five seconds when 0
	Settle  time.Duration // for how long older lines are waited for; two seconds when 0
}

// NewElsewhere makes a source for one watch.
func NewElsewhere(o ElsewhereOptions) *Elsewhere {
	o.Every, o.Settle = cmp.Or(o.Every, 5*time.Second), cmp.Or(o.Settle, 2*time.Second)
	return &Elsewhere{how: o}
}

// elsewhereReading is one run through it.
type elsewhereReading struct {
	*Elsewhere
	*session
	standing *ingest.Standing
	at       int64 // piece that was read
	settled  int64 // piece whose cases were stored before this start
	learned  time.Time
	newest   int64     // of the log, when it was last looked at
	since    time.Time // of that
	err      error     // of judging
}

const placed = "piece:" // before the number of a piece: nothing else reads it as a place

func parsePlace(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number, ok := strings.CutPrefix(text, placed)
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return 0, outcome.New(outcome.Conflict, "what was judged here so far is this installation's own log: another system is watched by an installation of its own")
	}
	return n, nil
}

func (o *Elsewhere) begin(s *session, settled string) (reading, error) {
	r := &elsewhereReading{Elsewhere: o, session: s}
	r.standing = ingest.NewStanding(pupil{r})
	o.tally.begin(r.standing)
	var err error
	if r.settled, err = parsePlace(settled); err != nil {
		return nil, err
	}
	if err := r.learn(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	records := s.state.Records
	s.mu.Unlock()
	if err := s.says(o.how.Log, records); err != nil {
		return nil, err
	}
	r.at, err = o.how.Feed.From(s.ctx, s.since)
	return r, err
}

func (o *Elsewhere) behind(ctx context.Context, place string) (bool, error) {
	at, err := parsePlace(place)
	if err != nil {
		return false, err
	}
	newest, err := o.how.Feed.Newest(ctx)
	return newest > at, err
}

func (o *Elsewhere) nights() *audit.Log { return nil }

// place is what was judged: what waits for older lines is judged anew after a start.
func (r *elsewhereReading) place() string {
	at := r.at
	if w := r.standing.Waits(); w > 0 {
		at = w - 1
	}
	return placed + strconv.FormatInt(at, 10)
}

// atOnce is how many pieces are read at once.
const atOnce = 8

func (r *elsewhereReading) next() (int, error) {
	if err := r.learn(); err != nil {
		return 0, err
	}
	pieces, err := r.how.Feed.After(r.ctx, r.at, atOnce)
	if err != nil || len(pieces) == 0 {
		return 0, err
	}
	r.took(pieces)
	if err := r.standing.Take(r.ctx, pieces); err != nil {
		return 0, err
	}
	if r.err != nil {
		return 0, r.err
	}
	r.at = pieces[len(pieces)-1].Number
	r.meets()
	return len(pieces), nil
}

func (r *elsewhereReading) unit(ref string) string { return r.standing.UnitName(ref) }

// learn reads what the context gained, and then what was found justified: who works in a department is known by the context.
func (r *elsewhereReading) learn() error {
	if err := r.reread(); err != nil {
		return err
	}
	return r.findings(r.staff)
}

// staff lists who works in a department. Errors: errNotYet for nobody while the context is not read to its end.
func (r *elsewhereReading) staff(department string) ([]string, error) {
	people := r.standing.InUnit(department)
	if len(people) == 0 && r.inTrouble() {
		return nil, errNotYet
	}
	return people, nil
}

func (r *elsewhereReading) reread() error {
	now := time.Now()
	if now.Sub(r.learned) < r.how.Every {
		return nil
	}
	r.learned = now
	n, err := r.standing.Learn(r.ctx, r.how.Context, r.o.Now(), r.context)
	r.note(func(x *State) { x.Records += n })
	if r.ctx.Err() == nil && r.troubled(err) {
		r.o.Logger.Error("the context is not read to its end, and again when it changes", "error", err)
	}
	return r.err
}

// rest has those judged that waited for older lines long enough. Time goes on by what comes, and not by the clock.
func (r *elsewhereReading) rest() error {
	now := time.Now()
	if n := r.standing.Newest(); n != r.newest {
		r.newest, r.since = n, now
	} else if now.Sub(r.since) >= r.how.Settle {
		r.standing.Settle(n)
		r.meets()
	}
	return r.err
}

func (r *elsewhereReading) wait() error {
	long := r.how.Every
	if r.standing.Waits() > 0 {
		long = min(long, r.how.Settle)
	}
	waiting, cancel := context.WithTimeout(r.ctx, long)
	defer cancel()
	return r.how.Feed.Wait(waiting, r.at)
}

// pupil tells the session what is read.
type pupil struct{ r *elsewhereReading }

func (p pupil) engine(do func(*detect.Engine)) {
	if p.r.err == nil {
		p.r.err = p.r.safely(func() { do(p.r.session.engine) })
	}
}

func (p pupil) Learn(x detect.Record) { p.engine(func(e *detect.Engine) { e.Learn(x) }) }
func (p pupil) Leaves(who string, from int64) {
	p.engine(func(e *detect.Engine) { e.Leaves(who, from) })
}
func (p pupil) Roster(x detect.Shift) { p.engine(func(e *detect.Engine) { e.Roster(x) }) }
func (p pupil) Device(device, kind, place string) {
	p.engine(func(e *detect.Engine) { e.Device(device, kind, place) })
}

func (p pupil) Event(at ingest.Spot, e *detect.Event) {
	if p.r.err == nil {
		p.r.judged(at, e)
		p.r.err = p.r.one(spot{-1, at.Piece, at.Line}, at.Piece <= p.r.settled, e)
	}
}

func (p pupil) Reject(at ingest.Spot, file, why string) {
	p.r.note(func(x *State) { x.Rejected++ })
	p.r.refused(at, file, why)
}

// Row reads again one line that was judged; people and patients stand in it by the identifiers of their system. It is for a page whose
// entry is durable. Errors: outcome.NotFound; as [feed.Store.Piece].
func (o *Elsewhere) Row(ctx context.Context, piece int64, line int) (detect.Event, error) {
	p, err := o.how.Feed.Piece(ctx, piece)
	if err != nil {
		return detect.Event{}, err
	}
	e, ok := p.Row(line)
	if !ok {
		return e, outcome.New(outcome.NotFound, fmt.Sprintf("line %d is not kept here", line))
	}
	return e, nil
}
