package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const reviewsOnPage = 50

// reviews is the queue: what waits, what was asked, what is done.
func (p *Pages) reviews(w http.ResponseWriter, r *http.Request) {
	who, state := p.asks(r), access.ReviewState(r.URL.Query().Get("show"))
	if state == "" {
		state = access.ReviewsOpen
	}
	skip, _ := strconv.Atoi(r.URL.Query().Get("from"))
	list, err := p.o.Gate.Reviews(r.Context(), who, state, max(skip, 0), reviewsOnPage)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	masked, entry, err := p.o.Gate.Masked(r.Context(), who, patientsOf(list.Reviews)...)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry, entry)
	v := page.ReviewsView{Shell: withEntry(p.shell(r, atReviews, atReviews), list.Entry), Rows: p.reviewLines(r, list.Reviews, masked), Total: list.Total}
	for _, one := range []struct {
		state access.ReviewState
		name  string
	}{{access.ReviewsOpen, "Waiting"}, {access.ReviewsMine, "Mine"}, {access.ReviewsAsked, "Asked"}, {access.ReviewsClosed, "Closed"}} {
		link := look.Link{Text: one.name, Href: "/privacy/reviews?show=" + string(one.state)}
		if one.state == state {
			link.Href = ""
		}
		v.Views = append(v.Views, link)
	}
	if next := max(skip, 0) + len(list.Reviews); next < list.Total {
		v.Older = look.Link{Text: "Older reviews", Href: "/privacy/reviews?show=" + string(state) + "&from=" + strconv.Itoa(next)}
	}
	p.draw(w, r, http.StatusOK, page.Reviews(v))
}

// reviewLines are reviews as lists show them.
func (p *Pages) reviewLines(r *http.Request, list []access.Review, masked map[string]string) []page.ReviewLine {
	names := p.staff(r.Context())
	var out []page.ReviewLine
	for _, one := range list {
		line := page.ReviewLine{Href: reviewHref(one.ID), What: reviewWhat(one), Who: names.of(one.Person), Patient: masked[one.PatientID],
			When: look.Recent(one.Last.In(p.o.Zone), p.now())}
		switch one.Verdict {
		case "ask":
			line.Due = "asked " + look.Recent(one.Reviewed.In(p.o.Zone), p.now()).Text()
		case "explained":
			line.Marks = []look.Mark{{Tone: look.OK, Text: "Explained"}}
			if one.Reviewer == "" {
				line.Marks[0].Text = "Explained by a later fact"
			}
		case "escalate":
			line.Marks = []look.Mark{{Tone: look.Warn, Text: "A case"}}
		default:
			line.Due = "waits " + ago(p.now().Sub(one.First))
			if one.Owner != "" {
				line.Due = names.of(one.Owner) + ", " + line.Due
			}
			if !one.Due.IsZero() && one.Due.Before(p.now()) {
				line.Marks = []look.Mark{{Tone: look.Warn, Text: "Overdue"}}
			}
		}
		out = append(out, line)
	}
	return out
}

func reviewHref(id int64) string { return "/privacy/reviews/" + strconv.FormatInt(id, 10) }

func reviewWhat(r access.Review) string {
	switch {
	case r.Kind == "question":
		return "The patient does not know who this is"
	case r.Kind == "panel":
		return "An officer opened a chart that nothing but the practice explains"
	case !r.Glass():
		return "Opened a chart with no link that we found"
	case r.Code == "":
		return "Opened a closed chart with a reason"
	}
	return "Opened with a reason: " + strings.ToLower(glassTitle(r.Code))
}

// directory gives the names of people who work here.
type directory map[string]string

// staff reads the names of everybody who can sign in as staff. A page without names is better than none.
func (p *Pages) staff(ctx context.Context) directory {
	out := directory{}
	people, err := p.o.Persons.People(ctx)
	if err != nil {
		return out
	}
	for _, one := range people {
		if !portalOnly(one) {
			out[one.ID] = one.Name
			if one.Department != "" {
				out[one.ID] += ", " + one.Department
			}
		}
	}
	return out
}

func (d directory) of(id string) string {
	if name, ok := d[id]; ok {
		return name
	}
	return "Person " + tail(id)
}

// tail tells ids apart where the whole would only be noise.
func tail(id string) string {
	if len(id) <= 6 {
		return id
	}
	return id[len(id)-6:]
}

func (p *Pages) review(w http.ResponseWriter, r *http.Request) {
	p.reviewPage(w, r, p.asks(r), nil)
}

// reviewNames shows the page with the patient's name, for a reason that is recorded with it. The name goes with this answer and into
// no address.
func (p *Pages) reviewNames(w http.ResponseWriter, r *http.Request) {
	who, text := p.asks(r), strings.TrimSpace(r.PostForm.Get("text"))
	if text == "" {
		p.unnamed(w, r, outcome.New(outcome.Required, "write why you need the names"))
		return
	}
	p.sent(r, strings.TrimSuffix(r.URL.Path, "/names"))
	p.reviewPage(w, r, who, func(id string) (map[string]string, string, error) { return p.o.Gate.Named(r.Context(), who, text, id) })
}

// unnamed leads back to the review, which says why no name was shown and keeps the reason that was typed.
func (p *Pages) unnamed(w http.ResponseWriter, r *http.Request, err error) {
	place := strings.TrimSuffix(r.URL.Path, "/names")
	p.comeBack(w, r, place, complaint{sentence(err), outcome.Status(err)}, url.Values{"names": {r.PostForm.Get("text")}})
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	id, err := strconv.ParseInt(r.PathValue("review"), 10, 64)
	if err == nil {
		err = form(w, r)
	}
	if err != nil {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such review"))
		return
	}
	next, text := "/privacy/reviews", strings.TrimSpace(r.PostForm.Get("text"))
	if r.PostForm.Get("decision") == "escalate" {
		var c casework.Case
		c, err = p.o.Office.Raise(r.Context(), who, id, text)
		next = caseHref(c.ID)
	} else {
		err = p.o.Gate.Decide(r.Context(), who, id, r.PostForm.Get("decision"), text)
	}
	switch {
	case err == nil:
		p.sent(r, r.URL.Path)
		see(w, r, next)
	case !errors.Is(err, identity.ErrSignedOut) && !errors.Is(err, identity.ErrLocked) && !outcome.Is(err, outcome.NotFound):
		p.comeBack(w, r, r.URL.Path, complaint{sentence(err), outcome.Status(err)}, url.Values{"text": {r.PostForm.Get("text")}, "decision": {r.PostForm.Get("decision")}})
	default:
		p.fail(w, r, err)
	}
}

// passOn gives a review to another officer.
func (p *Pages) passOn(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	id, err := strconv.ParseInt(r.PathValue("review"), 10, 64)
	if err == nil {
		err = form(w, r)
	}
	if err != nil {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such review"))
		return
	}
	err = p.o.Gate.PassOn(r.Context(), who, id, r.PostForm.Get("to"), r.PostForm.Get("text"))
	switch {
	case err == nil:
		see(w, r, "/privacy/reviews")
	case !errors.Is(err, identity.ErrSignedOut) && !errors.Is(err, identity.ErrLocked) && !outcome.Is(err, outcome.NotFound):
		p.comeBack(w, r, strings.TrimSuffix(r.URL.Path, "/pass"), complaint{sentence(err), outcome.Status(err)}, url.Values{"pass": {r.PostForm.Get("text")}})
	default:
		p.fail(w, r, err)
	}
}

// officersBut are the privacy officers to whom a review can be passed on.
func (p *Pages) officersBut(r *http.Request, c access.ReviewCase) (out []page.Option) {
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		return nil // the page is there without them
	}
	for _, one := range people {
		if one.Active && slices.Contains(one.Roles, identity.Privacy) && one.ID != c.Owner && one.ID != c.Person {
			out = append(out, page.Option{Value: one.ID, Name: one.Name})
		}
	}
	return out
}

// reviewPage draws one review; names, when given, shows who the patient is instead of masking.
func (p *Pages) reviewPage(w http.ResponseWriter, r *http.Request, who access.Principal, names func(id string) (map[string]string, string, error)) {
	id, err := strconv.ParseInt(r.PathValue("review"), 10, 64)
	if err != nil {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such review"))
		return
	}
	c, err := p.o.Gate.ReviewOf(r.Context(), who, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if names == nil {
		names = func(id string) (map[string]string, string, error) { return p.o.Gate.Masked(r.Context(), who, id) }
	}
	masked, entry, err := names(c.PatientID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, c.Entry, entry)
	v := p.reviewView(r, c, masked[c.PatientID])
	why, words := p.cameBack(r, reviewHref(c.ID))
	v.Text, v.Decision, v.UnmaskText = words.Get("text"), words.Get("decision"), words.Get("names")
	v.PassText = words.Get("pass")
	if v.Problem = why.text; words.Has("names") {
		v.Problem, v.UnmaskProblem = "", why.text
	}
	if words.Has("pass") {
		v.Problem, v.PassProblem = "", why.text
	}
	p.draw(w, r, cmp.Or(why.status, http.StatusOK), page.Review(v))
}

func (p *Pages) reviewView(r *http.Request, c access.ReviewCase, patient string) page.ReviewView {
	me, zone := session(r), p.o.Zone
	staff := p.staff(r.Context())
	t := taleOf(c, staff, zone)
	number := strconv.FormatInt(c.ID, 10)
	v := page.ReviewView{Shell: withEntry(p.shell(r, "Review", atReviews), c.Entry), ID: number, Crumb: number, Headline: t.headline(patient),
		Meta: []string{"First opened " + look.Moment(c.First.In(zone)).Text()}, Tale: t.happened(), Unknown: t.unknown(), Checks: t.checks(),
		Total: len(c.Lines), Unmask: reviewHref(c.ID) + "/names", Proof: proofLine(p.state()),
		Also: []look.Link{{Text: "Everything this person did", Href: "/audit?person=" + c.Person}, {Text: "Everything about this chart", Href: "/audit?patient=" + c.PatientID}}}
	if c.Newer != 0 {
		v.Prev = reviewHref(c.Newer)
	}
	if c.Older != 0 {
		v.Next = reviewHref(c.Older)
	}
	if c.Glass() {
		v.Marks = append(v.Marks, look.Mark{Icon: "lock-open", Text: "Glass"})
	}
	v.Given, v.GivenAt = t.given()
	v.Lanes, v.LanesOf = t.lanes()
	for _, l := range c.Lines {
		found := "None"
		if !l.Unexplained {
			found = because(l.Template)
		} else if l.Glass {
			found = "None, behind the glass"
		}
		v.Entries = append(v.Entries, page.ReviewEntry{When: look.Exact(l.At.In(zone)), Patient: patient, Where: placeWords(l.Agent.Zone), Did: upper(act(l)), Found: found, Href: entryHref(l.Entry)})
	}
	for _, l := range c.History {
		v.History = append(v.History, page.Step{When: look.Recent(l.At.In(zone), p.now()), Text: verdictWords(l)})
	}
	for _, l := range c.History { // the newest decision counts
		if l.Interaction != "review" {
			continue
		}
		switch c.Verdict {
		case "explained", "escalate":
			v.Closed = verdictWords(l) + " " + look.Moment(c.Reviewed.In(zone)).Text()
		case "ask":
			v.Asked = verdictWords(l)
		}
	}
	v.Decide = v.Closed == "" && c.Person != me.Person.ID
	if c.Verdict == "" && c.Owner != "" {
		v.Meta = append(v.Meta, "Waits for "+staff.of(c.Owner)+", until "+look.Moment(c.Due.In(zone)).Text())
	}
	if v.Decide && c.Verdict == "" {
		v.Colleagues = p.officersBut(r, c)
	}
	return v
}

// state is how the log stands; the zero State where the pages were not told.
func (p *Pages) state() audit.State {
	if p.o.State == nil {
		return audit.State{}
	}
	return p.o.State()
}

// verdictWords says what a reviewer decided, or what the person or the patient said, with the words that go with it.
func verdictWords(l access.Line) string {
	switch l.Interaction {
	case "reason":
		return actor(l) + " gave a reason: “" + l.Text + "”"
	case "review-passed":
		return actor(l) + " passed it on " + l.Text
	case "question":
		return "The patient asked: “" + l.Text + "”"
	}
	verdict, words, _ := strings.Cut(l.Text, ": ")
	if l.Agent.Job != "" && verdict == "explained" {
		return "Closed by itself, by what somebody else recorded later: " + because(words) + "."
	}
	said := map[string]string{"explained": "explained it", "ask": "asked the person", "escalate": "made it a case"}[verdict]
	if said == "" {
		return actor(l) + " " + act(l) + "."
	}
	return actor(l) + " " + said + ": “" + words + "”"
}
