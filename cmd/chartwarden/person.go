package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// person works on people: by itself on a stopped installation, through the running server otherwise.
func person(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return outcome.New(outcome.Required, "say what to do: person add, person list, person terminate PERSON or person unlock PERSON")
	}
	c, rest, err := dataFlag("person "+args[0], args[1:])
	if err != nil {
		return err
	}
	var text bytes.Buffer
	err = server.RunCommand(ctx, c, server.Options{Logger: logger()}, "person", personCommand, append([]string{args[0]}, rest...), &text)
	_, _ = out.Write(text.Bytes())
	return err
}

// dataFlag takes the installation's flags out of args; the rest belongs to the command, wherever it runs.
func dataFlag(name string, args []string) (server.Config, []string, error) {
	var c server.Config
	fs := flags(name, &c)
	var mine, rest []string
	for i := 0; i < len(args); i++ {
		flagName, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if strings.HasPrefix(args[i], "-") && fs.Lookup(flagName) != nil {
			mine = append(mine, args[i])
			if !joined && i+1 < len(args) {
				i++
				mine = append(mine, args[i])
			}
			continue
		}
		rest = append(rest, args[i])
	}
	return c, rest, parse(fs, mine, false)
}

// commandLine is who acts when nobody is signed in: whoever may read the key file. It is nobody's second person.
var commandLine = audit.Agent{Job: "command-line"}

func personCommand(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
	switch verb, args := args[0], args[1:]; verb {
	case "add":
		return personAdd(ctx, s, args, out)
	case "list":
		return personList(ctx, s, args, out)
	case "terminate":
		return personTerminate(ctx, s, args, out)
	case "unlock":
		if len(args) != 1 {
			return outcome.New(outcome.Required, "name the person: person unlock PERSON")
		}
		return s.Persons.LiftThrottle(ctx, commandLine, args[0])
	default:
		return outcome.New(outcome.Invalid, "there is no `person "+verb+"`; there are add, list, terminate and unlock")
	}
}

// many is a flag that may be repeated or hold commas.
type many []string

func (m *many) String() string     { return strings.Join(*m, ",") }
func (m *many) Set(s string) error { *m = append(*m, strings.Split(s, ",")...); return nil }

func personAdd(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
	var n identity.NewPerson
	var roles many
	fs := flag.NewFlagSet("chartwarden person add", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&n.Name, "name", "", "name, as people say it")
	fs.StringVar(&n.SignInName, "sign-in-name", "", "what the person types to sign in; empty: made from the name")
	fs.Var(&roles, "role", "role, repeatable: "+strings.Join(identity.Roles(), " "))
	fs.StringVar(&n.Practitioner, "practitioner", "", "Practitioner/ID of a member of staff")
	fs.StringVar(&n.Patient, "patient", "", "Patient/ID of the own chart")
	fs.StringVar(&n.Department, "department", "", "department, for lists")
	test := fs.Bool("test-credentials", false, "a sandbox only: print JSON with a password and a TOTP secret")
	if err := parse(fs, args, false); err != nil {
		return err
	}
	n.Roles = roles
	n.TrainingDue = s.Now().AddDate(1, 0, 0)
	if *test {
		made, err := s.Persons.CreateForTest(ctx, commandLine, n)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(made)
	}
	p, pending, err := s.Persons.Create(ctx, commandLine, n)
	if err != nil {
		return err
	}
	link, err := s.Persons.Invite(ctx, commandLine, p.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %s\n", p.ID, p.SignInName)
	if pending != nil {
		fmt.Fprintf(out, "Waits until another person activates it (People, item %s).\n", pending.ID)
	}
	fmt.Fprintf(out, "One-time enrolment link, until %s:\n%s/enrol/%s\n", link.Expires.Format("2 Jan 15:04"), s.Config.PublicURL, link.Token)
	return nil
}

func personList(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
	fs := flag.NewFlagSet("chartwarden person list", flag.ContinueOnError)
	fs.SetOutput(out)
	asJSON := fs.Bool("json", false, "as JSON")
	if err := parse(fs, args, false); err != nil {
		return err
	}
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	type line struct {
		Person       string   `json:"person"`
		Name         string   `json:"name"`
		Roles        []string `json:"roles"`
		State        string   `json:"state"`
		Practitioner string   `json:"practitioner,omitempty"`
	}
	list := []line{}
	for _, p := range people {
		list = append(list, line{p.ID, p.Name, p.Roles, string(p.State), p.Practitioner})
		if !*asJSON {
			fmt.Fprintf(out, "%-28s %-8s %-30s %s\n", p.ID, p.State, p.Name, strings.Join(p.Roles, " "))
		}
	}
	if *asJSON {
		return writeJSON(out, list)
	}
	return nil
}

func personTerminate(ctx context.Context, s *server.Server, args []string, out *bytes.Buffer) error {
	fs := flag.NewFlagSet("chartwarden person terminate", flag.ContinueOnError)
	fs.SetOutput(out)
	reason := fs.String("reason", "", "why, in a few words")
	asJSON := fs.Bool("json", false, "the certificate as JSON")
	var id string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		id, args = args[0], args[1:]
	}
	if err := parse(fs, args, true); err != nil {
		return err
	}
	if id == "" {
		id = fs.Arg(0)
	}
	if id == "" {
		return outcome.New(outcome.Required, "name the person: person terminate PERSON --reason TEXT")
	}
	certificate, err := s.Persons.Terminate(ctx, commandLine, id, *reason)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(out, certificate)
	}
	fmt.Fprintf(out, "Ended: %s (%s), %s\nReason: %s\nSessions cut: %d. Credentials removed: %d. Links revoked: %d. Drafts dropped: %d.\nAudit entry: %s\nAccess must be gone everywhere by %s; partners must know by %s.\n",
		certificate.Name, certificate.Person, certificate.Terminated.Format(time.RFC1123), certificate.Reason, len(certificate.Sessions),
		certificate.CredentialsRemoved, certificate.LinksRevoked, certificate.DraftsDropped, certificate.Entry,
		certificate.CutBy.Format(time.RFC1123), certificate.NotifyBy.Format(time.RFC1123))
	return nil
}
