package backup

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

const schemaSuffix = "_schema" // of the tables that keep a capability's version

// catalogue are the questions that the engines answer each in its own way: the tables in an order that keeps references whole, the
// columns of one in order, and the columns of its primary key in order.
type catalogue struct{ tables, columns, key string }

var catalogues = map[db.Engine]catalogue{
	db.SQLite: {
		tables:  `select name from sqlite_schema where type = 'table' and name not like 'sqlite\_%' escape '\' order by rowid`,
		columns: `select name from pragma_table_info(?) order by cid`,
		key:     `select name from pragma_table_info(?) where pk > 0 order by pk`,
	},
	db.PostgreSQL: {
		tables: `select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname not like 'db\_%' order by oid`,
		columns: `select attname from pg_attribute where attrelid = (current_schema()::text || '.' || quote_ident(?))::regclass
			and attnum > 0 and not attisdropped order by attnum`,
		key: `select a.attname from pg_index i cross join lateral unnest(i.indkey) with ordinality k(attnum, place)
			join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
			where i.indisprimary and i.indrelid = (current_schema()::text || '.' || quote_ident(?))::regclass order by k.place`,
	},
}

// shape reads which tables a database has, apart from those to skip, and the schema version of each capability.
func shape(ctx context.Context, tx *sql.Tx, s Source) (Part, error) {
	p, ask := Part{Name: s.Name, Schemas: map[string]int64{}}, catalogues[s.DB.Engine()]
	names, err := column(ctx, tx, ask.tables)
	if err != nil {
		return p, err
	}
	for _, name := range names {
		if capability, ok := strings.CutSuffix(name, schemaSuffix); ok {
			var version int64
			if err := tx.QueryRowContext(ctx, `select max(version_id) from `+quoted(name)).Scan(&version); err != nil {
				return p, err
			}
			p.Schemas[capability] = version
			continue
		}
		if slices.Contains(s.Skip, name) {
			continue
		}
		t := Table{Name: name}
		if t.Columns, err = column(ctx, tx, ask.columns, name); err != nil {
			return p, err
		}
		if t.Key, err = column(ctx, tx, ask.key, name); err != nil {
			return p, err
		}
		if len(t.Key) == 0 { // a table of one row, or one keyed by a unique index alone: the order of all columns is one
			t.Key = t.Columns
		}
		p.Tables = append(p.Tables, t)
	}
	return p, nil
}

func column(ctx context.Context, tx *sql.Tx, query string, args ...any) (out []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// quoted is a name as SQL wants it. Names come from the schema, or from a copy, which may be anybody's.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func list(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = quoted(n)
	}
	return strings.Join(q, ", ")
}

// reading begins the transaction in which one database is read: what it sees is one moment.
func reading(ctx context.Context, d *db.DB) (*sql.Tx, error) {
	o := &sql.TxOptions{ReadOnly: true}
	if d.Engine() == db.PostgreSQL {
		o.Isolation = sql.LevelRepeatableRead // what SQLite does by itself
	}
	tx, err := d.Reader().BeginTx(ctx, o)
	if err != nil {
		return nil, outcome.Wrap("backup: read", outcome.Transient, "the database cannot be read now: try again", err)
	}
	return tx, nil
}
