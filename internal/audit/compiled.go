package audit

import (
	"context"
	"database/sql"
	"strings"

	"chartwarden/internal/db"
)

// compiled are the statements of every commit, made ready once: with few clients, compiling them anew was an eighth to a fifth of a
// commit's processor time. What is not among them runs all the same.
type compiled struct {
	ready map[string]*sql.Stmt
	lease string // leased, and keeps the lease for the transaction
	whole bool   // rows of any number go into one statement, as arrays, and a commit's go together: PostgreSQL, a round trip away
}

const (
	leased   = `select l.epoch, coalesce((select h.at from head h where h.at >= ?1 and h.at < ?2 order by h.at desc limit 1), ?1) from lease l where l.number = ?3`
	moveHead = `update head set at = ?, note = ? where at = ?`
	newHead  = `insert into head(at, note) values(?, ?)`
)

// rows is an INSERT of several rows: its text up to the values, and the types of a row's values.
type rows struct {
	table string
	types []string
}

var (
	entryRows   = rows{`entry(at, bytes)`, []string{"bigint", "bytea"}}
	payloadRows = rows{`payload(id, sealed)`, []string{"bigint", "bytea"}}
	lookupRows  = rows{`lookup(kind, owner, at, part)`, []string{"bigint", "bigint", "bigint", "bigint"}}
)

// sizes are the numbers of rows of one statement on SQLite: many in one INSERT cost far less than many statements.
var sizes = []int{128, 16, 4, 2, 1}

func (r rows) statement(size int) string {
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", len(r.types)), ",") + ")"
	return `insert into ` + r.table + ` values` + strings.Repeat(tuple+",", size-1) + tuple
}

// together is a statement about the head with the entries and payloads of the commit.
func together(head string) string {
	return `with e as (` + entryRows.arrays() + `), p as (` + payloadRows.arrays() + `) ` + head
}

// add stores what a commit adds to a log: entries, payloads, and the head, with the arguments of its statement.
func (c compiled) add(tx *sql.Tx, entries, parts []any, head string, args ...any) error {
	if c.whole {
		return c.exec(tx, together(head), append(append(entryRows.columns(entries), payloadRows.columns(parts)...), args...)...)
	}
	if err := c.insert(tx, entryRows, entries); err != nil {
		return err
	}
	if err := c.insert(tx, payloadRows, parts); err != nil {
		return err
	}
	return c.exec(tx, head, args...)
}

// arrays is the statement that takes a column in each argument.
func (r rows) arrays() string {
	var columns []string
	for _, t := range r.types {
		columns = append(columns, "?::"+t+"[]")
	}
	return `insert into ` + r.table + ` select * from unnest(` + strings.Join(columns, ", ") + `)`
}

func compile(ctx context.Context, d *db.DB) (c compiled, err error) {
	c = compiled{ready: map[string]*sql.Stmt{}, lease: leased}
	if d.Engine() == db.PostgreSQL {
		c.lease, c.whole = strings.NewReplacer("?1", "?1::bigint", "?2", "?2::bigint").Replace(leased)+` for update`, true
	}
	texts := []string{c.lease}
	if c.whole {
		texts = append(texts, together(moveHead), together(newHead))
	} else {
		texts = append(texts, moveHead, newHead)
	}
	for _, r := range []rows{entryRows, payloadRows, lookupRows} {
		if c.whole {
			if r.table == lookupRows.table {
				texts = append(texts, r.arrays())
			}
			continue
		}
		for _, size := range sizes {
			texts = append(texts, r.statement(size))
		}
	}
	for _, text := range texts {
		if c.ready[text], err = d.Statement(ctx, text); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c compiled) exec(tx *sql.Tx, text string, args ...any) error {
	var err error
	if s := c.ready[text]; s != nil {
		_, err = tx.Stmt(s).Exec(args...)
	} else {
		_, err = tx.Exec(text, args...)
	}
	return err
}

func (c compiled) one(tx *sql.Tx, text string, args ...any) *sql.Row {
	if s := c.ready[text]; s != nil {
		return tx.Stmt(s).QueryRow(args...)
	}
	return tx.QueryRow(text, args...)
}

// insert inserts the rows whose values args are, by few statements.
func (c compiled) insert(tx *sql.Tx, r rows, args []any) error {
	width := len(r.types)
	if len(args) == 0 {
		return nil
	}
	if c.whole {
		return c.exec(tx, r.arrays(), r.columns(args)...)
	}
	for _, size := range sizes {
		if len(args) < width*size {
			continue
		}
		text := r.statement(size)
		for len(args) >= width*size {
			if err := c.exec(tx, text, args[:width*size]...); err != nil {
				return err
			}
			args = args[width*size:]
		}
	}
	return nil
}

// columns turns rows into columns.
func (r rows) columns(args []any) []any {
	out := make([]any, len(r.types))
	for i, t := range r.types {
		if t == "bytea" {
			column := make([][]byte, 0, len(args)/len(r.types))
			for at := i; at < len(args); at += len(r.types) {
				column = append(column, args[at].([]byte))
			}
			out[i] = column
			continue
		}
		column := make([]int64, 0, len(args)/len(r.types))
		for at := i; at < len(args); at += len(r.types) {
			column = append(column, integer(args[at]))
		}
		out[i] = column
	}
	return out
}

func integer(v any) int64 {
	switch n := v.(type) {
	case Index:
		return int64(n)
	case byte:
		return int64(n)
	case int:
		return int64(n)
	}
	return v.(int64)
}
