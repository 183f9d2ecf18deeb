package web

import (
	"net/http"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The ways into a closed chart that need an order or a colleague, beside the glass. Only those are shown that would open it.

// requestable are the field groups that a timed request may name, with what they are called.
var requestable = []page.Option{{Value: "clinical", Name: "Problems and procedures", On: true}, {Value: "notes", Name: "Notes and letters", On: true},
	{Value: "results", Name: "Results"}, {Value: "medications", Name: "Medications"}, {Value: "scheduling", Name: "Visits and appointments"}}

// colleagueWays adds them to the page of the closed chart. What cannot be read of them is left out and told to the logger: the glass is on that
// page, and waits for nothing.
func (p *Pages) colleagueWays(r *http.Request, who access.Principal, c access.Closed, v *page.ClosedView) {
	unread := func(err error) {
		if err != nil {
			p.o.Logger.Warn("what colleagues were asked about a closed chart could not be read", "error", err)
		}
	}
	v.Take = slices.Contains(c.Ways, outcome.TakeOrder)
	now := p.now()
	since := func(t time.Time) string { return look.Recent(t.In(p.o.Zone), now).Text() }
	asked, ok, err := p.o.Gate.MyAsk(r.Context(), who, c.PatientID)
	unread(err)
	if waits := ok && asked.State == "open"; waits || slices.Contains(c.Ways, outcome.AskTeam) {
		v.Ask = &page.AskTeam{Usual: "usually a few minutes"}
		if usual, known, err := p.o.Gate.UsualAnswer(r.Context()); err == nil && known {
			v.Ask.Usual = "usually " + usualTime(usual)
		}
		switch {
		case waits:
			v.Ask.Waits, v.Ask.ID = "at "+since(asked.Asked), asked.ID
		case ok:
			v.Ask.No = "at " + since(asked.Decided)
		}
		why, typed := p.cameBack(r, chartHref(c.PatientID, "ask"))
		v.Ask.Problem, v.Ask.Text = why.text, typed.Get("why")
	}
	if slices.Contains(c.Ways, outcome.AskGrant) {
		why, typed := p.cameBack(r, chartHref(c.PatientID, "request"))
		v.Request = &page.Request{Groups: requestable, Problem: why.text, Text: typed.Get("why")}
		waiting, err := p.o.Gate.MyGrantAsk(r.Context(), who, c.PatientID)
		unread(err)
		if !waiting.IsZero() {
			v.Request.Waits = "at " + since(waiting)
		}
	}
}

// usualTime says how long an answer usually takes, roughly.
func usualTime(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return "about a minute"
	case d < time.Hour:
		return look.Plural(int64((d+time.Minute/2)/time.Minute), "minute", "minutes")
	}
	return "more than an hour"
}
