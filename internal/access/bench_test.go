package access_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// BenchmarkDecision is a decision with facts through the real Gate: the physician has a role in a department, a shift on a ward and
// visits behind and before her; each chart has forty encounters of several people, a care team and an order.
func BenchmarkDecision(b *testing.B) {
	w := &ward{Server: servertest.Start(b)}
	now := w.Now().UTC()
	at := func(hours time.Duration) string { return now.Add(hours * time.Hour).Format(time.RFC3339) }
	ward := w.put(b, `{"resourceType":"Organization","name":"Ward 3"}`)
	w.anna = w.put(b, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`)
	other := w.put(b, `{"resourceType":"Practitioner","name":[{"family":"Rivera"}]}`)
	role := w.put(b, `{"resourceType":"PractitionerRole","active":true,"practitioner":{"reference":"`+w.anna+`"},"organization":{"reference":"`+ward+`"}}`)
	schedule := w.put(b, `{"resourceType":"Schedule","actor":[{"reference":"`+role+`"}]}`)
	w.put(b, `{"resourceType":"Slot","schedule":{"reference":"`+schedule+`"},"status":"busy","start":"`+at(-4)+`","end":"`+at(4)+`"}`)
	var patients []string
	for range 50 {
		patient := w.put(b, `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
		for visit := range 40 {
			who, status, end := other, "finished", `,"end":"`+at(time.Duration(1-24*visit))+`"`
			if visit == 0 {
				who, status, end = w.anna, "in-progress", ""
			}
			w.put(b, `{"resourceType":"Encounter","status":"`+status+`","class":{"code":"AMB"},"subject":{"reference":"`+patient+`"},"participant":[{"individual":{"reference":"`+who+`"}}],
				"period":{"start":"`+at(time.Duration(-24*visit))+`"`+end+`}}`)
		}
		w.put(b, `{"resourceType":"CareTeam","status":"active","subject":{"reference":"`+patient+`"},"participant":[{"member":{"reference":"`+other+`"}}]}`)
		w.put(b, `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"`+patient+`"},"performer":[{"reference":"`+ward+`"}],"authoredOn":"`+at(-2)+`"}`)
		patients = append(patients, patient[len("Patient/"):])
	}
	made, err := w.Persons.CreateForTest(b.Context(), identityAgent, identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{"physician"}, Practitioner: w.anna, TrainingDue: now.AddDate(1, 0, 0)})
	if err != nil {
		b.Fatal(err)
	}
	person, err := w.Persons.Person(b.Context(), made.Person)
	if err != nil {
		b.Fatal(err)
	}
	anna := access.Person(&identity.Session{Person: person, Capacity: identity.StaffCapacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2})
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		allowed, err := w.Gate.Judge(b.Context(), anna, patients[i%len(patients)], "Condition")
		times = append(times, time.Since(start))
		if err != nil || !allowed {
			b.Fatal(fmt.Sprint("not allowed: ", err))
		}
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(times[len(times)*99/100].Seconds()*1000, "p99-ms")
}
