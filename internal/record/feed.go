package record

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// FeedRequest asks for versions, newest first in the order of commits, with the eyes of who asks: what he may not see is not there.
type FeedRequest struct {
	Type  string    // "": of every type
	Since time.Time // versions that this server came to know then or later; zero: all
	// From and To keep the versions that were current at some time between them, To excluded; both zero: all.
	From, To time.Time
	Count    int    // of a page; below 1: the usual number
	Text     string // the question as asked; it travels sealed inside FeedPage.Next
	// Permits is asked for each patient before anything of him is opened. Allows is asked for each version and for what it must be
	// judged by besides: the current version, and of a deletion the one before. Nil allows everything.
	Permits   func(fhir.PatientID) bool
	Allows    func(*Sealed) bool
	Principal string  // whom Next is for
	After     *Cursor // nil for the first page
}

// FeedPage is one page of versions; deletions have no content.
type FeedPage struct {
	Versions []*Sealed
	Next     string // for OpenCursor; empty on the last page
}

// feedName is what the cursors of feeds are bound to, beside the type.
const feedName = "_history "

// IsFeed reports whether the cursor goes on with a feed of a type ("" for all).
func (c *Cursor) IsFeed(typ string) bool { return c.Type() == feedName+typ }

const (
	feedBefore = `select tx, recs from tx where tx<=? and time>=? and time<? order by tx desc limit 100`
	timeOf     = `select time from tx where tx=?`
)

// Feed walks back through what was written. Pages after the first go on where the one before ended; what is written meanwhile is
// newer than all of them. Errors: outcome.TooCostly, saying what would help; as [Store.Read].
func (s *Store) Feed(ctx context.Context, r FeedRequest) (*FeedPage, error) {
	moment, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer moment.end()
	w := &feedWalk{s: s, ctx: ctx, q: moment, r: r, want: r.Count, low: math.MinInt64, high: math.MaxInt64, from: math.MinInt64, place: position{Tx: math.MaxInt64}}
	if w.want < 1 {
		w.want = usualPage
	}
	w.want = min(w.want, largestPage)
	if r.Type != "" {
		if w.kind = s.kinds.of(r.Type); w.kind == 0 {
			return &FeedPage{}, nil
		}
	}
	if !r.Since.IsZero() {
		w.low = r.Since.UnixMicro()
	}
	if !r.To.IsZero() {
		w.from, w.high = r.From.UnixMicro(), r.To.UnixMicro()
	}
	if r.After != nil {
		w.place = *r.After.position()
		if !r.After.IsFeed(r.Type) {
			return nil, noCursor()
		}
	}
	if err := w.walk(); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return w.page()
}

// feedWalk is the state of one Feed.
type feedWalk struct {
	s               *Store
	ctx             context.Context
	q               snapshot
	r               FeedRequest
	kind            int64
	want            int
	low, high, from int64    // microseconds
	place           position // Tx and Rec of the last version served
	looked          int
	versions        []*Sealed
}

func (w *feedWalk) walk() error {
	for next := w.place.Tx; ; {
		var txs []int64
		var recs [][]fhir.RecordID
		rows, err := w.q.QueryContext(w.ctx, feedBefore, next, w.low, w.high)
		if err != nil {
			return unreadable(err)
		}
		for rows.Next() {
			var tx int64
			var touched sql.RawBytes
			if err = rows.Scan(&tx, &touched); err != nil {
				break
			}
			txs, recs = append(txs, tx), append(recs, slices.Collect(varints(touched)))
		}
		err = errors.Join(err, rows.Err(), rows.Close())
		if err != nil {
			return unreadable(err)
		}
		for i, tx := range txs {
			if err := w.transaction(tx, recs[i]); err != nil {
				return err
			}
			next = tx - 1
		}
		if len(txs) == 0 {
			return nil
		}
	}
}

// transaction considers the versions of one transaction, the last first.
func (w *feedWalk) transaction(tx int64, recs []fhir.RecordID) error {
	slices.Reverse(recs)
	if tx == w.place.Tx {
		at := slices.Index(recs, w.place.Rec)
		recs = recs[at+1:]
	}
	for _, rec := range recs {
		if w.looked++; w.looked > budget {
			return outcome.New(outcome.TooCostly, "too many versions would have to be looked at: narrow the history by _since, or ask for that of one type or resource")
		}
		var r row
		err := r.scan(w.q.QueryRowContext(w.ctx, currents+`where rec=?1 and tx=?2 union all `+versions+`where rec=?1 and tx=?2`, rec, tx))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return unreadable(err)
		}
		if err := w.consider(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *feedWalk) consider(r row) error {
	if w.kind != 0 && r.kind != w.kind || r.patient != 0 && w.r.Permits != nil && !w.r.Permits(r.patient) {
		return nil
	}
	current, err := w.current(r)
	if err != nil {
		return err
	}
	if still, err := w.wasCurrent(r); err != nil || !still {
		return err
	}
	x, err := w.s.openOrFault(r)
	if lost(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if ok, err := w.allowed(x, current); err != nil || !ok {
		return err
	}
	if len(w.versions) == w.want {
		w.versions = append(w.versions, nil) // there is a next page
		return errEnough
	}
	w.versions = append(w.versions, newSealed(x))
	return nil
}

func (w *feedWalk) current(r row) (row, error) {
	var now row
	err := now.scan(w.q.QueryRowContext(w.ctx, currentOf, r.rec))
	if err != nil {
		return now, unreadable(err)
	}
	return now, nil
}

// wasCurrent reports whether a version was not superseded before From.
func (w *feedWalk) wasCurrent(r row) (bool, error) {
	if w.from == math.MinInt64 || r.until == 0 {
		return true, nil
	}
	var until int64
	if err := w.q.QueryRowContext(w.ctx, timeOf, r.until).Scan(&until); err != nil {
		return false, unreadable(err)
	}
	return until > w.from, nil
}

// allowed asks for a version and for what it is judged by besides.
func (w *feedWalk) allowed(x *found, current row) (bool, error) {
	if w.r.Permits != nil && slices.ContainsFunc(x.also, func(p fhir.PatientID) bool { return !w.r.Permits(p) }) {
		return false, nil
	}
	if w.r.Allows == nil {
		return true, nil
	}
	judged := []*found{}
	if x.row.op != Delete {
		judged = append(judged, x)
	} else {
		var before row
		err := before.scan(w.q.QueryRowContext(w.ctx, versions+`where rec=? and vid=?`, x.row.rec, x.row.vid-1))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, unreadable(err)
		}
		if err == nil {
			f, err := w.s.openOrFault(before)
			if lost(err) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			judged = append(judged, f)
		}
	}
	if current.vid != x.row.vid && current.op != Delete {
		f, err := w.s.openOrFault(current)
		if lost(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		judged = append(judged, f)
	}
	for _, f := range judged {
		if !w.r.Allows(newSealed(f)) {
			return false, nil
		}
	}
	return len(judged) > 0, nil
}

func (w *feedWalk) page() (*FeedPage, error) {
	p := &FeedPage{Versions: w.versions}
	if len(w.versions) <= w.want {
		return p, nil
	}
	p.Versions = w.versions[:w.want]
	last := p.Versions[w.want-1].found().row
	var err error
	p.Next, err = w.s.sealCursor(w.ctx, w.r.Principal, position{Type: feedName + w.r.Type, Text: w.r.Text, Tx: last.tx, Rec: last.rec})
	return p, err
}
