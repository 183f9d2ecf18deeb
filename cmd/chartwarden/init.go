package main

import (
	"context"
	"fmt"
	"io"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server"
)

func initialise(ctx context.Context, args []string, out io.Writer) error {
	var c server.Config
	fs := flags("init", &c)
	admin := fs.String("admin", "Administrator", "name of the first administrator")
	sandbox := fs.Bool("sandbox", false, "an installation for trials: test credentials, loopback only, at most 5,000 patients")
	publicURL := fs.String("public-url", "", "as browsers will see this server")
	if err := parse(fs, args, false); err != nil {
		return err
	}
	c.PublicURL = *publicURL
	if err := server.Init(ctx, c, *sandbox); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	by := audit.Agent{Job: "init"}
	first, _, err := s.Persons.Create(ctx, by, identity.NewPerson{Name: *admin, Roles: []string{identity.Administrator}})
	if err != nil {
		return err
	}
	link, err := s.Persons.Invite(ctx, by, first.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Installation made in %s.\n", c.Data)
	fmt.Fprintf(out, "Start it:  chartwarden serve --data %s\n", c.Data)
	fmt.Fprintf(out, "Then open this link once, until %s, to set the first administrator's password and authenticator:\n%s/enrol/%s\n",
		link.Expires.Format("2 Jan 15:04"), s.Config.PublicURL, link.Token)
	return s.Close()
}
