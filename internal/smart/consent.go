package smart

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/scope"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"

	"github.com/a-h/templ"
)

// step is where on the consent page a person is.
type step struct {
	patient string // who was chosen
	find    access.FindQuery
	found   *access.Found
	problem string
}

// consent takes what the person answers. The form carries the app's whole request, which is checked anew at each step; that the answer
// comes from this server's own page is the cross-origin protection's to say, and the page is never shown in a frame.
func (a *Authority) consent(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		a.stay(w, r, wrong(badRequest, "the form did not arrive whole"))
		return
	}
	q, err := a.understood(r, r.PostForm)
	if err != nil {
		a.back(w, r, q, err)
		return
	}
	who := access.PrincipalFrom(r.Context())
	a.o.Persons.Touch(who.Session, "")
	switch get := r.PostForm.Get; get("decision") {
	case "find":
		s := step{find: access.FindQuery{Name: get("find_name"), BirthDate: get("find_birth"), MRN: get("find_mrn")}}
		found, err := a.o.Gate.Find(r.Context(), who, s.find)
		if s.found = &found; err != nil {
			s.found, s.problem = nil, sentence(err)
		}
		a.ask(w, r, q, s)
	case "choose":
		a.ask(w, r, q, step{patient: get("patient")})
	case "approve":
		a.approve(w, r, q, get("patient"))
	default:
		if err := a.o.Persons.DeclineClient(r.Context(), who.Session, q.client.ID); err != nil {
			a.stay(w, r, err)
			return
		}
		a.back(w, r, q, wrong(refused, "the person did not let the app in"))
	}
}

func (a *Authority) approve(w http.ResponseWriter, r *http.Request, q request, chosen string) {
	ses := access.PrincipalFrom(r.Context()).Session
	patient, _, err := a.patient(r, q, chosen)
	if err == nil && q.wantsPatient() && patient == "" {
		a.ask(w, r, q, step{problem: "Choose a patient first."})
		return
	}
	if a.confirm(w, r, q, err) {
		return
	}
	if err != nil {
		a.ask(w, r, q, step{problem: sentence(err)})
		return
	}
	code, err := a.o.Persons.Authorize(r.Context(), ses, identity.Consent{Client: q.client, Redirect: q.redirect, Challenge: q.form.Get("code_challenge"),
		Nonce: q.form.Get("nonce"), Scope: q.scopes, Patient: patient})
	if err != nil {
		a.back(w, r, q, err)
		return
	}
	a.leave(w, r, q, map[string][]string{"code": {code}})
}

// patient is whom the app will be about: a patient's own self, or whom staff chose, provided that the chart opens to them. The door is
// asked, so a choice is an entry.
func (a *Authority) patient(r *http.Request, q request, chosen string) (id, words string, err error) {
	who := access.PrincipalFrom(r.Context())
	if !q.wantsPatient() {
		return "", "", nil
	}
	if who.Session.Capacity == identity.PatientCapacity {
		return strings.TrimPrefix(who.Session.Person.Patient, "Patient/"), "You", nil
	}
	if chosen == "" {
		return "", "", nil
	}
	found, err := a.o.Gate.Read(r.Context(), who, "Patient", chosen)
	if err != nil {
		return "", "", err
	}
	root := found.Docs[0].Root()
	words = access.HumanName(root.Get("name"))
	if born := root.Get("birthDate").Text(); born != "" {
		words += ", born " + born
	}
	return chosen, words, nil
}

// ask draws the consent page, or before it the choice of a patient.
func (a *Authority) ask(w http.ResponseWriter, r *http.Request, q request, s step) {
	ses := access.PrincipalFrom(r.Context()).Session
	v := page.ConsentView{Banners: a.o.Banners(), App: q.client.Name, OwnApp: q.client.FirstParty, Where: host(q.redirect), Person: ses.Person.Name, Role: strings.Join(ses.Roles(), ", "),
		Problem: s.problem, Name: s.find.Name, Birth: s.find.BirthDate, MRN: s.find.MRN, Owner: "Somebody who has left"}
	if owner, err := a.o.Persons.Person(r.Context(), q.client.Owner); err == nil && owner.Active {
		v.Owner = owner.Name
	}
	patient, words, err := a.patient(r, q, s.patient)
	if a.confirm(w, r, q, err) {
		return
	}
	if err != nil {
		v.Problem = sentence(err)
	}
	v.Pick, v.Patient = q.wantsPatient() && patient == "", words
	for _, name := range carried {
		if q.form.Has(name) {
			v.Fields = append(v.Fields, page.ConsentField{Name: name, Value: q.form.Get(name)})
		}
	}
	if patient != "" {
		v.Fields = append(v.Fields, page.ConsentField{Name: "patient", Value: patient})
	}
	if s.found != nil {
		v.Searched = true
		for _, h := range s.found.Hits {
			v.Hits = append(v.Hits, page.ConsentHit{ID: h.PatientID, Name: h.Name, About: about(h.Identity), Closed: h.Closed})
		}
	}
	v.Lines, v.Until = InWords(q.scopes), until(q.scopes, ses)
	a.draw(w, r, http.StatusOK, q.redirect, page.Consent(v))
}

// draw answers with a page whose forms may lead on to the app: browsers hold the redirect after a form to form-action too.
func (a *Authority) draw(w http.ResponseWriter, r *http.Request, status int, redirect string, c templ.Component) {
	if redirect != "" {
		to := originOf(redirect)
		if to == "" {
			to = host(redirect) + ":"
		}
		policy := w.Header().Get("Content-Security-Policy")
		w.Header().Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self' "+to, 1))
	}
	var page bytes.Buffer
	if err := c.Render(r.Context(), &page); err != nil {
		http.Error(w, "this page could not be drawn", http.StatusInternalServerError)
		return
	}
	text := page.Bytes()
	if s := access.PrincipalFrom(r.Context()).Session; s != nil {
		text = a.o.Mark(text, s)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the connection is the browser's to lose
}

// stay tells the person here what went wrong with an app's request; nobody is sent anywhere.
func (a *Authority) stay(w http.ResponseWriter, r *http.Request, err error) {
	f := faultOf(err)
	if a.nobody.admit(a.o.Now()) {
		_ = a.o.Persons.NoteRefusal(r.Context(), "", f.Error(), a.o.Arrival(r)) // nothing was given
	}
	v := page.RefusalView{Banner: a.o.Banners(), Title: "Not let in", Tone: look.Warn, State: "An app asked", What: "This app cannot be let in", Why: upper(f.text) + ".",
		Ways: []look.Way{{Icon: "arrow-left", Title: "Go to your start page", Href: "/"}}}
	a.draw(w, r, f.status(), "", page.Refusal(v))
}

func sentence(err error) string {
	var f *fault
	if f = faultOf(err); f.word != "server_error" {
		return upper(f.text) + "."
	}
	switch outcome.CodeOf(err) {
	case outcome.Forbidden, outcome.NotFound, outcome.Deleted:
		return "This chart is not open to you, so no app opens it for you."
	case outcome.Required, outcome.Value, outcome.Invalid:
		return "Give a name, a birth date or a record number."
	}
	return "That could not be done. Please try again."
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func about(i access.Identity) string {
	var out []string
	for _, one := range []string{i.Sex, i.BirthYear} {
		if one != "" {
			out = append(out, one)
		}
	}
	if i.MRNTail != "" {
		out = append(out, "MRN ends "+i.MRNTail)
	}
	return strings.Join(out, ", ")
}

// until says how long an app can go on.
func until(set scope.Set, ses *identity.Session) string {
	switch lasts := identity.AuthorizationLasts(ses); {
	case set.Has(scope.Offline) && lasts > 48*time.Hour:
		return "It can go on for 90 days, also while you are away."
	case set.Has(scope.Offline):
		return "It can go on for 12 hours, also after you sign out."
	case set.Has(scope.Online):
		return "It can go on until you sign out."
	}
	return "It can go on for 15 minutes."
}

var ofWhom = map[scope.Context]string{scope.Patient: "of this patient only", scope.Person: "wherever you may yourself"}

// kinds are words for the types that apps ask for most.
var kinds = map[string]string{"*": "everything in the record", "Patient": "name, birth date and contact", "Observation": "results and vital signs", "Condition": "diagnoses and problems",
	"MedicationRequest": "prescriptions", "MedicationStatement": "medicines taken", "AllergyIntolerance": "allergies", "Immunization": "vaccinations", "Procedure": "procedures",
	"Encounter": "visits", "DiagnosticReport": "reports", "DocumentReference": "documents", "CarePlan": "care plans", "CareTeam": "who is on the team", "Appointment": "appointments",
	"Practitioner": "who treats", "Organization": "places and organisations"}

// InWords says what scopes let an app do, for whoever lets it.
func InWords(set scope.Set) (out []page.ConsentLine) {
	if set.Has(scope.OpenID) {
		out = append(out, page.ConsentLine{Icon: "id-card", What: "Know who you are", Of: "your name here, nothing else of you"})
	}
	for _, r := range set.Resources() {
		kind, known := kinds[r.Type]
		if !known {
			kind = spaced(r.Type)
		}
		line := page.ConsentLine{Icon: "eye", What: verbs(r.May) + " " + kind, Of: ofWhom[r.Context]}
		if r.May&(scope.Create|scope.Update|scope.Delete) != 0 {
			line.Icon = "pen-line"
		}
		parameters := r.Parameters()
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			line.Of += "; only " + name + " " + strings.Join(parameters[name], " and ")
		}
		out = append(out, line)
	}
	return out
}

func verbs(may scope.Interactions) string {
	var out []string
	for _, one := range []struct {
		any  scope.Interactions
		verb string
	}{{scope.Read | scope.Search, "see"}, {scope.Create, "add"}, {scope.Update, "change"}, {scope.Delete, "delete"}} {
		if may&one.any != 0 {
			out = append(out, one.verb)
		}
	}
	text := strings.Join(out, ", ")
	if at := strings.LastIndex(text, ", "); at >= 0 {
		text = text[:at] + " and " + text[at+2:]
	}
	return upper(text)
}

// spaced writes a type as words.
func spaced(typ string) string {
	var b strings.Builder
	for i, c := range typ {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}
