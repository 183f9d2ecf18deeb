package identity

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"chartwarden/internal/outcome"
)

// UsedDevice is a device at which a person signed in within the last month.
type UsedDevice struct {
	Device      string // as entries name it; empty: programs and browsers that keep no cookie
	Browser     string // in words, as it was the last time; empty: not known
	Zone        string // of the last sign-in
	First, Last time.Time
	Sessions    int
}

// UsedDevices lists where a person signed in, by device, the last used first. Errors: outcome.NoStore.
func (s *Store) UsedDevices(ctx context.Context, person string) ([]UsedDevice, error) {
	unreadable := func(err error) error {
		return outcome.Wrap("identity: devices", outcome.NoStore, "the sessions cannot be read", err)
	}
	rows, err := s.db.Reader().QueryContext(ctx, selectSession+` where p.id=? order by s.created_at`, person)
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = rows.Close() }()
	var out []UsedDevice
	for rows.Next() {
		st, err := s.scanSession(rows)
		if errors.Is(err, errAltered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		one := st.session
		i := slices.IndexFunc(out, func(d UsedDevice) bool { return d.Device == one.Device })
		if i < 0 {
			out, i = append(out, UsedDevice{Device: one.Device, First: one.Created}), len(out)
		}
		d := &out[i]
		d.Browser, d.Zone, d.Sessions = cmp.Or(one.Browser, d.Browser), one.Zone, d.Sessions+1
		if one.Seen.After(d.Last) {
			d.Last = one.Seen
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadable(err)
	}
	slices.SortStableFunc(out, func(a, b UsedDevice) int { return b.Last.Compare(a.Last) })
	return out, nil
}

// EndOthers ends all sessions of a session's person but that one, each by an entry of its own, and counts them.
// Errors: outcome.NoStore.
func (s *Store) EndOthers(ctx context.Context, ses *Session) (n int, err error) {
	list, err := s.sessionsOf(ctx, s.db.Reader(), ses.Person.ID)
	if err != nil {
		return 0, err
	}
	for _, st := range list {
		if st.session.ID == ses.ID {
			continue
		}
		if err := s.end(ctx, st.session, ses.Agent(), didKill, "session "+st.session.ID+" of person "+ses.Person.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
