package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Support sees what a colleague sees by acting as her: with her consent or an approver's, for an hour at most, and never with a right that
// only one of the two has. What lets her is the item that was agreed to, sealed and tagged like every other; there is no second
// row that somebody could make. Its holder's own session names it with each request, so that nobody holds a session of somebody else.

// ActingAct is the kind of an [Act] by which one person acts as another.
const ActingAct = "acting"

// ActingLasts is how long one may act as another at most.
const ActingLasts = time.Hour

// Acting is one person acting as another, or asking to.
type Acting struct {
	ID     string
	By     string // id of who acts
	As     string // id of as whom
	Agreed string // id of who agreed; empty: nobody yet
	Reason string
	Lasts  time.Duration
	Asked  time.Time
	Since  time.Time // when it was agreed to; zero: not yet
	Lapses time.Time // when nobody can agree any more
}

// Until is when it ends by the clock.
func (a Acting) Until() time.Time { return a.Since.Add(min(a.Lasts, ActingLasts)) }

func actingOf(p *Pending) Acting {
	var b struct{ Lasts time.Duration }
	_ = json.Unmarshal(p.Act.Body, &b) // sealed: it is what was written
	return Acting{ID: p.ID, By: p.AskedBy, As: p.Act.About, Agreed: p.By, Reason: p.Reason, Lasts: b.Lasts, Asked: p.Asked, Since: p.Decided, Lapses: p.Expires}
}

// stands reports whether it lets its holder act at a time: agreed to by somebody else than who asked, and not over.
func (a Acting) stands(at time.Time) bool {
	return a.By != "" && a.Agreed != "" && a.By != a.Agreed && a.By != a.As && !at.Before(a.Since) && at.Before(a.Until())
}

// Actings lists those that concern a person, as who acts or as whom: those that run, and those that wait for a word. Errors: outcome.NoStore.
func (s *Store) Actings(ctx context.Context, person string) (running, waiting []Acting, err error) {
	for _, state := range []string{"approved", "open"} {
		acts, err := s.Acts(ctx, state)
		if err != nil {
			return nil, nil, err
		}
		for i := range acts {
			a := actingOf(&acts[i])
			switch {
			case acts[i].Kind != ActingAct || a.By != person && a.As != person:
			case state == "open":
				waiting = append(waiting, a)
			case a.stands(s.now()):
				running = append(running, a)
			}
		}
	}
	return running, waiting, nil
}

var errNoDraft = outcome.New(outcome.Forbidden, "who acts as somebody else writes nothing").Because("acting.reads")

var errNoActing = outcome.New(outcome.Forbidden, "you do not act as anybody: it ended, or nobody agreed to it").Because("acting.over")

// As is the session of a request by which its person acts as another, as the item says: the other's place and pages, with the own session's
// strength, device and end, and with the own person beside her in every entry. Asked with each request, so an end counts at once.
// Errors: outcome.Forbidden where the item does not let this person act, now; outcome.NoStore.
func (s *Store) As(ctx context.Context, ses *Session, item string) (*Session, error) {
	if ses.Actor != nil || ses.Capacity != StaffCapacity {
		return nil, errNoActing
	}
	a, r, err := s.acting(ctx, s.db.Reader(), ses.Person.ID, item)
	if err != nil {
		return nil, err
	}
	as := *ses
	as.Person, as.person, as.Actor, as.Acting, as.Told = r.Person, r.number, ses, a, false
	if until := a.Until(); until.Before(as.Ends) {
		as.Ends = until
	}
	return &as, nil
}

// acting finds what lets a person act as another now, and the other.
func (s *Store) acting(ctx context.Context, q queryer, person, item string) (Acting, *row, error) {
	p, err := s.scanPending(q.QueryRowContext(ctx, selectItem+`q.person is null and q.state='approved' and q.id=?`, item))
	if outcome.Is(err, outcome.NotFound) || err == nil && (p.Act == nil || p.Kind != ActingAct || p.AskedBy != person) {
		return Acting{}, nil, errNoActing
	}
	if err != nil {
		return Acting{}, nil, err
	}
	a := actingOf(p)
	if !a.stands(s.now()) {
		return a, nil, errNoActing
	}
	for _, id := range []string{a.By, a.Agreed} {
		if r, err := s.find(ctx, q, id); err != nil || !r.Active {
			return a, nil, errNoActing
		}
	}
	r, err := s.find(ctx, q, a.As)
	if err != nil || !r.Active || !slices.Contains(r.Capacities(), StaffCapacity) {
		return a, nil, errNoActing
	}
	return a, r, nil
}

// holdActor finds who acts by a token, as long as she may.
func (s *Store) holdActor(ctx context.Context, q queryer, h *held) error {
	a, _, err := s.acting(ctx, q, h.Actor, h.terms.Acting)
	if outcome.Is(err, outcome.Forbidden) || err == nil && a.As != h.Person {
		return nil
	}
	if err == nil {
		h.acting = a
		h.actor, err = s.find(ctx, q, h.Actor)
	}
	return err
}

// Consent lets somebody act as who consents. Errors: outcome.NotFound for an item that is not about her, was decided, or lapsed.
func (s *Store) Consent(ctx context.Context, by audit.Agent, id string, yes bool) error {
	p, err := s.openAct(ctx, id)
	if err == nil && (p.Kind != ActingAct || p.Act.About != by.Person || by.Person == "" || by.Capacity != StaffCapacity || by.As != "") {
		err = outcome.New(outcome.NotFound, "there is no such open item: it was decided, or it lapsed")
	}
	if err != nil {
		return err
	}
	if yes {
		return s.settleAct(ctx, by, p, didApprove, "approved", p.Act.Says+", with her own consent", nil)
	}
	return s.settleAct(ctx, by, p, didRefuse, "refused", "no", nil)
}

// BeginActing writes that a session begins to act as another, and tells her. Errors: as [Store.As].
func (s *Store) BeginActing(ctx context.Context, ses *Session, item string) (*Session, error) {
	as, err := s.As(ctx, ses, item)
	if err != nil {
		return nil, err
	}
	n, err := s.note(ctx, s.event(as.Agent(), didActAs, acted, "item "+item+": "+as.Acting.Reason))
	if err != nil {
		return nil, err
	}
	err = s.act(ctx, n, func(tx *sql.Tx) error { return s.tell(tx, as.person, didActAs) })
	s.refresh(as.person)
	return as, err
}

// EndActing ends it at once, by either of the two or by who agreed. Errors: outcome.NotFound when it is not theirs, or over.
func (s *Store) EndActing(ctx context.Context, by audit.Agent, id string) error {
	p, err := s.Act(ctx, id)
	if err == nil && (p.Kind != ActingAct || p.State != "approved" || by.Person == "" || !slices.Contains([]string{p.AskedBy, p.By, p.Act.About}, by.Person)) {
		err = outcome.New(outcome.NotFound, "this is over already, or not yours to end")
	}
	if err != nil {
		return err
	}
	n, err := s.noteOrOwe(ctx, s.event(by, didEndActing, acted, "item "+id))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		_, err := s.alterPending(tx, `q.state='approved' and q.id=?`, []any{id}, func(c *pendingColumns) { c.state = "done" })
		return err
	})
}
