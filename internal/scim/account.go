package scim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"

	"golang.org/x/text/unicode/norm"
)

// kept are the attributes of a person that are stored as they were sent; everything else a directory knows is none of this server's business.
var kept = []string{"userName", "externalId", "name", "displayName", "title", "emails", enterprise}

// keep takes from a resource what is stored, under the names of the schema.
func keep(resource map[string]any, names []string) map[string]any {
	out := map[string]any{}
	for _, name := range names {
		if v := lookUp(resource, name); v != nil {
			out[name] = single(name, v)
		}
	}
	return out
}

func text(v any) string {
	s, _ := one(v).(string)
	return strings.TrimSpace(norm.NFC.String(s))
}

// facts are what a resource says about a person.
type facts struct {
	key, signIn, name, mail, department, manager string
	active                                       *bool
	body                                         map[string]any
}

// read checks a resource and takes out what is known here.
func read(resource map[string]any) (facts, error) {
	f := facts{body: keep(resource, kept)}
	login := text(lookUp(resource, "userName"))
	if login == "" {
		return f, refuse(400, "invalidValue", "userName is missing")
	}
	f.key = "name:" + strings.ToLower(login)
	if id := text(lookUp(resource, "externalId")); id != "" {
		f.key = "id:" + id
	}
	if len(f.key) > 512 || len(login) > 512 {
		return f, refuse(400, "invalidValue", "userName and externalId have at most 500 bytes")
	}
	f.signIn = signInName(login)
	name, _ := lookUp(resource, "name").(map[string]any)
	f.name = cmp.Or(text(lookUp(resource, "displayName")), text(lookUp(name, "formatted")), strings.TrimSpace(text(lookUp(name, "givenName"))+" "+text(lookUp(name, "familyName"))), login)
	for _, e := range list(lookUp(resource, "emails")) {
		object, ok := e.(map[string]any)
		if !ok { // some write the bare address
			object = map[string]any{"value": e}
		}
		if value := text(lookUp(object, "value")); f.mail == "" || lookUp(object, "primary") == true {
			f.mail = cmp.Or(value, f.mail)
		}
	}
	if ext, ok := lookUp(resource, enterprise).(map[string]any); ok {
		f.department = text(lookUp(ext, "department"))
		if m, ok := lookUp(ext, "manager").(map[string]any); ok {
			f.manager = text(lookUp(m, "value"))
		} else {
			f.manager = text(lookUp(ext, "manager"))
		}
	}
	switch v := one(lookUp(resource, "active")).(type) {
	case nil:
	case bool:
		f.active = &v
	case string: // Entra writes "False"
		flag, known := boolean(v)
		if !known {
			return f, refuse(400, "invalidValue", "active is true or false")
		}
		f.active = &flag
	default:
		return f, refuse(400, "invalidValue", "active is true or false")
	}
	return f, nil
}

// signInName makes a sign-in name of a userName: what stands before the @, in small letters.
func signInName(login string) string {
	login, _, _ = strings.Cut(strings.ToLower(login), "@")
	var b strings.Builder
	for _, r := range norm.NFD.String(login) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			b.WriteRune(r)
		case r < 0x300 || r > 0x36f: // an accent is left out, anything else becomes a dash
			b.WriteByte('-')
		}
	}
	out := strings.TrimLeft(b.String(), ".-_")
	if len(out) > 60 {
		out = out[:60]
	}
	if len(out) < 2 {
		out = "p" + out + "x"
	}
	return out
}

// view is an account as the directory sees it.
func (a *API) view(acc identity.Account, p identity.Person, groups []identity.Group) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal(acc.Body, &out) // it was written here
	out["schemas"] = []string{core + "User", enterprise}
	out["id"], out["active"] = p.ID, p.Active
	var in []any
	for _, g := range groups {
		if slices.Contains(g.Members, p.ID) {
			in = append(in, map[string]any{"value": g.ID, "$ref": a.Base + Root + "/Groups/" + g.ID, "display": g.Name()})
		}
	}
	if in != nil {
		out["groups"] = in
	}
	out["meta"] = meta("User", a.Base+Root+"/Users/"+p.ID, acc.Created, acc.Changed)
	return out
}

func meta(kind, location string, created, changed time.Time) map[string]any {
	return map[string]any{"resourceType": kind, "location": location, "created": created.UTC().Format(time.RFC3339), "lastModified": changed.UTC().Format(time.RFC3339)}
}

// found gives an account of the asking directory, and nobody else's.
func (a *API) found(r request) (identity.Account, identity.Person, error) {
	acc, err := a.Persons.Account(r.Context(), r.client.ID, r.PathValue("id"))
	if outcome.Is(err, outcome.NotFound) {
		return acc, identity.Person{}, refuse(404, "", "this directory has no such person here")
	}
	if err != nil {
		return acc, identity.Person{}, err
	}
	p, err := a.Persons.Person(r.Context(), acc.Person)
	return acc, p, err
}

func (a *API) shown(r request, id string, status int) (answer, error) {
	acc, err := a.Persons.Account(r.Context(), r.client.ID, id)
	if err != nil {
		return answer{}, err
	}
	p, err := a.Persons.Person(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	groups, err := a.Persons.Groups(r.Context(), r.client.ID)
	if err != nil {
		return answer{}, err
	}
	return answer{status: status, body: r.thin(a.view(acc, p, groups)), location: a.Base + Root + "/Users/" + id}, nil
}

func (a *API) listAccounts(r request) (answer, error) {
	accounts, err := a.Persons.Accounts(r.Context(), r.client.ID)
	if err != nil {
		return answer{}, err
	}
	people, err := a.Persons.People(r.Context())
	if err != nil {
		return answer{}, err
	}
	groups, err := a.Persons.Groups(r.Context(), r.client.ID)
	if err != nil {
		return answer{}, err
	}
	byID := make(map[string]identity.Person, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	all := make([]map[string]any, 0, len(accounts))
	for _, acc := range accounts {
		if p, ok := byID[acc.Person]; ok {
			all = append(all, a.view(acc, p, groups))
		}
	}
	return r.page(all)
}

func (a *API) readAccount(r request) (answer, error) {
	acc, _, err := a.found(r)
	if err != nil {
		return answer{}, err
	}
	return a.shown(r, acc.Person, 200)
}

// createAccount makes a person without roles. Whoever is here already is never adopted.
func (a *API) createAccount(r request) (answer, error) {
	f, err := read(r.body)
	if err != nil {
		return answer{}, err
	}
	ctx := r.Context()
	taken := func(detail string) (answer, error) { return answer{}, refuse(409, "uniqueness", detail) }
	before, err := a.Persons.AccountByKey(ctx, r.client.ID, f.key)
	switch {
	case err == nil:
		p, err := a.Persons.Person(ctx, before.Person)
		if err != nil {
			return answer{}, err
		}
		if p.State != identity.Ended {
			return taken("this directory brought this person already")
		}
		if err := a.Persons.DropAccount(ctx, r.client.ID, p.ID); err != nil { // who comes back is a new person
			return answer{}, err
		}
	case !outcome.Is(err, outcome.NotFound):
		return answer{}, err
	}
	there, err := a.Persons.Taken(ctx, f.signIn, f.mail)
	if err != nil {
		return answer{}, err
	}
	if there {
		return taken("somebody has this sign-in name or mail address here already, and is not adopted: an administrator decides who she is")
	}
	body, err := json.Marshal(f.body)
	if err != nil {
		return answer{}, err
	}
	n := identity.NewPerson{Name: f.name, SignInName: f.signIn, Department: f.department, Mail: f.mail, Manager: a.manager(r, f)}
	acc := identity.Account{Source: r.client.ID, Key: f.key, Body: body}
	made, _, err := a.Persons.CreateAccount(ctx, r.by, n, acc)
	if outcome.Is(err, outcome.Duplicate) { // of somebody who left: the name is numbered
		for i := 2; outcome.Is(err, outcome.Duplicate) && i < 100; i++ {
			n.SignInName = f.signIn + string(rune('0'+i/10)) + string(rune('0'+i%10))
			made, _, err = a.Persons.CreateAccount(ctx, r.by, n, acc)
		}
	}
	if err != nil {
		return answer{}, err
	}
	if f.active != nil && !*f.active {
		if err := a.Desk.Suspend(ctx, r.by, made.ID, "the directory brought this person as not active"); err != nil {
			return answer{}, err
		}
	}
	return a.shown(r, made.ID, http.StatusCreated)
}

// manager is the id of the manager that a resource names, if the same directory brought her.
func (a *API) manager(r request, f facts) string {
	if f.manager == "" {
		return ""
	}
	acc, err := a.Persons.Account(r.Context(), r.client.ID, f.manager)
	if err != nil {
		return ""
	}
	if p, err := a.Persons.Person(r.Context(), acc.Person); err != nil || !p.Active {
		return ""
	}
	return acc.Person
}

func (a *API) replaceAccount(r request) (answer, error) {
	acc, p, err := a.found(r)
	if err != nil {
		return answer{}, err
	}
	return a.change(r, acc, p, r.body)
}

func (a *API) patchAccount(r request) (answer, error) {
	acc, p, err := a.found(r)
	if err != nil {
		return answer{}, err
	}
	steps, err := operations(r.body)
	if err != nil {
		return answer{}, err
	}
	resource := a.view(acc, p, nil)
	if err := patch(resource, steps); err != nil {
		return answer{}, err
	}
	return a.change(r, acc, p, resource)
}

// operations reads the body of a PATCH.
func operations(body map[string]any) ([]operation, error) {
	bad := refuse(400, "invalidSyntax", "a PATCH has Operations, each with op, path and value")
	var out []operation
	for _, o := range list(lookUp(body, "Operations")) {
		step, ok := o.(map[string]any)
		if !ok {
			return nil, bad
		}
		op, ok := lookUp(step, "op").(string)
		at, isText := lookUp(step, "path").(string)
		if !ok || !isText && lookUp(step, "path") != nil {
			return nil, bad
		}
		out = append(out, operation{op, at, lookUp(step, "value")})
	}
	return out, nil
}

// change makes a person what a resource says. Who is to be shut out is, whatever else is faulty in it; nobody is let in by what is. A
// directory lets in only whom it shut out itself.
func (a *API) change(r request, acc identity.Account, p identity.Person, resource map[string]any) (answer, error) {
	ctx := r.Context()
	f, err := read(resource)
	if err != nil {
		return answer{}, err
	}
	if f.active != nil && *f.active && p.State == identity.Suspended && p.SuspendedBy != r.client.ID {
		return answer{}, refuse(409, "", "this house suspended this person, not the directory: an administrator here lets her in again")
	}
	if f.active != nil && !*f.active && p.Active {
		if err := a.Desk.Suspend(ctx, r.by, p.ID, "the directory says that this person is not active"); err != nil {
			return answer{}, err
		}
		p.Active, p.State = false, identity.Suspended
	}
	if err := identity.FaultOf(identity.NewPerson{Name: f.name, Mail: f.mail}); err != nil {
		return answer{}, err
	}
	if f.active != nil && *f.active && p.State == identity.Ended {
		return answer{}, refuse(409, "", "this person has left: who comes back is a new person")
	}
	if f.key != acc.Key {
		if _, err := a.Persons.AccountByKey(ctx, r.client.ID, f.key); !outcome.Is(err, outcome.NotFound) {
			return answer{}, cmp.Or(err, refuse(409, "uniqueness", "this directory brought another person by this externalId"))
		}
	}
	if f.active != nil && *f.active && p.State == identity.Suspended {
		waits, err := a.Desk.Resume(ctx, r.by, p.ID, "the directory says that this person is active")
		if err != nil && !outcome.Is(err, outcome.Duplicate) {
			return answer{}, err
		}
		if waits == nil && err == nil {
			p.Active, p.State = true, identity.Active
		}
	}
	if p.Active {
		c := identity.Change{Name: &f.name, Department: &f.department}
		if f.mail != "" {
			c.Mail = &f.mail
		}
		if m := a.manager(r, f); m != "" {
			c.Manager = &m
		}
		if _, _, err := a.Persons.Change(ctx, r.by, p.ID, c); err != nil {
			return answer{}, err
		}
	}
	if acc.Body, err = json.Marshal(f.body); err != nil {
		return answer{}, err
	}
	acc.Key = f.key
	if err := a.Persons.KeepAccount(ctx, acc); err != nil {
		return answer{}, err
	}
	if p.Active {
		if err := a.bringUp(r, p.ID); err != nil {
			return answer{}, err
		}
	}
	return a.shown(r, p.ID, 200)
}

// deleteAccount ends a person's access for good.
func (a *API) deleteAccount(r request) (answer, error) {
	acc, p, err := a.found(r)
	if err != nil {
		return answer{}, err
	}
	if p.State != identity.Ended {
		if _, err := a.Desk.End(r.Context(), r.by, p.ID, "the directory deleted this person"); err != nil {
			return answer{}, err
		}
	}
	return answer{status: http.StatusNoContent}, a.Persons.DropAccount(r.Context(), r.client.ID, acc.Person)
}
