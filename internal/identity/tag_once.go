package identity

import (
	"context"
	"database/sql"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// lot is one table as a walk over all of its rows sees it.
type lot struct {
	table   string
	rows    *seal.Rows
	query   string // every row, its tag included
	key     string // the condition that finds one row again
	scanned func() (into []any, done func() lotRow)
}

// lotRow is one row of a walk.
type lotRow struct {
	number int64 // what alarms and verifications call it
	key    []any
	tagged []any
	mac    []byte
	row    any
}

func (s *Store) lots() []lot {
	return []lot{
		{personTable, s.tags.person, `select ` + personList + ` from identity_person p`, `number=?`, func() ([]any, func() lotRow) {
			c := &personColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{credentialTable, s.tags.credential, `select ` + credentialList + ` from identity_credential c`, `person=? and kind=?`, func() ([]any, func() lotRow) {
			c := &credentialColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.person, c.kind}, c.tagged(), c.mac, c} }
		}},
		{enrolmentTable, s.tags.enrolment, `select ` + enrolmentList + ` from identity_enrolment e`, `token=?`, func() ([]any, func() lotRow) {
			c := &enrolmentColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.token}, c.tagged(), c.mac, c} }
		}},
		{pendingTable, s.tags.pending, `select ` + pendingList + ` from identity_pending q`, `id=?`, func() ([]any, func() lotRow) {
			c := &pendingColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.id}, c.tagged(), c.mac, c} }
		}},
		{sessionTable, s.tags.session, `select ` + sessionList + ` from identity_session s`, `number=?`, func() ([]any, func() lotRow) {
			c := &sessionColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{passkeyTable, s.tags.passkey, `select ` + passkeyList + ` from identity_passkey k`, `id=?`, func() ([]any, func() lotRow) {
			c := &passkeyColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.id}, c.tagged(), c.mac, c} }
		}},
		{recoveryTable, s.tags.recovery, `select ` + recoveryList + ` from identity_recovery y`, `id=?`, func() ([]any, func() lotRow) {
			c := &recoveryColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.id}, c.tagged(), c.mac, c} }
		}},
		{linkTable, s.tags.link, `select ` + linkList + ` from identity_link l`, `id=?`, func() ([]any, func() lotRow) {
			c := &linkColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.id}, c.tagged(), c.mac, c} }
		}},
		{vouchedTable, s.tags.vouched, `select ` + vouchedList + ` from identity_vouched v`, `session=? and subject=? and sid=?`, func() ([]any, func() lotRow) {
			c := &vouchedColumns{}
			return c.into(), func() lotRow { return lotRow{c.person, []any{c.session, c.subject, c.sid}, c.tagged(), c.mac, c} }
		}},
		{deviceTable, s.tags.device, `select ` + deviceList + ` from identity_device d`, `number=?`, func() ([]any, func() lotRow) {
			c := &deviceColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{deviceKeyTable, s.tags.deviceKey, `select ` + deviceKeyList + ` from identity_device_key y`, `number=?`, func() ([]any, func() lotRow) {
			c := &deviceKeyColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{deviceCodeTable, s.tags.deviceCode, `select ` + deviceCodeList + ` from identity_device_code o`, `number=?`, func() ([]any, func() lotRow) {
			c := &deviceCodeColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{deviceMachineTable, s.tags.deviceMachine, `select ` + deviceMachineList + ` from identity_device_machine m`, `number=?`, func() ([]any, func() lotRow) {
			c := &deviceMachineColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{postureTable, s.tags.posture, `select ` + postureList + ` from identity_device_posture u`, `number=?`, func() ([]any, func() lotRow) {
			c := &postureColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{recertificationTable, s.tags.recertification, `select ` + recertificationList + ` from identity_recertification r`, `number=?`, func() ([]any, func() lotRow) {
			c := &recertificationColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{holdingTable, s.tags.holding, `select ` + holdingList + ` from identity_holding h`, `number=?`, func() ([]any, func() lotRow) {
			c := &holdingColumns{}
			return c.into(), func() lotRow { return lotRow{c.number, []any{c.number}, c.tagged(), c.mac, c} }
		}},
		{placeTable, s.tags.place, `select person, place, mac from identity_place`, `person=? and place=?`, func() ([]any, func() lotRow) {
			var person int64
			var place, mac []byte
			return []any{&person, &place, &mac}, func() lotRow { return lotRow{person, []any{person, place}, []any{person, place}, mac, nil} }
		}},
	}
}

// each walks over the rows of a table.
func (l lot) each(ctx context.Context, q queryer, use func(lotRow)) error {
	rows, err := q.QueryContext(ctx, l.query)
	if err != nil {
		return unreadableLot(err)
	}
	defer rows.Close()
	for rows.Next() {
		into, done := l.scanned()
		if err := rows.Scan(into...); err != nil {
			return unreadableLot(err)
		}
		use(done())
	}
	if err := rows.Err(); err != nil {
		return unreadableLot(err)
	}
	return nil
}

func unreadableLot(err error) error {
	return outcome.Wrap("identity: rows", outcome.NoStore, "the rows of people and sessions cannot be read", err)
}

// TagRows gives their tags to rows that have none, as a version before left them, and counts them. It is called once in the life of an
// installation, before anybody is served: to tag is to believe. Errors: outcome.NoStore.
func (s *Store) TagRows(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, l := range s.lots() {
			var bare []lotRow
			if err := l.each(context.WithoutCancel(ctx), tx, func(r lotRow) {
				if len(r.mac) == 0 {
					bare = append(bare, r)
				}
			}); err != nil {
				return err
			}
			for _, r := range bare {
				if _, err := tx.Exec(`update `+l.table+` set mac=? where `+l.key, append([]any{l.rows.Tag(r.tagged...)}, r.key...)...); err != nil {
					return err
				}
			}
			n += int64(len(bare))
		}
		return nil
	})
	return n, err
}
