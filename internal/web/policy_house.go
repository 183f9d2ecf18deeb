package web

import (
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/page"
)

// Roles of the house are edited by a form beside the text of the rules, which shows the same file.

// houseView lists the roles of the house of work on the rules; a line that does not read stands among the faults.
func houseView(b policy.Bundle) (v page.HouseView) {
	roles, _ := policy.ReadHouse(b[policy.HouseFile])
	for _, x := range roles {
		v.Roles = append(v.Roles, page.HouseLine{Name: x.Name, Of: namesOf(x.Of), Groups: upper(strings.Join(x.Groups, ", "))})
	}
	for _, x := range policy.Narrowable() {
		v.Of = append(v.Of, page.Option{Value: x, Name: roleName(x)})
	}
	for _, x := range policy.MatrixGroups() {
		v.Groups = append(v.Groups, page.Option{Value: x, Name: upper(x)})
	}
	return v
}

func namesOf(roles []string) string {
	out := make([]string, len(roles))
	for i, x := range roles {
		out[i] = roleName(x)
	}
	return strings.Join(out, ", ")
}

// saveHouse puts the role of a form into the text, in place of one of that name, or takes one out.
func (p *Pages) saveHouse(r *http.Request, who access.Principal, id string) error {
	x, err := p.o.Rules.Proposal(r.Context(), who, id)
	if err != nil {
		return err
	}
	roles, faults := policy.ReadHouse(x.Bundle[policy.HouseFile])
	if len(faults) > 0 {
		return outcome.New(outcome.Value, "mend the text of "+policy.HouseFile+" first: "+faults[0])
	}
	gone := r.PostForm.Get("gone")
	name := strings.TrimSpace(r.PostForm.Get("name"))
	roles = slices.DeleteFunc(roles, func(h policy.HouseRole) bool { return h.Name == gone || h.Name == name })
	if gone == "" {
		line := policy.HouseRole{Name: name, Of: r.PostForm["of"], Groups: r.PostForm["group"]}.String()
		one, faults := policy.ReadHouse(line)
		if len(faults) > 0 || len(one) != 1 {
			return outcome.New(outcome.Value, "give a role of the house a name of small letters, digits and dashes, the roles that it narrows, and the field groups that it sees"+faultOf(faults))
		}
		roles = append(roles, one[0])
	}
	_, err = p.o.Rules.Save(r.Context(), who, id, policy.HouseFile, policy.WriteHouse(roles))
	return err
}

// faultOf is the first fault of one line, without the place: a form has no lines.
func faultOf(faults []string) string {
	if len(faults) == 0 {
		return ""
	}
	_, fault, _ := strings.Cut(faults[0], ": ")
	return ": " + fault
}

// houseOptions are the roles of the house that a person can be given, and the one that she holds.
func (p *Pages) houseOptions(held string) (out []page.Option) {
	roles := p.o.Deciding().House()
	if held != "" && !slices.ContainsFunc(roles, func(h policy.HouseRole) bool { return h.Name == held }) {
		out = append(out, page.Option{Value: held, Name: upper(held) + ": the rules no longer have it, so it sees nothing", On: true})
	}
	for _, h := range roles {
		out = append(out, page.Option{Value: h.Name, Name: upper(h.Name) + ": " + lower(namesOf(h.Of)) + ", sees " + strings.Join(h.Groups, ", "), On: h.Name == held})
	}
	if len(out) > 0 {
		out = append([]page.Option{{Name: "None: the roles as they are", On: held == ""}}, out...)
	}
	return out
}
