// Package intake takes FHIR files in through the door: bundles (transaction, batch, collection), single resources, NDJSON, each also
// gzipped.
//
//	report, err := intake.Run(ctx, gate, intake.Options{Paths: []string{"synthea/"}})
//
// A first pass orders the files so that what others refer to comes first. Then each file is read as a stream and handed to the door in
// batches: one audit intent and one commit for each. An entry that cannot be stored is named with file, entry and reason, and never
// stops the rest, unless files are to be stored whole. A second run finds what the first stored (by fullUrl, id, or file and content)
// and skips it. Of several contents for one id the newest by meta.lastUpdated stays, without such dates the last that was new: content
// that was here before does not come back, neither over that of another file nor over what was changed or deleted here since. A reference by identifier whose target is not here is kept as it was sent, named in the report, and resolved when a
// later file or a later run brings the target.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Options of a run.
type Options struct {
	Paths []string // files and directories
	// Atomic stores a file whole, or nothing of it when one entry cannot be stored. Files that refer to each other are stored together.
	Atomic   bool
	Progress func(Progress)
	Now      func() time.Time
}

// Progress tells how far a run has come.
type Progress struct {
	File, Files int
	Stored      int
}

// Report is what a run did.
type Report struct {
	Files    int         `json:"files"`
	Stored   int         `json:"stored"`
	Skipped  int         `json:"skipped"` // were here already
	Rejected []Rejection `json:"rejected"`
	// Outdated are entries that were skipped since what is stored under their name went on from them: their content stood there before, or
	// is older by its meta.lastUpdated. Of two files that give one id different content the older is here.
	Outdated []Outdated `json:"outdated"`
	// Unresolved are references of stored entries that lead nowhere. Resolved is how many resources, of this run or an earlier one, found
	// the targets of theirs late; Waiting how many of all that are stored still wait for one by identifier.
	Unresolved []Unresolved   `json:"unresolved"`
	Resolved   int            `json:"resolved"`
	Waiting    int            `json:"waiting"`
	ByType     map[string]int `json:"by_type"` // stored
	Seconds    float64        `json:"seconds"`
}

// Rejection is one entry that was not stored. It holds the place and the reason, never a value.
type Rejection struct {
	File   string `json:"file"`
	Entry  int    `json:"entry"` // index in a bundle, line in NDJSON
	Type   string `json:"type,omitempty"`
	Reason string `json:"reason"`
	At     string `json:"at,omitempty"`
}

// Outdated is one entry whose resource went on from it. It holds the place alone.
type Outdated struct {
	File  string `json:"file"`
	Entry int    `json:"entry"`
	Type  string `json:"type"`
}

// Unresolved is one reference that leads nowhere, of an entry that was stored. It holds the place, never the reference.
type Unresolved struct {
	File   string `json:"file"`
	Entry  int    `json:"entry"`
	Type   string `json:"type"`
	At     string `json:"at"`
	Reason string `json:"reason"`

	id, ahead string // of the resource; the literal reference
}

// batchSize bounds what one commit holds; a bundle below it is one batch, so its entries may refer to each other in any order.
const batchSize = 4000

// Run takes the files in. The error is one that stops everything (no such path, no audit); rejected entries are in the report.
func Run(ctx context.Context, gate *access.Gate, o Options) (Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	start := o.Now()
	report := Report{ByType: map[string]int{}}
	plan, err := survey(o.Paths)
	if err != nil {
		return report, err
	}
	report.Files = len(plan.files)
	run := &run{ctx: ctx, gate: gate, report: &report, whole: o.Atomic, plan: plan}
	done := 0
	for b := range ahead(plan.read(o.Atomic)) {
		if err := run.store(b); err != nil {
			return report, err
		}
		done += len(b.ends)
		if o.Progress != nil {
			o.Progress(Progress{File: done, Files: report.Files, Stored: report.Stored})
		}
	}
	if err := run.finish(); err != nil {
		return report, err
	}
	report.Seconds = o.Now().Sub(start).Seconds()
	return report, nil
}

// Rate is the number of stored and skipped resources a second.
func (r Report) Rate() float64 {
	if r.Seconds == 0 {
		return 0
	}
	return float64(r.Stored+r.Skipped) / r.Seconds
}

// Write prints the report for people.
func (r Report) Write(w io.Writer) {
	types := make([]string, 0, len(r.ByType))
	for t := range r.ByType {
		types = append(types, t)
	}
	slices.SortFunc(types, func(a, b string) int { return r.ByType[b] - r.ByType[a] })
	for _, t := range types {
		fmt.Fprintf(w, "%8d %s\n", r.ByType[t], t)
	}
	for _, x := range r.Rejected {
		fmt.Fprintf(w, "rejected %s entry %d %s: %s", x.File, x.Entry, x.Type, x.Reason)
		if x.At != "" {
			fmt.Fprintf(w, " (at %s)", x.At)
		}
		fmt.Fprintln(w)
	}
	const enough = 50
	for i, x := range r.Outdated {
		if i == enough {
			fmt.Fprintf(w, "and %d more entries that are older than what is stored: see the report\n", len(r.Outdated)-enough)
			break
		}
		fmt.Fprintf(w, "outdated %s entry %d %s: what is stored went on from this content, and stays\n", x.File, x.Entry, x.Type)
	}
	for i, x := range r.Unresolved {
		if i == enough {
			fmt.Fprintf(w, "and %d more references that lead nowhere: see the report\n", len(r.Unresolved)-enough)
			break
		}
		fmt.Fprintf(w, "unresolved %s entry %d %s: %s (at %s)\n", x.File, x.Entry, x.Type, x.Reason, x.At)
	}
	if r.Resolved > 0 {
		fmt.Fprintf(w, "%d resources found the targets of their references late\n", r.Resolved)
	}
	if r.Waiting > 0 {
		fmt.Fprintf(w, "%d resources wait for the target of a reference by identifier: import what they refer to\n", r.Waiting)
	}
	fmt.Fprintf(w, "%d stored, %d skipped (already here), %d rejected, from %d files in %.1f s: %.0f resources/s\n",
		r.Stored, r.Skipped, len(r.Rejected), r.Files, r.Seconds, r.Rate())
}

// JSON is the report for programs.
func (r Report) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

func rejection(file string, e access.Entry, err error) Rejection {
	x := Rejection{File: file, Entry: e.Index, Reason: err.Error()}
	if e.Doc != nil && fhir.IsResourceType(e.Doc.Type()) {
		x.Type = e.Doc.Type()
	}
	var o *outcome.Error
	if errors.As(err, &o) {
		x.Reason, x.At = o.Public, o.Expression
	}
	return x
}
