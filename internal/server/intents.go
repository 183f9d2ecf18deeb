package server

import (
	"context"

	"chartwarden/internal/audit"
)

// settleIntents concludes the writes whose end a crash hid. The log knows what was about to be stored and its hash; the record store
// knows whether it was. A write is one transaction, so either all of its versions are there or none. An intent that cannot be read any
// more stays open and is named by a verification.
func (s *Server) settleIntents(ctx context.Context) error {
	if s.Log.State().Journaling {
		return nil // the log takes nothing now; the next start settles them
	}
	open, err := s.Log.Dangling(ctx)
	if err != nil {
		return err
	}
	for _, intent := range open {
		if intent.Damaged || intent.Withheld > 0 {
			continue
		}
		stored, err := s.holds(ctx, intent.Event)
		if err != nil {
			return err
		}
		end := audit.Event{Agent: audit.Agent{Job: "restart"}, Action: intent.Event.Action, Interaction: intent.Event.Interaction, Class: audit.Machine,
			Purpose: "HSYSADMIN", Intent: intent.Index, Text: "found after a restart: stored"}
		if !stored {
			end.Outcome, end.Text = 8, "found after a restart: not stored"
		}
		if _, err := s.Log.Conclude(ctx, end); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether every version that an intent names is in the record store as it was announced.
func (s *Server) holds(ctx context.Context, intent audit.Event) (bool, error) {
	for _, part := range intent.Patients {
		for _, r := range part.Records {
			if has, err := s.store.Has(ctx, r.Record, r.Version, r.Hash); err != nil || !has {
				return false, err
			}
		}
	}
	return true, nil
}
