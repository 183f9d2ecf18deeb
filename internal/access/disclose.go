package access

import (
	"context"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// permitted is sealed records of one chart (or of no patient) together with the decision that permits them.
type permitted struct {
	standing standing
	decision policy.Decision // the one whose reasons stand in the entry
	records  []*record.Sealed
	action   string
}

// disclose is the last three steps of the door for every way in: append the entry that names each record, durable; open each with the
// receipt; mask. A deletion stands in the entry like any version and has no document. Nothing is opened when the append fails.
func (g *Gate) disclose(ctx context.Context, e audit.Event, parts ...permitted) (Disclosure, error) {
	var out Disclosure
	if err := g.withinQuota(ctx, e, parts); err != nil {
		return out, err
	}
	var behind *shield
	if len(parts) > 0 {
		var err error
		if behind, err = g.shield(ctx, parts[0].standing.principal); err != nil {
			return out, err
		}
	}
	for i, part := range parts {
		part.records, out.Damaged = g.sound(part.records, out.Damaged)
		parts[i] = part
		reason := part.standing.reason(part.decision)
		if i == 0 {
			out.Reason, out.Patient = reason, part.standing.chart.id
		}
		e.PolicyHash = part.decision.Hash
		e.Patients = append(e.Patients, part.entry(reason))
	}
	receipt, err := g.log.Disclose(ctx, e)
	if err != nil {
		return Disclosure{}, err
	}
	out.Entry = receipt.Entry()
	maskers := map[string]masker{}
	for _, part := range parts {
		for _, r := range part.records {
			if r.Deleted() { // that it is gone was told; there is nothing to open
				out.Docs = append(out.Docs, nil)
				continue
			}
			doc, err := r.Open(receipt)
			if err != nil {
				return Disclosure{}, err
			}
			key := part.standing.chart.id + " " + r.Type()
			m, ok := maskers[key]
			if !ok {
				if part.standing.view != nil {
					m = part.standing.view.masker(r.Type())
				} else {
					m = g.masker(part.standing, part.action, r.Type())
				}
				maskers[key] = m
			}
			if doc, err = m.mask(doc); err != nil {
				return Disclosure{}, err
			}
			if doc, err = behind.doc(doc); err != nil {
				return Disclosure{}, err
			}
			out.Docs = append(out.Docs, doc)
		}
	}
	return out, nil
}

// sound leaves out the records whose rows were altered, and raises the alarm: a chart that lacks one says so, and the rest opens.
func (g *Gate) sound(records []*record.Sealed, damaged int) ([]*record.Sealed, int) {
	out := records[:0:0]
	for _, r := range records {
		if err := r.Fault(); err != nil {
			g.logger.Error("a stored record was altered outside this server: run audit verify", "type", r.Type(), "record", int64(r.Record()))
			damaged++
			continue
		}
		out = append(out, r)
	}
	return out, damaged
}

// entry is what the audit keeps about one patient of an access: whose chart, why, and exactly which records. Records of no patient
// get a part too (patient 0), so that the receipt covers them.
func (p permitted) entry(reason Reason) audit.PatientPart {
	part := audit.PatientPart{Patient: p.standing.chart.number, Permits: reason.Permits, Template: reason.Template, Sentence: reason.Patient, Relation: p.facts(), Details: reason.details(),
		Glass: reason.Glass, Unexplained: p.standing.chart.number != 0 && p.standing.principal.Session != nil && !reason.Explained()}
	if p.standing.chart.number != 0 {
		part.Ref = "Patient/" + p.standing.chart.id
	}
	seen := map[fhir.Group]bool{}
	var guests []*record.Sealed
	if p.standing.view != nil {
		guests = p.standing.view.guests
	}
	for _, records := range [][]*record.Sealed{p.records, guests} {
		for _, r := range records {
			if group := fhir.FieldGroup(r.Type()); !seen[group] {
				seen[group] = true
				part.Groups = append(part.Groups, string(group))
			}
			part.Records = append(part.Records, audit.Record{Record: r.Record(), Version: r.Version(), Ref: r.Type() + "/" + r.ID()})
		}
	}
	return part
}

// chartOf names the chart that a sealed record belongs to.
func (g *Gate) chartOf(ctx context.Context, r *record.Sealed) (chart, error) {
	return g.chartNumber(ctx, r.Patient())
}

func (g *Gate) chartNumber(ctx context.Context, n fhir.PatientID) (chart, error) {
	if n == 0 {
		return chart{}, nil
	}
	id, err := g.records.PatientRef(ctx, n)
	return chart{number: n, id: id}, err
}

// chartByID finds a chart by the logical id of its Patient. Errors: outcome.NotFound.
func (g *Gate) chartByID(ctx context.Context, id string) (chart, error) {
	n, err := g.records.Patient(ctx, id)
	return chart{number: n, id: id}, err
}
