package web

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

func someSession() *identity.Session {
	return &identity.Session{Capacity: identity.StaffCapacity, Person: identity.Person{ID: "me", Name: "Anna Lindqvist", Roles: []string{identity.Physician}, Practitioner: "Practitioner/anna"}}
}

func many(t *testing.T, jsons ...string) []*document.Doc {
	t.Helper()
	var out []*document.Doc
	for _, j := range jsons {
		out = append(out, parse(t, j))
	}
	return out
}

const loincCode = `"coding":[{"system":"http://loinc.org","code":"2823-3"}],"text":"Potassium"`

// potassium is an Observation with a value and whatever else is given.
func potassium(id, at, value, more string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{` + loincCode + `},
		"effectiveDateTime":"` + at + `","valueQuantity":{"value":` + value + `,"unit":"mmol/L","code":"mmol/L"}` + more + `}`
}

func TestFlagsAreWordsAndRedIsForCriticalOnly(t *testing.T) {
	interpreted := func(code string) string { return `,"interpretation":[{"coding":[{"code":"` + code + `"}]}]` }
	usual := `,"referenceRange":[{"low":{"value":3.5,"code":"mmol/L"},"high":{"value":5.1,"code":"mmol/L"}}]`
	for _, c := range []struct {
		value, more, flag string
		tone              look.Tone
		usual             string
	}{
		{"6.3", interpreted("HH") + usual, "Critical high", look.Crit, "3.5 to 5.1"},
		{"5.4", interpreted("H"), "High", look.Warn, ""},
		{"2.4", interpreted("LL"), "Critical low", look.Crit, ""},
		{"4.0", interpreted("N") + usual, "", look.Plain, "3.5 to 5.1"},
		{"5.2", usual, "High", look.Warn, "3.5 to 5.1"},
		{"3.4", usual, "Low", look.Warn, "3.5 to 5.1"},
		{"3.5", usual, "", look.Plain, "3.5 to 5.1"},
		{"9.9", `,"referenceRange":[{"high":{"value":5}}]`, "High", look.Warn, "up to 5"},
		{"9.9", `,"referenceRange":[{"low":{"value":5}}]`, "", look.Plain, "from 5"},
		{"9.9", `,"referenceRange":[{"text":"depends on diet"}]`, "", look.Plain, "depends on diet"},
		{"200", `,"referenceRange":[{"low":{"value":3.5,"code":"mmol/dL","unit":"mmol/dL"},"high":{"value":5.1,"code":"mmol/dL","unit":"mmol/dL"}}]`, "", look.Plain, "3.5 to 5.1 mmol/dL"},
		{"5.2", usual + `,"status2":""`, "High", look.Warn, "3.5 to 5.1"},
	} {
		r := readings(many(t, potassium("1", "2026-11-21T06:40:00Z", c.value, c.more)), nil, vienna)[0]
		if r.flag != c.flag || r.tone != c.tone || r.usualText != c.usual {
			t.Errorf("%s %s: %q %q %q", c.value, c.more, r.flag, r.tone, r.usualText)
		}
	}
}

func TestValuesOfEveryKind(t *testing.T) {
	for _, c := range []struct{ value, text, unit string }{
		{`"valueQuantity":{"value":164.28633591091844,"unit":"cm","code":"cm"}`, "164.3", "cm"},
		{`"valueQuantity":{"value":1.10,"unit":"mg/dL"}`, "1.10", "mg/dL"},
		{`"valueQuantity":{"value":0.0231234,"unit":"g"}`, "0.0231", "g"},
		{`"valueQuantity":{"comparator":"<","value":20,"unit":"copies/mL"}`, "<20", "copies/mL"},
		{`"valueQuantity":{"value":184000,"code":"10*3/uL"}`, "184\u202f000", "10³/µL"},
		{`"valueQuantity":{"value":37.4,"unit":"C","code":"Cel"}`, "37.4", "°C"},
		{`"valueQuantity":{"value":3,"unit":"{score}","code":"{score}"}`, "3", ""},
		{`"valueCodeableConcept":{"coding":[{"display":"Ex-smoker"}]}`, "Ex-smoker", ""},
		{`"valueString":"No growth"`, "No growth", ""},
		{`"valueBoolean":false`, "No", ""},
		{`"valueInteger":7`, "7", ""},
		{`"valueRange":{"low":{"value":2,"unit":"h"},"high":{"value":4,"unit":"h"}}`, "2 to 4", "h"},
		{`"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}`, "1 : 128", ""},
		{`"valueDateTime":"2026-03"`, "Mar 2026", ""},
		{`"dataAbsentReason":{"text":"Sample lost"}`, "Not known: Sample lost", ""},
		{`"component":[{"code":{"text":"Eyes"},"valueInteger":4},{"code":{"text":"Voice"},"valueInteger":5}]`, "Eyes 4; Voice 5", ""},
	} {
		r := readings(many(t, `{"resourceType":"Observation","status":"final","code":{"text":"X"},`+c.value+`}`), nil, vienna)[0]
		if r.text != c.text || r.unit != c.unit {
			t.Errorf("%s: %q %q", c.value, r.text, r.unit)
		}
	}
}

func TestWithdrawnAndUnfinishedReadings(t *testing.T) {
	final := potassium("1", "2026-11-21T06:40:00Z", "4", "")
	for status, want := range map[string]string{"entered-in-error": "gone", "cancelled": "gone", "preliminary": "Not final yet", "amended": ""} {
		rs := readings(many(t, strings.Replace(final, `"status":"final"`, `"status":"`+status+`"`, 1)), nil, vienna)
		if want == "gone" {
			if len(rs) != 0 {
				t.Errorf("%s is shown", status)
			}
		} else if len(rs) != 1 || rs[0].flag != want {
			t.Errorf("%s: %+v", status, rs)
		}
	}
}

func TestResultsKeepTheNewestWithWhatWasBefore(t *testing.T) {
	all := readings(many(t, potassium("a", "2026-11-20T06:00:00Z", "4.4", ""), potassium("c", "2026-11-21T06:00:00Z", "5.0", ""), potassium("b", "2026-11-19T06:00:00Z", "4.1", "")),
		many(t, `{"resourceType":"DiagnosticReport","status":"final","code":{"text":"Basic metabolic panel"},"result":[{"reference":"Observation/c"}]}`), vienna)
	groups := resultGroups(all, noon, func(r reading) string { return r.id })
	if len(groups) != 1 || groups[0].Title != "Basic metabolic panel" || len(groups[0].Rows) != 1 {
		t.Fatalf("%+v", groups)
	}
	row := groups[0].Rows[0]
	if row.Value != "5.0" || row.Before != "4.4" || row.Href != "c" || !slices.Equal(row.Spark, []float64{4.1, 4.4, 5}) || row.When.Text() != "07:00" {
		t.Errorf("%+v", row)
	}
	v, ok := history(all, "b", noon)
	if !ok || v.Total != 3 || v.Latest.Value != "5.0" || len(v.Trend.Series) != 1 || len(v.Trend.Series[0].Points) != 3 {
		t.Errorf("history %+v", v)
	}
	if _, ok := history(all, "nobody", noon); ok {
		t.Error("a history of nothing")
	}
}

func TestTheWorstComesFirstUnlessItIsOld(t *testing.T) {
	named := func(json, code string) string { return strings.Replace(json, "2823-3", code, 1) }
	all := readings(many(t,
		named(potassium("normal", "2026-11-21T06:00:00Z", "4", ""), "1-1"),
		named(potassium("high", "2026-11-20T06:00:00Z", "9", `,"interpretation":[{"coding":[{"code":"H"}]}]`), "2-2"),
		named(potassium("critical", "2026-11-19T06:00:00Z", "9", `,"interpretation":[{"coding":[{"code":"HH"}]}]`), "3-3"),
		named(potassium("old", "2019-11-19T06:00:00Z", "9", `,"interpretation":[{"coding":[{"code":"HH"}]}]`), "4-4")), nil, vienna)
	rows, of, total := latestResults(all, noon, 8, func(r reading) string { return r.id })
	var got []string
	for _, r := range rows {
		got = append(got, r.Href)
	}
	if !slices.Equal(got, []string{"critical", "high", "normal"}) || of != "07:00" || total != 4 {
		t.Errorf("%v %q %d", got, of, total)
	}
}

func TestAllergiesNoneKnownIsNotNotAsked(t *testing.T) {
	allergy := func(more string) string { return `{"resourceType":"AllergyIntolerance",` + more + `}` }
	none := allergy(`"code":{"coding":[{"code":"716186003"}]}`)
	for _, c := range []struct {
		docs  []string
		asked bool
		list  []page.Allergy
	}{
		{nil, false, nil},
		{[]string{none}, true, nil},
		{[]string{allergy(`"code":{"text":"No known allergies"}`)}, true, nil},
		{[]string{allergy(`"code":{"text":"Eggs"},"clinicalStatus":{"coding":[{"code":"resolved"}]}`)}, true, nil},
		{[]string{allergy(`"code":{"text":"Eggs"},"verificationStatus":{"coding":[{"code":"entered-in-error"}]}`)}, false, nil},
		{[]string{none, allergy(`"code":{"text":"Latex"},"reaction":[{"manifestation":[{"text":"Rash"}]}]`),
			allergy(`"code":{"text":"Penicillin"},"criticality":"high","reaction":[{"manifestation":[{"text":"Anaphylaxis"}]}]`)},
			true, []page.Allergy{{Substance: "Penicillin", Reaction: "Anaphylaxis, high risk"}, {Substance: "Latex", Reaction: "Rash"}}},
		{[]string{allergy(`"verificationStatus":{"coding":[{"code":"unconfirmed"}]}`)}, true, []page.Allergy{{Substance: "Substance not named", Reaction: "not confirmed"}}},
	} {
		got := allergies(many(t, c.docs...))
		if got.Asked != c.asked || !slices.Equal(got.List, c.list) {
			t.Errorf("%v: %+v", c.docs, got)
		}
	}
}

func TestMedicationsNowAndThen(t *testing.T) {
	order := func(id, name, status, at, more string) string {
		return `{"resourceType":"MedicationRequest","id":"` + id + `","status":"` + status + `","intent":"order","authoredOn":"` + at + `","medicationCodeableConcept":{"text":"` + name + `"},
			"requester":{"display":"Priya Iyer"},"dosageInstruction":[{"text":"40 mg by mouth once a day","doseAndRate":[{"doseQuantity":{"value":40,"unit":"mg"}}]` + more + `}]}`
	}
	current, stopped := medications(many(t,
		order("1", "Furosemide", "active", "2026-11-19", ""),
		order("2", "Furosemide", "completed", "2026-10-01", ""),
		order("3", "Metformin", "on-hold", "2019", ""),
		order("4", "Aspirin", "stopped", "2025-01-01", ""),
		order("5", "Ghost", "entered-in-error", "2025-01-01", ""),
		order("6", "Paracetamol", "active", "2026-11-20", `,"asNeededBoolean":true`)),
		many(t, `{"resourceType":"MedicationStatement","status":"active","medicationCodeableConcept":{"text":"furosemide"}}`,
			`{"resourceType":"MedicationStatement","status":"active","medicationCodeableConcept":{"text":"St John's wort"},"dosage":[{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}}}]}`),
		many(t, `{"resourceType":"MedicationAdministration","status":"completed","effectiveDateTime":"2026-11-21T07:04:00Z","request":{"reference":"MedicationRequest/1"}}`,
			`{"resourceType":"MedicationAdministration","status":"not-done","effectiveDateTime":"2026-11-21T09:04:00Z","request":{"reference":"MedicationRequest/1"}}`), noon)
	line := func(m medication) string {
		mark := ""
		if m.Mark != nil {
			mark = m.Mark.Text
		}
		return strings.Join([]string{m.Name, m.Dose, m.How, m.Since.Text(), m.By, m.Status, mark}, "|")
	}
	want := []string{
		"Paracetamol|40 mg|By mouth once a day|20 Nov|Priya Iyer|As needed|",
		"Furosemide|40 mg|By mouth once a day|19 Nov|Priya Iyer|Given 08:04|",
		"Metformin|40 mg|By mouth once a day|2019|Priya Iyer||Held",
		"St John's wort||Twice a day||Reported||",
	}
	for i, m := range current {
		if i >= len(want) || line(m) != want[i] {
			t.Errorf("current %d: %s", i, line(m))
		}
	}
	if len(current) != len(want) || len(stopped) != 1 || stopped[0].Name != "Aspirin" || stopped[0].Mark.Text != "Stopped" {
		t.Errorf("%d current, stopped %v", len(current), len(stopped))
	}
}

func TestProblemsAreThoseThatAreActive(t *testing.T) {
	condition := func(name, status, onset string) string {
		return `{"resourceType":"Condition","clinicalStatus":{"coding":[{"code":"` + status + `"}]},"code":{"text":"` + name + `"},"onsetDateTime":"` + onset + `"}`
	}
	got := problems(many(t, condition("Asthma", "active", "2011"), condition("Otitis media (disorder)", "resolved", "2012"), condition("Pneumonia", "recurrence", "2026-11-19"),
		condition("Asthma", "active", "2013")), noon)
	if len(got) != 2 || got[0].Title != "Pneumonia" || got[0].When.Text() != "19 Nov" || got[1].Title != "Asthma" || got[1].When.Text() != "2011" {
		t.Errorf("%+v", got)
	}
}

func noteDoc(id, more, contentType, text string) string {
	return `{"resourceType":"DocumentReference","id":"` + id + `","status":"current","docStatus":"final","type":{"text":"Progress note"},"date":"2026-11-20T18:44:00+01:00",
		"author":[{"reference":"Practitioner/anna","display":"Anna Lindqvist"}],` + more + `"content":[{"attachment":{"contentType":"` + contentType + `","data":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}}]}`
}

func TestNotesAreReadWhateverTheirFormat(t *testing.T) {
	all := notes(many(t,
		noteDoc("plain", "", "text/plain; charset=utf-8", "REASON: Fever\nsince Monday\n\nPLAN\n1. Culture\n"),
		noteDoc("html", "", "text/html", `<html><head><title>x</title><script>alert(1)</script></head><body><h1>Letter</h1><p>Dear <b>colleague</b> &amp; friend</p></body></html>`),
		noteDoc("latin", "", "text/plain; charset=iso-8859-1", "Schr\xf6der"),
		noteDoc("pdf", "", "application/pdf", "%PDF"),
		`{"resourceType":"Composition","id":"comp","status":"final","type":{"text":"Summary"},"title":"Stay","date":"2026-11-19","author":[{"display":"P. Iyer"}],
			"section":[{"title":"Course","text":{"status":"generated","div":"<div><p>Well.</p></div>"}}]}`), vienna)
	text := map[string]string{}
	for _, n := range all {
		for _, s := range n.sections {
			text[n.id] += "[" + s.Title + "]" + s.Text
		}
	}
	for id, want := range map[string]string{"plain": "[Reason]Fever\nsince Monday[Plan]1. Culture", "html": "[]Letter\nDear colleague & friend", "latin": "[]Schröder",
		"comp": "[Course]Well.", "pdf": ""} {
		if text[id] != want {
			t.Errorf("%s: %q", id, text[id])
		}
	}
	if len(all) != 4 || all[len(all)-1].id != "comp" {
		t.Errorf("%d notes", len(all))
	}
}

func TestAmendmentsStandBelowTheirNote(t *testing.T) {
	p := &Pages{o: Options{Zone: vienna, Now: func() time.Time { return noon }}}
	c := chartOf(t, "p1", many(t, `{"resourceType":"Patient"}`, noteDoc("n1", "", "text/plain", "First."),
		strings.Replace(noteDoc("a1", `"relatesTo":[{"code":"appends","target":{"reference":"DocumentReference/n1"}}],`, "text/plain", "Second."), "2026-11-20", "2026-11-21", 1)))
	o := openedFor(c)
	o.who = access.Person(someSession())
	all := o.notes(vienna)
	if i := slices.IndexFunc(all, func(n *note) bool { return n.id == "a1" }); !all[i].amends(all) {
		t.Error("the amendment stands among the notes")
	}
	if list := papers(c.Docs["DocumentReference"], nil, noon); len(list) != 1 || list[0].id != "n1" {
		t.Errorf("%d documents, want the note alone", len(list))
	}
	v, ok := p.noteView(o, "n1")
	if !ok || len(v.Amends) != 1 || v.Amends[0].Text != "Second." || v.Signed != "Signed by Anna Lindqvist, Fri 20 Nov 2026, 18:44" || v.AmendAt == "" || v.EditAt != "" {
		t.Errorf("%+v", v)
	}
	unsigned := chartOf(t, "p1", many(t, `{"resourceType":"Patient"}`, strings.Replace(noteDoc("n2", "", "text/plain", "x"), `"final"`, `"preliminary"`, 1)))
	o.chart = unsigned
	if v, _ := p.noteView(o, "n2"); v.Signed != "" || v.AmendAt != "" || v.EditAt != "/chart/p1/notes/new?of=n2" || v.Marks[0].Text != "Not signed" {
		t.Errorf("unsigned: %+v", v)
	}
	o.who.Session.Person.Practitioner = "Practitioner/other"
	if v, _ := p.noteView(o, "n2"); v.EditAt != "" {
		t.Error("another person may finish it")
	}
}

func TestSigningKeepsTheRestOfTheNote(t *testing.T) {
	p := &Pages{o: Options{Zone: vienna, Now: func() time.Time { return noon }}}
	old := parse(t, `{"resourceType":"DocumentReference","id":"n2","meta":{"versionId":"3","security":[{"code":"PSY"}]},"status":"current","docStatus":"preliminary",
		"subject":{"reference":"Patient/p1"},"custodian":{"display":"Hospital"},"content":[{"attachment":{"data":"eA=="}}]}`)
	n, err := p.signed(access.Person(someSession()), "p1", "11506-3", "day 3", "Better <today> & \"well\".\r\nPLAN\nhome")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := n.over(old)
	if err != nil {
		t.Fatal(err)
	}
	root := doc.Root()
	text, _ := plainText(root.Get("content"))
	if root.Get("docStatus").Text() != "final" || root.Path("meta", "security", "code").Text() != "PSY" || root.Path("custodian", "display").Text() != "Hospital" ||
		words(root.Get("type")) != "Progress note" || root.Get("description").Text() != "day 3" || text != "Better <today> & \"well\".\nPLAN\nhome" ||
		root.Get("date").Text() != "2026-11-21T12:00:00+01:00" {
		t.Errorf("%s", doc.AppendJSON(nil))
	}
}

func line(index int, person, template string, at time.Time, more func(*access.Line)) access.Line {
	l := access.Line{Index: audit.Index(index), Entry: "o/1", At: at, Agent: audit.Agent{Person: person, Name: "Name of " + person, Role: identity.Nurse, Capacity: "staff"},
		Kind: audit.Disclosure, Interaction: "chart", Class: audit.Deliberate, Template: template, Sentence: "was there", Groups: []string{"notes", "demographics"}, PatientID: "p1", Patients: 1}
	if more != nil {
		more(&l)
	}
	return l
}

func TestWhoElseLooked(t *testing.T) {
	hours := func(n int) time.Time { return noon.Add(-time.Duration(n) * time.Hour) }
	lines := []access.Line{
		line(9, "me", "care.team", hours(0), nil),
		line(8, "eve", "", hours(1), func(l *access.Line) { l.Unexplained = true; l.Sentence = "" }),
		line(7, "bob", "care.unit", hours(2), nil),
		line(6, "bob", "care.unit", hours(3), nil),
		line(5, "sam", "glass.covering", hours(4), func(l *access.Line) { l.Glass, l.Unexplained = true, true }),
		line(4, "rose", "admin.privacy", hours(5), func(l *access.Line) { l.Kind = audit.LogRead }),
		line(3, "list", "ops.find", hours(6), func(l *access.Line) { l.Class = audit.Incidental }),
		line(2, "no", "", hours(7), func(l *access.Line) { l.Kind, l.Outcome = audit.Refusal, 8 }),
		line(1, "bob", "care.unit", hours(30), nil),
		line(0, "me", "care.team", hours(31), nil),
	}
	got := lookers(lines, "me", noon)
	var said []string
	for _, l := range got {
		said = append(said, l.Name+": "+l.Reason)
	}
	want := []string{"Name of eve: No reason recorded yet", "Name of bob: On shift where the patient is", "Name of sam: Opened with a reason: covering for a colleague", "Name of bob: On shift where the patient is"}
	if !slices.Equal(said, want) {
		t.Errorf("%q", said)
	}
	if got := lastLook(lines, "me", noon); !got.Equal(hours(31)) {
		t.Errorf("last look %v", got)
	}
	if got := lastLook(lines[:9], "me", noon); !got.IsZero() {
		t.Errorf("first look %v", got)
	}
	if lookers(nil, "me", noon) == nil {
		t.Error("an empty side is left out")
	}
}

// Every entry of the vocabulary has words for colleagues, and every rule that refuses has a headline.
func TestNoReasonWithoutWords(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/explanations.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for l := range strings.SplitSeq(string(text), "\n") {
		if id, ok := strings.CutPrefix(l, "| `"); ok {
			id, _, _ = strings.Cut(id, "`")
			n++
			if reasons[id] == "" {
				t.Errorf("%s has no words for colleagues", id)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d entries read", n)
	}
	for _, r := range policy.Default().Policies() {
		forbids := strings.HasPrefix(r.ID, "deny.") || strings.HasPrefix(r.ID, "stepup.")
		if forbids && refusals[r.ID] == "" {
			t.Errorf("%s has no headline", r.ID)
		}
	}
	for _, g := range page.GlassReasons() {
		if glassTitles[g.Code] == "" || glassTitle(g.Code) == glassTitles["other"] && g.Code != "other" {
			t.Errorf("%s has no title", g.Code)
		}
	}
}

func TestWhatIsTypedIsANameOrANumber(t *testing.T) {
	for _, c := range []struct{ q, born, name, mrn, date string }{
		{"okafor", "14 Mar 1961", "okafor", "", "1961-03-14"}, {"0048 2217", "", "", "00482217", ""}, {"Wyman904", "", "Wyman904", "", ""}, {"MR-00123", "", "", "MR-00123", ""},
		{"de la Cruz, Ana", "", "de la Cruz, Ana", "", ""},
	} {
		got, err := findQuery(c.q, c.born)
		if err != nil || got != (access.FindQuery{Name: c.name, MRN: c.mrn, BirthDate: c.date}) {
			t.Errorf("%q: %+v %v", c.q, got, err)
		}
	}
	if _, err := findQuery("okafor", "03/14/61"); err == nil {
		t.Error("a date with slashes is taken")
	}
}
