package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Explain tells in plain text whether a person may act on a patient's chart at a time, by which rules, on which relationship, and what
// would open it. It supposes a fresh sign-in with two factors at a registered device in the hospital. It shows nothing of the record.
// Errors: outcome.NotFound for the person or the patient.
func (g *Gate) Explain(ctx context.Context, personID, patientID, action string, at time.Time) (string, error) {
	person, err := g.persons.Person(ctx, personID)
	if err != nil {
		return "", err
	}
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return "", outcome.New(outcome.NotFound, "there is no such patient")
	}
	if err != nil {
		return "", err
	}
	capacity := identity.StaffCapacity
	if list := person.Capacities(); len(list) > 0 {
		capacity = list[0]
	}
	as := *g
	as.now = func() time.Time { return at }
	s, err := as.relate(ctx, Person(&identity.Session{Person: person, Capacity: capacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2}), c)
	if err != nil {
		return "", err
	}
	s.context.AuthAge = 0
	r := s.typical("Condition")
	d := as.decide(s, action, r)
	text := g.policy.Explain(s.request(action, r))
	there := as.ways(ctx, s, action, r)
	for _, way := range g.policy.Ways(s.request(action, r)) {
		if !slices.Contains(there, way) {
			text = strings.Replace(text, "  would open with "+string(way)+"\n", "  nobody is there for "+string(way)+"\n", 1)
		}
	}
	if reason := s.reason(d); d.Allowed {
		text += "reason: " + reason.Sentence + "\n"
	}
	return text, nil
}

// ExplainTo is [Gate.Explain] for somebody who reads the audit; that she asked, and about whom, is an entry. It gives the entry.
// Errors: outcome.Forbidden; those of [Gate.Explain].
func (g *Gate) ExplainTo(ctx context.Context, p Principal, personID, patientID, action string, at time.Time) (text, entry string, err error) {
	if err := g.Permit(ctx, p, policy.AuditRead); err != nil {
		return "", "", err
	}
	c, err := g.chartByID(ctx, patientID)
	if outcome.Is(err, outcome.NotFound) {
		return "", "", outcome.New(outcome.NotFound, "there is no such patient").At("patient")
	}
	if err != nil {
		return "", "", err
	}
	logged, err := g.readLog(ctx, p, policy.AuditRead, c)
	if err != nil {
		return "", "", err
	}
	text, err = g.Explain(ctx, personID, patientID, action, at)
	return text, logged.Entry(), err
}
