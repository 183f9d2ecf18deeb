package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/staffing"
)

// recertifying is the request of `recertify start`.
type recertifying struct {
	Days                int
	Owners              []string
	Manager, Department string
	JSON                bool
}

func recertifyStart(ctx context.Context, l *line) error {
	var c server.Config
	var r recertifying
	l.installation(&c)
	l.IntVar(&r.Days, "days", 14, "until when it is to be answered, `N` days from now")
	l.Var((*each)(&r.Owners), "owner", "`PERSON`, by id, who answers for whoever has no manager who can; repeat it, so that nobody answers for herself")
	l.StringVar(&r.Manager, "manager", "", "only about the people of this `PERSON`, by id")
	l.StringVar(&r.Department, "department", "", "only about the people of this department, by its `NAME`")
	l.BoolVar(&r.JSON, "json", false, "machine-readable")
	if err := l.parse(); err != nil {
		return err
	}
	return carryOut(ctx, c, "recertify-start", r, l.out)
}

func startRecertification(ctx context.Context, s *server.Server, r recertifying, out *bytes.Buffer) error {
	x, err := s.Staffing.Recertify(ctx, commandLine, staffing.Recertifying{Due: time.Now().AddDate(0, 0, r.Days), Owners: r.Owners, Manager: r.Manager, Department: r.Department})
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(out, map[string]any{"recertification": x.ID, "asks": x.Asks, "due": x.Due})
	}
	fmt.Fprintf(out, "%s asks about %d roles, clearances and words until %s.\n", x.ID, x.Asks, x.Due.Format(time.RFC3339))
	return nil
}

// recertificationEntry is one line of `recertify list`.
type recertificationEntry struct {
	ID      string         `json:"recertification"`
	Started time.Time      `json:"started"`
	Due     time.Time      `json:"due"`
	People  int            `json:"people"`
	Open    int            `json:"open"`
	Kept    int            `json:"kept"`
	Taken   int            `json:"taken"`
	Lapsed  int            `json:"lapsed"`
	Moot    int            `json:"moot"`
	Waiting map[string]int `json:"waiting"` // open answers by id of who is asked
}

func listRecertifications(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	all, err := s.Persons.Recertifications(ctx)
	if err != nil {
		return err
	}
	entries := []recertificationEntry{}
	for _, x := range all {
		p, err := s.Staffing.Progress(ctx, x.ID)
		if err != nil {
			return err
		}
		entries = append(entries, recertificationEntry{x.ID, x.Started, x.Due, p.People, p.Open, p.Kept, p.Taken, p.Lapsed, p.Moot, p.Waiting})
	}
	if asJSON {
		return writeJSON(out, entries)
	}
	if len(entries) == 0 {
		fmt.Fprintln(out, "Nobody was asked yet who still needs what: chartwarden recertify start asks.")
	}
	for _, e := range entries {
		fmt.Fprintf(out, "%s until %s: %d people, %d kept, %d taken away, %d lapsed, %d open\n", e.ID, e.Due.Format(time.DateOnly), e.People, e.Kept, e.Taken, e.Lapsed, e.Open)
		for id, n := range e.Waiting {
			who, err := s.Persons.Person(ctx, id)
			if err != nil && !outcome.Is(err, outcome.NotFound) {
				return err
			}
			fmt.Fprintf(out, "    waits for %s (%s): %d\n", who.Name, id, n)
		}
	}
	return nil
}
