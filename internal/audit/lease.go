package audit

import (
	"context"
	"database/sql"
	"errors"

	"chartwarden/internal/outcome"
)

// A lease says which process writes a log. It has no clock: whoever takes it up makes its epoch one higher, each append locks and
// compares it in its own transaction, and so what an earlier process still tries to append fails, and nothing is disclosed there.

var errLost = outcome.Wrap("audit: append", outcome.Lock, "another process took up the log of this node: this one ends", nil)

// take makes this process the writer of a log.
func (l *Log) take(ctx context.Context, number int64) (epoch int64, err error) {
	err = l.d.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`insert into lease(number, epoch) values(?, 1) on conflict(number) do update set epoch = lease.epoch + 1`, number); err != nil {
			return err
		}
		return tx.QueryRow(`select epoch from lease where number = ?`, number).Scan(&epoch)
	})
	return epoch, unleased(err)
}

// reserve gets the number of a new log, which no table of the store uses, and the lease of it.
func (l *Log) reserve(ctx context.Context) (number int64, err error) {
	for range 20 { // nodes that start at once may want the same
		err = l.d.Write(ctx, func(tx *sql.Tx) error {
			if err := tx.QueryRow(`select 1 + coalesce((select max(number) from lease), -1)`).Scan(&number); err != nil {
				return err
			}
			used, err := lastUsed(tx)
			if err != nil {
				return err
			}
			number = max(number, used+1)
			_, err = tx.Exec(`insert into lease(number, epoch) values(?, 1)`, number)
			return err
		})
		if err == nil || l.d.Broken() != nil {
			break
		}
	}
	return number, unleased(err)
}

// lastUsed is the highest number of a log that entries, heads, payloads, tiles or the list of logs know; -1: none.
func lastUsed(q asker) (n int64, err error) {
	for _, text := range []string{`select max(number) from log`, `select max(at) / 1099511627776 from entry`, `select max(at) / 1099511627776 from head`,
		`select max(id) / 4503599627370496 from payload`, `select max(id) / 17592186044416 from tile`} {
		var one sql.NullInt64
		if err := q.QueryRow(text).Scan(&one); err != nil {
			return 0, err
		}
		if one.Valid {
			n = max(n, 1+one.Int64)
		}
	}
	return n - 1, nil
}

func unleased(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("audit: lease", outcome.NoStore, "the audit log cannot be written", errors.New(err.Error()))
}

// Lost reports that this process cannot go on with its log, and is expected to end. Another process took it up (outcome.Lock): nothing is
// appended any more, not even to the emergency journal. Or the tables are not as this process left them (outcome.NoStore): the journal
// serves to the end, [Log.Close] leaves the newest head that was acknowledged in the head file, and the next start compares.
func (l *Log) Lost() error {
	switch {
	case l.lost.Load():
		return errLost
	case l.altered.Load():
		return errForeignWrite
	}
	return nil
}
