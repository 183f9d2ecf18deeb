package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"chartwarden/internal/intake"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

func importFiles(ctx context.Context, args []string, out io.Writer) error {
	var c server.Config
	fs := flags("import", &c)
	atomic := fs.Bool("atomic", false, "one file is one transaction")
	reportFile := fs.String("report", "", "write the report as JSON to this file")
	if err := parse(fs, args, true); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	o := intake.Options{Paths: fs.Args(), Atomic: *atomic}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		o.Progress = func(p intake.Progress) {
			fmt.Fprintf(os.Stderr, "\r%d of %d files, %d stored", p.File, p.Files, p.Stored)
		}
	}
	report, err := intake.Run(ctx, s.Gate, o)
	if o.Progress != nil {
		fmt.Fprintln(os.Stderr)
	}
	report.Write(out)
	if *reportFile != "" {
		b, jsonErr := report.JSON()
		if jsonErr == nil {
			jsonErr = os.WriteFile(*reportFile, b, 0o600)
		}
		if jsonErr != nil && err == nil {
			err = outcome.Wrap("import: report", outcome.NoStore, "the report could not be written to "+*reportFile, jsonErr)
		}
	}
	if err != nil {
		return err
	}
	return s.Close()
}
