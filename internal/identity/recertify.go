package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Recertification asks those who answer for people, once and until a day, whether what they hold is still needed. What nobody answered lapses.
type Recertification struct {
	ID        string
	StartedBy string   // id of a person; empty: the command line
	Owners    []string // ids: who answers where no manager can, the first who is not the person herself
	Started   time.Time
	Due       time.Time
	Asks      int // how many holdings it asks about
}

// Holding is one thing that a person holds, as a recertification asks about it.
type Holding struct {
	ID              string
	Recertification string
	Person          string // id
	Reviewer        string // id of who is asked; never the person
	Kind            string // [RoleHeld], [ClearanceHeld], [WordHeld]
	What            string // the role, the clearance, the number of the word
	Says            string // of a word: what it lets do, without a patient
	Marks           []string
	Answer          string // "" while it is open, else [Kept], [Taken], [Lapsed], [Moot]
	AnsweredBy      string // id of a person; empty: by the clock
	Answered        time.Time

	person int64
}

// The kinds of holdings.
const (
	RoleHeld      = "role"
	ClearanceHeld = "clearance"
	WordHeld      = "word" // what somebody said, as a cover: it ends by the door
)

// Answers about a holding.
const (
	Kept   = "kept"
	Taken  = "taken"
	Lapsed = "lapsed" // nobody answered until the day
	Moot   = "moot"   // it was not held any more
)

var didRecertify = did{audit.People, "recertify"}

// holdingBody is what the row of a holding keeps sealed.
type holdingBody struct {
	Kind, What string
	Says       string   `json:",omitempty"`
	Marks      []string `json:",omitempty"`
}

// begins is how the entry of a start says it; a verification reads it.
func (x *Recertification) begins() string {
	return fmt.Sprintf("recertification %s asks about %d holdings until %s; owners %s", x.ID, x.Asks, x.Due.UTC().Format(time.RFC3339), strings.Join(x.Owners, " "))
}

// says is how the entry of an answer says it, behind what is changed; a verification reads it.
func (h *Holding) says(answer string) string {
	return fmt.Sprintf("holding %s of recertification %s: %s %s %q", h.ID, h.Recertification, answer, h.Kind, h.What)
}

// StartRecertification stores a recertification with what it asks about; the entry comes first. What each holding needs: person, reviewer, kind
// and what. Errors: outcome.Value (nothing to ask, or somebody would answer for herself); outcome.NotFound (no such person).
func (s *Store) StartRecertification(ctx context.Context, by audit.Agent, x Recertification, hs []Holding) (Recertification, error) {
	if len(hs) == 0 {
		return x, outcome.New(outcome.Value, "nobody among them holds anything that could be asked about")
	}
	x.ID, x.StartedBy, x.Started, x.Due, x.Asks = newID(), by.Person, s.now().UTC().Truncate(time.Microsecond), x.Due.UTC().Truncate(time.Second), len(hs)
	rows := make([]holdingColumns, len(hs))
	numbers := map[string]int64{}
	for i := range hs {
		h := &hs[i]
		if h.Reviewer == "" || h.Reviewer == h.Person {
			return x, outcome.New(outcome.Value, "nobody answers for herself: somebody else has to be asked")
		}
		number, known := numbers[h.Person]
		if !known {
			r, err := s.find(ctx, s.db.Reader(), h.Person)
			if err != nil {
				return x, err
			}
			number, numbers[h.Person] = r.number, r.number
		}
		k, err := s.personKey(ctx, number)
		if err != nil {
			return x, err
		}
		h.ID, h.Recertification = newID(), x.ID
		sealed, err := sealJSON(s.box, k, aad("holding", h.ID), holdingBody{h.Kind, h.What, h.Says, h.Marks})
		if err != nil {
			return x, err
		}
		rows[i] = holdingColumns{id: h.ID, recertification: x.ID, person: number, reviewer: h.Reviewer, sealed: sealed}
	}
	n, err := s.note(ctx, s.event(by, didRecertify, acted, x.begins()))
	if err != nil {
		return x, err
	}
	return x, s.act(ctx, n, func(tx *sql.Tx) error {
		c := recertificationColumns{id: x.ID, startedBy: x.StartedBy, owners: strings.Join(x.Owners, " "), started: micros(x.Started), due: micros(x.Due), holdings: int64(x.Asks)}
		if _, err := tx.Exec(`insert into identity_recertification(id, started_by, owners, started_at, due_at, holdings, mac) values(?,?,?,?,?,?,?)`,
			append(c.tagged(), s.tags.recertification.Tag(c.tagged()...))...); err != nil {
			return err
		}
		for i := range rows {
			if _, err := tx.Exec(`insert into identity_holding(id, recertification, person, reviewer, answer, answered_by, answered_at, sealed, mac) values(?,?,?,?,?,?,?,?,?)`,
				append(rows[i].tagged(), s.tags.holding.Tag(rows[i].tagged()...))...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Recertifications lists them, the newest first. Errors: outcome.NoStore.
func (s *Store) Recertifications(ctx context.Context) ([]Recertification, error) {
	return s.recertifications(ctx, `order by r.started_at desc, r.id`)
}

func (s *Store) recertifications(ctx context.Context, where string, args ...any) (out []Recertification, err error) {
	rows, err := s.db.Reader().QueryContext(ctx, `select `+recertificationList+` from identity_recertification r `+where, args...)
	if err != nil {
		return nil, unreadableHoldings(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c recertificationColumns
		if err := rows.Scan(c.into()...); err != nil {
			return nil, unreadableHoldings(err)
		}
		if s.genuine(s.tags.recertification, recertificationTable, c.number, c.mac, c.tagged()) == nil {
			out = append(out, c.recertification())
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableHoldings(err)
	}
	return out, nil
}

// Holdings lists what a recertification asks about, answered or not. Errors: outcome.NoStore.
func (s *Store) Holdings(ctx context.Context, recertification string) ([]Holding, error) {
	return s.holdings(ctx, s.db.Reader(), `where h.recertification=? order by h.number`, recertification)
}

// OpenHoldings lists what a person is asked and has not answered: hers, and as the owner of a recertification what stood with somebody who does
// not work here any more. Never what she holds herself. Errors: outcome.NoStore.
func (s *Store) OpenHoldings(ctx context.Context, reviewer string) ([]Holding, error) {
	found, err := s.holdings(ctx, s.db.Reader(), `where h.answer='' and p.state<>'ended' and (h.reviewer=? or not exists(select 1 from identity_person w where w.id=h.reviewer and w.state='active'))
		order by h.number`, reviewer)
	if err != nil {
		return nil, err
	}
	var owns map[string]bool
	out := found[:0]
	for _, h := range found {
		if h.Reviewer != reviewer && owns == nil {
			all, err := s.Recertifications(ctx)
			if err != nil {
				return nil, err
			}
			owns = map[string]bool{}
			for _, x := range all {
				owns[x.ID] = slices.Contains(x.Owners, reviewer)
			}
		}
		if h.Person != reviewer && (h.Reviewer == reviewer || owns[h.Recertification]) {
			out = append(out, h)
		}
	}
	return out, nil
}

// Reviews counts what a person has yet to answer as the one who is asked. It is cheap: a page may ask it. Errors: outcome.NoStore.
func (s *Store) Reviews(ctx context.Context, reviewer string) (n int, err error) {
	err = s.db.Reader().QueryRowContext(ctx, `select count(*) from identity_holding h join identity_person p on p.number=h.person where h.answer='' and h.reviewer=? and p.state<>'ended'`, reviewer).Scan(&n)
	return n, unreadableHoldings(err)
}

func (s *Store) holdings(ctx context.Context, q queryer, where string, args ...any) (out []Holding, err error) {
	rows, err := q.QueryContext(ctx, `select `+holdingList+`, p.id from identity_holding h join identity_person p on p.number=h.person `+where, args...)
	if err != nil {
		return nil, unreadableHoldings(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c holdingColumns
		h := Holding{}
		if err := rows.Scan(append(c.into(), &h.Person)...); err != nil {
			return nil, unreadableHoldings(err)
		}
		if s.genuine(s.tags.holding, holdingTable, c.number, c.mac, c.tagged()) != nil {
			continue
		}
		var b holdingBody
		if err := openJSON(s.box, aad("holding", c.id), c.sealed, &b); err != nil {
			return nil, err
		}
		h.ID, h.Recertification, h.Reviewer, h.Answer, h.AnsweredBy, h.Answered, h.person = c.id, c.recertification, c.reviewer, c.answer, c.answeredBy, timeOf(c.answered), c.person
		h.Kind, h.What, h.Says, h.Marks = b.Kind, b.What, b.Says, b.Marks
		out = append(out, h)
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableHoldings(err)
	}
	return out, nil
}

// Holding gives one. Errors: outcome.NotFound, also for one that this server did not write.
func (s *Store) Holding(ctx context.Context, id string) (Holding, error) {
	found, err := s.holdings(ctx, s.db.Reader(), `where h.id=?`, id)
	if err == nil && len(found) == 0 {
		err = outcome.New(outcome.NotFound, "nobody is asked about this")
	}
	if err != nil {
		return Holding{}, err
	}
	return found[0], nil
}

// AnswerHolding writes down an answer that changes nothing here: [Kept], or what became of a word, which the door ends. The entry comes first.
// Errors: outcome.Conflict (answered meanwhile); outcome.Forbidden (one's own).
func (s *Store) AnswerHolding(ctx context.Context, by audit.Agent, h Holding, answer string) error {
	if by.Person == h.Person && by.Person != "" {
		return errOwnHolding
	}
	n, err := s.note(ctx, s.event(by, didRecertify, acted, "person "+h.Person+": "+h.says(answer)))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error { return s.settleHolding(tx, by, h, answer) })
}

var errOwnHolding = outcome.New(outcome.Forbidden, "nobody answers for herself: somebody else is asked").Because("self-grant")

// TakeAway takes a role or a clearance from a person because of the answer about it, in one transaction with the answer. One that is not held
// any more is answered as moot. Live sessions follow within a second.
//
// Errors: outcome.Forbidden (one's own); outcome.Conflict (answered or changed meanwhile; has left; the last administrator or privacy
// officer, because "last-administrator" or "last-officer").
func (s *Store) TakeAway(ctx context.Context, by audit.Agent, h Holding, answer string) error {
	if by.Person == h.Person && by.Person != "" {
		return errOwnHolding
	}
	r, err := s.find(ctx, s.db.Reader(), h.Person)
	if err != nil {
		return err
	}
	old := r.profile()
	p := old
	without := func(held []string) []string {
		return slices.DeleteFunc(slices.Clone(held), func(one string) bool { return one == h.What })
	}
	switch h.Kind {
	case RoleHeld:
		p.Roles = without(old.Roles)
	case ClearanceHeld:
		p.Clearances = without(old.Clearances)
	default:
		return outcome.New(outcome.Invariant, "a holding of this kind is not taken away here")
	}
	said := p.difference(old)
	if said == "" || r.State == Ended {
		return s.AnswerHolding(ctx, by, h, Moot)
	}
	kept := func(q queryer) error { return s.keepsOffice(context.WithoutCancel(ctx), q, r, old, p) }
	if err := kept(s.db.Reader()); err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didChange, acted, "person "+r.ID+": "+said+"; "+h.says(answer)))
	if err != nil {
		return err
	}
	return s.update(ctx, n, r, p, func(tx *sql.Tx) error {
		if err := kept(tx); err != nil { // again: both of the last two may be asked about at once
			return err
		}
		return s.settleHolding(tx, by, h, answer)
	})
}

// keepsOffice refuses a change by which nobody would be administrator, or privacy officer, any more.
func (s *Store) keepsOffice(ctx context.Context, q queryer, r *row, old, p profile) error {
	lost := func(role string) bool { return slices.Contains(old.Roles, role) && !slices.Contains(p.Roles, role) }
	if lost(Administrator) {
		if err := s.keepAdministrator(ctx, q, r); err != nil {
			return err
		}
	}
	if !lost(Privacy) || !r.Active {
		return nil
	}
	others, err := s.all(ctx, q, Active)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(others, func(o *row) bool { return o.number != r.number && slices.Contains(o.Roles, Privacy) }) {
		return nil
	}
	return outcome.New(outcome.Conflict, "this is the last privacy officer: make another one first").Because("last-officer")
}

// settleHolding stores an answer, unless another one is there.
func (s *Store) settleHolding(tx *sql.Tx, by audit.Agent, h Holding, answer string) error {
	var c holdingColumns
	err := tx.QueryRow(`select `+holdingList+` from identity_holding h where h.id=?`, h.ID).Scan(c.into()...)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (c.answer != "" || s.genuine(s.tags.holding, holdingTable, c.number, c.mac, c.tagged()) != nil) {
		return outcome.New(outcome.Conflict, "this was answered meanwhile: read it again").Because("answered")
	}
	if err != nil {
		return err
	}
	c.answer, c.answeredBy, c.answered = answer, by.Person, micros(s.now())
	return one(tx.Exec(`update identity_holding set answer=?, answered_by=?, answered_at=?, mac=? where id=? and answer=''`,
		c.answer, c.answeredBy, c.answered, s.tags.holding.Tag(c.tagged()...), c.id))
}

// Lapsing gives the recertifications whose day has come and that have open holdings, and claims them for a minute: what is left open after that
// is given again. Errors: outcome.NoStore.
func (s *Store) Lapsing(ctx context.Context) (out []Recertification, err error) {
	now := s.now()
	// A claim that lies further ahead than one can was not made here.
	const free = `(claimed<=? or claimed>?)`
	from, to := micros(now), micros(now.Add(claim))
	found, err := s.recertifications(ctx, `where r.due_at<=? and `+free+` and exists(select 1 from identity_holding h where h.recertification=r.id and h.answer='') order by r.due_at`, from, from, to)
	if err != nil {
		return nil, err
	}
	mine := errors.New("another process has it")
	for _, x := range found {
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			return oneOr(mine)(tx.Exec(`update identity_recertification set claimed=? where id=? and `+free, to, x.ID, from, to))
		})
		if errors.Is(err, mine) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, x)
	}
	return out, nil
}

func unreadableHoldings(err error) error {
	if err == nil {
		return nil
	}
	return outcome.Wrap("identity: recertification", outcome.NoStore, "what is asked about people cannot be read", err)
}

// recertificationColumns is a recertification as it lies in its row.
type recertificationColumns struct {
	number                 int64
	id, startedBy, owners  string
	started, due, holdings int64
	mac                    []byte
}

const recertificationList = `r.number, r.id, r.started_by, r.owners, r.started_at, r.due_at, r.holdings, r.mac`

func (c *recertificationColumns) into() []any {
	return []any{&c.number, &c.id, &c.startedBy, &c.owners, &c.started, &c.due, &c.holdings, &c.mac}
}

func (c *recertificationColumns) tagged() []any {
	return []any{c.id, c.startedBy, c.owners, c.started, c.due, c.holdings}
}

func (c *recertificationColumns) recertification() Recertification {
	return Recertification{ID: c.id, StartedBy: c.startedBy, Owners: strings.Fields(c.owners), Started: timeOf(c.started), Due: timeOf(c.due), Asks: int(c.holdings)}
}

// holdingColumns is a holding as it lies in its row.
type holdingColumns struct {
	number              int64
	id, recertification string
	person              int64
	reviewer, answer    string
	answeredBy          string
	answered            int64
	sealed, mac         []byte
}

const holdingList = `h.number, h.id, h.recertification, h.person, h.reviewer, h.answer, h.answered_by, h.answered_at, h.sealed, h.mac`

func (c *holdingColumns) into() []any {
	return []any{&c.number, &c.id, &c.recertification, &c.person, &c.reviewer, &c.answer, &c.answeredBy, &c.answered, &c.sealed, &c.mac}
}

func (c *holdingColumns) tagged() []any {
	return []any{c.id, c.recertification, c.person, c.reviewer, c.answer, c.answeredBy, c.answered, c.sealed}
}
