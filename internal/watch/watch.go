// Package watch judges accesses as they happen: it follows a log and what is known of the people and patients in it, the own or another
// system's, tells [detect] of both, and hands what it finds to [casework].
//
//	w := watch.New(watch.Options{Source: watch.Own{Log: log, Records: store}, Cases: cases})
//	go w.Run(ctx)               // comes back when ctx ends
//	w.Verdicts("1b2c-17")       // what was said of an entry of late
//
// Its state is memory: at each start it reads the context and the last weeks of the log again, in the background. Nothing waits for it, and
// whatever goes wrong in it touches no chart: it is counted, told ([Watch.State]), and tried again.
package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

// Records tells of the versions of resources, own and other nodes', in the order in which they were stored: record.Store.
type Records interface {
	TellVersions(ctx context.Context, types []string, after int64, since time.Time, each func(typ, id string, known time.Time, json []byte) error) (int64, error)
	CountOf(ctx context.Context, types []string) (int, error)
}

// People says who stands behind ids of the log.
type People interface {
	Practitioner(ctx context.Context, person string) string        // Practitioner/17 of a person by id; "" when there is none
	Ended(ctx context.Context) (practitioners []string, err error) // who has left for good
	// InUnit lists the practitioners whose department is called so.
	InUnit(ctx context.Context, department string) (practitioners []string, err error)
}

// Options of a watch.
type Options struct {
	Source Source
	Cases  *casework.Store
	Now    func() time.Time
	Zone   *time.Location // of the site, for its nights; UTC when nil
	Logger *slog.Logger
	Budget float64 // expected false cases for 1,000 active people and day; 2 when 0
	// Verdict and Case are told of what the engine says, in its order, for tests; what they get is theirs for the call only. May be nil.
	Verdict func(*detect.Verdict)
	Case    func(*detect.Case)
	Alert   func(*detect.Case) // likewise
}

// lookBack is how much of the log a start reads: what detection remembers of people fades within weeks.
const lookBack = 42 * 24 * time.Hour

// seed is that of `chartwarden replay`, so that both draw the same.
const seed = 1

// Watch follows one installation. Safe for concurrent use.
type Watch struct {
	o      Options
	recent recent

	working sync.Mutex               // held while the engine works or is asked
	engine  *detect.Engine           // nil before the first one
	named   func(unit string) string // what a place is called; nil before the context is read

	mu       sync.Mutex
	state    State
	place    string        // what was judged, and its cases stored
	poisoned map[spot]bool // entries at which detection failed
}

// State says how the watch does.
type State struct {
	Leads    bool      // this process judges, and not another node
	Ready    bool      // it has caught up with the log once
	Judged   time.Time // of the newest entry that was judged
	Records  int       // of the context
	Events   int64     // judged
	Accesses int64     // of people, to one patient's data each
	Open     int64     // of these, not explained at first sight
	Rejected int64     // entries that tell detection nothing
	Cases    int64     // opened by this process
	Failures int64     // of detection itself
	Standing string    // why it stands still now; empty: it does not
}

// New makes a watch that does not run yet.
func New(o Options) *Watch {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watch{o: o, poisoned: map[spot]bool{}}
}

// State is a copy of how it does now.
func (w *Watch) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *Watch) note(change func(*State)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.state)
}

// Verdicts gives the newest verdicts of an entry's AuditEvent, one for each patient; none when it was judged too long ago.
func (w *Watch) Verdicts(event string) []detect.Verdict { return w.recent.verdicts(event) }

// Near reports whether a person (Practitioner/x) and a patient (Patient/y) are family, of one household or neighbours, as far as the
// records tell; false while no context is read.
func (w *Watch) Near(agent, patient string) bool {
	w.working.Lock()
	defer w.working.Unlock()
	return w.engine != nil && w.engine.Near(agent, patient)
}

// CatchUp waits until what the log holds now is judged and its cases are stored, or ctx ends. Errors: ctx's; outcome.NoStore.
func (w *Watch) CatchUp(ctx context.Context) error {
	for {
		w.mu.Lock()
		place, ready := w.place, w.state.Ready
		w.mu.Unlock()
		if ready {
			if more, err := w.o.Source.behind(ctx, place); err != nil || !more {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// Run judges until ctx ends. What fails is told and begun anew, after a pause that grows.
func (w *Watch) Run(ctx context.Context) {
	defer w.note(func(s *State) { s.Leads, s.Ready = false, false }) // a later run has not caught up because this one had
	for pause := firstPause; ; {
		began := time.Now()
		err := w.term(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		w.note(func(s *State) {
			s.Leads, s.Ready, s.Standing = false, false, "detection stands still and is begun anew: "+err.Error()
		})
		w.o.Logger.Error("detection stands still and is begun anew; charts are not affected", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// term judges from the moment when this process leads until something fails.
func (w *Watch) term(ctx context.Context) error {
	if err := w.o.Cases.Lead(ctx); err != nil {
		return err
	}
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = w.o.Cases.Leave(leaving) // else its patience ends it
	}()
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(w.o.Cases.Beat(leading)) }()
	w.note(func(s *State) { s.Leads = true })
	err := w.judge(leading)
	if cause := context.Cause(leading); cause != nil && ctx.Err() == nil {
		return cause
	}
	return err
}
