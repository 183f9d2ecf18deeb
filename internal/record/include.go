package record

import (
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

const (
	includeDepth = 4    // how often :iterate goes on
	mostIncluded = 1000 // beside one page
)

// include follows _include and _revinclude from the hits of a page, and from what was included where :iterate asks for it. Each
// resource comes once, and only if the asker may see it.
func (f *finder) include(hits []hit) ([]candidate, error) {
	q := f.r.Query
	if len(q.Includes) == 0 {
		return nil, nil
	}
	met := map[fhir.RecordID]bool{}
	from := make([]*candidate, len(hits))
	for i := range hits {
		from[i] = &hits[i].candidate
		met[hits[i].sealed.Record()] = true
	}
	var out []candidate
	for depth := 0; depth < includeDepth && len(from) > 0; depth++ {
		var next []*candidate
		for _, in := range q.Includes {
			if depth > 0 && !in.Iterate {
				continue
			}
			for _, c := range from {
				found, err := f.follow(c, in)
				if err != nil {
					return nil, err
				}
				for _, x := range found {
					if met[x.sealed.Record()] {
						continue
					}
					if len(met)-len(hits) == mostIncluded {
						return nil, outcome.New(outcome.TooCostly, "more than 1000 resources would be included: ask for fewer at a time with _count")
					}
					met[x.sealed.Record()] = true
					next = append(next, x)
				}
			}
		}
		for _, x := range next {
			out = append(out, *x)
		}
		from = next
	}
	return out, nil
}

// follow gives what one inclusion leads to from one resource.
func (f *finder) follow(c *candidate, in search.Include) (out []*candidate, err error) {
	if in.Reversed {
		if in.Target != "" && in.Target != c.sealed.Type() {
			return nil, nil
		}
		found, err := f.referrers(c, in.Type, in.Param)
		for i := range found {
			out = append(out, &found[i])
		}
		return out, err
	}
	if c.sealed.Type() != in.Type {
		return nil, nil
	}
	params := []*search.Param{in.Param}
	if in.Param == nil {
		params = references(in.Type)
	}
	for _, p := range params {
		values, err := f.values(c, p)
		if err != nil {
			return nil, err
		}
		for i := range values {
			if values[i].ID == "" || in.Target != "" && values[i].Kind != in.Target {
				continue
			}
			x, err := f.named(fhir.Ref{Type: values[i].Kind, ID: values[i].ID}, false)
			if err != nil {
				return nil, err
			}
			if x != nil {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// references are the reference parameters of a type.
func references(typ string) (out []*search.Param) {
	for _, p := range search.Params(typ) {
		if p.Type == search.Reference {
			out = append(out, p)
		}
	}
	return out
}
