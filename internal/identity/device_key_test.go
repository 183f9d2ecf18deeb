package identity

import (
	"crypto/ecdsa"
	"database/sql"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/audit"
)

// verified is what a verification of the rows against the entries so far names.
func (s *site) verified() (named []string) {
	s.t.Helper()
	s.trail.mu.Lock()
	defer s.trail.mu.Unlock()
	c, err := NewCheck(s.t.Context(), s.db, s.ring.Box("identity"), false, func(table string, _ int64, what string) { named = append(named, table+" "+what) })
	s.must(err)
	for i, e := range s.trail.events {
		c.Entry(&audit.Read{Index: audit.Index(i + 1), Recorded: e.Time, Event: e})
	}
	rows, err := c.Read(s.t.Context())
	s.must(err)
	c.Compare(rows)
	return named
}

// keep keeps the rows of devices and their keys as they are; back writes over everything what was kept of one of the two tables.
func (s *site) keep() (back func(table string)) {
	s.t.Helper()
	kept := map[string][][]any{}
	columns := map[string]string{deviceTable: "number, id, state, made_at, changed_at, sealed, mac", deviceKeyTable: "number, device, point, browser, made_at, seen_at, mac"}
	for table, list := range columns {
		rows, err := s.db.Reader().Query(`select ` + list + ` from ` + table)
		s.must(err)
		for rows.Next() {
			row := make([]any, 7)
			into := make([]any, 7)
			for i := range row {
				into[i] = &row[i]
			}
			s.must(rows.Scan(into...))
			kept[table] = append(kept[table], row)
		}
		s.must(rows.Err())
		s.must(rows.Close())
	}
	return func(table string) {
		s.t.Helper()
		s.must(s.db.Write(s.t.Context(), func(tx *sql.Tx) error {
			for _, row := range kept[table] {
				if table == deviceTable {
					if _, err := tx.Exec(`update identity_device set state=?, made_at=?, changed_at=?, sealed=?, mac=? where id=?`, row[2], row[3], row[4], row[5], row[6], row[1]); err != nil {
						return err
					}
					continue
				}
				if _, err := tx.Exec(`delete from identity_device_key where point=?`, row[2]); err != nil {
					return err
				}
				if _, err := tx.Exec(`insert into identity_device_key(number, device, point, browser, made_at, seen_at, mac) values(?+1000,?,?,?,?,?,?)`, row...); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// A key that another took the place of is no key of the device any more, though SQL puts its row back as it once was, tag and all.
func TestAnEarlierKeyThatIsPutBackProvesNothing(t *testing.T) {
	enrol := func(s *site, token, browser string, k *ecdsa.PrivateKey) Device {
		s.t.Helper()
		d, err := s.EnrolDevice(s.t.Context(), token, Arrival{Device: browser, Zone: "internet", Proof: signNonce(s.t, k, s.DeviceNonce(ToEnrol))})
		s.must(err)
		return d
	}
	for name, c := range map[string]struct {
		replace func(s *site, admin someone, m *machine, next *ecdsa.PrivateKey)
		browser string // where the old key is shown
	}{
		"registered anew": {func(s *site, admin someone, m *machine, next *ecdsa.PrivateKey) {
			code, err := s.MakeDeviceCode(t.Context(), admin.agent(), m.device.ID, "")
			s.must(err)
			enrol(s, code.Token, "b-2", next)
		}, "b-1"},
		"its machine enrolled anew": {func(s *site, admin someone, m *machine, _ *ecdsa.PrivateKey) {
			code, err := s.MakeDeviceCode(t.Context(), admin.agent(), m.device.ID, "")
			s.must(err)
			_, _, err = s.EnrolMachine(t.Context(), code.Token, Arrival{Zone: "hospital", Proof: signNonce(t, newKey(t), s.DeviceNonce(ToEnrolMachine))})
			s.must(err)
		}, "b-1"},
		"the browser has another key": {func(s *site, _ someone, m *machine, next *ecdsa.PrivateKey) {
			code, err := s.TieBrowser(t.Context(), m.device.ID, Arrival{Zone: "hospital", Proof: signNonce(t, m.key, s.DeviceNonce(ToTieBrowser(m.device.ID)))})
			s.must(err)
			enrol(s, code.Token, "b-1", next)
		}, "b-1"},
		"the browser is another device's": {func(s *site, admin someone, _ *machine, next *ecdsa.PrivateKey) {
			code, err := s.MakeDeviceCode(t.Context(), admin.agent(), "", "Tablet")
			s.must(err)
			enrol(s, code.Token, "b-1", next)
		}, "b-1"},
		"the key is another device's": {func(s *site, admin someone, m *machine, _ *ecdsa.PrivateKey) {
			code, err := s.MakeDeviceCode(t.Context(), admin.agent(), "", "Tablet")
			s.must(err)
			enrol(s, code.Token, "b-3", m.browser)
		}, "b-1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, true)
			p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
			m := s.enrolMachine(admin, "b-1")
			if o := m.signIn(p, "b-1"); o.Session.Trust == "unknown" || o.Session.Registered != m.device.ID {
				t.Fatalf("%+v", o.Session)
			}
			back, next := s.keep(), newKey(t)
			s.clock.pass(1)
			c.replace(s, admin, m, next)
			if named := s.verified(); len(named) > 0 {
				t.Fatalf("before anything was put back: %q", named)
			}
			back(deviceKeyTable)
			if o := m.signIn(p, c.browser); o.Session.Registered == m.device.ID || o.Session.Trust != "unknown" {
				t.Errorf("an earlier key makes a session %s", o.Session.Trust)
			}
			a := p.attempt()
			a.From = Arrival{Device: "b-9", Zone: "internet"}
			later, err := s.SignIn(t.Context(), a)
			s.must(err)
			if err := s.ProveDevice(t.Context(), later.Session, Arrival{Device: "b-9", Zone: "internet", Proof: signNonce(t, m.browser, s.DeviceNonce(OfSession(later.Session)))}); err == nil {
				t.Error("an earlier key proves a running session's device")
			}
			is := func(what string) func(string) bool { return func(n string) bool { return strings.HasPrefix(n, what) } }
			if named := s.verified(); !slices.ContainsFunc(named, is(deviceKeyTable+" is a key that its device has no longer")) {
				t.Errorf("the key's row is not named: %q", named)
			}
			back(deviceTable) // then it is the log alone that knows
			if named := s.verified(); !slices.ContainsFunc(named, is(deviceKeyTable+" is a key that its device has no longer")) || !slices.ContainsFunc(named, is(deviceTable+" names other keys")) {
				t.Errorf("with the device's row as well: %q", named)
			}
		})
	}
}

// A device that a version before registered names no keys: what it has goes on, and is named from the next change on.
func TestKeysOfAVersionBeforeGoOn(t *testing.T) {
	s := newSite(t, true)
	p, admin := s.hire("Maren Okafor", Nurse), s.hire("Ada Admin", Administrator)
	m := s.enrolMachine(admin, "b-1")
	s.must(s.db.Write(t.Context(), func(tx *sql.Tx) error {
		d, err := s.deviceOf(tx, m.device.ID)
		if err == nil {
			d.sealed, err = sealJSON(s.box, s.deviceKey, aad("device", d.id), map[string]string{"Name": "Desk ER-02", "By": admin.Person})
		}
		if err != nil {
			return err
		}
		return s.updateDevice(tx, &d)
	}))
	s.trail.mu.Lock()
	for i, e := range s.trail.events {
		if strings.HasPrefix(e.Text, "device ") {
			s.trail.events[i].Text, _, _ = strings.Cut(e.Text, ";")
		}
	}
	s.trail.mu.Unlock()
	if named := s.verified(); len(named) > 0 {
		t.Errorf("named: %q", named)
	}
	if o := m.signIn(p, "b-1"); o.Session.Registered != m.device.ID {
		t.Errorf("%+v", o.Session)
	}
	code, err := s.TieBrowser(t.Context(), m.device.ID, Arrival{Zone: "hospital", Proof: signNonce(t, m.key, s.DeviceNonce(ToTieBrowser(m.device.ID)))})
	s.must(err)
	_, err = s.EnrolDevice(t.Context(), code.Token, Arrival{Device: "b-2", Zone: "hospital", Proof: signNonce(t, newKey(t), s.DeviceNonce(ToEnrol))})
	s.must(err)
	if o := m.signIn(p, "b-1"); o.Session.Registered != m.device.ID {
		t.Errorf("a second browser takes the first away: %+v", o.Session)
	}
	if named := s.verified(); len(named) > 0 {
		t.Errorf("named after another browser: %q", named)
	}
}
