package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"chartwarden/internal/ingest"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// replay judges a recorded log, of this system or of another. It needs no installation.
func replay(ctx context.Context, l *line) error {
	var o ingest.Options
	var logs many
	l.StringVar(&o.Context, "context", "", "`DIR` with FHIR R4 NDJSON, one file a type, and roster.csv, leavers.csv, devices.csv")
	l.Var(&logs, "log", "`FILE` of accesses, ordered by time; may be repeated")
	form := formOf(l, "fhir")
	show := l.String("print-map", "", "print the mapping of the preset `NAME`, to begin one's own with, and do nothing else")
	l.StringVar(&o.Out, "out", "", "`DIR` for verdicts.ndjson, cases.ndjson, audits.ndjson, rejected.ndjson and report.json")
	l.Float64Var(&o.Budget, "budget", 2, "expected false cases for 1,000 active people and day in the review queue")
	l.Uint64Var(&o.Seed, "seed", 1, "of the draws; the same seed gives the same bytes")
	asJSON := l.Bool("json", false, "the report as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if *show != "" {
		m, err := foreign.Preset(*show)
		if err == nil {
			_, err = io.WriteString(l.out, m.Text)
		}
		return err
	}
	switch {
	case o.Context == "":
		return outcome.New(outcome.Required, "name the context: --context DIR")
	case len(logs) == 0:
		return outcome.New(outcome.Required, "name the log: --log FILE")
	case o.Out == "":
		return outcome.New(outcome.Required, "name the output directory: --out DIR")
	case !(o.Budget > 0) || math.IsInf(o.Budget, 1): // NaN is no number of cases
		return outcome.New(outcome.Value, "--budget is a number of cases above 0")
	}
	o.Logs = logs
	var err error
	if o.Form, err = form(); err != nil {
		return err
	}
	sum, err := ingest.Replay(ctx, o)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, sum)
	}
	tellForeign(l.out, sum.Foreign)
	fmt.Fprintf(l.out, "%d events, %d accesses, %.1f %% explained (permuted %.1f %%), %d cases, %d lines rejected, %.0f events/s\n", sum.Events, sum.Accesses,
		100*sum.ExplainedShare, 100*sum.PermutedShare, sum.Cases, sum.Rejected, sum.EventsPerSecond)
	return nil
}

// formOf defines the flags that say how a log is written, and how when they say nothing; call what it returns after parsing.
func formOf(l *line, usual string) func() (ingest.Form, error) {
	name := l.String("format", usual, "`NAME` of how the log is written: fhir, atna, auto, "+strings.Join(foreign.Presets(), ", "))
	mapping := l.String("map", "", "`FILE` that says how the tables of any other system are read (docs/formats/foreign-logs.md)")
	zone := l.String("zone", "", "time `ZONE` of times that name none, for example America/New_York")
	return func() (ingest.Form, error) {
		text := ""
		if *mapping != "" {
			b, err := os.ReadFile(*mapping)
			if err != nil {
				return ingest.Form{}, outcome.New(outcome.NotFound, "the mapping "+*mapping+" cannot be read: name a readable file by --map")
			}
			if text = string(b); strings.TrimSpace(text) == "" {
				return ingest.Form{}, outcome.New(outcome.Invalid, "the mapping "+*mapping+" is empty: `chartwarden replay --print-map epic-purview` shows one")
			}
		}
		return ingest.FormOf(*name, *mapping, text, *zone)
	}
}

// tellForeign says in one line what was met in logs of other systems.
func tellForeign(w io.Writer, f *foreign.Report) {
	if f == nil {
		return
	}
	fmt.Fprintf(w, "%d rows: %d duplicates, %d put in order, %d out of order, %d people and %d patients the context does not know, %d unknown words for an act\n",
		f.Rows, f.Duplicates, f.PutInOrder, f.OutOfOrder, f.UnknownPeople, f.UnknownPatients, len(f.UnknownActs)+f.MoreActs)
	for _, note := range f.Notes {
		fmt.Fprintln(w, "note:", note)
	}
}
