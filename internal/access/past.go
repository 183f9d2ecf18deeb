package access

import (
	"context"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/policy"
)

// Past is a decision about a chart, or about the directory, as the log keeps it: its facts, and how it came out.
type Past struct {
	Entry   string // origin/index
	At      time.Time
	Person  string         // id of the person, program or job
	Chart   fhir.PatientID // to count charts by; 0: the directory
	Hash    string         // of the bundle that decided
	Allowed bool
	Permits []string // that held
	Glass   bool     // nothing but a grant permitted it
	Facts   policy.Facts
}

// PastOf says what a reading of past decisions met.
type PastOf struct {
	Entry   string // under which the log was read
	Entries int64  // about charts or the directory
	Without int64  // of them, without facts: of a version before, redacted, or refused by other than the rules
}

const pastBatch = 500

// Past gives every decision that was made from a moment up to another, oldest first, for replays by another bundle and for advice. It
// tells nothing of a record, and of a patient no more than a number. That it was read, and why, is an entry first. use must not keep
// what it is given beyond the call but by value; its error ends the reading.
// Errors: that of use; outcome.Forbidden for who may not propose rules; outcome.NoStore.
func (g *Gate) Past(ctx context.Context, p Principal, why string, from, to time.Time, use func(Past) error) (out PastOf, err error) {
	s, err := g.mayAsk(ctx, p, policy.PolicyPropose)
	if err != nil {
		return out, err
	}
	e := s.event("audit-read", "R")
	e.Kind, e.PolicyHash, e.Text = audit.LogRead, g.policy.Hash(), why
	logged, err := g.log.Note(ctx, e)
	if err != nil {
		return out, err
	}
	out.Entry = logged.Entry()
	cursor, err := g.log.From(ctx, from)
	if err != nil {
		return out, err
	}
	for {
		batch, err := g.log.Ahead(ctx, cursor, pastBatch)
		if err != nil || len(batch) == 0 {
			return out, err
		}
		cursor = cursor.Past(batch)
		for i := range batch {
			r := &batch[i]
			if !r.Recorded.Before(to) {
				return out, nil
			}
			if r.Recorded.Before(from) {
				continue
			}
			if err := past(r, &out, use); err != nil {
				return out, err
			}
		}
	}
}

func past(r *audit.Read, out *PastOf, use func(Past) error) error {
	e := &r.Event
	switch e.Kind {
	case audit.Disclosure, audit.Refusal, audit.Intent, audit.Glass, audit.Emergency:
	default:
		return nil
	}
	for i := range e.Patients {
		part := &e.Patients[i]
		out.Entries++
		facts, err := policy.ReadFacts(part.Relation, e.Agent.Person)
		if err != nil {
			out.Without++
			continue
		}
		if err := use(Past{Entry: r.Entry(), At: happened(*r), Person: facts.Principal.ID, Chart: part.Patient, Hash: e.PolicyHash, Allowed: e.Outcome == succeeded,
			Permits: part.Permits, Glass: part.Glass, Facts: facts}); err != nil {
			return err
		}
	}
	return nil
}
