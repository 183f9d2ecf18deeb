package web

import (
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// appRoutes are what a person lets apps do.
func (p *Pages) appRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/apps", Action: policy.Own, Handler: p.apps},
		{Method: "POST", Pattern: "/apps/{authorization}/end", Action: policy.Own, Handler: p.endApp},
	}
}

// apps lists the authorizations of the person that stand, those given in the capacity in which she is signed in.
func (p *Pages) apps(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	v := page.AppsView{Ended: p.endedApp.take(session(r).ID, "/apps", p.now())}
	mine, err := p.ownApps(r, who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	names, err := p.appCharts(w, r, who, mine)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v.Shell = p.shell(r, "My apps", "My activity")
	if who.Session.Capacity == identity.PatientCapacity {
		v.Shell = p.shell(r, "My apps", "Who looked")
	}
	for _, a := range mine {
		c, err := p.o.Persons.Client(r.Context(), a.Client)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		one := page.App{ID: a.ID, Name: c.Name, Who: "An app of this hospital", Since: look.Recent(a.Created.In(p.o.Zone), p.now()),
			Until: "It ends by itself " + look.Moment(a.Ends.In(p.o.Zone)).Text() + ", or when your own access does."}
		if !c.FirstParty {
			one.Who = "Not an app of this hospital"
			if owner, err := p.o.Persons.Person(r.Context(), c.Owner); err == nil && owner.Active {
				one.Who += "; " + owner.Name + " answers for it"
			}
		}
		if a.Patient != "" {
			one.Patient = names[a.Patient]
		}
		if p.o.InWords != nil {
			one.Lines = p.o.InWords(a.Scope)
		}
		v.Apps = append(v.Apps, one)
	}
	p.draw(w, r, http.StatusOK, page.Apps(v))
}

func (p *Pages) ownApps(r *http.Request, who access.Principal) (out []identity.Authorization, err error) {
	all, err := p.o.Persons.Authorizations(r.Context(), who.Session.Person.ID)
	for _, a := range all {
		if a.Capacity == who.Session.Capacity {
			out = append(out, a)
		}
	}
	return out, err
}

// appCharts says in words whose charts apps are bound to: patients know their own, for others it is a look at a list of names.
func (p *Pages) appCharts(w http.ResponseWriter, r *http.Request, who access.Principal, apps []identity.Authorization) (map[string]string, error) {
	out := map[string]string{}
	var ids []string
	for _, a := range apps {
		if a.Patient != "" && out[a.Patient] == "" {
			out[a.Patient] = "one patient"
			ids = append(ids, a.Patient)
		}
	}
	if who.Session.Capacity == identity.PatientCapacity {
		if _, own, ok := strings.Cut(who.Session.Person.Patient, "/"); ok {
			out[own] = "your own record"
		}
		return out, nil
	}
	if len(ids) == 0 {
		return out, nil
	}
	names, entry, err := p.o.Gate.Names(r.Context(), who, ids...)
	if err != nil {
		return nil, err
	}
	entered(w, entry)
	for id, name := range names {
		if name.Name != "" {
			out[id] = name.Name
		}
	}
	return out, nil
}

// endApp ends what the person lets one app do.
func (p *Pages) endApp(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	id, name := r.PathValue("authorization"), ""
	mine, err := p.ownApps(r, who)
	for _, a := range mine {
		if c, err := p.o.Persons.Client(r.Context(), a.Client); a.ID == id && err == nil {
			name = c.Name
		}
	}
	if err == nil {
		err = p.o.Persons.EndAuthorization(r.Context(), who.Session, id)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.endedApp.keep(session(r).ID, "/apps", p.now(), name)
	see(w, r, "/apps")
}
