package identity

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// Device is a workstation, tablet or phone of the house. It is known by a key that its browser keeps and cannot give away.
type Device struct {
	ID      string
	Name    string
	State   string // [DeviceRegistered], [DeviceLost], [DeviceRetired]
	Made    time.Time
	Changed time.Time
	Seen    time.Time // when it last proved itself; zero: never
	Machine bool      // its machine speaks for itself: it was enrolled
	Last    *Standing // what that last reported; nil: nothing yet
	By      string    // id of the person who registered it, or made the code; empty: the command line
}

// States of a device.
const (
	DeviceRegistered = "registered"
	DeviceLost       = "lost"    // opens nothing until it is registered again
	DeviceRetired    = "retired" // counts as unknown
)

// deviceTold is what a device's row keeps sealed.
type deviceTold struct {
	Name, By string
	Ties     bool     `json:",omitempty"` // of a code: it adds a browser to the device and leaves what that has
	Keys     []string // names of the keys of its browsers ([keyName]); nil: registered by a version that did not name them
}

// deviceColumns is a device as it lies in its row.
type deviceColumns struct {
	number        int64
	id, state     string
	made, changed int64
	sealed, mac   []byte
}

const deviceList = `d.number, d.id, d.state, d.made_at, d.changed_at, d.sealed, d.mac`

func (c *deviceColumns) into() []any {
	return []any{&c.number, &c.id, &c.state, &c.made, &c.changed, &c.sealed, &c.mac}
}

func (c *deviceColumns) tagged() []any { return []any{c.id, c.state, c.made, c.changed, c.sealed} }

// deviceKeyColumns is a key of a device as it lies in its row; when it was last seen is outside the tag and gives nothing.
type deviceKeyColumns struct {
	number     int64
	device     string
	point      []byte
	browser    string
	made, seen int64
	mac        []byte
}

const deviceKeyList = `y.number, y.device, y.point, y.browser, y.made_at, y.seen_at, y.mac`

func (c *deviceKeyColumns) into() []any {
	return []any{&c.number, &c.device, &c.point, &c.browser, &c.made, &c.seen, &c.mac}
}

func (c *deviceKeyColumns) tagged() []any { return []any{c.device, c.point, c.browser, c.made} }

// deviceCodeColumns is a one-time code as it lies in its row.
type deviceCodeColumns struct {
	number              int64
	code                []byte
	device              string
	made, expires, used int64
	sealed, mac         []byte
}

const deviceCodeList = `o.number, o.code, o.device, o.made_at, o.expires_at, o.used_at, o.sealed, o.mac`

func (c *deviceCodeColumns) into() []any {
	return []any{&c.number, &c.code, &c.device, &c.made, &c.expires, &c.used, &c.sealed, &c.mac}
}

func (c *deviceCodeColumns) tagged() []any {
	return []any{c.code, c.device, c.made, c.expires, c.used, c.sealed}
}

// gather scans every row of a query, leaving out those that this program did not write.
func gather[C any](s *Store, q queryer, into func(*C) []any, holds func(*C) bool, query string, args ...any) (out []C, err error) {
	rows, err := q.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, unreadableDevices(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c C
		if err := rows.Scan(into(&c)...); err != nil {
			return nil, unreadableDevices(err)
		}
		if holds(&c) {
			out = append(out, c)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, unreadableDevices(err)
	}
	return out, nil
}

// Managed reports whether sessions at the device count as at a managed one.
func (d Device) Managed() bool {
	return d.State == DeviceRegistered && d.Last != nil && len(d.Last.Lacks) == 0
}

func unreadableDevices(err error) error {
	return outcome.Wrap("identity: devices", outcome.NoStore, "the devices cannot be read", err)
}

func (s *Store) devices(q queryer, where string, args ...any) ([]deviceColumns, error) {
	return gather(s, q, (*deviceColumns).into, func(c *deviceColumns) bool {
		return s.genuine(s.tags.device, deviceTable, c.number, c.mac, c.tagged()) == nil
	}, `select `+deviceList+` from identity_device d where `+where, args...)
}

func (s *Store) deviceKeys(q queryer, where string, args ...any) ([]deviceKeyColumns, error) {
	return gather(s, q, (*deviceKeyColumns).into, func(c *deviceKeyColumns) bool {
		return s.genuine(s.tags.deviceKey, deviceKeyTable, c.number, c.mac, c.tagged()) == nil
	}, `select `+deviceKeyList+` from identity_device_key y where `+where, args...)
}

var errNoDevice = outcome.New(outcome.NotFound, "there is no such device")

func (s *Store) deviceOf(q queryer, id string) (deviceColumns, error) {
	found, err := s.devices(q, `d.id=?`, id)
	if err != nil {
		return deviceColumns{}, err
	}
	if len(found) != 1 {
		return deviceColumns{}, errNoDevice
	}
	return found[0], nil
}

// Devices lists the devices of the house by name, those that are retired last. Errors: outcome.NoStore.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	found, err := s.devices(s.db.Reader(), `true`)
	if err != nil {
		return nil, err
	}
	keys, err := s.deviceKeys(s.db.Reader(), `true`)
	if err != nil {
		return nil, err
	}
	machines, err := s.machines(s.db.Reader(), `true`)
	if err != nil {
		return nil, err
	}
	reports, err := s.postures(s.db.Reader(), `true`)
	if err != nil {
		return nil, err
	}
	var out []Device
	for _, c := range found {
		var told deviceTold
		if err := openJSON(s.box, aad("device", c.id), c.sealed, &told); err != nil {
			return nil, err
		}
		d := Device{ID: c.id, Name: told.Name, State: c.state, Made: timeOf(c.made), Changed: timeOf(c.changed), By: told.By}
		for _, k := range keys {
			if seen := timeOf(k.seen); k.device == c.id && seen.After(d.Seen) {
				d.Seen = seen
			}
		}
		d.Machine = slices.ContainsFunc(machines, func(m deviceMachineColumns) bool { return m.device == c.id })
		for i := range reports {
			if reports[i].device == c.id {
				st, err := s.standing(&reports[i])
				if err != nil {
					return nil, err
				}
				d.Last = &st
			}
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Device) int {
		if last := func(d Device) bool { return d.State == DeviceRetired }; last(a) != last(b) {
			if last(a) {
				return 1
			}
			return -1
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, ctx.Err()
}

func deviceName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > 60 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return "", outcome.New(outcome.Value, "name the device in at most 60 characters: where it stands, for example").At("name")
	}
	return name, nil
}

// LoseDevice marks a device as lost: each session that was opened at it or that it proved ends, on every node within a second, and nobody
// signs in at it again until it is registered anew. It gives the number of sessions. The log's failure does not stop it.
// Errors: outcome.NotFound; outcome.Conflict (it is lost already); outcome.Required (no reason).
func (s *Store) LoseDevice(ctx context.Context, by audit.Agent, id, reason string) (int, error) {
	if strings.TrimSpace(reason) == "" {
		return 0, outcome.New(outcome.Required, "say what happened, in a few words").At("reason")
	}
	return s.strike(ctx, by, id, DeviceLost, didLoseDevice, reason)
}

// RetireDevice takes a device out of service: its key proves nothing any more, and sessions at it go on as at an unknown one. A lost
// device that was found is registered anew, not retired. Errors: outcome.NotFound; outcome.Conflict.
func (s *Store) RetireDevice(ctx context.Context, by audit.Agent, id string) error {
	_, err := s.strike(ctx, by, id, DeviceRetired, didRetireDevice, "")
	return err
}

// strike takes the trust of a device away.
func (s *Store) strike(ctx context.Context, by audit.Agent, id, state string, d did, reason string) (ended int, err error) {
	c, err := s.deviceOf(s.db.Reader(), id)
	if err != nil {
		return 0, err
	}
	fits := func(now string) bool { return now == DeviceRegistered || now == DeviceRetired && state == DeviceLost }
	if !fits(c.state) {
		return 0, outcome.New(outcome.Conflict, "this device is "+c.state+" already")
	}
	text := "device " + id
	if reason != "" {
		text += ": " + reason
	}
	n, err := s.noteOrOwe(ctx, s.event(by, d, acted, text))
	if err != nil {
		return 0, err
	}
	var touched []int64
	err = s.act(ctx, n, func(tx *sql.Tx) error {
		now, err := s.deviceOf(tx, id)
		if err != nil || !fits(now.state) {
			return ErrChanged
		}
		if now.state, now.changed = state, micros(s.now()); state == DeviceLost {
			ended, err = s.alterSessions(tx, `s.ended_at=0 and (s.registered=? or s.device<>'' and s.device in (select browser from identity_device_key where device=?))`, []any{id, id}, func(c *sessionColumns) {
				c.ended, c.endedWhy = now.changed, d.interaction
				touched = append(touched, c.person)
			})
		} else {
			_, err = s.alterSessions(tx, `s.ended_at=0 and s.registered=?`, []any{id}, func(c *sessionColumns) {
				c.trust, c.registered, c.proven = "unknown", "", 0
				touched = append(touched, c.person)
			})
		}
		if err != nil {
			return err
		}
		return s.updateDevice(tx, &now)
	})
	for _, person := range touched {
		s.refresh(person)
	}
	return ended, err
}

func (s *Store) updateDevice(tx *sql.Tx, c *deviceColumns) error {
	return one(tx.Exec(`update identity_device set state=?, changed_at=?, sealed=?, mac=? where id=?`, c.state, c.changed, c.sealed, s.tags.device.Tag(c.tagged()...), c.id))
}
