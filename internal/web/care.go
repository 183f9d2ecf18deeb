package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/training"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// My day and the search for a patient: where work with charts begins.

func (p *Pages) careRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/day", Action: policy.Own, Handler: p.myDay},
		{Method: "GET", Pattern: "/find", Action: policy.Find, Handler: p.answering(p.doFind, p.find)},
		{Method: "POST", Pattern: "/find", Action: policy.Find, Handler: p.putAside},
	}
}

func (p *Pages) myDay(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if to := p.home(who.Session); to != "/day" {
		see(w, r, to)
		return
	}
	day, err := p.o.Gate.MyDay(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, day.Entry)
	now := p.now()
	v := page.DayView{Shell: withEntry(p.shell(r, "My day", "My day"), day.Entry), Date: look.Moment(now), Groups: dayLists(day, now, r.URL.Query().Has("all"))}
	if day.OnShift {
		v.Shift = "On shift"
		if day.Place != "" {
			v.Shift += ", " + day.Place
		}
		if !day.Until.IsZero() {
			v.Shift += ", until " + look.Clock(day.Until.In(p.o.Zone)).Text()
		}
	}
	names := map[string]string{}
	for _, one := range day.Patients {
		names[one.PatientID] = one.Name
	}
	for _, d := range p.drafts(r.Context(), who.Session) {
		v.ToSign = append(v.ToSign, page.Todo{Href: writeHref(d), Title: d.kind(),
			Hint: sentences(names[d.Chart], "Written "+look.Recent(d.Saved.In(p.o.Zone), now).Text())})
	}
	v.ToDo = append(v.ToDo, p.questions(r.Context(), who)...)
	if due, ok := trainingDue(who.Session.Person, now); ok {
		v.ToDo = append(v.ToDo, due)
	}
	p.draw(w, r, http.StatusOK, page.Day(v))
}

// aboutOf is what tells one patient from another besides the name.
func aboutOf(i access.Identity) string {
	born := ""
	if i.BirthYear != "" {
		born = "born " + i.BirthYear
	}
	return about(i.Sex, born)
}

// trainingDue says, from 14 days before, that training is due, or since when it is overdue.
func trainingDue(person identity.Person, now time.Time) (page.Todo, bool) {
	if person.TrainingDue.IsZero() || person.TrainingDue.Sub(now) > training.Warning {
		return page.Todo{}, false
	}
	day := look.Day(person.TrainingDue.In(now.Location())).Text()
	hint := "Due " + day + ". From then on exports and charts outside your care wait until it is done"
	if person.TrainingDue.Before(now) {
		hint = "Overdue since " + day + ". Charts outside your care and exports wait until it is done; patients in your care and emergencies never do"
	}
	return page.Todo{Href: "/training", Title: "Security training", Hint: hint}, true
}

// findRule is said before anybody searches.
const findRule = "The MRN, or three letters of the name and the birth date. Patients in your care need less. Each search is recorded."

func (p *Pages) find(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	p.draw(w, r, http.StatusOK, page.Find(page.FindView{Shell: p.shell(r, "Find a patient", "Find"), Rule: findRule}))
}

// doFind searches. What is looked for is never part of an address.
func (p *Pages) doFind(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.FindView{Shell: p.shell(r, "Find a patient", "Find"), Rule: findRule, Asked: true, New: slices.Contains(who.Session.Roles(), identity.FrontDesk), Q: strings.TrimSpace(r.PostForm.Get("q")), Born: strings.TrimSpace(r.PostForm.Get("born"))}
	q, err := findQuery(v.Q, v.Born)
	var found access.Found
	if err == nil {
		found, err = p.o.Gate.Find(r.Context(), who, q)
	}
	switch {
	case outcome.Is(err, outcome.Required), outcome.Is(err, outcome.Value):
		v.Problem = sentence(err)
		p.draw(w, r, outcome.Status(err), page.Find(v))
		return
	case err != nil:
		p.fail(w, r, err)
		return
	}
	entered(w, found.Entry)
	v.Shell, v.Hidden = withEntry(v.Shell, found.Entry), found.More
	same := map[string]int{}
	for _, h := range found.Hits {
		same[h.Name]++
	}
	for _, h := range found.Hits {
		hit := p.hit(who.Session, h)
		if same[h.Name] > 1 {
			hit.Marks = []look.Mark{{Tone: look.Warn, Text: "Same name"}}
		}
		v.Hits = append(v.Hits, hit)
	}
	p.draw(w, r, http.StatusOK, page.Find(v))
}

// hit is one patient found, as somebody with these roles may go on from there.
func (p *Pages) hit(s *identity.Session, h access.Hit) page.Hit {
	out := page.Hit{Href: chartHref(h.PatientID), Name: cmp.Or(h.Name, "Name not known"), About: aboutOf(h.Identity), MRN: "no MRN", Because: strings.TrimSuffix(h.Why, "."),
		Asks: h.Closed && kind(s) == forCare && anyClinical(s)}
	if atDesk(s) {
		out.Href = deskHref(s, h.PatientID) // there is no chart behind it, only what the desk works with
	}
	if h.MRNTail != "" {
		out.MRN = "MRN ends " + h.MRNTail
	}
	return out
}

// findQuery reads what was typed: a record number when at least half of it is digits, else a name.
func findQuery(q, born string) (access.FindQuery, error) {
	out := access.FindQuery{Name: q}
	digits, signs := 0, 0
	for _, r := range q {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !unicode.IsSpace(r):
			signs++
		}
	}
	if digits > 0 && digits >= signs {
		out.Name, out.MRN = "", strings.Join(strings.Fields(q), "")
	}
	if born == "" {
		return out, nil
	}
	day, ok := look.ParseDay(born)
	if !ok {
		return out, outcome.New(outcome.Value, "write the birth date as 14 Mar 1961").At("born")
	}
	out.BirthDate = day.Format(time.DateOnly)
	return out, nil
}

func anyClinical(s *identity.Session) bool {
	for _, role := range s.Roles() {
		if identity.Clinical(role) {
			return true
		}
	}
	return false
}
