package identity

import (
	"context"
	"database/sql"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// The tables whose rows say who may act. A row of them without its tag is as if it were not there, and raises the alarm.
const (
	personTable     = "identity_person"
	credentialTable = "identity_credential"
	enrolmentTable  = "identity_enrolment"
	pendingTable    = "identity_pending"
	sessionTable    = "identity_session"
	placeTable      = "identity_place"
	passkeyTable    = "identity_passkey"
	recoveryTable   = "identity_recovery"
	linkTable       = "identity_link"
	vouchedTable    = "identity_vouched"
	deviceTable     = "identity_device"
	deviceKeyTable  = "identity_device_key"
	deviceCodeTable = "identity_device_code"
	postureTable    = "identity_device_posture"

	deviceMachineTable = "identity_device_machine"

	recertificationTable = "identity_recertification"
	holdingTable         = "identity_holding"
)

// tags are those of the rows of this package, by table.
type tags struct {
	person, credential, enrolment, pending, session, place, passkey, recovery, link, vouched, device, deviceKey, deviceCode, deviceMachine, posture, recertification, holding *seal.Rows
}

func newTags(b *seal.Box) tags {
	return tags{b.Rows(personTable), b.Rows(credentialTable), b.Rows(enrolmentTable), b.Rows(pendingTable), b.Rows(sessionTable), b.Rows(placeTable),
		b.Rows(passkeyTable), b.Rows(recoveryTable), b.Rows(linkTable), b.Rows(vouchedTable),
		b.Rows(deviceTable), b.Rows(deviceKeyTable), b.Rows(deviceCodeTable), b.Rows(deviceMachineTable), b.Rows(postureTable),
		b.Rows(recertificationTable), b.Rows(holdingTable)}
}

// errAltered is the answer for a row that this program did not write: that there is none.
var errAltered = outcome.New(outcome.NotFound, "there is no such row that this server wrote")

// genuine reports errAltered, and raises the alarm, for a row whose tag does not hold. number names the row to people.
func (s *Store) genuine(rows *seal.Rows, table string, number int64, mac []byte, columns []any) error {
	if rows.Holds(mac, columns...) {
		return nil
	}
	s.o.Altered(table, number)
	return errAltered
}

// personColumns is a person as it lies in its row.
type personColumns struct {
	number                             int64
	id                                 string
	nameTag                            []byte
	state                              string
	epoch, revision, relieved, created int64
	createdBy                          string
	sealed, mac                        []byte
}

const personList = `p.number, p.id, p.name_tag, p.state, p.epoch, p.revision, p.relieved_at, p.created_at, p.created_by, p.sealed, p.mac`

func (c *personColumns) into() []any {
	return []any{&c.number, &c.id, &c.nameTag, &c.state, &c.epoch, &c.revision, &c.relieved, &c.created, &c.createdBy, &c.sealed, &c.mac}
}

func (c *personColumns) tagged() []any {
	return []any{c.number, c.id, c.nameTag, c.state, c.epoch, c.revision, c.relieved, c.created, c.createdBy, c.sealed}
}

// alterPerson changes the row of a person. It gives ErrChanged where fits says no, or the row is not one that this program wrote.
func (s *Store) alterPerson(tx *sql.Tx, number int64, fits func(*personColumns) bool, change func(*personColumns)) error {
	var c personColumns
	if err := tx.QueryRow(`select `+personList+` from identity_person p where p.number=?`, number).Scan(c.into()...); err != nil {
		return err
	}
	if s.genuine(s.tags.person, personTable, c.number, c.mac, c.tagged()) != nil || fits != nil && !fits(&c) {
		return ErrChanged
	}
	change(&c)
	return one(tx.Exec(`update identity_person set state=?, epoch=?, revision=?, relieved_at=?, sealed=?, mac=? where number=?`,
		c.state, c.epoch, c.revision, c.relieved, c.sealed, s.tags.person.Tag(c.tagged()...), c.number))
}

// sessionColumns is a session as it lies in its row, without its page, which is sealed for its place by itself.
type sessionColumns struct {
	number                                                int64
	token                                                 []byte
	id                                                    string
	person, epoch                                         int64
	capacity, device, trust, zone                         string
	aal, auth1, auth2, created, idle, ends, locked, ended int64
	endedWhy                                              string
	degraded                                              bool
	browser, registered                                   string
	proven                                                int64
	mac                                                   []byte
}

const sessionList = `s.number, s.token, s.id, s.person, s.epoch, s.capacity, s.device, s.trust, s.zone, s.aal, s.auth1_at, s.auth2_at, s.created_at,
	s.idle_at, s.ends_at, s.locked_at, s.ended_at, s.ended_why, s.degraded, s.browser, s.registered, s.proven_at, s.mac`

func (c *sessionColumns) into() []any {
	return []any{&c.number, &c.token, &c.id, &c.person, &c.epoch, &c.capacity, &c.device, &c.trust, &c.zone, &c.aal, &c.auth1, &c.auth2, &c.created,
		&c.idle, &c.ends, &c.locked, &c.ended, &c.endedWhy, &c.degraded, &c.browser, &c.registered, &c.proven, &c.mac}
}

// tagged leaves the browser and the device out of a row that has neither: such rows of a version before keep their tags.
func (c *sessionColumns) tagged() []any {
	t := c.before()
	if c.browser == "" && c.registered == "" && c.proven == 0 {
		return t
	}
	return append(t, c.browser, c.registered, c.proven)
}

func (c *sessionColumns) before() []any {
	return []any{c.token, c.id, c.person, c.epoch, c.capacity, c.device, c.trust, c.zone, c.aal, c.auth1, c.auth2, c.created, c.idle, c.ends, c.locked,
		c.ended, c.endedWhy, c.degraded}
}

// openSession is the condition for one session that did not end.
const openSession = `s.id=? and s.ended_at=0`

// alterSessions changes the sessions that a condition finds and counts them. What this program did not write stays as it is.
func (s *Store) alterSessions(tx *sql.Tx, where string, args []any, change func(*sessionColumns)) (n int, err error) {
	rows, err := tx.Query(`select `+sessionList+` from identity_session s where `+where, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var found []sessionColumns
	for rows.Next() {
		var c sessionColumns
		if err := rows.Scan(c.into()...); err != nil {
			return 0, err
		}
		if s.genuine(s.tags.session, sessionTable, c.number, c.mac, c.tagged()) == nil {
			found = append(found, c)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for i := range found {
		c := &found[i]
		change(c)
		if _, err := tx.Exec(`update identity_session set token=?, trust=?, zone=?, auth1_at=?, auth2_at=?, idle_at=?, locked_at=?, ended_at=?, ended_why=?, registered=?, proven_at=?, mac=? where number=?`,
			c.token, c.trust, c.zone, c.auth1, c.auth2, c.idle, c.locked, c.ended, c.endedWhy, c.registered, c.proven, s.tags.session.Tag(c.tagged()...), c.number); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// alterSession is alterSessions for exactly one; else [ErrSignedOut].
func (s *Store) alterSession(tx *sql.Tx, where string, args []any, change func(*sessionColumns)) error {
	n, err := s.alterSessions(tx, where, args, change)
	if err == nil && n != 1 {
		err = ErrSignedOut
	}
	return err
}

// credentialColumns is a factor as it lies in its row.
type credentialColumns struct {
	person         int64
	kind           string
	enrolled, last int64
	sealed, mac    []byte
}

const credentialList = `c.person, c.kind, c.enrolled_at, c.last_step, c.sealed, c.mac`

func (c *credentialColumns) into() []any {
	return []any{&c.person, &c.kind, &c.enrolled, &c.last, &c.sealed, &c.mac}
}

func (c *credentialColumns) tagged() []any {
	return []any{c.person, c.kind, c.enrolled, c.last, c.sealed}
}

// factors gives the credentials that a condition finds, by kind and person, those only that this program wrote.
func (s *Store) factors(ctx context.Context, q queryer, where string, args ...any) (out []credentialColumns, err error) {
	rows, err := q.QueryContext(ctx, `select `+credentialList+` from identity_credential c where `+where, args...)
	if err != nil {
		return nil, unreadableCredentials(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c credentialColumns
		if err := rows.Scan(c.into()...); err != nil {
			return nil, unreadableCredentials(err)
		}
		if s.genuine(s.tags.credential, credentialTable, c.person, c.mac, c.tagged()) == nil {
			out = append(out, c)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableCredentials(err)
	}
	return out, nil
}

func unreadableCredentials(err error) error {
	return outcome.Wrap("identity: credentials", outcome.NoStore, "the credentials cannot be read", err)
}

// enrolmentColumns is an enrolment link as it lies in its row.
type enrolmentColumns struct {
	token                  []byte
	person                 int64
	kind                   string
	created, expires, used int64
	sealed, mac            []byte
}

const enrolmentList = `e.token, e.person, e.kind, e.created_at, e.expires_at, e.used_at, e.sealed, e.mac`

func (c *enrolmentColumns) into() []any {
	return []any{&c.token, &c.person, &c.kind, &c.created, &c.expires, &c.used, &c.sealed, &c.mac}
}

func (c *enrolmentColumns) tagged() []any {
	return []any{c.token, c.person, c.kind, c.created, c.expires, c.used, c.sealed}
}

// pendingColumns is an item for a second person as it lies in its row.
type pendingColumns struct {
	id, kind         string
	person, revision int64
	askedBy          string
	asked, expires   int64
	state, decidedBy string
	decided          int64
	sealed, mac      []byte
}

const pendingList = `q.id, q.kind, coalesce(q.person, 0), q.revision, q.asked_by, q.asked_at, q.expires_at, q.state, q.decided_by, q.decided_at, q.sealed, q.mac`

func (c *pendingColumns) into() []any {
	return []any{&c.id, &c.kind, &c.person, &c.revision, &c.askedBy, &c.asked, &c.expires, &c.state, &c.decidedBy, &c.decided, &c.sealed, &c.mac}
}

func (c *pendingColumns) tagged() []any {
	return []any{c.id, c.kind, c.person, c.revision, c.askedBy, c.asked, c.expires, c.state, c.decidedBy, c.decided, c.sealed}
}

// alterPending changes the items that a condition finds and counts them. What this program did not write stays as it is.
func (s *Store) alterPending(tx *sql.Tx, where string, args []any, change func(*pendingColumns)) (n int, err error) {
	rows, err := tx.Query(`select `+pendingList+` from identity_pending q where `+where, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var found []pendingColumns
	for rows.Next() {
		var c pendingColumns
		if err := rows.Scan(c.into()...); err != nil {
			return 0, err
		}
		if s.genuine(s.tags.pending, pendingTable, c.person, c.mac, c.tagged()) == nil {
			found = append(found, c)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for i := range found {
		c := &found[i]
		change(c)
		if _, err := tx.Exec(`update identity_pending set state=?, decided_by=?, decided_at=?, mac=? where id=?`,
			c.state, c.decidedBy, c.decided, s.tags.pending.Tag(c.tagged()...), c.id); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
