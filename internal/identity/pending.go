package identity

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// Pending is an act that waits for a second person.
type Pending struct {
	ID       string
	Kind     string // create, change, reset, resume, client, client-owner; or that of an [Act]
	Person   string // id of whom it is about; of an act empty where it is about nobody here
	AskedBy  string // id; empty: the command line, whose holder is no second person to anybody
	Asked    time.Time
	Expires  time.Time
	Reason   string
	Change   *Change // of a change: what it would set
	Client   string  // of a client: its id; Person is its owner, or the one who takes it over
	Act      *Act    // of an act that another package carries out
	State    string  // open, approved, refused, withdrawn; of an act also done
	Decided  time.Time
	By       string // id of who decided
	revision int64
	about    int64 // number of Person
}

const (
	pendingCreate = "create"
	pendingChange = "change"
	pendingReset  = "reset"
	pendingClient = "client"
	pendingOwner  = "client-owner"
)

// lifetimes of what waits.
var pendingFor = map[string]time.Duration{pendingCreate: 7 * 24 * time.Hour, pendingChange: 7 * 24 * time.Hour, pendingReset: time.Hour, pendingClient: time.Hour,
	pendingOwner: ownerGone, pendingResume: 7 * 24 * time.Hour}

// aloneAfter is how long an item waits before its author may approve it where there is nobody else: a solo practice.
const aloneAfter = 24 * time.Hour

func (s *Store) newPending(kind string, r *row, by audit.Agent, reason string, c *Change) *Pending {
	now := s.now().UTC()
	return &Pending{ID: newID(), Kind: kind, Person: r.ID, AskedBy: by.Person, State: "open", Asked: now, Expires: now.Add(pendingFor[kind]), Reason: reason, Change: c, revision: r.revision}
}

// why is the sealed part of an item.
type why struct {
	Reason string
	Change *Change
	Client string `json:",omitempty"`
	Act    *Act   `json:",omitempty"`
}

// insertPending needs the person's key to exist already.
func (s *Store) insertPending(tx *sql.Tx, p *Pending, r *row) error {
	k, err := s.personKey(context.Background(), r.number)
	if err != nil {
		return err
	}
	return s.insertItem(tx, p, k, r.number)
}

func (s *Store) insertItem(tx *sql.Tx, p *Pending, k seal.KeyID, about int64) error {
	sealed, err := sealJSON(s.box, k, aad("pending", p.ID), why{p.Reason, p.Change, p.Client, p.Act})
	if err != nil {
		return err
	}
	c := pendingColumns{id: p.ID, kind: p.Kind, person: about, revision: p.revision, askedBy: p.AskedBy, asked: micros(p.Asked), expires: micros(p.Expires), state: "open", sealed: sealed}
	_, err = tx.Exec(`insert into identity_pending(id, kind, person, revision, asked_by, asked_at, expires_at, state, decided_by, decided_at, sealed, mac) values(?,?,nullif(cast(? as bigint),0),?,?,?,?,?,?,?,?,?)`,
		append(c.tagged(), s.tags.pending.Tag(c.tagged()...))...)
	return err
}

func (s *Store) storePending(ctx context.Context, n noted, p *Pending, r *row) error {
	if _, err := s.personKey(ctx, r.number); err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.insertPending(tx, p, r) })
}

const selectItem = `select ` + pendingList + `, coalesce(p.id,'') from identity_pending q left join identity_person p on p.number=q.person where `

const selectPending = selectItem + `q.person is not null and q.state='open' and q.expires_at>?`

func (s *Store) scanPending(from scanner) (*Pending, error) {
	var p Pending
	var c pendingColumns
	err := from.Scan(append(c.into(), &p.Person)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, outcome.Wrap("identity: pending", outcome.NotFound, "there is no such open item: it was decided, or it lapsed", err)
	}
	if err != nil {
		return nil, outcome.Wrap("identity: pending", outcome.NoStore, "the pending items cannot be read", err)
	}
	if err := s.genuine(s.tags.pending, pendingTable, c.person, c.mac, c.tagged()); err != nil {
		return nil, err
	}
	p.ID, p.Kind, p.revision, p.AskedBy, p.about, p.State, p.By, p.Decided = c.id, c.kind, c.revision, c.askedBy, c.person, c.state, c.decidedBy, timeOf(c.decided)
	var w why
	if err := openJSON(s.box, aad("pending", p.ID), c.sealed, &w); err != nil {
		return nil, err
	}
	p.Asked, p.Expires, p.Reason, p.Change, p.Client, p.Act = timeOf(c.asked), timeOf(c.expires), w.Reason, w.Change, w.Client, w.Act
	if p.Act != nil {
		p.Act.Kind, p.Act.Reason, p.Person = p.Kind, p.Reason, p.Act.About
	}
	return &p, nil
}

// Pending lists what waits for a second person about people and programs, oldest first; [Store.Acts] the rest.
func (s *Store) Pending(ctx context.Context) ([]Pending, error) {
	rows, err := s.db.Reader().QueryContext(ctx, selectPending+` order by q.asked_at, q.id`, micros(s.now()))
	if err != nil {
		return nil, outcome.Wrap("identity: pending", outcome.NoStore, "the pending items cannot be read", err)
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
		out = append(out, *p)
	}
	return out, rows.Err()
}

// AskReset asks that somebody's lost phone or password be replaced. It changes nothing until another person approves, within an
// hour. Errors: outcome.Forbidden when by is no signed-in person, or the person himself.
func (s *Store) AskReset(ctx context.Context, by audit.Agent, id, reason string) (*Pending, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return nil, err
	}
	switch {
	case by.Person == "" || by.Capacity != StaffCapacity:
		return nil, outcome.New(outcome.Forbidden, "a reset is asked for by a signed-in member of staff").Because("two-people")
	case by.Person == r.ID:
		return nil, outcome.New(outcome.Forbidden, "nobody resets himself: ask somebody else to").Because("two-people")
	case !r.Active:
		return nil, outcome.New(outcome.Conflict, "only an active person can be reset")
	}
	p := s.newPending(pendingReset, r, by, reason, nil)
	n, err := s.note(ctx, s.event(by, didAsk, acted, "item "+p.ID+": reset the credentials of person "+r.ID+": "+reason))
	if err != nil {
		return nil, err
	}
	return p, s.storePending(ctx, n, p, r)
}

// Approval is what an approved item gave.
type Approval struct {
	Person Person
	Link   *Link // of a reset: the new enrolment link, to hand to the person
}

// Approve carries out a pending item. by must be the second person: signed in as staff, active, not who asked, not whom it is about,
// not created by who asked, or by whom that one created, nor the other way round, and with no factor younger than Options.Ripe. Where no such person exists at all,
// who asked may approve after 24 hours; the entry says so. A reset is never approved alone: it ends the person's sessions, removes
// the old factors at once and gives a new link.
//
// Errors: outcome.NotFound (decided, lapsed), outcome.Forbidden with the reason "two-people", outcome.Conflict (the person was
// changed since: ask again).
func (s *Store) Approve(ctx context.Context, by audit.Agent, item string) (Approval, error) {
	p, r, err := s.item(ctx, item)
	if err != nil {
		return Approval{}, err
	}
	alone, err := s.second(ctx, p, by)
	if err != nil {
		_, _ = s.note(ctx, s.event(by, didApprove, failed, "item "+p.ID+": refused, "+err.Error()))
		return Approval{}, err
	}
	how := "item " + p.ID + " asked by " + p.AskedBy + ": "
	if alone {
		how += "approved alone, no second person exists: "
	}
	decided := func(tx *sql.Tx) error { return s.decide(tx, p, by, "approved") }
	out := Approval{}
	switch p.Kind {
	case pendingCreate:
		err = s.activate(ctx, by, r, how, decided)
		r.State, r.Active = Active, true
	case pendingChange:
		err = s.changeAsAsked(ctx, by, p, r, how, decided)
	case pendingResume:
		if r.revision != p.revision {
			return Approval{}, outcome.New(outcome.Conflict, "the person was changed since this was asked: refuse it and ask again")
		}
		err = s.letBack(ctx, by, r, didApprove, strings.TrimSuffix(how, ": ")+resumes+r.ID, decided)
		r.State, r.Active = Active, true
	case pendingReset:
		out.Link, err = s.reset(ctx, by, r, how, decided)
	case pendingClient:
		err = s.activateClient(ctx, by, p, how, decided)
	case pendingOwner:
		err = s.ownClient(ctx, by, p, how, decided)
	default:
		err = outcome.New(outcome.Exception, "this item is of an unknown kind")
	}
	if err != nil {
		return Approval{}, err
	}
	out.Person = r.Person
	return out, nil
}

func (s *Store) activate(ctx context.Context, by audit.Agent, r *row, how string, also func(*sql.Tx) error) error {
	n, err := s.note(ctx, s.event(by, didApprove, acted, how+"activate person "+r.ID))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.alterPerson(tx, r.number, func(c *personColumns) bool { return c.state == string(Waiting) }, func(c *personColumns) {
			c.state, c.revision = string(Active), c.revision+1
		}); err != nil {
			return err
		}
		return also(tx)
	})
}

func (s *Store) changeAsAsked(ctx context.Context, by audit.Agent, p *Pending, r *row, how string, also func(*sql.Tx) error) error {
	if r.revision != p.revision {
		return outcome.New(outcome.Conflict, "the person was changed since this was asked: refuse it and ask again")
	}
	old := r.profile()
	next, err := old.with(*p.Change).clean()
	if err == nil {
		err = s.housed(next, old)
	}
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didApprove, acted, how+"person "+r.ID+": "+next.difference(old)))
	if err != nil {
		return err
	}
	if err := s.update(ctx, n, r, next, also); err != nil {
		return err
	}
	r.apply(next)
	return nil
}

// Decline ends a pending item: by anybody who may, or by who asked, as a withdrawal. A person who was never activated ends with it.
func (s *Store) Decline(ctx context.Context, by audit.Agent, item, reason string) error {
	p, r, err := s.item(ctx, item)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didRefuse, acted, "item "+p.ID+" asked by "+p.AskedBy+" about person "+r.ID+": "+reason))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		if p.Kind == pendingCreate {
			if err := s.alterPerson(tx, r.number, func(c *personColumns) bool { return c.state == string(Waiting) }, func(c *personColumns) {
				c.state, c.epoch = string(Ended), c.epoch+1
			}); err != nil {
				return err
			}
			if _, err := s.dropFactors(tx, r.number); err != nil {
				return err
			}
			if _, err := tx.Exec(`delete from identity_enrolment where person=?`, r.number); err != nil {
				return err
			}
		}
		return s.decide(tx, p, by, "refused")
	})
}

func (s *Store) item(ctx context.Context, id string) (*Pending, *row, error) {
	p, err := s.scanPending(s.db.Reader().QueryRowContext(ctx, selectPending+` and q.id=?`, micros(s.now()), id))
	if err != nil {
		return nil, nil, err
	}
	r, err := s.find(ctx, s.db.Reader(), p.Person)
	if err == nil && r.number != p.about {
		err = errAltered
	}
	return p, r, err
}

func (s *Store) decide(tx *sql.Tx, p *Pending, by audit.Agent, state string) error {
	n, err := s.alterPending(tx, `q.state='open' and q.id=?`, []any{p.ID}, func(c *pendingColumns) { c.state, c.decidedBy, c.decided = state, by.Person, micros(s.now()) })
	if err == nil && n != 1 {
		err = ErrChanged
	}
	return err
}
