package access

import (
	"context"
	"database/sql"

	"chartwarden/internal/policy"
)

// Bound sets how many patients an import may bring in.
func (g *Gate) Bound(most int) { g.most = most }

// Judge relates p to a chart and decides about reading a typical record of a type, as every access does before anything else.
func (g *Gate) Judge(ctx context.Context, p Principal, patientID, typ string) (bool, error) {
	c, err := g.chartByID(ctx, patientID)
	if err != nil {
		return false, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return false, err
	}
	return g.decide(s, policy.Read, s.typical(typ)).Allowed, nil
}

// Exec changes tables behind the door's back.
func (g *Gate) Exec(ctx context.Context, q string, args ...any) error {
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	})
}
