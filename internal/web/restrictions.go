package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// What patients ask to be restricted: asked for on their own page, answered at the desk.

const (
	restrictionsPath = "/desk/restrictions"
	atRestrictions   = "Restrictions"
	shownVisits      = 30 // that can be chosen
	namedLookers     = 30
)

// restrictableKinds are the kinds of record that a patient may ask to be kept back, as resource types.
var restrictableKinds = []struct {
	page.Option
	types []string
}{
	{page.Option{Value: "results", Name: "My results and vital signs"}, []string{"Observation", "DiagnosticReport"}},
	{page.Option{Value: "notes", Name: "My notes and documents"}, []string{"DocumentReference", "Composition"}},
	{page.Option{Value: "medications", Name: "My medications"}, []string{"MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense"}},
	{page.Option{Value: "problems", Name: "My problems"}, []string{"Condition"}},
	{page.Option{Value: "procedures", Name: "My procedures"}, []string{"Procedure"}},
}

// restrictable are the choices of a patient: kinds of record, and her newest visits.
func (p *Pages) restrictable(c *access.Chart) (out []page.Option) {
	for _, k := range restrictableKinds {
		out = append(out, k.Option)
	}
	visits := slices.Clone(c.Docs["Encounter"])
	slices.SortStableFunc(visits, func(a, b *document.Doc) int {
		return momentOf(p.o.Zone, b.Root().Get("period")).at.Compare(momentOf(p.o.Zone, a.Root().Get("period")).at)
	})
	for _, d := range visits[:min(len(visits), shownVisits)] {
		if !withdrawn(d.Root()) {
			out = append(out, page.Option{Value: "visit:" + d.ID(), Name: p.visitName(d)})
		}
	}
	return out
}

// visitName is what a patient calls a visit.
func (p *Pages) visitName(d *document.Doc) string {
	return join(", ", encounterTitle(d.Root()), momentOf(p.o.Zone, d.Root().Get("period")).day().Text())
}

// lookedNames are those who opened a chart, as the patient reads them.
func lookedNames(lines []access.Line, self string) (out []string) {
	for _, l := range seen(lines, self) {
		if l.Agent.Person != "" && !slices.Contains(out, l.who()) && len(out) < namedLookers {
			out = append(out, l.who())
		}
	}
	return out
}

// restrictionAnswer is why a request was declined.
func restrictionAnswer(d *document.Doc) string {
	for x := range d.Root().Get("extension").Items() {
		if x.Get("url").Text() == access.RestrictionAnswer {
			return x.Get("valueString").Text()
		}
	}
	return ""
}

// askRestriction takes a patient's request.
func (p *Pages) askRestriction(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	err := form(w, r)
	var done access.Written
	var asked access.Restriction
	if err == nil {
		asked, err = p.askedRestriction(r, who)
	}
	if err == nil {
		done, err = p.o.Gate.AskRestriction(r.Context(), who, asked)
	}
	p.toldPatient(w, r, done, "The front desk is asked. The answer stands below.", err)
}

func (p *Pages) askedRestriction(r *http.Request, who access.Principal) (out access.Restriction, err error) {
	what := r.PostForm.Get("what")
	out.Whom = r.PostForm.Get("whom")
	for _, k := range restrictableKinds {
		if k.Value == what {
			out.Types = k.types
		}
	}
	visit, ok := strings.CutPrefix(what, "visit:")
	if !ok {
		return out, nil
	}
	own, err := ownChart(who.Session)
	if err != nil {
		return out, err
	}
	c, err := p.o.Gate.Chart(r.Context(), who, own, "Encounter")
	if err != nil {
		return out, err
	}
	for _, d := range c.Docs["Encounter"] {
		if d.ID() == visit {
			out.Visit, out.Named = visit, p.visitName(d)
			return out, nil
		}
	}
	return out, outcome.New(outcome.NotFound, "this is no visit of yours: choose one of the list").At("what")
}

func (p *Pages) withdrawRestriction(w http.ResponseWriter, r *http.Request) {
	done, err := p.o.Gate.WithdrawRestriction(r.Context(), p.asks(r), r.PathValue("consent"))
	p.toldPatient(w, r, done, "You took it back: it does not count any more.", err)
}

// toldPatient leads back to the patient's page, or shows there what is to be mended.
func (p *Pages) toldPatient(w http.ResponseWriter, r *http.Request, done access.Written, said string, err error) {
	switch {
	case err == nil:
		entered(w, done.Entry)
		p.ended.keep(session(r).ID, "/me", p.now(), said)
		see(w, r, "/me#consents")
	case mendable(err):
		p.portalPage(w, r, outcome.Status(err), sentence(err))
	default:
		p.fail(w, r, err)
	}
}

// restrictions lists the requests that wait.
func (p *Pages) restrictions(w http.ResponseWriter, r *http.Request) {
	p.restrictionsPage(w, r, http.StatusOK, "", "")
}

func (p *Pages) restrictionsPage(w http.ResponseWriter, r *http.Request, status int, problem, about string) {
	who, now := p.asks(r), p.now()
	list, err := p.o.Gate.RestrictionAsks(r.Context(), who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry)
	v := page.RestrictionsView{Shell: withEntry(p.shell(r, "Restrictions", atRestrictions), list.Entry), Problem: problem, More: list.More}
	v.Done = p.ended.take(who.Session.ID, restrictionsPath, now)
	for _, d := range list.Consents {
		rule, ok := consent.Told(d, p.o.Zone)
		if !ok {
			continue
		}
		id := strings.TrimPrefix(d.Root().Path("patient", "reference").Text(), "Patient/")
		patient := list.Patients[id]
		say := consentWords{names: calledActors(d), others: true, now: now, zone: p.o.Zone}
		v.Rows = append(v.Rows, page.RestrictionRow{ID: d.ID(), Name: cmp.Or(patient.Name, "Name not known"), Href: "/desk/patients/" + id, About: aboutOf(patient), Text: say.sentence(rule, false), But: say.exceptions(rule),
			When: look.Recent(momentOf(p.o.Zone, d.Root().Get("dateTime")).at, now), Open: d.ID() == about})
	}
	p.draw(w, r, status, page.Restrictions(v))
}

func (p *Pages) answerRestriction(w http.ResponseWriter, r *http.Request) {
	who, id := p.asks(r), r.PathValue("consent")
	err := form(w, r)
	var done access.Written
	said := "The restriction counts from now on. The patient reads it on her own page."
	if err == nil {
		switch act := r.PostForm.Get("act"); act {
		case "agree":
			done, err = p.o.Gate.AnswerRestriction(r.Context(), who, id, true, "")
		case "decline":
			done, err = p.o.Gate.AnswerRestriction(r.Context(), who, id, false, r.PostForm.Get("reason"))
			said = "The request was declined. The patient reads why on her own page."
		default:
			err = outcome.New(outcome.Value, "choose whether you agree or decline").At("act")
		}
	}
	switch {
	case err == nil:
		entered(w, done.Entry)
		p.ended.keep(who.Session.ID, restrictionsPath, p.now(), said)
		see(w, r, restrictionsPath)
	case mendable(err):
		p.restrictionsPage(w, r, outcome.Status(err), sentence(err), id)
	default:
		p.fail(w, r, err)
	}
}
