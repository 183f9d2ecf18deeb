package web

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/hospital"
	"chartwarden/internal/web/page"
)

// Charts of patients who do not exist: the published Synthea bundles, and the hospital that this project makes.

// chartOf puts documents into a chart, newest first within a type, as the door gives them.
func chartOf(t testing.TB, id string, docs []*document.Doc) *access.Chart {
	t.Helper()
	c := &access.Chart{PatientID: id, Docs: map[string][]*document.Doc{}}
	for _, d := range slices.Backward(docs) {
		if d.Type() == "Patient" {
			c.Patient = d
			continue
		}
		c.Docs[d.Type()] = append(c.Docs[d.Type()], d)
	}
	if c.Patient == nil {
		t.Fatal("a chart without a patient")
	}
	return c
}

// synthea reads every nth published patient.
func synthea(t *testing.T, nth int) map[string]*access.Chart {
	t.Helper()
	root := os.Getenv("CHARTWARDEN_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(root, "fhir", "synthea", "*.json.gz"))
	if err != nil || len(files) == 0 {
		t.Skip("the published data is not here (CHARTWARDEN_TESTDATA)")
	}
	out := map[string]*access.Chart{}
	for i := 0; i < len(files); i += nth {
		f, err := os.Open(files[i])
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		var bundle struct {
			Entry []struct{ Resource json.RawMessage }
		}
		if err := json.Unmarshal(b, &bundle); err != nil {
			t.Fatal(err)
		}
		var docs []*document.Doc
		for _, e := range bundle.Entry {
			docs = append(docs, parse(t, string(e.Resource)))
		}
		if slices.ContainsFunc(docs, func(d *document.Doc) bool { return d.Type() == "Patient" }) { // one file is of places and staff
			out[filepath.Base(files[i])] = chartOf(t, "p1", docs)
		}
	}
	return out
}

// inpatients are the charts of the made hospital that are in use on its day. References lead to ids, as they do once stored.
func inpatients(t *testing.T) map[string]*access.Chart {
	t.Helper()
	w := hospital.Generate(hospital.Options{Seed: 7, Size: hospital.Small, Now: noon, Zone: vienna})
	docs := map[string][]*document.Doc{}
	for _, e := range w.Today {
		if e.Patient == "" {
			continue
		}
		d, err := parse(t, string(e.JSON)).Stamp(e.FullURL[len("urn:uuid:"):], "1", e.Recorded)
		if err != nil {
			t.Fatal(err)
		}
		docs[e.Patient] = append(docs[e.Patient], d)
	}
	out := map[string]*access.Chart{}
	for url, list := range docs {
		out[url] = chartOf(t, "p1", list)
	}
	return out
}

// everyone is both.
func everyone(t *testing.T) map[string]*access.Chart {
	out := inpatients(t)
	for name, c := range synthea(t, 8) {
		out[name] = c
	}
	return out
}

func openedFor(c *access.Chart) *opened {
	return &opened{chart: c, view: page.ChartView{Patient: story(c, noon)}}
}

func drawn(t *testing.T, name string, render func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := render(&b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b.String()
}

// Every page of every chart can be drawn, and shows no reference, no hole and no identity of the record's own making.
func TestEveryChartCanBeDrawn(t *testing.T) {
	p := &Pages{o: Options{Zone: vienna, Now: func() time.Time { return noon }}}
	for name, c := range everyone(t) {
		o := openedFor(c)
		o.who = access.Person(someSession())
		now := noon
		all := readings(c.Docs["Observation"], c.Docs["DiagnosticReport"], vienna)
		pages := map[string]string{}
		draw := func(what string, v interface {
			Render(ctx context.Context, w io.Writer) error
		}) {
			pages[what] = drawn(t, name+" "+what, func(w io.Writer) error { return v.Render(t.Context(), w) })
		}
		draw("summary", page.Summary(p.summaryView(o, noon.Add(-48*time.Hour))))
		draw("results", page.Results(page.ResultsView{Chart: o.view, Groups: resultGroups(all, now, o.result)}))
		draw("timeline", page.Timeline(page.TimelineView{Chart: o.view, Years: years(happenings(c.Docs, now, o.opensAt))}))
		current, stopped := o.medications(now)
		draw("medications", page.Medications(page.MedicationsView{Chart: o.view, Current: shown(current), Stopped: shown(stopped)}))
		for _, r := range all[:min(len(all), 25)] {
			v, ok := history(all, r.id, now)
			if !ok {
				t.Fatalf("%s: no history of a reading", name)
			}
			draw("history", page.ResultHistory(v))
		}
		for _, n := range o.notes(vienna) {
			v, ok := p.noteView(o, n.id)
			if !ok || len(v.Sections) == 0 {
				t.Fatalf("%s: a note without text", name)
			}
			draw("note", page.Note(v))
		}
		for _, x := range o.papersOf(now) {
			if x.Title == "" || x.Kind == "" {
				t.Errorf("%s: a document without a title", name)
			}
			if x.doc.Type() == "DiagnosticReport" {
				draw("report", page.Note(o.report(x, now)))
			}
		}
		for what, html := range pages {
			for _, bad := range []string{"urn:uuid", "Practitioner/", "&lt;nil", "NaN", "%!", "> ()<", "1 Jan 0001", "(disorder)"} {
				if strings.Contains(html, bad) {
					t.Errorf("%s %s shows %q", name, what, bad)
				}
			}
			if title := html[strings.Index(html, "<title>"):strings.Index(html, "</title>")]; strings.Contains(title, o.view.Patient.Name) {
				t.Errorf("%s %s: the title names the patient", name, what)
			}
		}
	}
}

// What the pages show of a blood pressure is what the newest Observation says, and every kind of reading stands in the results once.
func TestReadingsAgreeWithTheRecord(t *testing.T) {
	pressures := 0
	for name, c := range everyone(t) {
		all := readings(c.Docs["Observation"], c.Docs["DiagnosticReport"], vienna)
		kinds := map[string]bool{}
		for i, r := range all {
			kinds[r.key] = true
			if i > 0 && all[i-1].at.at.Before(r.at.at) {
				t.Errorf("%s: readings are not newest first", name)
			}
		}
		rows := 0
		for _, g := range resultGroups(all, noon, func(reading) string { return "" }) {
			rows += len(g.Rows)
			if g.Title == "" || g.Total != len(g.Rows) {
				t.Errorf("%s: group %q", name, g.Title)
			}
		}
		if rows != len(kinds) {
			t.Errorf("%s: %d rows for %d kinds", name, rows, len(kinds))
		}
		want := newestPressure(c.Docs["Observation"])
		signs, _ := vitals(all, noon, func(reading) string { return "" })
		for _, v := range signs {
			if v.Name != "Blood pressure" {
				continue
			}
			pressures++
			if v.Value != want || v.Unit != "mmHg" || len(v.Trend.Series) != 2 {
				t.Errorf("%s: blood pressure %s %s with %d lines, the record says %s", name, v.Value, v.Unit, len(v.Trend.Series), want)
			}
		}
	}
	if pressures < 30 {
		t.Errorf("only %d charts with a blood pressure", pressures)
	}
}

// newestPressure reads the newest blood pressure in another way: by plain decoding.
func newestPressure(docs []*document.Doc) string {
	var at time.Time
	out := ""
	for _, d := range docs {
		var o struct {
			EffectiveDateTime time.Time
			Component         []struct {
				Code          struct{ Coding []struct{ Code string } }
				ValueQuantity struct{ Value json.Number }
			}
		}
		if json.Unmarshal(d.AppendJSON(nil), &o) != nil || len(o.Component) < 2 || !o.EffectiveDateTime.After(at) {
			continue
		}
		values := map[string]string{}
		for _, c := range o.Component {
			values[c.Code.Coding[0].Code] = amount(c.ValueQuantity.Value.String())
		}
		if values[systolic] != "" {
			at, out = o.EffectiveDateTime, values[systolic]+"/"+values[diastolic]
		}
	}
	return out
}

// In the made hospital everybody who is in has a place, a day of admission and a word about allergies.
func TestStoryboardOfInpatients(t *testing.T) {
	admitted := 0
	for name, c := range inpatients(t) {
		p := story(c, noon)
		if !p.Asked {
			t.Errorf("%s: nobody asked about allergies", name)
		}
		if !strings.Contains(p.Name, ", ") || p.MRN == "" || p.About == "" || p.Born.IsZero() {
			t.Errorf("%s: identity %q %q", name, p.About, p.MRN)
		}
		if e, ok := current(c.Docs["Encounter"], vienna); ok && e.Path("class", "code").Text() == "IMP" {
			admitted++
			if len(p.Facts) < 2 || p.Facts[0].Name != "Where" || p.Facts[1].Name != "Admitted" || !strings.Contains(p.Facts[1].Value, "day ") {
				t.Errorf("%s: facts %v", name, p.Facts)
			}
		}
	}
	if admitted < 20 {
		t.Errorf("only %d admitted", admitted)
	}
}
