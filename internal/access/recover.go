package access

import (
	"context"

	"chartwarden/internal/audit"
)

// Recover concludes the writes of which a crash hid the end: it compares each intent without an outcome with what is stored. Call it
// once at start, before requests. It returns how many there were.
//
// A commit is atomic, so an intent's records are stored either all or not at all; a version that was superseded since counts as stored.
func (g *Gate) Recover(ctx context.Context) (int, error) {
	dangling, err := g.log.Dangling(ctx)
	if err != nil {
		return 0, err
	}
	for _, intent := range dangling {
		e := audit.Event{Time: g.now(), Agent: audit.Agent{Job: "recovery"}, Action: intent.Event.Action, Interaction: intent.Event.Interaction,
			Class: audit.Machine, Purpose: "HSYSADMIN", PolicyHash: intent.Event.PolicyHash, Intent: intent.Index, Outcome: succeeded, Text: "found stored after a restart"}
		stored, err := g.isStored(ctx, intent.Event.Patients)
		if err != nil {
			return 0, err
		}
		if !stored {
			e.Outcome, e.Text = refused, "found not stored after a restart"
		}
		if _, err := g.log.Conclude(ctx, e); err != nil {
			return 0, err
		}
	}
	return len(dangling), nil
}

func (g *Gate) isStored(ctx context.Context, parts []audit.PatientPart) (bool, error) {
	for _, part := range parts {
		for _, r := range part.Records {
			has, err := g.records.Has(ctx, r.Record, r.Version, r.Hash)
			if err != nil || !has {
				return false, err
			}
		}
	}
	return true, nil
}
