package record

import (
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
)

// answer is a question about one resource that was put before.
type answer struct {
	query *search.Query
	ref   fhir.Ref
}

// referring is what refers, from one chart, by one parameter.
type referring struct {
	chart fhir.PatientID
	kind  int64
	param *search.Param
}

// linked reports whether a condition on another resource holds: on one that c refers to, or on one that refers to c.
func (f *finder) linked(c *candidate, l *search.Link) (bool, error) {
	if l.Reversed {
		referrers, err := f.referrers(c, l.Queries[0].Type, l.Param)
		if err != nil {
			return false, err
		}
		for _, r := range referrers {
			if ok, err := f.answers(&r, l.Queries[0]); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	values, err := f.values(c, l.Param)
	if err != nil {
		return false, err
	}
	for i := range values {
		for _, q := range l.Queries {
			if values[i].ID == "" || values[i].Kind != q.Type {
				continue
			}
			target, err := f.named(fhir.Ref{Type: q.Type, ID: values[i].ID}, false)
			if err != nil {
				return false, err
			}
			if target == nil {
				continue
			}
			if ok, err := f.answers(target, q); ok || err != nil {
				return ok, err
			}
		}
	}
	return false, nil
}

// answers is satisfies for resources that several candidates may lead to.
func (f *finder) answers(c *candidate, q *search.Query) (bool, error) {
	key := answer{q, fhir.Ref{Type: c.sealed.Type(), ID: c.sealed.ID()}}
	if ok, known := f.answered[key]; known {
		return ok, nil
	}
	ok, err := f.satisfies(c, q)
	if err != nil {
		return false, err
	}
	if f.answered == nil {
		f.answered = map[answer]bool{}
	}
	f.answered[key] = ok
	return ok, nil
}

// referrers are the resources of a type that refer to c by a parameter: those in the charts that c is in and among staff and system
// data, or, when c itself belongs to nobody, in every chart that is open to the asker.
func (f *finder) referrers(c *candidate, typ string, p *search.Param) (out []candidate, err error) {
	kind := f.s.kinds.of(typ)
	if kind == 0 {
		return nil, nil
	}
	charts := []fhir.PatientID{0}
	if fhir.InPatientCompartment(typ) {
		mine := c.sealed.Patients()
		if len(mine) == 0 {
			if mine, err = f.everyChart(kind); err != nil {
				return nil, err
			}
		}
		charts = append(charts, mine...)
	}
	ref := fhir.Ref{Type: c.sealed.Type(), ID: c.sealed.ID()}
	met := map[fhir.RecordID]bool{}
	for _, chart := range charts {
		index, err := f.index(referring{chart, kind, p})
		if err != nil {
			return nil, err
		}
		for _, r := range index[ref] {
			if !met[r.sealed.Record()] {
				met[r.sealed.Record()] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// index lists by target what refers from one chart.
func (f *finder) index(r referring) (map[fhir.Ref][]candidate, error) {
	if known, ok := f.refers[r]; ok {
		return known, nil
	}
	out := map[fhir.Ref][]candidate{}
	if r.chart == 0 || f.r.Permits == nil || f.r.Permits(r.chart) {
		x, err := f.shelf(r.chart, r.kind, nil)
		if err != nil {
			return nil, err
		}
		for i := range x.spots {
			c, ok, err := f.see(x, i)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			values, err := f.values(&c, r.param)
			if err != nil {
				return nil, err
			}
			for j := range values {
				if ref := (fhir.Ref{Type: values[j].Kind, ID: values[j].ID}); ref.ID != "" {
					out[ref] = append(out[ref], c)
				}
			}
		}
	}
	if f.refers == nil {
		f.refers = map[referring]map[fhir.Ref][]candidate{}
	}
	f.refers[r] = out
	return out, nil
}
