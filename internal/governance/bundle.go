package governance

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// Kept is a bundle as it lies in its row.
type Kept struct {
	Hash   string
	Added  time.Time
	Author string // id of a person; empty: the program brought it, or the command line
	Bundle policy.Bundle
}

type bundleRow struct {
	hash   string
	body   []byte
	added  int64
	author string
	mac    []byte
}

func (r *bundleRow) tagged() []any { return []any{r.hash, r.body, r.added, r.author} }

// rowNumber names a row without a number to alarms and verification.
func rowNumber(key string) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int64(h.Sum32())
}

// keep stores a bundle; one that is kept already stays as it is.
func (g *Rules) keep(ctx context.Context, b policy.Bundle, author string) (hash string, err error) {
	hash = b.Hash()
	if _, err := g.Bundle(ctx, hash); err == nil || !outcome.Is(err, outcome.NotFound) {
		return hash, err
	}
	return hash, g.o.DB.Write(ctx, func(tx *sql.Tx) error {
		r := bundleRow{hash: hash, body: b.Pack(), added: g.now().UnixMicro(), author: author}
		_, err := tx.Exec(`INSERT INTO policy_bundle (hash, body, added, author, mac) VALUES (?,?,?,?,?)
			ON CONFLICT (hash) DO UPDATE SET body = excluded.body, added = excluded.added, author = excluded.author, mac = excluded.mac`,
			append(r.tagged(), g.tags.bundle.Tag(r.tagged()...))...)
		return err
	})
}

// Bundle gives a bundle by its hash, whether it is in force, was, or waits. Errors: outcome.NotFound, also for one whose row was altered.
func (g *Rules) Bundle(ctx context.Context, hash string) (Kept, error) {
	var r bundleRow
	err := g.o.DB.Reader().QueryRowContext(ctx, `SELECT hash, body, added, author, mac FROM policy_bundle WHERE hash = ?`, hash).Scan(&r.hash, &r.body, &r.added, &r.author, &r.mac)
	missing := outcome.New(outcome.NotFound, "there is no bundle of this hash: `chartwarden policy list` names them").At(hash)
	if errors.Is(err, sql.ErrNoRows) {
		return Kept{}, missing
	}
	if err != nil {
		return Kept{}, unreadable(err)
	}
	b, err := r.genuine(g.tags)
	if err != nil {
		g.o.Altered(bundleTable, rowNumber(r.hash))
		return Kept{}, missing
	}
	return Kept{Hash: r.hash, Added: time.UnixMicro(r.added).UTC(), Author: r.author, Bundle: b}, nil
}

var errAltered = errors.New("governance: a row was altered outside this server")

// genuine gives the bundle of a row that this server wrote and whose text is what its name says.
func (r *bundleRow) genuine(t tags) (policy.Bundle, error) {
	if !t.bundle.Holds(r.mac, r.tagged()...) {
		return nil, errAltered
	}
	b, err := policy.Unpack(r.body)
	if err != nil || b.Hash() != r.hash {
		return nil, errAltered
	}
	return b, nil
}

// Find gives the whole hash for the beginning of one, of eight digits at least. Errors: outcome.NotFound; outcome.MultipleMatches.
func (g *Rules) Find(ctx context.Context, prefix string) (string, error) {
	if len(prefix) < 8 {
		return "", outcome.New(outcome.Value, "name a bundle by its hash, or by at least the first 8 digits of it")
	}
	rows, err := g.o.DB.Reader().QueryContext(ctx, `SELECT hash FROM policy_bundle WHERE substr(hash, 1, length(?1)) = ?1 ORDER BY hash LIMIT 2`, prefix)
	if err != nil {
		return "", unreadable(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var h string
		if err := rows.Scan(&h); err != nil {
			return "", unreadable(err)
		}
		found = append(found, h)
	}
	switch {
	case rows.Err() != nil:
		return "", unreadable(rows.Err())
	case len(found) == 0:
		return "", outcome.New(outcome.NotFound, "there is no bundle of this hash: `chartwarden policy list` names them").At(prefix)
	case len(found) > 1:
		return "", outcome.New(outcome.Value, "more than one bundle begins with these digits: name more of them").At(prefix)
	}
	return found[0], nil
}
