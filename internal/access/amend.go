package access

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Whoever sees a resource masked cannot send it back whole without losing what the mask hides. For the few elements that are hers to
// keep, the door changes them itself: it opens the stored version whole, under an entry, shows it to nobody, and puts new values in.

// whole is a stored resource inside the door, opened to be changed.
type whole struct {
	doc     *document.Doc
	version int64
	entry   string
	typ     string
}

// Amend replaces top-level elements of a resource by the JSON given for each, drops those for which none is given, and keeps the rest,
// of which p may not even see all. ifMatch is the version that p saw, or zero.
//
// Errors: those of [Gate.Update]; outcome.Forbidden for an element whose field group p does not write.
func (g *Gate) Amend(ctx context.Context, p Principal, typ, id string, ifMatch int64, elements map[string]string) (Written, error) {
	a, err := g.opened(ctx, p, typ, id, slices.Collect(maps.Keys(elements))...)
	if err != nil {
		return Written{}, err
	}
	if ifMatch != 0 && ifMatch != a.version {
		return Written{}, outcome.New(outcome.Precondition, "somebody changed this meanwhile: look at it again")
	}
	w, err := a.with(elements)
	if err != nil {
		return Written{}, err
	}
	done, err := g.write(ctx, p, "update", []record.Write{w})
	if err != nil {
		return Written{}, unindexed(err)
	}
	return done[0], nil
}

// opened opens a resource to change the elements of which p must be allowed to write each.
func (g *Gate) opened(ctx context.Context, p Principal, typ, id string, elements ...string) (whole, error) {
	x, err := g.records.Read(ctx, typ, id)
	if outcome.Is(err, outcome.NotFound) {
		return whole{}, g.absent(ctx, p, policy.Write, "update", typ, err)
	}
	if outcome.Is(err, outcome.Deleted) {
		return whole{}, g.erased(ctx, p, policy.Write, "update", typ, id, err)
	}
	if err != nil {
		return whole{}, err
	}
	c, err := g.chartOf(ctx, x)
	if err != nil {
		return whole{}, err
	}
	s, d, err := g.permit(ctx, p, policy.Write, "update", c, func(s standing) policy.Resource { return s.resource(x) })
	if err != nil {
		return whole{}, err
	}
	for _, element := range elements {
		r := s.resource(x)
		r.Group = string(fhir.ElementGroup(typ, element))
		if d := g.decide(s, policy.Write, r); !d.Allowed {
			return whole{}, g.refuse(ctx, s, policy.Write, "update", r, d)
		}
	}
	if err := x.Fault(); err != nil {
		return whole{}, err
	}
	e := s.event("read", "R")
	e.PolicyHash = d.Hash
	part := permitted{s, d, []*record.Sealed{x}, policy.Write}
	if err := g.withinQuota(ctx, e, []permitted{part}); err != nil {
		return whole{}, err
	}
	e.Patients = append(e.Patients, part.entry(s.reason(d)))
	receipt, err := g.log.Disclose(ctx, e)
	if err != nil {
		return whole{}, err
	}
	doc, err := x.Open(receipt)
	return whole{doc, x.Version(), receipt.Entry(), typ}, err
}

// with is the write that puts new elements in.
func (a whole) with(elements map[string]string) (record.Write, error) {
	root := a.doc.Root()
	var edits []document.Edit
	added := ""
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		value := elements[name]
		if value != "" && !json.Valid([]byte(value)) {
			return record.Write{}, outcome.New(outcome.Structure, "this is not JSON").At(a.typ + "." + name)
		}
		if old := root.Get(name); old.Exists() && value != "" {
			start, end := old.Span()
			edits = append(edits, document.Edit{Start: start, End: end, With: []byte(value)})
			continue
		}
		if value != "" {
			added += "," + quoted(name) + ":" + value
		}
	}
	doc, err := a.doc.Splice(edits...)
	if err != nil {
		return record.Write{}, err
	}
	drop := func(name string) bool { value, named := elements[name]; return named && value == "" }
	if doc, err = rewritten(doc, drop, added); err != nil {
		return record.Write{}, err
	}
	return record.Write{Op: record.Update, Type: a.typ, ID: a.doc.ID(), Doc: doc, IfMatch: a.version, Kept: true}, nil
}

// rewritten leaves top-level elements out and adds members at the end.
func rewritten(doc *document.Doc, drop func(string) bool, added string) (*document.Doc, error) {
	out, first := []byte{'{'}, true
	for n := range doc.Root().Fields() {
		if drop(n.Name()) {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, quoted(n.Name())+":"...)
		out = append(out, n.Raw()...)
	}
	return document.Parse(append(append(out, added...), '}'))
}

// quoted is a JSON string.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}

// unindexed is the error of one write among several, without its number.
func unindexed(err error) error {
	var at faulty
	if errors.As(err, &at) {
		return at.err
	}
	return err
}
