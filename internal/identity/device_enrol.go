package identity

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// DeviceCode is a one-time code that registers the device at which it is used.
type DeviceCode struct {
	Token   string // for the address of a page; shown once
	Device  string // id of a device that gets a key again; empty: a new one
	Name    string
	Expires time.Time
	fresh   string // id that a new device gets; empty: any
}

const deviceCodeFor = 24 * time.Hour

var errDeviceCode = outcome.New(outcome.NotFound, "this code is not valid: it was used, or it lapsed; ask an administrator for a new one")

// MakeDeviceCode makes a code, good once within 24 hours, for a new device of that name, or, with an id, for one that is registered anew:
// it was found, or its browser lost its key. Errors: outcome.Value (name); outcome.NotFound (id).
func (s *Store) MakeDeviceCode(ctx context.Context, by audit.Agent, id, name string) (DeviceCode, error) {
	if id == "" {
		var err error
		if name, err = deviceName(name); err != nil {
			return DeviceCode{}, err
		}
	} else {
		c, err := s.deviceOf(s.db.Reader(), id)
		if err != nil {
			return DeviceCode{}, err
		}
		var told deviceTold
		if err := openJSON(s.box, aad("device", id), c.sealed, &told); err != nil {
			return DeviceCode{}, err
		}
		name = told.Name
	}
	text := "for a new device"
	if id != "" {
		text = "for device " + id
	}
	return s.newDeviceCode(ctx, by, id, deviceTold{Name: name, By: by.Person}, deviceCodeFor, text)
}

func (s *Store) newDeviceCode(ctx context.Context, by audit.Agent, id string, told deviceTold, lasts time.Duration, text string) (DeviceCode, error) {
	token, hash := newToken()
	now := s.now().UTC()
	code := DeviceCode{Token: token, Device: id, Name: told.Name, Expires: now.Add(lasts)}
	sealed, err := sealJSON(s.box, s.deviceKey, aad("device-code", string(hash[:])), told)
	if err != nil {
		return DeviceCode{}, err
	}
	n, err := s.note(ctx, s.event(by, didDeviceCode, acted, text))
	if err != nil {
		return DeviceCode{}, err
	}
	return code, s.act(ctx, n, func(tx *sql.Tx) error {
		c := deviceCodeColumns{code: hash[:], device: id, made: micros(now), expires: micros(code.Expires), sealed: sealed}
		_, err := tx.Exec(`insert into identity_device_code(code, device, made_at, expires_at, used_at, sealed, mac) values(?,?,?,?,?,?,?)`, append(c.tagged(), s.tags.deviceCode.Tag(c.tagged()...))...)
		return err
	})
}

// ReadDeviceCode reads what the page behind a code shows; reading changes nothing. Errors: outcome.NotFound, the same whether it is wrong, used or
// lapsed.
func (s *Store) ReadDeviceCode(token string) (DeviceCode, error) {
	_, code, _, err := s.deviceCode(s.db.Reader(), token)
	return code, err
}

func (s *Store) deviceCode(q queryer, token string) (c deviceCodeColumns, code DeviceCode, told deviceTold, err error) {
	hash, ok := parseToken(token)
	if !ok {
		return c, code, told, errDeviceCode
	}
	found, err := gather(s, q, (*deviceCodeColumns).into, func(c *deviceCodeColumns) bool {
		return s.genuine(s.tags.deviceCode, deviceCodeTable, c.number, c.mac, c.tagged()) == nil
	}, `select `+deviceCodeList+` from identity_device_code o where o.code=?`, hash[:])
	if err != nil {
		return c, code, told, err
	}
	if len(found) != 1 || found[0].used != 0 || !s.now().Before(timeOf(found[0].expires)) {
		return c, code, told, errDeviceCode
	}
	c = found[0]
	if err := openJSON(s.box, aad("device-code", string(hash[:])), c.sealed, &told); err != nil {
		return c, code, told, err
	}
	return c, DeviceCode{Device: c.device, Name: told.Name, Expires: timeOf(c.expires)}, told, nil
}

// EnrolDevice registers the browser that shows a key for a nonce of [Store.DeviceNonce] with [ToEnrol], by a code. A browser of a lost device
// is known again afterwards. By a code that the machine itself fetched it becomes one more browser of that device.
// Errors: outcome.NotFound (the code); outcome.Value (the key does not prove itself); outcome.Forbidden (the device is lost).
func (s *Store) EnrolDevice(ctx context.Context, token string, from Arrival) (Device, error) {
	c, code, told, err := s.deviceCode(s.db.Reader(), token)
	if err != nil {
		return Device{}, err
	}
	agent := audit.Agent{Job: "device-enrolment", Device: from.Device, Address: addressOf(from), Zone: from.Zone}
	point, err := s.readEnrolment(from)
	if err != nil {
		return Device{}, err
	}
	if told.Ties {
		return s.tie(ctx, agent, c, code, point, from)
	}
	return s.register(ctx, agent, didRegisterDevice, code, told.By, provenKey{point: point, browser: from.Device}, func(tx *sql.Tx) error { return s.useDeviceCode(tx, c) })
}

// RegisterDevice registers the browser of the session's person: an administrator stands at the device. Whether she may is not asked here.
// Errors: as [Store.EnrolDevice]; outcome.Value (name).
func (s *Store) RegisterDevice(ctx context.Context, ses *Session, name string, from Arrival) (Device, error) {
	name, err := deviceName(name)
	if err != nil {
		return Device{}, err
	}
	point, err := s.readEnrolment(from)
	if err != nil {
		return Device{}, err
	}
	return s.register(ctx, ses.Agent(), didRegisterDevice, DeviceCode{Name: name}, ses.Person.ID, provenKey{point: point, browser: from.Device}, func(*sql.Tx) error { return nil })
}

func (s *Store) readEnrolment(from Arrival) ([]byte, error) {
	point, err := s.readProof(from.Proof, ToEnrol)
	if err != nil {
		return nil, outcome.New(outcome.Value, "this browser did not prove its key: load the page anew and try again").At("device")
	}
	return point, nil
}

func (s *Store) useDeviceCode(tx *sql.Tx, c deviceCodeColumns) error {
	c.used = micros(s.now())
	return oneOr(errDeviceCode)(tx.Exec(`update identity_device_code set used_at=?, mac=? where number=? and used_at=0`, c.used, s.tags.deviceCode.Tag(c.tagged()...), c.number))
}

// tie makes the browser that shows a key one more of a device whose machine fetched the code.
func (s *Store) tie(ctx context.Context, agent audit.Agent, c deviceCodeColumns, code DeviceCode, point []byte, from Arrival) (Device, error) {
	if _, err := s.machineOf(s.db.Reader(), code.Device); err != nil {
		return Device{}, err
	}
	k := provenKey{point: point, browser: from.Device}
	taken, err := s.takenBy(s.db.Reader(), k)
	if err != nil {
		return Device{}, err
	}
	n, err := s.note(ctx, s.event(agent, didTieBrowser, acted, "device "+code.Device+k.words(taken)))
	if err != nil {
		return Device{}, err
	}
	return Device{ID: code.Device, Name: code.Name, State: DeviceRegistered}, s.act(ctx, n, func(tx *sql.Tx) error {
		if _, err := s.machineOf(tx, code.Device); err != nil { // lost, or taken out of service, meanwhile
			return err
		}
		if err := s.useDeviceCode(tx, c); err != nil {
			return err
		}
		if err := s.takeKeys(tx, k, taken); err != nil {
			return err
		}
		if err := s.rename(tx, code.Device, func(names []string) []string {
			if slices.Contains(names, keyName(point)) { // its row was lost by other hands
				return names
			}
			return append(names, keyName(point))
		}); err != nil {
			return err
		}
		return s.addBrowser(tx, code.Device, k, micros(s.now()))
	})
}

// register makes a device, or one that was there before, registered, known by the key that was shown; first is what has to hold in the same moment.
// What the device had before proves nothing any more: neither keys of browsers nor its machine's.
func (s *Store) register(ctx context.Context, agent audit.Agent, how did, code DeviceCode, by string, k provenKey, first func(*sql.Tx) error) (Device, error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	d := Device{ID: code.Device, Name: code.Name, State: DeviceRegistered, Made: now, Changed: now, Seen: now, By: by}
	if d.ID == "" {
		d.ID = cmp.Or(code.fresh, newID())
	}
	told := deviceTold{Name: d.Name, By: by, Keys: []string{}}
	if !k.machine {
		told.Keys = append(told.Keys, keyName(k.point))
	}
	sealed, err := sealJSON(s.box, s.deviceKey, aad("device", d.ID), told)
	if err != nil {
		return Device{}, err
	}
	taken, err := s.takenBy(s.db.Reader(), k)
	if err != nil {
		return Device{}, err
	}
	text := "device " + d.ID
	if by != "" {
		text += " by person " + by
	}
	n, err := s.note(ctx, s.event(agent, how, acted, text+k.words(taken)))
	if err != nil {
		return Device{}, err
	}
	return d, s.act(ctx, n, func(tx *sql.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		if err := s.takeKeys(tx, k, taken); err != nil {
			return err
		}
		c := deviceColumns{id: d.ID, state: d.State, made: micros(now), changed: micros(now), sealed: sealed}
		if code.Device == "" {
			if _, err := tx.Exec(`insert into identity_device(id, state, made_at, changed_at, sealed, mac) values(?,?,?,?,?,?)`, append(c.tagged(), s.tags.device.Tag(c.tagged()...))...); err != nil {
				return err
			}
		} else {
			old, err := s.deviceOf(tx, d.ID)
			if err != nil {
				return err
			}
			c.made = old.made
			if err := s.updateDevice(tx, &c); err != nil {
				return err
			}
			if _, err := tx.Exec(`delete from identity_device_key where device=?`, d.ID); err != nil {
				return err
			}
		}
		return s.give(tx, d.ID, k, micros(now))
	})
}
