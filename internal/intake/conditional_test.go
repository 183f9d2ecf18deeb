package intake_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartwarden/internal/intake"
	"chartwarden/internal/server/servertest"
)

const npi = "http://hl7.org/fhir/sid/us-npi"

func staff(id, number string) string {
	return `{"resourceType":"Practitioner","id":"` + id + `","identifier":[{"system":"` + npi + `","value":"` + number + `"}]}`
}

func visit(id, subject, individual string) string {
	return `{"resourceType":"Encounter","id":"` + id + `","status":"in-progress","class":{"code":"AMB"},"subject":` + subject + `,"participant":[{"individual":` + individual + `}]}`
}

func ref(s string) string { return `{"reference":"` + s + `"}` }

func identified(id, number string) string {
	return `{"resourceType":"Patient","id":"` + id + `","identifier":[{"system":"urn:mrn","value":"` + number + `"}]}`
}

// Whatever order files and lines have, references by identifier become literal, and a second run changes nothing.
func TestReferencesByIdentifierAcrossFiles(t *testing.T) {
	conditional := ref("Practitioner?identifier=" + npi + "|1")
	logical := `{"identifier":{"system":"` + npi + `","value":"1"},"display":"Dr. Lindqvist"}`
	for name, files := range map[string]map[string]string{
		"staff first":           {"a.json": bundle("batch", entry("urn:uuid:s", staff("s", "1"), fmt.Sprintf(post, "Practitioner"))), "b.json": bundle("transaction", entry("urn:uuid:p", patient, fmt.Sprintf(post, "Patient")), entry("urn:uuid:e", visit("e", ref("urn:uuid:p"), conditional), fmt.Sprintf(post, "Encounter")))},
		"staff last":            {"b.json.gz": bundle("batch", entry("urn:uuid:s", staff("s", "1"), fmt.Sprintf(post, "Practitioner"))), "a.json": bundle("transaction", entry("urn:uuid:p", patient, fmt.Sprintf(post, "Patient")), entry("urn:uuid:e", visit("e", ref("urn:uuid:p"), conditional), fmt.Sprintf(post, "Encounter")))},
		"lines":                 {"Encounter.ndjson": visit("e", ref("Patient?identifier=urn:mrn|7"), conditional), "Patient.ndjson": identified("p", "7"), "Practitioner.ndjson.gz": staff("s", "1")},
		"one file":              {"all.ndjson": visit("e", ref("Patient?identifier=urn:mrn|7"), conditional) + "\n" + identified("p", "7") + "\n" + staff("s", "1")},
		"logical":               {"Encounter.ndjson": visit("e", `{"type":"Patient","identifier":{"system":"urn:mrn","value":"7"}}`, logical), "Patient.ndjson": identified("p", "7"), "Practitioner.ndjson": staff("s", "1")},
		"own URL":               {"a.json": bundle("collection", entry("urn:uuid:p", identified("p", "7"), ""), entry("urn:uuid:e", visit("e", ref("urn:uuid:p"), ref("http://localhost/fhir/Practitioner?identifier="+npi+"%7C1")), "")), "s.json": staff("s", "1")},
		"versions":              {"Encounter.ndjson": visit("e", ref("Patient/p|2"), ref("Practitioner/s|1")), "Patient.ndjson": identified("p", "7"), "Practitioner.ndjson": staff("s", "1")},
		"versions, kept":        {"a.ndjson": visit("e", ref("Patient/p/_history/2"), ref("Practitioner/s/_history/1")) + "\n" + identified("p", "7") + "\n" + staff("s", "1")},
		"versions of names":     {"a.json": bundle("transaction", entry("urn:uuid:e", visit("e", ref("urn:uuid:p|1"), ref("http://a.example/fhir/Practitioner/s/_history/3")), fmt.Sprintf(post, "Encounter")), entry("urn:uuid:p", patient, fmt.Sprintf(post, "Patient")), entry("http://a.example/fhir/Practitioner/s", staff("s", "1"), fmt.Sprintf(post, "Practitioner")))},
		"versions below a base": {"a.json": bundle("transaction", entry("http://a.example/fhir/Encounter/e", visit("e", ref("Patient/p|1"), ref("Practitioner/s/_history/3")), fmt.Sprintf(post, "Encounter")), entry("http://a.example/fhir/Patient/p", identified("p", "7"), fmt.Sprintf(post, "Patient")), entry("http://a.example/fhir/Practitioner/s", staff("s", "1"), fmt.Sprintf(post, "Practitioner")))},
		"in a circle":           {"a.ndjson": visit("e", ref("Patient/p"), conditional) + "\n" + `{"resourceType":"Practitioner","id":"x","identifier":[{"value":"x"}]}`, "b.ndjson": staff("s", "1") + "\n" + identified("p", "7") + "\n" + `{"resourceType":"Basic","code":{"text":"x"},"author":` + ref("Practitioner?identifier=x") + `}`},
		"created before":        {"a.json": bundle("batch", entry("urn:uuid:s", staff("s", "1"), `,"request":{"method":"POST","url":"Practitioner","ifNoneExist":"identifier=`+npi+`|1"}`)), "b.json": bundle("batch", entry("urn:uuid:s2", staff("s2", "1"), `,"request":{"method":"POST","url":"Practitioner","ifNoneExist":"identifier=`+npi+`|1"}`)), "c.json": bundle("transaction", entry("urn:uuid:p", patient, fmt.Sprintf(post, "Patient")), entry("urn:uuid:e", visit("e", ref("urn:uuid:p"), ref("urn:uuid:s2")), fmt.Sprintf(post, "Encounter")))},
	} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Start(t)
			o := intake.Options{Paths: []string{put(t, files)}}
			got, report := take(t, s, o)
			if len(report.Rejected) > 0 || len(report.Unresolved) > 0 || report.Waiting > 0 || report.ByType["Encounter"] != 1 {
				t.Fatal(got, report)
			}
			doctor := find(t, s, "Practitioner?identifier=1")
			if len(doctor) != 1 {
				t.Fatal("practitioners:", doctor)
			}
			physician := s.Person(t, "Mara Lindqvist", "physician", doctor[0])
			day := physician.Get(t, "/day")
			if strings.Count(day.Body, "/chart/") == 0 {
				t.Fatal("nobody is hers")
			}
			if got, again := take(t, s, o); again.Stored != 0 || len(again.Rejected) > 0 || again.Resolved != 0 {
				t.Fatal(got, again)
			}
		})
	}
}

// find gives the references of what a clerk finds among staff.
func find(t *testing.T, s *servertest.Server, query string) (out []string) {
	t.Helper()
	answer := s.Person(t, "Dana Whitlock", "front-desk", "").Get(t, "/fhir/"+query)
	var found struct {
		Entry []struct {
			Resource struct{ ResourceType, ID string }
		}
	}
	if err := json.Unmarshal([]byte(answer.Body), &found); err != nil {
		t.Fatal(answer.Status, err)
	}
	for _, e := range found.Entry {
		out = append(out, e.Resource.ResourceType+"/"+e.Resource.ID)
	}
	return out
}

// What leads nowhere, or to two, is told with file, entry and place, and is stored; a later run that brings the target mends it.
func TestWhatLeadsNowhereWaitsForALaterRun(t *testing.T) {
	s := servertest.Start(t)
	first := put(t, map[string]string{"visits.ndjson": identified("secret-p", "7") + "\n" + visit("e", ref("Patient/secret-p"), ref("Practitioner?identifier="+npi+"|secret")) + "\n" +
		visit("f", ref("Patient/secret-p"), ref("Practitioner?identifier="+npi+"|2"))})
	doubles := put(t, map[string]string{"staff.ndjson": staff("x", "2") + "\n" + staff("y", "2")})
	got, report := take(t, s, intake.Options{Paths: []string{first, doubles}})
	if got != "5 0 0" || len(report.Unresolved) != 2 || report.Waiting != 2 {
		t.Fatal(got, report)
	}
	for i, want := range []string{"visits.ndjson 2 Encounter Encounter.participant[0].individual.reference nothing", "visits.ndjson 3 Encounter Encounter.participant[0].individual.reference more than one"} {
		u := report.Unresolved[i]
		if text := fmt.Sprint(u.File, " ", u.Entry, " ", u.Type, " ", u.At, " ", u.Reason); !strings.HasPrefix(text, want[:60]) || !strings.Contains(text, want[strings.LastIndex(want, "reference ")+10:]) {
			t.Error(text)
		}
	}
	var shown bytes.Buffer
	report.Write(&shown)
	if text, err := report.JSON(); err != nil || strings.Contains(string(text)+shown.String(), "secret") {
		t.Errorf("%s %s", text, shown.String())
	}
	got, report = take(t, s, intake.Options{Paths: []string{put(t, map[string]string{"staff.json": staff("z", "secret")})}})
	if got != "1 0 0" || report.Resolved != 1 || report.Waiting != 1 {
		t.Fatal(got, report)
	}
	if day := s.Person(t, "Mara Lindqvist", "physician", "Practitioner/z").Get(t, "/chart/secret-p"); day.Status != 200 {
		t.Error("her patient's chart is closed:", day.Status)
	}
	if got, report = take(t, s, intake.Options{Paths: []string{first}}); got != "0 3 0" {
		t.Fatal(got, report)
	}
}

// Anybody's write that brings the target resolves what waited for it.
func TestAWriteBringsWhatAReferenceWaitsFor(t *testing.T) {
	s := servertest.Start(t)
	take(t, s, intake.Options{Paths: []string{put(t, map[string]string{"visits.ndjson": identified("p", "7") + "\n" + visit("e", ref("Patient/p"), ref("Practitioner?identifier="+npi+"|1")) + "\n" +
		visit("f", ref("Patient/p"), `{"identifier":{"system":"`+npi+`","value":"1"}}`)})}})
	admin := s.Person(t, "Ruth Adeyemi", "administrator", "")
	if got := admin.Do(t, "POST", "/fhir/Practitioner", staff("x", "2")); got.Status != 201 {
		t.Fatal(got)
	}
	if n, err := s.Gate.Unresolved(t.Context()); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	made := admin.Do(t, "POST", "/fhir", bundle("transaction", entry("urn:uuid:s", staff("s", "1"), fmt.Sprintf(post, "Practitioner"))))
	if made.Status != 200 {
		t.Fatal(made)
	}
	if n, err := s.Gate.Unresolved(t.Context()); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	physician := s.Person(t, "Mara Lindqvist", "physician", find(t, s, "Practitioner?identifier=1")[0])
	for _, id := range []string{"e", "f"} {
		if got := physician.Get(t, "/fhir/Encounter/"+id); got.Status != 200 || !strings.Contains(got.Body, `"versionId":"2"`) || strings.Contains(got.Body, "?identifier") {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if got, report := take(t, s, intake.Options{Paths: []string{put(t, map[string]string{"more.json": staff("z", "9")})}}); got != "1 0 0" || report.Resolved != 0 {
		t.Error(got, report)
	}
}

// An entry about a patient who is not here is rejected: it would lie outside every chart.
func TestWhomAnEntryIsAboutMustBeHere(t *testing.T) {
	s := servertest.Start(t)
	got, report := take(t, s, intake.Options{Paths: []string{put(t, map[string]string{"a.ndjson": visit("e", ref("Patient?identifier=urn:mrn|secret"), ref("Practitioner?identifier=2"))})}})
	if got != "0 0 1" || report.Rejected[0].At != "Encounter.subject.reference" || strings.Contains(report.Rejected[0].Reason, "secret") {
		t.Fatal(got, report)
	}
}

// The published patients in the way that newer Synthea versions write them: staff by conditional references, hospitals and practitioners
// as batches of conditional creates, in files whose names come last.
func TestSyntheaOfToday(t *testing.T) {
	data := servertest.Data(t, "fhir", "synthea")
	names, err := filepath.Glob(filepath.Join(data, "[Ahp]*.json.gz"))
	if err != nil || len(names) < 5 {
		t.Fatal("no Synthea files", err)
	}
	dir := t.TempDir()
	by := map[string]string{} // urn:uuid of staff to what stands for it today
	type bundle struct {
		ResourceType string           `json:"resourceType"`
		Type         string           `json:"type"`
		Entry        []map[string]any `json:"entry"`
	}
	all := map[string]*bundle{}
	for _, name := range names {
		all[name] = read[bundle](t, name)
		for _, e := range all[name].Entry {
			r := e["resource"].(map[string]any)
			switch typ := r["resourceType"].(string); typ {
			case "Organization", "Practitioner", "Location":
				id := r["identifier"].([]any)[0].(map[string]any)
				by[e["fullUrl"].(string)] = fmt.Sprintf("%s?identifier=%s|%s", typ, id["system"], id["value"])
			}
		}
	}
	replaced := 0
	var walk func(x any)
	walk = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			if to, ok := by[fmt.Sprint(x["reference"])]; ok {
				x["reference"] = to
				replaced++
			}
			for _, v := range x {
				walk(v)
			}
		case []any:
			for _, v := range x {
				walk(v)
			}
		}
	}
	var open []string // patients with a visit that runs, by the practitioner's number
	for name, b := range all {
		base := strings.TrimSuffix(filepath.Base(name), ".gz")
		for _, e := range b.Entry {
			r, request := e["resource"].(map[string]any), e["request"].(map[string]any)
			walk(r)
			if to, ok := by[e["fullUrl"].(string)]; ok {
				_, request["ifNoneExist"], _ = strings.Cut(to, "?")
				b.Type, base = "batch", "zz-"+strings.TrimPrefix(base, "zz-")
			}
			if r["resourceType"] == "Encounter" && r["status"] == "finished" && r["participant"] != nil && len(open) < 3 {
				r["status"] = "in-progress"
				delete(r["period"].(map[string]any), "end")
				open = append(open, r["participant"].([]any)[0].(map[string]any)["individual"].(map[string]any)["reference"].(string))
			}
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, base), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if replaced < 100 || len(open) < 3 {
		t.Fatal("nothing of the new style:", replaced, open)
	}
	s := servertest.Start(t)
	got, first := take(t, s, intake.Options{Paths: []string{dir}})
	if len(first.Rejected) > 0 || len(first.Unresolved) > 0 || first.Resolved > 0 {
		t.Fatal(got, first.Rejected, len(first.Unresolved), first.Resolved)
	}
	for _, reference := range open {
		_, query, _ := strings.Cut(reference, "?")
		doctor := find(t, s, "Practitioner?"+query)
		if len(doctor) != 1 || !strings.Contains(s.Person(t, "Mara Lindqvist", "physician", doctor[0]).Get(t, "/day").Body, "/chart/") {
			t.Error("a physician without her patient:", doctor)
		}
	}
	if got, again := take(t, s, intake.Options{Paths: []string{dir}}); again.Stored != 0 || len(again.Rejected) > 0 || again.Skipped != first.Stored+first.Skipped {
		t.Fatal(got, again.Rejected)
	}
}

func read[T any](t *testing.T, name string) *T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	out := new(T)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
