package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// auditLog works on the log beside a running server; nothing it does appends to it but an export, which goes through the door.
func auditLog(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return outcome.New(outcome.Required, "say what to do: audit verify, audit export or audit head")
	}
	switch args[0] {
	case "verify":
		return auditVerify(ctx, args[1:], out)
	case "head":
		var c server.Config
		if err := parse(flags("audit head", &c), args[1:], false); err != nil {
			return err
		}
		note, err := server.Head(ctx, c)
		if err == nil {
			_, err = out.Write(note)
		}
		return err
	default:
		return outcome.New(outcome.Invalid, "there is no `audit "+args[0]+"` in this version; there are verify, export and head")
	}
}

func auditVerify(ctx context.Context, args []string, out io.Writer) error {
	var c server.Config
	var v server.Verification
	var keys many
	fs := flags("audit verify", &c)
	head := fs.String("head", "", "file with a head kept elsewhere: finds truncation and roll-back")
	fs.Var(&keys, "witness-key", "verifier key kept elsewhere, repeatable")
	asJSON := fs.Bool("json", false, "the report as JSON")
	if err := parse(fs, args, false); err != nil {
		return err
	}
	v.Keys = keys
	if *head != "" {
		var err error
		if v.Heads, err = os.ReadFile(*head); err != nil {
			return outcome.Wrap("audit verify", outcome.NotFound, "the head file "+*head+" cannot be read", err)
		}
	}
	report, err := server.VerifyData(ctx, c, v)
	if err != nil {
		return err
	}
	if *asJSON {
		if err := writeJSON(out, report); err != nil {
			return err
		}
	} else {
		printReport(out, report)
	}
	if !report.Holds() {
		return errDoesNotHold
	}
	return nil
}

func printReport(out io.Writer, r *audit.Report) {
	for _, l := range r.Logs {
		fmt.Fprintf(out, "log %s: %d entries, root %s, %d heads, key %s\n", l.Origin, l.Size, l.Root, l.Heads, l.Key)
	}
	fmt.Fprintf(out, "%d entries, %d payload parts opened, %d redacted, %d erased, %d record versions compared, %d heads from elsewhere compared\n",
		r.Entries, r.Opened, r.Redacted, r.Erased, r.Stored, r.Outside)
	for _, i := range r.Dangling {
		fmt.Fprintf(out, "note: entry %d is an intent whose outcome is not recorded\n", i.Number())
	}
	for _, n := range r.Notes {
		fmt.Fprintln(out, "note: "+n)
	}
	for _, f := range r.Faults {
		fmt.Fprintln(out, "FAULT "+f.String())
	}
	if r.More > 0 {
		fmt.Fprintf(out, "and %d more faults\n", r.More)
	}
	if r.Holds() {
		fmt.Fprintln(out, "holds")
		return
	}
	fmt.Fprintln(out, "DOES NOT HOLD")
}
