package identity

import (
	"context"
	"database/sql"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// TakeOver gives a program another owner, who answers for it from then on and for a year: as a rule because the one before left. Outside
// a sandbox it waits for a second person, who is not the new owner, and the item is returned.
//
// Errors: outcome.NotFound (no such client, or owner), outcome.Conflict (it is hers already, it was revoked, or was never active),
// outcome.Duplicate (an item about it waits).
func (s *Store) TakeOver(ctx context.Context, by audit.Agent, client, owner string) (*Pending, error) {
	c, err := s.Client(ctx, client)
	if err != nil {
		return nil, err
	}
	next, err := s.owner(ctx, owner)
	if err != nil {
		return nil, err
	}
	switch open, err := s.waits(ctx, c.ID); {
	case err != nil:
		return nil, err
	case open:
		return nil, outcome.New(outcome.Duplicate, "this client waits for a second person already").At("id")
	case c.State != Active:
		return nil, outcome.New(outcome.Conflict, "this client was revoked, or never activated: register another")
	case c.Owner == next.ID:
		return nil, outcome.New(outcome.Conflict, "this person answers for the client already").At("owner")
	}
	p := s.newPending(pendingOwner, next, by, "client "+c.ID+" of person "+c.Owner, nil)
	p.Client = c.ID
	if s.o.Sandbox {
		return nil, s.ownClient(ctx, by, p, "", func(*sql.Tx) error { return nil })
	}
	n, err := s.note(ctx, s.event(by, didAsk, acted, "item "+p.ID+": client "+c.ID+" to be of person "+next.ID))
	if err != nil {
		return nil, err
	}
	return p, s.storePending(ctx, n, p, next)
}

// ownClient gives the client of an item to the person of the item.
func (s *Store) ownClient(ctx context.Context, by audit.Agent, p *Pending, how string, also func(*sql.Tx) error) error {
	c, err := s.Client(ctx, p.Client)
	if err != nil {
		return err
	}
	next, err := s.owner(ctx, p.Person)
	if err != nil {
		return err
	}
	if c.State != Active {
		return ErrChanged
	}
	c.Owner, c.Ends = next.ID, s.now().UTC().Add(clientLasts)
	n, err := s.note(ctx, s.event(by, didApprove, acted, how+"take over "+c.said()))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.putClient(tx, c); err != nil {
			return err
		}
		return also(tx)
	})
}
