package access

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// Overview is whether accesses are under control, in figures that the log itself gives.
type Overview struct {
	Open       int       // reviews that wait
	Oldest     time.Time // when the first of them began; zero when none waits
	Answered   int       // reviews answered by a person within 30 days
	Median     time.Duration
	Reconciled int // reviews that a later fact answered within 30 days
	GlassToday int
	Days       []DayCount // the last 14 days of the site, oldest first, today included
	Twin       Twin
	Friction   Friction
	Glass      []GlassRate // by department, the highest rate first
	Mutual     []Mutual    // who agree to each other's requests more often than turns explain, within 90 days
	State      audit.State
	Entry      string
}

// DayCount counts the openings of one day: one person, one patient, one deliberate disclosure.
type DayCount struct {
	Date        time.Time // midnight at the site
	Openings    int
	Unexplained int // nothing linked the two; those behind the glass included
	Glass       int
}

const overviewDays = 14

// Overview gives the figures of the privacy office to those who read the audit. Errors: outcome.Forbidden.
func (g *Gate) Overview(ctx context.Context, p Principal) (Overview, error) {
	logged, err := g.readLog(ctx, p, policy.AuditRead)
	if err != nil {
		return Overview{}, err
	}
	if err := g.catchUp(ctx); err != nil {
		return Overview{}, err
	}
	g.reconcile(ctx)
	now := g.now().In(g.zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, g.zone)
	out := Overview{State: g.log.State(), Entry: logged.Entry()}
	var oldest int64
	q := g.db.Reader()
	if err := q.QueryRowContext(ctx, `SELECT count(*), coalesce(min(first_at),0) FROM access_review WHERE `+inQueue+` AND verdict IS NULL`).
		Scan(&out.Open, &oldest); err != nil {
		return Overview{}, unreadable(err)
	}
	if oldest != 0 {
		out.Oldest = time.UnixMicro(oldest)
	}
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM access_grant WHERE opened >= ? AND code != 'downtime'`, today.UnixMicro()).Scan(&out.GlassToday); err != nil {
		return Overview{}, unreadable(err)
	}
	if out.Answered, out.Median, err = g.answered(ctx, now.AddDate(0, 0, -30)); err != nil {
		return Overview{}, err
	}
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM access_review WHERE verdict = 'explained' AND reviewer = '' AND reviewed >= ?`,
		now.AddDate(0, 0, -30).UnixMicro()).Scan(&out.Reconciled); err != nil {
		return Overview{}, unreadable(err)
	}
	if out.Days, err = g.days(ctx, today); err != nil {
		return Overview{}, err
	}
	if out.Glass, err = g.glassRates(ctx); err != nil {
		return Overview{}, err
	}
	if out.Friction, err = g.friction(ctx); err != nil {
		return Overview{}, err
	}
	if out.Mutual, err = g.mutual(ctx); err != nil {
		return Overview{}, err
	}
	out.Twin, err = g.twin(ctx)
	return out, err
}

// Waiting counts the open reviews for the navigation of those who answer them; 0 for everybody else. A count is no reading of the log.
func (g *Gate) Waiting(ctx context.Context, p Principal) (n int, err error) {
	s, err := g.relate(ctx, p, chart{})
	if err != nil || !g.decide(s, policy.GlassReview, policy.Resource{}).Allowed {
		return 0, err
	}
	if err := g.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM access_review WHERE `+inQueue+` AND verdict IS NULL`).Scan(&n); err != nil {
		return 0, unreadable(err)
	}
	return n, nil
}

// answered counts reviews that people answered since a time, and how long the middle one of them had waited.
func (g *Gate) answered(ctx context.Context, since time.Time) (n int, median time.Duration, err error) {
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT reviewed - first_at FROM access_review WHERE `+inQueue+` AND reviewer != '' AND reviewed >= ?`, since.UnixMicro())
	if err != nil {
		return 0, 0, unreadable(err)
	}
	defer rows.Close()
	var waits []time.Duration
	for rows.Next() {
		var micros int64
		if err := rows.Scan(&micros); err != nil {
			return 0, 0, unreadable(err)
		}
		waits = append(waits, time.Duration(micros)*time.Microsecond)
	}
	if err := rows.Err(); err != nil || len(waits) == 0 {
		return 0, 0, err
	}
	slices.Sort(waits)
	return len(waits), waits[len(waits)/2], nil
}

func (g *Gate) days(ctx context.Context, today time.Time) ([]DayCount, error) {
	out := make([]DayCount, overviewDays)
	at := map[int64]int{}
	for i := range out {
		out[i].Date = today.AddDate(0, 0, i+1-overviewDays)
		at[g.dayOf(out[i].Date)] = i
	}
	rows, err := g.db.Reader().QueryContext(ctx, `SELECT day, openings, unexplained, glass FROM access_day WHERE day >= ?`, g.dayOf(out[0].Date))
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var day int64
		var one DayCount
		if err := rows.Scan(&day, &one.Openings, &one.Unexplained, &one.Glass); err != nil {
			return nil, unreadable(err)
		}
		if i, ok := at[day]; ok {
			one.Date = out[i].Date
			out[i] = one
		}
	}
	return out, rows.Err()
}

// dayOf numbers the days of the site.
func (g *Gate) dayOf(t time.Time) int64 {
	_, offset := t.In(g.zone).Zone()
	return (t.Unix() + int64(offset)) / 86400
}

// opened reports whether an entry is of a person at work who opened charts on purpose.
func opened(e audit.Event) bool {
	return (e.Kind == audit.Disclosure || e.Kind == audit.Emergency) && e.Class == audit.Deliberate && e.Agent.Person != "" && e.Agent.Capacity != policy.Patient
}

// count adds one entry to the figures of its day, and of the week of a department.
func (g *Gate) count(tx *sql.Tx, r audit.Read, department string) error {
	e := r.Event
	if !opened(e) {
		return nil
	}
	var one DayCount
	for _, part := range e.Patients {
		if part.Patient == 0 {
			continue
		}
		one.Openings++
		if part.Unexplained {
			one.Unexplained++
		}
		if part.Glass {
			one.Glass++
		}
	}
	if one.Openings == 0 {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO access_day (day, openings, unexplained, glass) VALUES (?,?,?,?) ON CONFLICT (day) DO UPDATE SET
		openings = access_day.openings + excluded.openings, unexplained = access_day.unexplained + excluded.unexplained, glass = access_day.glass + excluded.glass`,
		g.dayOf(happened(r)), one.Openings, one.Unexplained, one.Glass)
	if err != nil {
		return err
	}
	return g.work(tx, r, department, one)
}

// pseudonym is how a chart is told from another without saying whose it is.
func pseudonym(id string) string {
	if len(id) <= 6 {
		return id
	}
	return id[len(id)-6:]
}

// Masked names patients to those who watch and never treat: by initials and the end of the chart's id where p may find patients, by
// that end alone otherwise. Of the record itself nothing is given. The initials stand under one incidental entry, which is returned;
// there is none when no record was opened.
func (g *Gate) Masked(ctx context.Context, p Principal, ids ...string) (map[string]string, string, error) {
	return g.name(ctx, p, audit.Incidental, "", ids, func(id, name string) string {
		if letters := initials(name); letters != "" {
			return letters + ", " + pseudonym(id)
		}
		return pseudonym(id)
	})
}

// Named is [Gate.Masked] with whole names, for somebody who says why they are needed; the entry is a deliberate access and keeps the
// words. Errors: outcome.Required without a reason.
func (g *Gate) Named(ctx context.Context, p Principal, text string, ids ...string) (map[string]string, string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, "", outcome.New(outcome.Required, "say why you need the names").At("text")
	}
	return g.name(ctx, p, audit.Deliberate, text, ids, func(id, name string) string { return cmp.Or(name, pseudonym(id)) })
}

// name opens the Patient of each chart that p may find, under one entry, and gives what say makes of the name.
func (g *Gate) name(ctx context.Context, p Principal, class, text string, ids []string, say func(id, name string) string) (map[string]string, string, error) {
	out := map[string]string{}
	var e audit.Event
	var sealed []*record.Sealed
	for _, id := range ids {
		if _, done := out[id]; done || id == "" {
			continue
		}
		out[id] = pseudonym(id)
		s, x, d, err := g.findable(ctx, p, id)
		if err != nil {
			return nil, "", err
		}
		if x == nil {
			continue
		}
		if len(sealed) == 0 {
			e = s.event("find", "R")
			e.Class, e.Text, e.PolicyHash = class, text, d.Hash
		}
		reason := s.reason(d)
		reason.Patient = "saw your initials while looking into who opened charts"
		if class == audit.Deliberate {
			reason.Patient = "saw your name while looking into who opened your chart"
		}
		e.Patients = append(e.Patients, permitted{standing: s, decision: d, records: []*record.Sealed{x}, action: policy.Find}.entry(reason))
		sealed = append(sealed, x)
	}
	if len(sealed) == 0 {
		return out, "", nil
	}
	receipt, err := g.log.Disclose(ctx, e)
	if err != nil {
		return nil, "", err
	}
	for _, x := range sealed {
		doc, err := x.Open(receipt)
		if err != nil {
			return nil, "", err
		}
		out[x.ID()] = say(x.ID(), HumanName(doc.Root().Get("name")))
	}
	return out, receipt.Entry(), nil
}

// findable gives the Patient of a chart, still sealed, when p may learn who it is; nil when not.
func (g *Gate) findable(ctx context.Context, p Principal, id string) (standing, *record.Sealed, policy.Decision, error) {
	var none policy.Decision
	x, err := g.records.Read(ctx, "Patient", id)
	if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.Deleted) {
		return standing{}, nil, none, nil
	}
	if err != nil {
		return standing{}, nil, none, err
	}
	c, err := g.chartOf(ctx, x)
	if err != nil {
		return standing{}, nil, none, err
	}
	s, err := g.relate(ctx, p, c)
	if err != nil {
		return s, nil, none, err
	}
	d := g.decide(s, policy.Find, s.resource(x))
	if !d.Allowed || x.Deleted() || protected(s.relation.Flags) {
		return s, nil, d, nil
	}
	return s, x, d, nil
}

// initials writes `Oduya, Miriam` as M. O.
func initials(name string) string {
	family, given, _ := strings.Cut(name, ", ")
	var out []string
	for _, part := range []string{given, family} {
		for _, letter := range part {
			out = append(out, string(letter)+".")
			break
		}
	}
	return strings.Join(out, " ")
}

// Sought is one thing that would have explained the openings of a review, and whether it was there when they began.
type Sought struct {
	What  string    // visit, past-visit, next-visit, care-team, order, task, shift; self-made only where there is one, which explains nothing
	Found bool      //
	Since bool      // not there then, but on record by now
	At    time.Time // of a visit: when it ended or begins
	Place string    // of a shift
	From  time.Time // of a shift
	Until time.Time
}

// sought looks for every kind of link between the person of a review and its patient, as it was known when the openings began, and
// once more as it is known now.
func (g *Gate) sought(ctx context.Context, r Review, c chart, began time.Time) ([]Sought, error) {
	person, err := g.persons.Person(ctx, r.Person)
	if err != nil {
		return nil, err
	}
	actor, err := g.actor(ctx, person)
	if err != nil {
		return nil, err
	}
	then, err := g.care.Relate(ctx, actor, c.number, began)
	if err != nil {
		return nil, err
	}
	now, err := g.care.Relate(ctx, actor, c.number, g.now())
	if err != nil {
		return nil, err
	}
	shift, err := g.care.OnShift(ctx, actor, began)
	if err != nil {
		return nil, err
	}
	was, is := then.Facts, now.Facts
	have := func(what string, then, now bool, at time.Time) Sought {
		return Sought{What: what, Found: then, Since: !then && now, At: at}
	}
	// A visit that was written down late covers the opening when it had not ended before it.
	late := is.OpenContact || is.LastContactEnd.After(began)
	out := []Sought{
		have("visit", was.OpenContact, late, time.Time{}),
		have("past-visit", !was.LastContactEnd.IsZero(), false, was.LastContactEnd),
		have("next-visit", !was.NextContactStart.IsZero(), false, was.NextContactStart),
		have("care-team", was.CareTeam, is.CareTeam, time.Time{}),
		have("order", len(was.OrderDepts) > 0, len(is.OrderDepts) > 0, time.Time{}),
		have("task", was.TaskOpen, is.TaskOpen, time.Time{}),
		{What: "shift", Found: shift.On, Place: shift.Place, From: shift.From, Until: shift.Until},
	}
	if was.SelfMade {
		out = append(out, Sought{What: "self-made"})
	}
	return out, nil
}
