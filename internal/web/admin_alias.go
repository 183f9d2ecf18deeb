package web

import (
	"net/http"

	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// setAlias asks that patients read an alias in place of a person's name, or her name again. A second person agrees to either.
func (p *Pages) setAlias(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	on := r.PostForm.Get("alias") == "yes"
	_, item, err := p.o.Persons.Change(r.Context(), who.Session.Agent(), r.PathValue("person"), identity.Change{Aliased: &on})
	if err == nil && item != nil {
		see(w, r, "/admin/people")
		return
	}
	p.did(w, r, who, err)
}
