package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/staffing"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The pages about people who move, leave or stand on no roster: what is set for whom, a move with its overlap, and accounts that nobody's roster explains.

const (
	comingPath     = "/admin/people/coming"
	unrosteredPath = "/admin/people/unrostered"
	momentForm     = "2006-01-02T15:04"
	knownDays      = 90 // proposed for a word about somebody on no roster
)

func (p *Pages) moverRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: comingPath, Action: policy.PeopleList, Handler: p.coming},
		{Method: "GET", Pattern: unrosteredPath, Action: policy.PeopleList, Handler: p.unrostered},
		{Method: "GET", Pattern: "/admin/people/{person}/move", Action: policy.People, Handler: p.moveForm},
		{Method: "POST", Pattern: "/admin/people/{person}/move", Action: policy.People, Handler: p.setMove},
		{Method: "POST", Pattern: "/admin/people/{person}/take-back", Action: policy.People, Handler: p.takeBack},
		{Method: "POST", Pattern: "/admin/people/{person}/unrostered", Action: policy.People, Handler: p.settleUnrostered},
	}
}

// coming is what is set for whom.
func (p *Pages) coming(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.PeopleList); err != nil {
		p.fail(w, r, err)
		return
	}
	p.comingPage(w, r, who, nil)
}

func (p *Pages) comingPage(w http.ResponseWriter, r *http.Request, who access.Principal, failed error) {
	set, err := p.o.Persons.ScheduledFor(r.Context(), "")
	var people []identity.Person
	if err == nil {
		people, err = p.o.Persons.People(r.Context())
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v, status := page.ComingView{Shell: p.shell(r, "Set for later", atPeople), May: administers(who.Session), Done: p.moved.take(who.Session.ID, comingPath, p.now())}, http.StatusOK
	if failed != nil {
		v.Problem, status = sentence(failed), outcome.Status(failed)
	}
	for _, x := range set {
		one := personOf(people, x.Person)
		v.Set = append(v.Set, page.ComingLine{ID: x.Person, Name: shownName(one), Kind: x.Kind, When: look.Moment(x.At.In(p.o.Zone)), Does: comingWords[x.Kind], What: p.difference(x, one, people),
			Why: join(", ", x.Reason, setBy(x, people)), Mine: x.Person == who.Session.Person.ID})
	}
	p.draw(w, r, status, page.Coming(v))
}

// movesOf is what changes for those whose work a manager answers for, and for those whose work she will answer for.
func (p *Pages) movesOf(r *http.Request, manager string, people []identity.Person) (out []page.ComingLine, err error) {
	set, err := p.o.Persons.ScheduledFor(r.Context(), "")
	for _, x := range set {
		one := personOf(people, x.Person)
		comes := x.Change != nil && x.Change.Manager != nil && *x.Change.Manager == manager
		if x.Kind != identity.SuspendAt && (one.Manager == manager || comes) {
			out = append(out, page.ComingLine{ID: one.ID, Name: shownName(one), When: look.Moment(x.At.In(p.o.Zone)), Does: comingWords[x.Kind], What: p.difference(x, one, people)})
		}
	}
	return out, err
}

var comingWords = map[string]string{identity.LeaveAt: "Leaves", identity.ChangeAt: "Moves", identity.SuspendAt: "Is suspended, unless she signs in", identity.RolesEndAt: "Old roles end"}

func personOf(people []identity.Person, id string) identity.Person {
	if i := slices.IndexFunc(people, func(o identity.Person) bool { return o.ID == id }); i >= 0 {
		return people[i]
	}
	return identity.Person{ID: id}
}

func setBy(x identity.Scheduled, people []identity.Person) string {
	if x.By == "" {
		return "set by the command line, the HR file or this server"
	}
	return "set by " + shownName(personOf(people, x.By))
}

// difference is what a thing that is set changes, a line each, old and new.
func (p *Pages) difference(x identity.Scheduled, one identity.Person, people []identity.Person) (out []string) {
	for _, e := range x.Ending {
		out = append(out, roleName(e.Role)+", "+look.Moment(e.At.In(p.o.Zone)).Text())
	}
	if x.Missed {
		out = append(out, "Was due and could not happen yet: the log says why")
	}
	c := x.Change
	if c == nil {
		return out
	}
	say := func(what, before, after string) {
		if before != after {
			out = append(out, what+": "+orNone(before)+" → "+orNone(after))
		}
	}
	if c.Roles != nil {
		after := one
		after.Roles = *c.Roles
		say("Roles", rolesOf(one), rolesOf(after))
		lost := slices.DeleteFunc(slices.Clone(one.Roles), func(role string) bool { return slices.Contains(*c.Roles, role) })
		if x.Overlap > 0 && len(lost) > 0 {
			after.Roles = lost
			out = append(out, "Until "+look.Moment(x.At.Add(x.Overlap).In(p.o.Zone)).Text()+" also: "+rolesOf(after))
		}
	}
	if c.Department != nil {
		say("Department", one.Department, *c.Department)
	}
	if c.Manager != nil {
		say("Manager", personOf(people, one.Manager).Name, personOf(people, *c.Manager).Name)
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// moveForm is the form of a move; a move that is set already fills it.
func (p *Pages) moveForm(w http.ResponseWriter, r *http.Request) {
	if who, ok := p.permitted(w, r, policy.People); ok {
		p.movePage(w, r, who, nil)
	}
}

func (p *Pages) movePage(w http.ResponseWriter, r *http.Request, who access.Principal, failed error) {
	one, err := p.o.Persons.Person(r.Context(), r.PathValue("person"))
	var set []identity.Scheduled
	if err == nil {
		set, err = p.o.Persons.ScheduledFor(r.Context(), one.ID)
	}
	if err == nil && (portalOnly(one) || one.State == identity.Ended) {
		err = outcome.New(outcome.NotFound, "only somebody who works here moves")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v, status := page.MoveView{Shell: p.shell(r, "Set a move", atPeople), ID: one.ID, Name: one.Name, Department: one.Department, At: p.now().In(p.o.Zone).Format(momentForm),
		Overlap: strconv.Itoa(int(p.o.Staffing.Overlap() / (24 * time.Hour)))}, http.StatusOK
	v.Now = []look.Fact{{Name: "Roles", Value: rolesOf(one)}, {Name: "Department", Value: orNone(one.Department)}, {Name: "Manager", Value: orNone(p.nameOf(r, one.Manager))}}
	roles, manager := one.Roles, one.Manager
	for _, x := range set {
		if x.Kind != identity.ChangeAt || x.Change == nil {
			continue
		}
		v.Set, v.At, v.Overlap, v.Reason = true, x.At.In(p.o.Zone).Format(momentForm), strconv.Itoa(int(x.Overlap/(24*time.Hour))), x.Reason
		if c := x.Change; c.Roles != nil {
			roles = *c.Roles
		}
		if c := x.Change; c.Department != nil {
			v.Department = *c.Department
		}
		if c := x.Change; c.Manager != nil {
			manager = *c.Manager
		}
	}
	if failed != nil {
		f := r.PostForm
		v.Problem, status = sentence(failed), outcome.Status(failed)
		v.At, v.Overlap, v.Reason, v.Department, manager, roles = f.Get("at"), f.Get("overlap"), f.Get("reason"), f.Get("department"), f.Get("manager"), workRoles(f["role"])
	}
	v.Roles, v.Managers = roleOptions(roles), p.managers(r, one.ID, manager)
	p.draw(w, r, status, page.Move(v))
}

// setMove sets a move, in place of one that was set before. Only what differs is changed then.
func (p *Pages) setMove(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	one, err := p.o.Persons.Person(r.Context(), r.PathValue("person"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	x := identity.Scheduled{Person: one.ID, Kind: identity.ChangeAt, Reason: strings.TrimSpace(r.PostForm.Get("reason")), Change: &identity.Change{}}
	if x.At, err = time.ParseInLocation(momentForm, strings.TrimSpace(r.PostForm.Get("at")), p.o.Zone); err != nil || x.At.Before(p.now().Add(-time.Hour)) {
		err = outcome.New(outcome.Value, "choose a day and a time that are still to come, or now").At("at")
	}
	if err == nil {
		x.Overlap, err = staffing.ParseOverlap(strings.TrimSpace(r.PostForm.Get("overlap")))
	}
	roles := workRoles(r.PostForm["role"])
	if slices.Contains(one.Roles, identity.Patient) { // that she is a patient, too, is not touched
		roles = append(roles, identity.Patient)
	}
	slices.Sort(roles)
	department, manager := strings.TrimSpace(r.PostForm.Get("department")), r.PostForm.Get("manager")
	held := slices.Sorted(slices.Values(one.Roles))
	if !slices.Equal(roles, held) {
		x.Change.Roles = &roles
	}
	if department != one.Department {
		x.Change.Department = &department
	}
	if manager != one.Manager {
		x.Change.Manager = &manager
	}
	if err == nil && *x.Change == (identity.Change{}) {
		err = outcome.New(outcome.Value, "choose what changes: other roles, another department or another manager")
	}
	if err == nil {
		err = p.o.Persons.Schedule(r.Context(), who.Session.Agent(), x)
	}
	switch {
	case err == nil:
		p.moved.keep(who.Session.ID, comingPath, p.now(), "The move of "+one.Name+" is set for "+look.Moment(x.At.In(p.o.Zone)).Text()+".")
		see(w, r, comingPath)
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.movePage(w, r, who, err)
	default:
		p.fail(w, r, err)
	}
}

// takeBack takes back what is set for a person.
func (p *Pages) takeBack(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	id, kind := r.PathValue("person"), r.PostForm.Get("kind")
	var err error = outcome.New(outcome.Value, "choose what to take back").At("kind")
	if comingWords[kind] != "" {
		err = p.o.Persons.Unschedule(r.Context(), who.Session.Agent(), id, kind)
	}
	switch {
	case err == nil:
		p.moved.keep(who.Session.ID, comingPath, p.now(), "Taken back: "+p.nameOf(r, id)+", "+lower(comingWords[kind])+".")
		see(w, r, comingPath)
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.comingPage(w, r, who, err)
	default:
		p.fail(w, r, err)
	}
}

// unrostered is who can get in and stands on no roster.
func (p *Pages) unrostered(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.PeopleList); err != nil {
		p.fail(w, r, err)
		return
	}
	p.unrosteredPage(w, r, who, nil)
}

func (p *Pages) unrosteredPage(w http.ResponseWriter, r *http.Request, who access.Principal, failed error) {
	found, err := p.o.Staffing.Orphans(r.Context())
	var people []identity.Person
	if err == nil {
		people, err = p.o.Persons.People(r.Context())
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v, status := page.UnrosteredView{Shell: p.shell(r, "On no roster", atPeople), With: strings.Join(found.Sources, ", "), People: found.People, May: administers(who.Session),
		Until: p.now().In(p.o.Zone).AddDate(0, 0, knownDays).Format(time.DateOnly), Done: p.moved.take(who.Session.ID, unrosteredPath, p.now())}, http.StatusOK
	if failed != nil {
		v.Problem, status = sentence(failed), outcome.Status(failed)
	}
	line := func(o staffing.Unrostered) page.UnrosteredLine {
		out := page.UnrosteredLine{ID: o.ID, Name: shownName(o.Person), Roles: rolesOf(o.Person), Because: o.Known.Because, Mine: o.ID == who.Session.Person.ID}
		switch {
		case o.Manager != "":
			out.Owner = shownName(personOf(people, o.Manager))
		case o.CreatedBy != "":
			out.Owner = "Nobody; added by " + shownName(personOf(people, o.CreatedBy))
		default:
			out.Owner = "Nobody; added on the command line"
		}
		if !o.LastUse.IsZero() {
			out.Last = look.Recent(o.LastUse.In(p.o.Zone), p.now())
		}
		if !o.Ends.IsZero() {
			out.Ends = look.Moment(o.Ends.In(p.o.Zone))
		}
		if !o.Known.Until.IsZero() {
			out.Until = look.Day(o.Known.Until.In(p.o.Zone))
		}
		return out
	}
	v.More = max(0, len(found.Orphans)-peopleOnPage)
	for _, o := range found.Orphans[:len(found.Orphans)-v.More] {
		v.Orphans = append(v.Orphans, line(o))
	}
	for _, o := range found.Known {
		v.Known = append(v.Known, line(o))
	}
	p.draw(w, r, status, page.Unrostered(v))
}

// settleUnrostered begins the end of somebody on no roster, or writes down why she works here.
func (p *Pages) settleUnrostered(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	id, said := r.PathValue("person"), ""
	var err error
	switch r.PostForm.Get("act") {
	case "end":
		err, said = p.o.Staffing.EndOrphan(r.Context(), who.Session.Agent(), id), "access ends in 24 hours, unless it is taken back under Set for later."
	case "known":
		var until time.Time
		if until, err = time.ParseInLocation(time.DateOnly, strings.TrimSpace(r.PostForm.Get("until")), p.o.Zone); err != nil {
			err = outcome.New(outcome.Value, "choose a day: written 2026-12-31").At("until")
		} else {
			err = p.o.Persons.KeepKnown(r.Context(), who.Session.Agent(), identity.Known{Person: id, Because: strings.TrimSpace(r.PostForm.Get("because")), Until: until.AddDate(0, 0, 1)})
		}
		said = "known until " + look.Day(until).Text() + "; then it is asked again."
	default:
		err = outcome.New(outcome.Value, "choose: known, or end access").At("act")
	}
	switch {
	case err == nil:
		p.moved.keep(who.Session.ID, unrosteredPath, p.now(), p.nameOf(r, id)+": "+said)
		see(w, r, unrosteredPath)
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.unrosteredPage(w, r, who, err)
	default:
		p.fail(w, r, err)
	}
}
