package record

import (
	"cmp"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// acrossCharts looks into every chart that may hold a match: those of the patients whom the query names or describes, else all that
// are open to the asker.
func (f *finder) acrossCharts(kind int64) error {
	charts, named, err := f.narrowed()
	if err != nil {
		return err
	}
	if !named {
		if charts, err = f.everyChart(kind); err != nil {
			return err
		}
		charts = append(charts, 0) // what of that type belongs to nobody
	}
	for _, p := range charts {
		if barren, err := f.barren(p, kind); err != nil || barren {
			if err != nil {
				return err
			}
			continue
		}
		if p != 0 && f.r.Permits != nil && !f.r.Permits(p) {
			continue
		}
		if err := f.onShelf(p, kind); err != nil {
			return err
		}
	}
	return nil
}

// everyChart are the charts that may be open to the asker and hold something of a type.
func (f *finder) everyChart(kind int64) (charts []fhir.PatientID, err error) {
	some := false
	if f.r.Charts != nil {
		if charts, some, err = f.r.Charts(); err != nil {
			return nil, err
		}
	}
	if !some {
		if charts, err = f.s.chartsWith(f.ctx, kind); err != nil {
			return nil, err
		}
	}
	if len(charts) > mostCharts && f.r.Permits != nil {
		charts = slices.DeleteFunc(charts, func(p fhir.PatientID) bool { return !f.r.Permits(p) })
	}
	if len(charts) > mostCharts {
		return nil, tooMany()
	}
	return charts, nil
}

// narrowed are the charts of the patients whom the query asks for, by reference (subject=a,b) or by what it says of them
// (subject:Patient.family=x); false when it does neither.
func (f *finder) narrowed() (charts []fhir.PatientID, ok bool, err error) {
	q := f.r.Query
	take := func(found []fhir.PatientID) {
		slices.Sort(found)
		found = slices.Compact(found)
		if ok {
			found = slices.DeleteFunc(found, func(p fhir.PatientID) bool { _, there := slices.BinarySearch(charts, p); return !there })
		}
		charts, ok = found, true
	}
	for _, c := range q.Clauses() {
		ids, fixed := c.Patients()
		if !fixed {
			continue
		}
		var found []fhir.PatientID
		for _, id := range ids {
			p, err := f.s.Patient(f.ctx, id)
			if outcome.Is(err, outcome.NotFound) {
				continue
			}
			if err != nil {
				return nil, false, err
			}
			found = append(found, p)
		}
		take(found)
	}
	for _, l := range q.Links() {
		if l.Reversed || !search.Subject(l.Param) || len(l.Queries) != 1 || l.Queries[0].Type != patientType {
			continue
		}
		found, described, err := f.proposed(l.Queries[0])
		if err != nil {
			return nil, false, err
		}
		if ids, fixed := fixedIDs(l.Queries[0]); fixed && !described {
			found = found[:0]
			for _, id := range ids {
				if p, err := f.s.Patient(f.ctx, id); err == nil {
					found = append(found, p)
				} else if !outcome.Is(err, outcome.NotFound) {
					return nil, false, err
				}
			}
			described = true
		}
		if described {
			take(found)
		}
	}
	slices.SortFunc(charts, func(a, b fhir.PatientID) int { return cmp.Compare(a, b) })
	return charts, ok, nil
}
