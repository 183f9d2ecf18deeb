package identity

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Certificate says what a termination cut, for the file of whoever asks. Counts that this package does not know are the caller's to
// fill in before [Store.Attest] signs it.
type Certificate struct {
	Person             string       `json:"person"`
	Name               string       `json:"name"`
	Reason             string       `json:"reason"`
	By                 string       `json:"by"` // id of a person; empty: the command line
	Terminated         time.Time    `json:"terminated"`
	Entry              string       `json:"entry,omitempty"` // audit entry; missing while Owed
	Owed               bool         `json:"entry_owed,omitempty"`
	Epoch              int64        `json:"epoch"`
	Roles              []string     `json:"roles"`
	Sessions           []CutSession `json:"sessions"`
	CredentialsRemoved int          `json:"credentials_removed"`
	LinksRevoked       int          `json:"links_revoked"`
	DraftsDropped      int          `json:"drafts_dropped"`
	ItemsWithdrawn     int          `json:"items_withdrawn"`
	AuthorizationsCut  int          `json:"authorizations_cut"` // what apps could do for the person
	ClientsEnding      int          `json:"clients_ending"`     // programs that stop in 7 days, for nobody answers for them
	CutBy              time.Time    `json:"cut_by"`             // an hour: access must be gone everywhere
	NotifyBy           time.Time    `json:"notify_by"`          // a day: partners must know
	Accesses30d        *int         `json:"accesses_30d,omitempty"`
	Exports30d         *int         `json:"exports_30d,omitempty"`
	OpenCases          *int         `json:"open_cases,omitempty"`
}

// CutSession is a session that a termination ended.
type CutSession struct {
	ID       string    `json:"id"`
	Capacity string    `json:"capacity"`
	Device   string    `json:"device,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Since    time.Time `json:"since"`
	Seen     time.Time `json:"seen"`
}

// Terminate ends a person for good: sessions of every process on these files within a second, credentials, links, drafts, items
// asked for. The row stays, for entries name it; a rehire is a new person. A log without store does not stop it: the entry is owed.
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
	n, err := s.noteOrOwe(ctx, s.event(by, didTerminate, acted, "person "+r.ID+": "+reason))
	if err != nil {
		return Certificate{}, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	c := Certificate{Person: r.ID, Name: r.Name, Reason: reason, By: by.Person, Terminated: now, Entry: n.entry, Owed: n.owed != nil, Epoch: r.Epoch + 1,
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
		if c.ItemsWithdrawn, err = s.alterPending(tx, `q.state='open' and (q.person=? or q.asked_by=?)`, []any{r.number, r.ID}, func(c *pendingColumns) {
			c.state, c.decided = "withdrawn", micros(now)
		}); err != nil {
			return err
		}
		for _, d := range []struct {
			count     *int
			statement string
			args      []any
		}{
			{&c.CredentialsRemoved, `delete from identity_credential where person=?`, []any{r.number}},
			{&c.LinksRevoked, `delete from identity_enrolment where person=? and used_at=0`, []any{r.number}},
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
		c.ClientsEnding, err = s.orphan(tx, r.ID)
		return err
	})
	s.refresh(r.number)
	if err != nil {
		return Certificate{}, err
	}
	return c, nil
}

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

// Kill ends all sessions of a person, who may sign in again. It gives their number.
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
		cut, err = s.cut(tx, r, "killed")
		return err
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

// Attest gives the certificate as one JSON object, signed by the installation: signature is Ed25519 over the object without the members
// key and signature, as written here.
func (s *Store) Attest(c Certificate) ([]byte, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, outcome.Wrap("identity: certificate", outcome.Exception, "the certificate could not be written", err)
	}
	key := s.box.SigningKey("termination")
	b := base64.StdEncoding
	return fmt.Appendf(nil, `%s,"key":%q,"signature":%q}`, body[:len(body)-1], b.EncodeToString(key.Public().(ed25519.PublicKey)), b.EncodeToString(ed25519.Sign(key, body))), nil
}
