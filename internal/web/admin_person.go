package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// handed is what the page of a person shows one time after an act: a sign-in link, or what was ended.
type handed struct {
	link *page.EnrolLink
	said string
}

// handOver keeps a link and a sentence for the next look at a person's page, by this session alone.
func (p *Pages) handOver(who access.Principal, person string, link *identity.Link, said string) {
	h := handed{said: said}
	if link != nil {
		h.link = &page.EnrolLink{URL: p.o.Base + "/enrol/" + link.Token, Until: look.Moment(link.Expires.In(p.o.Zone))}
	}
	p.handed.keep(who.Session.ID, person, p.now(), h)
}

// person is the page of one person.
func (p *Pages) person(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.PeopleList); err != nil {
		p.fail(w, r, err)
		return
	}
	p.personPage(w, r, http.StatusOK, who, "")
}

func (p *Pages) personPage(w http.ResponseWriter, r *http.Request, status int, who access.Principal, problem string) {
	ctx, id := r.Context(), r.PathValue("person")
	one, err := p.o.Persons.Person(ctx, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	people, err := p.o.Persons.People(ctx)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	sessions, err := p.o.Persons.Sessions(ctx, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	keys, err := p.o.Persons.Passkeys(ctx, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	once := p.handed.take(who.Session.ID, id, p.now())
	v := page.PersonView{Shell: p.shell(r, "Person", atPeople), ID: one.ID, Name: shownName(one), Marks: personMarks(one), Facts: p.personFacts(one, people),
		Factors: []look.Fact{{Name: "Sign-in", Value: enrolled(one)}, {Name: "Passkeys", Value: passkeyWords(keys)}}, Roles: roleOptions(one.Roles), House: p.houseOptions(one.House), Cleared: clearancesOf(one), Link: once.link, Ended: once.said, Problem: problem,
		May: administers(who.Session), MayEnd: one.ID != who.Session.Person.ID, Invite: !one.Enrolled}
	if !portalOnly(one) {
		v.Sub = join(", ", one.SignInName, one.Department)
	}
	if one.State == identity.Ended {
		v.Ended = cmp.Or(v.Ended, "Access was ended. The person and the history stay.")
		v.Certificate = personHref(one.ID) + "/certificate"
	}
	v.Moves = v.May && v.MayEnd && one.State != identity.Ended && !portalOnly(one)
	v.Suspended = one.State == identity.Suspended
	set, err := p.o.Persons.ScheduledFor(ctx, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	for _, x := range set {
		v.Scheduled = append(v.Scheduled, join("; ", append([]string{scheduledWords[x.Kind] + " " + look.Moment(x.At.In(p.o.Zone)).Text() + ": " + x.Reason}, p.difference(x, one, people)...)...))
	}
	for _, s := range sessions {
		v.Sessions = append(v.Sessions, page.SessionLine{Device: deviceWords[s.Trust], Zone: lower(placeWords(s.Zone)),
			Since: look.Recent(s.Created.In(p.o.Zone), p.now()), Last: look.Recent(s.Seen.In(p.o.Zone), p.now())})
	}
	if !portalOnly(one) {
		v.Alias, v.Aliased = p.o.Persons.Alias(one.ID), one.Aliased
		v.Managers, v.Mail = p.managers(r, one.ID, one.Manager), one.Mail
	}
	seconds, err := p.o.Persons.CanAgree(r.Context(), who.Session.Person.ID, one.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	for _, other := range seconds {
		v.Seconds = append(v.Seconds, page.Option{Value: other.ID, Name: other.Name})
	}
	p.draw(w, r, status, page.PersonPage(v))
}

// scheduledWords say what is set for a moment.
var scheduledWords = map[string]string{identity.LeaveAt: "Access ends", identity.ChangeAt: "Roles or department change", identity.SuspendAt: "Is suspended, unless the person signs in before,",
	identity.RolesEndAt: "Old roles end"}

var deviceWords = map[string]string{"managed": "A managed device", "registered": "A registered device", "unknown": "An unknown device"}

// passkeyWords count passkeys, and those of them that stay on their device.
func passkeyWords(keys []identity.Passkey) string {
	bound := 0
	for _, k := range keys {
		if k.Bound {
			bound++
		}
	}
	if len(keys) == 0 {
		return "None"
	}
	return fmt.Sprintf("%d, of which %d bound to one device", len(keys), bound)
}

func enrolled(one identity.Person) string {
	if one.Enrolled {
		return "Set"
	}
	return "Not set yet"
}

func (p *Pages) personFacts(one identity.Person, people []identity.Person) []look.Fact {
	added := "On the command line"
	if i := slices.IndexFunc(people, func(o identity.Person) bool { return o.ID == one.CreatedBy }); i >= 0 {
		added = "By " + shownName(people[i])
	}
	out := []look.Fact{{Name: "Added", Value: look.Day(one.Created.In(p.o.Zone)).Text() + ", " + strings.ToLower(added[:1]) + added[1:]}}
	if portalOnly(one) {
		return out
	}
	out = append(out, look.Fact{Name: "Staff directory entry", Value: cmp.Or(one.Practitioner, "None: no visit or order can name this person")})
	manager := look.Fact{Name: "Manager", Value: "None is known: the privacy office chooses whom it asks", Tone: look.Warn}
	if i := slices.IndexFunc(people, func(o identity.Person) bool { return o.ID == one.Manager }); i >= 0 {
		if manager = (look.Fact{Name: "Manager", Value: shownName(people[i])}); !people[i].Active {
			manager.Value, manager.Tone = manager.Value+", who has left", look.Warn
		}
	}
	out = append(out, manager, look.Fact{Name: "Mail at work", Value: cmp.Or(one.Mail, "None")})
	training := look.Fact{Name: "Training", Value: "Never done", Tone: look.Warn}
	if !one.TrainingDue.IsZero() {
		training = look.Fact{Name: "Training", Value: "Due " + look.Day(one.TrainingDue.In(p.o.Zone)).Text()}
		if !one.TrainingDue.After(p.now()) {
			training.Tone = look.Warn
		}
	}
	out = append(out, training)
	if one.House != "" {
		out = append(out, look.Fact{Name: "Role of the house", Value: rolesOf(one)})
	}
	if len(one.Clearances) > 0 {
		out = append(out, look.Fact{Name: "Cleared for restricted records", Value: strings.Join(one.Clearances, ", ")})
	}
	return out
}

// did ends an act on a person: back to the page with 303, or the page again with what is to be mended.
func (p *Pages) did(w http.ResponseWriter, r *http.Request, who access.Principal, err error) {
	switch {
	case err == nil:
		see(w, r, personHref(r.PathValue("person")))
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.personPage(w, r, outcome.Status(err), who, sentence(err))
	default:
		p.fail(w, r, err)
	}
}

// setRoles gives and takes roles. Whatever opens charts waits for a second person outside a sandbox; that somebody is a patient, too,
// is not touched.
func (p *Pages) setRoles(w http.ResponseWriter, r *http.Request) {
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
	roles := workRoles(r.PostForm["role"])
	if slices.Contains(one.Roles, identity.Patient) {
		roles = append(roles, identity.Patient)
	}
	c := identity.Change{Roles: &roles}
	if r.PostForm.Has("house") {
		house := r.PostForm.Get("house")
		c.House = &house
	}
	_, item, err := p.o.Persons.Change(r.Context(), who.Session.Agent(), id, c)
	if err == nil && item != nil {
		see(w, r, "/admin/people")
		return
	}
	p.did(w, r, who, err)
}

// setReach sets who answers for a person's work, and where mail reaches her.
func (p *Pages) setReach(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	manager, mail := strings.TrimSpace(r.PostForm.Get("manager")), strings.TrimSpace(r.PostForm.Get("mail"))
	_, _, err := p.o.Persons.Change(r.Context(), who.Session.Agent(), r.PathValue("person"), identity.Change{Manager: &manager, Mail: &mail})
	p.did(w, r, who, err)
}

// managers are those who can answer for somebody's work, by name.
func (p *Pages) managers(r *http.Request, of, now string) (out []page.Option) {
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		return nil
	}
	for _, one := range people {
		if one.ID == of || portalOnly(one) || !one.Active && one.ID != now {
			continue
		}
		out = append(out, page.Option{Value: one.ID, Name: join(", ", one.Name, one.Department), On: one.ID == now})
	}
	slices.SortStableFunc(out, func(a, b page.Option) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// endAccess ends a person's access for good: every session within a second.
func (p *Pages) endAccess(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	if r.PostForm.Get("later") != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", strings.TrimSpace(r.PostForm.Get("at")), p.o.Zone)
		if err != nil || !at.After(p.now()) {
			err = outcome.New(outcome.Value, "choose a day and a time that are still to come, or end access now")
		} else {
			err = p.o.Persons.Schedule(r.Context(), who.Session.Agent(), identity.Scheduled{Person: r.PathValue("person"), Kind: identity.LeaveAt, At: at, Reason: strings.TrimSpace(r.PostForm.Get("reason"))})
		}
		p.did(w, r, who, err)
		return
	}
	done, err := p.o.Staffing.End(r.Context(), who.Session.Agent(), r.PathValue("person"), strings.TrimSpace(r.PostForm.Get("reason")))
	if err == nil {
		entered(w, done.Entry)
		p.handOver(who, done.Person, nil, "Ended "+look.Moment(done.Terminated.In(p.o.Zone)).Text()+" by "+who.Session.Person.Name+". "+
			look.Plural(int64(len(done.Sessions)), "session", "sessions")+" closed, "+look.Plural(int64(done.CredentialsRemoved), "sign-in factor", "sign-in factors")+" and "+
			look.Plural(int64(done.LinksRevoked), "link", "links")+" removed.")
	}
	p.did(w, r, who, err)
}

// suspend shuts a person out who may come back.
func (p *Pages) suspend(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	p.did(w, r, who, p.o.Staffing.Suspend(r.Context(), who.Session.Agent(), r.PathValue("person"), strings.TrimSpace(r.PostForm.Get("why"))))
}

// resume lets a suspended person in again, or asks a second person to where charts open.
func (p *Pages) resume(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	item, err := p.o.Staffing.Resume(r.Context(), who.Session.Agent(), r.PathValue("person"), "by the page of people")
	if err == nil && item != nil {
		see(w, r, "/admin/people")
		return
	}
	p.did(w, r, who, err)
}

// askReset asks for a new start of somebody's sign-in. Nothing happens until somebody agrees who can.
func (p *Pages) askReset(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	seconds, err := p.o.Persons.CanAgree(r.Context(), who.Session.Person.ID, r.PathValue("person"))
	i := slices.IndexFunc(seconds, func(one identity.Person) bool { return one.ID == r.PostForm.Get("with") })
	if err == nil && i < 0 {
		p.personPage(w, r, http.StatusBadRequest, who, "Choose the second person: an administrator or a privacy officer of the list.")
		return
	}
	if err == nil {
		_, err = p.o.Persons.AskReset(r.Context(), who.Session.Agent(), r.PathValue("person"), "for "+seconds[i].Name+" to agree")
	}
	if err == nil {
		see(w, r, "/admin/people")
		return
	}
	p.did(w, r, who, err)
}

// newLink makes a first sign-in link for somebody who has none, shown once.
func (p *Pages) newLink(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, policy.People)
	if !ok {
		return
	}
	link, err := p.o.Persons.Invite(r.Context(), who.Session.Agent(), r.PathValue("person"))
	if err == nil {
		p.handOver(who, link.Person, &link, "")
	}
	p.did(w, r, who, err)
}

// settlePending agrees to what waits, as the second person, or declines it.
func (p *Pages) settlePending(w http.ResponseWriter, r *http.Request) {
	who, ok := p.permitted(w, r, cmp.Or(access.SecondRight(session(r).Roles()), policy.PeopleAgree))
	if !ok {
		return
	}
	item := r.PathValue("item")
	switch r.PostForm.Get("act") {
	case "approve":
		done, err := p.o.Persons.Approve(r.Context(), who.Session.Agent(), item)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		if done.Link != nil {
			p.handOver(who, done.Person.ID, done.Link, "")
		}
		see(w, r, personHref(done.Person.ID))
	case "decline":
		if err := p.o.Persons.Decline(r.Context(), who.Session.Agent(), item, "declined on the page of people"); err != nil {
			p.fail(w, r, err)
			return
		}
		see(w, r, "/admin/people")
	default:
		p.fail(w, r, outcome.New(outcome.Value, "choose: agree or decline"))
	}
}
