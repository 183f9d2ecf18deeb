package web

import (
	"net/http"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The page on which a downtime of the whole site is declared and ended, and those that were.

func (p *Pages) downtimeRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/downtime", Action: policy.Approvals, Handler: func(w http.ResponseWriter, r *http.Request) { p.downtimePage(w, r, nil) }},
		{Method: "POST", Pattern: "/downtime", Action: policy.Approvals, Handler: p.declareDowntime},
		{Method: "POST", Pattern: "/downtime/end", Action: policy.Approvals, Handler: p.endDowntime},
		{Method: "GET", Pattern: "/downtime/{number}", Action: policy.GlassReview, Handler: p.downtimeOpenings},
	}
}

// downtime is the one that runs, for everybody who works here; a page without its banner is better than none.
func (p *Pages) downtime(r *http.Request) *access.Downtime {
	if s := session(r); s == nil || s.Capacity != identity.StaffCapacity || p.o.Gate == nil {
		return nil
	}
	d, err := p.o.Gate.Downtime(r.Context())
	if err != nil {
		return nil
	}
	return d
}

// atTheDoor are the banners of pages before somebody is in. In the house they say that a downtime runs, and name nobody; whoever reaches the
// door from outside learns nothing of it.
func (p *Pages) atTheDoor(r *http.Request) []look.Banner {
	out := p.banners()
	zone, _, _ := strings.Cut(p.o.Browser.Arrival(r).Zone, "/")
	if zone != policy.Hospital || p.o.Gate == nil {
		return out
	}
	if d, err := p.o.Gate.Downtime(r.Context()); err == nil && d != nil {
		out = append(out, look.DowntimeBanner(look.Clock(d.Until.In(p.o.Zone)), "two people"))
	}
	return out
}

func (p *Pages) downtimePage(w http.ResponseWriter, r *http.Request, failed error) {
	who := p.asks(r)
	list, err := p.o.Gate.Downtimes(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.DowntimeView{Shell: p.shell(r, "Downtime", atApprovals)}
	status := http.StatusOK
	if failed != nil {
		v.Problem, v.Reason, status = sentence(failed), r.PostForm.Get("reason"), outcome.Status(failed)
	}
	for i := range list {
		d := &list[i]
		line := page.DowntimeLine{Since: look.Exact(d.Since.In(p.o.Zone)), Until: look.Exact(d.End().In(p.o.Zone)), By: p.nameOf(r, d.Asked) + " and " + p.nameOf(r, d.Agreed)}
		if reviewsAccesses(who.Session) {
			line.Href = "/downtime/" + strconv.FormatInt(d.ID, 10)
		}
		if line.Runs = d.Runs(p.now()); line.Runs {
			v.Until = look.Clock(d.Until.In(p.o.Zone)).Text()
		}
		v.Past = append(v.Past, line)
	}
	p.draw(w, r, status, page.Downtime(v))
}

func (p *Pages) declareDowntime(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	hours, err := strconv.Atoi(r.PostForm.Get("hours"))
	if err != nil {
		err = outcome.New(outcome.Value, "write for how many hours: from 1 to 12").At("hours")
	}
	var a access.Approval
	if err == nil {
		a, err = p.o.Gate.AskDowntime(r.Context(), p.asks(r), hours, r.PostForm.Get("reason"))
	}
	switch {
	case err == nil:
		see(w, r, "/approvals/"+a.ID)
	case mendable(err), outcome.Is(err, outcome.Conflict):
		p.downtimePage(w, r, err)
	default:
		p.fail(w, r, err)
	}
}

func (p *Pages) endDowntime(w http.ResponseWriter, r *http.Request) {
	if err := p.o.Gate.EndDowntime(r.Context(), p.asks(r)); err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/downtime")
}

// downtimeOpenings lists what was opened in a downtime, for those who look at a sample of it.
func (p *Pages) downtimeOpenings(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such downtime"))
		return
	}
	who := p.asks(r)
	got, err := p.o.Gate.OpenedIn(r.Context(), who, number)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	var ids []string
	for _, one := range got.Reviews {
		ids = append(ids, one.PatientID)
	}
	masked, entry, err := p.o.Gate.Masked(r.Context(), who, ids...)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, got.Entry, entry)
	rows := p.reviewLines(r, got.Reviews, masked)
	for i := range rows {
		if got.Reviews[i].Kind == "downtime" {
			rows[i].Due, rows[i].Marks = "not drawn", nil
		}
	}
	p.draw(w, r, http.StatusOK, page.Reviews(page.ReviewsView{Shell: withEntry(p.shell(r, "Downtime", atReviews), got.Entry), Rows: rows, Total: got.Total,
		Views: []look.Link{{Text: "Opened in the downtime"}, {Text: "Waiting", Href: "/privacy/reviews"}}}))
}
