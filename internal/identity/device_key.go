package identity

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"slices"
	"strings"

	"chartwarden/internal/outcome"
)

// A browser's key counts only while the row of its device names it, and each entry that changes these names says which key came and which
// went. So a key's row that SQL puts back, with the tag that it had, proves nothing; and one that comes back together with its device's
// row is not what the log says.

// keyName is what entries and a device's row call a key: 16 letters of the hash of its point.
func keyName(point []byte) string {
	sum := sha256.Sum256(point)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// provenKey is a key that proved itself and becomes a device's.
type provenKey struct {
	point   []byte
	browser string // whose key it is
	machine bool   // it is the machine's own: no browser counts yet
}

const noKey = "; no browser yet"

// words are the end of an entry: the key that comes, and those in whose place.
func (k provenKey) words(taken []deviceKeyColumns) string {
	if k.machine {
		return noKey
	}
	out := "; key " + keyName(k.point)
	for _, t := range taken {
		out += ", no longer key " + keyName(t.point) + " of device " + t.device
	}
	return out
}

// takenBy are the keys in whose place a browser's comes, of whatever device: its own, and what the browser had before.
func (s *Store) takenBy(q queryer, k provenKey) ([]deviceKeyColumns, error) {
	if k.machine {
		return nil, nil
	}
	return s.deviceKeys(q, `y.point=? or y.browser<>'' and y.browser=? order by y.number`, k.point, k.browser)
}

// takeKeys takes those keys from their devices. Errors: [ErrChanged] where they are not those that the entry names.
func (s *Store) takeKeys(tx *sql.Tx, k provenKey, noted []deviceKeyColumns) error {
	now, err := s.takenBy(tx, k)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(now, noted, func(a, b deviceKeyColumns) bool { return a.device == b.device && bytes.Equal(a.point, b.point) }) {
		return ErrChanged
	}
	for _, t := range now {
		gone := keyName(t.point)
		if err := s.rename(tx, t.device, func(names []string) []string {
			return slices.DeleteFunc(names, func(name string) bool { return name == gone })
		}); err != nil && !outcome.Is(err, outcome.NotFound) {
			return err
		}
	}
	return nil
}

// rename changes which keys a device's row names. A row of a version that named none begins with those that are there.
func (s *Store) rename(tx *sql.Tx, device string, change func([]string) []string) error {
	d, err := s.deviceOf(tx, device)
	if err != nil {
		return err
	}
	var told deviceTold
	if err := openJSON(s.box, aad("device", d.id), d.sealed, &told); err != nil {
		return err
	}
	if told.Keys == nil {
		held, err := s.deviceKeys(tx, `y.device=?`, device)
		if err != nil {
			return err
		}
		for _, h := range held {
			told.Keys = append(told.Keys, keyName(h.point))
		}
	}
	if told.Keys = change(told.Keys); told.Keys == nil {
		told.Keys = []string{}
	}
	if d.sealed, err = sealJSON(s.box, s.deviceKey, aad("device", d.id), told); err != nil {
		return err
	}
	return s.updateDevice(tx, &d)
}

// names reports whether a device's row names a key.
func (s *Store) names(d deviceColumns, point []byte) (bool, error) {
	var told deviceTold
	if err := openJSON(s.box, aad("device", d.id), d.sealed, &told); err != nil {
		return false, err
	}
	return told.Keys == nil || slices.Contains(told.Keys, keyName(point)), nil
}

// give makes a key the only one by which a device is known.
func (s *Store) give(tx *sql.Tx, device string, k provenKey, now int64) error {
	if !k.machine {
		if err := forgetMachine(tx, device, nil); err != nil {
			return err
		}
		return s.addBrowser(tx, device, k, now)
	}
	if err := forgetMachine(tx, device, k.point); err != nil {
		return err
	}
	m := deviceMachineColumns{device: device, point: k.point, made: now}
	_, err := tx.Exec(`insert into identity_device_machine(device, point, made_at, mac) values(?,?,?,?)`, append(m.tagged(), s.tags.deviceMachine.Tag(m.tagged()...))...)
	return err
}

// addBrowser adds a browser's key to a device, and takes the browser from any other.
func (s *Store) addBrowser(tx *sql.Tx, device string, k provenKey, now int64) error {
	if _, err := tx.Exec(`delete from identity_device_key where point=? or browser<>'' and browser=?`, k.point, k.browser); err != nil {
		return err
	}
	c := deviceKeyColumns{device: device, point: k.point, browser: k.browser, made: now, seen: now}
	_, err := tx.Exec(`insert into identity_device_key(device, point, browser, made_at, seen_at, mac) values(?,?,?,?,?,?)`, c.device, c.point, c.browser, c.made, c.seen, s.tags.deviceKey.Tag(c.tagged()...))
	return err
}
