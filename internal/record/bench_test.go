package record

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
)

const typical = `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"2339-0","display":"Glucose [Mass/volume] in Blood"}],"text":"Glucose [Mass/volume] in Blood"},"subject":{"reference":"%s"},"effectiveDateTime":"2024-0%d-11T09:12:00+00:00",
"issued":"2024-03-11T09:12:00.000+00:00","valueQuantity":{"value":%d.5,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}`

func (w *world) people(n int) (out []*Sealed) {
	for start := 0; start < n; start += 500 {
		var writes []Write
		for i := range min(500, n-start) {
			d := doc(w.t, fmt.Sprintf(`{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"M%d"}],"name":[{"family":"Family%d","given":["Given%d","Middle"]}],"gender":"female","birthDate":"19%02d-01-02",
"telecom":[{"system":"phone","value":"555-%d"}],"address":[{"line":["%d Mill Lane"],"city":"Millbrook","state":"MA","postalCode":"%05d"}]}`, start+i, (start+i)*7919%10007, i%97, i%90, start+i, i, i))
			writes = append(writes, Write{Op: Create, Type: "Patient", Doc: d})
		}
		out = append(out, w.must(writes...)...)
	}
	return out
}

// BenchmarkWrite is prepare and commit of one resource at a time, without the audit.
func BenchmarkWrite(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint("clients-", clients), func(b *testing.B) {
			w := newWorld(b)
			people := w.people(100)
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range clients {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						d, err := document.Parse([]byte(fmt.Sprintf(typical, people[i%100].Ref(), 1+i%9, i)))
						if err == nil {
							var p *Prepared
							if p, err = w.Prepare(context.Background(), []Write{{Op: Create, Type: "Observation", Doc: d}}); err == nil {
								_, err = w.Commit(context.Background(), p, audit.Logged{})
							}
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
		})
	}
}

// BenchmarkImport is the same in batches of 250.
func BenchmarkImport(b *testing.B) {
	w := newWorld(b)
	people := w.people(100)
	b.ResetTimer()
	for done := 0; done < b.N; {
		var writes []Write
		for range min(250, b.N-done) {
			d, err := document.Parse([]byte(fmt.Sprintf(typical, people[done/20%100].Ref(), 1+done%9, done)))
			must(b, err)
			writes = append(writes, Write{Op: Create, Type: "Observation", Doc: d, Alias: fmt.Sprint("urn:uuid:", done)})
			done++
		}
		p, err := w.Prepare(context.Background(), writes)
		must(b, err)
		_, err = w.Commit(context.Background(), p, audit.Logged{})
		must(b, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	p := w.people(1)[0]
	var ids []string
	for i := range 1000 {
		ids = append(ids, w.must(Write{Op: Create, Type: "Observation", Doc: doc(b, fmt.Sprintf(typical, p.Ref(), 1+i%9, i))})[0].ID())
	}
	b.Run("one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, err := w.Read(context.Background(), "Observation", ids[i%1000])
			must(b, err)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				_, _ = w.Read(context.Background(), "Observation", ids[i%1000])
			}
		})
	})
	b.Run("chart-1000", func(b *testing.B) {
		for b.Loop() {
			_, err := w.Chart(context.Background(), p.Patient())
			must(b, err)
		}
	})
	for name, text := range map[string]string{"search-1000-all": "code=2339-0&_total=accurate&_count=20", "search-1000-page": "code=2339-0&_count=20", "search-1000-sort": "date=ge2024-05&_sort=-date&_count=20"} {
		b.Run(name, func(b *testing.B) {
			q := query(b, "Observation", text)
			for b.Loop() {
				_, err := w.Search(context.Background(), SearchRequest{Query: q, Patient: p.Patient()})
				must(b, err)
			}
		})
	}
}

func BenchmarkDirectory(b *testing.B) {
	const n = 20_000
	w := newWorld(b)
	w.people(n)
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			w.reopen()
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "us/patient")
		d := &w.dir
		b.ReportMetric(float64(16*(cap(d.terms)+cap(d.fresh))+32*cap(d.people)+24*len(d.slots))/n, "bytes/patient")
	})
	for name, text := range map[string]string{"identifier": "identifier=urn:mrn|M4711", "name": "name=family47", "name-birthdate": "name=fam&birthdate=1934-01-02"} {
		b.Run(name, func(b *testing.B) {
			q := query(b, "Patient", text)
			for b.Loop() {
				_, err := w.Search(context.Background(), SearchRequest{Query: q})
				must(b, err)
			}
		})
	}
}

// BenchmarkPatientByID is how a reference finds the compartment that it leads to: every write asks it for each patient it names.
func BenchmarkPatientByID(b *testing.B) {
	w := newWorld(b)
	made, err := w.write(Write{Op: Create, Type: "Patient", Doc: doc(b, `{"resourceType":"Patient"}`)})
	must(b, err)
	id := made[0].ID()
	for b.Loop() {
		if _, err := w.Patient(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}
