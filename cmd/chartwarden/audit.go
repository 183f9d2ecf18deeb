package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// auditVerify recomputes a log in its data directory, or one that was exported. It writes nothing and takes no lock.
func auditVerify(ctx context.Context, l *line) error {
	var c server.Config
	var keys many
	l.installation(&c)
	bundle := l.String("bundle", "", "exported `DIR` instead of an installation; needs neither keys nor server")
	head := l.String("head", "", "`FILE` with a head kept elsewhere: finds truncation and roll-back")
	l.Var(&keys, "witness-key", "verifier `KEY` kept elsewhere, repeatable: of a witness, which must have cosigned the log and is asked when it can be, or of the log itself")
	l.only(&c, "witness")
	within := l.Duration("witness-within", 24*time.Hour, "how old the newest signature of a witness may be that cannot be asked: a `DURATION`")
	offline := l.Bool("offline", false, "ask no witness")
	asJSON := l.Bool("json", false, "the report as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	var heads []byte
	if *head != "" {
		var err error
		if heads, err = os.ReadFile(*head); err != nil {
			return outcome.New(outcome.NotFound, "the head file "+*head+" cannot be read: check --head")
		}
	}
	var report *audit.Report
	var err error
	if *bundle != "" {
		report, err = audit.VerifyBundle(ctx, *bundle, audit.VerifyOptions{Keys: keys, Heads: heads})
	} else if *within <= 0 {
		return outcome.New(outcome.Value, "write --witness-within as a duration such as 90m or 24h").At("--witness-within")
	} else {
		report, err = server.VerifyData(ctx, c, server.Verification{Heads: heads, Keys: keys, Within: *within, Offline: *offline})
	}
	if err != nil {
		return err
	}
	if *asJSON {
		err = writeJSON(l.out, plain(report))
	} else {
		printReport(l.out, report)
	}
	if err == nil && !report.Holds() {
		err = errDoesNotHold
	}
	return err
}

// auditHead prints the newest signed head: what is worth keeping elsewhere.
func auditHead(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	cosigned := l.Bool("cosigned", false, "the newest head that a witness signed, which may be a minute old")
	if err := l.parse(); err != nil {
		return err
	}
	note, err := server.Head(ctx, c, *cosigned)
	if err == nil {
		_, err = l.out.Write(note)
	}
	return err
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

// plainReport is a report as programs read it.
type plainReport struct {
	Holds    bool         `json:"holds"`
	Logs     []plainLog   `json:"logs"`
	Entries  int64        `json:"entries"`
	Opened   int64        `json:"payloads_opened"`
	Redacted int64        `json:"payloads_redacted"`
	Erased   int64        `json:"payloads_erased"`
	Locked   int64        `json:"payloads_locked"` // not opened for want of a key
	Stored   int64        `json:"record_versions"`
	Outside  int          `json:"heads_compared"`
	Dangling []int64      `json:"dangling_intents"`
	Notes    []string     `json:"notes"`
	Faults   []plainFault `json:"faults"`
	More     int64        `json:"more_faults"` // beyond the list
}

type plainLog struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
	Heads  int    `json:"heads"`
	Key    string `json:"key"`
}

type plainFault struct {
	Log    string `json:"log"`
	Index  *int64 `json:"index,omitempty"` // absent: of no single entry
	Record string `json:"record,omitempty"`
	Row    string `json:"row,omitempty"` // table and row, of rows beside the records
	What   string `json:"what"`
}

func plain(r *audit.Report) plainReport {
	out := plainReport{Holds: r.Holds(), Logs: []plainLog{}, Entries: r.Entries, Opened: r.Opened, Redacted: r.Redacted, Erased: r.Erased, Locked: r.Locked,
		Stored: r.Stored, Outside: r.Outside, Dangling: []int64{}, Notes: append([]string{}, r.Notes...), Faults: []plainFault{}, More: r.More}
	for _, l := range r.Logs {
		out.Logs = append(out.Logs, plainLog(l))
	}
	for _, i := range r.Dangling {
		out.Dangling = append(out.Dangling, i.Number())
	}
	for _, f := range r.Faults {
		one := plainFault{Log: f.Log, Record: f.Record, Row: f.Row, What: f.What}
		if f.Index >= 0 {
			one.Index = &f.Index
		}
		out.Faults = append(out.Faults, one)
	}
	return out
}
