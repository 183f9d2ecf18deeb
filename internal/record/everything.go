package record

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// Extent is which part of a chart is asked for by $everything. Zero values leave it whole.
type Extent struct {
	Types      []string
	Since      time.Time // changed at or after it
	Start, End time.Time // by main date, from Start to before End; what has none is always part
}

// everythingType stands in cursors of $everything in the place of a resource type.
const everythingType = "Patient/$everything"

// Everything gives a chart a page at a time: the Patient first, then type by type the newest first, and with each page the staff, places
// and medications that it refers to. r.Query tells the size of a page, r.Patient the chart. Pages after the first see the data as they
// were at the first. Errors: as [Store.Search].
func (s *Store) Everything(ctx context.Context, r SearchRequest, of Extent) (*Page, error) {
	f := &finder{s: s, ctx: ctx, r: r, want: r.Query.Count, newest: s.newest.Load()}
	defer f.end()
	if f.want < 1 {
		f.want = usualPage
	}
	f.want = min(f.want, largestPage)
	f.moment = f.newest
	if r.After != nil {
		f.after = r.After.position()
		f.moment = f.after.Tx
		if f.after.Type != everythingType || f.after.Patient != r.Patient {
			return nil, noCursor()
		}
		if f.newest-f.moment > tooFar {
			return nil, stale()
		}
	}
	if err := f.everything(of); err != nil {
		return nil, err
	}
	return f.everythingPage()
}

func (f *finder) everything(of Extent) error {
	shelves, err := f.wholeChart(of)
	if err != nil {
		return err
	}
	patient := f.s.kinds.of(patientType)
	for _, x := range shelves {
		order := x.key.kind
		if order == patient {
			order = 0
		}
		key := binary.BigEndian.AppendUint64(nil, uint64(order))
		for i := range x.spots {
			c, ok, err := f.see(x, i)
			if err != nil {
				return err
			}
			if ok && of.holds(c.sealed) && c.sealed.found().concerns(f.r.Patient) {
				f.hits = append(f.hits, hit{c, key})
			}
		}
	}
	return nil
}

// wholeChart gives the shelves of the types asked for, by one reading of the chart when several are missing.
func (f *finder) wholeChart(of Extent) (out []*shelf, err error) {
	kinds, known := f.s.shelves.holds(f.r.Patient)
	if !known {
		kinds = f.s.kinds.all()
	}
	if len(of.Types) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k int64) bool { return !slices.Contains(of.Types, f.s.kinds.called(k)) })
	}
	missing := 0
	for _, k := range kinds {
		x, current := f.s.shelves.get(shelfKey{f.r.Patient, k})
		if x == nil {
			missing++
		}
		if !current {
			x = nil
		}
		out = append(out, x)
	}
	if missing > 3 || !known && len(of.Types) == 0 {
		all, err := f.s.stock(f.ctx, f.r.Patient)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(all, func(x *shelf) bool { return !slices.Contains(kinds, x.key.kind) }), nil
	}
	for i, k := range kinds {
		if out[i] == nil {
			if out[i], err = f.shelf(f.r.Patient, k, nil); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (of Extent) holds(x *Sealed) bool {
	at := x.found().row.at
	switch {
	case !of.Since.IsZero() && x.Updated().Before(of.Since),
		at.Valid && !of.Start.IsZero() && at.Int64 < of.Start.UnixMicro(),
		at.Valid && !of.End.IsZero() && at.Int64 >= of.End.UnixMicro():
		return false
	}
	return true
}

func (f *finder) everythingPage() (*Page, error) {
	slices.SortFunc(f.hits, func(a, b hit) int { return compareHits(a.position(), b.position()) })
	p := &Page{Total: len(f.hits), Faults: f.faults}
	hits, served := f.hits, 0
	if f.after != nil {
		served = f.after.Served
		at, found := slices.BinarySearchFunc(hits, *f.after, func(h hit, after position) int { return compareHits(h.position(), after) })
		if found {
			at++
		}
		hits = hits[at:]
	}
	more := len(hits) > f.want
	hits = hits[:min(f.want, len(hits))]
	included, err := f.beside(hits)
	if err != nil {
		return nil, err
	}
	if p.Hits, err = masked(hits, func(h *hit) *candidate { return &h.candidate }); err != nil {
		return nil, err
	}
	if p.Included, err = masked(included, func(c *candidate) *candidate { return c }); err != nil {
		return nil, err
	}
	if !more {
		return p, nil
	}
	next := hits[f.want-1].position()
	next.Type, next.Text, next.Patient, next.Tx, next.Served = everythingType, f.r.Text, f.r.Patient, f.moment, served+f.want
	p.Next, err = f.s.sealCursor(f.ctx, f.r.Principal, next)
	return p, err
}

// beside are the resources that belong to nobody and that the hits refer to.
func (f *finder) beside(hits []hit) (out []candidate, err error) {
	met := map[fhir.RecordID]bool{}
	for i := range hits {
		for _, p := range references(hits[i].sealed.Type()) {
			if !leadsOut(p) {
				continue
			}
			values, err := f.values(&hits[i].candidate, p)
			if err != nil {
				return nil, err
			}
			for j := range values {
				if values[j].ID == "" || fhir.InPatientCompartment(values[j].Kind) {
					continue
				}
				c, err := f.named(fhir.Ref{Type: values[j].Kind, ID: values[j].ID}, false)
				if err != nil {
					return nil, err
				}
				if c == nil || met[c.sealed.Record()] {
					continue
				}
				if len(met) == mostIncluded {
					return nil, outcome.New(outcome.TooCostly, "more than 1000 resources would come along: ask for fewer at a time with _count")
				}
				met[c.sealed.Record()] = true
				out = append(out, *c)
			}
		}
	}
	return out, nil
}

// leadsOut reports whether a reference may name what belongs to nobody.
func leadsOut(p *search.Param) bool {
	return len(p.Targets) == 0 || slices.ContainsFunc(p.Targets, func(t string) bool { return t == "*" || !fhir.InPatientCompartment(t) })
}
