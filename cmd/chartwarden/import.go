package main

import (
	"context"
	"fmt"
	"os"

	"chartwarden/internal/intake"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

func importFiles(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	atomic := l.Bool("atomic", false, "one file is one transaction")
	reportFile := l.String("report", "", "write the report as JSON to this `FILE`")
	asJSON := l.Bool("json", false, "print the report as JSON")
	paths, err := l.parseWith()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return outcome.New(outcome.Required, "name at least one file or directory to import: "+l.Name()+" "+l.command.form)
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Watches() {
		return outcome.New(outcome.Conflict, "this installation watches another record system and holds no charts: what says who is who there goes into the directory of `chartwarden watch --context`")
	}
	o := intake.Options{Paths: paths, Atomic: *atomic}
	screen := terminal()
	if screen != nil {
		o.Progress = func(p intake.Progress) {
			fmt.Fprintf(screen, "\r%d of %d files, %d stored", p.File, p.Files, p.Stored)
		}
	}
	report, err := intake.Run(ctx, s.Gate, o)
	if report.Files == 0 && err != nil {
		return err
	}
	if screen != nil {
		fmt.Fprintln(screen)
	}
	if ctx.Err() != nil {
		err = outcome.New(outcome.Invalid, "stopped before the end: what is stored stays, and a second run goes on from there")
	}
	if told := tell(l, report, *asJSON, *reportFile); err == nil {
		err = told
	}
	if closed := s.Close(); err == nil {
		err = closed
	}
	return err
}

// tell prints the report, and writes it to a file where one is named.
func tell(l *line, report intake.Report, asJSON bool, file string) error {
	b, err := report.JSON()
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if asJSON {
		_, err = l.out.Write(b)
	} else {
		report.Write(l.out)
	}
	if err != nil || file == "" {
		return err
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return outcome.Wrap("import: report", outcome.NotFound, "the report cannot be written to "+file+": check the path and its rights", err)
	}
	return nil
}
