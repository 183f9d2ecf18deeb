package identity

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Session is one sign-in, acting in one capacity. It is a snapshot and never changes; the next [Store.Authenticate] gives a newer.
type Session struct {
	ID         string // public: what lists and audit entries call it; the token is not here
	Person     Person
	Capacity   string // staff or patient
	Device     string // at which it was opened, or, after [Session.At], from which is asked
	Address    string // of the network, as Device; not stored
	Browser    string // at which it was opened, in words: "Firefox on Windows"; empty: not known
	Trust      string // of the device: managed, registered, unknown
	Registered string // id of the registered device that proved itself; empty: none did
	Zone       string
	AAL        int
	Created    time.Time
	Seen       time.Time // last deliberate act, up to a minute old
	Ends       time.Time // hard
	Idle       time.Duration
	Writing    time.Duration // as Idle, while something is being written
	Shared     bool          // people take turns at this workstation
	Locked     bool          // only in lists: Authenticate gives no locked session
	Told       bool          // there are notices that the person has not seen
	Actor      *Session      // who really asks, where somebody acts as Person; nil: Person does
	Acting     Acting        // by which; zero: Person does
	Degraded   bool          // its entry was not in the log yet when it was opened: the log has no store

	auth   [3]time.Time // by level; [0] unused
	proven time.Time    // when the device last proved itself
	hash   tokenHash
	person int64
}

// AuthTime is when the person last proved himself at an assurance level: 1, any one factor (an unlock, too); 2, password and code, or
// a code or a passkey in a step-up. Policies ask for its age. Zero: never.
func (s *Session) AuthTime(level int) time.Time {
	if level < 1 || level > 2 {
		return time.Time{}
	}
	return s.auth[level]
}

// ACR names an assurance level as tokens and their requests do. Source: NIST SP 800-63B; the names are those of
// https://developers.login.gov/oidc/authorization/.
func ACR(aal int) string {
	return "http://idmanagement.gov/ns/assurance/aal/" + strconv.Itoa(min(max(aal, 1), 2))
}

// Roles are those of the person that count in the session's capacity.
func (s *Session) Roles() []string { return s.Person.RolesIn(s.Capacity) }

// Agent is the session as an audit entry names it.
func (s *Session) Agent() audit.Agent {
	if s.Actor != nil {
		a := s.Actor.Agent()
		a.As, a.AsName = s.Person.ID, s.Person.Name
		return a
	}
	a := agentOf(s.Person, s.Capacity, Arrival{Device: s.Device, Zone: s.Zone})
	a.Address, a.Session, a.AAL = s.Address, s.ID, s.AAL
	return a
}

// At is the session as a request of it comes in: entries name the device and the network that this request came from, which after a theft
// are not those of the sign-in, and policy asks where she is now. How long the screen stays open idle, and how far the device is trusted,
// the sign-in and the proofs of the device established.
func (s *Session) At(from Arrival) *Session {
	at := *s
	at.Device, at.Address, at.Zone = from.Device, addressOf(from), cmp.Or(from.Zone, s.Zone)
	if s.Actor != nil {
		at.Actor = s.Actor.At(from)
	}
	return &at
}

// String is the public id.
func (s *Session) String() string { return "Session/" + s.ID }

// LogValue is the public id, for slog.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// What Authenticate refuses with; both are outcome.Login.
var (
	ErrSignedOut error = outcome.New(outcome.Login, "please sign in").Because("session.none")
	ErrLocked    error = outcome.New(outcome.Login, "this session is locked: unlock it with your password or a code").Because("session.locked")
)

const selectSession = `select ` + sessionList + `, s.page, exists(select 1 from identity_notice i where i.person=p.number and i.seen_at=0), ` + postureList + `, ` + personList + `, ` + hasFactor + `
	from identity_session s join identity_person p on p.number=s.person left join identity_device_posture u on u.device=s.registered`

// stored is a session row with its person.
type stored struct {
	session *Session
	who     *row
	number  int64
	locked  bool
	dead    bool // ended, of another epoch, or in a capacity that the person no longer has
	page    []byte
}

func (s *Store) scanSession(from scanner) (*stored, error) {
	var st stored
	var c sessionColumns
	var told bool
	var said reported
	who, err := s.scanPerson(reordered{from, append(append(c.into(), &st.page, &told), said.into()...)})
	if err != nil {
		return nil, err
	}
	if err := s.genuine(s.tags.session, sessionTable, c.number, c.mac, c.tagged()); err != nil {
		return nil, err
	}
	ses := Session{ID: c.id, Person: who.Person, Capacity: c.capacity, Device: c.device, Browser: c.browser, Trust: c.trust, Zone: c.zone, AAL: int(c.aal), Created: timeOf(c.created),
		Seen: timeOf(c.idle), Ends: timeOf(c.ends), Idle: s.idle(c.zone), Writing: s.writing(c.zone), Shared: s.o.Zones[c.zone].Shared, Locked: c.locked != 0, Degraded: c.degraded, Told: told,
		auth: [3]time.Time{1: timeOf(c.auth1), 2: timeOf(c.auth2)}, person: who.number}
	if ses.Registered, ses.proven = c.registered, timeOf(c.proven); c.registered != "" && s.now().Sub(ses.proven) > proofLasts {
		ses.Trust = "unknown"
	}
	if ses.Registered != "" && ses.Trust == DeviceRegistered && s.meets(&said) {
		ses.Trust = DeviceManaged
	}
	copy(ses.hash[:], c.token)
	st.number, st.session, st.who, st.locked = c.number, &ses, who, c.locked != 0
	st.dead = c.ended != 0 || !who.Active || c.epoch != who.Epoch || !s.now().Before(ses.Ends) || !slices.Contains(who.Capacities(), ses.Capacity)
	return &st, nil
}

// reordered scans the columns of a session before those of its person.
type reordered struct {
	from  scanner
	first []any
}

func (r reordered) Scan(dest ...any) error { return r.from.Scan(append(r.first, dest...)...) }

func (s *Store) idle(zone string) time.Duration {
	if d := s.o.Zones[zone].Idle; d > 0 {
		return d
	}
	return idleDefault
}

func (s *Store) writing(zone string) time.Duration { return max(s.o.Zones[zone].Writing, s.idle(zone)) }

// Authenticate finds the session of a token, at the cost of a map look-up; once a second per session the database is asked, so a
// kill by any process counts within that second. It does not renew the idle clock: that is [Store.Touch].
//
// Errors: [ErrSignedOut]: no such session, or it ended; [ErrLocked]: show the lock page (see [Store.Locked]) and no data;
// outcome.NoStore: the sessions cannot be read.
func (s *Store) Authenticate(ctx context.Context, token string) (*Session, error) {
	hash, ok := parseToken(token)
	if !ok {
		return nil, ErrSignedOut
	}
	now := s.now()
	e, fresh := s.recall(hash, now)
	if !fresh {
		var err error
		if e, err = s.reload(ctx, hash); err != nil {
			return nil, err
		}
	}
	switch {
	case !now.Before(e.session.Ends):
		return nil, ErrSignedOut
	case e.locked:
		return nil, ErrLocked
	case now.Sub(e.active) >= e.limit():
		s.lockIdle(ctx, e.session)
		return nil, ErrLocked
	}
	return e.session, nil
}

// opening is a session about to be.
type opening struct {
	capacity string
	from     Arrival
	proof    proof
	also     func(*sql.Tx) error
	text     string
	unproven bool // of both factors: the session's AuthTime(2) is zero
}

// open notes a sign-in and stores its session. The person's state and epoch are checked again inside the transaction.
func (s *Store) open(ctx context.Context, r *row, o opening) (Opened, error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	if o.from.Trust == "" {
		o.from.Trust = "unknown"
	}
	if o.from.Zone == "" {
		o.from.Zone = "internet"
	}
	key, err := s.shows(s.db.Reader(), o.from, AtBrowser(o.from.Device))
	if err != nil {
		s.turnedAway(ctx, r, o.from, err)
		return Opened{}, err
	}
	token, hash := newToken()
	ses := &Session{ID: newID(), Person: r.Person, Capacity: o.capacity, Device: o.from.Device, Browser: o.from.Browser, Trust: o.from.Trust, Zone: o.from.Zone, AAL: 2,
		Created: now, Seen: now, Ends: now.Add(hardEnd), Idle: s.idle(o.from.Zone), Writing: s.writing(o.from.Zone), Shared: s.o.Zones[o.from.Zone].Shared, auth: [3]time.Time{1: now, 2: now}, hash: hash, person: r.number}
	if o.proof.vouched != nil {
		at := o.proof.at(now).UTC().Truncate(time.Microsecond)
		ses.auth = [3]time.Time{1: at, 2: at}
	}
	if key != nil {
		ses.Trust, ses.Registered, ses.proven = DeviceRegistered, key.device, now
	}
	if o.unproven {
		ses.auth[2] = time.Time{}
	}
	ses.Address = addressOf(o.from)
	n, err := s.noteOrOwe(ctx, s.event(ses.Agent(), didLogin, acted, o.text))
	if err != nil {
		return Opened{}, err
	}
	if n.cause != nil && !outcome.Is(n.cause, outcome.NoStore) {
		return Opened{}, n.cause
	}
	ses.Degraded = n.late
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		if err := s.spend(tx, r.number, o.proof); err != nil {
			return err
		}
		if err := s.keepVouched(tx, ses.ID, r.number, o.proof.vouched); err != nil {
			return err
		}
		if o.also != nil {
			if err := o.also(tx); err != nil {
				return err
			}
		}
		if _, err := s.shows(tx, Arrival{Device: o.from.Device}, ""); err != nil { // lost meanwhile
			return err
		}
		if err := s.seen(tx, key, o.from, micros(now)); err != nil {
			return err
		}
		for _, place := range s.places(o.from) {
			if _, err := tx.Exec(`insert into identity_place(person, place, seen_at, mac) values(?,?,?,?) on conflict (person, place) do update set seen_at=excluded.seen_at, mac=excluded.mac`,
				r.number, place, micros(now), s.tags.place.Tag(r.number, place)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`delete from identity_schedule where person=? and kind=?`, r.number, SuspendAt); err != nil { // it is used again
			return err
		}
		return s.insertSession(tx, ses)
	})
	if err != nil {
		return Opened{}, err
	}
	_, err = s.reload(ctx, hash)
	return Opened{Token: token, Session: ses}, err
}

// turnedAway notes that somebody with the right factors came at a lost device.
func (s *Store) turnedAway(ctx context.Context, r *row, from Arrival, err error) {
	if errors.Is(err, errLostDevice) {
		_, _ = s.note(ctx, s.event(agentOf(r.Person, "", from), didLogin, failed, "at a lost device"))
	}
}

// insertSession stores ses if its person is still active in that epoch.
func (s *Store) insertSession(tx *sql.Tx, ses *Session) error {
	c := sessionColumns{token: ses.hash[:], id: ses.ID, person: ses.person, epoch: ses.Person.Epoch, capacity: ses.Capacity, device: ses.Device, trust: ses.Trust,
		zone: ses.Zone, aal: int64(ses.AAL), auth1: micros(ses.auth[1]), auth2: micros(ses.auth[2]), created: micros(ses.Created), idle: micros(ses.Seen),
		ends: micros(ses.Ends), degraded: ses.Degraded, browser: ses.Browser, registered: ses.Registered, proven: micros(ses.proven)}
	args := append(c.before(), c.browser, c.registered, c.proven, s.tags.session.Tag(c.tagged()...), c.person, c.epoch)
	return oneOr(ErrSignedOut)(tx.Exec(`insert into identity_session(token, id, person, epoch, capacity, device, trust, zone, aal, auth1_at, auth2_at, created_at, idle_at,
		ends_at, locked_at, ended_at, ended_why, degraded, browser, registered, proven_at, mac)
		select ?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,? from identity_person where number=? and epoch=? and state='active'`, args...))
}

// Sessions lists the live sessions of a person, newest first.
func (s *Store) Sessions(ctx context.Context, person string) ([]*Session, error) {
	list, err := s.sessionsOf(ctx, s.db.Reader(), person)
	if err != nil {
		return nil, err
	}
	out := make([]*Session, len(list))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, st := range list {
		out[i] = st.session
		if e := s.cache[st.session.hash]; e != nil {
			out[i].Locked = out[i].Locked || e.locked
			if e.active.After(out[i].Seen) {
				out[i].Seen = e.active
			}
		}
	}
	return out, nil
}

func (s *Store) sessionsOf(ctx context.Context, q queryer, person string) ([]*stored, error) {
	rows, err := q.QueryContext(ctx, selectSession+` where p.id=? and s.ended_at=0 order by s.created_at desc, s.number`, person)
	if err != nil {
		return nil, outcome.Wrap("identity: sessions", outcome.NoStore, "the sessions cannot be read", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*stored
	for rows.Next() {
		st, err := s.scanSession(rows)
		if errors.Is(err, errAltered) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !st.dead {
			out = append(out, st)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, outcome.Wrap("identity: sessions", outcome.NoStore, "the sessions cannot be read", err)
	}
	return out, nil
}

// TakeTurns reports whether people take turns at the workstations of a zone or place.
func (s *Store) TakeTurns(zone string) bool { return s.o.Zones[zone].Shared }
