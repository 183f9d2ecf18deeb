package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chartwarden/internal/outcome"
)

// ErrDoubt is inside the error of a write whose commit may or may not have happened, with the code outcome.NoStore. It is neither stored
// nor not stored until somebody looks; whoever keeps state in memory about what is stored reads it anew.
var ErrDoubt = errors.New("db: it is not known whether the commit happened")

// settle finds out what became of the newest transaction after commit returned cause: nil when it is stored, and on the standbys that
// the database waits for; an error otherwise.
//
// A connection may break after the server committed and before it said so. So each transaction carries its number into the row of its
// writer: with the lock of the schema in hand, the old transaction has ended, and the row tells. Committing that look proves that all
// before it reached the standbys, since they take the log in order.
func (d *DB) settle(cause error) error {
	var certain *undone
	if errors.As(cause, &certain) {
		return classifyPostgres("db: commit", certain.cause)
	}
	ctx, cancel := context.WithTimeout(context.Background(), settling)
	defer cancel()
	for ctx.Err() == nil {
		stored, err := d.look(ctx)
		if err == nil && stored {
			return nil
		}
		if err == nil {
			return outcome.Wrap("db: commit", outcome.Transient, "the connection to the database broke, nothing was stored; please try again", cause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return outcome.Wrap("db: commit", outcome.NoStore, "the database broke off while it stored; whether it did is not known yet", errors.Join(ErrDoubt, cause))
}

// look reads whether the newest transaction is stored. An error leaves it open.
func (d *DB) look(ctx context.Context) (stored bool, err error) {
	err = d.onWriter(ctx, func(c *conn) error {
		results, err := c.script(ctx, fmt.Sprintf(`begin; select pg_advisory_xact_lock(%d); update db_writer set at=now() where writer=%d returning commit`, d.pg.lock, d.pg.self))
		if err != nil {
			_, _ = c.script(ctx, `rollback`)
			return err
		}
		found := results[len(results)-1].Rows
		stored = len(found) == 1 && string(found[0][0]) == fmt.Sprint(d.pg.commit)
		c.warning = nil
		if _, err := c.script(ctx, `commit`); err != nil {
			return err
		}
		if c.warning != nil {
			return c.warning
		}
		return nil
	})
	return stored, err
}
