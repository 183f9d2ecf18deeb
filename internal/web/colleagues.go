package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/care"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// What people at work let each other do: a request about a patient and its answer by one touch, a colleague who is asked in, a cover.

const (
	atColleagues   = "Colleagues"
	colleaguesPath = "/colleagues"
)

func (p *Pages) colleagueRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/colleagues", Action: policy.Own, Handler: p.workmates},
		{Method: "POST", Pattern: "/colleagues/asks/{ask}", Action: policy.Own, Handler: p.answerAsk},
		{Method: "POST", Pattern: "/colleagues/words/{word}/end", Action: policy.Own, Handler: p.endWord},
		{Method: "POST", Pattern: "/colleagues/cover", Action: policy.Own, Handler: p.cover},
		{Method: "POST", Pattern: "/chart/{patient}/ask", Action: policy.Own, Handler: p.askTeam},
		{Method: "POST", Pattern: "/chart/{patient}/take", Action: policy.Own, Handler: p.takeOrder},
		{Method: "POST", Pattern: "/chart/{patient}/request", Action: policy.Own, Handler: p.askGrant},
		{Method: "POST", Pattern: "/chart/{patient}/asked", Action: policy.Read, Handler: p.askedIn},
	}
}

func (p *Pages) workmates(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	asks, entry, err := p.o.Gate.Asks(r.Context(), who)
	var words []access.OwnWord
	if err == nil {
		words, err = p.o.Gate.MyWords(r.Context(), who)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	broken, _ := p.o.Gate.BrokenAtMine(who)
	names, second := p.namesOf(r, who, words, broken)
	entered(w, entry, second)
	why, typed := p.cameBack(r, colleaguesPath)
	v := page.ColleaguesView{Shell: withEntry(p.shell(r, atColleagues, atColleagues), cmp.Or(entry, second)), Cover: p.coverForm(r, who, typed)}
	if why.text != "" {
		if v.Cover == nil {
			v.Cover = &page.CoverForm{}
		}
		v.Cover.Problem = why.text
	}
	v.Broken = p.brokenLines(r, broken, names)
	for _, a := range asks {
		by, err := p.o.Persons.Person(r.Context(), a.By)
		if err != nil {
			continue // has left
		}
		v.Asks = append(v.Asks, page.AskLine{ID: a.ID, By: by.Name, Role: roleOf(by), Patient: cmp.Or(a.Patient.Name, "a patient of yours"), Text: a.Text, When: look.Recent(a.Asked.In(p.o.Zone), p.now())})
	}
	for _, word := range words {
		line, list := p.wordLine(r, who, word, names[word.PatientID].Name), &v.Given
		switch {
		case word.Kind == care.Covers:
			list = &v.Covers
		case word.Person == who.Session.Person.ID:
			list = &v.Held
		}
		*list = append(*list, line)
	}
	status := http.StatusOK
	if why.status != 0 {
		status = why.status
	}
	p.draw(w, r, status, page.Colleagues(v))
}

func (p *Pages) namesOf(r *http.Request, who access.Principal, words []access.OwnWord, broken []access.Broken) (map[string]access.Identity, string) {
	var charts []string
	for _, b := range broken {
		charts = append(charts, b.PatientID)
	}
	for _, w := range words {
		charts = append(charts, w.PatientID)
	}
	names, entry, err := p.o.Gate.Names(r.Context(), who, charts...)
	if err != nil {
		return nil, "" // a name is a courtesy
	}
	return names, entry
}

// wordLine says a word to one of those whom it concerns.
func (p *Pages) wordLine(r *http.Request, who access.Principal, w access.OwnWord, patient string) page.WordLine {
	me := who.Session.Person.ID
	until := "until " + look.Recent(w.Until.In(p.o.Zone), p.now()).Text()
	line := page.WordLine{ID: strconv.FormatInt(w.ID, 10), End: "End it"}
	patient = cmp.Or(patient, "a patient whose name is not shown")
	switch {
	case w.Kind == care.Covers:
		switch me {
		case w.Person:
			line.Title = "You cover for " + p.nameOf(r, w.Whom)
		case w.Whom:
			line.Title = p.nameOf(r, w.Person) + " covers for you"
		default:
			line.Title = p.nameOf(r, w.Person) + " covers for " + p.nameOf(r, w.Whom)
		}
		line.Hint = "From " + look.Recent(w.From.In(p.o.Zone), p.now()).Text() + ", " + until + "; made by " + p.nameOf(r, w.By)
	case w.Person == me:
		line.Title, line.Href, line.End = "The chart of "+patient, chartHref(w.PatientID), "Give it back"
		switch w.Kind {
		case care.Took:
			line.Hint = "You took an open order of your department, " + until
		case access.Approved:
			line.Hint = "Approved by " + p.nameOf(r, w.By) + ", " + until
		case care.AskedIn, care.Covers:
			line.Hint = p.nameOf(r, w.By) + " asked you, " + until
		}
	default:
		line.Title, line.Hint = p.nameOf(r, w.Person)+" may open the chart of "+patient, "You said so "+look.Recent(w.Known.In(p.o.Zone), p.now()).Text()+", "+until
	}
	return line
}

// roleOf is a person's role in words.
func roleOf(one identity.Person) string {
	var out []string
	for _, role := range one.RolesIn(identity.StaffCapacity) {
		out = append(out, strings.ToLower(roleName(role)))
	}
	if one.Department != "" {
		out = append(out, one.Department)
	}
	return strings.Join(out, ", ")
}

func (p *Pages) answerAsk(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	var err error
	switch who, act := p.asks(r), r.PostForm.Get("act"); act {
	case "yes", "no":
		err = p.o.Gate.AnswerAsk(r.Context(), who, r.PathValue("ask"), act == "yes")
	case "withdraw":
		err = p.o.Gate.WithdrawAsk(r.Context(), who, r.PathValue("ask"))
	default:
		err = outcome.New(outcome.Value, "choose: yes or no").At("act")
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	to := colleaguesPath
	if back := r.PostForm.Get("patient"); back != "" {
		to = chartHref(url.PathEscape(back))
	}
	see(w, r, to)
}

func (p *Pages) endWord(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("word"), 10, 64)
	if err != nil {
		err = outcome.New(outcome.NotFound, "there is no such word")
	} else {
		_, err = p.o.Gate.EndWord(r.Context(), p.asks(r), id)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, colleaguesPath)
}

// askTeam asks those who treat a patient, from the page of the closed chart.
func (p *Pages) askTeam(w http.ResponseWriter, r *http.Request) {
	p.wayIn(w, r, "ask", func(who access.Principal, id string) error {
		_, err := p.o.Gate.AskTeam(r.Context(), who, id, r.PostForm.Get("why"))
		return err
	})
}

func (p *Pages) takeOrder(w http.ResponseWriter, r *http.Request) {
	p.wayIn(w, r, "take", func(who access.Principal, id string) error {
		_, err := p.o.Gate.TakeOrder(r.Context(), who, id)
		return err
	})
}

func (p *Pages) askGrant(w http.ResponseWriter, r *http.Request) {
	p.wayIn(w, r, "request", func(who access.Principal, id string) error {
		_, err := p.o.Gate.AskGrant(r.Context(), who, id, r.PostForm["group"], r.PostForm.Get("why"))
		return err
	})
}

// wayIn goes one of the ways into a closed chart and leads back to it.
func (p *Pages) wayIn(w http.ResponseWriter, r *http.Request, way string, goes func(who access.Principal, id string) error) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	id := r.PathValue("patient")
	err := goes(p.asks(r), id)
	place := chartHref(id, way)
	switch {
	case err == nil, outcome.Is(err, outcome.Conflict):
		p.sent(r, place)
	case mendable(err), outcome.Is(err, outcome.TooLong), outcome.Is(err, outcome.Throttled):
		words := url.Values{"why": {r.PostForm.Get("why")}, "group": r.PostForm["group"]}
		if err := p.o.Persons.SaveDraft(r.Context(), session(r), formOf(place), []byte(words.Encode())); err != nil {
			p.fail(w, r, err)
			return
		}
		p.complaints.keep(session(r).ID, formOf(place), p.now(), complaint{sentence(err), outcome.Status(err)})
	default:
		p.fail(w, r, err)
		return
	}
	see(w, r, chartHref(id))
}

// askedIn is the word of somebody who treats the patient, from the chart: by a name, or by the person where several have it.
func (p *Pages) askedIn(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who, id := p.asks(r), r.PathValue("patient")
	person, name := r.PostForm.Get("person"), strings.TrimSpace(r.PostForm.Get("name"))
	place := chartHref(id, "access")
	back := func(err error) {
		p.comeBack(w, r, place, complaint{sentence(err), outcome.Status(err)}, url.Values{"name": {name}})
	}
	if person == "" {
		found, exact, err := p.clinicians(r.Context(), name, who.Session.Person.ID)
		switch {
		case err != nil:
			p.fail(w, r, err)
			return
		case len(found) == 0:
			back(outcome.New(outcome.Value, "no colleague of that name gives care here: write the name as the directory has it"))
			return
		case len(found) > 1 && exact:
			back(outcome.New(outcome.Value, "several colleagues are called so: choose one"))
			return
		case !exact:
			back(outcome.New(outcome.Value, "nobody is called exactly so: choose whom you mean"))
			return
		}
		person = found[0].ID
	}
	switch _, err := p.o.Gate.AskedIn(r.Context(), who, id, person); {
	case err == nil:
		p.sent(r, place)
		see(w, r, place)
	case outcome.Is(err, outcome.Forbidden):
		back(err)
	default:
		p.fail(w, r, err)
	}
}

// mostCandidates is how many people of a name are offered.
const mostCandidates = 8

// clinicians are active people who give care, without one: those who are called exactly as was typed, else those whose name holds it.
func (p *Pages) clinicians(ctx context.Context, name, but string) (out []identity.Person, exact bool, err error) {
	if len([]rune(name)) < 3 {
		return nil, false, nil
	}
	var called []identity.Person
	all, err := p.o.Persons.People(ctx)
	for _, one := range all {
		if one.Active && one.ID != but && slices.ContainsFunc(one.Roles, identity.Clinical) && strings.Contains(strings.ToLower(one.Name), strings.ToLower(name)) {
			if strings.EqualFold(one.Name, name) {
				called = append(called, one)
			}
			if len(out) < mostCandidates {
				out = append(out, one)
			}
		}
	}
	if len(called) > 0 {
		return called, true, err
	}
	return out, false, err
}

// described tells people of one name apart.
func described(one identity.Person) string {
	out := one.Name + ", " + roleOf(one)
	if one.Department != "" {
		out += ", " + one.Department
	}
	return out
}

// askIn is the form on a chart that lets a colleague in, with what is open to others now.
func (p *Pages) askIn(r *http.Request, o *opened) *page.AskInView {
	words, err := p.o.Gate.WordsAbout(r.Context(), o.who, o.chart.PatientID)
	if err != nil {
		return nil // the list of who looked is there all the same
	}
	me := o.who.Session.Person.ID
	v := &page.AskInView{Action: o.href("asked")}
	for _, w := range words {
		line := page.WordLine{ID: strconv.FormatInt(w.ID, 10), Title: p.nameOf(r, w.Person), Hint: "asked by " + p.nameOf(r, w.By) + ", until " + look.Recent(w.Until.In(p.o.Zone), p.now()).Text()}
		switch w.Kind {
		case care.Took:
			line.Hint = "took an open order of the department, until " + look.Recent(w.Until.In(p.o.Zone), p.now()).Text()
		case access.Approved:
			line.Hint = "sees a part of the chart by a decision of two people, until " + look.Recent(w.Until.In(p.o.Zone), p.now()).Text()
		case care.AskedIn, care.Covers:
		}
		if w.By == me || w.Person == me {
			line.End = "End it"
		}
		v.Words = append(v.Words, line)
	}
	why, typed := p.cameBack(r, o.href("access"))
	if v.Problem = why.text; v.Problem != "" {
		v.Name = typed.Get("name")
		found, exact, err := p.clinicians(r.Context(), v.Name, me)
		for _, one := range found {
			if err == nil && (len(found) > 1 || !exact) {
				v.Candidates = append(v.Candidates, page.CoverPerson{ID: one.ID, Name: described(one)})
			}
		}
	}
	return v
}

const coverTime = "2006-01-02T15:04"

// coverForm is the form that makes a cover: for oneself, or for those whose manager one is.
func (p *Pages) coverForm(r *http.Request, who access.Principal, typed url.Values) *page.CoverForm {
	me := who.Session.Person
	now := p.now()
	f := &page.CoverForm{Person: typed.Get("person"), From: cmp.Or(asTime(typed.Get("from")), now.Format(coverTime)), Until: cmp.Or(asTime(typed.Get("until")), now.Add(12*time.Hour).Format(coverTime)), For: typed.Get("for")}
	if me.Practitioner != "" {
		f.Others = append(f.Others, page.CoverPerson{ID: me.ID, Name: "Me"})
	}
	all, err := p.o.Persons.People(r.Context())
	for _, one := range all {
		if err == nil && one.Active && one.Manager == me.ID && one.Practitioner != "" {
			f.Others = append(f.Others, page.CoverPerson{ID: one.ID, Name: one.Name})
		}
	}
	if len(f.Others) == 0 {
		return nil
	}
	return f
}

func (p *Pages) cover(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who, f := p.asks(r), r.PostForm
	whom := cmp.Or(f.Get("for"), who.Session.Person.ID)
	found, exact, err := p.clinicians(r.Context(), strings.TrimSpace(f.Get("person")), whom)
	var from, until time.Time
	if err == nil && (len(found) != 1 || !exact) {
		err = outcome.New(outcome.Value, "write the full name of one colleague who gives care here").At("person")
	}
	if err == nil {
		if from, err = time.ParseInLocation(coverTime, f.Get("from"), p.o.Zone); err == nil {
			until, err = time.ParseInLocation(coverTime, f.Get("until"), p.o.Zone)
		}
		if err != nil {
			err = outcome.New(outcome.Value, "write both times as 2026-11-23T07:00").At("from")
		}
	}
	if err == nil {
		_, err = p.o.Gate.Cover(r.Context(), who, found[0].ID, whom, from, until)
	}
	switch {
	case err == nil:
		p.sent(r, colleaguesPath)
		see(w, r, colleaguesPath)
	case mendable(err), outcome.Is(err, outcome.Forbidden):
		p.comeBack(w, r, colleaguesPath, complaint{sentence(err), outcome.Status(err)}, url.Values{"person": {f.Get("person")}, "from": {f.Get("from")}, "until": {f.Get("until")}, "for": {f.Get("for")}})
	default:
		p.fail(w, r, err)
	}
}

// asTime gives back what was typed as a time, and nothing else: a field of times shows no other.
func asTime(typed string) string {
	if _, err := time.Parse(coverTime, typed); err != nil {
		return ""
	}
	return typed
}
