package main

import (
	"context"
	"fmt"

	"chartwarden/internal/ingest"
	"chartwarden/internal/outcome"
)

// convert writes another system's log as AuditEvents. Its rejected lines go to the standard error, or to a file.
func convert(ctx context.Context, l *line) error {
	var o ingest.Options
	var logs many
	l.StringVar(&o.Context, "context", "", "`DIR` as of replay, whose people and patients the log's identifiers lead to; without it they stay as they are")
	l.Var(&logs, "log", "`FILE` of accesses, ordered by time; may be repeated")
	form := formOf(l, "fhir")
	l.StringVar(&o.Out, "out", "", "`FILE` of AuditEvents, one a line")
	rejected := l.String("rejected", "", "`FILE` for the lines that could not be read")
	asJSON := l.Bool("json", false, "what was done as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	switch {
	case len(logs) == 0:
		return outcome.New(outcome.Required, "name the log: --log FILE")
	case o.Out == "":
		return outcome.New(outcome.Required, "name the output file: --out FILE")
	}
	o.Logs = logs
	var err error
	if o.Form, err = form(); err != nil {
		return err
	}
	sum, err := ingest.Convert(ctx, o, *rejected)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, sum)
	}
	tellForeign(l.out, sum.Foreign)
	fmt.Fprintf(l.out, "%d events, %d lines rejected\n", sum.Events, sum.Rejected)
	return nil
}
