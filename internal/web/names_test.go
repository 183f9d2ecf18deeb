package web_test

import (
	"testing"

	"chartwarden/internal/identity"
)

// Records from elsewhere refer to colleagues without their names: the pages look them up in the directory.
func TestColleaguesAreNamedFromTheDirectory(t *testing.T) {
	o := newOffice(t)
	vera := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Castellanos","given":["Vera"]}]}`)
	anna := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Berg","given":["Anna"]}]}`)
	o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},
		"participant":[{"individual":{"reference":"` + anna + `"}}],"period":{"start":"2046-11-20T08:00:00Z"}}`)
	o.put(`{"resourceType":"MedicationRequest","status":"active","intent":"order","medicationCodeableConcept":{"text":"Metformin 500 mg tablet"},
		"subject":{"reference":"Patient/` + o.maren + `"},"authoredOn":"2046-11-19T08:00:00Z","requester":{"reference":"` + vera + `"}}`)
	o.put(`{"resourceType":"Observation","status":"final","code":{"text":"Sodium"},"valueQuantity":{"value":140,"unit":"mmol/L"},"effectiveDateTime":"2046-11-19T08:00:00Z",
		"subject":{"reference":"Patient/` + o.maren + `"}}`)
	me := o.person("Anna Berg", identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: anna})
	a := me.page("/chart/"+o.maren, "Vera Castellanos", "Metformin 500 mg tablet", "Sodium", "Anna Berg")
	if n := len(a.header.Values("X-Audit-Entry")); n == 0 {
		t.Error("no entry is named")
	}
	me.page("/chart/"+o.maren+"/medications", "Vera Castellanos")
}
