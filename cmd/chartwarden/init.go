package main

import (
	"context"
	"fmt"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// initialise asks nothing: what it needs stands in flags, and what must stay secret in files.
func initialise(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	l.setting(&c.PublicURL, "public-url", "`URL` as browsers will see this server")
	admin := l.String("admin", "Administrator", "`NAME` of the first administrator")
	practice := l.Bool("practice", false, "this site is a practice of fewer than 15 clinicians: everybody who treats opens the charts of patients seen or booked within 24 months")
	sandbox := l.Bool("sandbox", false, "for trials: test credentials, no second persons, this machine only; never changed later")
	if err := l.parse(); err != nil {
		return err
	}
	if strings.TrimSpace(*admin) == "" || len(*admin) > 200 {
		return outcome.New(outcome.Required, "name the first administrator: --admin NAME, of at most 200 bytes")
	}
	if err := server.Init(ctx, c, *sandbox); err != nil {
		return err
	}
	s, err := server.Open(ctx, c, server.Options{Logger: logger()})
	if err != nil {
		return err
	}
	defer s.Close()
	first, _, err := s.Persons.Create(ctx, commandLine, identity.NewPerson{Name: *admin, Roles: []string{identity.Administrator}, TrainingDue: s.Now().AddDate(1, 0, 0)})
	if err != nil {
		return err
	}
	if *practice {
		if err := s.Gate.DeclarePractice(ctx, access.Job(access.Operator), ""); err != nil {
			return err
		}
	}
	link, err := s.Persons.Invite(ctx, commandLine, first.ID)
	if err != nil {
		return err
	}
	kind := "Installation"
	if *sandbox {
		kind = "Sandbox"
	}
	fmt.Fprintf(l.out, "%s made in %s.\n", kind, c.Data)
	if *practice {
		fmt.Fprintln(l.out, "This site is a practice. Name somebody from outside who looks at what its officers open: chartwarden practice declare --reviewer PERSON --reason TEXT")
	}
	fmt.Fprintf(l.out, "Start it:  chartwarden serve --data %s%s\n", c.Data, inDatabase(c.Database))
	fmt.Fprintf(l.out, "or, to watch another record system: chartwarden watch --data %s%s --incoming DIR --context DIR\n", c.Data, inDatabase(c.Database))
	fmt.Fprintf(l.out, "Then open this link once, until %s, to make the first administrator's passkey, or password and authenticator:\n%s/enrol/%s\n",
		link.Expires.Format("2 Jan 15:04"), s.Config.PublicURL, link.Token)
	return s.Close()
}

// inDatabase is the flag that a command needs for an installation in a database; its password stays unsaid.
func inDatabase(url string) string {
	if url == "" {
		return ""
	}
	return " --database URL"
}
