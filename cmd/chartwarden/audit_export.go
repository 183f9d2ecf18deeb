package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// logExport is the request of `audit export`.
type logExport struct {
	access.LogExport
	Payloads *bool  // nil: as is usual for the installation
	Reason   string // asks for a second person's word
	JSON     bool
}

// auditExport writes a bundle that needs no trust in this program: entries, tiles, heads, proofs. It goes through the door.
func auditExport(ctx context.Context, l *line) error {
	var c server.Config
	var e logExport
	l.installation(&c)
	l.StringVar(&e.Dir, "out", "", "`DIR` to write to; new or empty")
	from := l.String("from", "", "only events since `TIME`, 2026-11-22 or 2026-11-22T08:30:00Z")
	to := l.String("to", "", "only events before `TIME`")
	l.StringVar(&e.PatientID, "patient", "", "only events about the Patient with this `ID`")
	l.StringVar(&e.Person, "person", "", "only what the person with this `ID` did")
	payloads := l.Bool("payloads", false, "also the events in clear, as AuditEvents; what a sandbox does without being told")
	l.StringVar(&e.Reason, "reason", "", "`TEXT`: why events are to leave in clear; outside a sandbox this asks a second person")
	l.StringVar(&e.Approval, "approval", "", "`N` of the item in which the second person agreed")
	l.BoolVar(&e.JSON, "json", false, "say what was written as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if e.Dir == "" {
		return outcome.New(outcome.Required, "name the folder to write to: --out DIR")
	}
	var err error
	if e.Dir, err = filepath.Abs(e.Dir); err != nil { // a running server works in another directory
		return err
	}
	if found, err := os.ReadDir(e.Dir); err == nil && len(found) > 0 {
		return outcome.New(outcome.Conflict, "the folder "+e.Dir+" is not empty: name a new one with --out")
	}
	if e.From, err = moment("--from", *from, c); err != nil {
		return err
	}
	if e.To, err = moment("--to", *to, c); err != nil {
		return err
	}
	e.PatientID = strings.TrimPrefix(e.PatientID, "Patient/")
	if l.given("payloads") {
		e.Payloads = payloads
	}
	return carryOut(ctx, c, "audit-export", e, l.out)
}

func exportLog(ctx context.Context, s *server.Server, e logExport, out *bytes.Buffer) error {
	e.LogExport.Payloads = s.Sandbox()
	if e.Payloads != nil {
		e.LogExport.Payloads = *e.Payloads
	}
	if e.LogExport.Payloads && !s.Sandbox() && e.Reason != "" && e.Approval == "" {
		a, err := s.Gate.AskExport(ctx, access.Job(access.Operator), e.LogExport, e.Reason)
		if err != nil {
			return err
		}
		return outcome.New(outcome.Forbidden, "item "+a.ID+" waits for "+a.Who+" (page Approvals) until "+a.Lapses.Format("2 Jan 15:04 MST")+
			"; then give the same command with --approval "+a.ID+" instead of --reason")
	}
	done, err := s.Gate.ExportLog(ctx, access.Job(access.Operator), e.LogExport)
	if err != nil {
		return err
	}
	if e.JSON {
		return writeJSON(out, struct {
			Out     string `json:"out"`
			Origin  string `json:"origin"`
			Size    int64  `json:"size"`
			Entries int64  `json:"entries"`
			Events  int64  `json:"events"`
			Proofs  int64  `json:"proofs"`
			Entry   string `json:"entry"`
		}{e.Dir, done.Origin, done.Size, done.Entries, done.Events, done.Proofs, done.Entry})
	}
	fmt.Fprintf(out, "%s: %d entries of %s, %d events in clear, %d proofs.\nThe export is entry %s.\nCheck it anywhere:  chartwarden audit verify --bundle %s\n",
		e.Dir, done.Entries, done.Origin, done.Events, done.Proofs, done.Entry, e.Dir)
	return nil
}
