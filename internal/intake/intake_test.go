package intake_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/intake"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// put writes files into a folder of the test, those called .gz zipped, and gives the folder.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		text := []byte(content)
		if strings.HasSuffix(name, ".gz") {
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			_, _ = w.Write(text) // to memory
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			text = zipped.Bytes()
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// take runs an import and tells what it did as `stored skipped rejected`.
func take(t *testing.T, s *servertest.Server, o intake.Options) (string, intake.Report) {
	t.Helper()
	r, err := intake.Run(t.Context(), s.Gate, o)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %d %d", r.Stored, r.Skipped, len(r.Rejected)), r
}

// bundle is a Bundle of a type with entries as they are.
func bundle(typ string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
}

// entry is a resource under a full URL; a request follows in a transaction.
func entry(url, resource, request string) string {
	return `{"fullUrl":"` + url + `","resource":` + resource + request + `}`
}

const (
	patient = `{"resourceType":"Patient","name":[{"family":"Okafor"}]}`
	post    = `,"request":{"method":"POST","url":"%s"}`
)

func condition(subject string) string {
	return `{"resourceType":"Condition","subject":{"reference":"` + subject + `"},"code":{"text":"Asthma"}}`
}

// Every kind of file holds a patient and a condition of hers.
func TestEachKindOfFileIsTaken(t *testing.T) {
	s := servertest.Start(t)
	kinds := map[string]string{
		"transaction.json": bundle("transaction", entry("urn:uuid:1-p", patient, fmt.Sprintf(post, "Patient")), entry("urn:uuid:1-c", condition("urn:uuid:1-p"), fmt.Sprintf(post, "Condition"))),
		"turned.json":      bundle("transaction", entry("urn:uuid:2-c", condition("urn:uuid:2-p"), fmt.Sprintf(post, "Condition")), entry("urn:uuid:2-p", patient, fmt.Sprintf(post, "Patient"))),
		"collection.json":  bundle("collection", entry("urn:uuid:3-p", patient, ""), entry("urn:uuid:3-c", condition("urn:uuid:3-p"), "")),
		"lines.ndjson":     `{"resourceType":"Patient","id":"four"}` + "\n\n" + condition("Patient/four"),
		"lines.jsonl":      `{"resourceType":"Patient","id":"five"}` + "\r\n" + condition("Patient/five") + "\n",
	}
	for name, content := range kinds {
		for _, end := range []string{"", ".gz"} {
			// The zipped copy is of somebody else.
			if content = strings.NewReplacer("urn:uuid:", "urn:uuid:"+end, `"four"`, `"four`+end+`"`, "/four", "/four"+end, `"five"`, `"five`+end+`"`, "/five", "/five"+end).Replace(content); end != "" {
				name += end
			}
			got, report := take(t, s, intake.Options{Paths: []string{put(t, map[string]string{name: content})}})
			if got != "2 0 0" || report.ByType["Patient"] != 1 || report.ByType["Condition"] != 1 {
				t.Errorf("%s: %s %+v", name, got, report)
			}
		}
	}
	for name, content := range map[string]string{
		"one.json": patient, "one.json.gz": patient, "behind.json": `{"name":[{"family":"Okafor"}],"resourceType":"Patient"}`,
		"list.json": `{"resourceType":"List","status":"current","mode":"working","entry":[{"item":{"display":"a"}}]}`,
	} {
		if got, report := take(t, s, intake.Options{Paths: []string{filepath.Join(put(t, map[string]string{name: content}), name)}}); got != "1 0 0" {
			t.Errorf("%s: %s %+v", name, got, report)
		}
	}
}

// What others refer to comes first, whatever the files are called; what a name leads to is the same for all of them.
func TestFilesAreOrderedByWhatTheyReferTo(t *testing.T) {
	s := servertest.Start(t)
	visit := func(n string) string {
		return bundle("transaction", entry("urn:uuid:p"+n, `{"resourceType":"Patient","generalPractitioner":[{"reference":"urn:uuid:doctor"}],"managingOrganization":{"reference":"urn:uuid:house"}}`, fmt.Sprintf(post, "Patient")))
	}
	dir := put(t, map[string]string{
		"1-visit.json": visit("1"), "2-visit.json": visit("2"),
		"3-role.json":             bundle("collection", entry("urn:uuid:role", `{"resourceType":"PractitionerRole","practitioner":{"reference":"urn:uuid:doctor"},"organization":{"reference":"urn:uuid:house"}}`, "")),
		"8-practitioners.json.gz": bundle("batch", entry("urn:uuid:doctor", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`, fmt.Sprintf(post, "Practitioner"))),
		"9-hospital.json":         bundle("batch", entry("urn:uuid:house", `{"resourceType":"Organization","name":"General"}`, fmt.Sprintf(post, "Organization"))),
	})
	if got, report := take(t, s, intake.Options{Paths: []string{dir}}); got != "5 0 0" {
		t.Fatal(got, report)
	}
	clerk := s.Person(t, "Dana Whitlock", "front-desk", "")
	var found struct {
		Entry []struct {
			Resource struct {
				GeneralPractitioner  []struct{ Reference string }
				ManagingOrganization struct{ Reference string }
			}
		}
	}
	if err := json.Unmarshal([]byte(clerk.Get(t, "/fhir/Patient").Body), &found); err != nil || len(found.Entry) != 2 {
		t.Fatal(found, err)
	}
	one, two := found.Entry[0].Resource, found.Entry[1].Resource
	if one.GeneralPractitioner[0].Reference != two.GeneralPractitioner[0].Reference || one.ManagingOrganization.Reference != two.ManagingOrganization.Reference {
		t.Errorf("the two refer to different ones: %+v %+v", one, two)
	}
	for _, ref := range []string{one.GeneralPractitioner[0].Reference, one.ManagingOrganization.Reference} {
		if got := clerk.Get(t, "/fhir/"+ref); got.Status != 200 {
			t.Errorf("%s leads to %d", ref, got.Status)
		}
	}
}

// Files that refer to each other cannot both come first: what is known to come may be referred to.
func TestFilesInACircleAreTaken(t *testing.T) {
	s := servertest.Start(t)
	o := intake.Options{Paths: []string{put(t, map[string]string{
		"a.ndjson": `{"resourceType":"Organization","id":"a1","partOf":{"reference":"Organization/b1"}}` + "\n" + `{"resourceType":"Organization","id":"a2"}`,
		"b.ndjson": `{"resourceType":"Organization","id":"b1"}` + "\n" + `{"resourceType":"Organization","id":"b2","partOf":{"reference":"Organization/a2"}}`,
	})}}
	if got, report := take(t, s, o); got != "4 0 0" || len(report.Unresolved) > 0 {
		t.Fatal(got, report)
	}
	if got, report := take(t, s, o); got != "0 4 0" {
		t.Fatal(got, report)
	}
}

func TestASecondRunFindsWhatTheFirstStored(t *testing.T) {
	s := servertest.Start(t)
	for name, o := range map[string]intake.Options{"each": {}, "whole": {Atomic: true}} {
		o.Paths = []string{put(t, map[string]string{
			"a.json": bundle("transaction", entry("urn:uuid:p-"+name, patient, fmt.Sprintf(post, "Patient")), entry("urn:uuid:c-"+name, condition("urn:uuid:p-"+name), fmt.Sprintf(post, "Condition"))),
			// The same practitioner stands in two files, as in the bundles of many generators.
			"b.json":   bundle("collection", entry("urn:uuid:d-"+name, `{"resourceType":"Practitioner"}`, "")),
			"c.json":   bundle("collection", entry("urn:uuid:d-"+name, `{"resourceType":"Practitioner"}`, ""), entry("urn:uuid:r-"+name, `{"resourceType":"PractitionerRole","practitioner":{"reference":"urn:uuid:d-`+name+`"}}`, "")),
			"d.ndjson": `{"resourceType":"Patient","id":"d-` + name + `","birthDate":"1961-03-14"}`,
		})}
		if got, report := take(t, s, o); got != "5 1 0" {
			t.Fatal(name, got, report)
		}
		if got, report := take(t, s, o); got != "0 6 0" || len(report.ByType) > 0 {
			t.Fatal(name, got, report)
		}
	}
}

// A file that is broken, and an entry that is, are named with the place and the reason, never with what they hold; the rest is stored.
func TestWhatIsBrokenIsNamedAndTheRestStored(t *testing.T) {
	s := servertest.Start(t)
	good := entry("urn:uuid:good", `{"resourceType":"Practitioner"}`, fmt.Sprintf(post, "Practitioner"))
	for name, c := range map[string]struct {
		file, content, want, at, reason string
		entry                           int
	}{
		"cut off":           {"a.json", strings.TrimSuffix(bundle("transaction", good), "]}"), "1 0 1", "", "ends", 0},
		"not JSON":          {"a.json", "MSH|^~\\&|secret", "0 0 1", "", "", 0},
		"no gzip":           {"a.json.gz", "", "0 0 1", "", "", 0},
		"empty":             {"a.json", "", "0 0 1", "", "", 0},
		"a line":            {"a.ndjson", `{"resourceType":"Practitioner"}` + "\nsecret\n" + `{"resourceType":"Practitioner"}`, "2 0 1", "Resource", "JSON", 2},
		"no resource":       {"a.json", bundle("transaction", `{"fullUrl":"urn:uuid:secret"}`, good), "1 0 1", "", "no resource", 0},
		"a delete":          {"a.json", bundle("transaction", good, `{"request":{"method":"DELETE","url":"Practitioner/secret"}}`), "1 0 1", "", "only brings records in", 1},
		"invalid":           {"a.json", bundle("collection", good, entry("urn:uuid:bad", `{"resourceType":"Practitioner","gender":"secret"}`, "")), "1 0 1", "Practitioner.gender", "", 1},
		"leads nowhere":     {"a.json", bundle("collection", good, entry("urn:uuid:bad", condition("Patient/secret"), "")), "1 0 1", "Condition.subject.reference", "leads to nothing", 1},
		"refers to refused": {"a.json", bundle("collection", entry("urn:uuid:bad", `{"resourceType":"Patient","gender":"secret"}`, ""), good, entry("urn:uuid:of-bad", condition("urn:uuid:bad"), ""), entry("urn:uuid:of-of-bad", `{"resourceType":"Provenance","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"urn:uuid:of-bad"}]}`, "")), "1 0 3", "Patient.gender", "", 0},
		"unknown type":      {"a.ndjson", `{"resourceType":"Secret"}`, "0 0 1", "resourceType", "FHIR R4", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c.content = strings.ReplaceAll(c.content, "urn:uuid:good", "urn:uuid:good-"+name)
			dir := put(t, map[string]string{c.file: c.content})
			if name == "no gzip" {
				if err := os.WriteFile(filepath.Join(dir, c.file), []byte("secret"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, report := take(t, s, intake.Options{Paths: []string{dir}})
			if got != c.want {
				t.Fatal(got, report)
			}
			r := report.Rejected[0]
			if r.File != c.file || r.Entry != c.entry || r.At != c.at || !strings.Contains(r.Reason, c.reason) || r.Reason == "" {
				t.Errorf("%+v", r)
			}
			text, err := report.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var shown strings.Builder
			report.Write(&shown)
			if strings.Contains(strings.ToLower(string(text)+shown.String()), "secret") {
				t.Errorf("the report holds what the file held: %s", text)
			}
		})
	}
}

// Stored whole: one entry that cannot be stored, or not even be read, leaves nothing of its file behind, and no other file waits.
func TestAFileStoredWholeIsStoredWholeOrNotAtAll(t *testing.T) {
	s := servertest.Start(t)
	good := func(n string) string { return entry("urn:uuid:"+n, `{"resourceType":"Practitioner"}`, "") }
	got, report := take(t, s, intake.Options{Atomic: true, Paths: []string{put(t, map[string]string{
		"a.json":   bundle("collection", good("1"), entry("urn:uuid:bad", condition("Patient/nobody"), ""), good("2")),
		"b.json":   bundle("collection", good("3"), `{"fullUrl":"urn:uuid:none"}`, good("4")),
		"c.json":   bundle("collection", good("5"), entry("urn:uuid:bad", `{"resourceType":"Practitioner","gender":"x"}`, "")),
		"d.json":   bundle("collection", good("6"), good("7")),
		"e.ndjson": `{"resourceType":"Practitioner"}` + "\n{",
		"f.json":   strings.TrimSuffix(bundle("collection", good("8")), "]}"),
	})}})
	if got != "2 0 5" {
		t.Fatal(got, report)
	}
	for i, want := range []string{"a.json 1", "b.json 1", "c.json 1", "e.ndjson 2", "f.json 0"} {
		if r := report.Rejected[i]; fmt.Sprint(r.File, " ", r.Entry) != want {
			t.Errorf("%+v, want %s", r, want)
		}
	}
}

// Files that refer to each other are stored whole together: neither can be the first. What is wrong with one keeps both out, and the
// report says so of each.
func TestFilesInACircleAreStoredTogether(t *testing.T) {
	s := servertest.Start(t)
	ward := func(id, next, gender string) string {
		return `{"resourceType":"Practitioner","id":"` + id + `","gender":"` + gender + `"}` + "\n" + `{"resourceType":"PractitionerRole","id":"` + id + `","practitioner":{"reference":"Practitioner/` + next + `"}}`
	}
	files := map[string]string{"a.ndjson": ward("a", "b", "female"), "b.ndjson": ward("b", "c", "female"), "c.ndjson": ward("c", "a", "female"),
		"d.ndjson": ward("d", "a", "male"), "0.ndjson": ward("z", "d", "male")}
	o := intake.Options{Atomic: true, Paths: []string{put(t, files)}}
	if got, report := take(t, s, o); got != "10 0 0" {
		t.Fatal(got, report)
	}
	if got, report := take(t, s, o); got != "0 10 0" {
		t.Fatal(got, report)
	}
	for name, wrong := range map[string]string{"invalid": ward("v", "w", "secret"), "unreadable": ward("v", "w", "male") + "\n{", "leads nowhere": ward("v", "w", "male") + "\n" + ward("x", "nobody", "male")} {
		got, report := take(t, s, intake.Options{Atomic: true, Paths: []string{put(t, map[string]string{"v.ndjson": wrong, "w.ndjson": ward("w", "v", "male"), "y.ndjson": ward("y"+name[:1], "a", "male")})}})
		if got != "2 0 2" || report.Rejected[0].File != "v.ndjson" || report.Rejected[1].File != "w.ndjson" || !strings.Contains(report.Rejected[1].Reason, "it and v.ndjson refer to each other") {
			t.Errorf("%s: %s %+v", name, got, report.Rejected)
		}
	}
}

func TestPathsAreChecked(t *testing.T) {
	s := servertest.Start(t)
	for name, c := range map[string]struct {
		paths []string
		want  outcome.Code
	}{
		"none":    {nil, outcome.Required},
		"missing": {[]string{filepath.Join(t.TempDir(), "nothing")}, outcome.NotFound},
		"empty":   {[]string{put(t, map[string]string{"readme.txt": "x"})}, outcome.NotFound},
	} {
		if _, err := intake.Run(t.Context(), s.Gate, intake.Options{Paths: c.paths}); !outcome.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Progress counts files, also those of which nothing is stored.
func TestProgressCountsFiles(t *testing.T) {
	s := servertest.Start(t)
	var last intake.Progress
	take(t, s, intake.Options{Paths: []string{put(t, map[string]string{"a.json": "{", "b.ndjson": `{"resourceType":"Practitioner"}`, "c.ndjson": ""})},
		Progress: func(p intake.Progress) { last = p }})
	if last != (intake.Progress{File: 3, Files: 3, Stored: 1}) {
		t.Errorf("%+v", last)
	}
}

// A log that takes no entry stops an import: nothing is stored without its entry.
func TestAnImportStopsWithTheLog(t *testing.T) {
	s := servertest.Start(t)
	dir := put(t, map[string]string{"a.json": patient})
	s.Stop()
	_, err := intake.Run(t.Context(), s.Gate, intake.Options{Paths: []string{dir}})
	if err == nil || errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

// The hospital's, the practitioners' and three patients' files of Synthea: references across files hold, and a second run stores nothing.
func TestSynthea(t *testing.T) {
	data := servertest.Data(t, "fhir", "synthea")
	files, err := filepath.Glob(filepath.Join(data, "[Ahp]*.json.gz"))
	if err != nil || len(files) < 5 {
		t.Fatal("no Synthea files", err)
	}
	s := servertest.Start(t)
	got, first := take(t, s, intake.Options{Paths: files, Atomic: true})
	if len(first.Rejected) > 0 || first.ByType["Patient"] == 0 {
		t.Fatal(got, first.Rejected)
	}
	if got, again := take(t, s, intake.Options{Paths: files}); again.Stored != 0 || again.Skipped != first.Stored+first.Skipped {
		t.Fatal(got, again)
	}
}
