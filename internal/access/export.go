package access

import (
	"context"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// LogExport says which part of the log leaves, and where to. Entries, tiles and heads always go whole; the other fields select which
// events are proven one by one and, with Payloads, shown.
type LogExport struct {
	Dir       string    // new or empty
	From, To  time.Time // To exclusive; zero: open
	PatientID string    // logical id of a Patient; empty: any
	Person    string    // id; empty: any
	Payloads  bool      // also the events in clear
}

// LogExported says what was written.
type LogExported struct {
	*audit.ExportReport
	Entry string // of the export, which was durable before the first byte
}

// Operator is the job of the command line: whoever may read the key file of the installation.
const Operator = "command-line"

// ExportLog writes what an outside verifier needs into a folder of this machine. The export is an entry first, about the patient whom it
// selects. A person needs the right to verify the log, and to read it for anything that tells whom it is about. The [Operator] needs
// none: whoever holds the key file holds everything in it, and the door adds the entry. Outside a sandbox payloads need a second
// person, whom this version cannot ask: they are refused.
//
// Errors: outcome.Forbidden with the way forward; outcome.NotFound for the patient or the person; outcome.Conflict when the folder is
// not empty; outcome.NoStore while the log cannot be written, for nothing leaves by the emergency journal.
func (g *Gate) ExportLog(ctx context.Context, p Principal, x LogExport) (LogExported, error) {
	s, policyHash, err := g.exporter(ctx, p, x)
	if err == nil {
		err = g.uncut()
	}
	if err != nil {
		return LogExported{}, err
	}
	e := s.event("export", "R")
	e.Text, e.PolicyHash = "the audit log", policyHash
	o := audit.ExportOptions{From: x.From, To: x.To, Person: x.Person, Payloads: x.Payloads}
	if x.Person != "" {
		if _, err := g.persons.Person(ctx, x.Person); err != nil {
			return LogExported{}, err
		}
		e.Text += ", what person " + x.Person + " did"
	}
	if x.PatientID != "" {
		c, err := g.chartByID(ctx, x.PatientID)
		if outcome.Is(err, outcome.NotFound) {
			return LogExported{}, outcome.New(outcome.NotFound, "there is no such patient")
		}
		if err != nil {
			return LogExported{}, err
		}
		o.Patient = c.number
		e.Patients = []audit.PatientPart{{Patient: c.number, Ref: "Patient/" + c.id, Template: "review", Sentence: "exported the list of who opened your chart"}}
	}
	if x.Payloads && !g.sandbox {
		e.Outcome, e.Text = refused, "refused: "+e.Text+", in clear"
		if _, err := g.log.Refuse(ctx, e); err != nil {
			return LogExported{}, err
		}
		return LogExported{}, outcome.New(outcome.Forbidden, "events leave in clear only with a second person's approval, which this version cannot take: export without --payloads").
			Because("deny.export").Offering(outcome.Approval)
	}
	report, logged, err := g.log.Export(ctx, x.Dir, o, e)
	return LogExported{report, logged.Entry()}, err
}

// exporter is how p stands to the log, and the rules that let p export it.
func (g *Gate) exporter(ctx context.Context, p Principal, x LogExport) (standing, string, error) {
	if p.Session == nil && p.Job == Operator {
		s, err := g.relate(ctx, p, chart{})
		return s, "", err
	}
	action := policy.AuditVerify
	if x.Payloads || x.PatientID != "" || x.Person != "" {
		action = policy.AuditRead
	}
	s, d, err := g.May(ctx, p, action)
	return s, d.Hash, err
}
