package record

import (
	"database/sql"
	"errors"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// candidate is a record that the asker may see, as far as he may see it. Whatever a search does with a record, it does with one of
// these: matching, order, chains, _has, inclusions.
type candidate struct {
	sealed *Sealed
	shelf  *shelf // where its values are; nil: they are read from the document
	at     int
	hidden func(element string) bool // nil: nothing
	masked *document.Doc             // without what is hidden, once it was needed
}

// shelf gives a shelf for this search; the parameters of q are about to be asked for.
func (f *finder) shelf(patient fhir.PatientID, kind int64, q *search.Query) (*shelf, error) {
	old, current := f.s.shelves.get(shelfKey{patient, kind})
	if current {
		return old, nil
	}
	if f.reading == nil {
		select {
		case f.s.filling <- struct{}{}:
		case <-f.ctx.Done():
			return nil, unreadable(f.ctx.Err())
		}
		moment, err := f.s.snapshot(f.ctx)
		if err != nil {
			<-f.s.filling
			return nil, err
		}
		f.reading = &moment
		if err := f.s.one(f.ctx, moment, newestTx).Scan(&f.filled); err != nil {
			return nil, unreadable(err)
		}
	}
	if old != nil {
		return f.s.mend(f.ctx, *f.reading, f.filled, old)
	}
	var want []*search.Param
	if q != nil {
		for _, c := range q.Clauses() {
			want = append(want, c.Param)
		}
		for _, s := range q.Sort {
			want = append(want, s.Param)
		}
	}
	return f.s.fill(f.ctx, *f.reading, f.filled, shelfKey{patient, kind}, want)
}

// see looks at one spot of a shelf as it was at the moment of the search; false when there is nothing for the asker's eyes.
func (f *finder) see(x *shelf, at int) (candidate, bool, error) {
	c := candidate{sealed: x.spots[at].sealed, shelf: x, at: at}
	if c.sealed.found().row.tx > f.moment {
		r, err := f.then(c.sealed.Record())
		if errors.Is(err, sql.ErrNoRows) {
			return c, false, nil // it came later
		}
		if err != nil {
			return c, false, unreadable(err)
		}
		opened, err := f.s.openOrFault(r)
		if lost(err) {
			return c, false, nil
		}
		if err != nil {
			return c, false, err
		}
		c = candidate{sealed: newSealed(opened)}
	}
	return f.judge(c)
}

// judge drops what is not for the asker's eyes: by patient, then by the record itself. What is dropped has cost nothing that counts.
func (f *finder) judge(c candidate) (candidate, bool, error) {
	found := c.sealed.found()
	switch {
	case found.row.op == Delete:
		return c, false, nil
	case f.r.Permits != nil && found.row.patient != 0 && !f.r.Permits(found.row.patient),
		f.r.Permits != nil && slices.ContainsFunc(found.also, func(p fhir.PatientID) bool { return !f.r.Permits(p) }):
		return c, false, nil
	case found.fault != nil:
		if !slices.ContainsFunc(f.faults, func(x *Sealed) bool { return x.Record() == found.row.rec }) {
			f.faults = append(f.faults, c.sealed)
		}
		return c, false, nil
	case f.r.Allows != nil && !f.r.Allows(c.sealed):
		return c, false, nil
	}
	if f.looked++; f.looked > budget {
		return c, false, tooMany()
	}
	if f.looked&1023 == 0 && f.ctx.Err() != nil {
		return c, false, unreadable(f.ctx.Err())
	}
	if f.r.Mask != nil {
		c.hidden = f.r.Mask(c.sealed)
	}
	return c, true, nil
}

// named finds the resource of a reference, if the asker may see it; nil if not. fresh asks for the record itself rather than for the
// shelf it lies on, for those who want this one of its chart.
func (f *finder) named(ref fhir.Ref, fresh bool) (*candidate, error) {
	if c, ok := f.known[ref]; ok {
		return c, nil
	}
	c, err := f.locate(ref, fresh)
	if err != nil {
		return nil, err
	}
	if f.known == nil {
		f.known = map[fhir.Ref]*candidate{}
	}
	f.known[ref] = c
	return c, nil
}

func (f *finder) locate(ref fhir.Ref, fresh bool) (*candidate, error) {
	kind := f.s.kinds.of(ref.Type)
	if kind == 0 {
		return nil, nil
	}
	if patient, rec, ok := f.s.ids.read(ref.ID); ok && patient != 0 && !fresh {
		if f.r.Permits != nil && !f.r.Permits(patient) {
			return nil, nil
		}
		x, err := f.shelf(patient, kind, nil)
		if err != nil {
			return nil, err
		}
		at, ok := x.place[rec]
		if !ok || x.spots[at].sealed.ID() != ref.ID {
			return nil, nil
		}
		return pointer(f.see(x, at))
	}
	rec, err := f.s.resolve(f.ctx, f.s.d.Reader(), ref.Type, ref.ID)
	if outcome.Is(err, outcome.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r row
	if err = r.scan(f.s.one(f.ctx, f.s.d.Reader(), currentOf, rec)); err == nil && r.tx > f.moment {
		r, err = f.then(rec)
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.kind != kind {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(err)
	}
	opened, err := f.s.openOrFault(r)
	if lost(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if opened.fault == nil && opened.id != ref.ID {
		return nil, nil
	}
	return pointer(f.judge(candidate{sealed: newSealed(opened)}))
}

func pointer(c candidate, ok bool, err error) (*candidate, error) {
	if err != nil || !ok {
		return nil, err
	}
	return &c, nil
}

// values are those of a parameter, as far as the asker may see them.
func (f *finder) values(c *candidate, p *search.Param) ([]search.Value, error) {
	if c.hidden != nil {
		switch all, none := p.Hidden(c.hidden); {
		case all:
			return nil, nil
		case !none:
			if c.masked == nil {
				x, err := c.sealed.Masked(c.hidden)
				if err != nil {
					return nil, err
				}
				c.masked = x.found().doc
			}
			return p.Values(c.masked, f.s.searching()), nil
		}
	}
	if c.shelf != nil {
		column, err := f.s.column(c.shelf, p)
		if err != nil {
			return nil, err
		}
		return column[c.at], nil
	}
	doc, err := c.sealed.found().content()
	if err != nil {
		return nil, err
	}
	return p.Values(doc, f.s.searching()), nil
}

// satisfies reports whether a candidate is what q looks for, its links included.
func (f *finder) satisfies(c *candidate, q *search.Query) (bool, error) {
	clauses := q.Clauses()
	for i := range clauses {
		values, err := f.values(c, clauses[i].Param)
		if err != nil || !clauses[i].Matches(values) {
			return false, err
		}
	}
	links := q.Links()
	for i := range links {
		ok, err := f.linked(c, &links[i])
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}
