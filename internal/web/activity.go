package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// personRoutes are the mirrors: what a person opened, and who opened a patient's chart.
func (p *Pages) personRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/activity", Action: policy.Own, Handler: p.activity},
		{Method: "GET", Pattern: "/activity/unit", Action: policy.Own, Handler: p.unit},
		{Method: "POST", Pattern: "/activity/{entry}", Action: policy.Own, Handler: p.addReason},
		{Method: "POST", Pattern: "/activity/disputes/{entry}", Action: policy.Own, Handler: p.dispute},
		{Method: "GET", Pattern: "/me", Action: policy.Own, Handler: p.portal},
		{Method: "POST", Pattern: "/me/question", Action: policy.Own, Handler: p.ask},
		{Method: "POST", Pattern: "/me/restrictions", Action: policy.Write, Handler: p.askRestriction},
		{Method: "POST", Pattern: "/me/restrictions/{consent}/withdraw", Action: policy.Write, Handler: p.withdrawRestriction},
		{Method: "GET", Pattern: "/me/report", Action: policy.Own, Handler: p.report},
	}
}

// activityRead is how many own lines one page of My activity is folded from.
const activityRead = 200

// activity shows a person what she opened and which reason the record gives for it, before anybody asks.
func (p *Pages) activity(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if who.Session.Capacity == identity.PatientCapacity { // patients have the portal
		see(w, r, "/me")
		return
	}
	window, err := windowFrom(r, activityRead)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	list, err := p.o.Gate.MyActivity(r.Context(), who, window)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	acts, said := ownActs(list.Lines, p.o.Zone)
	since, err := p.o.Gate.Explained(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	explainSince(acts, since, p.o.Zone)
	var asked []access.Question
	if window.Before == 0 {
		if asked, err = p.o.Gate.Questions(r.Context(), who); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	questions, err := p.o.Office.Questions(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	cleared, err := p.o.Office.Cleared(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	names, entry, err := p.o.Gate.Names(r.Context(), who, append(chartsOf(acts, asked), askedCharts(append(cleared, questions...))...)...)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry, entry)
	v := page.ActivityView{Shell: withEntry(p.shell(r, "My activity", "My activity"), cmp.Or(entry, list.Entry)), Older: older(list.Older, "/activity"),
		Summary: activitySummary(acts, p.now()), Days: activityDays(acts, said, names, p.now())}
	if rows := askedRows(asked, said, names, p.now()); len(rows) > 0 {
		v.Days = append([]page.ActivityDay{{Title: "The privacy office asks you", Rows: rows}}, v.Days...)
	}
	status := 0
	v.Asked, status = p.askedViews(r, questions, names)
	v.Cleared = p.clearedViews(cleared, names)
	for _, d := range v.Days {
		v.Total += len(d.Rows)
	}
	p.draw(w, r, cmp.Or(status, http.StatusOK), page.Activity(v))
}

// ownAct is what a person did about one patient on one day.
type ownAct struct {
	*folded
	patient string
	day     time.Time
	since   string // what somebody else recorded since, by which it stands: its template
	not     bool   // she said that it was somebody else
}

// explainSince notes with acts what was recorded since that explains them.
func explainSince(acts []ownAct, since []access.Since, zone *time.Location) {
	for i := range acts {
		for _, s := range since {
			if a := &acts[i]; a.patient == s.PatientID && a.Outcome == 0 && sameDay(a.day, s.First.In(zone)) {
				a.since = s.Template
			}
		}
	}
}

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// ownActs folds a person's own lines by patient and day, and gathers what she said about entries. Signing in and reading lists of the
// log are no openings.
func ownActs(lines []access.Line, zone *time.Location) ([]ownAct, map[audit.Index]access.Line) {
	said, disputed := map[audit.Index]access.Line{}, map[audit.Index]bool{}
	var kept []looking
	for _, l := range lines {
		switch {
		case l.Kind == audit.Casework && l.Interaction == "reason":
			if _, newer := said[l.About]; !newer {
				said[l.About] = l
			}
		case l.Interaction == casework.DisputeStep:
			if about, ok := casework.Disputed(l); ok {
				disputed[about] = true
			}
		case l.Kind == audit.Session, l.Kind == audit.LogRead, l.Kind == audit.Casework, l.Kind == audit.Conclusion, l.Kind == audit.People, l.Kind == audit.Search:
		case l.PatientID == "" || l.Class == audit.Incidental:
		default:
			kept = append(kept, looking{l})
		}
	}
	var out []ownAct
	for _, f := range fold(kept, func(l looking) string {
		return l.PatientID + "\x00" + l.At.In(zone).Format(time.DateOnly) + "\x00" + strconv.FormatBool(l.Outcome == 0) + "\x00" + l.Agent.As
	}) {
		at := f.At.In(zone)
		out = append(out, ownAct{f, f.PatientID, time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone), "",
			slices.ContainsFunc(f.lines, func(l looking) bool { return disputed[l.Index] })})
	}
	return out, said
}

func chartsOf(acts []ownAct, asked []access.Question) []string {
	var out []string
	for _, a := range acts {
		out = append(out, a.patient)
	}
	for _, q := range asked {
		out = append(out, q.PatientID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// activitySummary counts the charts of the last seven days and those for which the record gives a reason.
func activitySummary(acts []ownAct, now time.Time) string {
	charts, explained := map[string]bool{}, map[string]bool{}
	for _, a := range acts {
		if a.Outcome == 0 && now.Sub(a.At) < 7*24*time.Hour {
			charts[a.patient] = true
			explained[a.patient] = explained[a.patient] || !a.unexplained() || a.since != ""
		}
	}
	n := 0
	for _, yes := range explained {
		if yes {
			n++
		}
	}
	switch {
	case len(charts) == 0:
		return "No chart in the last 7 days."
	case n == 0:
		return look.Plural(int64(len(charts)), "chart", "charts") + " in the last 7 days. The record gives no reason yet: a sentence of yours helps."
	case n == len(charts):
		return look.Plural(int64(n), "chart", "charts") + " in the last 7 days. The record gives a reason for each."
	}
	return fmt.Sprintf("%s in the last 7 days. The record gives a reason for %s of them.", look.Plural(int64(len(charts)), "chart", "charts"), look.Number(int64(n)))
}

// unexplained reports whether a line of the fold has no reason that the record gives.
func (a ownAct) unexplained() bool {
	return slices.ContainsFunc(a.lines, func(l looking) bool { return l.Unexplained || l.Glass })
}

func activityDays(acts []ownAct, said map[audit.Index]access.Line, names map[string]access.Identity, now time.Time) []page.ActivityDay {
	var out []page.ActivityDay
	var at time.Time
	for _, a := range acts {
		if n := len(out); n == 0 || !a.day.Equal(at) {
			at = a.day
			out = append(out, page.ActivityDay{Title: dayTitle(a.day, now)})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, a.row(said, names, now))
	}
	return out
}

func dayTitle(day, now time.Time) string {
	switch days(day, now) {
	case 0:
		return "Today"
	case 1:
		return "Yesterday"
	}
	return day.Format("Mon ") + look.Day(day).Text()
}

func (a ownAct) row(said map[audit.Index]access.Line, names map[string]access.Identity, now time.Time) page.Opened {
	o := page.Opened{Entry: strconv.FormatInt(int64(a.Index), 10), Href: chartHref(a.patient), Name: cmp.Or(names[a.patient].Name, "A patient whose name is not shown"),
		Did: a.did(), When: look.Clock(a.At.In(now.Location())), Glass: a.glass, Mine: !a.not}
	if a.times > 1 {
		o.Did += ", " + look.Plural(int64(a.times), "time", "times")
	}
	if a.Outcome != 0 {
		o.Did, o.Reason, o.Href = "Asked for the chart", "It stayed closed", ""
		return o
	}
	if a.Agent.As != "" {
		o.Did += ", acting as " + a.Agent.AsName
	}
	reason := ""
	for _, l := range a.lines {
		if l.Own != "" && !l.Glass && reason == "" {
			reason = strings.TrimSuffix(l.Own, ".")
		}
		if line, ok := said[l.Index]; ok && o.Said == "" {
			o.Said = line.Text
		}
		if code, words, ok := strings.Cut(l.Text, ": "); ok && l.Kind == audit.Glass && l.Interaction == "glass" {
			o.Said, _ = cmp.Or(o.Said, words), code
		}
	}
	o.Reason = a.stands(reason)
	o.Asks = a.unexplained() && a.since == "" && o.Said == "" && o.Mine
	return o
}

// stands says in a sentence how an opening stands: by the reason of then, by what was recorded since, or without one. reason is that of
// then, empty for none.
func (a ownAct) stands(reason string) string {
	switch {
	case a.unexplained() && a.since != "":
		return "Explained since by what others recorded: " + because(a.since)
	case a.glass:
		return a.reason + ". Nothing that others recorded confirms it yet"
	case a.unexplained() || reason == "":
		return "Stands without an explanation"
	}
	return "Explained by: " + reason
}

// askedRows are the questions that wait for an answer.
func askedRows(asked []access.Question, said map[audit.Index]access.Line, names map[string]access.Identity, now time.Time) []page.Opened {
	var out []page.Opened
	for _, q := range asked {
		o := page.Opened{Entry: strconv.FormatInt(int64(q.FirstIdx), 10), Name: cmp.Or(names[q.PatientID].Name, "A patient whose name is not shown"),
			Did: "Opened " + look.Moment(q.First.In(now.Location())).Text(), Reason: cmp.Or(q.Text, "Why did you need this chart?"), When: look.Recent(q.Asked.In(now.Location()), now), Asks: true}
		if line, ok := said[q.FirstIdx]; ok {
			o.Said, o.Asks = line.Text, line.At.Before(q.Asked)
		}
		out = append(out, o)
	}
	return out
}

// questions are what the privacy office asks a person, for My day. What cannot be read counts as none: it never stands in the way.
func (p *Pages) questions(ctx context.Context, who access.Principal) []page.Todo {
	list, _ := p.o.Gate.Questions(ctx, who)
	more, _ := p.o.Office.Questions(ctx, who)
	n := len(list) + len(more)
	if n == 0 {
		return nil
	}
	hint := "The privacy office asks why a chart was needed"
	if slices.ContainsFunc(more, func(q casework.Question) bool { return !q.Own() }) {
		hint = "The privacy office asks about work"
	}
	return []page.Todo{{Href: "/activity", Title: "Answer " + look.Plural(int64(n), "question", "questions"), Hint: hint}}
}

// addReason keeps a person's own reason for an opening.
func (p *Pages) addReason(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	index, err := entryIndex(r.PathValue("entry"))
	if err == nil {
		err = p.o.Gate.AddReason(r.Context(), p.asks(r), index, r.PostForm.Get("text"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/activity")
}

// dispute takes a person's word that an opening of her list was somebody else's.
func (p *Pages) dispute(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	index, err := entryIndex(r.PathValue("entry"))
	if err == nil {
		err = p.o.Office.Dispute(r.Context(), p.asks(r), index, r.PostForm.Get("text"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/activity")
}

// unit shows how much of the work of a department is explained, by week and never by person.
func (p *Pages) unit(w http.ResponseWriter, r *http.Request) {
	weeks, entry, err := p.o.Gate.UnitWork(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	v := page.UnitView{Shell: withEntry(p.shell(r, "Work with a reason", "My activity"), entry)}
	for _, x := range weeks {
		if n := len(v.Units); n == 0 || v.Units[n-1].Name != x.Department {
			v.Units = append(v.Units, page.UnitOf{Name: x.Department})
		}
		last := &v.Units[len(v.Units)-1]
		line := page.UnitWeek{From: look.Day(x.From), Share: strconv.Itoa(x.Share) + " %"}
		if x.Few {
			line.Share = "Not shown: fewer than 5 people"
		}
		last.Weeks = append(last.Weeks, line)
	}
	p.draw(w, r, http.StatusOK, page.Unit(v))
}

func entryIndex(text string) (audit.Index, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, outcome.New(outcome.NotFound, "there is no such entry, or it is not yours")
	}
	return audit.Index(n), nil
}
