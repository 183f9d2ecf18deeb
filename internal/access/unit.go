package access

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

const (
	unitWeeks = 8  // whole weeks that are shown
	unitKept  = 26 // weeks that are kept
	unitFew   = 5  // people who opened charts in a week, below which nothing of it is said
)

// UnitWeek is how much of a department's openings of one week had a known reason. It tells of no person, and of a week that goes on
// nothing, so that nobody learns from it what one more opening did.
type UnitWeek struct {
	Department string
	From       time.Time // Monday, midnight at the site
	Few        bool      // fewer than five people opened charts: the share is not said
	Share      int       // percent, rounded down; of what was opened at all
}

// weekOf numbers the weeks of the site.
func (g *Gate) weekOf(t time.Time) int64 { return (g.dayOf(t) + 3) / 7 }

// monday is when a week of the site begins.
func (g *Gate) monday(week int64) time.Time {
	d := time.Unix((week*7-3)*86400, 0).UTC()
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, g.zone)
}

// UnitWork gives the last whole weeks of p's own department, of every department to those who read the audit: by department, the newest
// week first, weeks without an opening left out. Errors: outcome.Forbidden.
func (g *Gate) UnitWork(ctx context.Context, p Principal) (out []UnitWeek, entry string, err error) {
	if p.Session == nil || p.Session.Capacity == policy.Patient {
		return nil, "", outcome.New(outcome.Forbidden, "this is for those who work here")
	}
	s, err := g.relate(ctx, p, chart{})
	if err != nil {
		return nil, "", err
	}
	action, where, args := policy.Own, ` AND department = ?`, []any{p.Session.Person.Department}
	if g.decide(s, policy.AuditRead, policy.Resource{}).Allowed {
		action, where, args = policy.AuditRead, ``, nil
	}
	logged, err := g.readLog(ctx, p, action)
	if err != nil {
		return nil, "", err
	}
	if err := g.catchUp(ctx); err != nil {
		return nil, "", err
	}
	this := g.weekOf(g.now())
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT department, week, count(*), CAST(sum(openings) AS BIGINT), CAST(sum(explained) AS BIGINT) FROM access_work
		WHERE week >= ? AND week < ? AND department != ''`+where+` GROUP BY department, week ORDER BY department, week DESC`, append([]any{this - unitWeeks, this}, args...)...)
	if err != nil {
		return nil, "", unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var w UnitWeek
		var week, people, openings, explained int64
		if err := rows.Scan(&w.Department, &week, &people, &openings, &explained); err != nil {
			return nil, "", unreadable(err)
		}
		w.From = g.monday(week)
		if w.Few = people < unitFew; !w.Few {
			w.Share = int(100 * explained / openings)
		}
		out = append(out, w)
	}
	if err := rows.Err(); err != nil {
		return nil, "", unreadable(err)
	}
	return out, logged.Entry(), nil
}

// unitsOf gives the departments of those who opened charts by entries, by person.
func (g *Gate) unitsOf(ctx context.Context, reads []audit.Read) map[string]string {
	out := map[string]string{}
	for _, r := range reads {
		if id := r.Event.Agent.Person; id != "" && opened(r.Event) {
			if _, known := out[id]; !known {
				person, err := g.persons.Person(ctx, id)
				if err == nil {
					out[id] = person.Department
				}
			}
		}
	}
	return out
}

// work adds the openings of one entry to the week of the department.
func (g *Gate) work(tx *sql.Tx, r audit.Read, department string, one DayCount) error {
	if department == "" {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO access_work (week, department, person, openings, explained) VALUES (?,?,?,?,?) ON CONFLICT (week, department, person) DO UPDATE SET
		openings = access_work.openings + excluded.openings, explained = access_work.explained + excluded.explained`,
		g.weekOf(happened(r)), department, r.Event.Agent.Person, one.Openings, one.Openings-one.Unexplained)
	return err
}

// forgetWork lets weeks go that nobody is shown.
func (g *Gate) forgetWork(tx *sql.Tx) error {
	_, err := tx.Exec(`DELETE FROM access_work WHERE week < ?`, g.weekOf(g.now())-unitKept)
	return err
}
