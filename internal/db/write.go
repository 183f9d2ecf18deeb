package db

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"chartwarden/internal/outcome"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// job is one queued write. Whoever moves it out of waiting owns it: the writer to run it, the caller to give it up.
type job struct {
	fn    func(*sql.Tx) error
	state atomic.Int32
	done  chan struct{}
	err   error
	panic any
}

const (
	waiting int32 = iota
	taken
	abandoned
)

// Write runs fn in a transaction and returns when it is durable. Functions of other callers share the transaction: fn sees what
// those before it in the batch wrote, and its own error rolls back its own statements only.
//
// fn runs at most once, on the writer's goroutine, and must not wait for another Write. ctx bounds the wait in the queue; once fn
// runs it is not cancelled, and fn must not pass a context that can be cancelled to its statements: an interrupted statement
// rolls back the whole transaction, its neighbours included. A panic in fn is raised again in the caller.
//
// Errors: fn's own, unwrapped; outcome.Transient (given up while waiting, or the batch failed: nothing of it is stored, retry);
// outcome.NoStore (disk full, I/O error, closed: nothing may be assumed stored).
func (d *DB) Write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if ctx.Err() != nil { // below, a queue with room would win half of the time
		return givenUp(ctx)
	}
	j := &job{fn: fn, done: make(chan struct{})}
	select {
	case <-d.closing:
		return errClosed
	default:
	}
	select {
	case d.queue <- j:
	case <-d.closing:
		return errClosed
	case <-ctx.Done():
		return givenUp(ctx)
	}
	select {
	case <-j.done:
	case <-d.stopped: // the writer left; it may have finished this job just before
		select {
		case <-j.done:
		default:
			return errClosed
		}
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, abandoned) {
			return givenUp(ctx)
		}
		<-j.done
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// Purge folds the write-ahead log into the file and truncates it, so that deleted bytes are in neither (blocks that the file
// system freed are beyond its reach). Call it after deleting a key or a payload. Errors: outcome.Transient while a reader still
// holds an older state; retry.
func (d *DB) Purge(ctx context.Context) error {
	var busy, frames, moved int
	if err := d.writer.QueryRowContext(ctx, `pragma wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return d.classify("db: purge", err)
	}
	if busy != 0 {
		return outcome.Wrap("db: purge", outcome.Transient, "a reader holds an older state of the database, please try again", nil)
	}
	return nil
}

var errClosed = outcome.Wrap("db: write", outcome.NoStore, "the database is closed", nil)

func givenUp(ctx context.Context) error {
	return outcome.Wrap("db: write", outcome.Transient, "the write was given up before it began, nothing is stored", context.Cause(ctx))
}

// run is the writer goroutine: take what waits, commit, acknowledge, repeat.
func (d *DB) run() {
	defer close(d.stopped)
	for {
		select {
		case j := <-d.queue:
			d.commit(j)
		case <-d.closing:
			for {
				select {
				case j := <-d.queue:
					d.commit(j)
				default:
					return
				}
			}
		}
	}
}

// commit runs first and whatever else waits in one transaction and acknowledges all of it.
func (d *DB) commit(first *job) {
	var batch []*job
	failAll := func(err error) {
		for _, j := range batch {
			if j.err == nil && j.panic == nil {
				j.err = err
			}
		}
	}
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
	}()
	ctx := context.Background()
	var tx *sql.Tx
	err := d.Broken()
	if err == nil {
		if tx, err = d.writer.BeginTx(ctx, nil); err != nil {
			err = d.classify("db: begin", err)
		}
	}
	for next := first; next != nil; next = d.waiting(len(batch)) {
		if !next.state.CompareAndSwap(waiting, taken) {
			continue
		}
		batch = append(batch, next)
		if err == nil {
			err = d.step(tx, next)
		}
		if err != nil && next.err == nil && next.panic == nil {
			next.err = err
		}
	}
	if err != nil {
		if tx != nil {
			_ = tx.Rollback()
		}
		failAll(err)
		return
	}
	if err := tx.Commit(); err != nil {
		// A full disk can fail COMMIT and leave the transaction open on the one writer connection, where it would block every later
		// begin. Where SQLite has rolled back already this does nothing.
		_, _ = d.writer.ExecContext(ctx, `rollback`)
		failAll(d.classify("db: commit", err))
	}
}

// waiting gives the next queued job if there is one and the batch has room.
func (d *DB) waiting(n int) *job {
	if n >= d.max {
		return nil
	}
	select {
	case j := <-d.queue:
		return j
	default:
		return nil
	}
}

// step runs one job under a savepoint. It returns an error only if the transaction as a whole is lost.
func (d *DB) step(tx *sql.Tx, j *job) error {
	if _, err := tx.Exec(`savepoint step`); err != nil {
		return d.classify("db: savepoint", err)
	}
	j.run(tx)
	if j.err == nil && j.panic == nil {
		if _, err := tx.Exec(`release step`); err != nil {
			return d.classify("db: release", err)
		}
		return nil
	}
	cause := j.err
	if code(cause) != 0 {
		j.err = d.classify("db: statement", cause)
	}
	for _, s := range []string{`rollback to step`, `release step`} {
		if _, err := tx.Exec(s); err != nil { // full disk, I/O error or interrupt: SQLite already rolled everything back
			if d.Broken() == nil && code(cause) != 0 {
				err = cause
			}
			return d.classify("db: rollback", err)
		}
	}
	return nil
}

func (j *job) run(tx *sql.Tx) {
	defer func() {
		if p := recover(); p != nil {
			j.panic = p
		}
	}()
	j.err = j.fn(tx)
}

// code is the primary result code of SQLite in err, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// classify gives an engine error its outcome and marks d broken where nothing more may be trusted.
func (d *DB) classify(op string, err error) error {
	switch code(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		fault := outcome.Wrap(op, outcome.NoStore, "the disk failed or the file is damaged; the server must stop and check it", err)
		d.broken.CompareAndSwap(nil, fault)
		return fault
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return outcome.Wrap(op, outcome.NoStore, "the disk is full or read-only, nothing was stored", err)
	case 0:
		return outcome.Wrap(op, outcome.Transient, "the write failed together with others, nothing was stored; please try again", err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_ABORT:
		return outcome.Wrap(op, outcome.Transient, "the database was busy, nothing was stored; please try again", err)
	}
	return outcome.Wrap(op, outcome.Exception, "the database refused a statement, nothing was stored", err)
}
