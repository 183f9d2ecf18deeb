package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// newcomer is the request of `person add`.
type newcomer struct {
	identity.NewPerson
	Test, JSON bool
}

func personAdd(ctx context.Context, l *line) error {
	var c server.Config
	var n newcomer
	var roles many
	l.installation(&c)
	l.StringVar(&n.Name, "name", "", "`NAME`, as people say it")
	l.StringVar(&n.SignInName, "sign-in-name", "", "`NAME` typed to sign in; without, one is made from the name")
	l.Var(&roles, "role", "`ROLE`, repeatable: "+strings.Join(identity.Roles(), " ")+"; without, a person who may do nothing")
	l.StringVar(&n.House, "house-role", "", "`NAME` of a role of the house, which narrows the roles")
	l.StringVar(&n.Practitioner, "practitioner", "", "`Practitioner/ID` of a member of staff")
	l.StringVar(&n.Patient, "patient", "", "`Patient/ID` of the own chart; the role patient needs it")
	l.StringVar(&n.Department, "department", "", "`NAME` of the department, for lists")
	l.StringVar(&n.Manager, "manager", "", "`ID` of the person who answers for the work")
	l.StringVar(&n.Mail, "mail", "", "`ADDRESS` at work, for a word that a question waits")
	l.BoolVar(&n.Test, "test-credentials", false, "a sandbox only: print JSON with a password and a TOTP secret")
	l.BoolVar(&n.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if n.Name == "" {
		return outcome.New(outcome.Required, "name the person: "+l.Name()+" "+l.command.form)
	}
	n.Roles = roles
	return carryOut(ctx, c, "person-add", n, l.out)
}

func addPerson(ctx context.Context, s *server.Server, n newcomer, out *bytes.Buffer) error {
	n.TrainingDue = s.Now().AddDate(1, 0, 0)
	if n.Test {
		made, err := s.Persons.CreateForTest(ctx, commandLine, n.NewPerson)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(made)
	}
	p, pending, err := s.Persons.Create(ctx, commandLine, n.NewPerson)
	if err != nil {
		return err
	}
	link, err := s.Persons.Invite(ctx, commandLine, p.ID)
	if err != nil {
		return err
	}
	url, item := s.Config.PublicURL+"/enrol/"+link.Token, ""
	if pending != nil {
		item = pending.ID
	}
	if n.JSON {
		return writeJSON(out, struct {
			Person     string    `json:"person"`
			SignInName string    `json:"sign_in_name"`
			State      string    `json:"state"`
			Item       string    `json:"item,omitempty"` // waits for a second person
			Link       string    `json:"enrolment_link"`
			Expires    time.Time `json:"expires"`
		}{p.ID, p.SignInName, string(p.State), item, url, link.Expires})
	}
	fmt.Fprintf(out, "%s %s\n", p.ID, p.SignInName)
	if item != "" {
		fmt.Fprintf(out, "Waits until another person activates it (People, item %s).\n", item)
	}
	fmt.Fprintf(out, "One-time enrolment link, until %s:\n%s\n", link.Expires.Format("2 Jan 15:04"), url)
	return nil
}

func listPeople(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	type entry struct {
		Person       string   `json:"person"`
		Name         string   `json:"name"`
		SignInName   string   `json:"sign_in_name"`
		Roles        []string `json:"roles"`
		State        string   `json:"state"`
		Practitioner string   `json:"practitioner,omitempty"`
		Patient      string   `json:"patient,omitempty"`
		Manager      string   `json:"manager,omitempty"`
	}
	list := []entry{}
	for _, p := range people {
		list = append(list, entry{p.ID, p.Name, p.SignInName, append([]string{}, p.Roles...), string(p.State), p.Practitioner, p.Patient, p.Manager})
		if !asJSON {
			fmt.Fprintf(out, "%-18s %-8s %-24s %-28s %s\n", p.ID, p.State, p.SignInName, p.Name, strings.Join(p.Roles, " "))
		}
	}
	if asJSON {
		return writeJSON(out, list)
	}
	return nil
}

// leaver is the request of `person terminate`.
type leaver struct {
	Person, Reason string
	JSON           bool
}

func personTerminate(ctx context.Context, l *line) error {
	var c server.Config
	var r leaver
	l.installation(&c)
	l.StringVar(&r.Reason, "reason", "", "`TEXT`: why, in a few words")
	l.BoolVar(&r.JSON, "json", false, "the certificate as JSON, signed by the installation")
	var err error
	if r.Person, err = l.parseOne("person"); err != nil {
		return err
	}
	if strings.TrimSpace(r.Reason) == "" {
		return outcome.New(outcome.Required, "a termination needs a reason: give --reason TEXT")
	}
	return carryOut(ctx, c, "person-terminate", r, l.out)
}

func terminate(ctx context.Context, s *server.Server, r leaver, out *bytes.Buffer) error {
	c, err := s.Staffing.End(ctx, commandLine, r.Person, r.Reason)
	if err != nil {
		return unknownPerson(err)
	}
	return writeCertificate(out, c, r.JSON)
}

func personUnlock(ctx context.Context, l *line) error {
	var c server.Config
	l.installation(&c)
	id, err := l.parseOne("person")
	if err != nil {
		return err
	}
	return carryOut(ctx, c, "person-unlock", id, l.out)
}

func unlock(ctx context.Context, s *server.Server, id string, out *bytes.Buffer) error {
	if err := s.Persons.LiftThrottle(ctx, commandLine, id); err != nil {
		return unknownPerson(err)
	}
	fmt.Fprintf(out, "%s can sign in again at once.\n", id)
	return nil
}

// unknownPerson says where ids are found.
func unknownPerson(err error) error {
	if outcome.Is(err, outcome.NotFound) {
		return outcome.New(outcome.NotFound, "there is no such person; `chartwarden person list` shows the ids")
	}
	return err
}
