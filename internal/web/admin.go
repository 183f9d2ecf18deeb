package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The pages about people: who may sign in, as what, and who no longer. Nothing of a patient is on them: whoever only has a portal
// account is a pseudonym here, for that somebody is a patient is patient data.

func (p *Pages) adminRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/admin/people", Action: policy.PeopleList, Handler: p.people},
		{Method: "POST", Pattern: "/admin/people", Action: policy.People, Handler: p.addPerson},
		{Method: "GET", Pattern: "/admin/people/find", Action: policy.PeopleList, Handler: p.answering(p.people, p.people)},
		{Method: "POST", Pattern: "/admin/people/find", Action: policy.PeopleList, Handler: p.putAside},
		{Method: "GET", Pattern: "/admin/people/new", Action: policy.People, Handler: p.newPerson},
		{Method: "GET", Pattern: "/admin/people/{person}", Action: policy.PeopleList, Handler: p.person},
		{Method: "POST", Pattern: "/admin/people/{person}/roles", Action: policy.People, Handler: p.setRoles},
		{Method: "POST", Pattern: "/admin/people/{person}/clearances", Action: policy.People, Handler: p.setClearances},
		{Method: "POST", Pattern: "/admin/people/{person}/alias", Action: policy.People, Handler: p.setAlias},
		{Method: "POST", Pattern: "/admin/people/{person}/reach", Action: policy.People, Handler: p.setReach},
		{Method: "POST", Pattern: "/admin/people/{person}/end", Action: policy.People, Handler: p.endAccess},
		{Method: "GET", Pattern: "/admin/people/{person}/certificate", Action: policy.PeopleList, Handler: p.certificate},
		{Method: "GET", Pattern: "/admin/people/{person}/certificate/file", Action: policy.PeopleList, Handler: p.certificateFile},
		{Method: "GET", Pattern: "/admin/people/{person}/certificate/notice", Action: policy.PeopleList, Handler: p.noticeFile},
		{Method: "POST", Pattern: "/admin/people/{person}/suspend", Action: policy.People, Handler: p.suspend},
		{Method: "POST", Pattern: "/admin/people/{person}/resume", Action: policy.People, Handler: p.resume},
		{Method: "POST", Pattern: "/admin/people/{person}/reset", Action: policy.People, Handler: p.askReset},
		{Method: "POST", Pattern: "/admin/people/{person}/link", Action: policy.People, Handler: p.newLink},
		{Method: "GET", Pattern: "/admin/configuration", Action: policy.SettingsRead, Handler: p.configuration},
		{Method: "POST", Pattern: "/admin/pending/{item}", Action: policy.PeopleAgree, Handler: p.settlePending},
	}
}

// portalOnly reports whether a person is here as a patient and nothing else.
func portalOnly(one identity.Person) bool {
	return len(one.Roles) == 1 && one.Roles[0] == identity.Patient
}

// shownName is a person's name, or a pseudonym for a portal account.
func shownName(one identity.Person) string {
	if portalOnly(one) {
		return "Portal account, " + tail(one.ID)
	}
	return one.Name
}

// administers reports whether forms are shown; whether an act is allowed is the door's to say.
func administers(s *identity.Session) bool { return slices.Contains(s.Roles(), identity.Administrator) }

func (p *Pages) personLine(r *http.Request, one identity.Person) (page.PersonLine, error) {
	line := page.PersonLine{Href: personHref(one.ID), Name: shownName(one), Roles: rolesOf(one), Department: one.Department}
	if !portalOnly(one) {
		line.Login = one.SignInName
	}
	sessions, err := p.o.Persons.Sessions(r.Context(), one.ID)
	if err != nil {
		return line, err
	}
	for _, s := range sessions {
		if at := look.Recent(s.Seen.In(p.o.Zone), p.now()); line.Last.IsZero() {
			line.Last = at
		}
	}
	if line.Marks = personMarks(one); !one.Enrolled && len(sessions) > 0 {
		line.Marks = nil // a demonstration lets people in without factors
	}
	if portalOnly(one) {
		return line, nil
	}
	if one.State != identity.Ended && !one.TrainingLasts(p.now()) {
		line.Marks = append(line.Marks, look.Mark{Tone: look.Warn, Text: "Training due"})
	}
	return line, nil
}

func personHref(id string) string { return "/admin/people/" + id }

func personMarks(one identity.Person) []look.Mark {
	switch {
	case one.State == identity.Ended:
		return []look.Mark{{Icon: "user-x", Text: "Ended"}}
	case one.State == identity.Suspended:
		return []look.Mark{{Tone: look.Warn, Icon: "ban", Text: "Suspended"}}
	case one.State == identity.Waiting:
		return []look.Mark{{Tone: look.Warn, Text: "Waits for a second person"}}
	case !one.Enrolled:
		return []look.Mark{{Text: "Not enrolled"}}
	}
	return nil
}

// rolesOf names the roles at work; that somebody is a patient here as well is not said.
func rolesOf(one identity.Person) string {
	var out []string
	for _, role := range identity.Roles() {
		if role != identity.Patient && slices.Contains(one.Roles, role) {
			out = append(out, roleNames[role])
		}
	}
	switch {
	case portalOnly(one):
		return "Patient portal"
	case len(out) == 0:
		return "No role yet"
	}
	if one.House != "" {
		return upper(one.House) + " (" + strings.Join(out, ", ") + ")"
	}
	return strings.Join(out, ", ")
}

// pending lists what waits for a second person.
func (p *Pages) pending(r *http.Request, people []identity.Person) ([]page.Pending, error) {
	items, err := p.o.Persons.Pending(r.Context())
	if err != nil {
		return nil, err
	}
	byID := map[string]identity.Person{}
	for _, one := range people {
		byID[one.ID] = one
	}
	me := session(r).Person.ID
	var out []page.Pending
	for _, item := range items {
		one := page.Pending{ID: item.ID, What: pendingWhat(item, byID[item.Person]), By: "Asked by the command line", When: look.Recent(item.Asked.In(p.o.Zone), p.now()), Mine: item.AskedBy == me || item.Person == me}
		if asker, ok := byID[item.AskedBy]; ok {
			one.By = "Asked by " + shownName(asker)
		}
		if item.AskedBy == me {
			one.By = "Asked by you"
		}
		if item.Client != "" {
			if one.What, err = p.clientWhat(r, item, byID[item.Person]); err != nil {
				return nil, err
			}
		}
		if item.Reason != "" {
			one.By += ": " + item.Reason
		}
		out = append(out, one)
	}
	return out, nil
}

// clientWhat says what letting a program in would let it do, for whoever decides about that.
func (p *Pages) clientWhat(r *http.Request, item identity.Pending, owner identity.Person) (string, error) {
	c, err := p.o.Persons.Client(r.Context(), item.Client)
	if err != nil {
		return "", err
	}
	what := "Register the app " + c.Name + " (" + c.ID + ")"
	switch {
	case item.Kind == "client-owner":
		return "Let " + shownName(owner) + " answer for " + c.Name + " (" + c.ID + ") for a year: " + c.Scope, nil
	case c.Backend():
		what = "Register the backend service " + c.Name + " (" + c.ID + ")"
	case c.FirstParty:
		what += " as an app of this house, through which people can break the glass"
	}
	return what + ": " + c.Scope, nil
}

func pendingWhat(item identity.Pending, about identity.Person) string {
	name := shownName(about)
	switch item.Kind {
	case "create":
		return "Add " + name + " as " + strings.ToLower(rolesOf(about))
	case "reset":
		return "Reset the sign-in of " + name
	case "resume":
		return "Let " + name + " in again as " + strings.ToLower(rolesOf(about))
	}
	if item.Change == nil {
		return "Change " + name
	}
	var what []string
	if item.Change.Roles != nil {
		next := about
		next.Roles = *item.Change.Roles
		what = append(what, "roles from "+strings.ToLower(rolesOf(about))+" to "+strings.ToLower(rolesOf(next)))
	}
	if item.Change.House != nil {
		what = append(what, "role of the house from "+orNone(about.House)+" to "+orNone(*item.Change.House))
	}
	if item.Change.Clearances != nil {
		what = append(what, "cleared for restricted records: "+cmp.Or(strings.Join(*item.Change.Clearances, ", "), "none"))
	}
	if on := item.Change.Aliased; on != nil && *on {
		what = append(what, "patients read an alias instead of the name")
	} else if on != nil {
		what = append(what, "patients read the name again")
	}
	if item.Change.Practitioner != nil {
		what = append(what, "the staff directory entry")
	}
	return "Change " + name + ": " + cmp.Or(strings.Join(what, ", "), "details")
}

// roleOpens says what each role opens, so that whoever gives one knows.
var roleOpens = map[string]string{
	identity.Physician: "Charts of own patients, by visit, team, order or task; the glass elsewhere", identity.Nurse: "Charts of patients on the unit and in contact; the glass elsewhere",
	identity.MedicalAssistant: "Charts of patients in contact; the glass elsewhere", identity.Pharmacist: "Charts of patients in contact; the glass elsewhere",
	identity.Technician: "Charts of patients in contact; the glass elsewhere", identity.FrontDesk: "Names, contact and appointments; nothing clinical",
	identity.Billing: "Names, insurance and bills; nothing clinical", identity.HR: "The list of people", identity.Privacy: "The record of accesses and the reviews; no chart",
	identity.Security: "The record of accesses and its integrity; no chart", identity.Administrator: "People, settings and integrity; no chart", identity.Auditor: "The record of accesses; no chart",
}

func roleOptions(held []string) []page.RoleOption {
	var out []page.RoleOption
	for _, role := range identity.Roles() {
		if role != identity.Patient {
			out = append(out, page.RoleOption{Value: role, Name: roleNames[role], Opens: roleOpens[role], On: slices.Contains(held, role)})
		}
	}
	return out
}

func (p *Pages) newPerson(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.permitted(w, r, policy.People); ok {
		p.draw(w, r, http.StatusOK, page.AddPerson(page.AddPersonView{Shell: p.shell(r, "Add a person", atPeople), Roles: roleOptions(nil), Managers: p.managers(r, "", ""), Second: !p.o.Sandbox}))
	}
}

func (p *Pages) addPerson(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	roles := workRoles(r.PostForm["role"])
	made, _, err := p.o.Persons.Create(r.Context(), who.Session.Agent(), identity.NewPerson{Name: get("name"), SignInName: strings.ToLower(get("login")), Roles: roles,
		Practitioner: get("practitioner"), Department: get("department"), Manager: get("manager"), Mail: get("mail"), TrainingDue: p.now().AddDate(1, 0, 0)})
	if mendable(err) {
		p.draw(w, r, outcome.Status(err), page.AddPerson(page.AddPersonView{Shell: p.shell(r, "Add a person", atPeople), Name: get("name"), Login: get("login"), Department: get("department"),
			Practitioner: get("practitioner"), Mail: get("mail"), Managers: p.managers(r, "", get("manager")), Roles: roleOptions(roles), Second: !p.o.Sandbox, Problem: sentence(err)}))
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	link, err := p.o.Persons.Invite(r.Context(), who.Session.Agent(), made.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.handOver(who, made.ID, &link, "")
	see(w, r, personHref(made.ID))
}

// workRoles are the roles of a form without that of a patient, which comes with a chart and never by a tick.
func workRoles(ticked []string) []string {
	return slices.DeleteFunc(slices.Clone(ticked), func(role string) bool { return role == identity.Patient })
}

// mendable reports an error that whoever filled the form can mend in it.
func mendable(err error) bool {
	switch outcome.CodeOf(err) {
	case outcome.Required, outcome.Value, outcome.CodeInvalid, outcome.Duplicate, outcome.Conflict, outcome.Invalid:
		return err != nil
	}
	return false
}
