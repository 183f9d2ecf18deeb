package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
)

// program is the request of `client add`.
type program struct {
	identity.NewClient
	JSON bool
}

// each is a flag that may be repeated; commas are part of its value, as they may be of an address.
type each []string

func (e *each) String() string { return strings.Join(*e, " ") }

// Set adds s.
func (e *each) Set(s string) error {
	*e = append(*e, s)
	return nil
}

func clientAdd(ctx context.Context, l *line) error {
	var c server.Config
	var p program
	var redirects each
	l.installation(&c)
	l.StringVar(&p.ID, "id", "", "`ID` that the program calls itself by: letters, digits, dots, dashes, underscores")
	l.StringVar(&p.Name, "name", "", "`NAME`, as people read it before they let it in")
	jwks := l.String("jwks", "", "`FILE` with its public keys, a JWK Set: ES384 (P-384) or RS384 (RSA); without, a public app")
	l.Var(&redirects, "redirect", "`URI` that people come back to, repeatable; without, a backend service")
	l.StringVar(&p.Scope, "scope", "", "`SCOPES` that it can be granted at most, with spaces between: \"system/Observation.rs\"; scim: a directory that keeps people and reads no record")
	l.StringVar(&p.Owner, "owner", "", "`PERSON` who answers for it, by id")
	l.BoolVar(&p.FirstParty, "first-party", false, "an app of this house: people may break the glass through it")
	l.BoolVar(&p.JSON, "json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	for name, value := range map[string]string{"--id": p.ID, "--name": p.Name, "--scope": p.Scope, "--owner": p.Owner} {
		if strings.TrimSpace(value) == "" {
			return outcome.New(outcome.Required, "give "+name+": "+l.Name()+" "+l.command.form)
		}
	}
	p.Redirects = redirects
	if *jwks != "" {
		keys, err := os.ReadFile(*jwks)
		if err != nil {
			return outcome.Wrap("client add", outcome.NotFound, "the key file cannot be read: check --jwks", err)
		}
		if !bytes.HasPrefix(bytes.TrimSpace(keys), []byte("{")) {
			return outcome.New(outcome.Value, `the key file is no JWK Set: {"keys":[...]} with public keys`).At("--jwks")
		}
		p.Keys = bytes.TrimSpace(keys)
	}
	return carryOut(ctx, c, "client-add", p, l.out)
}

// asFlag names the flag that a fault of a registration is about.
func asFlag(err error) error {
	var o *outcome.Error
	if e, ok := err.(*outcome.Error); ok {
		o = e
	}
	if o == nil || o.Expression == "" || strings.HasPrefix(o.Expression, "-") {
		return err
	}
	return o.At("--" + o.Expression)
}

func addClient(ctx context.Context, s *server.Server, p program, out *bytes.Buffer) error {
	made, pending, err := s.Persons.RegisterClient(ctx, commandLine, p.NewClient)
	if err != nil {
		return asFlag(err)
	}
	item := ""
	if pending != nil {
		item = pending.ID
	}
	if p.JSON {
		entry := entryOf(made)
		entry.Item, entry.Token = item, s.Config.PublicURL+"/oauth/token"
		return writeJSON(out, entry)
	}
	fmt.Fprintf(out, "%s %s\n", made.ID, kindOf(made))
	if item != "" {
		fmt.Fprintf(out, "Waits until another person activates it, within an hour (People, item %s).\n", item)
	}
	if made.Provisions() {
		fmt.Fprintf(out, "Its token: chartwarden client token %s. Which groups give roles: chartwarden client groups %s\n", made.ID, made.ID)
		return nil
	}
	fmt.Fprintf(out, "Scopes: %s\nUntil: %s\nDiscovery: %s/fhir/.well-known/smart-configuration\n", made.Scope, made.Ends.Format("2 Jan 2006"), s.Config.PublicURL)
	return nil
}

// clientEntry is a program as JSON.
type clientEntry struct {
	Client     string     `json:"client"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"` // app, backend
	Public     bool       `json:"public"`
	FirstParty bool       `json:"first_party"`
	State      string     `json:"state"`
	Owner      string     `json:"owner"`
	Scope      string     `json:"scope"`
	Redirects  []string   `json:"redirects"`
	Ends       time.Time  `json:"ends"`
	Used       *time.Time `json:"used,omitempty"` // when it last got a token
	Item       string     `json:"item,omitempty"` // waits for a second person
	Token      string     `json:"token_endpoint,omitempty"`
}

func entryOf(c identity.Client) clientEntry {
	kind := "app"
	switch {
	case c.Provisions():
		kind = "directory"
	case c.Backend():
		kind = "backend"
	}
	return clientEntry{Client: c.ID, Name: c.Name, Kind: kind, Public: c.Public(), FirstParty: c.FirstParty, State: string(c.State), Owner: c.Owner, Scope: c.Scope,
		Redirects: append([]string{}, c.Redirects...), Ends: c.Ends}
}

func kindOf(c identity.Client) string {
	switch {
	case c.Provisions():
		return "directory"
	case c.Backend():
		return "backend service"
	case c.FirstParty:
		return "app of this house"
	case c.Public():
		return "public app"
	}
	return "confidential app"
}

func listClients(ctx context.Context, s *server.Server, asJSON bool, out *bytes.Buffer) error {
	clients, err := s.Persons.Clients(ctx)
	if err != nil {
		return err
	}
	used, err := s.Persons.ClientsUsed(ctx)
	if err != nil {
		return err
	}
	people, err := s.Persons.People(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, p := range people {
		names[p.ID] = p.Name
	}
	list := []clientEntry{}
	for _, c := range clients {
		e, last := entryOf(c), "no token yet"
		if at, ok := used[c.ID]; ok {
			e.Used, last = &at, "last token "+at.Format("2 Jan 2006 15:04")
		}
		list = append(list, e)
		if !asJSON {
			fmt.Fprintf(out, "%-24s %-8s %-18s %s\n%-24s %s\n%-24s %s answers for it until %s, %s\n", c.ID, c.State, kindOf(c), c.Name, "", c.Scope, "", cmp.Or(names[c.Owner], c.Owner), c.Ends.Format("2 Jan 2006"), last)
		}
	}
	if asJSON {
		return writeJSON(out, list)
	}
	return nil
}

// revoked is the request of `client revoke`.
type revoked struct {
	Client, Reason string
	JSON           bool
}

func clientRevoke(ctx context.Context, l *line) error {
	var c server.Config
	var r revoked
	l.installation(&c)
	l.StringVar(&r.Reason, "reason", "revoked on the command line", "`TEXT`: why, in a few words")
	l.BoolVar(&r.JSON, "json", false, "as JSON")
	var err error
	if r.Client, err = l.parseOne("client"); err != nil {
		return err
	}
	return carryOut(ctx, c, "client-revoke", r, l.out)
}

func revokeClient(ctx context.Context, s *server.Server, r revoked, out *bytes.Buffer) error {
	cut, err := s.Persons.RevokeClient(ctx, commandLine, r.Client, r.Reason)
	if outcome.Is(err, outcome.NotFound) {
		return outcome.New(outcome.NotFound, "there is no such client; `chartwarden client list` shows the ids")
	}
	if err != nil {
		return err
	}
	if r.JSON {
		return writeJSON(out, struct {
			Client string `json:"client"`
			Cut    int    `json:"authorizations_cut"`
		}{r.Client, cut})
	}
	fmt.Fprintf(out, "%s is revoked. Authorizations cut: %d.\n", r.Client, cut)
	return nil
}

// takenOver is the request of `client owner`.
type takenOver struct{ Client, Owner string }

func clientOwner(ctx context.Context, l *line) error {
	var c server.Config
	var r takenOver
	l.installation(&c)
	l.StringVar(&r.Owner, "owner", "", "`PERSON` who answers for it from now on, by id")
	var err error
	if r.Client, err = l.parseOne("client"); err != nil {
		return err
	}
	if r.Owner == "" {
		return outcome.New(outcome.Required, "give --owner: "+l.Name()+" "+l.command.form)
	}
	return carryOut(ctx, c, "client-owner", r, l.out)
}

func ownClient(ctx context.Context, s *server.Server, r takenOver, out *bytes.Buffer) error {
	item, err := s.Persons.TakeOver(ctx, commandLine, r.Client, r.Owner)
	if outcome.Is(err, outcome.NotFound) && asFlag(err) == err {
		return outcome.New(outcome.NotFound, "there is no such client; `chartwarden client list` shows the ids")
	}
	if err != nil {
		return asFlag(err)
	}
	if item != nil {
		fmt.Fprintf(out, "Waits until another person approves it (People, item %s). Until then nothing changes.\n", item.ID)
		return nil
	}
	fmt.Fprintf(out, "%s is answered for by %s, for a year from now.\n", r.Client, r.Owner)
	return nil
}
