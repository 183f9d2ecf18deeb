package governance

import (
	"context"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db"
)

// Verification verifies the rows of this package: the tag of each, that each text is what its hash says, that an entry put each in force,
// and that the newest which the log put in force is there. Give it every entry in order, then ask it to compare. For one run.
type Verification struct {
	d       *db.DB
	tags    tags
	fault   func(table string, row int64, what string)
	said    []said
	settled int // so many of them are old enough for their rows to be there
	cut     bool
}

// said is that an entry put a bundle in force.
type said struct{ hash, item string }

// underWay is how long the row of an entry may take to be there.
const underWay = 5 * time.Second

// NewVerification begins. Errors: as [db.Migrate].
func NewVerification(ctx context.Context, d *db.DB, of func(table string) access.Tags, fault func(table string, row int64, what string)) (*Verification, error) {
	if err := db.Migrate(ctx, d, "governance", migrations()); err != nil {
		return nil, err
	}
	return &Verification{d: d, tags: newTags(of), fault: fault}, nil
}

// Entry takes in one entry of the log.
func (v *Verification) Entry(r *audit.Read) {
	e := &r.Event
	switch {
	case e.Kind == audit.Cut:
		v.cut = true
	case e.Kind == audit.Policy && e.Interaction == enforcedAct:
		if v.said = append(v.said, said{e.PolicyHash, itemIn(e.Text)}); time.Since(r.Recorded).Abs() > underWay {
			v.settled = len(v.said)
		}
	}
}

func itemIn(text string) string {
	text, ok := strings.CutPrefix(text, "item ")
	item, _, _ := strings.Cut(text, ":")
	if !ok {
		return ""
	}
	return item
}

// Rows reads the rows and names those that this server did not write. It gives what they put in force, for [Verification.Compare].
// Errors: outcome.NoStore.
func (v *Verification) Rows(ctx context.Context) (out []Enforcement, err error) {
	bundles := map[string]bool{}
	rows, err := v.d.Reader().QueryContext(ctx, `SELECT hash, body, added, author, mac FROM policy_bundle`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r bundleRow
		if err := rows.Scan(&r.hash, &r.body, &r.added, &r.author, &r.mac); err != nil {
			return nil, unreadable(err)
		}
		if _, err := r.genuine(v.tags); err != nil {
			v.fault(bundleTable, rowNumber(r.hash), "holds rules that were not written by this server, or were changed")
			continue
		}
		bundles[r.hash] = true
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	err = eachEnforced(ctx, v.d.Reader(), func(r enforcedRow) error {
		switch {
		case !v.tags.enforced.Holds(r.mac, r.tagged()...):
			v.fault(enforcedTable, r.Number, "was not written by this server, or was changed")
			return nil
		case !bundles[r.Hash]:
			v.fault(enforcedTable, r.Number, "puts rules in force whose text is gone")
		}
		out = append(out, r.Enforcement)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := v.proposals(ctx); err != nil {
		return nil, err
	}
	return out, v.besides(ctx)
}

func (v *Verification) besides(ctx context.Context) error {
	rows, err := v.d.Reader().QueryContext(ctx, selectBeside)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r besideRow
		if err := r.scan(rows); err != nil {
			return unreadable(err)
		}
		if !v.tags.beside.Holds(r.mac, r.tagged()...) {
			v.fault(besideTable, r.number, "was not written by this server, or was changed")
		}
	}
	if err := rows.Err(); err != nil {
		return unreadable(err)
	}
	tallies, err := v.d.Reader().QueryContext(ctx, selectTally)
	if err != nil {
		return unreadable(err)
	}
	defer tallies.Close()
	for tallies.Next() {
		var r tallyRow
		if err := r.scan(tallies); err != nil {
			return unreadable(err)
		}
		if !v.tags.tally.Holds(r.mac, r.tagged()...) {
			v.fault(tallyTable, rowNumber(r.node), "was not written by this server, or was changed")
		}
	}
	return tallies.Err()
}

func (v *Verification) proposals(ctx context.Context) error {
	rows, err := v.d.Reader().QueryContext(ctx, selectProposal)
	if err != nil {
		return unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r proposalRow
		if err := r.scan(rows); err != nil {
			return unreadable(err)
		}
		if !v.tags.proposal.Holds(r.mac, r.tagged()...) {
			v.fault(proposalTable, rowNumber(r.id), "was not written by this server, or was changed")
		}
	}
	return rows.Err()
}

// Compare holds the rows against the log, all entries of which have come by now.
func (v *Verification) Compare(rows []Enforcement) {
	if v.cut {
		return
	}
	has := map[said]int{}
	for _, s := range v.said {
		has[s]++
	}
	for _, e := range rows {
		if has[said{e.Hash, e.Item}] == 0 {
			v.fault(enforcedTable, e.Number, "puts rules in force without an entry that says so")
		}
		has[said{e.Hash, e.Item}]--
	}
	if n := v.settled; n > 0 && has[v.said[n-1]] > 0 {
		v.fault(enforcedTable, 0, "lacks the rules that the log put in force last, "+v.said[n-1].hash)
	}
}
