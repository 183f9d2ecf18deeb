package training

import (
	"context"
	"io/fs"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
)

// completes is the interaction of the entry of a completion.
const completes = "training"

// says is what that entry says.
func says(module, version string) string {
	return "completed and signed " + module + ", version " + version
}

// near is how far the moment of a completion may lie from that of its entry.
const near = 5 * time.Second

// Check verifies the completions: the tag of each, and that its entry says the same of the same person. Give it every entry in order, then
// ask for the rows. For one run and one goroutine.
type Check struct {
	d     *db.DB
	tags  Tags
	fault func(table string, row int64, what string)
	said  map[string]audit.Event // by the name of the entry
	rows  []signed
	cut   bool // an earlier log is not here as it was
}

// signed is a row of completions.
type signed struct {
	number int64 // by the order in which they came
	person string
	Done
}

// NewCheck begins a verification of the completions in d. Errors: as [db.Migrate].
func NewCheck(ctx context.Context, d *db.DB, tags Tags, fault func(table string, row int64, what string)) (*Check, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = db.Migrate(ctx, d, "training", files)
	}
	if err != nil {
		return nil, err
	}
	return &Check{d: d, tags: tags, fault: fault, said: map[string]audit.Event{}}, nil
}

// Entry takes in one entry of the log.
func (c *Check) Entry(r *audit.Read) {
	switch e := r.Event; {
	case e.Kind == audit.Cut:
		c.cut = true
	case e.Kind == audit.People && e.Interaction == completes && e.Outcome == 0:
		c.said[r.Entry()] = audit.Event{Time: e.Time, Text: e.Text, Agent: audit.Agent{Person: e.Agent.Person}}
	}
}

// Read takes the rows as they are at one moment. Errors: outcome.Transient.
func (c *Check) Read(ctx context.Context) error {
	rows, err := c.d.Reader().QueryContext(ctx, `SELECT person, module, version, at, entry, mac FROM training_done ORDER BY at, person, module`)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for n := int64(1); rows.Next(); n++ {
		one := signed{number: n}
		var at int64
		var mac []byte
		if err := rows.Scan(&one.person, &one.Module, &one.Version, &at, &one.Entry, &mac); err != nil {
			return unreadable(err)
		}
		if !c.tags.Holds(mac, one.person, one.Module, one.Version, at, one.Entry) {
			c.fault(table, n, "was not written by this server, or was changed")
			continue
		}
		one.At = time.UnixMicro(at)
		c.rows = append(c.rows, one)
	}
	return unreadable(rows.Err())
}

// Compare holds the rows that were read against the log, all entries of which have come by now.
func (c *Check) Compare() {
	for i := range c.rows {
		d := &c.rows[i]
		e, ok := c.said[d.Entry]
		switch {
		case !ok && c.cut:
		case !ok:
			c.fault(table, d.number, "is a completion that no entry tells")
		case e.Agent.Person != d.person || e.Text != says(d.Module, d.Version) || e.Time.Sub(d.At).Abs() > near:
			c.fault(table, d.number, "says other than its entry")
		}
	}
}
