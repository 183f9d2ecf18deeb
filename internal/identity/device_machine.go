package identity

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
)

// The machine of a device may speak for itself, beside its browsers: a program of the system's owner keeps a key of its own, by which it
// reports the posture (see posture.go) and fetches addresses that tie browsers of this machine to the device.

// ToEnrolMachine is what the nonce of a machine's enrolment is good for.
const ToEnrolMachine = "machine"

// ToTieBrowser is what the nonce is good for by which a machine asks for an address for a browser.
func ToTieBrowser(device string) string { return "machine-browser/" + device }

// ToReport is what the nonce of a device's report is good for.
func ToReport(device string) string { return "machine-report/" + device }

const browserCodeFor = 10 * time.Minute

// deviceMachineColumns is the key of a machine as it lies in its row.
type deviceMachineColumns struct {
	number int64
	device string
	point  []byte
	made   int64
	mac    []byte
}

const deviceMachineList = `m.number, m.device, m.point, m.made_at, m.mac`

func (c *deviceMachineColumns) into() []any {
	return []any{&c.number, &c.device, &c.point, &c.made, &c.mac}
}

func (c *deviceMachineColumns) tagged() []any { return []any{c.device, c.point, c.made} }

func (s *Store) machines(q queryer, where string, args ...any) ([]deviceMachineColumns, error) {
	return gather(s, q, (*deviceMachineColumns).into, func(c *deviceMachineColumns) bool {
		return s.genuine(s.tags.deviceMachine, deviceMachineTable, c.number, c.mac, c.tagged()) == nil
	}, `select `+deviceMachineList+` from identity_device_machine m where `+where, args...)
}

// errMachine is the same for a device that is not there, one without a machine's key, and a signature by another key.
var errMachine = outcome.New(outcome.Login, "this machine is not enrolled under that name and key: ask an administrator for a code and run chartwarden device enrol")

// machineOf finds the key of a machine in service. Errors: errMachine; errLostDevice.
func (s *Store) machineOf(q queryer, device string) (deviceMachineColumns, error) {
	found, err := s.machines(q, `m.device=?`, device)
	if err != nil {
		return deviceMachineColumns{}, err
	}
	d, err := s.deviceOf(q, device)
	switch {
	case err != nil && !outcome.Is(err, outcome.NotFound):
		return deviceMachineColumns{}, err
	case err != nil, len(found) != 1, d.state == DeviceRetired:
		return deviceMachineColumns{}, errMachine
	case d.state == DeviceLost:
		return deviceMachineColumns{}, errLostDevice
	}
	return found[0], nil
}

// EnrolMachine takes the key that a machine shows for a nonce of [ToEnrolMachine] as that of a device, by an administrator's code, and gives a
// code by which a browser of the machine is tied to it. What the device had before, keys of browsers too, is void.
// Errors: outcome.NotFound (the code); outcome.Value (the key does not prove itself).
func (s *Store) EnrolMachine(ctx context.Context, token string, from Arrival) (Device, DeviceCode, error) {
	c, code, told, err := s.deviceCode(s.db.Reader(), token)
	if err != nil {
		return Device{}, DeviceCode{}, err
	}
	if told.Ties {
		return Device{}, DeviceCode{}, errDeviceCode
	}
	point, err := s.readProof(from.Proof, ToEnrolMachine)
	if err != nil {
		return Device{}, DeviceCode{}, outcome.New(outcome.Value, "the machine did not prove its key: run it again").At("proof")
	}
	agent := audit.Agent{Job: "device-enrolment", Device: from.Device, Address: addressOf(from), Zone: from.Zone}
	d, err := s.register(ctx, agent, didEnrolMachine, code, told.By, provenKey{point: point, machine: true}, func(tx *sql.Tx) error { return s.useDeviceCode(tx, c) })
	if err != nil {
		return Device{}, DeviceCode{}, err
	}
	ties, err := s.tieCode(ctx, agent, d.ID, d.Name, told.By)
	return d, ties, err
}

// forgetMachine takes away what the machine of a device had, and whoever else has the point.
func forgetMachine(tx *sql.Tx, device string, point []byte) error {
	for _, statement := range []string{`delete from identity_device_posture where device=? or device in (select device from identity_device_machine where point=?)`,
		`delete from identity_device_machine where device=? or point=?`} {
		if _, err := tx.Exec(statement, device, append([]byte{}, point...)); err != nil {
			return err
		}
	}
	return nil
}

// TieBrowser gives a machine, which shows its key for a nonce of [ToTieBrowser], a code good once within ten minutes: the browser at which it is
// used becomes one of that device. Errors: outcome.Login (the machine does not prove itself); outcome.Forbidden (the device is lost).
func (s *Store) TieBrowser(ctx context.Context, device string, from Arrival) (DeviceCode, error) {
	point, err := s.readProof(from.Proof, ToTieBrowser(device))
	if err != nil {
		return DeviceCode{}, errMachine
	}
	m, err := s.machineOf(s.db.Reader(), device)
	if err != nil {
		return DeviceCode{}, err
	}
	if !bytes.Equal(m.point, point) {
		return DeviceCode{}, errMachine
	}
	d, err := s.deviceOf(s.db.Reader(), device)
	if err != nil {
		return DeviceCode{}, err
	}
	var told deviceTold
	if err := openJSON(s.box, aad("device", d.id), d.sealed, &told); err != nil {
		return DeviceCode{}, err
	}
	return s.tieCode(ctx, audit.Agent{Job: "device-report", Address: addressOf(from), Zone: from.Zone}, device, told.Name, told.By)
}

func (s *Store) tieCode(ctx context.Context, agent audit.Agent, device, name, by string) (DeviceCode, error) {
	return s.newDeviceCode(ctx, agent, device, deviceTold{Name: name, By: by, Ties: true}, browserCodeFor, "for a browser of device "+device)
}
