package casework

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
)

// factLasts is how long a fact may explain; then somebody looks again whether it is still so.
const factLasts = 90 * 24 * time.Hour

// Fact is what justified a case, in a form that later accesses can be held against: this person, or this unit, with patients of this
// kind, for this reason. It ends by itself. Detection weighs it; an excuse wide enough for everybody earns nothing there.
type Fact struct {
	Person   string // id of the identity.Person, and
	Agent    string // Practitioner/17, as the log names her; or
	Unit     string // everybody of her unit: its name is filled in when it is kept
	Patients string // of which kind, in words: "patients of 3 West"
	Of       string // the same for detection, as detect.JustifiedKind knows it; empty: it says nothing there
	Reason   string // "fills in on Mondays"
	Case     string // that it came of
	By       string // id of the officer
	From     time.Time
	Until    time.Time
	Number   int64 `json:"-"` // in the order in which they were kept
}

func (x *Fact) check() error {
	switch {
	case x.Of != "" && !detect.JustifiedKind(x.Of):
		return outcome.New(outcome.Value, "choose for which patients it holds").At("patients")
	case x.Patients == "" && x.Of == "":
		return outcome.New(outcome.Required, "say for which patients it holds").At("patients")
	case x.Reason == "":
		return outcome.New(outcome.Required, "say what explains it").At("reason")
	case len([]rune(x.Patients)) > 200 || len([]rune(x.Reason)) > 400:
		return outcome.New(outcome.TooLong, "say it shorter: 200 characters for the patients, 400 for the reason").At("reason")
	}
	return nil
}

// said is a fact as the log has it.
func (x *Fact) said() string {
	whom := "this person"
	if x.Unit != "" {
		whom = "everybody of the unit"
	}
	return "; explains the like for 90 days for " + whom + ", patients: " + cmp.Or(x.Patients, x.Of) + ", because: " + x.Reason
}

func factBound(number, until int64) []byte {
	b := []byte("casework fact 1\x00")
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(number)), uint64(until))
}

// keepFact stores what justified a case.
func (f *Office) keepFact(ctx context.Context, x Fact, c Case, by string) error {
	x.Case, x.By, x.From = c.ID, by, f.now()
	x.Until = x.From.Add(factLasts)
	if x.Person, x.Agent = c.Person, c.Agent; x.Unit != "" {
		x.Person, x.Agent, x.Unit = "", "", f.person(ctx, &c).Department
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
	list, err := s.facts(ctx, `until > ?`, at.UnixMicro())
	return slices.DeleteFunc(list, func(x Fact) bool { return x.From.After(at) }), err
}

// FactsAfter gives those that were kept after one, by its number, in order. Errors: as [Store.Facts].
func (s *Store) FactsAfter(ctx context.Context, number int64) ([]Fact, error) {
	return s.facts(ctx, `number > ?`, number)
}

func (s *Store) facts(ctx context.Context, where string, arg any) (out []Fact, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select number, until, sealed from casework_fact where `+where+` order by number`, arg)
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
		x.Number = number
		out = append(out, x)
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
