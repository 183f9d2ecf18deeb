package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Acting as a colleague: asked for, agreed to, begun and ended on one page, and told on every page of both.

const actingPath = "/acting"

func (p *Pages) actingRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: actingPath, Action: policy.Own, Handler: func(w http.ResponseWriter, r *http.Request) { p.actingPage(w, r, nil) }},
		{Method: "POST", Pattern: actingPath, Action: policy.Own, Handler: p.askActing},
		{Method: "POST", Pattern: actingPath + "/{item}", Action: policy.Own, Handler: p.settleActing},
	}
}

// actingBanners tell both people, on each of their pages, that one acts as the other; and who is asked, that she is.
func (p *Pages) actingBanners(r *http.Request, s *identity.Session) []look.Banner {
	if s.Actor != nil {
		return []look.Banner{look.ActingBanner(s.Actor.Person.Name, s.Person.Name, look.Clock(s.Acting.Until().In(p.o.Zone)), actingPath)}
	}
	if p.o.Persons == nil || s.Capacity != identity.StaffCapacity {
		return nil
	}
	running, waiting, err := p.o.Persons.Actings(r.Context(), s.Person.ID)
	if err != nil {
		return nil // a page without its banner is better than none; the entries name both
	}
	var out []look.Banner
	for _, a := range running {
		if a.As == s.Person.ID {
			out = append(out, look.ActingBanner(p.nameOf(r, a.By), s.Person.Name, look.Clock(a.Until().In(p.o.Zone)), actingPath))
		}
	}
	for _, a := range waiting {
		if a.As == s.Person.ID {
			out = append(out, look.Banner{Icon: "users", Lead: p.nameOf(r, a.By) + " asks to act as you.", Text: "“" + a.Reason + "”", Link: look.Link{Text: "Decide", Href: actingPath}})
		}
	}
	return out
}

func (p *Pages) actingPage(w http.ResponseWriter, r *http.Request, failed error) {
	who := p.asks(r)
	running, waiting, err := p.o.Gate.Actings(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.ActingView{Shell: p.shell(r, "Acting as somebody", atColleagues), May: p.o.Gate.MayAskActing(r.Context(), who)}
	status := http.StatusOK
	if failed != nil {
		v.Problem, v.Person, v.Reason, status = sentence(failed), r.PostForm.Get("person"), r.PostForm.Get("reason"), outcome.Status(failed)
	}
	me := who.Session.Person.ID
	for i, a := range slices.Concat(running, waiting) {
		line := page.ActingLine{ID: a.ID, By: p.nameOf(r, a.By), As: p.nameOf(r, a.As), Reason: a.Reason, State: "waits for a word until", Until: look.Clock(a.Lapses.In(p.o.Zone)), Decide: a.As == me}
		if i < len(running) {
			line.State, line.Until, line.Runs, line.Begin, line.Decide = "agreed to by "+p.nameOf(r, a.Agreed)+", until", look.Clock(a.Until().In(p.o.Zone)), true, a.By == me, false
		}
		v.Rows = append(v.Rows, line)
	}
	p.draw(w, r, status, page.Acting(v))
}

func (p *Pages) askActing(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	minutes, err := strconv.Atoi(r.PostForm.Get("minutes"))
	if err != nil {
		err = outcome.New(outcome.Value, "write for how many minutes: from 5 to 60").At("minutes")
	}
	var whom string
	if err == nil {
		whom, err = p.colleagueNamed(r, strings.TrimSpace(r.PostForm.Get("person")))
	}
	if err == nil {
		_, err = p.o.Gate.AskActing(r.Context(), p.asks(r), whom, minutes, r.PostForm.Get("reason"))
	}
	switch {
	case err == nil:
		see(w, r, actingPath)
	case mendable(err):
		p.actingPage(w, r, err)
	default:
		p.fail(w, r, err)
	}
}

// colleagueNamed is the id of the one person of a name or id.
func (p *Pages) colleagueNamed(r *http.Request, text string) (string, error) {
	all, err := p.o.Persons.People(r.Context())
	if err != nil {
		return "", err
	}
	var found []string
	for _, one := range all {
		if one.ID == text {
			return one.ID, nil
		}
		if one.Active && strings.EqualFold(one.Name, text) && slices.Contains(one.Capacities(), identity.StaffCapacity) {
			found = append(found, one.ID)
		}
	}
	if len(found) != 1 {
		return "", outcome.New(outcome.Value, "write the full name of one colleague, or the id where two have that name").At("person")
	}
	return found[0], nil
}

func (p *Pages) settleActing(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who, item := p.asks(r), r.PathValue("item")
	var err error
	to := actingPath
	switch r.PostForm.Get("act") {
	case "agree", "decline":
		err = p.o.Gate.Consent(r.Context(), who, item, r.PostForm.Get("act") == "agree")
	case "begin":
		var as *identity.Session
		if as, err = p.o.Persons.BeginActing(r.Context(), who.Session, item); err == nil {
			p.o.Browser.SetActing(w, item, as.Acting.Until())
			to = p.home(as)
		}
	case "end":
		if err = p.o.Gate.EndActing(r.Context(), who, item); err == nil {
			p.o.Browser.SetActing(w, "", p.now())
		}
	default:
		err = outcome.New(outcome.Value, "say what to do").At("act")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, to)
}
