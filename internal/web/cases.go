package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/casework"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The cases of the privacy office: the queue, the report of who closed what, and the guide to sanctions.

func (p *Pages) caseRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/privacy/cases", Action: policy.Cases, Handler: p.cases},
		{Method: "GET", Pattern: "/privacy/feed", Action: policy.Cases, Handler: p.feed},
		{Method: "GET", Pattern: "/privacy/cases/closures", Action: policy.Cases, Handler: p.closures},
		{Method: "GET", Pattern: "/privacy/cases/audits", Action: policy.Cases, Handler: p.randomAudits},
		{Method: "GET", Pattern: "/privacy/cases/nights", Action: policy.Cases, Handler: p.nights},
		{Method: "GET", Pattern: "/privacy/cases/{case}", Action: policy.Cases, Handler: p.caseOf},
		{Method: "POST", Pattern: "/privacy/cases/{case}", Action: policy.CaseWork, Handler: p.workCase},
		{Method: "GET", Pattern: "/privacy/sanctions", Action: policy.Cases, Handler: p.sanctions},
		{Method: "POST", Pattern: "/activity/questions/{question}", Action: policy.Own, Handler: p.answer},
	}
}

const casesOnPage = 25

// asking is the queue as its address asks for it.
type asking struct {
	casework.Filter
	picked string
}

func askingOf(r *http.Request) asking {
	q := r.URL.Query()
	a := asking{casework.Filter{View: casework.View(q.Get("show")), Hypothesis: q.Get("kind"), Queue: q.Get("queue"), Limit: casesOnPage}, q.Get("case")}
	if !slices.Contains([]casework.View{casework.ToDo, casework.Mine, casework.OnWatch, casework.Done}, a.View) {
		a.View = casework.ToDo
	}
	if _, known := suspicions[a.Hypothesis]; !known {
		a.Hypothesis = ""
	}
	if a.Queue != casework.Automatic && a.Queue != casework.Review {
		a.Queue = ""
	}
	a.Skip, _ = strconv.Atoi(q.Get("from"))
	a.Skip = max(a.Skip, 0)
	return a
}

// href is the address of the queue with something else asked for.
func (a asking) href(change func(*asking)) string {
	change(&a)
	q := url.Values{}
	if a.View != casework.ToDo {
		q.Set("show", string(a.View))
	}
	for name, value := range map[string]string{"kind": a.Hypothesis, "queue": a.Queue, "case": a.picked} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if a.Skip > 0 {
		q.Set("from", strconv.Itoa(a.Skip))
	}
	if len(q) == 0 {
		return "/privacy/cases"
	}
	return "/privacy/cases?" + q.Encode()
}

// cases is the queue, with one case beside it.
func (p *Pages) cases(w http.ResponseWriter, r *http.Request) {
	who, a := p.asks(r), askingOf(r)
	now := p.now()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, p.o.Zone)
	list, err := p.o.Office.Cases(r.Context(), who, a.Filter, midnight)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry)
	v := page.CasesView{Shell: withEntry(p.shell(r, atCases, atCases), list.Entry), Total: list.Total, Sub: p.caseload(list), Empty: emptyCases[a.View], Nights: !p.o.Office.Watches()}
	for _, one := range []struct {
		view casework.View
		name string
		n    int
	}{{casework.ToDo, "Waiting", list.ToDo}, {casework.Mine, "Mine", list.Mine}, {casework.OnWatch, "On watch", list.Watch}, {casework.Done, "Closed", -1}} {
		name := one.name
		if one.n >= 0 {
			name += " " + look.Number(int64(one.n))
		}
		link := look.Link{Text: name, Href: a.href(func(a *asking) { a.View, a.picked, a.Skip, a.Queue = one.view, "", 0, "" })}
		if one.view == a.View {
			link.Href = ""
		}
		v.Views = append(v.Views, link)
	}
	v.Filters = p.caseFilters(a, list)
	v.Feed = p.feedLine(r.Context())
	picked := slices.IndexFunc(list.Cases, func(c casework.Listed) bool { return c.ID == a.picked })
	v.Picked = picked >= 0
	beside := func(i int) string {
		if i < 0 || i >= len(list.Cases) {
			return ""
		}
		return a.href(func(a *asking) { a.picked = list.Cases[i].ID })
	}
	for i, c := range list.Cases {
		line := p.caseLine(c)
		line.Href, line.Current = beside(i), i == max(picked, 0)
		v.Rows = append(v.Rows, line)
	}
	if len(list.Cases) > 0 {
		i := max(picked, 0)
		c := list.Cases[i]
		t := p.caseTaleOf(c, nil)
		barred, err := p.o.Office.Barred(r.Context(), who, &c.Case)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		v.Preview = &page.CasePreview{ID: c.ID, Headline: t.headline(), Marks: p.caseMarks(c), Meta: p.caseMeta(c), Tale: t.happened(), Weights: t.weights(), Href: caseHref(c.ID),
			Prev: beside(i - 1), Next: beside(i + 1), Take: c.Open() && c.Owner == "" && barred == "", Barred: capital(barred)}
	}
	if next := a.Skip + len(list.Cases); next < list.Total {
		v.Older = look.Link{Text: "More cases", Href: a.href(func(a *asking) { a.Skip, a.picked = next, "" })}
	}
	if list.Elsewhere > 0 {
		v.Notes = append(v.Notes, look.Number(int64(list.Elsewhere))+" in another’s queue: a colleague decides about them.")
	}
	if list.Muted > 0 {
		v.Notes = append(v.Notes, look.Plural(int64(list.Muted), "case is", "cases are")+" left alone for a while: two officers wanted it.")
	}
	p.draw(w, r, http.StatusOK, page.Cases(v))
}

var emptyCases = map[casework.View]string{
	casework.ToDo:    "No case waits. Detection goes on; what is too weak to ask about is on watch.",
	casework.Mine:    "You have taken no case. Take one from those that wait.",
	casework.OnWatch: "Nothing is on watch.",
	casework.Done:    "No case was closed yet.",
}

// caseload says how today stands against what the office expects.
func (p *Pages) caseload(l casework.List) string {
	text := fmt.Sprintf("%s today; about %s a day expected. %s on watch.", look.Plural(int64(l.Today), "new case", "new cases"), look.Number(int64(l.Budget)), look.Number(int64(l.Watch)))
	if l.Overdue > 0 {
		text += " " + look.Number(int64(l.Overdue)) + " overdue."
	}
	return text
}

// caseFilters narrow the list; a question with one answer is none.
func (p *Pages) caseFilters(a asking, l casework.List) (out []page.CaseFilter) {
	link := func(text string, on bool, change func(*asking)) look.Link {
		x := look.Link{Text: text, Href: a.href(func(a *asking) { a.picked, a.Skip = "", 0; change(a) })}
		if on {
			x.Href = ""
		}
		return x
	}
	if a.View == casework.ToDo || a.View == casework.Mine {
		f := page.CaseFilter{Name: "Queue"}
		for _, q := range []struct{ value, name string }{{"", "Any"}, {casework.Automatic, "Pressing"}, {casework.Review, "Review"}} {
			f.Links = append(f.Links, link(q.name, a.Queue == q.value, func(a *asking) { a.Queue = q.value }))
		}
		out = append(out, f)
	}
	if len(l.Hypotheses) > 1 || a.Hypothesis != "" {
		f := page.CaseFilter{Name: "Suspicion", Links: []look.Link{link("Any", a.Hypothesis == "", func(a *asking) { a.Hypothesis = "" })}}
		for _, h := range l.Hypotheses {
			f.Links = append(f.Links, link(suspicionOf(h).kind, a.Hypothesis == h, func(a *asking) { a.Hypothesis = h }))
		}
		out = append(out, f)
	}
	return out
}

// caseLine is a case as lists show it.
func (p *Pages) caseLine(c casework.Listed) page.CaseLine {
	t := p.caseTaleOf(c, nil)
	line := page.CaseLine{Href: caseHref(c.ID), What: t.short(), Who: personWords(c.Who), Kind: suspicionOf(c.Hypothesis).kind, Marks: p.caseMarks(c), Overdue: c.Overdue, Officer: c.Officer}
	switch {
	case !c.Open():
		line.Due = "closed " + look.Recent(c.Closed.In(p.o.Zone), p.now()).Text()
	default:
		line.Due = p.due(c)
	}
	return line
}

func caseHref(id string) string { return "/privacy/cases/" + url.PathEscape(id) }

// due says until when something has to happen.
func (p *Pages) due(c casework.Listed) string {
	what := "decision"
	if c.Taken.IsZero() {
		what = "first look"
	}
	if c.Overdue {
		return what + " overdue by " + ago(p.now().Sub(c.Due))
	}
	return what + " due in " + ago(c.Due.Sub(p.now()))
}

// caseMarks are how pressing a case is, how far it came and how it ended, in words.
func (p *Pages) caseMarks(c casework.Listed) []look.Mark {
	var out []look.Mark
	if c.Drawn() {
		out = append(out, look.Mark{Icon: "clipboard-list", Text: "Drawn at random"})
	} else if c.Open() {
		level := levelOf(&c.Case)
		out = append(out, look.Mark{Tone: map[string]look.Tone{"High": look.Crit, "Medium": look.Warn}[level], Icon: map[string]string{"High": "circle-alert"}[level], Text: level})
	}
	switch c.State {
	case casework.Asked:
		out = append(out, look.Mark{Tone: look.Accent, Icon: "message-square", Text: "Asked"})
	case casework.Taken:
		out = append(out, look.Mark{Tone: look.Accent, Text: "Taken"})
	case casework.Closed:
		out = append(out, look.Mark{Tone: outcomeTones[c.Outcome], Text: outcomeTitles[c.Outcome]})
	case casework.New:
	}
	if c.Escalated {
		out = append(out, look.Mark{Tone: look.Crit, Text: "Not the person, they say"})
	}
	if c.Provisional {
		out = append(out, look.Mark{Text: "Provisional"})
	}
	return out
}

// caseMeta is one line about a case.
func (p *Pages) caseMeta(c casework.Listed) []string {
	out := []string{personWords(c.Who), "Raised " + look.Moment(c.Opened.In(p.o.Zone)).Text()}
	if c.Open() {
		out = append(out, capital(p.due(c)))
	}
	if c.Officer != "" {
		out = append(out, "With "+c.Officer)
	}
	return out
}

// levelOf says in a word how pressing a case is: severity times probability, and whether detection is sure. Numbers would pretend more.
func levelOf(c *casework.Case) string {
	switch {
	case c.Queue == casework.Automatic, c.Score() >= .4:
		return "High"
	case c.Queue == casework.Review:
		return "Medium"
	}
	return "Low"
}

var outcomeTones = map[string]look.Tone{casework.Violation: look.Crit, casework.Training: look.Warn, casework.Justified: look.OK}

var outcomeTitles = func() map[string]string {
	out := map[string]string{}
	for _, o := range page.CaseOutcomes() {
		out[o.Value] = strings.TrimSuffix(o.Title, ", and why")
	}
	out[casework.Answered] = "Answered by the person"
	return out
}()

// personWords is the person of a case in a line: by name for who took it, else by what stands for her.
func personWords(w casework.Who) string {
	name := w.Name
	if name == "" {
		name = strings.TrimSpace(roleName(w.Role) + " " + w.Alias)
	} else if w.Role != "" {
		name += ", " + strings.ToLower(roleName(w.Role))
	}
	if w.Unit != "" {
		name += ", " + w.Unit
	}
	return name
}

// closures is the report of who closed whose cases.
func (p *Pages) closures(w http.ResponseWriter, r *http.Request) {
	pairs, entry, err := p.o.Office.Closures(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	v := page.ClosuresView{Shell: withEntry(p.shell(r, "Closures", atCases), entry)}
	for _, x := range pairs {
		line := page.ClosureLine{Officer: x.Officer, Who: personWords(x.Who), Closed: look.Number(int64(x.Closed)), Last: look.Recent(x.Last.In(p.o.Zone), p.now())}
		var parts []string
		for _, o := range casework.Outcomes {
			if n := x.Of[o]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(outcomeTitles[o])))
			}
		}
		line.Outcomes = strings.Join(parts, ", ")
		if x.Closed >= 3 && x.Of[casework.Violation] == 0 {
			line.Marks = []look.Mark{{Tone: look.Warn, Text: "Look at these"}}
		}
		v.Rows = append(v.Rows, line)
	}
	p.draw(w, r, http.StatusOK, page.Closures(v))
}

func (p *Pages) sanctions(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := p.o.Gate.Permit(r.Context(), who, policy.Cases); err != nil {
		p.fail(w, r, err)
		return
	}
	p.draw(w, r, http.StatusOK, page.Sanctions(page.SanctionsView{Shell: p.shell(r, "Sanction guide", atCases)}))
}
