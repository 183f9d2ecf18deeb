package web

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Registering somebody new: first what is known, then who it might be already, then the act. What is typed travels in bodies only.

func (p *Pages) newPatient(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	p.draw(w, r, http.StatusOK, page.Register(page.RegisterView{Shell: p.shell(r, "Register a patient", atTheDesk)}))
}

// typedPatient reads the form.
func typedPatient(r *http.Request) (v page.RegisterView) {
	for field, into := range map[string]*string{"family": &v.Family, "given": &v.Given, "born": &v.Born, "sex": &v.Sex, "phone": &v.Phone, "mail": &v.Mail,
		"street": &v.Street, "city": &v.City, "postcode": &v.Postcode} {
		*into = strings.Join(strings.Fields(r.PostForm.Get(field)), " ")
	}
	return v
}

var sexes = []string{"female", "male", "other", "unknown"}

// check says what is missing in a form; the birth date is that of the form.
func (p *Pages) checkForm(v page.RegisterView) (time.Time, string) {
	born, ok := look.ParseDay(v.Born)
	switch {
	case v.Family == "" || v.Given == "":
		return born, "Write the family name and a given name."
	case !ok:
		return born, "Write the birth date as 14 Mar 1961."
	case born.After(p.now()):
		return born, "The birth date lies in the future."
	case p.now().Year()-born.Year() > 130:
		return born, "The birth date is more than 130 years ago."
	case !contains(sexes, v.Sex):
		return born, "Choose what the documents say: female, male, other or unknown."
	}
	return born, ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// checkNew shows who the typed person might be already: everybody of that birth date with the family name or the given name.
func (p *Pages) checkNew(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	v := typedPatient(r)
	v.Shell, v.Token = p.shell(r, "Register a patient", atTheDesk), r.URL.Query().Get("typed")
	born, problem := p.checkForm(v)
	if v.Problem = problem; problem != "" || r.URL.Query().Has("change") {
		p.draw(w, r, http.StatusOK, page.Register(v))
		return
	}
	seen := map[string]bool{}
	for _, name := range []string{v.Family, v.Given} {
		if len([]rune(name)) < 3 {
			name = v.Family + " " + v.Given
		}
		found, err := p.o.Gate.Find(r.Context(), who, access.FindQuery{Name: name, BirthDate: born.Format(time.DateOnly)})
		if outcome.Is(err, outcome.Required) { // too short to look for
			continue
		}
		if err != nil {
			p.fail(w, r, err)
			return
		}
		entered(w, found.Entry)
		for _, h := range found.Hits {
			if !seen[h.PatientID] {
				seen[h.PatientID] = true
				v.Hits = append(v.Hits, p.hit(who.Session, h))
			}
		}
		v.Shell = withEntry(v.Shell, found.Entry)
	}
	v.Checked, v.BornWords = true, look.Day(born).Text()
	p.draw(w, r, http.StatusOK, page.Register(v))
}

// register stores the typed person as a new patient with a record number.
func (p *Pages) register(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	token := r.PostForm.Get("typed")
	typed, ok := p.asked.look(who.Session.ID, token, p.now())
	if !ok {
		see(w, r, "/desk/new")
		return
	}
	r.PostForm = typed
	v := typedPatient(r)
	born, problem := p.checkForm(v)
	if problem != "" {
		see(w, r, "/desk/new?typed="+token)
		return
	}
	mrn, err := p.newMRN(r, who)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	doc, err := patientOf(v, born, p.o.Base+"/mrn", mrn)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	done, err := p.o.Gate.Create(r.Context(), who, doc)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, done.Entry)
	p.asked.take(who.Session.ID, token, p.now()) // sent twice, it makes one patient
	see(w, r, "/desk/patients/"+done.ID)
}

// newMRN draws a record number that nobody has.
func (p *Pages) newMRN(r *http.Request, who access.Principal) (string, error) {
	for range 5 {
		n, err := rand.Int(rand.Reader, big.NewInt(90_000_000))
		if err != nil {
			return "", outcome.Wrap("web: register", outcome.Exception, "no record number could be drawn", err)
		}
		mrn := fmt.Sprint(n.Int64() + 10_000_000)
		found, err := p.o.Gate.Find(r.Context(), who, access.FindQuery{MRN: mrn})
		if err != nil {
			return "", err
		}
		if len(found.Hits) == 0 && !found.More {
			return mrn, nil
		}
	}
	return "", outcome.New(outcome.Transient, "no free record number was found: try again")
}

// patientOf is the Patient of a form.
func patientOf(v page.RegisterView, born time.Time, system, mrn string) (*document.Doc, error) {
	type object = map[string]any
	patient := object{"resourceType": "Patient", "active": true, "gender": v.Sex, "birthDate": born.Format(time.DateOnly),
		"name": []object{{"use": "official", "family": v.Family, "given": strings.Fields(v.Given)}},
		"identifier": []object{{"use": "usual", "system": system, "value": mrn, "type": object{"text": "Medical record number",
			"coding": []object{{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR", "display": "Medical record number"}}}}}}
	var telecom []object
	if v.Phone != "" {
		telecom = append(telecom, object{"system": "phone", "value": v.Phone})
	}
	if v.Mail != "" {
		telecom = append(telecom, object{"system": "email", "value": v.Mail})
	}
	if telecom != nil {
		patient["telecom"] = telecom
	}
	if v.Street+v.City+v.Postcode != "" {
		patient["address"] = []object{placed(object{"use": "home"}, v)}
	}
	b, err := json.Marshal(patient)
	if err != nil {
		return nil, err
	}
	return document.Parse(b)
}

// placed puts the typed parts of an address into one; empty parts are left out.
func placed(address map[string]any, v page.RegisterView) map[string]any {
	delete(address, "text")
	for name, value := range map[string]string{"city": v.City, "postalCode": v.Postcode} {
		if delete(address, name); value != "" {
			address[name] = value
		}
	}
	if delete(address, "line"); v.Street != "" {
		address["line"] = []string{v.Street}
	}
	return address
}
