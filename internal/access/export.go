package access

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
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
	Approval  string    // item in which a second person agreed to these events in clear; outside a sandbox
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
// person ([Gate.AskExport]), who agrees to one export of exactly these events. One that fails leaves nothing behind and the approval as it
// was; one that is killed has used it up. Each attempt is an entry.
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
	if !x.Payloads || g.sandbox {
		report, logged, err := g.log.Export(ctx, x.Dir, o, e)
		return LogExported{report, logged.Entry()}, err
	}
	if found, err := os.ReadDir(x.Dir); err == nil && len(found) > 0 {
		return LogExported{}, outcome.New(outcome.Conflict, "the folder for the export is not empty")
	}
	g.leaving.Lock() // of two at once the second finds the approval used
	defer g.leaving.Unlock()
	by, err := g.agreedExport(ctx, x, o)
	if err != nil {
		e.Outcome, e.Text = refused, "refused: "+e.Text+", in clear"
		if _, err := g.log.Refuse(ctx, e); err != nil {
			return LogExported{}, err
		}
		return LogExported{}, err
	}
	e.Text += ", in clear; " + by
	// The word of two people is used up before the first byte: whoever ends the process in the middle has no second copy for it.
	if err := g.persons.Finish(ctx, audit.Agent{Job: Operator}, x.Approval, "the events leave"); err != nil {
		return LogExported{}, err
	}
	report, logged, err := g.log.Export(ctx, x.Dir, o, e)
	if err != nil {
		left := emptied(x.Dir)
		if left == nil {
			left = g.persons.Unfinish(context.WithoutCancel(ctx), audit.Agent{Job: Operator}, x.Approval, "the export failed, and nothing of it stays")
		}
		return LogExported{}, cmp.Or(left, err)
	}
	return LogExported{report, logged.Entry()}, nil
}

// emptied takes back what a failed export left in its folder, which was new or empty.
func emptied(dir string) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return nil // there is none
	}
	for _, f := range found {
		if err := os.RemoveAll(filepath.Join(dir, f.Name())); err != nil {
			return outcome.New(outcome.NoStore, "part of the failed export stays in its folder: remove it by hand")
		}
	}
	return nil
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

// AskExport asks that the events which x selects may leave in clear. Errors: as [Gate.ExportLog]; outcome.Required without a reason.
func (g *Gate) AskExport(ctx context.Context, p Principal, x LogExport, reason string) (Approval, error) {
	x.Payloads = true
	if _, _, err := g.exporter(ctx, p, x); err != nil {
		return Approval{}, err
	}
	b := actBody{Since: x.From, Until: x.To, Person: x.Person, PatientID: x.PatientID}
	says := "the events of the log in clear"
	if x.Person != "" {
		if _, err := g.persons.Person(ctx, x.Person); err != nil {
			return Approval{}, err
		}
		says += ", what person " + x.Person + " did"
	}
	if x.PatientID != "" {
		c, err := g.chartByID(ctx, x.PatientID)
		if outcome.Is(err, outcome.NotFound) {
			return Approval{}, outcome.New(outcome.NotFound, "there is no such patient")
		}
		if err != nil {
			return Approval{}, err
		}
		b.Patient = c.number
	}
	return g.ask(ctx, p, ExportAct, x.Person, says, reason, b)
}

// agreedExport asks for the word of the second person, and says whose it was. It is used up when the events have left.
func (g *Gate) agreedExport(ctx context.Context, x LogExport, o audit.ExportOptions) (string, error) {
	no := func(why string) (string, error) {
		return "", outcome.New(outcome.Forbidden, why).Because("deny.export").Offering(outcome.Approval)
	}
	if x.Approval == "" {
		return no("events leave in clear only with a second person's approval: ask for it with --reason TEXT, or export without --payloads")
	}
	it, err := g.persons.Act(ctx, x.Approval)
	switch {
	case outcome.Is(err, outcome.NotFound) || err == nil && it.Kind != ExportAct:
		return no("there is no such item about an export")
	case err != nil:
		return "", err
	case it.State == "open":
		return no("nobody agreed yet: " + actRules[ExportAct].who + " does, on the page Approvals")
	case it.State != "approved" || !it.Expires.After(g.now()):
		return no("this item was used, refused, or lapsed: ask again")
	}
	if b := bodyOf(it); !b.Since.Equal(x.From) || !b.Until.Equal(x.To) || b.Person != x.Person || b.Patient != o.Patient {
		return no("the second person agreed to other events: give the same --from, --to, --patient and --person")
	}
	return wanted(it), nil
}
