package fhirapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/server/servertest"
)

// historyOf is what a history tells: its versions as "POST Type/id/1", and where it goes on.
func historyOf(t *testing.T, a servertest.Answer) (versions []string, next string, total int) {
	t.Helper()
	var b struct {
		Type  string
		Total *int
		Link  []struct{ Relation, URL string }
		Entry []struct {
			FullURL  string
			Resource json.RawMessage
			Request  struct{ Method string }
			Response struct{ Etag, LastModified string }
		}
	}
	if err := json.Unmarshal([]byte(a.Body), &b); err != nil || a.Status != 200 || b.Type != "history" || a.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for _, e := range b.Entry {
		if (e.Request.Method == "DELETE") != (e.Resource == nil) || e.Response.LastModified == "" {
			t.Errorf("%+v", e)
		}
		versions = append(versions, e.Request.Method+" "+strings.TrimPrefix(e.FullURL, "http://localhost/fhir/")+"/"+strings.Trim(e.Response.Etag, `W/"`))
	}
	for _, l := range b.Link {
		if l.Relation == "next" {
			next = strings.TrimPrefix(l.URL, "http://localhost")
		}
	}
	total = -1
	if b.Total != nil {
		total = *b.Total
	}
	return versions, next, total
}

func TestHistoryOfATypeAndOfEverything(t *testing.T) {
	d := open(t)
	one := "Observation/" + id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "70")))
	two := "Observation/" + id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("8867-4", "80")))
	d.physician.Do(t, "PATCH", "/fhir/"+one, `[{"op":"replace","path":"/valueQuantity/value","value":71}]`, "Content-Type", jsonPatch)
	d.physician.Do(t, "DELETE", "/fhir/"+two, "")
	want := []string{"DELETE " + two + "/2", "PUT " + one + "/2", "POST " + two + "/1", "POST " + one + "/1"}
	got, next, total := historyOf(t, d.physician.Get(t, "/fhir/Observation/_history"))
	if strings.Join(got, "\n") != strings.Join(want, "\n") || next != "" || total != 4 {
		t.Fatalf("%q total %d", got, total)
	}
	all, _, _ := historyOf(t, d.physician.Get(t, "/fhir/_history"))
	if strings.Join(all[:4], "\n") != strings.Join(want, "\n") || len(all) != 7 || !strings.HasPrefix(all[4], "POST Encounter/") || !strings.HasPrefix(all[6], "POST Practitioner/") {
		t.Fatalf("%q", all)
	}
	var paged []string
	for at := "/fhir/Observation/_history?_count=1"; at != ""; {
		page, next, _ := historyOf(t, d.physician.Get(t, at))
		if len(page) != 1 {
			t.Fatalf("a page of %d", len(page))
		}
		if len(paged) == 1 { // what is written meanwhile is newer than all pages
			id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("8867-4", "90")))
		}
		paged, at = append(paged, page...), next
	}
	if strings.Join(paged, "\n") != strings.Join(want, "\n") {
		t.Fatalf("page by page: %q", paged)
	}
	verify(t, map[string]check{
		"_since in the future":  {d.physician.Get(t, "/fhir/_history?_since="+url.QueryEscape(d.Now().Add(time.Hour).Format(time.RFC3339))), 200, `"total":0`, "entry"},
		"_since long ago":       {d.physician.Get(t, "/fhir/Observation/_history?_since=2020-01-01T00:00:00Z"), 200, `"total":5`, ""},
		"_at long ago":          {d.physician.Get(t, "/fhir/Observation/_history?_at=2020"), 200, `"total":0`, ""},
		"_at this year":         {d.physician.Get(t, "/fhir/Observation/_history?_at="+d.Now().Format("2006")), 200, `"total":5`, ""},
		"_at of one":            {d.physician.Get(t, "/fhir/"+one+"/_history?_at="+d.Now().Format("2006")), 200, `"total":2`, ""},
		"_since of one":         {d.physician.Get(t, "/fhir/"+one+"/_history?_since="+url.QueryEscape(d.Now().Add(time.Hour).Format(time.RFC3339))), 200, `"total":0`, ""},
		"_count=0":              {d.physician.Get(t, "/fhir/Observation/_history?_count=0"), 200, "history", "entry"},
		"_count=0 of one":       {d.physician.Get(t, "/fhir/"+one+"/_history?_count=0"), 200, `"total":2`, "entry"},
		"a broken _count":       {d.physician.Get(t, "/fhir/_history?_count=many"), 400, "_count", ""},
		"a broken _since":       {d.physician.Get(t, "/fhir/_history?_since=yesterday"), 400, "_since", ""},
		"_at with a prefix":     {d.physician.Get(t, "/fhir/_history?_at=ge2020"), 400, "_at", ""},
		"an unknown parameter":  {d.physician.Get(t, "/fhir/_history?colour=red"), 400, "", ""},
		"a cursor of something": {d.physician.Get(t, "/fhir/_history?_cursor=abc"), 400, "", ""},
		"an unknown type":       {d.physician.Get(t, "/fhir/Nonsense/_history"), 404, "", ""},
		"in a batch": {d.physician.Do(t, "POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation/_history?_count=1"}},
			{"request":{"method":"GET","url":"`+one+`/_history"}},{"request":{"method":"GET","url":"_history"}}]}`), 200, `"type":"history"`, "outcome"},
	})
	_, elsewhere, _ := historyOf(t, d.physician.Get(t, "/fhir/Observation/_history?_count=1"))
	if got := d.physician.Get(t, strings.Replace(elsewhere, "Observation", "Encounter", 1)); got.Status != 400 {
		t.Errorf("a cursor of another type: %d", got.Status)
	}
	if got := d.clerk.Get(t, elsewhere); got.Status != 400 {
		t.Errorf("a cursor of somebody else: %d", got.Status)
	}
}

// What somebody may not see is not in a history, neither as a version nor as a gap between pages.
func TestHistoryIsFiltered(t *testing.T) {
	d := open(t)
	other := id(t, d.clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Brandt"}]}`))
	put := func(body string) string {
		t.Helper()
		doc, err := document.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		done, err := d.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: "Observation", Doc: doc}})
		if err != nil || done[0].Err != nil {
			t.Fatal(err, done)
		}
		return done[0].Written.ID
	}
	for range 5 {
		put(strings.Replace(d.observation("8867-4", "1"), d.patient, other, 1))
	}
	label := `"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},`
	labelled := put(strings.Replace(d.observation("29463-7", "2"), `"status"`, label+`"status"`, 1))
	later := id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "3")))
	doc, err := document.Parse([]byte(strings.Replace(d.observation("29463-7", "3"), `"status"`, `"id":"`+later+`",`+label+`"status"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if done, err := d.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: "Observation/" + later, Doc: doc}}); err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
	open := id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "4")))
	for _, at := range []string{"/fhir/Observation/_history", "/fhir/Observation/_history?_count=1", "/fhir/_history?_since=" + d.Now().Format("2006")} {
		got := d.physician.Get(t, at)
		versions, next, _ := historyOf(t, got)
		if strings.Count(strings.Join(versions, " "), "Observation/") != 1 || versions[0] != "POST Observation/"+open+"/1" || next != "" && strings.Contains(at, "Observation") ||
			strings.Contains(got.Body, labelled) || strings.Contains(got.Body, other) {
			t.Errorf("%s: %q %q", at, versions, next)
		}
	}
	if versions, _, total := historyOf(t, d.Person(t, "Sam Rivera", "nurse", "").Get(t, "/fhir/Observation/_history")); len(versions) != 0 || total != 0 {
		t.Errorf("a stranger sees %q", versions)
	}
	if got := d.Person(t, "Hollis", "administrator", "").Get(t, "/fhir/Observation/_history"); got.Status != http.StatusForbidden { // as a search (ADR 218)
		t.Errorf("an administrator: %d %s", got.Status, got.Body)
	}
}

// The history of one resource comes in pages too: each version once, whatever is written between two pages.
func TestHistoryOfOneIsPaged(t *testing.T) {
	d := open(t)
	one := "Observation/" + id(t, d.physician.Do(t, "POST", "/fhir/Observation", d.observation("29463-7", "70")))
	change := func(value string) {
		t.Helper()
		if got := d.physician.Do(t, "PATCH", "/fhir/"+one, `[{"op":"replace","path":"/valueQuantity/value","value":`+value+`}]`, "Content-Type", jsonPatch); got.Status != 200 {
			t.Fatal(got.Status, got.Body)
		}
	}
	for _, v := range []string{"71", "72", "73", "74"} {
		change(v)
	}
	for query, sizes := range map[string][]int{"?_count=2": {2, 2, 1}, "?_count=5": {5}, "?_count=4&_since=" + d.Now().Format("2006"): {4, 1}, "?_count=1&_at=" + d.Now().Format("2006"): {1, 1, 1, 1, 1}} {
		var got []string
		pages := 0
		for at := "/fhir/" + one + "/_history" + query; at != ""; pages++ {
			answer := d.physician.Get(t, at)
			page, next, total := historyOf(t, answer)
			if pages >= len(sizes) || len(page) != sizes[pages] || (total >= 0) != (pages == 0) {
				t.Fatalf("%s page %d: %q total %d", query, pages, page, total)
			}
			if strings.Contains(next, "_since") || next != "" && !strings.HasPrefix(next, "/fhir/"+one+"/_history?_cursor=") {
				t.Fatalf("next link %s", next)
			}
			if next != "" && d.clerk.Get(t, next).Status == 200 {
				t.Error("the cursor of somebody else")
			}
			if next != "" {
				if other := d.physician.Get(t, strings.Replace(next, one, "Patient/"+d.patient, 1)); other.Status != 400 {
					t.Errorf("a cursor of another resource: %d", other.Status)
				}
			}
			got, at = append(got, page...), next
		}
		first := got[0][strings.LastIndexByte(got[0], '/')+1:]
		if len(got) < 5 || pages != len(sizes) || got[len(got)-1] != "POST "+one+"/1" || first != "5" {
			t.Errorf("%s: %q", query, got)
		}
	}
	batch := d.physician.Do(t, "POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"`+one+`/_history?_count=3"}},
		{"request":{"method":"GET","url":"Observation/_history?_count=3"}},{"request":{"method":"GET","url":"Encounter?patient=`+d.patient+`"}}]}`)
	for _, want := range []string{`"next","url":"http://localhost/fhir/` + one + `/_history?_cursor=`, `"next","url":"http://localhost/fhir/Observation/_history?_cursor=`, `"self","url":"http://localhost/fhir/Encounter"`} {
		if !strings.Contains(batch.Body, want) {
			t.Errorf("a batch without %s", want)
		}
	}
	_, next, _ := historyOf(t, d.physician.Get(t, "/fhir/"+one+"/_history?_count=3"))
	change("80") // written between two pages
	if d.physician.Do(t, "DELETE", "/fhir/"+one, "").Status != 204 {
		t.Fatal("not deleted")
	}
	rest, end, _ := historyOf(t, d.physician.Get(t, next))
	if strings.Join(rest, " ") != "PUT "+one+"/2 POST "+one+"/1" || end != "" {
		t.Errorf("%q %s", rest, end)
	}
	if _, next, total := historyOf(t, d.physician.Get(t, "/fhir/"+one+"/_history?_count=0")); next != "" || total != 7 {
		t.Errorf("counted %d %s", total, next)
	}
}
