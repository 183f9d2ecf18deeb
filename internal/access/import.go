package access

import (
	"context"
	"errors"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
)

// ImportResult is what became of one entry of an import.
type ImportResult struct {
	Written Written
	Skipped bool // it was here already, with this content
	Err     error
}

// Import stores entries for a job: one intent, one commit, one outcome for the batch. Entries are independent, except that one which
// refers to a rejected one is rejected with that reason. What an earlier run stored, by fullUrl or by the id that a PUT chose, is
// skipped. Results stand in the order of the entries. The error is one that stops everything, such as a log that takes no entry.
func (g *Gate) Import(ctx context.Context, p Principal, entries []Entry) ([]ImportResult, error) {
	out := make([]ImportResult, len(entries))
	var writes []record.Write
	var at []int
	rejected := map[string]bool{} // aliases and Type/id that will not be there
	reject := func(i int, err error) {
		out[i].Err = err
		rejected[entries[i].FullURL], rejected[entries[i].URL] = true, entries[i].Method == "PUT"
	}
	coming := 0 // patients of this batch who are new
	for i, e := range entries {
		w, ok, err := e.write()
		if err == nil && (!ok || w.Op == record.Delete) {
			err = outcome.New(outcome.NotSupported, "an import only brings records in: POST and PUT")
		}
		if err == nil {
			err = checkWrite(w)
		}
		if err == nil && w.Type == "Patient" && g.most > 0 {
			err = g.roomFor(ctx, e, &coming)
		}
		if err != nil {
			reject(i, err)
			continue
		}
		w.Local = false // a second run finds what this one stores
		if updated, ok := e.Doc.LastUpdated(); ok {
			w.EventTime = updated
		}
		writes, at = append(writes, w), append(at, i)
	}
	delete(rejected, "")
	for len(writes) > 0 {
		if len(rejected) > 0 {
			writes, at = g.dropReferrers(writes, at, rejected, reject)
			continue
		}
		written, err := g.store(ctx, p, "import", writes)
		var one faulty
		if errors.As(err, &one) {
			reject(at[one.index], one.err)
			delete(rejected, "")
			writes = append(writes[:one.index:one.index], writes[one.index+1:]...)
			at = append(at[:one.index:one.index], at[one.index+1:]...)
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, w := range written {
			out[at[i]].Written = w
			out[at[i]].Skipped = !w.Changed
		}
		break
	}
	return out, nil
}

// roomFor refuses a new patient beyond the bound; one who is here already is no new one.
func (g *Gate) roomFor(ctx context.Context, e Entry, coming *int) error {
	for _, name := range []string{e.FullURL, e.URL} {
		if here, err := g.records.Resolves(ctx, name); err != nil || here && name != "" {
			return err
		}
	}
	if *coming++; g.records.Patients()+*coming > g.most {
		return outcome.New(outcome.TooCostly, "a sandbox takes at most 5,000 patients: make an installation without --sandbox for more")
	}
	return nil
}

// dropReferrers takes out the writes that refer to something rejected, until none does; rejected is used up.
func (g *Gate) dropReferrers(writes []record.Write, at []int, rejected map[string]bool, reject func(int, error)) ([]record.Write, []int) {
	for len(rejected) > 0 {
		gone := map[string]bool{}
		for name := range rejected {
			gone[name] = true
			delete(rejected, name)
		}
		var kept []record.Write
		var places []int
		for i, w := range writes {
			if n, bad := refersTo(w.Doc, gone); bad {
				reject(at[i], outcome.New(outcome.Invalid, "it refers to an entry that was rejected").At(n.Expression()))
				delete(rejected, "")
				continue
			}
			kept, places = append(kept, w), append(places, at[i])
		}
		writes, at = kept, places
	}
	return writes, at
}

func refersTo(doc *document.Doc, names map[string]bool) (document.Node, bool) {
	for n := range doc.Root().All() {
		if n.Name() == "reference" && n.Kind() == document.String && names[n.Text()] {
			return n, true
		}
	}
	return document.Node{}, false
}
