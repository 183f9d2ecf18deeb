package access

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Everything gives a page of a patient's chart and of the staff, places and medications that it refers to; one entry names each record
// of the page. values are those of the request: _count, _since, _type, start, end, or _cursor of a page before.
//
// Errors: those of [Gate.Search]; outcome.Forbidden where only a broken glass opens the chart, since it opens to reading, not to taking
// along (decisions 19).
func (g *Gate) Everything(ctx context.Context, p Principal, patientID string, values url.Values) (Page, error) {
	p.Glass = "" // nothing is broken for what would stay closed
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return Page{}, g.absent(ctx, p, policy.Search, "everything", "Patient", err)
	}
	if err != nil {
		return Page{}, err
	}
	s, d, err := g.permit(ctx, p, policy.Search, "everything", c, func(s standing) policy.Resource { return s.typical("Patient") })
	if err != nil {
		return Page{}, err
	}
	if d.Glass() {
		d.Allowed = false
		return Page{}, g.refuse(ctx, s, policy.Search, "everything", s.typical("Patient"), d)
	}
	q := question{text: values.Encode()}
	if token := values.Get("_cursor"); token != "" {
		if q.after, err = g.records.OpenCursor(p.cursorKey(), token); err != nil {
			return Page{}, err
		}
		q.text = q.after.Query()
		if values, err = url.ParseQuery(q.text); err != nil {
			return Page{}, outcome.New(outcome.Invalid, "the cursor is of another search").At("_cursor")
		}
	}
	if q.q, err = search.Parse("Patient", url.Values{}, g.reading()); err != nil {
		return Page{}, err
	}
	count, of, err := g.extent(values)
	if err != nil {
		return Page{}, err
	}
	q.q.Count = count
	v := g.look(ctx, p, policy.Search)
	if err := v.know(s); err != nil {
		return Page{}, err
	}
	r := v.request(q)
	r.Patient = c.number
	found, err := g.records.Everything(ctx, r, of)
	if v.err != nil {
		err = v.err
	}
	if err != nil {
		return Page{}, err
	}
	e := s.event("everything", "R")
	e.Query = "Patient/" + c.id + "/$everything?" + q.text
	return g.page(v, e, q, found, permitted{standing: v.of(c.number).standing, decision: d, action: policy.Search})
}

// extent reads the parameters of $everything. Source: https://hl7.org/fhir/R4/patient-operation-everything.html.
func (g *Gate) extent(values url.Values) (count int, of record.Extent, err error) {
	count = -1
	for name, all := range values {
		if len(all) != 1 {
			return 0, of, outcome.New(outcome.Invalid, "this parameter is given more than once: keep one").At("parameter")
		}
		switch value := all[0]; name {
		case "_format", "_pretty":
		case "_count":
			if count, err = strconv.Atoi(value); err != nil || count < 1 {
				return 0, of, outcome.New(outcome.Invalid, "_count is a whole number, 1 or more").At("_count")
			}
		case "_type":
			for typ := range strings.SplitSeq(value, ",") {
				if !fhir.IsResourceType(typ) {
					return 0, of, outcome.New(outcome.Invalid, "_type lists resource types of FHIR R4, with commas between").At("_type")
				}
				of.Types = append(of.Types, typ)
			}
		case "_since":
			if of.Since, err = time.Parse(time.RFC3339Nano, value); err != nil {
				return 0, of, outcome.New(outcome.Invalid, "_since is an instant, such as 2026-11-01T00:00:00Z (a plus as %2B)").At("_since")
			}
		case "start", "end":
			at, err := time.ParseInLocation(time.DateOnly, value, g.zone)
			if err != nil {
				return 0, of, outcome.New(outcome.Invalid, "start and end are days, such as 2026-11-01").At(name)
			}
			if name == "start" {
				of.Start = at
			} else {
				of.End = at.AddDate(0, 0, 1)
			}
		default:
			return 0, of, outcome.New(outcome.NotSupported, "$everything takes _count, _since, _type, start and end").At("parameter")
		}
	}
	slices.Sort(of.Types)
	return count, of, nil
}
