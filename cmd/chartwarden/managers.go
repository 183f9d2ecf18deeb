package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// reporting is the request of `person managers`: what a table of people says of managers and addresses, by identifiers of each.
type reporting struct{ Rows []reports }

type reports struct {
	IDs           []string
	Manager, Mail string
}

func personManagers(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	mapping := l.String("map", "", "`FILE` that says how the columns are called (docs/formats/foreign-logs.md)")
	name, err := l.parseOne("hr.csv")
	if err != nil {
		return err
	}
	m := foreign.StaffMapping()
	if *mapping != "" {
		text, err := os.ReadFile(*mapping)
		if err != nil {
			return outcome.New(outcome.NotFound, "the file of --map cannot be read")
		}
		if m, err = foreign.ParseStaff(*mapping, string(text)); err != nil {
			return err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return outcome.New(outcome.NotFound, "the table of people cannot be read: give its path")
	}
	defer f.Close()
	var r reporting
	_, err = foreign.Managers(name, f, m, time.Now().Unix(), func(x foreign.Reporting) {
		row := reports{Manager: x.Manager, Mail: x.Mail}
		for _, id := range x.IDs {
			row.IDs = append(row.IDs, id.Value)
		}
		r.Rows = append(r.Rows, row)
	}, func(line int, why string) { fmt.Fprintf(l.out, "line %d is left out: %s\n", line, why) })
	if err != nil {
		return err
	}
	return carryOut(ctx, c, "person-managers", r, l.out)
}

// setManagers writes down who answers for whom. A row is about the person whose sign-in name or id one of its identifiers is; its manager
// is named by an identifier of another row, or is a sign-in name or id. What the table does not say stays as it is.
func setManagers(ctx context.Context, s *server.Server, r reporting, out *bytes.Buffer) error {
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	known, by := map[string]identity.Person{}, map[string]identity.Person{}
	for _, p := range people {
		if p.Active {
			known[p.ID], known[strings.ToLower(p.SignInName)] = p, p
		}
	}
	find := func(ids ...string) (identity.Person, bool) {
		for _, id := range ids {
			if p, ok := known[strings.ToLower(id)]; ok && id != "" {
				return p, true
			}
		}
		return identity.Person{}, false
	}
	for _, row := range r.Rows {
		if p, ok := find(row.IDs...); ok {
			for _, id := range row.IDs {
				by[id] = p
			}
		}
	}
	set, nobody, lost := 0, 0, 0
	for _, row := range r.Rows {
		p, ok := find(row.IDs...)
		if !ok {
			nobody++
			continue
		}
		var change identity.Change
		if m, ok := by[row.Manager]; ok {
			change.Manager = &m.ID
		} else if m, ok := find(row.Manager); ok {
			change.Manager = &m.ID
		} else if row.Manager != "" {
			lost++
		}
		if row.Mail != "" {
			change.Mail = &row.Mail
		}
		if change.Manager == nil && change.Mail == nil {
			continue
		}
		if _, _, err := s.Persons.Change(ctx, commandLine, p.ID, change); err != nil {
			if outcome.Is(err, outcome.Value) {
				fmt.Fprintf(out, "%s: %v\n", p.ID, err)
				continue
			}
			return err
		}
		set++
	}
	fmt.Fprintf(out, "%d people have what the table says. %d rows are about nobody here; %d name a manager who is not here.\n", set, nobody, lost)
	return nil
}
