package e2e

import (
	"strings"
	"testing"

	"chartwarden/internal/identity"
)

// A patient asks that a colleague is kept out, the desk agrees to one request and declines another, and she reads both answers.
func TestAskingForARestriction(t *testing.T) {
	o := newBureau(t)
	maren := strings.TrimPrefix(o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14","gender":"female"}`), "Patient/")
	o.person(identity.NewPerson{Name: "Xaver Exner", Roles: []string{identity.Physician}, Practitioner: o.put(`{"resourceType":"Practitioner","name":[{"family":"Exner","given":["Xaver"]}]}`)})
	patient := o.as(o.person(identity.NewPerson{Name: "Maren Okafor", Roles: []string{identity.Patient}, Patient: "Patient/" + maren}))
	desk := o.as(o.person(identity.NewPerson{Name: "Marcus Hale", Roles: []string{identity.FrontDesk}}))
	patient.open("/me")
	patient.touch("Ask for a restriction")
	patient.fits("restriction-ask")
	patient.fill("whom", "Xaver Exner")
	patient.follow("Ask to keep this person out")
	patient.says("The front desk is asked", "Xaver Exner may not see your chart", "does not count before the front desk agrees")
	patient.fits("restriction-asked")
	desk.open("/desk")
	desk.follow("Restrictions")
	desk.says("Okafor, Maren", "Xaver Exner may not see the patient's chart")
	desk.fits("restriction-list")
	desk.follow("Agree")
	desk.says("The restriction counts from now on", "Nobody waits for an answer")
	patient.open("/me")
	patient.says("You asked for this, and the hospital agreed")
	patient.touch("Ask for a restriction")
	ask[bool](patient, `(document.querySelector('#what').value = 'results', true)`)
	patient.follow("Ask to keep this back")
	patient.says("But whoever works here may see your results and vital signs and reports of results for treatment")
	desk.open("/desk/restrictions")
	desk.touch("Decline")
	desk.fill("reason", "The laboratory cannot do without.")
	desk.follow("Decline the request")
	desk.says("The request was declined")
	patient.open("/me")
	patient.says("Declined: The laboratory cannot do without.")
	patient.follow("Take it back")
	patient.says("it does not count any more")
	patient.silent("Xaver Exner may not see")
}
