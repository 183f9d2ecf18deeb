package e2e

import (
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// A colleague helps by acting as a physician: agreed to with one touch, both named on each page of both and in the patient's report, reading
// only, and over at once when either of the two says so.
func TestImpersonate(t *testing.T) {
	o := newBureau(t)
	maren := o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`)
	o.put(`{"resourceType":"Condition","subject":{"reference":"` + maren + `"},"code":{"text":"Asthma"}}`)
	doctor := func(name, family string) *tab {
		practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"` + family + `"}]}`)
		o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"` + maren + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}],
			"period":{"start":"` + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}}`)
		return o.as(o.person(identity.NewPerson{Name: name, Roles: []string{identity.Physician}, Practitioner: practitioner}))
	}
	anna, cleo := doctor("Anna Lindqvist", "Lindqvist"), doctor("Cleo Hart", "Hart")
	patient := o.as(o.person(identity.NewPerson{Name: "Maren Okafor", Roles: []string{identity.Patient}, Patient: maren}))
	chart := "/chart/" + maren[len("Patient/"):]

	cleo.open("/acting")
	cleo.fill("person", "Anna Lindqvist")
	cleo.fill("reason", "Her list looks odd")
	cleo.fits("acting-ask")
	cleo.follow("Ask")
	cleo.says("Cleo Hart as Anna Lindqvist")
	anna.open("/day")
	anna.says("Cleo Hart asks to act as you", "Her list looks odd")
	anna.fits("acting-asked")
	anna.follow("Decide")
	anna.follow("Let this person act as me")
	cleo.open("/acting")
	cleo.follow("Act as Anna Lindqvist")
	cleo.says("Cleo Hart acts as Anna Lindqvist until")
	cleo.open(chart)
	cleo.says("Cleo Hart acts as Anna Lindqvist until", "Asthma")
	cleo.fits("acting-chart")
	anna.open("/day")
	anna.says("Cleo Hart acts as Anna Lindqvist until")
	anna.fits("acting-told")
	patient.open("/me")
	patient.says("Cleo Hart, acting as Anna Lindqvist")
	patient.fits("acting-report")

	anna.follow("End now")
	anna.follow("End this now")
	anna.silent("Cleo Hart acts as", "Cleo Hart as Anna Lindqvist")
	cleo.open("/day")
	cleo.silent("Cleo Hart acts as")
}
