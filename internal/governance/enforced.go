package governance

import (
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Origins of what is in force.
const (
	Shipped = "shipped" // the program brought it, and the house has decided nothing
	House   = "house"   // two people wanted it
)

// Enforcement says that a bundle decides from a moment on, until a later one's moment comes.
type Enforcement struct {
	Number        int64
	Hash          string
	Since         time.Time
	Origin        string // Shipped or House
	Item          string // of the act of two people
	Asked, Agreed string // ids of persons; Asked empty: the command line
	Entry         string // of the log, origin/index
}

type enforcedRow struct {
	Enforcement
	since int64
	mac   []byte
}

func (r *enforcedRow) columns() []any {
	return []any{r.Hash, r.since, r.Origin, r.Item, r.Asked, r.Agreed, r.Entry}
}

// tagged has the number, too: the newest decision is the one with the highest, so another number is another decision.
func (r *enforcedRow) tagged() []any { return append(r.columns(), r.Number) }

const selectEnforced = `SELECT number, hash, since, origin, item, asked, agreed, entry, mac FROM policy_enforced ORDER BY number`

// eachEnforced gives every row, genuine or not.
func eachEnforced(ctx context.Context, q *sql.DB, use func(r enforcedRow) error) error {
	rows, err := q.QueryContext(ctx, selectEnforced)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r enforcedRow
		if err := rows.Scan(&r.Number, &r.Hash, &r.since, &r.Origin, &r.Item, &r.Asked, &r.Agreed, &r.Entry, &r.mac); err != nil {
			return unreadable(err)
		}
		r.Since = time.UnixMicro(r.since).UTC()
		if err := use(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// read takes the genuine rows into memory.
func (g *Rules) read(ctx context.Context) error {
	var history []Enforcement
	err := eachEnforced(ctx, g.o.DB.Reader(), func(r enforcedRow) error {
		if !g.tags.enforced.Holds(r.mac, r.tagged()...) {
			g.o.Altered(enforcedTable, r.Number)
			return nil
		}
		history = append(history, r.Enforcement)
		return nil
	})
	if err == nil {
		g.mu.Lock()
		g.history = history
		g.mu.Unlock()
	}
	return err
}

// History lists what is, was and will be in force, newest first.
func (g *Rules) History() []Enforcement {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Enforcement, 0, len(g.history))
	for i := len(g.history) - 1; i >= 0; i-- {
		out = append(out, g.history[i])
	}
	return out
}

// InForce is the newest decision whose moment has come; false where there is none.
func (g *Rules) InForce() (Enforcement, bool) {
	now := g.now()
	for _, e := range g.History() {
		if !e.Since.After(now) {
			return e, true
		}
	}
	return Enforcement{}, false
}

// Decided reports whether a bundle really decided here once, or does: its moment came, and nothing later had come before it.
func (g *Rules) Decided(hash string) bool {
	now, first := g.now(), time.Time{} // of the decisions after the one that is looked at
	for i, e := range g.History() {
		if e.Hash == hash && !e.Since.After(now) && (i == 0 || e.Since.Before(first)) {
			return true
		}
		if i == 0 || e.Since.Before(first) {
			first = e.Since
		}
	}
	return false
}

// ShippedHash is that of the bundle which this version of the program brings; the house may have decided on others.
func (g *Rules) ShippedHash() string { return g.shipped.Hash() }

// Shipped is the text of the bundle that the program brings.
func (g *Rules) Shipped() policy.Bundle { return g.shipped }

// bring is what a start does: the text of the program's bundle is kept, and is put in force where the house has decided nothing.
func (g *Rules) bring(ctx context.Context) error {
	if err := g.read(ctx); err != nil {
		return err
	}
	now, decided := g.InForce()
	if !decided || now.Origin == Shipped && now.Hash != g.shipped.Hash() {
		if g.o.Log.State().Journaling {
			return g.install(g.shipped, false) // the next start says so in the log
		}
		set, err := policy.Load(g.shipped)
		if err != nil {
			return err
		}
		if _, err := g.keep(ctx, g.shipped, ""); err != nil {
			return err
		}
		text := "shipped: the rules of version " + g.o.Version + " decide"
		if decided {
			text += ", in place of those of the version before, " + now.Hash
		}
		if _, err := g.enforce(ctx, audit.Agent{Job: "policy"}, Enforcement{Hash: set.Hash(), Since: g.now(), Origin: Shipped}, text); err != nil {
			return err
		}
	} else if _, err := g.keep(ctx, g.shipped, ""); err != nil { // so that it can be compared with, and published
		return err
	}
	return g.Follow(ctx)
}

// enforce writes that a bundle decides from a moment on: the entry, then the row.
func (g *Rules) enforce(ctx context.Context, by audit.Agent, e Enforcement, text string) (Enforcement, error) {
	logged, err := g.o.Log.Note(ctx, audit.Event{Kind: audit.Policy, Agent: by, Action: "E", Interaction: enforcedAct, Class: audit.Machine, Purpose: "HSYSADMIN",
		PolicyHash: e.Hash, Text: text + " from " + e.Since.Format(time.RFC3339)})
	if err != nil {
		return e, err
	}
	e.Entry = logged.Entry()
	return e, g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		r := enforcedRow{Enforcement: e, since: e.Since.UnixMicro()}
		err := tx.QueryRow(`INSERT INTO policy_enforced (hash, since, origin, item, asked, agreed, entry, mac) VALUES (?,?,?,?,?,?,?,?) RETURNING number`,
			append(r.columns(), []byte{})...).Scan(&r.Number)
		if err == nil {
			_, err = tx.Exec(`UPDATE policy_enforced SET mac = ? WHERE number = ?`, g.tags.enforced.Tag(r.tagged()...), r.Number)
		}
		return err
	})
}

// enforcedAct is the interaction of the entries that say which bundle decides.
const enforcedAct = "policy-enforced"

// place is how far the rows were read.
type place struct{ rows, newest int64 }

// Follow puts in force what the rows say, now: what another node published meanwhile, or what was set for this moment.
// Errors: outcome.NoStore; outcome.NotSupported for rules that do not fit this program; those in force stay then.
func (g *Rules) Follow(ctx context.Context) error {
	var at place
	if err := g.o.DB.Reader().QueryRowContext(ctx, `SELECT count(*), coalesce(max(number),0) FROM policy_enforced`).Scan(&at.rows, &at.newest); err != nil {
		return unreadable(err)
	}
	g.mu.Lock()
	moved := at != g.place
	g.mu.Unlock()
	if moved {
		if err := g.read(ctx); err != nil {
			return err
		}
		g.mu.Lock()
		g.place = at
		g.mu.Unlock()
	}
	now := g.now()
	for _, e := range g.History() {
		if e.Since.After(now) {
			continue
		}
		if e.Hash == g.o.Enforced.Hash() {
			g.began.Store(true)
			return nil
		}
		kept, err := g.Bundle(ctx, e.Hash)
		if outcome.Is(err, outcome.NotFound) && !g.began.Load() {
			g.o.Logger.Error("the text of the rules in force was altered or is gone: those before them decide; run audit verify", "policy", e.Hash)
			continue
		}
		if err != nil {
			return err
		}
		return g.install(kept.Bundle, e.Origin == House)
	}
	return g.install(g.shipped, false)
}

// install lets a bundle decide on this node.
func (g *Rules) install(b policy.Bundle, house bool) error {
	set, err := policy.Load(b)
	if err != nil && house {
		return outcome.Wrap("governance: enforce", outcome.NotSupported,
			"the rules that this house decided on do not fit this version of the program: start the version before, publish rules that `chartwarden policy check` of this version accepts, and come back", err)
	}
	if err != nil {
		return err
	}
	g.began.Store(true)
	if before := g.o.Enforced.Hash(); before != set.Hash() {
		g.o.Enforced.Replace(set)
		g.o.Logger.Info("other rules of access decide from now on", "policy", set.Hash(), "before", before)
	}
	return nil
}
