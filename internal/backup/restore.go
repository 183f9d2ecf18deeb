package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// Restore fills freshly migrated databases and writes files, by the names of the sources. What migrations put into the tables is replaced.
// Nothing else may use the databases meanwhile; after an error they are to be thrown away. The manifest tells what was brought back;
// that it is true, verification of the log tells.
//
// Errors: outcome.NotSupported when the schema of the copy is another than this program's; outcome.Invalid when the copy is damaged;
// outcome.NoStore when the databases cannot be written.
func Restore(ctx context.Context, c Copy, into map[string]Target) (Manifest, error) {
	t, err := prepared(ctx, c.Header(), into)
	if err != nil {
		return c.Header(), err
	}
	for one, err := range c.chunks(ctx) {
		if err != nil {
			return c.Header(), err
		}
		if sum := sha256.Sum256(one.rows); hex.EncodeToString(sum[:]) != one.id {
			return c.Header(), damaged(nil)
		}
		if err := t.take(ctx, one); err != nil {
			return c.Header(), err
		}
	}
	return c.manifest(), t.finish(ctx, c.manifest())
}

// targets are the tables being filled, by source and name.
type targets map[string]*target

// prepared checks that everything in a copy has its place, and empties it.
func prepared(ctx context.Context, m Manifest, into map[string]Target) (targets, error) {
	out := targets{}
	for _, p := range m.Sources {
		d, ok := into[p.Name]
		if !ok {
			return nil, outcome.New(outcome.Invalid, "the copy holds "+p.Name+", which does not belong here: is it the right file?")
		}
		if d.DB != nil {
			if err := prepare(ctx, d.DB, p); err != nil {
				return nil, err
			}
		}
		for _, t := range p.Tables {
			out[p.Name+"/"+t.Name] = &target{Target: d, table: t}
		}
	}
	return out, nil
}

func (t targets) take(ctx context.Context, one chunk) error {
	to, ok := t[one.source+"/"+one.table]
	if !ok {
		return damaged(nil)
	}
	rows, err := decode(one.rows, len(to.table.Columns))
	if err != nil {
		return damaged(err)
	}
	return to.put(ctx, rows)
}

// finish checks that all came that the manifest lists.
func (t targets) finish(ctx context.Context, m Manifest) error {
	for _, p := range m.Sources {
		for _, table := range p.Tables {
			if got := t[p.Name+"/"+table.Name]; got == nil || got.rows != table.Rows {
				return outcome.New(outcome.Invalid, "the copy is not whole: rows of "+p.Name+"."+table.Name+" are missing; use an older one")
			}
		}
		if len(p.Tables) == 0 {
			continue
		}
		if d := t[p.Name+"/"+p.Tables[0].Name].DB; d != nil {
			if err := counting(ctx, d, p.Tables); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare checks that a part of the copy fits the database and empties its tables.
func prepare(ctx context.Context, d *db.DB, p Part) error {
	tx, err := reading(ctx, d)
	if err != nil {
		return err
	}
	here, err := shape(ctx, tx, Source{Name: p.Name, DB: d})
	_ = tx.Rollback()
	if err != nil {
		return outcome.Wrap("backup: restore", outcome.NoStore, "the tables cannot be listed", err)
	}
	if !maps.Equal(here.Schemas, p.Schemas) {
		return outcome.New(outcome.NotSupported, fmt.Sprintf("the copy's tables of %s have the versions %v, this program's %v: restore with the version of the program that made the copy, then upgrade",
			p.Name, p.Schemas, here.Schemas))
	}
	for _, t := range p.Tables {
		i := slices.IndexFunc(here.Tables, func(h Table) bool { return h.Name == t.Name })
		if i < 0 || !sameNames(here.Tables[i].Columns, t.Columns) {
			return outcome.New(outcome.Invalid, "the copy's table "+p.Name+"."+t.Name+" is not one of this program's: the copy is damaged or forged")
		}
	}
	err = d.Write(ctx, func(tx *sql.Tx) error {
		for _, t := range slices.Backward(here.Tables) {
			if _, err := tx.Exec(`delete from ` + quoted(t.Name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return outcome.Wrap("backup: restore", outcome.NoStore, "the tables cannot be written", err)
	}
	return nil
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// target is one table being filled.
type target struct {
	Target
	table Table
	rows  int64
}

// mostArguments bounds the values of one statement: many rows in one are several times cheaper than one each, and both engines take
// that many.
const mostArguments = 2000

func (t *target) put(ctx context.Context, rows [][]any) error {
	t.rows += int64(len(rows))
	if t.DB == nil {
		return t.write(rows)
	}
	width := len(t.table.Columns)
	one := "(" + strings.Repeat("?,", width-1) + "?)"
	head := `insert into ` + quoted(t.table.Name) + `(` + list(t.table.Columns) + `) values `
	err := t.DB.Write(ctx, func(tx *sql.Tx) error {
		for batch := range slices.Chunk(rows, max(1, mostArguments/width)) {
			args := make([]any, 0, len(batch)*width)
			for _, row := range batch {
				args = append(args, row...)
			}
			if _, err := tx.Exec(head+strings.Repeat(one+",", len(batch)-1)+one, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return outcome.Wrap("backup: restore", outcome.NoStore, "the rows of "+t.table.Name+" cannot be stored", err)
	}
	return nil
}

func (t *target) write(rows [][]any) error {
	content, ok := rows[0][0].([]byte)
	if len(rows) != 1 || !ok {
		return damaged(nil)
	}
	if _, err := os.Stat(t.File); err == nil {
		return nil
	}
	if err := durable(t.File, content); err != nil {
		return outcome.Wrap("backup: restore", outcome.NoStore, "a file cannot be written back", err)
	}
	return nil
}
