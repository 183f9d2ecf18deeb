package access

import (
	"cmp"
	"context"
	"slices"

	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// medium is how a chart leaves the door.
type medium struct{ action, interaction string }

var (
	onScreen = medium{policy.Read, "chart"}
	onPaper  = medium{policy.Print, "print"}
)

// paperful is how many records come on paper at once: what more there is needs a second person, by deny.print.
const paperful = 200

// Print opens the chart of a patient as [Gate.Chart] does, to be put on paper: an act of its own, decided as such and written down as a
// print. Beyond a paperful the oldest records of the type with the most of them stay behind. A broken glass opens to reading and never
// prints.
//
// Errors: those of [Gate.Chart].
func (g *Gate) Print(ctx context.Context, p Principal, patientID string, types ...string) (*Chart, error) {
	p.Glass = ""
	return g.folder(ctx, p, patientID, onPaper, "Condition", types...)
}

// PrintFolder is [Gate.Print] of what [Gate.Folder] opens.
func (g *Gate) PrintFolder(ctx context.Context, p Principal, patientID string, first string, more ...string) (*Chart, error) {
	p.Glass = ""
	return g.folder(ctx, p, patientID, onPaper, first, append([]string{first}, more...)...)
}

// sheet keeps what goes on paper, and counts what does not: rare types come whole, since nobody misses what is not on a paper.
func sheet(found []*record.Sealed) (kept []*record.Sealed, left int) {
	of := map[string]int{}
	for _, x := range found {
		of[x.Type()]++
	}
	slices.SortStableFunc(found, func(a, b *record.Sealed) int {
		return cmp.Or(cmp.Compare(of[a.Type()], of[b.Type()]), cmp.Compare(a.Type(), b.Type()))
	})
	n := min(len(found), paperful)
	return found[:n], len(found) - n
}
