package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"

	"chartwarden/internal/outcome"
)

// sink takes the chunks of a copy in order. rows are its own only until it returns.
type sink interface {
	begin(m Manifest) error // shapes are known; rows and chunks are not
	chunk(source, table, id string, rows []byte) error
}

// scan reads the sources and gives their rows to a sink. The manifest that it returns is complete.
func scan(ctx context.Context, about About, sources []Source, to sink) (m Manifest, err error) {
	m = Manifest{Format: Format, About: about}
	txs := make([]*sql.Tx, len(sources))
	defer func() {
		for _, tx := range txs {
			if tx != nil {
				_ = tx.Rollback()
			}
		}
	}()
	for i, s := range sources {
		if s.DB == nil {
			m.Sources = append(m.Sources, Part{Name: s.Name, Tables: []Table{{Name: fileTable, Columns: []string{"content"}}}})
			continue
		}
		if txs[i], err = reading(ctx, s.DB); err != nil {
			return m, err
		}
		part, err := shape(ctx, txs[i], s) // the first read fixes the moment: in the order of the sources
		if err != nil {
			return m, outcome.Wrap("backup: read", outcome.NoStore, "the tables cannot be listed", err)
		}
		m.Sources = append(m.Sources, part)
	}
	if err := to.begin(m); err != nil {
		return m, err
	}
	for i, s := range sources {
		if s.DB == nil {
			if err := scanFile(s, &m.Sources[i].Tables[0], to); err != nil {
				return m, err
			}
			continue
		}
		for j := range m.Sources[i].Tables {
			if err := scanTable(ctx, txs[i], s.Name, &m.Sources[i].Tables[j], to); err != nil {
				return m, outcome.Wrap("backup: "+s.Name+"."+m.Sources[i].Tables[j].Name, outcome.NoStore, "the copy could not be made", err)
			}
		}
	}
	return m, nil
}

func scanTable(ctx context.Context, tx *sql.Tx, source string, t *Table, to sink) error {
	rows, err := tx.QueryContext(ctx, `select `+list(t.Columns)+` from `+quoted(t.Name)+` order by `+list(t.Key))
	if err != nil {
		return err
	}
	defer rows.Close()
	values, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	var key []int // where the key's columns stand
	for i, c := range t.Columns {
		into[i] = &values[i]
		for _, k := range t.Key {
			if k == c {
				key = append(key, i)
			}
		}
	}
	var chunk, at []byte
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := t.add(source, chunk, to)
		chunk = chunk[:0]
		return err
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for _, v := range values {
			if chunk, err = appendValue(chunk, v); err != nil {
				return err
			}
		}
		at = at[:0]
		for _, k := range key {
			at, _ = appendValue(at, values[k])
		}
		t.Rows++
		if ends(at, len(chunk)) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return flush()
}

// add hands a chunk on and lists it.
func (t *Table) add(source string, rows []byte, to sink) error {
	sum := sha256.Sum256(rows)
	id := hex.EncodeToString(sum[:])
	t.Chunks = append(t.Chunks, id)
	return to.chunk(source, t.Name, id, rows)
}

const fileTable = "file"

func scanFile(s Source, t *Table, to sink) error {
	content, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return outcome.Wrap("backup: "+s.Name, outcome.NoStore, "the file cannot be read", err)
	}
	row, err := appendValue(nil, content)
	if err != nil {
		return err
	}
	t.Rows = 1
	return t.add(s.Name, row, to)
}
