package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// BenchmarkHospital is a decision with facts, as every access makes it first, in a house of 10,000 staff, 200,000 patients and 500,000
// relationships on a real store: somebody at random at a chart at random, half of them charts that she has to do with. `cold`: nobody
// asked about the two before, and all is read from the tables. `warm`: the same chart again, as the next record of a page is.
func BenchmarkHospital(b *testing.B) {
	const staff, patients = 10_000, 200_000
	w := &ward{Server: servertest.Start(b)}
	w.Gate.Bound(patients)
	r := rand.New(rand.NewPCG(11, 13))
	now := w.Now().UTC()
	at := func(hours int) string { return now.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }
	var batch []access.Entry
	stored := 0
	flush := func() {
		done, err := w.Gate.Import(b.Context(), access.Job("import"), batch)
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range done {
			if d.Err != nil {
				b.Fatal(d.Err)
			}
		}
		stored += len(batch)
		batch = batch[:0]
	}
	put := func(id, body string) {
		doc, err := document.Parse([]byte(`{"id":"` + id + `",` + body[1:]))
		if err != nil {
			b.Fatal(err)
		}
		if batch = append(batch, access.Entry{Method: "PUT", URL: doc.Type() + "/" + id, Doc: doc}); len(batch) == 1000 {
			flush()
		}
	}
	ward := func(i int) string { return fmt.Sprint("ward", i%200) }
	who := func(i int) string { return fmt.Sprint("who", i) }
	for i := range 200 {
		put(ward(i), `{"resourceType":"Organization","name":"Ward"}`)
	}
	for i := range staff {
		put(who(i), `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`)
		put(fmt.Sprint("role", i), `{"resourceType":"PractitionerRole","active":true,"practitioner":{"reference":"Practitioner/`+who(i)+`"},"organization":{"reference":"Organization/`+ward(i)+`"}}`)
		put(fmt.Sprint("schedule", i), `{"resourceType":"Schedule","actor":[{"reference":"PractitionerRole/`+fmt.Sprint("role", i)+`"}]}`)
		put(fmt.Sprint("slot", i), `{"resourceType":"Slot","schedule":{"reference":"Schedule/`+fmt.Sprint("schedule", i)+`"},"status":"busy","start":"`+at(-4)+`","end":"`+at(4)+`"}`)
	}
	relations, related := 0, make([][]int, staff) // charts by staff
	for p := range patients {
		id := fmt.Sprint("p", p)
		subject := `"subject":{"reference":"Patient/` + id + `"}`
		put(id, `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`)
		one, two, three := r.IntN(staff), r.IntN(staff), r.IntN(staff)
		put(id+"-team", `{"resourceType":"CareTeam","status":"active",`+subject+`,"participant":[{"member":{"reference":"Practitioner/`+who(one)+`"}},{"member":{"reference":"Practitioner/`+who(two)+`"}}]}`)
		related[one], related[two] = append(related[one], p), append(related[two], p)
		relations += 2
		if p%2 == 0 {
			put(id+"-visit", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},`+subject+`,"participant":[{"individual":{"reference":"Practitioner/`+who(three)+`"}}],
				"period":{"start":"`+at(-r.IntN(700)-2)+`","end":"`+at(-1)+`"}}`)
			related[three] = append(related[three], p)
			relations++
		}
		if p%10 == 0 {
			put(id+"-order", `{"resourceType":"ServiceRequest","status":"active","intent":"order",`+subject+`,"performer":[{"reference":"Organization/`+ward(r.IntN(200))+`"}],"authoredOn":"`+at(-2)+`"}`)
			relations++
		}
	}
	if len(batch) > 0 {
		flush()
	}
	asker := func(i int) access.Principal {
		return access.Person(&identity.Session{Person: identity.Person{ID: fmt.Sprint("person", i), Active: true, Roles: []string{identity.Physician}, Practitioner: "Practitioner/" + who(i),
			TrainingDue: now.AddDate(1, 0, 0)}, Capacity: identity.StaffCapacity, Trust: policy.Registered, Zone: policy.Hospital, AAL: 2})
	}
	b.Logf("%d resources, %d relationships", stored, relations)
	for _, name := range []string{"cold", "warm"} {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			allowed := 0
			for b.Loop() {
				i, p := r.IntN(staff), r.IntN(patients)
				if mine := related[i]; len(mine) > 0 && r.IntN(2) == 0 {
					p = mine[r.IntN(len(mine))]
				}
				who, chart := asker(i), fmt.Sprint("p", p)
				if name == "warm" {
					if _, err := w.Gate.Judge(b.Context(), who, chart, "Condition"); err != nil {
						b.Fatal(err)
					}
				}
				start := time.Now()
				yes, err := w.Gate.Judge(b.Context(), who, chart, "Condition")
				times = append(times, time.Since(start))
				if err != nil {
					b.Fatal(err)
				}
				if yes {
					allowed++
				}
			}
			slices.Sort(times)
			for share, unit := range map[int]string{50: "p50-ms", 95: "p95-ms", 99: "p99-ms"} {
				b.ReportMetric(times[len(times)*share/100].Seconds()*1000, unit)
			}
			b.ReportMetric(float64(allowed)/float64(len(times)), "allowed")
		})
	}
}
