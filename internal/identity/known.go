package identity

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Known says why somebody whom no roster knows works here all the same. It gives no right: it keeps a question from being asked until a day.
type Known struct {
	Person  string
	Because string
	Until   time.Time
	By      string // id of who said so; empty: the command line
}

// KnownLongest is how long a word about somebody whom no roster knows counts at most.
const KnownLongest = 366 * 24 * time.Hour

func knownAAD(person, until int64) []byte { return aad("known", fmt.Sprintf("%d/%d", person, until)) }

// KeepKnown writes down why somebody whom no roster knows works here, in place of what was said before. The entry comes first.
// Errors: outcome.NotFound; outcome.Required (no reason); outcome.Value (an end that is past, or more than a year ahead); outcome.Conflict (has
// left); outcome.Forbidden (about oneself).
func (s *Store) KeepKnown(ctx context.Context, by audit.Agent, k Known) error {
	r, err := s.find(ctx, s.db.Reader(), k.Person)
	if err != nil {
		return err
	}
	switch within := k.Until.Sub(s.now()); {
	case k.Because == "" || len(k.Because) > 500:
		return outcome.New(outcome.Required, "say in a few words why this person works here and stands on no roster").At("because")
	case within <= 0 || within > KnownLongest:
		return outcome.New(outcome.Value, "choose a day to come, within a year: then it is asked again").At("until")
	case by.Person == r.ID:
		return outcome.New(outcome.Forbidden, "nobody says this about herself: ask somebody else to").Because("self-grant")
	case r.State == Ended:
		return outcome.New(outcome.Conflict, "this person has left already")
	}
	k.Person, k.By, k.Until = r.ID, by.Person, k.Until.UTC().Truncate(time.Microsecond)
	key, err := s.personKey(ctx, r.number)
	if err != nil {
		return err
	}
	until := micros(k.Until)
	sealed, err := sealJSON(s.box, key, knownAAD(r.number, until), k)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didProvision, acted, "person "+r.ID+" is on no roster, and known until "+k.Until.Format(time.RFC3339)+": "+k.Because))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identity_known(person, until, sealed) values(?,?,?) on conflict (person) do update set until=excluded.until, sealed=excluded.sealed`, r.number, until, sealed)
		return err
	})
}

// StillKnown gives what counts now of what was said about people on no roster, by person. Errors: outcome.NoStore.
func (s *Store) StillKnown(ctx context.Context) (map[string]Known, error) {
	unreadable := func(err error) error {
		return outcome.Wrap("identity: known", outcome.NoStore, "what is known of people on no roster cannot be read", err)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `select person, until, sealed from identity_known where until>?`, micros(s.now()))
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	out := map[string]Known{}
	for rows.Next() {
		var number, until int64
		var sealed []byte
		if err := rows.Scan(&number, &until, &sealed); err != nil {
			return nil, unreadable(err)
		}
		var k Known
		if err := openJSON(s.box, knownAAD(number, until), sealed, &k); err != nil {
			s.o.Altered("identity_known", number) // the question is asked again
			continue
		}
		out[k.Person] = k
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}

// LastUse is when people signed in or were seen at a place last, by id, as far as it is kept: 90 days. Errors: outcome.NoStore.
func (s *Store) LastUse(ctx context.Context) (map[string]time.Time, error) {
	unreadable := func(err error) error {
		return outcome.Wrap("identity: use", outcome.NoStore, "the sign-ins cannot be read", err)
	}
	rows, err := s.db.Reader().QueryContext(ctx, `select p.id, max(u.at) from (select person, seen_at as at from identity_place union all select person, created_at as at from identity_session) u
		join identity_person p on p.number=u.person group by p.id`)
	if err != nil {
		return nil, unreadable(err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var id string
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, unreadable(err)
		}
		out[id] = timeOf(at)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	return out, nil
}
