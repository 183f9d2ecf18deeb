package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"chartwarden/internal/hospital"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/web"
)

// back is how far before now a demonstration begins: half a day of accesses has happened when it opens.
const back = 13 * time.Hour

// demo runs a hospital that does not exist, seeded through the real door.
func demo(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.listening(&c)
	seed := l.Uint64("seed", 1, "`N`: another number is another hospital")
	size := l.String("size", "small", "`SIZE`: small, medium or large")
	if err := l.parse(); err != nil {
		return err
	}
	if !hospital.Size(*size).Valid() {
		return outcome.New(outcome.Value, "choose --size small, medium or large").At("--size")
	}
	if c.Data == "" {
		dir, err := os.MkdirTemp("", "chartwarden-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.Data = dir
	}
	if c.TimeZone == "" {
		c.TimeZone = time.Local.String() // the people who try it read their own clock
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return outcome.New(outcome.Invalid, "name a time zone of the IANA database, for example Europe/Vienna").At("--time-zone")
	}
	now := time.Now()
	world := hospital.Generate(hospital.Options{Seed: *seed, Size: hospital.Size(*size), Now: now, Zone: zone})
	fmt.Fprintf(os.Stderr, "%s: %d patients, %d staff\n", world.Name, world.Patients, len(world.Staff))
	fresh := false
	if err := server.Init(ctx, c, true); err == nil {
		fresh = true
	} else if !outcome.Is(err, outcome.Conflict) {
		return err
	}
	clock := &hospital.Clock{}
	if fresh {
		clock.Set(now.Add(-back))
	}
	seat := &hospital.Seat{Clock: clock, World: world}
	s, err := server.Open(ctx, c, server.Options{Logger: logger(), Now: clock.Now, Demo: true, Hospital: world.Name, Commands: controlled,
		DemoList: func() []web.DemoPerson { return starters(seat) }, DemoSeat: seat.Sit, DemoFrom: seat.Seated})
	if err != nil {
		return err
	}
	defer s.Close()
	if !s.Sandbox() {
		return outcome.New(outcome.Conflict, "this directory holds a real installation: a demonstration never touches one").At("--data")
	}
	seat.Gate, seat.Trail = s.Gate, s.Persons
	var progress func(stored, of int)
	screen := terminal()
	if screen != nil {
		progress = func(stored, of int) { fmt.Fprintf(screen, "\rtoday: %d of %d records", stored, of) }
	}
	if err := seat.Take(ctx, progress); err != nil {
		return err
	}
	if screen != nil {
		fmt.Fprintln(screen)
	}
	if fresh {
		if err := seat.PlayPast(ctx); err != nil {
			return err
		}
	}
	clock.Release()
	fmt.Fprintf(os.Stderr, "today is in: %.1f s\n", time.Since(now).Seconds())
	running, stop := context.WithCancel(ctx)
	defer stop()
	behind := make(chan struct{})
	go func() {
		defer close(behind)
		if err := seat.LoadBehind(running, nil); err != nil && running.Err() == nil {
			logger().Error("the rest of the hospital could not be loaded", "error", err)
			return
		}
		if running.Err() == nil {
			fmt.Fprintf(os.Stderr, "chartwarden: all %d patients are in\n", world.Patients)
			if err := seat.Live(running); err != nil {
				logger().Error("the day stopped", "error", err)
			}
		}
	}()
	err = s.Serve(ctx, func(url string) {
		welcome(l.out, reachable(s.Config.PublicURL, url), seat)
		fmt.Fprintln(os.Stderr, "chartwarden: listening on "+url)
	})
	stop()
	<-behind
	return err
}

// welcome prints where to go and who can sign in.
func welcome(out io.Writer, url string, seat *hospital.Seat) {
	fmt.Fprintf(out, "\nOpen %s and choose a person, or sign in by name, password and a code of the secret:\n\n", url)
	for _, key := range seat.World.Cast {
		p, _ := seat.World.Person(key)
		c, ok := seat.Credentials[key]
		if !ok {
			continue // an installation that was here before keeps its credentials
		}
		fmt.Fprintf(out, "  %-16s %-22s %-22s password %-24s TOTP secret %s\n", p.Roles[0], p.Name, key, c.Password, c.Secret)
	}
	if len(seat.Credentials) == 0 {
		fmt.Fprintln(out, "  This hospital was here before and keeps its passwords: choose a person on the first page, or name a new --data DIR.")
	}
	fmt.Fprintln(out, "\nInvented people, no real care. Ctrl-C ends it.")
}

// reachable is the public address with the port that was found, where any free one was asked for.
func reachable(public, listening string) string {
	host, any := strings.CutSuffix(public, ":0")
	if !any {
		return public
	}
	return host + listening[strings.LastIndex(listening, ":"):]
}

// starters are the cast, as the one-touch page offers them.
func starters(seat *hospital.Seat) []web.DemoPerson {
	icons := map[string]string{identity.Physician: "stethoscope", identity.Nurse: "heart-pulse", identity.FrontDesk: "id-card", identity.Billing: "receipt-text",
		identity.Privacy: "shield-check", identity.Administrator: "settings", identity.Patient: "user"}
	try := map[string]string{
		identity.Physician:     "Open a chart from My day; then find a stranger and meet the closed chart.",
		identity.Nurse:         "See who is yours this shift, and why.",
		identity.FrontDesk:     "Find a patient: no clinical word anywhere.",
		identity.Billing:       "Claims and coverage, nothing else.",
		identity.Privacy:       "Look at what nothing explains, and at the glass.",
		identity.Administrator: "People and the log, never a chart.",
		identity.Patient:       "See who looked at your chart, and why.",
	}
	var out []web.DemoPerson
	for _, key := range seat.World.Cast {
		w, _ := seat.World.Person(key)
		p, ok := seat.Person(key)
		if !ok {
			continue
		}
		role, capacity := w.Roles[0], identity.StaffCapacity
		if role == identity.Patient {
			capacity = identity.PatientCapacity
		}
		title := w.Title
		if title == "" {
			title = "Patient"
		}
		out = append(out, web.DemoPerson{ID: p.ID, Name: w.Name, Role: title, Capacity: capacity, Icon: icons[role], Try: try[role]})
	}
	return out
}
