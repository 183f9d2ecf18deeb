package main

import (
	"context"
	"fmt"

	"chartwarden/internal/server"
)

// move takes an installation from its data directory to PostgreSQL.
func move(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	to := l.String("to", "", "postgres://... `URL` of an empty database")
	if err := l.parse(); err != nil {
		return err
	}
	done, err := server.Move(ctx, c, *to)
	if err != nil {
		return err
	}
	printReport(l.out, done.Report)
	fmt.Fprintf(l.out, "%d rows went over. The former files stay in %s under names that end in .moved: remove them once a copy of the database is made.\n", done.Rows, c.Data)
	fmt.Fprintf(l.out, "Start it:  chartwarden serve --data %s --database URL\n", c.Data)
	if !done.Report.Holds() {
		return errDoesNotHold
	}
	return nil
}
