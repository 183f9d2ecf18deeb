package e2e

import (
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
)

// The message of the night, its answer, and what the office reads of it.
func TestCaseMessageOfTheNight(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock","given":["Dana"]}]}`)
	dana := o.person(identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: practitioner})
	var patients []string
	for _, name := range []string{"Okafor", "Brandt"} {
		patients = append(patients, o.put(`{"resourceType":"Patient","name":[{"family":"`+name+`","given":["M"]}]}`))
	}
	until := time.Now().Truncate(24 * time.Hour)
	for day := range 2 {
		at := until.AddDate(0, 0, day-1)
		var list []casework.Unexplained
		for i, ref := range patients {
			list = append(list, casework.Unexplained{Event: ref + at.Format("02"), Agent: practitioner, Patient: ref, Kind: "read", At: at.Add(-time.Duration(i+1) * time.Hour)})
		}
		if _, err := o.Cases.Night(t.Context(), at, list); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range patients {
		if err := o.Cases.Explained(t.Context(), practitioner, ref+until.AddDate(0, 0, -1).Format("02"), "works in the clinic where the patient is booked"); err != nil {
			t.Fatal(err)
		}
	}
	b := o.as(dana)
	b.open("/activity")
	b.says("Charts without a known reason", "A reason is known by now", "Okafor")
	b.fits("night-message")
	b.touchable()
	b.touch("[name=answer][value=should-not]")
	b.fill("text", "I was curious. It will not happen again.")
	b.follow("Send the answer")
	b.silent("Charts without a known reason")
	r := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Privacy}, Department: "Privacy office"}))
	r.open("/privacy/cases/nights")
	r.says("Messages of the night", "I should not have", "Nurse N-")
	r.silent("Dana", "Whitlock", "Okafor")
	r.fits("nights")
	r.touchable()
}
