package e2e

import (
	"testing"

	"chartwarden/internal/identity"
)

// Two people declare a downtime; every page says so, those before the sign-in too; a closed chart opens with one touch, and closes when one of
// them ends it.
func TestDowntime(t *testing.T) {
	o := newBureau(t)
	admin := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Administrator}}))
	officer := o.as(o.person(identity.NewPerson{Name: "Olu Bankole", Roles: []string{identity.Privacy}}))
	nurse := o.as(o.person(identity.NewPerson{Name: "Théo Moreau", Roles: []string{identity.Nurse}}))
	maren := o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`)
	o.put(`{"resourceType":"Condition","subject":{"reference":"` + maren + `"},"code":{"text":"Asthma"}}`)
	chart := "/chart/" + maren[len("Patient/"):]

	admin.open("/approvals")
	admin.follow("Declare a downtime of the whole site")
	admin.fits("downtime-declare")
	admin.fill("reason", "The laboratory's system is down")
	admin.follow("Ask a second person")
	officer.open("/approvals")
	officer.follow("Declare a downtime of 4 hours")
	officer.says("The laboratory's system is down")
	officer.fits("downtime-approval")
	officer.follow("Agree")
	if err := o.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}

	nurse.open("/day")
	nurse.says("Downtime until", "Ruth Adeyemi and Olu Bankole")
	nurse.fits("downtime-banner")
	nurse.expect(403)
	if status := nurse.open(chart); status != 403 {
		t.Fatalf("a closed chart answers %d", status)
	}
	nurse.silent("Asthma")
	nurse.says("We work in a declared downtime")
	nurse.fits("downtime-closed")
	nurse.follow("Confirm and open")
	nurse.says("Asthma")
	stranger := browse(t, o.base)
	stranger.open("/sign-in")
	stranger.says("Downtime until", "two people")
	stranger.silent("Adeyemi")
	stranger.fits("downtime-sign-in")

	officer.open("/downtime")
	officer.says("A downtime runs", "Runs")
	officer.fits("downtime-runs")
	officer.follow("End it now")
	officer.says("Over")
	nurse.expect(403)
	if status := nurse.open(chart); status != 403 {
		t.Fatalf("after its end the chart answers %d", status)
	}
	nurse.silent("Downtime until", "Asthma")
}
