package access

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
)

// ImportResult is what became of one entry of an import.
type ImportResult struct {
	Written Written
	Skipped bool // it was here already, with this content
	// Behind says that it was skipped since what is stored went on from it: an earlier version had this content, or the current one is
	// newer by its meta.lastUpdated.
	Behind bool
	Err    error
	// Later says that it refers to what a later part brings, which has to be here first: nothing was stored, hand it in again.
	Later bool
	// Ahead are references that were stored although their targets come in a later part.
	Ahead []Ahead
}

// Ahead is a literal reference to what a later part of an import brings.
type Ahead struct{ At, Reference string }

// Import stores entries for a job: one intent, one commit, one outcome for the batch. Entries are independent, except that one which
// refers to a rejected one that is not here yet is rejected with that reason. What an earlier run stored, by fullUrl or by the id that
// a PUT chose, is skipped. A conditional or logical reference that leads nowhere yet is kept as it was sent and waits for its target
// ([Written.Awaited], [Gate.ImportAwaited]). Results stand in the order of the entries. The error is one that stops everything, such
// as a log that takes no entry.
func (g *Gate) Import(ctx context.Context, p Principal, entries []Entry) ([]ImportResult, error) {
	return g.ImportPart(ctx, p, entries, nil)
}

// ImportPart is [Gate.Import] of a part of something larger: coming reports whether a reference, literal or conditional, leads to
// what later parts bring.
func (g *Gate) ImportPart(ctx context.Context, p Principal, entries []Entry, coming func(reference string) bool) ([]ImportResult, error) {
	out := make([]ImportResult, len(entries))
	var writes []record.Write
	var at []int
	gone := map[string]bool{} // names that will not be there
	reject := func(i int, err error) {
		out[i] = ImportResult{Err: err}
		gone[entries[i].FullURL] = true
		if entries[i].Method == "PUT" {
			gone[entries[i].URL] = true
		}
		delete(gone, "")
	}
	room := 0 // patients of this batch who are new
	for i, e := range entries {
		w, err := g.incoming(ctx, e, &room)
		if err != nil {
			reject(i, err)
			continue
		}
		writes, at = append(writes, w), append(at, i)
	}
	for len(writes) > 0 {
		ahead := map[int][]Ahead{}
		faults, err := g.dangling(ctx, writes, gone, coming, ahead)
		var written []Written
		if err == nil && len(faults) == 0 {
			written, err = g.put(ctx, p, "import", writes)
		}
		var one faulty
		if errors.As(err, &one) {
			one.later = coming != nil && waitsForPatient(writes[one.index].Doc, coming)
			faults, err = []faulty{one}, nil
		}
		if err != nil {
			return nil, err
		}
		for i, w := range written {
			out[at[i]] = ImportResult{Written: w, Skipped: !w.Changed, Behind: w.behind, Ahead: ahead[i]}
		}
		if len(faults) == 0 {
			break
		}
		for _, f := range faults {
			reject(at[f.index], f.err)
			out[at[f.index]].Later = f.later
		}
		var sound []record.Write
		var places []int
		for i, place := range at {
			if out[place].Err == nil {
				sound, places = append(sound, writes[i]), append(places, place)
			}
		}
		writes, at = sound, places
	}
	return out, nil
}

// waitsForPatient reports whether doc names a patient by an identifier with whom a later part comes.
func waitsForPatient(doc *document.Doc, coming func(string) bool) bool {
	for n := range doc.Root().All() {
		if ref := n.Text(); n.Name() == "reference" && strings.Contains(ref, "Patient?") && coming(ref) {
			return true
		}
	}
	for n := range fhir.ReferenceElements(doc) {
		id := n.Get("identifier")
		asked := url.Values{"identifier": {id.Get("system").Text() + "|" + id.Get("value").Text()}}
		if !n.Get("reference").Exists() && id.Get("value").Exists() && coming("Patient?"+asked.Encode()) {
			return true
		}
	}
	return false
}

// Unresolved is how many resources keep a reference as it was sent, since its target is not here. Errors: outcome.NoStore.
func (g *Gate) Unresolved(ctx context.Context) (int, error) { return g.records.Waiting(ctx) }

// Leads reports whether a literal reference leads somewhere, for who brings records in. Errors: outcome.NoStore.
func (g *Gate) Leads(ctx context.Context, reference string) (bool, error) {
	return g.records.Resolves(ctx, reference)
}

// ImportWhole is [Gate.Import] of all entries or none: when one cannot be stored its Err says why, and nothing is stored.
func (g *Gate) ImportWhole(ctx context.Context, p Principal, entries []Entry) ([]ImportResult, error) {
	out := make([]ImportResult, len(entries))
	writes := make([]record.Write, len(entries))
	coming := 0
	for i, e := range entries {
		if writes[i], out[i].Err = g.incoming(ctx, e, &coming); out[i].Err != nil {
			return out, nil
		}
	}
	written, err := g.store(ctx, p, "import", writes)
	var one faulty
	if errors.As(err, &one) {
		out[one.index].Err = one.err
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for i, w := range written {
		out[i] = ImportResult{Written: w, Skipped: !w.Changed, Behind: w.behind}
	}
	return out, nil
}

// incoming makes a valid write of an entry; coming counts the patients of the batch who are new.
func (g *Gate) incoming(ctx context.Context, e Entry, coming *int) (record.Write, error) {
	w, ok, err := e.write()
	if err == nil && (!ok || w.Op == record.Delete) {
		err = outcome.New(outcome.NotSupported, "an import only brings records in: POST and PUT")
	}
	if err == nil {
		err = checkWrite(w)
	}
	if err == nil && w.Type == "Patient" && g.most > 0 {
		err = g.roomFor(ctx, e, coming)
	}
	if err != nil {
		return w, err
	}
	w.Local = false // a second run finds what this one stores
	w.Await, w.Onward, w.IfNoneExist = true, true, e.IfNoneExist
	if updated, ok := e.Doc.LastUpdated(); ok {
		w.EventTime = updated
	}
	return w, nil
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
