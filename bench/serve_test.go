package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/server/servertest"
)

// inside runs the server in the process of the benchmark, so that -cpuprofile and -memprofile see it.
var inside = flag.Bool("inside", false, "run the server inside the benchmark, to profile it")

// site is a served installation and somebody who is signed in.
type site struct {
	*servertest.Client
	process *process // nil when inside
	patient string   // whose chart has about 300 resources
}

// open serves the installation with the Synthea patients and signs its physician in.
func open(b *testing.B) *site {
	b.Helper()
	h := theHospital(b)
	s := &site{}
	var at *servertest.Server
	if *inside {
		at = servertest.Open(b, h.dir)
	} else {
		s.process = serve(b, h.dir)
		at = &servertest.Server{URL: s.process.url}
	}
	if h.jar == nil {
		h.jar = at.SignIn(b, h.physician, "").Jar
	}
	s.Client = &servertest.Client{Client: &http.Client{Jar: h.jar, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, Base: at.URL, Person: h.physician}
	b.Cleanup(s.Client.CloseIdleConnections)
	s.patient = s.ids(b, "Patient", "identifier="+h.middling)[0]
	return s
}

// ids are those of what a search finds.
func (s *site) ids(b *testing.B, typ, query string) (out []string) {
	b.Helper()
	answer := s.Get(b, "/fhir/"+typ+"?"+query)
	var bundle struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(answer.Body), &bundle); err != nil || len(bundle.Entry) == 0 {
		b.Fatalf("%s?%s finds nothing: %d", typ, query, answer.Status)
	}
	for _, e := range bundle.Entry {
		out = append(out, e.Resource.ID)
	}
	return out
}

// load asks in a closed loop of some workers, each sending its next request when the last was answered whole.
func (s *site) load(b *testing.B, workers int, ask func(n int64) (*http.Request, error)) {
	b.Run(fmt.Sprint("workers-", workers), func(b *testing.B) { s.measure(b, workers, ask) })
}

func (s *site) measure(b *testing.B, workers int, ask func(n int64) (*http.Request, error)) {
	var next atomic.Int64
	times := make([][]time.Duration, workers)
	var group sync.WaitGroup
	var before time.Duration
	if s.process != nil {
		before = s.process.cpu()
	}
	b.ResetTimer()
	for w := range workers {
		group.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				start := time.Now()
				if err := s.once(ask, n); err != nil {
					b.Error(err)
					return
				}
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Sorted(slices.Values(slices.Concat(times...)))
	if len(all) == 0 {
		return
	}
	for _, q := range []int{50, 95, 99} {
		b.ReportMetric(milliseconds(all[len(all)*q/100]), fmt.Sprintf("p%d-ms", q))
	}
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "requests/s")
	if s.process != nil {
		b.ReportMetric(milliseconds(s.process.cpu()-before)/float64(len(all)), "cpu-ms/op")
	}
}

func (s *site) once(ask func(int64) (*http.Request, error), n int64) error {
	request, err := ask(n)
	if err != nil {
		return err
	}
	answer, err := s.Client.Client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: status %d", request.Method, request.URL.Path, answer.StatusCode)
	}
	return nil
}

func (s *site) get(path string) (*http.Request, error) {
	return http.NewRequest(http.MethodGet, s.Base+path, nil)
}

// pick is some element of list, the same for the same n.
func pick[T any](list []T, n int64) T {
	return list[rand.New(rand.NewPCG(uint64(n), 7)).IntN(len(list))]
}

// BenchmarkServeRead reads by id with 8 workers: Patients, Encounters and Observations, a third each. Every answer was decided about
// and its entry durable before it left.
func BenchmarkServeRead(b *testing.B) {
	s := open(b)
	patients := s.ids(b, "Patient", "_count=1000")
	var paths [3][]string
	for _, p := range patients {
		paths[0] = append(paths[0], "/fhir/Patient/"+p)
		for i, typ := range []string{"Encounter", "Observation"} {
			for _, id := range s.ids(b, typ, "_count=40&patient="+p) {
				paths[1+i] = append(paths[1+i], "/fhir/"+typ+"/"+id)
			}
		}
	}
	s.load(b, 8, func(n int64) (*http.Request, error) { return s.get(pick(paths[n%3], n)) })
}

// BenchmarkServeSearch asks for the blood pressures or weights of a patient since a day, newest first.
func BenchmarkServeSearch(b *testing.B) {
	s := open(b)
	patients := s.ids(b, "Patient", "_count=1000")
	s.load(b, 8, func(n int64) (*http.Request, error) {
		return s.get("/fhir/Observation?_count=20&patient=" + pick(patients, n) + "&code=" + url.QueryEscape(pick([]string{"http://loinc.org|55284-4", "http://loinc.org|29463-7"}, n)) + "&date=ge2012-01-01")
	})
}

// BenchmarkServeChartPage opens the page of one chart of about 300 resources, one after the other, as a physician does.
func BenchmarkServeChartPage(b *testing.B) {
	s := open(b)
	if answer := s.Get(b, "/chart/"+s.patient); answer.Status != http.StatusOK {
		b.Skipf("there is no chart page: status %d", answer.Status)
	}
	s.load(b, 1, func(int64) (*http.Request, error) { return s.get("/chart/" + s.patient) })
}

// BenchmarkServeCreate writes vital signs: intent durable, resource durable, outcome durable. It stands last because the charts grow.
func BenchmarkServeCreate(b *testing.B) {
	s := open(b)
	patients := s.ids(b, "Patient", "_count=1000")
	s.load(b, 8, func(n int64) (*http.Request, error) {
		body := `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],` +
			`"code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}],"text":"Heart rate"},"subject":{"reference":"Patient/` + pick(patients, n) + `"},` +
			`"effectiveDateTime":"` + time.Now().UTC().Format(time.RFC3339) + `","valueQuantity":{"value":` + fmt.Sprint(60+n%40) + `,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}`
		request, err := http.NewRequest(http.MethodPost, s.Base+"/fhir/Observation", strings.NewReader(body))
		if err == nil {
			request.Header.Set("Content-Type", "application/fhir+json")
		}
		return request, err
	})
}
