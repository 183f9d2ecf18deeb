package main

import (
	"context"
	"fmt"

	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// replay judges a recorded log, of this system or of another. It needs no installation.
func replay(ctx context.Context, l *line) error {
	var o ingest.Options
	var logs many
	l.StringVar(&o.Context, "context", "", "`DIR` with FHIR R4 NDJSON, one file a type, and roster.csv, leavers.csv, devices.csv")
	l.Var(&logs, "log", "`FILE` of AuditEvents, one a line, ordered by time; may be repeated")
	l.StringVar(&o.Out, "out", "", "`DIR` for verdicts.ndjson, cases.ndjson, rejected.ndjson and report.json")
	l.Float64Var(&o.Budget, "budget", 2, "expected false cases for 1,000 active people and day in the review queue")
	l.Uint64Var(&o.Seed, "seed", 1, "of the draws; the same seed gives the same bytes")
	asJSON := l.Bool("json", false, "the report as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	switch {
	case o.Context == "":
		return outcome.New(outcome.Required, "name the context: --context DIR")
	case len(logs) == 0:
		return outcome.New(outcome.Required, "name the log: --log FILE")
	case o.Out == "":
		return outcome.New(outcome.Required, "name the output directory: --out DIR")
	case o.Budget <= 0:
		return outcome.New(outcome.Value, "--budget is a number of cases above 0")
	}
	o.Logs = logs
	sum, err := ingest.Replay(ctx, o)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, sum)
	}
	fmt.Fprintf(l.out, "%d events, %d accesses, %.1f %% explained (permuted %.1f %%), %d cases, %d lines rejected, %.0f events/s\n", sum.Events, sum.Accesses,
		100*sum.ExplainedShare, 100*sum.PermutedShare, sum.Cases, sum.Rejected, sum.EventsPerSecond)
	return nil
}
