package access

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/care"
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
	// Visit says that a visit of the patient runs, whose end ends the grant before Until.
	Visit bool

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

const grantColumns = `id, person, patient, code, opened, until, epoch, entry, given_back, mac`

func scanGrant(rows *sql.Rows) (o Grant, mac []byte, err error) {
	var opened, until int64
	err = rows.Scan(&o.ID, &o.Person, &o.Patient, &o.Code, &opened, &until, &o.epoch, &o.Entry, &o.back, &mac)
	o.Opened, o.Until = time.UnixMicro(opened), time.UnixMicro(until)
	return o, mac, err
}

// liveGrant is the grant by which person may read the chart of patient at that time, or nil. A grant dies with the person's epoch; one
// that this server did not write is none, and raises the alarm.
func (g *Gate) liveGrant(ctx context.Context, person identity.Person, patient fhir.PatientID, at time.Time) (*Grant, error) {
	held, err := g.held(ctx, person, at)
	if err != nil {
		return nil, err
	}
	for i := range held {
		o := held[i].Grant
		if o.Patient != patient || o.epoch != person.Epoch || !o.Until.After(at) {
			continue
		}
		if g.tags.Holds(held[i].mac, o.columns()...) {
			stands, err := g.during(ctx, &o, at)
			if err != nil {
				return nil, err
			}
			if stands {
				return &o, nil
			}
			continue
		}
		g.altered(grantTable, o.ID)
	}
	return nil, nil
}

// bounded is the grant as the patient's visits bound it at that time: the end of the one that ran when the glass was broken, or that
// began since, ends it. Visits that follow each other without a gap are one. nil when it has ended.
func (o *Grant) bounded(visits []care.Visit, at time.Time) *Grant {
	if o == nil {
		return nil
	}
	visits = slices.DeleteFunc(slices.Clone(visits), func(v care.Visit) bool { return v.Own || !v.To.After(o.Opened) })
	slices.SortFunc(visits, func(a, b care.Visit) int { return a.From.Compare(b.From) })
	var end time.Time
	for _, v := range visits {
		if !end.IsZero() && v.From.After(end) {
			break
		}
		if v.To.After(end) {
			end = v.To
		}
	}
	out := *o
	if !end.IsZero() {
		if out.Visit = end.After(at); end.Before(out.Until) {
			out.Until = end
		}
	}
	if !out.Until.After(at) {
		return nil
	}
	return &out
}

// granted are the patients for whom a person may hold a live grant: ask [Gate.liveGrant] about each.
func (g *Gate) granted(ctx context.Context, person identity.Person, at time.Time) (map[fhir.PatientID]bool, error) {
	held, err := g.held(ctx, person, at)
	if err != nil {
		return nil, err
	}
	out := map[fhir.PatientID]bool{}
	for _, o := range held {
		if o.epoch == person.Epoch && o.Until.After(at) {
			out[o.Patient] = true
		}
	}
	return out, nil
}

// storeGrant writes a new grant and fills in its number.
func (g *Gate) storeGrant(ctx context.Context, o *Grant) error {
	defer g.grants.change()()
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO access_grant (person, patient, code, opened, until, epoch, entry, given_back, mac) VALUES (?,?,?,?,?,?,?,?,?) RETURNING id`,
			append(o.columns(), g.tags.Tag(o.columns()...))...).Scan(&o.ID)
	})
}

// endGrant notes that a grant was given back. One that this server did not write stays as it is, for a verification to find.
func (g *Gate) endGrant(ctx context.Context, id int64, at time.Time) error {
	defer g.grants.change()()
	return g.db.Write(ctx, func(tx *sql.Tx) error {
		var found []Grant
		if err := g.eachGrant(context.WithoutCancel(ctx), tx, `WHERE given_back IS NULL AND id = `+strconv.FormatInt(id, 10), func(o Grant, mac []byte) error {
			if g.tags.Holds(mac, o.columns()...) {
				found = append(found, o)
			}
			return nil
		}); err != nil || len(found) == 0 {
			return err
		}
		o := found[0]
		o.back = sql.NullInt64{Int64: at.UnixMicro(), Valid: true}
		_, err := tx.Exec(`UPDATE access_grant SET given_back = ?, mac = ? WHERE id = ?`, o.back, g.tags.Tag(o.columns()...), o.ID)
		return err
	})
}

// EndGrants ends the grants that a person holds, and counts them. They are dead with the person's epoch already: after a termination or a
// suspension the rows say so too. Errors: outcome.Transient.
func (g *Gate) EndGrants(ctx context.Context, person string) (n int, err error) {
	defer g.grants.change()()
	at := g.now()
	err = g.db.Write(ctx, func(tx *sql.Tx) error {
		var found []Grant
		if err := g.eachGrant(context.WithoutCancel(ctx), tx, `WHERE given_back IS NULL AND person = ? AND until > ?`, func(o Grant, mac []byte) error {
			if g.tags.Holds(mac, o.columns()...) {
				found = append(found, o)
			}
			return nil
		}, person, at.UnixMicro()); err != nil {
			return err
		}
		for _, o := range found {
			o.back = sql.NullInt64{Int64: at.UnixMicro(), Valid: true}
			if _, err := tx.Exec(`UPDATE access_grant SET given_back = ?, mac = ? WHERE id = ?`, o.back, g.tags.Tag(o.columns()...), o.ID); err != nil {
				return unreadableGrants(err)
			}
		}
		n = len(found)
		return nil
	})
	return n, err
}

// EndedGrants counts the grants of a person that ended, other than by their time, at a moment or after it: those that [Gate.EndGrants] ended,
// however often it was called since. Errors: outcome.Transient.
func (g *Gate) EndedGrants(ctx context.Context, person string, since time.Time) (n int, err error) {
	err = g.eachGrant(ctx, g.db.Reader(), `WHERE person = ? AND given_back >= ?`, func(o Grant, mac []byte) error {
		if g.tags.Holds(mac, o.columns()...) {
			n++
		}
		return nil
	}, person, since.UnixMicro())
	return n, err
}

// eachGrant gives every grant that was ever made, with its tag.
func (g *Gate) eachGrant(ctx context.Context, q querier, where string, use func(o Grant, mac []byte) error, args ...any) error {
	rows, err := q.QueryContext(ctx, `SELECT `+grantColumns+` FROM access_grant `+where+` ORDER BY id`, args...)
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
