package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// connector opens connections to PostgreSQL that take the SQL and the arguments that SQLite takes. pg is nil for readers.
type connector struct {
	config *pgx.ConnConfig
	pg     *postgres
}

func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	out := &conn{pg: c.pg}
	config := c.config.Copy()
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "WARNING" {
			out.warning = (*pgconn.PgError)(n)
		}
	}
	inner, err := stdlib.GetConnector(*config).Connect(ctx)
	if err != nil {
		return nil, err
	}
	out.Conn = inner.(*stdlib.Conn)
	types := out.Conn.Conn().TypeMap()
	types.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{wrapTruth}, types.TryWrapEncodePlanFuncs...)
	return out, nil
}

// conn is one connection. database/sql lets one goroutine at a time use it.
type conn struct {
	*stdlib.Conn
	pg      *postgres
	warning *pgconn.PgError // the last one
}

// errLost stands for a connection that broke without the server having said why.
var errLost = errors.New("db: the connection is lost")

// onWriter runs do on the writer's connection.
func (d *DB) onWriter(ctx context.Context, do func(*conn) error) error {
	c, err := d.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(raw any) error { return do(raw.(*conn)) })
}

// script sends statements without arguments in one round trip and gives their results.
func (c *conn) script(ctx context.Context, statements string) ([]*pgconn.Result, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, errLost
	}
	return c.Conn.Conn().PgConn().Exec(ctx, statements).ReadAll()
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.PrepareContext(ctx, rebind(query))
	if err != nil {
		return nil, c.bad(ctx, err)
	}
	return &stmt{s.(*stdlib.Stmt), c}, nil
}

// ExecContext runs a statement; one without arguments may be several, separated by semicolons.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		results, err := c.script(ctx, query)
		if err != nil || len(results) == 0 {
			return driver.RowsAffected(0), c.bad(ctx, err)
		}
		return driver.RowsAffected(results[len(results)-1].CommandTag.RowsAffected()), nil
	}
	r, err := c.Conn.ExecContext(ctx, rebind(query), args)
	return r, c.bad(ctx, err)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, rebind(query), args)
	if err != nil {
		return nil, c.bad(ctx, err)
	}
	return rows, nil
}

// bad makes a reader's lost connection one that database/sql replaces and tries again: reading twice does no harm.
func (c *conn) bad(ctx context.Context, err error) error {
	if err != nil && c.pg == nil && ctx.Err() == nil && c.Conn.Conn().IsClosed() {
		return driver.ErrBadConn
	}
	return err
}

// CheckNamedValue takes what SQLite takes, and slices for unnest.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	switch v.Value.(type) {
	case []int64, []string, [][]byte:
		return nil
	}
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	v.Value = value
	return err
}

// truthAsNumber lets a bool go into a bigint as 0 or 1, as in SQLite.
type truthAsNumber struct{ next pgtype.EncodePlan }

func (p *truthAsNumber) SetNext(next pgtype.EncodePlan) { p.next = next }

func (p *truthAsNumber) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(number(value.(bool)), buf)
}

func number(truth bool) int64 {
	if truth {
		return 1
	}
	return 0
}

func wrapTruth(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	truth, ok := value.(bool)
	if !ok {
		return nil, nil, false
	}
	return &truthAsNumber{}, number(truth), true
}

// BeginTx opens a transaction. A writer's waits for its turn among the nodes and notes its number in the same round trip.
func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.pg == nil {
		if _, err := c.script(ctx, `begin`); err != nil {
			return nil, c.bad(ctx, err)
		}
		return &transaction{c: c}, nil
	}
	if o.Isolation != driver.IsolationLevel(sql.LevelDefault) {
		return nil, errors.New("db: transactions that write have the default isolation")
	}
	c.pg.commit++
	c.pg.conn.Store(c.Conn.Conn().PgConn())
	ctx, cancel := context.WithTimeout(ctx, c.pg.opening)
	defer cancel()
	_, err := c.script(ctx, fmt.Sprintf(`begin; select pg_advisory_xact_lock(%d); insert into db_writer(writer, commit) values(%d, %d)
		on conflict (writer) do update set commit=excluded.commit, at=now()`, c.pg.lock, c.pg.self, c.pg.commit))
	if err != nil {
		_, _ = c.script(context.WithoutCancel(ctx), `rollback`)
		return nil, err
	}
	return &transaction{c: c}, nil
}

// ResetSession refuses a connection that lies inside a transaction.
func (c *conn) ResetSession(ctx context.Context) error {
	c.warning = nil
	return c.Conn.ResetSession(ctx)
}

type stmt struct {
	*stdlib.Stmt
	c *conn
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	r, err := s.Stmt.ExecContext(ctx, args)
	return r, s.c.bad(ctx, err)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := s.Stmt.QueryContext(ctx, args)
	if err != nil {
		return nil, s.c.bad(ctx, err)
	}
	return rows, nil
}

type transaction struct{ c *conn }

// Commit knows three ends: nil, stored; [errUndone], certainly not stored; anything else, in doubt.
func (t *transaction) Commit() error {
	ctx, cancel := context.WithTimeout(context.Background(), commitWait)
	defer cancel()
	t.c.warning = nil
	results, err := t.c.script(ctx, `commit`)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR":
		return &undone{err}
	case errors.Is(err, errLost): // it was never sent
		return &undone{err}
	case err != nil:
		return err
	case len(results) != 1 || results[0].CommandTag.String() != "COMMIT":
		return &undone{errors.New("db: the transaction had failed before")}
	case t.c.warning != nil: // the wait for a standby was cancelled: stored here, perhaps nowhere else
		return t.c.warning
	}
	return nil
}

func (t *transaction) Rollback() error {
	_, err := t.c.script(context.Background(), `rollback`)
	if err != nil { // the server undoes what lost its connection
		return driver.ErrBadConn
	}
	return nil
}

// undone wraps the error of a commit that certainly stored nothing.
type undone struct{ cause error }

func (u *undone) Error() string { return "db: rolled back: " + u.cause.Error() }
func (u *undone) Unwrap() error { return u.cause }
