package audit

import (
	"context"
	"database/sql"
	"strings"

	"chartwarden/internal/db"
)

// compiled are the statements of every commit, made ready once: with few clients, compiling them anew was an eighth to a fifth of a
// commit's processor time. What is not among them runs all the same.
type compiled map[string]*sql.Stmt

const (
	leased     = `select epoch from lease where number = ?`
	newestHead = `select at from head where at >= ? and at < ? order by at desc limit 1`
	moveHead   = `update head set at = ?, note = ? where at = ?`
)

// rows is an INSERT of several rows: its text up to the values, and those of one row.
type rows struct {
	into, tuple string
	width       int
}

var (
	entryRows   = rows{`insert into entry(at, bytes) values`, `(?,?)`, 2}
	payloadRows = rows{`insert into payload(id, sealed) values`, `(?,?)`, 2}
	lookupRows  = rows{`insert into lookup(kind, owner, at, part) values`, `(?,?,?,?)`, 4}
)

// sizes are the numbers of rows of one statement: many in one INSERT cost far less than many statements.
var sizes = []int{128, 16, 4, 2, 1}

func (r rows) statement(size int) string {
	return r.into + strings.Repeat(r.tuple+",", size-1) + r.tuple
}

func compile(ctx context.Context, d *db.DB) (compiled, error) {
	texts := []string{leased, newestHead, moveHead}
	for _, r := range []rows{entryRows, payloadRows, lookupRows} {
		for _, size := range sizes {
			texts = append(texts, r.statement(size))
		}
	}
	c := compiled{}
	for _, text := range texts {
		var err error
		if c[text], err = d.Statement(ctx, text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c compiled) exec(tx *sql.Tx, text string, args ...any) error {
	var err error
	if s := c[text]; s != nil {
		_, err = tx.Stmt(s).Exec(args...)
	} else {
		_, err = tx.Exec(text, args...)
	}
	return err
}

func (c compiled) one(tx *sql.Tx, text string, args ...any) *sql.Row {
	if s := c[text]; s != nil {
		return tx.Stmt(s).QueryRow(args...)
	}
	return tx.QueryRow(text, args...)
}

// insert inserts the rows whose values args are, by few statements.
func (c compiled) insert(tx *sql.Tx, r rows, args []any) error {
	for _, size := range sizes {
		if len(args) < r.width*size {
			continue
		}
		text := r.statement(size)
		for len(args) >= r.width*size {
			if err := c.exec(tx, text, args[:r.width*size]...); err != nil {
				return err
			}
			args = args[r.width*size:]
		}
	}
	return nil
}
