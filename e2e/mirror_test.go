package e2e

import (
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// E:me. A person reads in the own mirror how each opening stands, adds a reason, and says of one that it was not hers; the privacy office
// reads the first on its review and the second as a case. The page of her department names nobody.
func TestOwnMirror(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock","given":["Dana"]}]}`)
	dana := o.person(identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Physician}, Department: "3 West", Practitioner: practitioner})
	ruth := o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Privacy}, Department: "Privacy office"})
	maren := o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`)
	otto := o.put(`{"resourceType":"Patient","name":[{"family":"Brandt","given":["Otto"]}],"birthDate":"1951-05-02"}`)
	start := o.Now().Add(-20 * time.Minute).Format(time.RFC3339)
	o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"` + otto + `"},"period":{"start":"` + start + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}]}`)
	b := o.as(dana)
	b.open("/chart/" + strings.TrimPrefix(otto, "Patient/"))
	b.expect(403)
	b.open("/chart/" + strings.TrimPrefix(maren, "Patient/"))
	b.follow("Confirm and open")
	b.open("/activity")
	b.says("Explained by: ", "Nothing that others recorded confirms it yet", "Why did you need it?", "This was not me")
	b.silent("suspicion", "threshold", "nats")
	b.fits("mirror")
	b.touchable()
	b.fill("text", "The ward called me to her bed")
	b.follow("Add the reason")
	b.says("You wrote: The ward called me to her bed", "Nothing that others recorded confirms it yet")
	b.phone()
	b.touch("This was not me")
	b.fill("text", "I had signed out for lunch")
	b.follow("Tell the privacy office")
	b.says("You said that this was not you")
	b.fits("mirror-disputed")
	b.open("/activity")
	b.follow("How your department stands")
	b.says("Work with a reason", "No whole week yet")
	b.silent("Ruth")
	b.fits("mirror-unit")

	r := o.as(ruth)
	r.open("/privacy/cases")
	r.says("says that somebody else opened")
	r.follow("Open it")
	r.says("The person says that it was somebody else", "I had signed out for lunch", "The person wrote in My activity, unasked", "The ward called me to her bed")
	r.silent("Okafor", "Brandt")
	r.fits("mirror-case")
}
