package scim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
)

var keptOfGroup = []string{"displayName", "externalId"}

func (a *API) groupView(g identity.Group) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal(g.Body, &out)
	out["schemas"], out["id"] = []string{core + "Group"}, g.ID
	members := []any{}
	for _, m := range g.Members {
		members = append(members, map[string]any{"value": m, "$ref": a.Base + Root + "/Users/" + m, "type": "User"})
	}
	out["members"] = members
	out["meta"] = meta("Group", a.Base+Root+"/Groups/"+g.ID, g.Created, g.Changed)
	return out
}

func (a *API) listGroups(r request) (answer, error) {
	groups, err := a.Persons.Groups(r.Context(), r.client.ID)
	if err != nil {
		return answer{}, err
	}
	all := make([]map[string]any, 0, len(groups))
	for _, g := range groups {
		all = append(all, a.groupView(g))
	}
	return r.page(all)
}

func (a *API) foundGroup(r request) (identity.Group, error) {
	g, err := a.Persons.Group(r.Context(), r.client.ID, r.PathValue("id"))
	if outcome.Is(err, outcome.NotFound) {
		err = refuse(404, "", "this directory has no such group here")
	}
	return g, err
}

func (a *API) readGroup(r request) (answer, error) {
	g, err := a.foundGroup(r)
	if err != nil {
		return answer{}, err
	}
	return answer{status: 200, body: r.thin(a.groupView(g))}, nil
}

func (a *API) createGroup(r request) (answer, error) {
	return a.keepGroup(r, identity.Group{Source: r.client.ID}, r.body, http.StatusCreated)
}

func (a *API) replaceGroup(r request) (answer, error) {
	g, err := a.foundGroup(r)
	if err != nil {
		return answer{}, err
	}
	return a.keepGroup(r, g, r.body, 200)
}

func (a *API) patchGroup(r request) (answer, error) {
	g, err := a.foundGroup(r)
	if err != nil {
		return answer{}, err
	}
	steps, err := operations(r.body)
	if err != nil {
		return answer{}, err
	}
	resource := a.groupView(g)
	if err := patch(resource, steps); err != nil {
		return answer{}, err
	}
	return a.keepGroup(r, g, resource, 200)
}

// keepGroup stores a group as a resource says it, and brings the roles of everybody concerned up to date.
func (a *API) keepGroup(r request, g identity.Group, resource map[string]any, status int) (answer, error) {
	ctx := r.Context()
	name := text(lookUp(resource, "displayName"))
	if name == "" || len(name) > 256 {
		return answer{}, refuse(400, "invalidValue", "a group has a displayName of at most 256 bytes")
	}
	groups, err := a.Persons.Groups(ctx, r.client.ID)
	if err != nil {
		return answer{}, err
	}
	if slices.ContainsFunc(groups, func(o identity.Group) bool { return o.ID != g.ID && strings.EqualFold(o.Name(), name) }) {
		return answer{}, refuse(409, "uniqueness", "there is a group of this name already")
	}
	accounts, err := a.Persons.Accounts(ctx, r.client.ID)
	if err != nil {
		return answer{}, err
	}
	known := map[string]bool{}
	for _, acc := range accounts {
		known[acc.Person] = true
	}
	var members []string
	for _, m := range list(lookUp(resource, "members")) {
		id, _ := m.(string)
		if object, ok := m.(map[string]any); ok {
			id = text(lookUp(object, "value"))
		}
		if !known[id] && slices.Contains(g.Members, id) { // she left meanwhile: a group goes on without her
			continue
		}
		if !known[id] {
			return answer{}, refuse(400, "invalidValue", "a member is nobody whom this directory brought: create the people first")
		}
		members = append(members, id)
	}
	before := g
	if g.Body, err = json.Marshal(keep(resource, keptOfGroup)); err != nil {
		return answer{}, err
	}
	g.Members = members
	next := append(slices.DeleteFunc(groups, func(o identity.Group) bool { return o.ID == g.ID }), g)
	if err := a.lasts(r, next); err != nil {
		return answer{}, err
	}
	if g, err = a.Persons.KeepGroup(ctx, g); err != nil {
		return answer{}, err
	}
	if err := a.bringUp(r, append(slices.Clone(before.Members), members...)...); err != nil {
		return answer{}, err
	}
	return answer{status: status, body: r.thin(a.groupView(g)), location: a.Base + Root + "/Groups/" + g.ID}, nil
}

func (a *API) deleteGroup(r request) (answer, error) {
	g, err := a.foundGroup(r)
	if err != nil {
		_ = a.bringUp(r) // it may have been deleted by a request that was broken off then
		return answer{}, err
	}
	groups, err := a.Persons.Groups(r.Context(), r.client.ID)
	if err != nil {
		return answer{}, err
	}
	if err := a.lasts(r, slices.DeleteFunc(groups, func(o identity.Group) bool { return o.ID == g.ID })); err != nil {
		return answer{}, err
	}
	if err := a.Persons.DropGroup(r.Context(), r.client.ID, g.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, a.bringUp(r, g.Members...)
}

// lasts refuses groups by which nobody would be an administrator any more, before anything is changed.
func (a *API) lasts(r request, groups []identity.Group) error {
	return a.Desk.KeepsAdministrator(r.Context(), r.client, groups)
}

// bringUp gives people the roles that their groups come to.
func (a *API) bringUp(r request, named ...string) error {
	return a.Desk.BringUp(r.Context(), r.by, r.client.ID, named...)
}
