package access

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

// Grant is what breaking the glass gives: one person reads one patient's chart until a time.
type Grant struct {
	ID      int64
	Person  string
	Patient fhir.PatientID
	Code    string
	Opened  time.Time
	Until   time.Time
	Entry   string

	epoch int64 // of the person: a kill ends the grant with everything else
	back  sql.NullInt64
}

// grantTable is what alarms and verifications call the rows of grants.
const grantTable = "access_grant"

// Tags authenticate the rows of one table; a *seal.Rows does.
type Tags interface {
	Tag(columns ...any) []byte
	Holds(tag []byte, columns ...any) bool
}

// columns are what the tag of a grant is over: all but its number, which means nothing.
func (o *Grant) columns() []any {
	return []any{o.Person, int64(o.Patient), o.Code, o.Opened.UnixMicro(), o.Until.UnixMicro(), o.epoch, o.Entry, o.back}
}

const (
	grantColumns = `id, person, patient, code, opened, until, epoch, entry, given_back, mac`
	liveGrants   = `SELECT ` + grantColumns + ` FROM access_grant
		WHERE person = ? AND patient = ? AND until > ? AND epoch = ? AND given_back IS NULL ORDER BY until DESC`
)

func scanGrant(rows *sql.Rows) (o Grant, mac []byte, err error) {
	var opened, until int64
	err = rows.Scan(&o.ID, &o.Person, &o.Patient, &o.Code, &opened, &until, &o.epoch, &o.Entry, &o.back, &mac)
	o.Opened, o.Until = time.UnixMicro(opened), time.UnixMicro(until)
	return o, mac, err
}

// liveGrant is the grant by which person may read the chart of patient at that time, or nil. A grant dies with the person's epoch; one
// that this server did not write is none, and raises the alarm.
func (g *Gate) liveGrant(ctx context.Context, person identity.Person, patient fhir.PatientID, at time.Time) (*Grant, error) {
	rows, err := g.grants.QueryContext(ctx, person.ID, int64(patient), at.UnixMicro(), person.Epoch)
	if err != nil {
		return nil, unreadableGrants(err)
	}
	defer rows.Close()
	for rows.Next() {
		o, mac, err := scanGrant(rows)
		if err != nil {
			return nil, unreadableGrants(err)
		}
		if g.tags.Holds(mac, o.columns()...) {
			return &o, nil
		}
		g.altered(grantTable, o.ID)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableGrants(err)
	}
	return nil, nil
}

// storeGrant writes a new grant and fills in its number.
func (g *Gate) storeGrant(ctx context.Context, o *Grant) error {
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO access_grant (person, patient, code, opened, until, epoch, entry, given_back, mac) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id`,
			append(o.columns(), g.tags.Tag(o.columns()...))...).Scan(&o.ID)
	})
}

// endGrant notes that a grant was given back.
func (g *Gate) endGrant(ctx context.Context, o Grant, at time.Time) error {
	o.back = sql.NullInt64{Int64: at.UnixMicro(), Valid: true}
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE access_grant SET given_back = ?, mac = ? WHERE id = ? AND given_back IS NULL`, o.back, g.tags.Tag(o.columns()...), o.ID)
		return err
	})
}

// eachGrant gives every grant that was ever made, with its tag.
func (g *Gate) eachGrant(ctx context.Context, q querier, where string, use func(o Grant, mac []byte) error) error {
	rows, err := q.QueryContext(ctx, `SELECT `+grantColumns+` FROM access_grant `+where+` ORDER BY id`)
	if err != nil {
		return unreadableGrants(err)
	}
	defer rows.Close()
	for rows.Next() {
		o, mac, err := scanGrant(rows)
		if err == nil {
			err = use(o, mac)
		}
		if err != nil {
			return unreadableGrants(err)
		}
	}
	return unreadableGrants(rows.Err())
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// TagRows gives their tags to grants that have none, as a version before left them, and counts them. It is called once in the life of
// an installation, before anything is read: to tag is to believe. Errors: outcome.Transient.
func (g *Gate) TagRows(ctx context.Context) (n int64, err error) {
	err = g.db.Write(ctx, func(tx *sql.Tx) error {
		var bare []Grant
		if err := g.eachGrant(context.WithoutCancel(ctx), tx, `WHERE length(mac) = 0`, func(o Grant, _ []byte) error {
			bare = append(bare, o)
			return nil
		}); err != nil {
			return err
		}
		for _, o := range bare {
			if _, err := tx.Exec(`UPDATE access_grant SET mac = ? WHERE id = ?`, g.tags.Tag(o.columns()...), o.ID); err != nil {
				return err
			}
		}
		n = int64(len(bare))
		return nil
	})
	return n, err
}

func unreadableGrants(err error) error {
	var said *outcome.Error
	if err == nil || errors.As(err, &said) {
		return err
	}
	return outcome.Wrap("access: grant", outcome.Transient, "the grants could not be read, please try again", err)
}
