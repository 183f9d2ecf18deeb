package casework

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/detect"
)

// Change is what became of a found case.
type Change struct {
	Case   Case
	Opened bool // a case that was not there before
	Grown  bool // it took in accesses, or moved up a queue
	Queue  bool // it moved to a more pressing queue
}

// Absorb takes in a case that detection raised or revised, with its events, and keeps the follower's place in the same transaction.
// The one open case of the person and hypothesis takes it in. Without one a case is opened, unless all of it was in closed cases
// or happened before they were closed: what was decided is not asked again. Giving the same again changes nothing.
//
// evs are those of c.Events that the caller can describe; others are kept by their id. cursor "" leaves the place.
// Errors: as [db.DB.Write]; outcome.Lock when another process judges by now. The case and the place are
// both stored, or neither.
func (s *Store) Absorb(ctx context.Context, c detect.Case, evs []Event, cursor string) (out Change, err error) {
	evs = described(&c, evs)
	person := s.o.Person(ctx, c.Agent)
	err = s.d.Write(ctx, func(tx *sql.Tx) error {
		out = Change{}
		if err := s.keep(tx, cursor); err != nil {
			return err
		}
		cases, err := s.ofName(tx, s.nameOf(c.Agent, c.Hypothesis))
		if err != nil {
			return err
		}
		later := true // something of it happened after all that was closed
		for i := range cases {
			known := &cases[i]
			if known.Open() {
				out, err = s.grow(tx, known, &c, evs)
				return err
			}
			if known.Outcome == Answered && c.Queue != Watch { // the own word does not outweigh what is found later
				known.State, known.Outcome, known.Closed = New, "", time.Time{}
				out, err = s.grow(tx, known, &c, evs)
				return err
			}
			evs = slices.DeleteFunc(slices.Clone(evs), func(e Event) bool { return known.knows(e.ID) })
			later = slices.ContainsFunc(evs, func(e Event) bool { return e.Time.After(known.Closed) })
		}
		if !later || len(evs) == 0 {
			return nil
		}
		if c.Hypothesis == detect.RandomAudit {
			if evs, err = s.unseen(tx, c.Agent, evs); err != nil || len(evs) == 0 {
				return err
			}
		}
		out, err = s.open(tx, &c, evs, person)
		return err
	})
	if err == nil && (out.Opened || out.Grown) {
		s.tell()
	}
	return out, err
}

// unseen are the events of a person that no case of hers holds: what the office looks at already needs no audit. What she closed by an
// answer the office did not look at.
func (s *Store) unseen(tx *sql.Tx, agent string, evs []Event) ([]Event, error) {
	cases, err := s.list(context.Background(), tx, `person = ?`, s.personOf(agent))
	return slices.DeleteFunc(slices.Clone(evs), func(e Event) bool {
		return slices.ContainsFunc(cases, func(c Case) bool { return c.Outcome != Answered && c.knows(e.ID) })
	}), err
}

// described gives an event for each that the found case names, in the order of their times.
func described(c *detect.Case, evs []Event) []Event {
	out := slices.Clone(evs)
	for _, id := range c.Events {
		if !slices.ContainsFunc(out, func(e Event) bool { return e.ID == id }) {
			out = append(out, Event{Entry: -1, ID: id, Time: time.Unix(c.Updated, 0).UTC()})
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return out
}

// open makes a case of what no case knows.
func (s *Store) open(tx *sql.Tx, found *detect.Case, evs []Event, person string) (Change, error) {
	c := Case{Agent: found.Agent, Person: person, Hypothesis: found.Hypothesis, State: New, Opened: s.o.Now().UTC(), Provisional: found.Provisional}
	c.judge(found)
	c.Due, c.tell = c.Opened.Add(within[c.Queue]), true
	if c.Drawn() { // nothing presses
		c.Due, c.tell = c.Opened.Add(within[Watch]), false
	}
	c.Events, c.Patients = evs, patientsOf(found, evs)
	if err := s.insert(tx, &c); err != nil {
		return Change{}, err
	}
	return Change{Case: c, Opened: true, Grown: true, Queue: true}, nil
}

// grow takes what is new of a found case into a known one.
func (s *Store) grow(tx *sql.Tx, known *Case, found *detect.Case, evs []Event) (Change, error) {
	out := Change{}
	for _, e := range evs {
		if i := slices.IndexFunc(known.Events, func(k Event) bool { return k.ID == e.ID }); i >= 0 {
			if e.Kind != "" { // what is said of it may have changed
				known.Events[i].Explained, known.Events[i].Text = e.Explained, e.Text
			}
			continue
		}
		known.Events = append(known.Events, e)
		out.Grown = true
	}
	if !out.Grown && !time.Unix(found.Updated, 0).After(known.Updated) {
		out.Case = *known
		return out, nil // told before
	}
	slices.SortStableFunc(known.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	for _, p := range patientsOf(found, evs) {
		if !slices.Contains(known.Patients, p) {
			known.Patients = append(known.Patients, p)
		}
	}
	if found.Alert { // word of an act: it changes no evidence
		if known.LogE == 0 { // there is nothing else to say
			known.judge(found)
		}
		out.Grown, known.tell, known.Alert = true, true, true
		err := s.store(tx, known)
		out.Case = *known
		return out, err
	}
	before := slices.Index(queues, known.Queue)
	heard := known.Alert && time.Unix(found.Updated, 0).Sub(known.Updated) < time.Hour // of this very act
	known.judge(found)
	if slices.Index(queues, known.Queue) < before {
		out.Queue, out.Grown, known.tell = true, true, !heard || known.Queue == Automatic
		known.Due = s.o.Now().UTC().Add(within[known.Queue])
	}
	err := s.store(tx, known)
	out.Case = *known
	return out, err
}

// judge takes over what detection says of a case now.
func (c *Case) judge(found *detect.Case) {
	c.Updated = time.Unix(found.Updated, 0).UTC()
	c.LogE, c.Posterior, c.Severity, c.Queue, c.Summary = found.LogE, found.Posterior, found.Severity, found.Queue, found.Summary
	c.Alert = c.Alert || found.Alert
	if c.Escalated {
		c.Queue = Automatic
	}
	c.Contributions = nil
	for _, x := range found.Contributions {
		c.Contributions = append(c.Contributions, Contribution{Name: x.Name, Nats: x.Nats, Text: x.Text})
	}
}

// patientsOf are the patients of what is new.
func patientsOf(found *detect.Case, evs []Event) (out []string) {
	for _, e := range evs {
		if e.Patient != "" && !slices.Contains(out, e.Patient) {
			out = append(out, e.Patient)
		}
	}
	if len(evs) == len(found.Events) {
		for _, p := range found.Patients {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

const judged = "judged" // the follower of the own log

func (s *Store) keep(tx *sql.Tx, cursor string) error {
	if err := s.leads(tx); err != nil || cursor == "" {
		return err
	}
	_, err := tx.Exec(`insert into casework_cursor(name, at) values(?, ?) on conflict(name) do update set at = excluded.at`, judged, cursor)
	return err
}

// Keep stores the follower's place where no case came of what it judged. Errors: as [db.DB.Write].
func (s *Store) Keep(ctx context.Context, cursor string) error {
	return s.d.Write(ctx, func(tx *sql.Tx) error { return s.keep(tx, cursor) })
}

// Cursor is the follower's place; "" when nothing was judged yet. Errors: outcome.NoStore.
func (s *Store) Cursor(ctx context.Context) (at string, err error) {
	err = s.d.Reader().QueryRowContext(ctx, `select at from casework_cursor where name = ?`, judged).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return at, unreadable(err)
}
