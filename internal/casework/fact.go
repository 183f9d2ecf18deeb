package casework

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"time"

	"chartwarden/internal/outcome"
)

// factLasts is how long a fact may explain; then somebody looks again whether it is still so.
const factLasts = 90 * 24 * time.Hour

// Fact is what justified a case, in a form that later accesses can be held against: this person, or this unit, with patients of this
// kind, for this reason. It ends by itself. Detection weighs it; an excuse wide enough for everybody earns nothing there.
type Fact struct {
	Person   string // id of the identity.Person; or
	Unit     string // everybody of her unit: its name is filled in when it is kept
	Patients string // of which kind, in words: "patients of 3 West"
	Reason   string // "fills in on Mondays"
	Case     string // that it came of
	By       string // id of the officer
	From     time.Time
	Until    time.Time
}

func (x *Fact) check() error {
	switch {
	case x.Patients == "":
		return outcome.New(outcome.Required, "say for which patients it holds").At("patients")
	case x.Reason == "":
		return outcome.New(outcome.Required, "say what explains it").At("reason")
	case len([]rune(x.Patients)) > 200 || len([]rune(x.Reason)) > 400:
		return outcome.New(outcome.TooLong, "say it shorter: 200 characters for the patients, 400 for the reason").At("reason")
	}
	return nil
}

func factBound(number, until int64) []byte {
	b := []byte("casework fact 1\x00")
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(number)), uint64(until))
}

// keepFact stores what justified a case.
func (f *Office) keepFact(ctx context.Context, x Fact, c Case, by string) error {
	x.Case, x.By, x.From = c.ID, by, f.now()
	x.Until = x.From.Add(factLasts)
	if x.Person = c.Person; x.Unit != "" {
		x.Person, x.Unit = "", f.person(ctx, &c).Department
	}
	plain, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return f.d.Write(ctx, func(tx *sql.Tx) error {
		var number int64
		if err := tx.QueryRow(`select coalesce(max(number), 0) + 1 from casework_fact`).Scan(&number); err != nil {
			return err
		}
		until := x.Until.UnixMicro()
		sealed, err := f.box.Seal(nil, f.key, factBound(number, until), plain)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`insert into casework_fact(number, until, sealed) values(?,?,?)`, number, until, sealed)
		return err
	})
}

// Facts gives what holds at a time, the oldest first. Errors: outcome.NoStore; outcome.Exception when one was altered.
func (s *Store) Facts(ctx context.Context, at time.Time) (out []Fact, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select number, until, sealed from casework_fact where until > ? order by number`, at.UnixMicro())
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var number, until int64
		var sealed []byte
		if err := rows.Scan(&number, &until, &sealed); err != nil {
			return nil, unreadable(err)
		}
		var x Fact
		if err := s.openRow(factBound(number, until), sealed, &x); err != nil {
			return nil, err
		}
		if !x.From.After(at) {
			out = append(out, x)
		}
	}
	return out, unreadable(rows.Err())
}

// openRow opens what lies sealed beside the cases.
func (s *Store) openRow(bound, sealed []byte, into any) error {
	plain, err := s.box.Open(nil, bound, sealed)
	if err == nil {
		err = json.Unmarshal(plain, into)
	}
	if err != nil {
		return outcome.Wrap("casework: open", outcome.Exception, "a row of the casework was altered in the database: run `chartwarden audit verify`", err)
	}
	return nil
}
