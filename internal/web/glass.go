package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// A chart that is closed to a person, and the way through the glass.

// glassTitles say the reason codes about somebody, where the page of the closed chart says them in the first person.
var glassTitles = map[string]string{
	"emergency": "treating the patient in an emergency", "covering": "covering for a colleague", "consulted": "asked for advice by a colleague",
	"patient-contact": "the patient was there or called", "other": "another reason, written down",
	"downtime": "a declared downtime",
}

func glassTitle(code string) string {
	if s, ok := glassTitles[code]; ok {
		return s
	}
	return glassTitles["other"]
}

// refusals say what a refusal means, by the id of the rule that refused. The why is the rule's own sentence.
var refusals = map[string]string{
	"no.relation":         "You are not on this patient’s care team",
	"not.yours":           "This is not open to you",
	"deny.inactive":       "Your account is not active",
	"deny.self.staff":     "Your own chart opens in the patient portal",
	"deny.label":          "This part of the chart is restricted",
	"deny.label.client":   "This part of the chart is restricted",
	"deny.psychotherapy":  "Psychotherapy notes stay closed",
	"deny.flagged":        "This chart is protected",
	"deny.consent":        "The patient restricted who may see this",
	"deny.consent.client": "The patient restricted who may see this",
	"deny.consent.enter":  "Consents are entered by the desk or a physician",
	"deny.groups":         "Your role does not cover this",
	"deny.export":         "Exports need a second person",
	"deny.print":          "Printing this much needs a second person",
	"deny.training":       "Your security training is overdue",
	"stepup.factor":       "Confirm that it is you",
	"stepup.device":       "Confirm that it is you",
	"stepup.zone":         "Confirm that it is you",
	"stepup.glass":        "Confirm that it is you",
	"stepup.export":       "Confirm that it is you",
	"stepup.lower":        "Confirm that it is you",
	"stepup.administer":   "Confirm that it is you",
	"glass.pace":          "Confirm that it is you",
	"two-people":          "A second person does this",
	"capacity":            "This needs your other capacity",
}

// whatRefused is the headline of a refusal.
func whatRefused(err error) string {
	var e *outcome.Error
	if errors.As(err, &e) && refusals[e.Reason] != "" {
		return refusals[e.Reason]
	}
	return "This is not open to you"
}

// attempt is what was typed on the page of a closed chart, and why it comes back.
type attempt struct {
	code, text string
	problem    string
	factor     bool  // ask for a code of the authenticator
	status     int   // 0: 403
	err        error // the refusal with which the chart answered; nil after a form
}

// closed draws the page of a chart that the door keeps shut: what, why, and the ways in. Where there is none it is a plain refusal.
func (p *Pages) closed(w http.ResponseWriter, r *http.Request, id string, a attempt) {
	who := access.PrincipalFrom(r.Context())
	c, err := p.o.Gate.Closed(r.Context(), who, id)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if a.err == nil && c.Refusal != nil {
		a.err = c.Refusal
	}
	if why, words := p.cameBack(r, chartHref(id)); words != nil {
		a.code, a.text, a.factor = words.Get("code"), words.Get("text"), words.Has("factor")
		a.problem, a.status = why.text, why.status
	}
	offered := slices.Contains(c.Ways, outcome.BreakGlass) || slices.Contains(c.Ways, outcome.StepUpThenGlass)
	if len(c.Ways) == 0 || !offered && !slices.ContainsFunc(c.Ways, func(way outcome.Way) bool { return way != outcome.Approval }) {
		p.fail(w, r, a.err)
		return
	}
	entered(w, c.Entry)
	if a.problem == "" && slices.Contains(c.Ways, outcome.StepUp) && r.Method == http.MethodGet {
		p.draw(w, r, http.StatusForbidden, page.StepUp(page.StepUpView{Shell: withEntry(p.shell(r, "Confirm that it is you", ""), c.Entry), Action: "/step-up",
			Hidden: []page.Field{{Name: "next", Value: r.URL.Path}}, Back: "/day", Demo: p.o.Demo, Why: sentence(a.err), Passkey: p.stepUpButton(r, confirmPasskey)}))
		return
	}
	v := page.ClosedView{Shell: withEntry(p.shell(r, "Chart closed to you", ""), c.Entry), ID: c.PatientID, Offer: offered, What: whatRefused(a.err), Why: sentence(a.err),
		Name: c.Identity.Name, About: about("", c.Identity.Sex), Lasts: "until discharge, at most 72 hours, or until you give it back", Closed: "Psychotherapy notes stay closed.",
		Code: a.factor || !slices.Contains(c.Ways, outcome.BreakGlass), Back: "/day", Reason: a.code, Text: a.text, Problem: a.problem}
	if d := p.downtime(r); d != nil {
		v.Downtime = look.Clock(d.Until.In(p.o.Zone)).Text()
	}
	if v.Code {
		v.Passkey = p.stepUpButton(r, "")
	}
	if c.Identity.BirthYear != "" {
		v.About = about("born "+c.Identity.BirthYear, c.Identity.Sex)
	}
	if c.Identity.MRNTail != "" {
		v.MRN = "MRN ends " + c.Identity.MRNTail
	}
	if v.Name != "" {
		v.Hidden = "Where and why they are here stays hidden"
	}
	v.Ways = otherWays(c.Ways)
	p.colleagueWays(r, who, c, &v)
	status := a.status
	if status == 0 {
		status = http.StatusForbidden
	}
	p.draw(w, r, status, page.Closed(v))
}

// otherWays are the ways in besides the glass, fastest first.
func otherWays(ways []outcome.Way) []look.Way {
	var out []look.Way
	if slices.Contains(ways, outcome.Training) {
		out = append(out, look.Way{Icon: "clipboard-list", Title: "Do your security training", Hint: "It takes about twenty minutes; the chart then opens by itself"})
	}
	if slices.Contains(ways, outcome.KnownDevice) {
		out = append(out, look.Way{Icon: "monitor", Title: "Have this device registered", Hint: "An administrator does it in a minute; then the chart opens by itself"})
	}
	return append(out,
		look.Way{Icon: "calendar-days", Title: "Have the visit or order entered", Hint: "An appointment, check-in or order with your name opens the chart for as long as it runs"},
		look.Way{Icon: "phone", Title: "Call the privacy office", Hint: "If you think that this should be open to you"})
}

// glass breaks it: reason and, for all but an emergency, a few words; then the chart.
func (p *Pages) glass(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	f := r.PostForm
	id := strings.TrimPrefix(f.Get("patient"), "Patient/")
	if !fhir.IsID(id) {
		p.fail(w, r, outcome.New(outcome.Required, "the form does not say which chart: open the chart again").At("patient"))
		return
	}
	a := attempt{code: f.Get("code"), text: strings.TrimSpace(f.Get("text")), factor: f.Has("totp")}
	if _, known := glassTitles[a.code]; !known {
		a.status, a.code, a.problem = http.StatusBadRequest, "", "Choose one of the reasons."
		p.glassAgain(w, r, id, a)
		return
	}
	if a.code != "emergency" && a.code != "downtime" && a.text == "" {
		a.status, a.problem = http.StatusBadRequest, "Please say in a few words who asked you, whom you cover, or what happened. Then it opens at once."
		p.glassAgain(w, r, id, a)
		return
	}
	who, err := p.afresh(r.Context(), p.asks(r), p.factorIn(r))
	a.factor = a.factor || err != nil
	var grant access.Grant
	if err == nil {
		grant, err = p.o.Gate.BreakGlass(r.Context(), who, id, a.code, a.text)
		a.factor = a.factor || outcome.Is(err, outcome.Login)
	}
	switch {
	case errors.Is(err, identity.ErrSignedOut), errors.Is(err, identity.ErrLocked), outcome.Is(err, outcome.NotFound):
		p.fail(w, r, err)
	case err != nil:
		a.status, a.problem = outcome.Status(err), sentence(err)
		p.glassAgain(w, r, id, a)
	default:
		p.sent(r, chartHref(id))
		p.teach(r.Context(), who.Session.Person.ID, "glass")
		entered(w, grant.Entry)
		see(w, r, chartHref(id))
	}
}

// glassAgain leads back to the page of the closed chart, which shows what was chosen and typed.
func (p *Pages) glassAgain(w http.ResponseWriter, r *http.Request, id string, a attempt) {
	words := url.Values{"code": {a.code}, "text": {a.text}}
	if a.factor {
		words.Set("factor", "")
	}
	p.comeBack(w, r, chartHref(id), complaint{a.problem, a.status}, words)
}

// giveBack ends an emergency access before its time.
func (p *Pages) giveBack(w http.ResponseWriter, r *http.Request) {
	if err := p.o.Gate.GiveBack(r.Context(), p.asks(r), r.PathValue("patient")); err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/day")
}
