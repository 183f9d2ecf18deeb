package watch

import (
	"context"
	"sync"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/feed"
	"chartwarden/internal/ingest"
	"chartwarden/internal/ingest/foreign"
)

// tally counts what became of a feed since the start, so that people see whether it comes, and whether it is read right.
type tally struct {
	mu       sync.Mutex
	standing *ingest.Standing
	files    map[string]*Brought
	of       map[int64]string // files of the pieces that were read of late
	met      foreign.Report
	trouble  string // of the context
	rejected []Rejected
}

// Brought is what one file brought. Counts are of what this process read: the last six weeks, and what came since.
type Brought struct {
	feed.File
	Judged   int
	Newest   time.Time  // of its accesses; zero: none
	Rejected int        // lines that are none
	Some     []Rejected // of these, the first
}

// Rejected is a line that is none, and why. It holds nothing of the line.
type Rejected struct {
	File string
	Line int
	Why  string
}

// Feed is how another system's log comes.
type Feed struct {
	Files    []Brought // the newest first
	Came     time.Time // when something last came; zero: never
	Newest   time.Time // of all accesses
	Judged   int
	Rejected int
	Met      foreign.Report // in logs that are no AuditEvents
	Context  []Rejected     // lines of the context that are none, the first
	Trouble  string         // why the directory or the context is not read to its end; empty: it is
}

const someRejected = 20

func (t *tally) begin(s *ingest.Standing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.standing, t.files, t.of, t.met, t.trouble, t.rejected = s, map[string]*Brought{}, map[int64]string{}, foreign.Report{}, "", nil
}

// took notes of which files pieces are.
func (t *tally) took(pieces []ingest.Piece) {
	t.mu.Lock()
	defer t.mu.Unlock()
	waits := t.standing.Waits()
	for n := range t.of {
		if n < pieces[0].Number-atOnce && (waits == 0 || n < waits) {
			delete(t.of, n)
		}
	}
	for _, p := range pieces {
		t.of[p.Number] = p.File
	}
}

// meets notes what was met so far. It is called by who reads.
func (t *tally) meets() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.met = t.standing.Met()
}

func (t *tally) file(name string) *Brought {
	f := t.files[name]
	if f == nil {
		f = &Brought{}
		t.files[name] = f
	}
	return f
}

func (t *tally) judged(at ingest.Spot, e *detect.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.file(t.of[at.Piece])
	f.Judged++
	if x := time.Unix(e.Time, 0).UTC(); x.After(f.Newest) {
		f.Newest = x
	}
}

func (t *tally) refused(at ingest.Spot, name, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.file(name)
	if f.Rejected++; len(f.Some) < someRejected {
		f.Some = append(f.Some, Rejected{name, at.Line, why})
	}
}

// context notes a line of the context that is none.
func (t *tally) context(file string, line int, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rejected) < someRejected {
		t.rejected = append(t.rejected, Rejected{file, line, why})
	}
}

// troubled notes why the context is not read, nil when it is; true: there is new trouble.
func (t *tally) troubled(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.trouble
	if t.trouble = ""; err != nil {
		t.trouble = err.Error()
	}
	return t.trouble != "" && was != t.trouble
}

// inTrouble reports whether the context is not read to its end.
func (t *tally) inTrouble() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trouble != ""
}

// Member says who a Practitioner of the other system is, as far as the context tells.
func (o *Elsewhere) Member(practitioner string) (m ingest.Member, ok bool) {
	o.mu.Lock()
	s := o.standing
	o.mu.Unlock()
	if s == nil {
		return m, false
	}
	return s.Member(practitioner)
}

// Members is how many people of the other system are known.
func (o *Elsewhere) Members() int {
	o.mu.Lock()
	s := o.standing
	o.mu.Unlock()
	if s == nil {
		return 0
	}
	return s.Members()
}

// Feed tells how the log comes. Errors: as [feed.Store.Files].
func (o *Elsewhere) Feed(ctx context.Context) (out Feed, err error) {
	files, err := o.how.Feed.Files(ctx)
	if err != nil {
		return out, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	out.Met, out.Trouble = o.met, o.trouble
	out.Context = append(out.Context, o.rejected...)
	for _, f := range files {
		if f.Name == "" {
			out.Trouble = f.Trouble
			continue
		}
		b := Brought{File: f}
		if x := o.files[f.Name]; x != nil {
			b.Judged, b.Newest, b.Rejected, b.Some = x.Judged, x.Newest, x.Rejected, append(b.Some, x.Some...)
		}
		if f.Came.After(out.Came) {
			out.Came = f.Came
		}
		if b.Newest.After(out.Newest) {
			out.Newest = b.Newest
		}
		out.Judged, out.Rejected = out.Judged+b.Judged, out.Rejected+b.Rejected
		out.Files = append(out.Files, b)
	}
	return out, nil
}
