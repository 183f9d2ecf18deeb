package record

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// walk is one verification of all tables of this package.
type walk struct {
	s      *Store
	ctx    context.Context
	beside *Beside
	yield  func(Stored, error) bool

	moment  int64            // the newest transaction when it began
	touched map[int64]uint64 // of each transaction: a sum over the records whose versions say that they are of it
	seed    maphash.Seed
	known   map[string]fhir.PatientID // patients by their ids
}

// walkPage is how many rows a step reads.
const walkPage = 500

func (w *walk) run() error {
	var fed, stored int64 // an entry of the feed may have been taken away
	if err := w.s.d.Reader().QueryRowContext(w.ctx, `select coalesce((select max(tx) from tx), 0), coalesce((select max(tx) from resource), 0)`).Scan(&fed, &stored); err != nil {
		return unreadable(err)
	}
	w.moment = max(fed, stored)
	if w.beside.Care != nil {
		if err := w.beside.Care.Tags(w.ctx); err != nil {
			return err
		}
	}
	for last, more := int64(-1), true; more; {
		n, err := w.currents(&last)
		if err != nil {
			return err
		}
		more = n == walkPage
	}
	for last, more := (place{}), true; more; {
		n, err := w.superseded(&last)
		if err != nil {
			return err
		}
		more = n == walkPage
	}
	if err := w.feed(); err != nil {
		return err
	}
	return w.names()
}

// currents looks at the next current versions and at everything that hangs on them, at one moment.
func (w *walk) currents(last *int64) (int, error) {
	tx, err := w.s.snapshot(w.ctx)
	if err != nil {
		return 0, err
	}
	defer tx.end()
	var page []row
	if err := w.s.eachRow(w.ctx, tx, func(r row) error {
		r.body = slices.Clone(r.body)
		page = append(page, r)
		return nil
	}, currents+`where rec>? order by rec limit ?`, *last, walkPage); err != nil {
		return 0, err
	}
	after, upTo := fhir.RecordID(*last), fhir.RecordID(math.MaxInt64)
	if len(page) == walkPage {
		upTo = page[len(page)-1].rec
	}
	*last = int64(upTo)
	if w.beside.Care != nil {
		if err := w.beside.Care.Page(w.ctx, tx.Tx, after, upTo); err != nil {
			return 0, err
		}
	}
	places, err := w.placesBetween(tx, after, upTo)
	if err != nil {
		return 0, err
	}
	for i := range page {
		r := &page[i]
		f, genuine, err := w.version(r)
		if err != nil {
			return 0, err
		}
		if r.tx > w.moment { // it was another version when the walk began
			if err := w.s.eachRow(w.ctx, tx, func(old row) error {
				_, _, err := w.version(&old)
				return err
			}, versions+`where rec=? and tx<=? and until>?`, r.rec, w.moment, w.moment); err != nil {
				return 0, err
			}
		}
		if genuine {
			w.compare(places, r)
		}
		if f != nil && genuine {
			if err := w.tell(tx, r, f); err != nil {
				return 0, err
			}
		}
		if f == nil && w.beside.Care != nil && w.s.Erased(r.patient) {
			w.beside.Care.Erased(r.rec)
		}
		delete(places.further, r.rec)
		delete(places.patients, r.rec)
	}
	for rec := range places.further {
		w.beside.Fault("also", int64(rec), "names further patients of a record that is not there")
	}
	for rec := range places.patients {
		w.beside.Fault("patient", int64(rec), "names a patient of whom there is no Patient resource")
	}
	if w.beside.Care != nil {
		w.beside.Care.Close()
	}
	return len(page), nil
}

// version tells one version as it lies there. f is what opened; genuine, that its row is as it was written.
func (w *walk) version(r *row) (f *found, genuine bool, err error) {
	genuine = w.s.genuine(r) == nil
	if !genuine {
		w.beside.Fault(r.table(), int64(r.rec), fmt.Sprintf("of version %d was changed: its dates, its transaction or its further patients are not what was written", r.vid))
	}
	if r.tx <= w.moment {
		w.touched[r.tx] += w.mark(r.rec)
	}
	v := Stored{Record: r.rec, Version: r.vid, Patient: r.patient, Ref: w.s.kinds.called(r.kind), Hash: r.hash()}
	body := *r
	w.s.tag(&body) // whether the body opens is a question of its own
	if f, err = w.s.open(body); err != nil {
		v.Fault = err
	} else {
		v.Ref += "/" + f.id
	}
	if !w.yield(v, nil) {
		return nil, false, errStopped
	}
	return f, genuine, nil
}

func (w *walk) mark(rec fhir.RecordID) uint64 { return maphash.Comparable(w.seed, rec) | 1 }

// places are what other tables say about some records.
type places struct {
	further  map[fhir.RecordID][]fhir.PatientID
	patients map[fhir.RecordID]bool
}

func (w *walk) placesBetween(tx snapshot, after, last fhir.RecordID) (p places, err error) {
	p = places{map[fhir.RecordID][]fhir.PatientID{}, map[fhir.RecordID]bool{}}
	err = each(w.ctx, tx, `select rec, patient from also where rec>? and rec<=? order by rec, patient`, func(rows *sql.Rows) error {
		var rec fhir.RecordID
		var patient fhir.PatientID
		err := rows.Scan(&rec, &patient)
		p.further[rec] = append(p.further[rec], patient)
		return err
	}, after, last)
	if err == nil {
		err = each(w.ctx, tx, `select patient from patient where patient>? and patient<=?`, func(rows *sql.Rows) error {
			var rec fhir.RecordID
			err := rows.Scan(&rec)
			p.patients[rec] = true
			return err
		}, after, last)
	}
	return p, err
}

// compare holds a current row against the tables by which it is found.
func (w *walk) compare(p places, r *row) {
	if !slices.Equal(p.further[r.rec], patientsIn(r.further)) {
		w.beside.Fault("also", int64(r.rec), "names other further patients than the record has")
	}
	is := w.s.kinds.called(r.kind) == patientType
	switch {
	case is && !p.patients[r.rec]:
		w.beside.Fault("patient", int64(r.rec), "is missing: the directory does not find this patient")
	case !is && p.patients[r.rec]:
		w.beside.Fault("patient", int64(r.rec), "names a record that is no Patient")
	}
}

// tell hands a current record to the check of relationships, and looks for its name where a client chose its id.
func (w *walk) tell(tx snapshot, r *row, f *found) error {
	if f.id != w.s.ids.make(r.patient, r.rec) {
		rec, err := w.s.aliased(w.ctx, tx, w.s.idName(f.kind, f.id))
		if err != nil && !outcome.Is(err, outcome.NotFound) {
			return err
		}
		if err != nil || rec != r.rec {
			w.beside.Fault("alias", int64(r.rec), "is missing or leads elsewhere: the record is not found by its id")
		}
	}
	if w.beside.Care == nil || r.op == Delete || f.doc == nil || !care.Tells(f.kind) {
		return nil
	}
	var at int64
	if err := tx.QueryRowContext(w.ctx, `select time from tx where tx=?`, r.tx).Scan(&at); errors.Is(err, sql.ErrNoRows) {
		at = r.updated // the feed is named for what it lacks
	} else if err != nil {
		return unreadable(err)
	}
	w.beside.Care.Record(care.Change{Doc: f.doc, Record: r.rec, Patient: r.patient, KnownAt: time.UnixMicro(at), Resolve: func(id string) (fhir.PatientID, bool) {
		p, ok := w.known[id]
		if !ok {
			var err error
			p, err = w.s.patient(w.ctx, tx, id)
			if ok = err == nil; ok {
				w.known[id] = p
			}
		}
		return p, ok
	}})
	return nil
}

// superseded looks at the next superseded versions; those that were current when the walk began were told already.
func (w *walk) superseded(last *place) (n int, err error) {
	err = w.s.eachRow(w.ctx, w.s.d.Reader(), func(r row) error {
		n, *last = n+1, place{r.rec, r.vid}
		if r.until > w.moment && w.s.genuine(&r) == nil {
			return nil
		}
		_, _, err := w.version(&r)
		return err
	}, versions+`where (rec, vid)>(?,?) order by rec, vid limit ?`, last.rec, last.vid, walkPage)
	return n, err
}

// place is how far a walk over versions has come.
type place struct {
	rec fhir.RecordID
	vid int64
}

// feed checks the change feed: each transaction is there and names the records whose versions are of it.
func (w *walk) feed() error {
	err := each(w.ctx, w.s.d.Reader(), `select tx, time, recs, entry, mac from tx where tx<=? order by tx`, func(rows *sql.Rows) error {
		var f feed
		var mac []byte
		if err := rows.Scan(&f.tx, &f.time, &f.recs, &f.entry, &mac); err != nil {
			return err
		}
		sum := uint64(0)
		for rec := range varints(f.recs) {
			sum += w.mark(rec)
		}
		switch {
		case !w.s.tags.tx.Holds(mac, f.tagged()...) && !w.s.o.Untagged:
			w.beside.Fault("tx", f.tx, "was not written by this server, or was changed")
		case sum != w.touched[f.tx]:
			w.beside.Fault("tx", f.tx, "names other records than those whose versions are of it")
		}
		delete(w.touched, f.tx)
		return nil
	}, w.moment)
	for tx := range w.touched {
		w.beside.Fault("tx", tx, "is missing: versions say that they are of it")
	}
	return err
}

// names checks the tag of every name.
func (w *walk) names() error {
	return each(w.ctx, w.s.d.Reader(), `select name, rec, mac from alias`, func(rows *sql.Rows) error {
		var name, mac []byte
		var rec int64
		if err := rows.Scan(&name, &rec, &mac); err != nil {
			return err
		}
		if !w.s.tags.alias.Holds(mac, name, rec) && !w.s.o.Untagged {
			w.beside.Fault("alias", rec, "leads elsewhere than where this server made it lead")
		}
		return nil
	})
}

// each scans the rows of a query.
func each(ctx context.Context, q querier, query string, use func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := use(rows); err != nil {
			return unreadable(err)
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	return nil
}
