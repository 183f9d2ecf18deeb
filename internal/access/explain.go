package access

import (
	"context"
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
	if reason := s.reason(d); d.Allowed {
		text += "reason: " + reason.Sentence + "\n"
	}
	return text, nil
}
