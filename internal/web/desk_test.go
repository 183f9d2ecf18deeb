package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chartwarden/internal/identity"
)

// bookedFor books Maren with a practitioner in the morning of the office's day.
func (o *office) bookedFor(practitioner string) string {
	return o.put(`{"resourceType":"Appointment","status":"booked","reasonCode":[{"text":"Asthma bronchiale"}],"start":"2046-11-20T10:00:00Z","end":"2046-11-20T10:30:00Z","participant":[
		{"actor":{"reference":"Patient/` + o.maren + `"},"status":"accepted"},{"actor":{"reference":"` + practitioner + `","display":"Vera Castellanos"},"status":"accepted"}]}`)
}

func TestTheDeskChecksInWithOneTouch(t *testing.T) {
	o := newOffice(t)
	vera := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Castellanos","given":["Vera"]}]}`)
	id := o.bookedFor(vera)
	desk := o.staff("Marcus Hale", identity.FrontDesk)
	if to := desk.get("/").header.Get("Location"); to != "/desk" {
		t.Errorf("the desk begins at %s", to)
	}
	a := desk.page("/desk", "Okafor, Maren", "10:00", "Vera Castellanos", "Expected, 1", "Check in")
	o.hides(a, "Asthma", "00482217", "1961-03-14")
	if a = desk.post("/desk/arrivals/"+id, "back", "https://evil.example/desk"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/desk" || a.header.Get("X-Audit-Entry") == "" {
		t.Fatal(a.status, a.header, a.text())
	}
	a = desk.page("/desk", "Okafor, Maren is checked in. Vera Castellanos can open the chart now.", "Expected, 0", "Here, 1")
	o.hides(desk.page("/desk?show=here", "Okafor, Maren", "Checked in"), "is checked in.", ">Check in<")
	me := o.person("Vera Castellanos", identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: vera})
	me.page("/day", "Okafor, Maren")
	me.page("/chart/"+o.maren, "Asthma bronchiale")
	desk.page("/desk?day=nonsense", "Desk")
	desk.page("/desk?day=2046-11-21", "Nobody on this list", "Today")
	for _, role := range []string{identity.Billing, identity.Nurse, identity.Administrator, identity.Privacy} {
		who := o.staff("Some "+role, role)
		for _, path := range []string{"/desk", "/desk/patients/" + o.maren} {
			if a := who.get(path); a.status != http.StatusForbidden || strings.Contains(a.text(), "Okafor, Maren is") {
				t.Errorf("%s opens %s: %d", role, path, a.status)
			}
		}
	}
	if a := o.staff("Some nurse", identity.Nurse).post("/desk/arrivals/" + id); a.status != http.StatusForbidden {
		t.Errorf("a nurse who has nothing to do with it checks in: %d", a.status)
	}
}

// Who does not come is called off: beforehand, or as missed when it was time. What began cannot be.
func TestTheDeskCallsOff(t *testing.T) {
	o := newOffice(t)
	vera := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Castellanos","given":["Vera"]}]}`)
	first, second, third := o.bookedFor(vera), o.bookedFor(vera), o.bookedFor(vera)
	desk := o.staff("Marcus Hale", identity.FrontDesk)
	desk.page("/desk", "Expected, 3", "Cancel it")
	o.shows(desk.post("/desk/appointments/"+first, "act", "nonsense"), http.StatusBadRequest, "cancelled or was missed")
	if a := desk.post("/desk/appointments/"+first, "act", "cancel", "back", "/desk?show=here"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/desk?show=here" || a.header.Get("X-Audit-Entry") == "" {
		t.Fatal(a.status, a.header, a.text())
	}
	desk.page("/desk", "The appointment is cancelled.", "Expected, 2")
	if a := desk.post("/desk/appointments/"+first, "act", "cancel"); a.status != http.StatusSeeOther { // it is so already
		t.Error(a.status, a.text())
	}
	desk.page("/desk", "The appointment is cancelled.")
	o.hides(desk.page("/desk", "Expected, 2"), "is cancelled.")
	o.shows(desk.post("/desk/appointments/"+first, "act", "missed"), http.StatusUnprocessableEntity, "was called off")
	desk.post("/desk/arrivals/" + second)
	o.shows(desk.post("/desk/appointments/"+second, "act", "cancel"), http.StatusUnprocessableEntity, "began, is over")
	o.shows(desk.post("/desk/appointments/nothing", "act", "cancel"), http.StatusNotFound, "There is nothing here")
	missed := desk.post("/desk/appointments/"+third, "act", "missed")
	if early := strings.Contains(missed.text(), "not time yet"); missed.status != http.StatusSeeOther && !early {
		t.Error(missed.status, missed.text())
	}
	if a := o.staff("Some nurse", identity.Nurse).post("/desk/appointments/"+third, "act", "cancel"); a.status != http.StatusForbidden {
		t.Errorf("a nurse who has nothing to do with it cancels: %d", a.status)
	}
}

func TestRegisteringLooksForWhoIsHereAlready(t *testing.T) {
	o := newOffice(t)
	desk := o.staff("Marcus Hale", identity.FrontDesk)
	o.shows(desk.post("/desk/new", "family", "Okafor", "given", ""), http.StatusOK, "Write the family name and a given name")
	o.shows(desk.post("/desk/new", "family", "Okafor", "given", "Ada", "born", "31 Feb 1980", "sex", "female"), http.StatusOK, "Write the birth date", `value="Ada"`)
	o.shows(desk.post("/desk/new", "family", "Okafor", "given", "Ada", "born", "1 Jan 2080", "sex", "female"), http.StatusOK, "in the future")
	o.shows(desk.post("/desk/new", "family", "Okafor", "given", "Ada", "born", "1 Jan 1980", "sex", "yes"), http.StatusOK, "Choose what the documents say")
	a := desk.post("/desk/new", "family", "Okafor-Lund", "given", "Maren", "born", "14 Mar 1961", "sex", "female")
	o.shows(a, http.StatusOK, "Is it one of these?", "Okafor, Maren", "MRN ends 2217", "None of these: register as new") // found by the given name
	a = desk.post("/desk/new", "family", "Haugen", "given", "Liv Marie", "born", "2 Feb 1990", "sex", "female", "phone", "555-0142", "street", "Quay 4", "city", "Northmere", "postcode", "0150")
	o.shows(a, http.StatusOK, "Nobody like this is here yet", "Haugen, Liv Marie", "0150 Northmere")
	typed := regexp.MustCompile(`name="typed" value="([^"]+)"`).FindStringSubmatch(a.body)[1]
	if strings.Contains(a.body, "typed="+"Haugen") {
		t.Error("a name stands in an address")
	}
	done := desk.post("/desk/register", "typed", typed)
	to := done.header.Get("Location")
	if done.status != http.StatusSeeOther || !strings.HasPrefix(to, "/desk/patients/") {
		t.Fatal(done.status, done.text())
	}
	if again := desk.post("/desk/register", "typed", typed); again.header.Get("Location") != "/desk/new" {
		t.Errorf("sent twice it leads to %s", again.header.Get("Location"))
	}
	a = desk.page(to, "Haugen, Liv Marie", "2 Feb 1990", "555-0142", "Quay 4")
	o.hides(a, "Medical record number")
	version := regexp.MustCompile(`name="version" value="([^"]+)"`).FindStringSubmatch(a.body)[1]
	if a = desk.post(to, "version", version, "phone", "555-0199", "mail", "liv@example.org", "street", "Quay 4", "city", "Northmere"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a = desk.page(to, "555-0199", "liv@example.org")
	o.hides(a, "555-0142", "0150")
	if a = desk.post(to, "version", version, "phone", "555-0000"); a.status != http.StatusPreconditionFailed {
		t.Errorf("somebody else's change is overwritten: %d", a.status)
	}
	o.shows(desk.post("/find", "q", "Haugen", "born", "2 Feb 1990"), http.StatusOK, "Haugen, Liv Marie", "MRN ends")
	if a := o.staff("Some auditor", identity.Auditor).post("/desk/register", "typed", typed); a.status == http.StatusOK {
		t.Error("an auditor registers")
	}
}

func TestBillingSeesCodesAndCoverageOnly(t *testing.T) {
	o := newOffice(t)
	coverage := o.put(`{"resourceType":"Coverage","status":"active","subscriberId":"M-4411","beneficiary":{"reference":"Patient/` + o.maren + `"},"payor":[{"reference":"Patient/` + o.maren + `","display":"Northmere Mutual"}]}`)
	o.put(`{"resourceType":"Claim","status":"active","type":{"text":"Professional"},"use":"claim","patient":{"reference":"Patient/` + o.maren + `"},"created":"2046-11-19","billablePeriod":{"start":"2046-11-18","end":"2046-11-18"},
		"provider":{"reference":"Patient/` + o.maren + `","display":"Cardiology clinic"},"priority":{"text":"normal"},"insurance":[{"sequence":1,"focal":true,"coverage":{"reference":"Coverage/` + coverage + `"}}],
		"diagnosis":[{"sequence":1,"diagnosisCodeableConcept":{"text":"Asthma","coding":[{"code":"J45.9"}]}}],"item":[{"sequence":1,"productOrService":{"text":"Office visit","coding":[{"code":"99213"}]}}],"total":{"value":128.5,"currency":"USD"}}`)
	clerk := o.staff("Ines Barrientos", identity.Billing)
	if to := clerk.get("/").header.Get("Location"); to != "/billing" {
		t.Errorf("billing begins at %s", to)
	}
	clerk.page("/billing", "Patient accounts")
	a := clerk.post("/find", "q", "Okafor", "born", "14 Mar 1961")
	o.shows(a, http.StatusOK, `href="/billing/patients/`+o.maren+`"`)
	a = clerk.page("/billing/patients/"+o.maren, "Okafor, Maren", "Northmere Mutual", "M-4411", "J45.9", "99213", "128.50 USD", "14 Mar 1961")
	o.hides(a, "Asthma bronchiale", "00482217")
	for _, role := range []string{identity.FrontDesk, identity.Nurse, identity.Administrator} {
		if a := o.staff("Some "+role, role).get("/billing/patients/" + o.maren); a.status != http.StatusForbidden || strings.Contains(a.text(), "J45.9") {
			t.Errorf("%s opens an account: %d", role, a.status)
		}
	}
}
