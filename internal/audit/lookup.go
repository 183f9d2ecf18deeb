package audit

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
)

// lookupRow is one entry in one owner's list.
type lookupRow struct {
	owner owner
	at    Index
	part  int
}

// index is the built-in follower: entries by patient and by agent, and the lengths of their chains. Rows go in sorted: random pages
// of a B-tree are what costs.
func (l *Log) index(_ context.Context, tx *sql.Tx, batch []Read) error {
	var add []lookupRow
	lengths := map[int64]map[owner]int64{}
	for i := range batch {
		r := &batch[i]
		n := r.Index.log()
		if lengths[n] == nil {
			lengths[n] = map[owner]int64{}
		}
		for _, row := range l.ownersOf(r) {
			add = append(add, row)
			lengths[n][row.owner]++
		}
	}
	slices.SortFunc(add, func(a, b lookupRow) int {
		return cmp.Or(cmp.Compare(a.owner.kind, b.owner.kind), cmp.Compare(a.owner.id, b.owner.id), cmp.Compare(a.at, b.at))
	})
	args := make([]any, 0, 4*len(add))
	for _, r := range add {
		args = append(args, r.owner.kind, r.owner.id, r.at, r.part)
	}
	if err := insertMany(tx, `insert into lookup(kind, owner, at, part) values`, `(?,?,?,?)`, 4, args); err != nil {
		return err
	}
	for number, owners := range lengths {
		args = args[:0]
		for o, n := range owners {
			args = append(args, number, o.kind, o.id, n)
		}
		if err := insertMany(tx, `insert into chain(number, kind, owner, n) values`, `(?,?,?,?)`, 4, args, ` on conflict do update set n = n + excluded.n`); err != nil {
			return err
		}
	}
	return nil
}

// ownersOf lists whose chains an entry extends and where their part of the payload is. What was redacted names nobody any more:
// redaction therefore waits for this follower, and [Log.Rebuild] finds such owners by their tags.
func (s *store) ownersOf(r *Read) (out []lookupRow) {
	if acting := r.Event.Agent.acting(); acting != "" {
		out = append(out, lookupRow{owner{ownerAgent, s.agentID(acting)}, r.Index, 0})
	}
	for i, p := range r.Event.Patients {
		if p.Patient != 0 {
			out = append(out, lookupRow{owner{ownerPatient, int64(p.Patient)}, r.Index, r.parts[i]})
		}
	}
	return out
}
