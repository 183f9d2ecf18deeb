package access

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/identity"
)

// grants are those that people hold: rows as they were read, whose tags are checked where one would give something.
type grants struct {
	remembered[taggedGrant]
	read *sql.Stmt // of heldGrants
}

type taggedGrant struct {
	Grant
	mac []byte
}

const heldGrants = `SELECT ` + grantColumns + ` FROM access_grant WHERE person = ? AND until > ? AND given_back IS NULL ORDER BY until DESC`

// held gives the grants that a person may hold at that time; the caller looks at time and epoch, and believes those whose tag holds.
func (g *Gate) held(ctx context.Context, person identity.Person, at time.Time) ([]taggedGrant, error) {
	return g.grants.held(person.ID, at, func(from int64) (out []taggedGrant, err error) {
		rows, err := g.grants.read.QueryContext(ctx, person.ID, from)
		if err != nil {
			return nil, unreadableGrants(err)
		}
		defer rows.Close()
		for rows.Next() {
			o, mac, err := scanGrant(rows)
			if err != nil {
				return nil, unreadableGrants(err)
			}
			out = append(out, taggedGrant{o, mac})
		}
		return out, unreadableGrants(rows.Err())
	})
}
