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

// lasting is the request of `client token`.
type lasting struct {
	Client string
	JSON   bool
}

func clientToken(ctx context.Context, l *line) error {
	var c server.Config
	var r lasting
	l.installation(&c)
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	var err error
	if r.Client, err = l.parseOne("client"); err != nil {
		return err
	}
	return carryOut(ctx, c, "client-token", r, l.out)
}

func giveToken(ctx context.Context, s *server.Server, r lasting, out *bytes.Buffer) error {
	token, until, err := s.Persons.ProvisioningToken(ctx, commandLine, r.Client)
	if outcome.Is(err, outcome.NotFound) {
		return outcome.New(outcome.NotFound, "there is no active client of this id: one that waits is activated by another person first; `chartwarden client list` shows them")
	}
	if err != nil {
		return err
	}
	url := s.Config.PublicURL + "/scim/v2"
	if r.JSON {
		return writeJSON(out, struct {
			Client string    `json:"client"`
			Token  string    `json:"token"`
			URL    string    `json:"url"`
			Until  time.Time `json:"until"`
		}{r.Client, token, url, until})
	}
	fmt.Fprintf(out, "%s\nFor the directory, with the address %s. Good until %s, shown only now; the one before is dead.\n", token, url, until.Format("2 Jan 2006"))
	return nil
}

// mapping is the request of `client groups`.
type mapping struct {
	Client, Group, Role string
	Remove, JSON        bool
}

func clientGroups(ctx context.Context, l *line) error {
	var c server.Config
	var r mapping
	l.installation(&c)
	l.StringVar(&r.Group, "group", "", "`NAME` of a group, as the directory writes it; without, what is mapped is listed")
	l.StringVar(&r.Role, "role", "", "`ROLE` that whoever is in the group gets")
	l.BoolVar(&r.Remove, "remove", false, "the group gives this role no more")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	var err error
	if r.Client, err = l.parseOne("client"); err != nil {
		return err
	}
	if (r.Group == "") != (r.Role == "") {
		return outcome.New(outcome.Required, "give --group and --role together, or neither")
	}
	return carryOut(ctx, c, "client-groups", r, l.out)
}

func mapGroups(ctx context.Context, s *server.Server, r mapping, out *bytes.Buffer) error {
	maps, err := s.Persons.Mapped(ctx, r.Client)
	if err == nil && r.Group != "" {
		if strings.HasPrefix(r.Client, identity.ProviderSource) {
			maps, err = s.Persons.MapProvider(ctx, commandLine, r.Client, r.Group, r.Role, r.Remove)
		} else {
			var c identity.Client
			c, err = s.Persons.MapGroup(ctx, commandLine, r.Client, r.Group, r.Role, r.Remove)
			maps = c.Maps
		}
		if err == nil {
			err = s.Staffing.BringUp(ctx, commandLine, r.Client)
		}
	}
	if err != nil {
		return asFlag(err)
	}
	type row struct {
		Group string    `json:"group"`
		Role  string    `json:"role"`
		By    string    `json:"by,omitempty"`
		Since time.Time `json:"since"`
	}
	rows := []row{}
	for _, m := range maps {
		rows = append(rows, row{m.Group, m.Role, m.By, m.Since})
		if !r.JSON {
			fmt.Fprintf(out, "%-32s %-18s since %s\n", m.Group, m.Role, m.Since.Format("2 Jan 2006"))
		}
	}
	if r.JSON {
		return writeJSON(out, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(out, "No group gives a role.")
	}
	return nil
}
