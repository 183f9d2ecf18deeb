package fhirapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestEverythingComesInPages(t *testing.T) {
	d := open(t)
	for _, v := range []string{"70", "71", "72"} {
		id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", v)))
	}
	type bundle struct {
		Total int
		Link  []struct{ Relation, URL string }
		Entry []struct {
			Resource struct{ ResourceType, ID string }
			Search   struct{ Mode string }
		}
	}
	met := map[string]int{}
	path := "/fhir/Patient/" + d.patient + "/$everything?_count=2"
	for pages := 0; path != ""; pages++ {
		got := d.physician.Get(t, path)
		var b bundle
		if err := json.Unmarshal([]byte(got.Body), &b); err != nil || got.Status != http.StatusOK || b.Total != 5 || got.Header.Get("X-Audit-Entry") == "" || pages > 3 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		if pages == 0 && b.Entry[0].Resource.ResourceType != "Patient" {
			t.Fatalf("the Patient is not first: %s", got.Body)
		}
		for _, e := range b.Entry {
			met[e.Resource.ResourceType+" "+e.Search.Mode]++
		}
		path = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				path = l.URL[strings.Index(l.URL, "/fhir/Patient"):]
			}
		}
	}
	if met["Patient match"] != 1 || met["Encounter match"] != 1 || met["Observation match"] != 3 || met["Practitioner include"] != 1 || len(met) != 4 {
		t.Fatalf("%v", met)
	}
	for query, want := range map[string]int{"_type=Observation": 3, "_since=2099-01-01T00:00:00Z": 0, "end=2026-11-20&_type=Observation": 3, "start=2026-11-21&_type=Observation": 0} {
		got := d.physician.Get(t, "/fhir/Patient/"+d.patient+"/$everything?"+query)
		var b bundle
		if err := json.Unmarshal([]byte(got.Body), &b); err != nil || b.Total != want {
			t.Errorf("%s: %d, %d, want %d: %s", query, got.Status, b.Total, want, got.Body)
		}
	}
	for _, query := range []string{"_count=x", "_type=Nonsense", "start=x", "nonsense=1"} {
		if got := d.physician.Get(t, "/fhir/Patient/"+d.patient+"/$everything?"+query); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.Status)
		}
	}
	stranger := d.Person(t, "Sam Rivera", "nurse", "")
	if got := stranger.Get(t, "/fhir/Patient/"+d.patient+"/$everything"); got.Status != http.StatusForbidden {
		t.Fatalf("a stranger: %d", got.Status)
	}
	if got := stranger.Get(t, "/fhir/Patient/"+d.patient+"/$everything", "X-Break-Glass", "emergency"); got.Status != http.StatusForbidden {
		t.Fatalf("by the glass: %d %s", got.Status, got.Body)
	}
}
