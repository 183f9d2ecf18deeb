package casework

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/outcome"
)

// One process judges the log, whichever of the nodes. A term has no clock: its holder makes it beat, another who sees no beat for a while by
// its own clock begins the next one, and what the earlier holder still writes fails.

const (
	beat     = 2 * time.Second
	patience = 10 * time.Second // without a beat
)

var errSucceeded = outcome.New(outcome.Lock, "another node judges the log now")

// Lead waits until this process is the one that judges, or ctx ends. Where it is alone it is at once. Errors: ctx's; outcome.NoStore.
func (s *Store) Lead(ctx context.Context) error {
	if !s.d.Shared() {
		return nil
	}
	type term struct{ epoch, beat int64 }
	var seen term
	var since time.Time
	for {
		var now term
		err := s.d.Reader().QueryRowContext(ctx, `select epoch, beat from casework_term where name = ?`, judged).Scan(&now.epoch, &now.beat)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return unreadable(err)
		}
		if now != seen || since.IsZero() {
			seen, since = now, time.Now()
		}
		if now.epoch == 0 || now.beat < 0 || time.Since(since) > patience {
			won := false
			err := s.d.Write(ctx, func(tx *sql.Tx) error {
				if _, err := tx.Exec(`insert into casework_term(name, epoch, beat) values(?, 0, -1) on conflict(name) do nothing`, judged); err != nil {
					return err
				}
				done, err := tx.Exec(`update casework_term set epoch = ?, beat = 0 where name = ? and epoch = ? and (beat = ? or beat < 0)`, now.epoch+1, judged, now.epoch, now.beat)
				if err != nil {
					return err
				}
				n, err := done.RowsAffected()
				won = n == 1
				return err
			})
			if err != nil {
				return err
			}
			if won {
				s.epoch.Store(now.epoch + 1)
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(beat):
		}
	}
}

// Beat keeps the term of this process alive until ctx ends or another process takes over; then it gives that, or ctx's error.
func (s *Store) Beat(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(beat):
		}
		if epoch := s.epoch.Load(); epoch != 0 {
			err := s.d.Write(ctx, func(tx *sql.Tx) error {
				done, err := tx.Exec(`update casework_term set beat = beat + 1 where name = ? and epoch = ?`, judged, epoch)
				if err != nil {
					return err
				}
				if n, err := done.RowsAffected(); err != nil || n == 0 {
					return errors.Join(err, errSucceeded)
				}
				return nil
			})
			if outcome.Is(err, outcome.Lock) {
				return err
			} // a database that does not answer now may answer the next time
		}
	}
}

// Leave ends the term of this process, so that another need not wait for it.
func (s *Store) Leave(ctx context.Context) error {
	epoch := s.epoch.Swap(0)
	if epoch == 0 {
		return nil
	}
	return s.d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`update casework_term set beat = -1 where name = ? and epoch = ?`, judged, epoch)
		return err
	})
}

// leads fails when another process judges by now.
func (s *Store) leads(tx *sql.Tx) error {
	epoch := s.epoch.Load()
	if epoch == 0 {
		return nil
	}
	var now int64
	if err := tx.QueryRow(`select epoch from casework_term where name = ?`, judged).Scan(&now); err != nil {
		return err
	}
	if now != epoch {
		return errSucceeded
	}
	return nil
}
