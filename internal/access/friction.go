package access

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Friction is what protection cost staff in front of charts over the last [FrictionDays] days, today included. A chart is counted once
// for a person and a day, and so is what was asked before it opened.
type Friction struct {
	Charts   int           // that somebody opened or asked for and was offered a way into
	Asked    int           // of those: something was asked first
	Glass    int           // of the asked: a reason at the glass
	Opened   int           // of the asked: open within ten minutes
	Lost     time.Duration // between question and chart, of those that opened
	Median   time.Duration // of the same
	Shifts   int           // days of one person with any of these
	Most     int           // asked of one person on one day
	Overrode int           // the glass was broken
	Later    int           // of those: a fact that somebody else recorded explains it by now
}

const (
	// FrictionDays is how far back [Friction] looks.
	FrictionDays = 14
	frictionKept = 40
	// waited is how long after a question an opening still belongs to it.
	waited = 10 * time.Minute
)

// meter notes what an entry says of friction: a chart was opened, or something was asked before it. Machines, patients and lists are left
// out, and refusals that offer no way, which cost a right and not time.
func (g *Gate) meter(tx *sql.Tx, r audit.Read) error {
	e := r.Event
	if e.Agent.Person == "" || e.Agent.Client != "" || e.Agent.Capacity == policy.Patient || e.Class == audit.Incidental || e.Class == audit.Machine {
		return nil
	}
	at := happened(r)
	day := g.dayOf(at)
	for _, part := range e.Patients {
		if part.Patient == 0 {
			continue
		}
		var asked, glass, opened int64
		switch way := outcome.Way(detailsOf(part.Details).Way); {
		case e.Kind == audit.Glass, e.Kind == audit.Refusal && (way == outcome.BreakGlass || way == outcome.StepUpThenGlass):
			asked, glass = at.UnixMicro(), 1
		case e.Kind == audit.Refusal && way != outcome.NoWay:
			asked = at.UnixMicro()
		case (e.Kind == audit.Disclosure || e.Kind == audit.Emergency) && e.Interaction != "find":
			opened = at.UnixMicro()
		default:
			continue
		}
		if _, err := tx.Exec(`INSERT INTO access_opened (day, person, patient, asked, glass, opened) VALUES (?,?,?,?,?,?) ON CONFLICT (day, person, patient) DO UPDATE SET
			asked = CASE WHEN access_opened.asked = 0 THEN excluded.asked ELSE access_opened.asked END,
			glass = CASE WHEN excluded.glass > access_opened.glass THEN excluded.glass ELSE access_opened.glass END,
			opened = CASE WHEN access_opened.asked = 0 AND excluded.asked > 0 THEN 0 WHEN access_opened.opened = 0 THEN excluded.opened ELSE access_opened.opened END`,
			day, e.Agent.Person, int64(part.Patient), asked, glass, opened); err != nil {
			return err
		}
	}
	return nil
}

// friction adds up the last days. It follows the log by a moment: [Gate.catchUp] comes first.
func (g *Gate) friction(ctx context.Context) (Friction, error) {
	var f Friction
	today := g.dayOf(g.now())
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT day, person, asked, glass, opened FROM access_opened WHERE day > ?`, today-FrictionDays)
	if err != nil {
		return f, unreadable(err)
	}
	defer rows.Close()
	type shift struct {
		day    int64
		person string
	}
	asked := map[shift]int{}
	var lost []time.Duration
	for rows.Next() {
		var s shift
		var at, glass, opened int64
		if err := rows.Scan(&s.day, &s.person, &at, &glass, &opened); err != nil {
			return f, unreadable(err)
		}
		f.Charts++
		if at == 0 {
			asked[s] += 0
			continue
		}
		asked[s]++
		f.Asked++
		f.Glass += int(glass)
		if d := time.Duration(opened-at) * time.Microsecond; opened != 0 && d >= 0 && d <= waited {
			lost = append(lost, d)
			f.Lost += d
		}
	}
	if err := rows.Err(); err != nil {
		return f, unreadable(err)
	}
	f.Shifts, f.Opened = len(asked), len(lost)
	for _, n := range asked {
		f.Most = max(f.Most, n)
	}
	if slices.Sort(lost); len(lost) > 0 {
		f.Median = lost[len(lost)/2]
	}
	err = g.db.Reader().QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN verdict = 'explained' AND reviewer = '' THEN 1 END) FROM access_review WHERE kind = 'glass' AND day > ?`,
		today-FrictionDays).Scan(&f.Overrode, &f.Later)
	if err != nil {
		return f, unreadable(err)
	}
	return f, nil
}

// forgetFriction lets rows go that no figure looks at.
func (g *Gate) forgetFriction(tx *sql.Tx) error {
	_, err := tx.Exec(`DELETE FROM access_opened WHERE day < ?`, g.dayOf(g.now())-frictionKept)
	return err
}
