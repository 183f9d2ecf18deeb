// Package intake takes FHIR files in through the door: bundles (transaction, batch, collection), single resources, NDJSON, each also
// gzipped.
//
//	report, err := intake.Run(ctx, gate, intake.Options{Paths: []string{"synthea/"}})
//
// A first pass orders the files so that what others refer to comes first. Then each file is read as a stream and handed to the door in
// batches: one audit intent and one commit for each. An entry that cannot be stored is named with file, entry and reason, and never
// stops the rest, unless files are to be stored whole. A second run finds what the first stored (by fullUrl or id) and skips it.
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
	Paths    []string // files and directories
	Atomic   bool     // a file is stored whole, or nothing of it when one entry cannot be stored
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
	Files    int            `json:"files"`
	Stored   int            `json:"stored"`
	Skipped  int            `json:"skipped"` // were here already
	Rejected []Rejection    `json:"rejected"`
	ByType   map[string]int `json:"by_type"` // stored
	Seconds  float64        `json:"seconds"`
}

// Rejection is one entry that was not stored. It holds the place and the reason, never a value.
type Rejection struct {
	File   string `json:"file"`
	Entry  int    `json:"entry"` // index in a bundle, line in NDJSON
	Type   string `json:"type,omitempty"`
	Reason string `json:"reason"`
	At     string `json:"at,omitempty"`
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
	files, err := order(o.Paths)
	if err != nil {
		return report, err
	}
	report.Files = len(files)
	run := &run{ctx: ctx, gate: gate, report: &report, whole: o.Atomic}
	done := 0
	for b := range ahead(read(files, o.Atomic)) {
		if err := run.store(b); err != nil {
			return report, err
		}
		if b.last {
			done++
		}
		if o.Progress != nil {
			o.Progress(Progress{File: done, Files: len(files), Stored: report.Stored})
		}
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
	fmt.Fprintf(w, "%d stored, %d skipped (already here), %d rejected, from %d files in %.1f s: %.0f resources/s\n",
		r.Stored, r.Skipped, len(r.Rejected), r.Files, r.Seconds, r.Rate())
}

// JSON is the report for programs.
func (r Report) JSON() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

type run struct {
	ctx    context.Context
	gate   *access.Gate
	report *Report
	whole  bool // a file is stored whole or not at all
}

// store hands one batch to the door and counts what became of it.
func (r *run) store(b batch) error {
	r.report.Rejected = append(r.report.Rejected, b.bad...)
	if b.err != nil || len(b.entries) == 0 || r.whole && len(b.bad) > 0 {
		return b.err
	}
	take := r.gate.Import
	if r.whole {
		take = r.gate.ImportWhole
	}
	results, err := take(r.ctx, access.Job("import"), b.entries)
	if err != nil {
		return err
	}
	for i, res := range results {
		switch {
		case res.Err != nil:
			r.report.Rejected = append(r.report.Rejected, rejection(b.file, b.entries[i], res.Err))
		case res.Skipped:
			r.report.Skipped++
		case res.Written.ID != "": // it has none in a file that was refused whole
			r.report.Stored++
			r.report.ByType[res.Written.Type]++
		}
	}
	return nil
}

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
