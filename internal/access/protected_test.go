package access_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

var clinicalRoles = strings.Fields("physician nurse medical-assistant pharmacist technician")

// S:flags. Whatever protects a chart, those who treat the patient open it without a prompt; anybody else of a clinical role meets the
// glass, and the desk and billing do their part.
func TestAProtectedChart(t *testing.T) {
	for flag, protect := range map[string]func(w *ward) string{
		"vip":          func(w *ward) string { return flagged(w.maren, "vip") },
		"confidential": func(w *ward) string { return flagged(w.maren, "confidential") },
		"staff-safety": func(w *ward) string { return flagged(w.maren, "staff-safety") },
		"employee": func(w *ward) string { // one who works here is a patient here
			return `{"resourceType":"Person","active":true,"link":[{"target":{"reference":"Patient/` + w.maren + `"}},{"target":{"reference":"` + w.anna + `"}}]}`
		},
	} {
		t.Run(flag, func(t *testing.T) {
			w := newWard(t)
			before := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Kim"]}]}`)
			w.put(t, `{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/`+w.maren+`"},
				"participant":[{"individual":{"reference":"`+before+`"}}],"period":{"start":"`+w.Now().AddDate(0, 0, -11).UTC().Format(time.RFC3339)+`","end":"`+w.Now().AddDate(0, 0, -10).UTC().Format(time.RFC3339)+`"}}`)
			past := w.Person(t, "Kim Osei", "physician", before)
			if got := past.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusOK {
				t.Fatalf("ten days after a visit, without a flag: %d %s", got.Status, got.Body)
			}
			w.put(t, protect(w))
			if got := past.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "break-glass-available") {
				t.Errorf("ten days after a visit: %d %s", got.Status, got.Body)
			}
			doctor := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Brandt","given":["Bea"]}]}`)
			w.checkIn(t, doctor, w.maren)
			for _, role := range clinicalRoles {
				if got := w.Person(t, "Bea "+role, role, doctor).Get(t, "/fhir/Condition?patient="+w.maren); got.Status != http.StatusOK {
					t.Errorf("%s who treats is asked: %d %s", role, got.Status, got.Body)
				}
				stranger := w.Person(t, "Sam "+role, role, "")
				path := "/fhir/Condition?patient=" + w.maren
				if got := stranger.Get(t, path); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "break-glass-available") {
					t.Errorf("an unrelated %s: %d %s", role, got.Status, got.Body)
				}
				if got := stranger.Get(t, path, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
					t.Errorf("the glass does not open for an unrelated %s: %d", role, got.Status)
				}
			}
			if got := w.Person(t, "Marcus Hale", "front-desk", "").Get(t, "/fhir/Patient/"+w.maren); got.Status != http.StatusOK {
				t.Errorf("the desk cannot check the patient in: %d", got.Status)
			}
			if got := w.Person(t, "Nils", "nurse", "").Get(t, "/chart/"+w.maren); flag == "staff-safety" && strings.Contains(got.Body, "Okafor") {
				t.Error("the closed chart of somebody in danger shows a name")
			}
			own := w.Person(t, "Anna Lindqvist", "physician", w.anna)
			if got := own.Get(t, "/fhir/Condition?patient="+w.maren); flag == "employee" && strings.Contains(got.Body, "break-glass-available") {
				t.Errorf("her own chart opens by the glass: %d %s", got.Status, got.Body)
			}
		})
	}
}

func flagged(patient, code string) string {
	return `{"resourceType":"Flag","status":"active","code":{"coding":[{"code":"` + code + `"}]},"subject":{"reference":"Patient/` + patient + `"}}`
}

// Allergies show to every clinical role that the chart opens to, under each label there is, by reading, searching, on the page, on paper
// and whole. A psychotherapy note shows on none of them, with the glass neither.
func TestAllergiesAlwaysShow(t *testing.T) {
	w := newWard(t)
	labels := strings.Fields("ETH GDIS HIV MST SCA SDV SEX SPI BH COGN DVD EMOTDIS MH PSY PSYTHPN SUD ETHUD OPIOIDUD STD TBOO VIO SICKLE")
	const system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	marks := map[string]string{}
	for _, label := range labels {
		marks[label] = "Sub" + strings.ToLower(label) + "stance"
		w.put(t, `{"resourceType":"AllergyIntolerance","meta":{"security":[{"system":"`+system+`","code":"`+label+`"},{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]},
			"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},
			"patient":{"reference":"Patient/`+w.maren+`"},"code":{"text":"`+marks[label]+`"},"reaction":[{"manifestation":[{"text":"Hives `+marks[label]+`"}]}]}`)
	}
	w.put(t, `{"resourceType":"DocumentReference","status":"current","meta":{"security":[{"system":"`+system+`","code":"PSYTHPN"}]},"subject":{"reference":"Patient/`+w.maren+`"},
		"description":"Couchword","type":{"text":"Couchword"},"content":[{"attachment":{"contentType":"text/plain","title":"Couchword","data":"Q291Y2h3b3Jk"}}]}`)
	w.put(t, flagged(w.maren, "vip"))
	doctor := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Brandt","given":["Bea"]}]}`)
	w.checkIn(t, doctor, w.maren)
	search := "/fhir/AllergyIntolerance?patient=" + w.maren + "&_count=100"
	for _, role := range clinicalRoles {
		c := w.Person(t, "Bea "+role, role, doctor)
		stranger := w.Person(t, "Sam "+role, role, "")
		if got := stranger.Get(t, search, "X-Break-Glass", "emergency"); got.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", role, got.Status, got.Body)
		}
		bodies := map[string]string{
			"search": c.Get(t, search).Body, "page": c.Get(t, "/chart/"+w.maren).Body, "whole": c.Get(t, "/fhir/Patient/"+w.maren+"/$everything?_count=200").Body,
			"paper": c.Form(t, "/chart/"+w.maren+"/print").Body, "glass": stranger.Get(t, search).Body,
		}
		for way, body := range bodies {
			for _, label := range labels {
				if !strings.Contains(body, marks[label]) {
					t.Errorf("%s, %s: the allergy labelled %s is hidden", role, way, label)
				}
			}
		}
		for way, body := range map[string]string{"page": c.Get(t, "/chart/"+w.maren+"/documents").Body, "search": c.Get(t, "/fhir/DocumentReference?patient="+w.maren).Body,
			"whole": bodies["whole"], "paper": bodies["paper"], "glass": stranger.Get(t, "/fhir/DocumentReference?patient="+w.maren).Body} {
			if strings.Contains(body, "Couchword") || strings.Contains(body, "Q291Y2h3b3Jk") {
				t.Errorf("%s, %s: a psychotherapy note shows", role, way)
			}
		}
	}
}
