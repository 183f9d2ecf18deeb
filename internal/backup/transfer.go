package backup

import (
	"context"
	"database/sql"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// Transfer copies the sources into freshly migrated databases, with no file between: the way from one engine to the other. Nothing may
// write to the sources meanwhile. Errors: as Restore.
func Transfer(ctx context.Context, about About, sources []Source, into map[string]Target) (Manifest, error) {
	t := &transfer{ctx: ctx, into: into}
	m, err := scan(ctx, about, sources, t)
	if err != nil {
		return m, err
	}
	return m, t.targets.finish(ctx, m)
}

type transfer struct {
	ctx     context.Context
	into    map[string]Target
	targets targets
}

func (t *transfer) begin(m Manifest) (err error) {
	t.targets, err = prepared(t.ctx, m, t.into)
	return err
}

func (t *transfer) chunk(source, table, id string, rows []byte) error {
	return t.targets.take(t.ctx, chunk{source, table, id, rows})
}

// counting sets the counters from which an engine numbers new rows behind the rows that came. SQLite counts by itself.
func counting(ctx context.Context, d *db.DB, tables []Table) error {
	if d.Engine() != db.PostgreSQL {
		return nil
	}
	err := d.Write(ctx, func(tx *sql.Tx) error {
		for _, t := range tables {
			for _, c := range t.Columns {
				var counter sql.NullString
				if err := tx.QueryRow(`select pg_get_serial_sequence(quote_ident(current_schema()) || '.' || quote_ident(?), ?)`, t.Name, c).Scan(&counter); err != nil {
					return err
				}
				if !counter.Valid {
					continue
				}
				if _, err := tx.Exec(`select setval(?::regclass, coalesce(max(`+quoted(c)+`), 0) + 1, false) from `+quoted(t.Name), counter.String); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return outcome.Wrap("backup: restore", outcome.NoStore, "the counters cannot be set", err)
	}
	return nil
}
