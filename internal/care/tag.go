package care

import (
	"context"
	"database/sql"

	"chartwarden/internal/outcome"
)

// table is what alarms and verifications call the rows of this package.
const table = "care_edge"

// tag is the tag of r: of all that it says, but not of its number, which means nothing.
func (g *Graph) tag(r *row) []byte {
	return g.tags.Tag(int64(r.patient), r.actor, int64(r.kind), r.place, r.detail, r.since, r.until, r.known, r.closed, r.author, r.mine, r.confirmed,
		int64(r.record), r.about)
}

// holds reports whether r was written here. What does not hold is as if it were not there, and raises the alarm.
func (g *Graph) holds(r *row) bool {
	if g.genuine(r) {
		return true
	}
	g.o.Altered(table, r.id)
	return false
}

func (g *Graph) genuine(r *row) bool {
	return g.tags.Holds(r.mac, int64(r.patient), r.actor, int64(r.kind), r.place, r.detail, r.since, r.until, r.known, r.closed, r.author, r.mine, r.confirmed,
		int64(r.record), r.about)
}

// query gives the rows of a statement that count: those that hold, and those that protect a chart, since doubt must not open what is
// closed.
func (g *Graph) query(ctx context.Context, op string, s *sql.Stmt, args ...any) ([]row, error) {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, unreadable(op, err)
	}
	defer rows.Close()
	out, err := scanAll(rows, func(r *row) bool { return g.holds(r) || r.kind == protection })
	if err != nil {
		return nil, unreadable(op, err)
	}
	return out, nil
}

func scanAll(rows *sql.Rows, counts func(*row) bool) (out []row, err error) {
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if counts(&r) {
			out = append(out, r)
		}
	}
	return out, rows.Err()
}

// TagRows gives their tags to rows that have none, as a version before left them, and counts them. It is called once in the life of an
// installation, before anything is read: to tag is to believe. Errors: outcome.NoStore.
func (g *Graph) TagRows(ctx context.Context) (n int64, err error) {
	const batch = 2000
	for last, more := int64(0), true; more; {
		err := g.d.Write(ctx, func(tx *sql.Tx) error {
			rows, err := tx.Query(`select `+edgeColumns+` from care_edge where id>? and length(mac)=0 order by id limit ?`, last, batch)
			if err != nil {
				return err
			}
			defer rows.Close()
			var bare []row
			for rows.Next() {
				r, err := scan(rows)
				if err != nil {
					return err
				}
				bare = append(bare, r)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			for i := range bare {
				if _, err := tx.Exec(`update care_edge set mac=? where id=?`, g.tag(&bare[i]), bare[i].id); err != nil {
					return err
				}
				last = bare[i].id
			}
			n, more = n+int64(len(bare)), len(bare) == batch
			return nil
		})
		if err != nil {
			return n, outcome.Wrap("care: tag", outcome.NoStore, "the relationships could not be tagged", err)
		}
	}
	return n, nil
}
