package identity

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Terminate ends a person for good: sessions of every process on these files within a second, credentials, links, drafts, items
// asked for and acts agreed to that were not carried out yet. The row stays, for entries name it; a rehire is a new person. A log without
// store does not stop it: the entry is owed. The certificate lacks what only others can count: see [Store.Certify].
//
// Errors: outcome.NotFound; outcome.Conflict (has left already, or is the last administrator); outcome.Required (no reason);
// outcome.Forbidden (oneself).
func (s *Store) Terminate(ctx context.Context, by audit.Agent, id, reason string) (Certificate, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return Certificate{}, err
	}
	switch {
	case reason == "":
		return Certificate{}, outcome.New(outcome.Required, "a termination needs a reason")
	case by.Person == r.ID:
		return Certificate{}, outcome.New(outcome.Forbidden, "nobody terminates himself: ask somebody else to")
	case r.State == Ended:
		return Certificate{}, outcome.New(outcome.Conflict, "this person has left already")
	}
	if r.Active && slices.Contains(r.Roles, Administrator) {
		if err := s.keepAdministrator(ctx, s.db.Reader(), r); err != nil {
			return Certificate{}, err
		}
	}
	k, err := s.personKey(ctx, r.number)
	if err != nil {
		return Certificate{}, err
	}
	n, err := s.noteOrOwe(ctx, s.event(by, didTerminate, acted, "person "+r.ID+": "+reason))
	if err != nil {
		return Certificate{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	c := Certificate{Person: r.ID, Name: r.certified(), Practitioner: r.Practitioner, Department: r.Department, Reason: reason, By: by.Person, Terminated: now, Entry: n.entry, Owed: n.owed != nil, Epoch: r.Epoch + 1,
		Roles: append([]string{}, r.Roles...), Sessions: []CutSession{}, CutBy: now.Add(time.Hour), NotifyBy: now.Add(24 * time.Hour)}
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if r.Active && slices.Contains(r.Roles, Administrator) {
			if err := s.keepAdministrator(context.Background(), tx, r); err != nil { // again: two may leave at once
				return err
			}
		}
		cut, err := s.cut(tx, r, "terminated")
		if err != nil {
			return err
		}
		for _, st := range cut {
			c.Sessions = append(c.Sessions, CutSession{st.session.ID, st.session.Capacity, st.session.Device, st.session.Zone, st.session.Created, st.session.Seen})
		}
		if err := s.alterPerson(tx, r.number, func(c *personColumns) bool { return c.state != string(Ended) }, func(c *personColumns) {
			c.state, c.revision = string(Ended), c.revision+1
		}); err != nil {
			return err
		}
		if err := s.withdraw(tx, r, &c); err != nil {
			return err
		}
		for _, d := range []struct {
			count     *int
			statement string
			args      []any
		}{
			{&c.LinksRevoked, `delete from identity_enrolment where person=? and used_at=0`, []any{r.number}},
			{new(int), `delete from identity_schedule where person=?`, []any{r.number}},
			{&c.DraftsDropped, `delete from identity_draft where person=?`, []any{r.number}},
			{&c.AuthorizationsCut, `update identity_authorization set ended_at=?1, ended_why='person-terminate' where person=?2 and ended_at=0 and ends_at>?1`, []any{micros(now), r.number}},
		} {
			res, err := tx.Exec(d.statement, d.args...)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			*d.count = int(n)
		}
		if c.CredentialsRemoved, err = s.dropFactors(tx, r.number); err != nil {
			return err
		}
		if c.ClientsEnding, err = s.orphan(tx, r.ID); err != nil {
			return err
		}
		return s.keepCertificate(tx, k, r, certified{Certificate: c})
	})
	s.refresh(r.number)
	if err != nil {
		return Certificate{}, err
	}
	return c, nil
}

// withdraw ends what waits because of a leaver: items about her, items that she asked for, and acts of other packages that she asked for or
// agreed to and nobody carried out yet.
func (s *Store) withdraw(tx *sql.Tx, r *row, c *Certificate) (err error) {
	c.ItemsWithdrawn, err = s.alterPending(tx, `q.state='open' and (q.person=? or q.asked_by=?) or q.state='approved' and q.person is null and (q.asked_by=? or q.decided_by=?)`,
		[]any{r.number, r.ID, r.ID, r.ID}, func(q *pendingColumns) {
			if q.kind == exportAct {
				c.ExportsStopped++
			}
			q.state, q.decided = "withdrawn", micros(s.now())
		})
	return err
}

// exportAct is how access calls the act of an export that two people want.
const exportAct = "export"

// cut ends a person's sessions and raises the epoch, so that even one that is being opened dies.
func (s *Store) cut(tx *sql.Tx, r *row, why string) ([]*stored, error) {
	list, err := s.sessionsOf(context.Background(), tx, r.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.alterSessions(tx, `s.person=? and s.ended_at=0`, []any{r.number}, func(c *sessionColumns) { c.ended, c.endedWhy = micros(s.now()), why }); err != nil {
		return nil, err
	}
	return list, s.alterPerson(tx, r.number, nil, func(c *personColumns) { c.epoch++ })
}

// Kill ends all sessions of a person, and links that a recovery code gave; she may sign in again. It gives the number of sessions.
func (s *Store) Kill(ctx context.Context, by audit.Agent, id, reason string) (int, error) {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return 0, err
	}
	n, err := s.noteOrOwe(ctx, s.event(by, didKill, acted, "all sessions of person "+r.ID+": "+reason))
	if err != nil {
		return 0, err
	}
	var cut []*stored
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		var err error
		if cut, err = s.cut(tx, r, "killed"); err != nil {
			return err
		}
		return s.closeRecovery(tx, r.number)
	})
	s.refresh(r.number)
	return len(cut), err
}

// LiftThrottle voids a person's failed attempts so far, in every process: `person unlock`. The network's own count stays.
func (s *Store) LiftThrottle(ctx context.Context, by audit.Agent, id string) error {
	r, err := s.find(ctx, s.db.Reader(), id)
	if err != nil {
		return err
	}
	n, err := s.note(ctx, s.event(by, didRelieve, acted, "person "+r.ID))
	if err != nil {
		return err
	}
	return s.act(ctx, n, func(tx *sql.Tx) error {
		return s.alterPerson(tx, r.number, nil, func(c *personColumns) { c.relieved = micros(s.now()) })
	})
}
