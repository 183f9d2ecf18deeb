package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// deviceAct is the request of the commands of `device` about one device.
type deviceAct struct{ Device, Name, Reason string }

func deviceRegister(ctx context.Context, l *line) error {
	var c server.Config
	var r deviceAct
	l.installation(&c)
	l.StringVar(&r.Name, "name", "", "`NAME` of a new device: where it stands, for example")
	l.StringVar(&r.Device, "device", "", "`ID` of one that is registered anew: it was found, or its browser lost its key")
	if err := l.parse(); err != nil {
		return err
	}
	return carryOut(ctx, c, "device-register", r, l.out)
}

func registerDevice(ctx context.Context, s *server.Server, r deviceAct, out *bytes.Buffer) error {
	code, err := s.Persons.MakeDeviceCode(ctx, commandLine, r.Device, r.Name)
	if err != nil {
		return unknownDevice(err)
	}
	fmt.Fprintf(out, "Open this at the device itself, %s; it works once, until %s:\n%s/device/%s\n", code.Name, code.Expires.Format("2 Jan 15:04"), s.Config.PublicURL, code.Token)
	return nil
}

func deviceLost(ctx context.Context, l *line) (err error) {
	var c server.Config
	var r deviceAct
	l.installation(&c)
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: what happened, in a few words")
	if r.Device, err = l.parseOne("device"); err != nil {
		return err
	}
	return carryOut(ctx, c, "device-lost", r, l.out)
}

func loseDevice(ctx context.Context, s *server.Server, r deviceAct, out *bytes.Buffer) error {
	n, err := s.Persons.LoseDevice(ctx, commandLine, r.Device, r.Reason)
	if err == nil {
		fmt.Fprintf(out, "%s is lost: %d sessions ended, and nobody signs in at it until it is registered anew.\n", r.Device, n)
	}
	return unknownDevice(err)
}

func deviceRetire(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	id, err := l.parseOne("device")
	if err != nil {
		return err
	}
	return carryOut(ctx, c, "device-retire", deviceAct{Device: id}, l.out)
}

func retireDevice(ctx context.Context, s *server.Server, r deviceAct, out *bytes.Buffer) error {
	err := s.Persons.RetireDevice(ctx, commandLine, r.Device)
	if err == nil {
		fmt.Fprintf(out, "%s is out of service and counts as unknown.\n", r.Device)
	}
	return unknownDevice(err)
}

func listDevices(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	devices, err := s.Persons.Devices(ctx)
	if err != nil {
		return err
	}
	type entry struct {
		Device  string         `json:"device"`
		Name    string         `json:"name"`
		State   string         `json:"state"`
		Seen    string         `json:"seen,omitempty"`
		Trust   string         `json:"trust"`
		Posture *listedPosture `json:"posture,omitempty"`
	}
	list := []entry{}
	for _, d := range devices {
		e := entry{Device: d.ID, Name: d.Name, State: d.State}
		if !d.Seen.IsZero() {
			e.Seen = stamped(d.Seen)
		}
		if e.Trust = "unknown"; d.Managed() {
			e.Trust = identity.DeviceManaged
		} else if d.State == identity.DeviceRegistered {
			e.Trust = identity.DeviceRegistered
		}
		if d.Last != nil {
			e.Posture = &listedPosture{d.Last.System, d.Last.Disk, int(d.Last.Lock / time.Second), d.Last.LockBy, stamped(d.Last.Updated), stamped(d.Last.Started), stamped(d.Last.Came), d.Last.Lacks}
		}
		list = append(list, e)
		if !asJSON {
			state := e.State
			if e.Trust == identity.DeviceManaged {
				state = e.Trust
			}
			fmt.Fprintf(out, "%-18s %-10s %-20s %s\n", e.Device, state, e.Seen, e.Name)
			if d.Last != nil && d.State == identity.DeviceRegistered && len(d.Last.Lacks) > 0 {
				fmt.Fprintf(out, "%-18s not managed: %s\n", "", strings.Join(d.Last.Lacks, "; "))
			}
		}
	}
	if asJSON {
		return writeJSON(out, list)
	}
	return nil
}

// listedPosture is what a machine last reported.
type listedPosture struct {
	System  string   `json:"system"`
	Disk    string   `json:"disk"`
	Lock    int      `json:"lock"` // seconds; 0: none
	LockBy  string   `json:"lock_by,omitempty"`
	Updated string   `json:"updated,omitempty"`
	Started string   `json:"started"`
	Came    string   `json:"came"`
	Lacks   []string `json:"lacks,omitempty"`
}

func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// unknownDevice says where ids are found.
func unknownDevice(err error) error {
	if outcome.Is(err, outcome.NotFound) {
		return outcome.New(outcome.NotFound, "there is no such device; `chartwarden device list` shows the ids")
	}
	return err
}
