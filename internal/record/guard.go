package record

import (
	"context"
	"database/sql"
	"errors"

	"chartwarden/internal/outcome"
)

// Guard keeps a decision true until its write is stored. Take it before the question is asked ("is there such a Patient?") and hand
// it to the write: of two writes that were decided by the same condition at the same time, one is stored and the other gets
// [ErrRace], whatever node they come from. See docs/adr/0060.
type Guard struct {
	name []byte
	seen int64 // the transaction that was decided by it last; 0: none
}

// ErrRace is in the chain of an outcome.Conflict that went away if the write were decided and prepared anew.
var ErrRace = errors.New("record: somebody else was faster")

// Guard begins a decision about a condition, given in a form that is the same for all ways to write it. What is read afterwards is
// at least as new as the guard. Errors: as [Store.Read].
func (s *Store) Guard(ctx context.Context, condition string) (Guard, error) {
	name := s.box.PRF("criteria", []byte(condition))
	g := Guard{name: name[:16]}
	err := s.one(ctx, s.d.Reader(), decidedBy, g.name).Scan(&g.seen)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Guard{}, unreadable(err)
	}
	if s.d.Shared() { // what is decided on has to be at least as new
		if err := s.followNodes(ctx); err != nil {
			return Guard{}, err
		}
	}
	return g, nil
}

const (
	decidedBy   = `select tx from criteria where name=?`
	firstDecide = `insert into criteria(name, tx) values(?,?) on conflict do nothing`
	nextDecide  = `update criteria set tx=? where name=? and tx=?`
)

// pass moves a guard on to the transaction that is being written.
func (s *Store) pass(tx *sql.Tx, g Guard, number int64) error {
	if g.name == nil {
		return nil
	}
	var r sql.Result
	var err error
	if g.seen == 0 {
		r, err = tx.Stmt(s.write.decide).Exec(g.name, number)
	} else {
		r, err = tx.Stmt(s.write.decideAgain).Exec(number, g.name, g.seen)
	}
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return conflict()
}

func conflict() error {
	return outcome.Wrap("record: commit", outcome.Conflict, "somebody else changed the resource at the same moment: read it again", ErrRace)
}
