package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Act is something that two people have to want and that another package carries out: taking back somebody's work, destroying a key.
// Here it is only kept, sealed, while it waits, and agreed to; who may ask and who may agree is decided before.
type Act struct {
	Kind     string              `json:"-"` // a word; the states of an item are told apart by it
	About    string              // id of the person to whom it is done, and who therefore never agrees; may be empty
	Reason   string              `json:"-"`
	Says     string              // what it would do, for the entries; nothing of a patient
	Patients []audit.PatientPart `json:"-"` // of the entries that ask and agree
	Body     json.RawMessage     // what its owner carries it out by
	Lapses   time.Duration       `json:"-"` // after that long nobody can agree any more
}

// Ask keeps an act until somebody agrees to it or it lapses. by may be the command line, whose holder then never is the second person.
// The request is an entry first. Errors: outcome.Required without a reason.
func (s *Store) Ask(ctx context.Context, by audit.Agent, a Act) (*Pending, error) {
	if a.Reason == "" {
		return nil, outcome.New(outcome.Required, "say why, in a few words: the second person decides by it").At("reason")
	}
	now := s.now().UTC()
	p := &Pending{ID: newID(), Kind: a.Kind, Person: a.About, AskedBy: by.Person, Asked: now, Expires: now.Add(a.Lapses), Reason: a.Reason, State: "open", Act: &a}
	e := s.event(by, didAsk, acted, "item "+p.ID+": "+a.Says+": "+a.Reason)
	e.Patients = a.Patients
	n, err := s.note(ctx, e)
	if err != nil {
		return nil, err
	}
	return p, s.act(ctx, n, func(tx *sql.Tx) error { return s.insertItem(tx, p, s.actKey, 0) })
}

// Acts lists the acts in a state, oldest first: "open" (those that did not lapse) or "approved" (not carried out yet).
// Errors: outcome.NoStore.
func (s *Store) Acts(ctx context.Context, state string) ([]Pending, error) {
	after := int64(0)
	if state == "open" {
		after = micros(s.now())
	}
	return s.acts(ctx, `q.state=? and q.expires_at>? order by q.asked_at, q.id`, state, after)
}

// ActsAsked lists the newest acts of one kind that a person asked for since a moment, whatever became of them: at most limit, the newest
// first; an open one that lapsed is left out. Errors: outcome.NoStore.
func (s *Store) ActsAsked(ctx context.Context, kind, person string, since time.Time, limit int) ([]Pending, error) {
	return s.acts(ctx, `q.kind=? and q.asked_by=? and q.asked_at>=? and (q.state<>'open' or q.expires_at>?) order by q.asked_at desc, q.id limit ?`, kind, person, micros(since), micros(s.now()), limit)
}

// ActsOpen lists the open acts of one kind, oldest first. Errors: outcome.NoStore.
func (s *Store) ActsOpen(ctx context.Context, kind string) ([]Pending, error) {
	return s.acts(ctx, `q.kind=? and q.state='open' and q.expires_at>? order by q.asked_at, q.id`, kind, micros(s.now()))
}

// ActsSettled lists the acts of one kind that were agreed to and carried out, or refused, since a moment, the oldest first. Errors: outcome.NoStore.
func (s *Store) ActsSettled(ctx context.Context, kind string, since time.Time) ([]Pending, error) {
	// What was settled since had not lapsed by then: the index leads to the few that matter.
	return s.acts(ctx, `q.kind=? and q.state in ('done', 'refused') and q.expires_at>? and q.decided_at>=? order by q.decided_at, q.id`, kind, micros(since), micros(since))
}

// Waits tells for how long the acts of one kind in a state waited until they were decided, those decided last, at most limit.
// Errors: outcome.NoStore.
func (s *Store) Waits(ctx context.Context, kind, state string, limit int) (out []time.Duration, err error) {
	last, err := s.acts(ctx, `q.kind=? and q.state=? order by q.decided_at desc, q.id limit ?`, kind, state, limit)
	for _, p := range last {
		out = append(out, p.Decided.Sub(p.Asked))
	}
	return out, err
}

// OpenItems are the ids of the open acts of one kind that somebody else asked for: whether any waits is cheaper to know than what it is.
// Errors: outcome.NoStore.
func (s *Store) OpenItems(ctx context.Context, kind, but string) (out []string, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select q.id from identity_pending q where q.person is null and q.kind=? and q.state='open' and q.expires_at>? and q.asked_by<>? order by q.id`, kind, micros(s.now()), but)
	if err != nil {
		return nil, unreadActs(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, unreadActs(err)
		}
		out = append(out, id)
	}
	return out, unreadActs(rows.Err())
}

func unreadActs(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("identity: acts", outcome.NoStore, "the pending items cannot be read", err)
}

// acts gives those of the acts that a condition finds that this program wrote.
func (s *Store) acts(ctx context.Context, where string, args ...any) ([]Pending, error) {
	rows, err := s.db.Reader().QueryContext(ctx, selectItem+`q.person is null and `+where, args...)
	if err != nil {
		return nil, unreadActs(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Pending
	for rows.Next() {
		p, err := s.scanPending(rows)
		if errors.Is(err, errAltered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.Act != nil {
			out = append(out, *p)
		}
	}
	return out, rows.Err()
}

// Act gives one act, whatever became of it; an open one that lapsed is in the state "lapsed". Errors: outcome.NotFound.
func (s *Store) Act(ctx context.Context, id string) (*Pending, error) {
	p, err := s.scanPending(s.db.Reader().QueryRowContext(ctx, selectItem+`q.person is null and q.id=?`, id))
	if err != nil {
		return nil, err
	}
	if p.Act == nil {
		return nil, errAltered
	}
	if p.State == "open" && !p.Expires.After(s.now()) {
		p.State = "lapsed"
	}
	return p, nil
}

// Agree is the word of the second person: signed in as staff, active, not who asked, not whom it is done to, not created by who asked
// nor the other way round, with no factor younger than Options.Ripe. Nobody agrees alone, not even where there is nobody else. parts stand
// in the entry. The act is then in the state "approved", for its owner to carry out and [Store.Finish].
//
// Errors: outcome.NotFound (decided, lapsed), outcome.Forbidden with the reason "two-people".
func (s *Store) Agree(ctx context.Context, by audit.Agent, id string, parts []audit.PatientPart) (*Pending, error) {
	p, err := s.openAct(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := s.second(ctx, p, by); err != nil {
		e := s.event(by, didApprove, failed, "item "+p.ID+": refused, "+err.Error())
		e.Patients = parts
		_, _ = s.note(ctx, e)
		return nil, err
	}
	if err := s.settleAct(ctx, by, p, didApprove, "approved", p.Act.Says, parts); err != nil {
		return nil, err
	}
	p.State, p.By, p.Decided = "approved", by.Person, s.now().UTC()
	return p, nil
}

// Disagree ends an act that waits: by anybody who may agree, or by who asked, as a withdrawal. Errors: outcome.NotFound.
func (s *Store) Disagree(ctx context.Context, by audit.Agent, id, reason string, parts []audit.PatientPart) error {
	p, err := s.openAct(ctx, id)
	if err != nil {
		return err
	}
	return s.settleAct(ctx, by, p, didRefuse, "refused", reason, parts)
}

// Answer settles an act by the word of whoever its owner lets answer, as far as that is somebody else than who asked: no second pair of eyes
// as [Store.Agree] wants it. It is then "done", or "refused". Errors: outcome.NotFound (answered, lapsed); outcome.Forbidden for who asked.
func (s *Store) Answer(ctx context.Context, by audit.Agent, id string, yes bool, parts []audit.PatientPart) error {
	p, err := s.openAct(ctx, id)
	if err != nil {
		return err
	}
	if by.Person == "" || by.Person == p.AskedBy {
		return outcome.New(outcome.Forbidden, "nobody answers himself").Because("two-people")
	}
	if yes {
		return s.settleAct(ctx, by, p, didApprove, "done", p.Act.Says, parts)
	}
	return s.settleAct(ctx, by, p, didRefuse, "refused", "no", parts)
}

func (s *Store) openAct(ctx context.Context, id string) (*Pending, error) {
	p, err := s.Act(ctx, id)
	if err == nil && p.State != "open" {
		err = outcome.New(outcome.NotFound, "there is no such open item: it was decided, or it lapsed")
	}
	return p, err
}

func (s *Store) settleAct(ctx context.Context, by audit.Agent, p *Pending, d did, state, text string, parts []audit.PatientPart) error {
	e := s.event(by, d, acted, "item "+p.ID+" asked by "+p.AskedBy+": "+text)
	e.Patients = parts
	n, err := s.note(ctx, e)
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.decide(tx, p, by, state) })
}

// Unfinish takes back what [Store.Finish] said: what was begun failed, nothing of it stays, and it may be begun again; not where one of the
// two who wanted it has left or was shut out meanwhile: then it is withdrawn, as [Store.Terminate] does with what was not begun. Errors:
// outcome.Conflict when it is not said to be carried out.
func (s *Store) Unfinish(ctx context.Context, by audit.Agent, id, text string) error {
	n, err := s.note(ctx, s.event(by, didCarryOut, failed, "item "+id+": "+text))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		var gone error
		again, err := s.alterPending(tx, `q.state='done' and q.id=?`, []any{id}, func(c *pendingColumns) {
			c.state = "approved"
			for _, who := range []string{c.askedBy, c.decidedBy} {
				if who == "" {
					continue // the command line
				}
				r, err := s.find(context.Background(), tx, who)
				if err != nil || !r.Active {
					c.state = "withdrawn"
				}
				if err != nil && !outcome.Is(err, outcome.NotFound) {
					gone = err
				}
			}
		})
		if err == nil {
			err = gone
		}
		if err == nil && again != 1 {
			err = outcome.New(outcome.Conflict, "this item was not begun")
		}
		return err
	})
}

// Finish says that an approved act is carried out, or begins to be where it is done once. It counts once: outcome.Conflict when it was
// said before. The entry is by the job that carries it out.
func (s *Store) Finish(ctx context.Context, by audit.Agent, id, text string) error {
	n, err := s.note(ctx, s.event(by, didCarryOut, acted, "item "+id+": "+text))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		done, err := s.alterPending(tx, `q.state='approved' and q.id=?`, []any{id}, func(c *pendingColumns) { c.state = "done" })
		if err == nil && done != 1 {
			err = outcome.New(outcome.Conflict, "this item was carried out already")
		}
		return err
	})
}
