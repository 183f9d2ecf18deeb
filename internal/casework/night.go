package casework

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// The message of the night: whoever opened charts for which no reason of care is known is told so the same night, courteously and before
// anybody suspects anything. Most then say why, and few do it again.

// Unexplained is an access for which no reason of care is known.
type Unexplained struct {
	Event   string // id of the AuditEvent
	Entry   int64  // as [Event.Entry]
	Agent   string // Practitioner/17
	Patient string // Patient/9
	Kind    string // as [Event.Kind]
	At      time.Time
}

// unwarned are suspicions of which nobody is told by a message: it would warn, and of a stolen account the wrong person.
var unwarned = []string{"exfiltration", "destruction", "stolen-account"}

const nights = "nights" // until when the nights were looked at

// Night asks people about the accesses of a night, which ends at until: one message for each person, whatever she opened. Left out are who
// has no account here; whose case waits for the office or is taken, or is about what a message would warn of; and accesses that a case was
// closed about. A night is asked about once. It gives how many messages that were. Errors: as [db.DB.Write]; outcome.Lock.
func (s *Store) Night(ctx context.Context, until time.Time, list []Unexplained) (messages int, err error) {
	of := map[string][]Unexplained{}
	var agents []string
	for _, x := range list {
		if of[x.Agent] == nil {
			agents = append(agents, x.Agent)
		}
		of[x.Agent] = append(of[x.Agent], x)
	}
	slices.Sort(agents)
	persons := map[string]string{}
	for _, agent := range agents {
		persons[agent] = s.o.Person(ctx, agent)
	}
	err = s.d.Write(ctx, func(tx *sql.Tx) error {
		messages = 0
		if err := s.leads(tx); err != nil {
			return err
		}
		done, err := nightDone(context.Background(), tx)
		if err != nil || !done.Before(until) {
			return err
		}
		for _, agent := range agents {
			if persons[agent] == "" {
				continue
			}
			q := Question{Of: persons[agent], About: persons[agent], Asked: s.o.Now().UTC(), Night: until.UTC(), open: true}
			if q.Accesses, err = s.toAsk(tx, agent, of[agent]); err != nil {
				return err
			}
			if len(q.Accesses) == 0 {
				continue
			}
			if err := s.insertQuestion(tx, &q); err != nil {
				return err
			}
			messages++
		}
		_, err = tx.Exec(`insert into casework_cursor(name, at) values(?, ?) on conflict(name) do update set at = excluded.at`, nights, until.UTC().Format(time.RFC3339))
		return err
	})
	return messages, err
}

// toAsk picks those of a person's accesses that a message names, the newest first.
func (s *Store) toAsk(tx *sql.Tx, agent string, list []Unexplained) (out []Access, err error) {
	cases, err := s.list(context.Background(), tx, `person = ?`, s.personOf(agent))
	if err != nil {
		return nil, err
	}
	for i := range cases {
		c := &cases[i]
		if c.Open() && !c.Drawn() && (c.Queue != Watch || c.State != New || slices.Contains(unwarned, c.Hypothesis)) {
			return nil, nil
		}
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Unexplained) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Event, b.Event)) })
	for _, x := range list {
		decided := slices.ContainsFunc(cases, func(c Case) bool { return !c.Open() && c.knows(x.Event) })
		told := slices.ContainsFunc(out, func(a Access) bool { return a.Patient == x.Patient }) // once is enough
		if !decided && !told && len(out) < askedAbout {
			out = append(out, Access{At: x.At, Patient: x.Patient, Kind: x.Kind, Event: x.Event, Entry: x.Entry})
		}
	}
	return out, nil
}

func nightDone(ctx context.Context, q querier) (at time.Time, err error) {
	rows, err := q.QueryContext(ctx, `select at from casework_cursor where name = ?`, nights)
	if err != nil {
		return at, unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return at, unreadable(err)
		}
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return at, unreadable(err)
		}
	}
	return at, unreadable(rows.Err())
}

// NightDone is until when the nights were asked about; zero before the first. Errors: outcome.NoStore.
func (s *Store) NightDone(ctx context.Context) (time.Time, error) {
	return nightDone(ctx, s.d.Reader())
}

// Messaged gives the ids of the events that messages of the night name, of those sent since a time. Errors: outcome.NoStore.
func (s *Store) Messaged(ctx context.Context, since time.Time) (map[string]bool, error) {
	list, err := s.questions(ctx, s.d.Reader(), `about = 0`)
	out := map[string]bool{}
	for _, q := range list {
		for _, a := range q.Accesses {
			if q.Asked.After(since) && a.Explained == "" {
				out[a.Event] = true
			}
		}
	}
	return out, err
}

// Explained keeps, with the message that asked about it, that a reason of care became known for an access. A message all of which is
// explained needs no answer. Errors: as [db.DB.Write].
func (s *Store) Explained(ctx context.Context, agent, event, why string) error {
	person := s.o.Person(ctx, agent)
	if person == "" {
		return nil
	}
	now := s.o.Now().UTC()
	return s.settle(ctx, `about = 0 and asked = ?`, s.nameOfAsked(person), func(q *Question) bool {
		i := slices.IndexFunc(q.Accesses, func(a Access) bool { return a.Event == event && a.Explained == "" })
		if i < 0 {
			return false
		}
		q.Accesses[i].Explained = why
		if !slices.ContainsFunc(q.Accesses, func(a Access) bool { return a.Explained == "" }) {
			q.Cleared, q.open = now, false
		}
		return true
	})
}

const clearedShown = 14 * 24 * time.Hour

// Cleared lists the messages of the last two weeks that asked p about accesses for which a reason of care is known by now, the newest
// first. Errors: as [access.Gate.Permit].
func (f *Office) Cleared(ctx context.Context, p access.Principal) ([]Question, error) {
	if p.Session == nil || p.Session.Capacity != identity.StaffCapacity {
		return nil, nil
	}
	if err := f.o.Gate.Permit(ctx, p, policy.Own); err != nil {
		return nil, err
	}
	list, err := f.questions(ctx, f.d.Reader(), `about = 0 and asked = ? and open = 0`, f.nameOfAsked(p.Session.Person.ID))
	return slices.DeleteFunc(list, func(q Question) bool { return q.Cleared.IsZero() || f.now().Sub(q.Cleared) > clearedShown }), err
}

// heard takes an answer to a message of the night, and keeps it by settle in the same transaction. It is a claim and trains nothing: it
// closes what is only on watch and about nothing else, and where somebody else may use the account it opens a case.
func (f *Office) heard(ctx context.Context, p access.Principal, q *Question, note Note, settle func(*sql.Tx) error) error {
	agent := agentOf(staff(p))
	err := f.d.Write(ctx, func(tx *sql.Tx) error {
		if err := settle(tx); err != nil {
			return err
		}
		if q.Answer == NotMe {
			return f.disowned(tx, agent, q, note)
		}
		cases, err := f.list(context.Background(), tx, `person = ? and open = 1`, f.personOf(agent))
		if err != nil {
			return err
		}
		for i := range cases {
			c := &cases[i]
			if !c.Open() || !c.toldBy(q) {
				continue
			}
			c.Notes = append(c.Notes, note)
			if q.Answer != ShouldNot && !c.Pressing() && c.State == New && c.Mutable() && !slices.Contains(unwarned, c.Hypothesis) {
				c.State, c.Outcome, c.Closed = Closed, Answered, note.At
			}
			if err := f.store(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		f.tell()
	}
	return err
}

// toldBy reports whether a message named all that is unexplained in a case, and that there is something. A message names a patient once
// for the day before it; what came after it is nothing that its answer speaks of.
func (c *Case) toldBy(q *Question) bool {
	names := func(e Event) bool {
		return slices.ContainsFunc(q.Accesses, func(a Access) bool {
			return a.Event == e.ID || a.Patient != "" && a.Patient == e.Patient && e.Time.Before(q.Night) && e.Time.After(q.Night.AddDate(0, 0, -2))
		})
	}
	some := false
	for _, e := range c.Events {
		if !e.Explained && !names(e) {
			return false
		}
		some = some || !e.Explained
	}
	return some
}

// disowned opens a case about an account that somebody else may use, or adds to the one that is open.
func (s *Store) disowned(tx *sql.Tx, agent string, q *Question, note Note) error {
	const stolen = "stolen-account"
	cases, err := s.ofName(tx, s.nameOf(agent, stolen))
	if err != nil {
		return err
	}
	c := Case{Agent: agent, Person: q.Of, Hypothesis: stolen, State: New, Opened: note.At, Posterior: .5, Severity: .75,
		Summary: agent + " says that somebody else opened charts under the account. It would be explained by a device that was left signed in."}
	if n := len(cases); n > 0 && cases[n-1].Open() {
		c = cases[n-1]
	}
	for _, a := range slices.Backward(q.Accesses) {
		if c.knows(a.Event) {
			continue
		}
		c.Events = append(c.Events, Event{Entry: a.Entry, ID: a.Event, Time: a.At, Kind: a.Kind, Patient: a.Patient, Explained: a.Explained != "", Text: cmp.Or(a.Explained, "no reason of care is known")})
		if a.Patient != "" && !slices.Contains(c.Patients, a.Patient) {
			c.Patients = append(c.Patients, a.Patient)
		}
	}
	slices.SortStableFunc(c.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	c.Notes, c.Escalated = append(c.Notes, note), true
	c.Updated = note.At
	if c.Queue != Automatic {
		c.Queue, c.Due, c.tell = Automatic, note.At.Add(within[Automatic]), true
	}
	if c.ID == "" {
		return s.insert(tx, &c)
	}
	return s.store(tx, &c)
}

// Letter gives who is to be written to about a message of the night, by its number; wanted is false once it needs no answer. Errors:
// outcome.NoStore.
func (s *Store) Letter(ctx context.Context, number int64) (person string, wanted bool, err error) {
	list, err := s.questions(ctx, s.d.Reader(), `about = 0 and number = ?`, number)
	if err != nil || len(list) == 0 {
		return "", false, err
	}
	return list[0].Of, list[0].open, nil
}

// Letters gives the numbers of the messages of the night after one, and the newest of all; 0 before the first. Errors: outcome.NoStore.
func (s *Store) Letters(ctx context.Context, after int64) (numbers []int64, newest int64, err error) {
	rows, err := s.d.Reader().QueryContext(ctx, `select number from casework_question where about = 0 and number > ? order by number`, after)
	if err != nil {
		return nil, 0, unreadable(err)
	}
	defer rows.Close()
	newest = after
	for rows.Next() {
		if err := rows.Scan(&newest); err != nil {
			return nil, 0, unreadable(err)
		}
		numbers = append(numbers, newest)
	}
	return numbers, newest, unreadable(rows.Err())
}
