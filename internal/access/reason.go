package access

import (
	"context"
	"database/sql"
	"strings"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// longestWords is how much people may write about an entry, in characters.
const longestWords = 1000

// AddReason keeps, in p's own words, why she needed what an entry of her own says she opened: before anybody asks. It changes nothing
// of the entry; it is one of its own that refers to it, and it stands beside the review of that opening if there is one.
// Errors: outcome.Required, outcome.TooLong; outcome.NotFound for an entry that is not there, not hers, or about no patient.
func (g *Gate) AddReason(ctx context.Context, p Principal, entry audit.Index, text string) error {
	return g.remark(ctx, p, entry, "reason", text, func(s standing, e audit.Event) (parts []audit.PatientPart) {
		if e.Agent.Person != s.who.ID || e.Agent.Capacity != s.who.Capacity {
			return nil
		}
		for _, one := range e.Patients {
			if one.Patient != 0 {
				parts = append(parts, audit.PatientPart{Patient: one.Patient, Ref: one.Ref, Template: "reason", Sentence: "gave a reason for having opened your chart",
					Details: details{About: entry}.text()})
			}
		}
		return parts
	})
}

// Ask takes a patient's question about an entry of the own list: "I do not know this person". The privacy office finds it among its
// reviews; the person asked about learns nothing from it. text may be empty.
// Errors: outcome.TooLong; outcome.NotFound for an entry that is not about this patient, or not by another person.
func (g *Gate) Ask(ctx context.Context, p Principal, entry audit.Index, text string) error {
	if strings.TrimSpace(text) == "" {
		text = "I do not know this person."
	}
	own := fhir.PatientID(0)
	if p.Session != nil && p.Session.Capacity == policy.Patient {
		actor, err := g.actor(ctx, p.Session.Person)
		if err != nil {
			return err
		}
		own = actor.Patient
	}
	return g.remark(ctx, p, entry, "question", text, func(s standing, e audit.Event) (parts []audit.PatientPart) {
		for _, one := range e.Patients {
			if own != 0 && one.Patient == own && e.Agent.Person != "" && e.Agent.Person != s.who.ID {
				parts = append(parts, audit.PatientPart{Patient: own, Ref: one.Ref, Template: "question", Sentence: "was you, asking about an entry",
					Details: details{About: entry, Asks: e.Agent.Person}.text()})
			}
		}
		return parts
	})
}

// remark appends words about an entry. parts says whose charts it concerns; none: the entry is not the asker's to speak about.
func (g *Gate) remark(ctx context.Context, p Principal, entry audit.Index, interaction, text string, parts func(standing, audit.Event) []audit.PatientPart) error {
	if text = strings.TrimSpace(text); text == "" {
		return outcome.New(outcome.Required, "write a sentence first").At("text")
	}
	if len([]rune(text)) > longestWords {
		return outcome.New(outcome.TooLong, "that is longer than 1,000 characters: say it shorter").At("text")
	}
	s, d, err := g.May(ctx, p, policy.Own)
	if err != nil {
		return err
	}
	absent := outcome.New(outcome.NotFound, "there is no such entry, or it is not yours to speak about")
	read, err := g.log.Entry(ctx, entry)
	if outcome.Is(err, outcome.NotFound) {
		return absent
	}
	if err != nil {
		return err
	}
	e := s.event(interaction, "E")
	e.Kind, e.PolicyHash, e.Text = audit.Casework, d.Hash, text
	if e.Patients = parts(s, read.Event); len(e.Patients) == 0 {
		return absent
	}
	_, err = g.log.Note(ctx, e)
	return err
}

// concerns reports whether casework is the person's own reason for the openings of a review, or the patient's question about them.
func concerns(e audit.Event, r Review) bool {
	for _, part := range e.Patients {
		switch d := detailsOf(part.Details); e.Interaction {
		case "reason":
			if e.Agent.Person == r.Person && d.About.Since(r.FirstIdx) {
				return true
			}
		case "question":
			if d.Asks == r.Person {
				return true
			}
		}
	}
	return false
}

// foldQuestion makes a patient's question a review of the person whom it is about; a later one opens it again.
func (g *Gate) foldQuestion(tx *sql.Tx, r audit.Read) error {
	for _, part := range r.Event.Patients {
		d := detailsOf(part.Details)
		if r.Event.Interaction != "question" || d.Asks == "" {
			continue
		}
		when := happened(r)
		if _, err := tx.Exec(`INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx)
			VALUES ('question',?,?,?,?,?,1,?,?) ON CONFLICT (kind, person, patient, day) DO UPDATE SET
			last_at = excluded.last_at, last_idx = excluded.last_idx, entries = access_review.entries + 1, verdict = NULL`,
			d.Asks, int64(part.Patient), g.dayOf(when), when.UnixMicro(), when.UnixMicro(), d.About, r.Index); err != nil {
			return err
		}
	}
	return nil
}

// Names tells p who the patients of charts are that she has opened, by no more than a wrong-patient check needs and only where policy
// lets her find them: for her own mirror. They stand under one incidental entry, which is returned. Charts that are not here, or that
// are protected, have no name in the answer.
func (g *Gate) Names(ctx context.Context, p Principal, patientIDs ...string) (map[string]Identity, string, error) {
	var charts []chart
	seen := map[string]bool{}
	for _, id := range patientIDs {
		if seen[id] || id == "" {
			continue
		}
		seen[id] = true
		_, x, _, err := g.findable(ctx, p, id)
		if err != nil {
			return nil, "", err
		}
		if x == nil {
			continue
		}
		c, err := g.chartOf(ctx, x)
		if err != nil {
			return nil, "", err
		}
		charts = append(charts, c)
	}
	hits, entry, err := g.identities(ctx, p, charts)
	if err != nil {
		return nil, "", err
	}
	out := map[string]Identity{}
	for _, h := range hits {
		out[h.PatientID] = h.Identity
	}
	return out, entry, nil
}
