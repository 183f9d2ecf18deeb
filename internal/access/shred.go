package access

import (
	"context"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// shredder is the job that destroys keys.
const shredder = "shred"

// Shredding is the interaction by which entries say that a chart was erased: a restore does again what they say.
const Shredding = "shred"

var errErased = outcome.New(outcome.Deleted, "this chart was erased for good: its key was destroyed, and nobody can open it")

// erased is the answer for a resource whose chart was erased: to whom the chart would open, that it is gone; to everybody else the refusal
// that it always was.
func (g *Gate) erased(ctx context.Context, p Principal, action, interaction, typ, id string, gone error) error {
	number, err := g.records.Whose(ctx, typ, id)
	if err != nil {
		return gone
	}
	c, err := g.chartNumber(ctx, number)
	if err != nil {
		return gone
	}
	if _, _, err = g.permit(ctx, p, action, interaction, c, func(s standing) policy.Resource { return s.typical(typ) }); err != nil {
		return err
	}
	return gone
}

// AskShred asks that a patient's key be destroyed, so that the chart is unreadable everywhere for good. Errors: outcome.Forbidden;
// outcome.NotFound; outcome.Required without a reason; outcome.Conflict when it is erased already.
func (g *Gate) AskShred(ctx context.Context, p Principal, patientID, reason string) (Approval, error) {
	if _, err := g.mayAsk(ctx, p, policy.Shred); err != nil {
		return Approval{}, err
	}
	b, err := g.toShred(ctx, patientID)
	if err != nil {
		return Approval{}, err
	}
	return g.ask(ctx, p, ShredAct, "", "erase a chart for good", reason, b)
}

func (g *Gate) toShred(ctx context.Context, patientID string) (actBody, error) {
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return actBody{}, outcome.New(outcome.NotFound, "there is no such patient")
	}
	if err == nil && g.records.Erased(c.number) {
		err = outcome.New(outcome.Conflict, "this chart was erased already")
	}
	return actBody{Patient: c.number, PatientID: c.id}, err
}

// ShredNow is for a sandbox, where nobody is a second person: it erases at once. Errors: as [Gate.AskShred].
func (g *Gate) ShredNow(ctx context.Context, p Principal, patientID, reason string) error {
	if !g.sandbox {
		return outcome.New(outcome.Forbidden, "two people erase a chart: ask for it").Because("two-people")
	}
	if _, err := g.mayAsk(ctx, p, policy.Shred); err != nil {
		return err
	}
	b, err := g.toShred(ctx, patientID)
	if err != nil {
		return err
	}
	return g.shred(ctx, b, "in a sandbox, by one person: "+reason)
}

func (g *Gate) carryShred(ctx context.Context, it *identity.Pending) error {
	b := bodyOf(it)
	again := g.records.Erased(b.Patient) // what came after it may be missing: the key may still be in the write-ahead log
	if !again {
		if err := g.shred(ctx, b, wanted(it)+": "+it.Reason); err != nil {
			return err
		}
	} else if err := g.records.Shred(ctx, b.Patient); err != nil {
		return err
	}
	return g.persons.Finish(ctx, audit.Agent{Job: shredder}, it.ID, "a chart was erased for good")
}

// shred writes the entry and then destroys the key: an entry without its act is done again, an act without its entry cannot be.
func (g *Gate) shred(ctx context.Context, b actBody, text string) error {
	if err := g.uncut(); err != nil {
		return err
	}
	part := b.parts()
	part[0].Sentence = "erased your chart for good"
	if _, err := g.log.Note(ctx, audit.Event{Kind: audit.Keys, Time: g.now(), Agent: audit.Agent{Job: shredder}, Action: "D", Interaction: Shredding, Class: audit.Machine,
		Purpose: "HSYSADMIN", Text: text, Patients: part}); err != nil {
		return err
	}
	return g.records.Shred(ctx, b.Patient)
}
