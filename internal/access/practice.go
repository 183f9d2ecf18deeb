package access

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// A site with few clinicians may declare itself a practice: everybody who treats there then stands to each patient who was seen or booked
// within 24 months (docs/adr/0204). What its only officer opens somebody from outside looks at (docs/adr/0205).

// Practice is that this site declared itself one.
type Practice struct {
	ID       int64
	Item     string // the request; initial for what was said when the installation was made
	Asked    string // id of who declared it; empty: the command line
	Agreed   string // id of the second person; empty at the making of the installation
	Since    time.Time
	Reviewer string // id of the outside reviewer; empty for none
	Entry    string
	EndedBy  string

	ended sql.NullInt64
}

const (
	practiceTable = "access_practice"
	panelTemplate = "care.panel"
	initial       = "init"
	// practiceMost is from how many clinicians on a site is none. Source: decision 16 of the design.
	practiceMost = 15

	practiceBegins = "practice-begin"
	practiceEnds   = "practice-end"
)

func (d *Practice) columns() []any {
	return []any{d.Item, d.Asked, d.Agreed, d.Since.UnixMicro(), d.Reviewer, d.Entry, d.ended, d.EndedBy}
}

// line is what the entry of a practice says of it.
func (d *Practice) line() string {
	return strings.Join([]string{d.Item, d.Asked, d.Agreed, d.Since.UTC().Format(time.RFC3339), d.Reviewer}, " ")
}

// AskPractice asks that this site count as a practice, with somebody from outside who looks at what its own officers open, or without; a later
// one takes the place of an earlier, reviewer and all. It begins when somebody else agrees.
//
// Errors: outcome.Forbidden; outcome.Required without a reason; outcome.Conflict for a site of fifteen clinicians or more; outcome.Value for a
// reviewer who does not stand outside: an active privacy officer who is nothing else here, neither in her roles nor as practitioner or patient.
func (g *Gate) AskPractice(ctx context.Context, p Principal, reviewer, reason string) (Approval, error) {
	if _, err := g.mayAsk(ctx, p, policy.Settings); err != nil {
		return Approval{}, err
	}
	if err := g.fitsPractice(ctx, reviewer); err != nil {
		return Approval{}, err
	}
	return g.ask(ctx, p, PracticeAct, "", practiceWords(reviewer), strings.TrimSpace(reason), actBody{Person: reviewer})
}

func practiceWords(reviewer string) string {
	if reviewer == "" {
		return "declare this site a practice, without an outside reviewer"
	}
	return "declare this site a practice, with person " + reviewer + " as outside reviewer"
}

// DeclarePractice puts it in force without a second person: by the command line, in a sandbox, or as long as the installation has nobody but
// its first administrator, whose word the whole of it rests on anyway. Errors: outcome.Forbidden otherwise; those of [Gate.AskPractice].
func (g *Gate) DeclarePractice(ctx context.Context, p Principal, reviewer string) error {
	people, err := g.persons.People(ctx)
	if err != nil {
		return err
	}
	if p.Session != nil || p.Job != Operator || !g.sandbox && len(people) > 1 {
		return outcome.New(outcome.Forbidden, "two people declare a practice once people work here").Because("two-people")
	}
	if err := g.fitsPractice(ctx, reviewer); err != nil {
		return err
	}
	known, err := g.readPractices(ctx, g.db.Reader(), "")
	if err != nil {
		return err
	}
	item := initial
	if len(known) > 0 {
		item += " " + g.now().UTC().Format(time.RFC3339Nano) // of trials: each has a name of its own
	}
	return g.beginPractice(ctx, Practice{Item: item, Since: g.now().Truncate(time.Microsecond), Reviewer: reviewer})
}

// carryPractice puts in force what two people wanted.
func (g *Gate) carryPractice(ctx context.Context, it *identity.Pending) error {
	if it.By == "" || it.AskedBy == it.By {
		return outcome.New(outcome.Invariant, "one person alone declares no practice").Because("two-people")
	}
	known, err := g.readPractices(ctx, g.db.Reader(), `WHERE item = ?`, it.ID)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		if err := g.beginPractice(ctx, Practice{Item: it.ID, Asked: it.AskedBy, Agreed: it.By, Since: it.Decided.Truncate(time.Microsecond), Reviewer: bodyOf(it).Person}); err != nil {
			return err
		}
	}
	return g.persons.Finish(ctx, audit.Agent{Job: PracticeAct}, it.ID, wanted(it))
}

func (g *Gate) beginPractice(ctx context.Context, d Practice) error {
	logged, err := g.log.Note(ctx, audit.Event{Kind: audit.Setting, Interaction: practiceBegins, Action: "E", Agent: audit.Agent{Job: PracticeAct}, Class: audit.Machine,
		Purpose: "HSYSADMIN", PolicyHash: g.policy.Hash(), Text: d.line()})
	if err != nil {
		return err
	}
	d.Entry = logged.Entry()
	defer g.practices.change()()
	return unreadablePractice(g.db.Write(ctx, func(tx *sql.Tx) error {
		if err := g.endPractices(ctx, tx, ""); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO access_practice (item, asked, agreed, since, reviewer, entry, ended, ended_by, mac) VALUES (?,?,?,?,?,?,?,?,?)`,
			append(d.columns(), g.practiceTags.Tag(d.columns()...))...)
		return err
	}))
}

// endPractices ends those that run.
func (g *Gate) endPractices(ctx context.Context, tx *sql.Tx, by string) error {
	running, err := g.readPractices(ctx, tx, `WHERE ended IS NULL`)
	for i := range running {
		one := &running[i]
		one.ended, one.EndedBy = sql.NullInt64{Int64: g.now().UnixMicro(), Valid: true}, by
		if _, err := tx.Exec(`UPDATE access_practice SET ended = ?, ended_by = ?, mac = ? WHERE id = ?`, one.ended, one.EndedBy, g.practiceTags.Tag(one.columns()...), one.ID); err != nil {
			return err
		}
	}
	return err
}

// EndPractice ends it, by one person's act or the command line: it only takes away. Errors: outcome.Forbidden; outcome.NotFound where this
// site is none.
func (g *Gate) EndPractice(ctx context.Context, p Principal) error {
	s, err := g.mayAsk(ctx, p, policy.Settings)
	if err != nil {
		return err
	}
	running, err := g.readPractices(ctx, g.db.Reader(), `WHERE ended IS NULL`)
	if err != nil {
		return err
	}
	if len(running) == 0 {
		return outcome.New(outcome.NotFound, "this site is no practice")
	}
	for _, d := range running {
		e := audit.Event{Kind: audit.Setting, Interaction: practiceEnds, Action: "E", Agent: p.agent(), Class: audit.Deliberate, Purpose: "HSYSADMIN", PolicyHash: g.policy.Hash(), Text: d.Entry}
		if _, err := g.log.Note(ctx, e); err != nil {
			return err
		}
	}
	defer g.practices.change()()
	return unreadablePractice(g.db.Write(ctx, func(tx *sql.Tx) error { return g.endPractices(context.WithoutCancel(ctx), tx, s.who.ID) }))
}

// Practice is what this site declared itself; nil when it is none, or has fifteen clinicians by now. Its reviewer is empty as soon as she no
// longer stands outside. What another node wrote counts within a second. It is told to everybody. Errors: outcome.Transient.
func (g *Gate) Practice(ctx context.Context) (*Practice, error) {
	held, err := g.practices.held("", g.now(), func(int64) ([]Practice, error) {
		running, err := g.readPractices(ctx, g.db.Reader(), `WHERE ended IS NULL`)
		if err != nil || len(running) == 0 {
			return nil, err
		}
		d := running[len(running)-1]
		if err := g.fitsPractice(ctx, ""); outcome.Is(err, outcome.Conflict) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		if err := g.fitsPractice(ctx, d.Reviewer); err != nil {
			d.Reviewer = ""
		}
		return []Practice{d}, nil
	})
	if err != nil || len(held) == 0 {
		return nil, err
	}
	d := held[0]
	return &d, nil
}

// IsPractice reports whether the panel of the practice counts as a relationship; never where that cannot be read.
func (g *Gate) IsPractice() bool {
	d, err := g.Practice(context.Background())
	return err == nil && d != nil
}

// fitsPractice reports what keeps this site from being a practice with that reviewer.
func (g *Gate) fitsPractice(ctx context.Context, reviewer string) error {
	people, err := g.persons.People(ctx)
	if err != nil {
		return unreadablePractice(err)
	}
	clinicians, outside := 0, reviewer == ""
	for _, one := range people {
		if one.Active && slices.ContainsFunc(one.Roles, identity.Clinical) {
			clinicians++
		}
		outside = outside || one.ID == reviewer && one.Active && len(one.Roles) == 1 && one.Roles[0] == identity.Privacy && one.Practitioner == "" && one.Patient == ""
	}
	switch {
	case clinicians >= practiceMost:
		return outcome.New(outcome.Conflict, "a site with 15 clinicians or more is no practice: keep care teams, appointments and shifts instead")
	case !outside:
		return outcome.New(outcome.Value, "an outside reviewer is an active privacy officer who is nothing else here: no other role, no practitioner, no patient").At("reviewer")
	}
	return nil
}

// readPractices gives those that hold of what a condition finds, oldest first; the others raise the alarm.
func (g *Gate) readPractices(ctx context.Context, q querier, where string, args ...any) (out []Practice, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, item, asked, agreed, since, reviewer, entry, ended, ended_by, mac FROM access_practice `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, unreadablePractice(err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Practice
		var since int64
		var mac []byte
		if err := rows.Scan(&d.ID, &d.Item, &d.Asked, &d.Agreed, &since, &d.Reviewer, &d.Entry, &d.ended, &d.EndedBy, &mac); err != nil {
			return nil, unreadablePractice(err)
		}
		d.Since = time.UnixMicro(since)
		if g.practiceTags.Holds(mac, d.columns()...) {
			out = append(out, d)
		} else {
			g.altered(practiceTable, d.ID)
		}
	}
	return out, unreadablePractice(rows.Err())
}

func unreadablePractice(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("access: practice", outcome.Transient, "whether this site is a practice could not be read, please try again", err)
}

// outsideReviewer is the active person from outside who looks at what the officers of this practice open; false for none.
func (g *Gate) outsideReviewer(ctx context.Context, officers []identity.Person) (identity.Person, bool, error) {
	d, err := g.Practice(ctx)
	if err != nil || d == nil || d.Reviewer == "" {
		return identity.Person{}, false, err
	}
	at := slices.IndexFunc(officers, func(o identity.Person) bool { return o.ID == d.Reviewer })
	if at < 0 {
		return identity.Person{}, false, nil
	}
	return officers[at], true, nil
}

// selfWatched are those of the agents of some entries whom nobody of this practice could review but themselves, while somebody from outside
// does: its privacy officers and administrators.
func (g *Gate) selfWatched(ctx context.Context, reads []audit.Read) map[string]bool {
	d, err := g.Practice(ctx)
	if err != nil || d == nil || d.Reviewer == "" {
		return nil
	}
	out := map[string]bool{}
	for _, r := range reads {
		id := r.Event.Agent.Person
		if _, known := out[id]; known || id == "" || !slices.ContainsFunc(r.Event.Patients, func(x audit.PatientPart) bool { return x.Template == panelTemplate }) {
			continue
		}
		person, err := g.persons.Person(ctx, id)
		out[id] = err == nil && governs(person)
	}
	return out
}

// governs reports whether a person holds an office over others' accesses.
func governs(p identity.Person) bool {
	return slices.Contains(p.Roles, identity.Privacy) || slices.Contains(p.Roles, identity.Administrator)
}

func (g *Gate) governs(ctx context.Context, id string) bool {
	person, err := g.persons.Person(ctx, id)
	return err == nil && governs(person)
}
