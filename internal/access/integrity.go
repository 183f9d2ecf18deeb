package access

import (
	"context"

	"chartwarden/internal/audit"
	"chartwarden/internal/policy"
)

// Integrity is how the log stands, for those who look after it.
type Integrity struct {
	audit.State
	Head     []byte // newest signed note
	Verifier string // public key of the log, in the form that outside verifiers take
	Entry    string
}

// Integrity tells how the log stands. Errors: outcome.Forbidden.
func (g *Gate) Integrity(ctx context.Context, p Principal) (Integrity, error) {
	logged, err := g.readLog(ctx, p, policy.AuditVerify)
	if err != nil {
		return Integrity{}, err
	}
	return Integrity{State: g.log.State(), Head: g.log.Head(), Verifier: g.log.Verifier(), Entry: logged.Entry()}, nil
}
