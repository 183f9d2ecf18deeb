package web

import (
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/page"
)

// labelsByRule are the labels that a person can be cleared for on the page: those that the rules of this house set, and psychotherapy notes.
var labelsByRule = []page.RoleOption{
	{Value: "PSY", Name: "Psychiatry", Opens: "Diagnoses, visits and treatments of psychiatry"},
	{Value: "ETH", Name: "Alcohol and drugs", Opens: "Dependence, overdose, detoxification and their treatment"},
	{Value: "HIV", Name: "HIV", Opens: "Diagnoses, tests and medicines"},
	{Value: "SDV", Name: "Abuse and violence", Opens: "Sexual assault, abuse and domestic violence"},
	{Value: "PSYTHPN", Name: "Psychotherapy notes", Opens: "For the therapist: not even breaking the glass opens them"},
}

// clearancesOf are the boxes for a person; a label that only a person sets is shown where she has it.
func clearancesOf(one identity.Person) []page.RoleOption {
	out := slices.Clone(labelsByRule)
	for _, label := range one.Clearances {
		if !slices.ContainsFunc(out, func(o page.RoleOption) bool { return o.Value == label }) {
			out = append(out, page.RoleOption{Value: label, Name: label, Opens: "Records that somebody labelled so"})
		}
	}
	for i := range out {
		out[i].On = slices.Contains(one.Clearances, out[i].Value)
	}
	return out
}

// setClearances says which sensitivity labels a person is cleared for. One more waits for a second person.
func (p *Pages) setClearances(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	id := r.PathValue("person")
	one, err := p.o.Persons.Person(r.Context(), id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	known := clearancesOf(one)
	labels := slices.DeleteFunc(slices.Clone(r.PostForm["label"]), func(label string) bool {
		return strings.TrimSpace(label) == "" || !slices.ContainsFunc(known, func(o page.RoleOption) bool { return o.Value == label })
	})
	_, item, err := p.o.Persons.Change(r.Context(), who.Session.Agent(), id, identity.Change{Clearances: &labels})
	if err == nil && item != nil {
		see(w, r, "/admin/people")
		return
	}
	p.did(w, r, who, err)
}
