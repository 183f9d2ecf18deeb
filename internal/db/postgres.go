package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"chartwarden/internal/outcome"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	minimumPostgres = 150000
	// subtransactions bounds the savepoints of a commit: with more than 64 PostgreSQL no longer keeps them in shared memory, and every
	// reader pays for it.
	subtransactions = 60
	// patience is how long a write waits for a connection that was lost, settling how long a commit in doubt is asked about.
	patience = 3 * time.Second
	settling = 15 * time.Second
	// commitWait bounds a commit, which may wait for a standby; after it the commit is in doubt.
	commitWait = 30 * time.Second
	// opening bounds the start of a transaction, which waits for its turn, and longest all of it up to the commit: beyond them the server
	// hangs, and its connection is given up, since another may be the primary by now.
	opening = 20 * time.Second
	longest = 2 * time.Minute
)

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// postgres is what a DB knows of its schema.
type postgres struct {
	schema string
	lock   int64 // of pg_advisory_xact_lock: a transaction that writes holds it, so that nodes take turns
	self   int64 // names this DB among the writers of the schema
	commit int64 // the transactions begun; the writer goroutine's
	down   bool  // the last attempt to connect failed; the writer goroutine's

	opening, longest time.Duration
	conn             atomic.Pointer[pgconn.PgConn] // of the newest transaction
}

// writersTable has one row for each DB that writes, with the number of its last commit. It tells what became of a commit in doubt.
const writersTable = `create table if not exists db_writer (
	writer bigint primary key,
	commit bigint not null,
	at     timestamptz not null default now()
)`

func (d *DB) openPostgres(ctx context.Context, source string, o Options) error {
	schema := o.Schema
	if !schemaName.MatchString(schema) {
		return outcome.New(outcome.Exception, "a schema is named by lower case letters, digits and underscores")
	}
	config, err := pgx.ParseConfig(source)
	if err != nil {
		return outcome.Wrap("db: open", outcome.Invalid, "the database URL cannot be read: write postgres://name@host:port/database", nil)
	}
	d.name = schema
	var own [8]byte
	_, _ = rand.Read(own[:]) // never fails
	turn := "chartwarden " + schema
	if o.Turn != "" {
		turn += " " + o.Turn
	}
	d.pg = &postgres{schema: schema, lock: lockOf(turn), self: int64(binary.BigEndian.Uint64(own[:]) >> 1), opening: opening, longest: longest}

	for k, v := range map[string]string{
		"search_path": schema, "application_name": "chartwarden " + schema, "timezone": "UTC",
		"client_connection_check_interval": "5s", // a node that went away does not keep its locks
	} {
		config.RuntimeParams[k] = v
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if len(config.Fallbacks) > 0 || config.ValidateConnect != nil { // readers too, whatever the URL says: a standby may be behind
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	write, read := config.Copy(), config.Copy()
	for k, v := range map[string]string{
		"default_transaction_isolation":       "read committed", // each statement sees what was committed before the lock was got
		"lock_timeout":                        "10s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		write.RuntimeParams[k] = v
	}
	if v := config.RuntimeParams["synchronous_commit"]; v != "remote_apply" {
		write.RuntimeParams["synchronous_commit"] = "on" // whatever the role or the database says
	}
	read.RuntimeParams["default_transaction_read_only"] = "on"
	read.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	d.writer = sql.OpenDB(&connector{config: write, pg: d.pg})
	d.writer.SetMaxOpenConns(1)
	d.reader = sql.OpenDB(&connector{config: read})
	return d.prepareSchema(ctx)
}

// lockOf is the advisory lock of a turn.
func lockOf(turn string) int64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, turn)
	return int64(h.Sum64())
}

// prepareSchema checks the server and makes the schema and the table of writers.
func (d *DB) prepareSchema(ctx context.Context) error {
	var version, encoding string
	var there bool
	err := d.writer.QueryRowContext(ctx, `select current_setting('server_version_num'), current_setting('server_encoding'), to_regclass('db_writer') is not null`).
		Scan(&version, &encoding, &there)
	if err != nil {
		return outcome.Wrap("db: open", outcome.NoStore, "the database cannot be reached: check --database, that it runs, and who may sign in", err)
	}
	if n, err := strconv.Atoi(version); err != nil || n < minimumPostgres {
		return outcome.New(outcome.NotSupported, "this PostgreSQL is too old: version 15 or newer is needed")
	}
	if encoding != "UTF8" {
		return outcome.New(outcome.NotSupported, "the database is encoded as "+encoding+": make one with encoding UTF8")
	}
	if there {
		return nil
	}
	err = d.onWriter(ctx, func(c *conn) error {
		lock := strconv.FormatInt(lockOf("chartwarden "+d.pg.schema), 10)
		_, err := c.script(ctx, `begin; select pg_advisory_xact_lock(`+lock+`); create schema if not exists `+d.pg.schema+`; `+writersTable+`; commit`)
		return err
	})
	if err != nil {
		return outcome.Wrap("db: open", outcome.NoStore, "the schema "+d.pg.schema+" cannot be made: grant CREATE on the database, or make the schema for this role", err)
	}
	return nil
}

// Durable reports a setting of the engine under which an acknowledged write may be lost at a power cut, with its mend; nil when there
// is none.
func (d *DB) Durable(ctx context.Context) error {
	if d.pg == nil {
		return nil
	}
	var fsync string
	if err := d.reader.QueryRowContext(ctx, `select current_setting('fsync')`).Scan(&fsync); err != nil {
		return classifyPostgres("db: durable", err)
	}
	if fsync != "on" {
		return outcome.New(outcome.NotSupported, "PostgreSQL runs with fsync = off, so a power cut can lose audit entries: switch it on")
	}
	return nil
}

// giveUp breaks the connection of a transaction that takes too long, unless it ended before; what waits for the server then gets an error.
func (p *postgres) giveUp() (ended func() bool) {
	c := p.conn.Load()
	return time.AfterFunc(p.longest, func() { _ = c.Conn().Close() }).Stop
}

// begin waits a while for a server that restarts, but not again and again for one that is gone.
func (p *postgres) begin(pool *sql.DB) (*sql.Tx, error) {
	ctx := context.Background()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		tx, err := pool.BeginTx(ctx, nil)
		if err == nil {
			p.down = false
			return tx, nil
		}
		var refused *pgconn.PgError
		if errors.As(err, &refused) && !goneAway(refused.Code) && !strings.HasPrefix(refused.Code, "08") {
			return nil, classifyPostgres("db: begin", err)
		}
		if p.down || time.Now().After(deadline) {
			p.down = true
			return nil, outcome.Wrap("db: begin", outcome.NoStore, "the database cannot be reached, nothing was stored", err)
		}
	}
}

// signOff takes the row of this DB, and those of DBs that died long ago, out of the table of writers.
func (d *DB) signOff() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = d.writer.ExecContext(ctx, `delete from db_writer where writer=? or at<now()-interval '30 days'`, d.pg.self) // courtesy
}

// vacuum clears deleted rows out of the tables.
func (d *DB) vacuum(ctx context.Context) error {
	rows, err := d.reader.QueryContext(ctx, `select quote_ident(tablename) from pg_tables where schemaname=?`, d.pg.schema)
	if err != nil {
		return classifyPostgres("db: purge", err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return classifyPostgres("db: purge", err)
		}
		tables = append(tables, t)
	}
	if err := rows.Err(); err != nil {
		return classifyPostgres("db: purge", err)
	}
	if _, err := d.writer.ExecContext(ctx, `vacuum `+strings.Join(tables, ", ")); err != nil {
		return classifyPostgres("db: purge", err)
	}
	return nil
}

// goneAway reports whether a SQLSTATE says that the server stops or starts (class 57P0x).
func goneAway(code string) bool { return strings.HasPrefix(code, "57P0") }

// fromPostgres reports whether err comes from the server or its connection.
func fromPostgres(err error) bool {
	var refused *pgconn.PgError
	var lost net.Error
	return errors.As(err, &refused) || errors.As(err, &lost) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errLost) || isConnClosed(err)
}

func isConnClosed(err error) bool { return err != nil && strings.Contains(err.Error(), "conn closed") }

// classifyPostgres gives an error that came before the commit its outcome: nothing is stored.
// Source: https://www.postgresql.org/docs/current/errcodes-appendix.html.
func classifyPostgres(op string, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return outcome.Wrap(op, outcome.Transient, "the write failed together with others, nothing was stored; please try again", err)
	}
	class := refused.Code[:min(2, len(refused.Code))]
	switch {
	case refused.Code == "53100" || refused.Code == "53200" || class == "58" || class == "XX":
		return outcome.Wrap(op, outcome.NoStore, "the database is out of space or its storage failed, nothing was stored", err)
	case refused.Code == "25006":
		return outcome.Wrap(op, outcome.NoStore, "this database server takes no writes: another one was promoted, or it is a standby", err)
	case goneAway(refused.Code), class == "08", class == "40", class == "53", class == "55", class == "57", refused.Code == "25P03":
		return outcome.Wrap(op, outcome.Transient, "the database was busy or restarts, nothing was stored; please try again", err)
	}
	return outcome.Wrap(op, outcome.Exception, "the database refused a statement, nothing was stored", err)
}
