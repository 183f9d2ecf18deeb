package identity

import (
	"bytes"
	"context"
	"database/sql"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// AskedDevice is a browser for which somebody asks that it becomes a device of the house. It proved its key when she asked: what is agreed
// to is that key and no other.
type AskedDevice struct {
	Name    string
	Point   []byte // the public key: SEC 1, uncompressed, 65 bytes
	Browser string // of its cookie
}

// AskedDevice reads what a browser proves for a nonce of [Store.DeviceNonce] with [ToEnrol], under a name. It changes nothing.
// Errors: outcome.Value (name; the key does not prove itself); outcome.Forbidden (the device is lost); outcome.Conflict (it is registered).
func (s *Store) AskedDevice(name string, from Arrival) (AskedDevice, error) {
	name, err := deviceName(name)
	if err != nil {
		return AskedDevice{}, err
	}
	point, err := s.readEnrolment(from)
	if err != nil {
		return AskedDevice{}, err
	}
	if from.Device == "" {
		return AskedDevice{}, outcome.New(outcome.Value, "this browser keeps no cookie: sign in anew and try again").At("device")
	}
	a := AskedDevice{Name: name, Point: point, Browser: from.Device}
	return a, s.free(s.db.Reader(), a)
}

// free reports what keeps an asked device from being registered: nobody's request brings a lost one back, nor takes a registered one over.
func (s *Store) free(q queryer, a AskedDevice) error {
	known, err := s.deviceKeys(q, `y.browser=? or y.point=?`, a.Browser, a.Point)
	if err != nil {
		return err
	}
	for _, k := range known {
		d, err := s.deviceOf(q, k.device)
		switch {
		case outcome.Is(err, outcome.NotFound):
		case err != nil:
			return err
		case d.state == DeviceLost:
			return errLostDevice
		case d.state == DeviceRegistered && bytes.Equal(k.point, a.Point):
			named, err := s.names(d, k.point)
			if err != nil {
				return err
			}
			if named {
				return outcome.New(outcome.Conflict, "this device is registered already")
			}
		}
	}
	return nil
}

// RegisterAsked registers an asked device under an id that the caller gives, by the person who agreed. Done before, it changes nothing.
// Errors: outcome.Forbidden (it was lost meanwhile), outcome.Conflict (it was registered otherwise): it never will be; others: try again.
func (s *Store) RegisterAsked(ctx context.Context, agent audit.Agent, id, by string, a AskedDevice) error {
	if _, err := s.deviceOf(s.db.Reader(), id); !outcome.Is(err, outcome.NotFound) {
		return err
	}
	if err := s.free(s.db.Reader(), a); err != nil {
		return err
	}
	_, err := s.register(ctx, agent, didRegisterDevice, DeviceCode{Name: a.Name, fresh: id}, by, provenKey{point: a.Point, browser: a.Browser}, func(tx *sql.Tx) error {
		return s.free(tx, a) // lost, or registered otherwise, meanwhile
	})
	return err
}
