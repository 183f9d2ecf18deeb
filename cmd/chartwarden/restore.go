package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// restore brings an installation back from a copy, or with --drill only tries it.
func restore(ctx context.Context, l *line) error {
	var c server.Config
	var r server.Restoring
	l.installation(&c)
	l.StringVar(&r.From, "from", "", "`F` that `backup` wrote, or the folder of `serve --backup-to`")
	l.StringVar(&r.Keys, "keys", "", "`F` that `backup --keys-out` wrote; without, the keys in the folder")
	l.StringVar(&r.IdentityFile, "identity", "", "`F` with the age identity that opens the copies")
	l.StringVar(&r.KeyFile, "key-file", "", "`F`, the custodian's key file of the lost installation; or give --passphrase-file")
	head := l.String("head", "", "`FILE` with a head kept elsewhere: shows what is missing since the copy")
	drill := l.Bool("drill", false, "restore into a temporary directory, verify, report, and throw it away")
	report := l.String("report", "", "write the report as JSON to this `FILE` too")
	asJSON := l.Bool("json", false, "the report as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	switch {
	case r.From == "":
		return outcome.New(outcome.Required, "name the copy: --from F")
	case c.Data == "" && !*drill:
		return outcome.New(outcome.Required, "name the new data directory with --data DIR, or try the copy with --drill")
	case r.KeyFile == "" && c.PassphraseFile == "":
		return outcome.New(outcome.Required, "give the custodian's secret of the installation: --key-file F or --passphrase-file F")
	}
	if *head != "" {
		var err error
		if r.Heads, err = os.ReadFile(*head); err != nil {
			return outcome.New(outcome.NotFound, "the head file "+*head+" cannot be read: check --head")
		}
	}
	var done server.Restored
	var err error
	if *drill {
		done, err = server.Drill(ctx, c, r)
	} else {
		done, err = server.Restore(ctx, c, r)
	}
	if err != nil {
		return err
	}
	if *report != "" {
		f, err := os.OpenFile(*report, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return outcome.Wrap("restore: report", outcome.NotFound, "the report cannot be written to "+*report+": check the path and its rights", err)
		}
		if err := writeJSON(f, restored(done)); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	if *asJSON {
		err = writeJSON(l.out, restored(done))
	} else {
		printReport(l.out, done.Report)
		fmt.Fprintf(l.out, "copy of %s: %d rows back in %.1f s\n", done.Taken.Format(time.RFC3339), done.Rows, done.Seconds)
		if done.Erased > 0 {
			fmt.Fprintf(l.out, "erased again, as the log says: %d\n", done.Erased)
		}
		switch {
		case *drill:
		case c.Database != "":
			fmt.Fprintf(l.out, "Start it:  chartwarden serve --data %s --database URL\n", c.Data)
		default:
			fmt.Fprintf(l.out, "Start it:  chartwarden serve --data %s\n", c.Data)
		}
	}
	if err == nil && !done.Report.Holds() {
		err = errDoesNotHold
	}
	return err
}

// restoredReport is a restore as programs read it.
type restoredReport struct {
	server.Restored
	Verification plainReport `json:"verification"`
}

func restored(done server.Restored) restoredReport {
	return restoredReport{done, plain(done.Report)}
}
