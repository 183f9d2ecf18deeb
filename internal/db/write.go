package db

import (
	"context"
	"database/sql"
	"sync/atomic"

	"chartwarden/internal/outcome"
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
// fn runs at most once, on the writer's goroutine, and must not wait for another Write. It must return the error of a statement that
// failed: PostgreSQL takes no further one. ctx bounds the wait in the queue; once fn
// runs it is not cancelled, and fn must not pass a context that can be cancelled to its statements: an interrupted statement
// rolls back the whole transaction, its neighbours included. A panic in fn is raised again in the caller.
//
// Errors: fn's own, unwrapped; outcome.Transient (given up while waiting, or the batch failed: nothing of it is stored, retry);
// outcome.NoStore (disk full, I/O error, no connection, closed: nothing is stored), and with [ErrDoubt] inside when it may be.
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

// Purge clears away the traces of what was deleted: SQLite folds the write-ahead log into the file and truncates it, PostgreSQL
// vacuums the tables (its own write-ahead log and blocks that a file system freed are beyond its reach). Call it after deleting a key
// or a payload. Errors: outcome.Transient while a reader still holds an older state; retry.
func (d *DB) Purge(ctx context.Context) error {
	if d.pg != nil {
		return d.vacuum(ctx)
	}
	return d.checkpoint(ctx)
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
	var tx *sql.Tx
	err := d.Broken()
	if err == nil {
		tx, err = d.begin()
	}
	if tx != nil && d.pg != nil {
		defer d.pg.giveUp()()
	}
	for next := first; next != nil; next = d.waiting(len(batch)) {
		if !next.state.CompareAndSwap(waiting, taken) {
			continue
		}
		batch = append(batch, next)
		if err == nil {
			err = d.step(tx, next, len(batch))
		}
		if err != nil && next.err == nil && next.panic == nil {
			next.err = err
		}
		if len(batch) == 1 && (next.err != nil || next.panic != nil) { // alone so far, and without a savepoint
			if tx != nil {
				_ = tx.Rollback()
			}
			return
		}
	}
	if err != nil {
		if tx != nil {
			_ = tx.Rollback()
		}
		failAll(err)
		return
	}
	if tx == nil {
		return // all were given up
	}
	if err := tx.Commit(); err != nil {
		if d.pg != nil {
			err = d.settle(err)
		} else {
			// A full disk can fail COMMIT and leave the transaction open on the one writer connection, where it would block every later
			// begin. Where SQLite has rolled back already this does nothing.
			_, _ = d.writer.ExecContext(context.Background(), `rollback`)
			err = d.classify("db: commit", err)
		}
		if err != nil {
			failAll(err)
		}
	}
}

// begin opens the transaction of a batch. On PostgreSQL it waits a while for a lost connection.
func (d *DB) begin() (*sql.Tx, error) {
	if d.pg != nil {
		return d.pg.begin(d.writer)
	}
	tx, err := d.writer.BeginTx(context.Background(), nil)
	if err != nil {
		return nil, d.classify("db: begin", err)
	}
	return tx, nil
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

// step runs the nth job. The first needs no savepoint: when it fails there is nothing else to undo. It returns an error only if the
// transaction as a whole is lost.
func (d *DB) step(tx *sql.Tx, j *job, n int) error {
	mark := `savepoint step`
	if n > 2 {
		mark = `release step; savepoint step`
	}
	if n > 1 {
		if _, err := tx.Exec(mark); err != nil {
			return d.classify("db: savepoint", err)
		}
	}
	j.run(tx)
	if j.err == nil && j.panic == nil {
		return nil
	}
	cause := j.err
	if d.engines(cause) {
		j.err = d.classify("db: statement", cause)
	}
	if n == 1 {
		return nil
	}
	if _, err := tx.Exec(`rollback to step`); err != nil { // full disk, I/O error, interrupt, lost connection: everything is rolled back
		if d.Broken() == nil && d.engines(cause) {
			err = cause
		}
		return d.classify("db: rollback", err)
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

// engines reports whether err comes from the engine rather than from the function that returned it.
func (d *DB) engines(err error) bool {
	if d.pg != nil {
		return fromPostgres(err)
	}
	return code(err) != 0
}

// classify gives an engine error its outcome.
func (d *DB) classify(op string, err error) error {
	if d.pg != nil {
		return classifyPostgres(op, err)
	}
	return d.classifySQLite(op, err)
}
