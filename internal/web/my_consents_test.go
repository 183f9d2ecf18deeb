package web_test

import (
	"strings"
	"testing"
)

// A patient reads her consents as the door judges by them: who is kept from what, until when; and none that does not count.
func TestThePatientReadsHerConsents(t *testing.T) {
	w := newWard(t)
	put := func(status, provision string) {
		w.put(t, `{"resourceType":"Consent","status":"`+status+`","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
			"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"policyRule":{"coding":[{"code":"OPTIN"}]},"patient":{"reference":"Patient/`+w.maren+`"},"provision":{`+provision+`}}`)
	}
	maren := w.Patient(t, "Maren Okafor", w.maren)
	holds(t, "none", maren.Get(t, "/me"), 200, "What you agreed to or restricted", "0 consents", "Ask for a restriction")
	x, old, away, odd := w.put(t, `{"resourceType":"Practitioner"}`), w.put(t, `{"resourceType":"Practitioner"}`), w.put(t, `{"resourceType":"Practitioner"}`), w.put(t, `{"resourceType":"Device"}`)
	w.Person(t, "Xaver Exner", "physician", x)
	actor := func(ref, display string) string {
		return `"actor":[{"role":{"coding":[{"code":"IRCP"}]},"reference":{"reference":"` + ref + `"` + display + `}}]`
	}
	year := w.Now().AddDate(1, 0, 0).Format("2006") // whatever the date: a year that is not over
	put("active", `"type":"permit","purpose":[{"code":"TREAT"}],"provision":[{"type":"deny","period":{"end":"`+year+`-12-31"},`+actor(x, "")+`},{"type":"deny","period":{"end":"1999"},`+actor(old, `,"display":"Old Exception"`)+`}]`)
	put("active", `"type":"deny","securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]`)
	put("active", `"type":"deny","class":[{"code":"DocumentReference"}],`+actor(away, `,"display":"Nora Away"`))
	put("active", `"type":"deny","class":[{"code":"Procedure"}],`+actor(odd, ""))
	put("active", `"type":"deny","period":{"end":"2001-12-31"},`+actor(old, `,"display":"Old Rule"`))
	put("inactive", `"type":"deny",`+actor(old, `,"display":"Lifted Rule"`))
	page := maren.Get(t, "/me")
	holds(t, "consents", page, 200, "What you agreed to or restricted", "4 consents",
		"Whoever works here may see your chart for treatment, where the rules of this hospital allow it.", "But Xaver Exner may not see your chart, until the end of 31 Dec "+year+".",
		"Nobody here may see your records marked Psychiatry.", "Nora Away may not see your notes and documents.",
		"Nobody here may see your procedures. It names somebody whom this hospital cannot recognize, so it is kept for everybody.", "by giving a reason",
		"!Old Exception", "!Old Rule", "!Lifted Rule")
	if strings.Contains(page.Body, x) {
		t.Error("a reference stands in place of a name")
	}
	otto := w.Patient(t, "Otto Brandt", strings.TrimPrefix(w.put(t, `{"resourceType":"Patient","name":[{"family":"Brandt"}]}`), "Patient/"))
	holds(t, "another's", otto.Get(t, "/me"), 200, "!Psychiatry", "0 consents")
}
