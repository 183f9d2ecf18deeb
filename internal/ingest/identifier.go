package ingest

import (
	"slices"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// identified is a record of the context with the identifiers by which other systems know it.
type identified struct {
	record detect.Record
	known  []foreign.ID
}

// numbered are the types whose resources other systems' logs name by an identifier or a name.
var numbered = []string{"Practitioner/", "Patient/", "Location/", "Organization/", "HealthcareService/"}

// resource reads one resource and its identifiers.
func resource(line string) (r identified, why string) {
	if r.record, why = Resource(line); why != "" {
		return r, why
	}
	if typ, id, _ := strings.Cut(r.record.Ref, "/"); slices.Contains(numbered, typ+"/") {
		r.known = append(identifiers(line), foreign.ID{Value: id})
	}
	return r, ""
}

// identifiers lists a resource's identifiers, and the name of a place.
func identifiers(line string) (out []foreign.ID) {
	c := cursor{s: line}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "name":
			if name := c.text(); name != "" { // a string: that of a place, never of a human
				out = append(out, foreign.ID{Value: name})
			}
		case "alias":
			for in := c.array(); in && c.more(']'); {
				out = append(out, foreign.ID{Value: c.text()})
			}
		case "identifier":
			for in := c.array(); in && c.more(']'); {
				out = append(out, c.identifier())
			}
		default:
			c.skip()
		}
	}
	return out
}

func (c *cursor) identifier() (id foreign.ID) {
	if !c.is('{') {
		c.skip()
		return id
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "system":
			id.System = c.text()
		case "value":
			id.Value = c.text()
		default:
			c.skip()
		}
	}
	return id
}
