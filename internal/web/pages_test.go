package web_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// ward is a running server with one patient in the care of one physician.
type ward struct {
	*servertest.Server
	maren, encounter string // id; Encounter/id
	anna             string // Practitioner/id
	physician        *servertest.Client
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{Server: servertest.Start(t)}
	w.anna = w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	w.maren = strings.TrimPrefix(w.put(t, `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14","gender":"female",
		"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"value":"00482217"}]}`), "Patient/")
	subject := `"subject":{"reference":"Patient/` + w.maren + `"}`
	start := w.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	w.encounter = w.put(t, `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},`+subject+`,
		"participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"ATND"}]}],"individual":{"reference":"`+w.anna+`","display":"Anna Lindqvist"}}],"period":{"start":"`+start+`"}}`)
	w.put(t, `{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/`+w.maren+`"},"code":{"text":"Penicillin"},"reaction":[{"manifestation":[{"text":"anaphylaxis"}]}]}`)
	w.put(t, `{"resourceType":"Condition",`+subject+`,"code":{"text":"Pneumonia"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`)
	w.put(t, `{"resourceType":"Observation","status":"final",`+subject+`,"code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}],"text":"Potassium"},"effectiveDateTime":"`+start+`",
		"valueQuantity":{"value":6.3,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"HH"}]}]}`)
	w.put(t, `{"resourceType":"MedicationRequest","status":"active","intent":"order",`+subject+`,"medicationCodeableConcept":{"text":"Ceftriaxone"},"authoredOn":"`+start+`"}`)
	w.put(t, `{"resourceType":"DocumentReference","status":"current","docStatus":"final",`+subject+`,"type":{"text":"Radiology report"},"description":"Chest X-ray","date":"`+start+`",
		"content":[{"attachment":{"contentType":"application/pdf","data":"`+base64.StdEncoding.EncodeToString([]byte("%PDF-1.7"))+`"}}]}`)
	w.physician = w.Person(t, "Anna Lindqvist", "physician", w.anna)
	return w
}

// put stores a resource as the importer and returns Type/id.
func (w *ward) put(t *testing.T, body string) string {
	t.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc.Type() + "/" + done[0].Written.ID
}

// session is the one that a client holds.
func (w *ward) session(t *testing.T, c *servertest.Client) *identity.Session {
	t.Helper()
	list, err := w.Persons.Sessions(t.Context(), c.Person.Person)
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	return list[0]
}

func (w *ward) chart(parts ...string) string {
	return strings.Join(append([]string{"/chart/" + w.maren}, parts...), "/")
}

// holds fails unless the page has every text; a text that begins with an exclamation mark must be absent.
func holds(t *testing.T, what string, a servertest.Answer, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%s: %d, want %d: %s", what, a.Status, status, bare(a.Body))
	}
	for _, s := range texts {
		text, absent := strings.CutPrefix(s, "!")
		if absent == strings.Contains(html.UnescapeString(a.Body), text) {
			t.Errorf("%s: %q; the page says: %s", what, s, bare(a.Body))
		}
	}
}

// answered posts a form and, where its answer has an address of its own, reads that.
func answered(t *testing.T, c *servertest.Client, path string, fields ...string) servertest.Answer {
	t.Helper()
	a := c.Form(t, path, fields...)
	if a.Status != http.StatusSeeOther {
		return a
	}
	to := a.Header.Get("Location")
	for i := 1; i < len(fields); i += 2 {
		if len(fields[i]) > 3 && strings.Contains(to, url.QueryEscape(fields[i])) && fields[i-1] != "draft" && fields[i-1] != "patient" {
			t.Errorf("what was typed stands in the address %s", to)
		}
	}
	return c.Get(t, to)
}

var markup = regexp.MustCompile(`(?s)<head>.*?</head>|<template.*?</template>|<[^>]*>|\s+`)

// bare is the words of a page.
func bare(page string) string { return html.UnescapeString(markup.ReplaceAllString(page, " ")) }

func TestThePhysicianOpensEveryPartOfTheChart(t *testing.T) {
	w := newWard(t)
	day := w.physician.Get(t, "/day")
	holds(t, "my day", day, 200, "Okafor, Maren", "In your care now", "You attend since", w.chart())
	for path, texts := range map[string][]string{
		"":             {"Okafor, Maren", "Penicillin", "You are the attending physician", "Pneumonia", "Critical high", "6.3", "Ceftriaxone", "Chest X-ray", "Who else looked", "Admitted", "day ", "MRN 00482217"},
		"/timeline":    {"Pneumonia", "Stay", "Chest X-ray", "Penicillin"},
		"/results":     {"Potassium", "Critical high", "Penicillin"},
		"/medications": {"Ceftriaxone", "Penicillin"},
		"/notes":       {"Write a note", "Penicillin"},
		"/notes/new":   {"Progress note", "Penicillin"},
		"/documents":   {"Chest X-ray", "Penicillin"},
		"/access":      {"Anna Lindqvist", "Attending physician", "Penicillin"},
	} {
		a := w.physician.Get(t, w.chart()+path)
		holds(t, "chart"+path, a, 200, texts...)
		if a.Header.Get("X-Audit-Entry") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: entry %q, cache %q", path, a.Header.Get("X-Audit-Entry"), a.Header.Get("Cache-Control"))
		}
		title := a.Body[strings.Index(a.Body, "<title>"):strings.Index(a.Body, "</title>")]
		if strings.Contains(title, "Okafor") {
			t.Errorf("%s: the title names the patient", path)
		}
	}
	item := regexp.MustCompile(`href="(` + w.chart("results") + `/[^"]+)"`).FindStringSubmatch(w.physician.Get(t, w.chart("results")).Body)
	if item == nil {
		t.Fatal("no result leads to its history")
	}
	holds(t, "history", w.physician.Get(t, item[1]), 200, "Potassium", "6.3")
	holds(t, "no such result", w.physician.Get(t, w.chart("results", "nothing")), 404, "not in the chart")
	file := regexp.MustCompile(`href="(` + w.chart("documents") + `/[^"]+)"`).FindStringSubmatch(w.physician.Get(t, w.chart("documents")).Body)
	if file == nil {
		t.Fatal("no document opens")
	}
	got := w.physician.Get(t, file[1])
	if got.Body != "%PDF-1.7" || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") || got.Header.Get("X-Audit-Entry") == "" {
		t.Errorf("document: %v", got.Header)
	}
}

func TestAClosedChartOpensByTheGlass(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	closed := sam.Get(t, w.chart())
	holds(t, "closed", closed, 403, "Okafor, Maren", "not on this patient’s care team", "Confirm and open", "MRN ends 2217", "!Penicillin", "!Pneumonia", "!1961-03-14")
	if closed.Header.Get("X-Audit-Entry") == "" {
		t.Error("the identity on the closed page has no entry")
	}
	holds(t, "no code", answered(t, sam, "/glass", "patient", w.maren), 400, "Choose one of the reasons")
	holds(t, "no words", answered(t, sam, "/glass", "patient", w.maren, "code", "covering", "text", " "), 400, "whom you cover", "Confirm and open")
	holds(t, "still closed", sam.Get(t, w.chart()), 403)
	broken := sam.Form(t, "/glass", "patient", w.maren, "code", "covering", "text", "For Lee until eight")
	if broken.Status != http.StatusSeeOther || broken.Header.Get("Location") != w.chart() || broken.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("glass: %d %v", broken.Status, broken.Header)
	}
	holds(t, "open", sam.Get(t, w.chart()), 200, "Penicillin", "Opened with a reason", "Covering for a colleague", "I no longer need it", "!Psychiatry")
	holds(t, "who else looked", w.physician.Get(t, w.chart()), 200, "Sam Rivera", "Opened with a reason: covering for a colleague", "!suspic")
	holds(t, "own activity", sam.Get(t, "/activity"), 200, "Okafor, Maren", "For Lee until eight", "With a reason")
	if back := sam.Form(t, w.chart("glass", "end")); back.Status != http.StatusSeeOther {
		t.Fatalf("give back: %d", back.Status)
	}
	holds(t, "given back", sam.Get(t, w.chart()), 403)
	nobody := sam.Get(t, "/chart/nobody")
	holds(t, "no such chart", nobody, 404, "There is nothing here")
	clerk := w.Person(t, "Dana Whitlock", "front-desk", "")
	holds(t, "front desk", clerk.Get(t, w.chart()), 403, "!Confirm and open", "!Okafor", "!Penicillin", "What you can do now")
}

func TestTheGlassAsksForAFactorAtAPace(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	first := sam.Form(t, "/glass", "patient", w.maren, "code", "emergency")
	if first.Status != http.StatusSeeOther {
		t.Fatalf("an emergency needs no words: %d %s", first.Status, bare(first.Body))
	}
	other := strings.TrimPrefix(w.put(t, `{"resourceType":"Patient","name":[{"family":"Brandt"}]}`), "Patient/")
	holds(t, "too fast", answered(t, sam, "/glass", "patient", other, "code", "emergency", "text", "collapsed"), 429, "wait ten seconds", "Brandt", "collapsed")
}

func TestNotesAreKeptSignedAndAmended(t *testing.T) {
	w := newWard(t)
	kept := w.physician.Form(t, w.chart("notes", "draft"), "kind", "11506-3", "title", "day 2", "text", "Crackles at the right base.", "draft", "")
	if kept.Status != 200 || kept.Body != "new" {
		t.Fatalf("draft: %d %q", kept.Status, kept.Body)
	}
	holds(t, "writing goes on", w.physician.Get(t, w.chart("notes", "new")), 200, "Crackles at the right base.", "Draft kept", "day 2")
	holds(t, "drafts", w.physician.Get(t, w.chart("notes")), 200, "Your drafts", "No note yet")
	holds(t, "to sign", w.physician.Get(t, "/day"), 200, "Progress note", "Okafor, Maren. Written")
	colleague := w.Person(t, "Ida Berg", "physician", w.anna) // the same staff entry, another person
	holds(t, "another's draft", colleague.Get(t, w.chart("notes")), 200, "!Your drafts")
	holds(t, "another's text", colleague.Get(t, w.chart("notes", "new")), 200, "!Crackles")
	holds(t, "nothing to sign", answered(t, w.physician, w.chart("notes"), "act", "sign", "kind", "11506-3", "text", "  ", "title", "x"), 400, "nothing to sign")

	signed := w.physician.Form(t, w.chart("notes"), "act", "sign", "kind", "11506-3", "title", "day 2", "text", "FINDINGS: Crackles at the right base.\nPLAN\n1. Go on", "draft", "new")
	if signed.Status != http.StatusSeeOther || signed.Header.Get("X-Audit-Entry") == "" {
		t.Fatalf("sign: %d %s", signed.Status, bare(signed.Body))
	}
	note := signed.Header.Get("Location")
	holds(t, "note", w.physician.Get(t, note), 200, "Signed by Anna Lindqvist", "Crackles at the right base.", "Findings", "Plan", "Amend this note")
	holds(t, "no draft left", w.physician.Get(t, w.chart("notes")), 200, "!Your drafts", "Progress note: day 2")
	holds(t, "an empty page", w.physician.Get(t, w.chart("notes", "new")), 200, "!Crackles")

	holds(t, "no words", answered(t, w.physician, note+"/amend", "text", ""), 400, "what is to be added")
	amended := w.physician.Form(t, note+"/amend", "text", "The left base, not the right.")
	if amended.Status != http.StatusSeeOther || amended.Header.Get("Location") != note {
		t.Fatalf("amend: %d %s", amended.Status, bare(amended.Body))
	}
	holds(t, "amended", w.physician.Get(t, note), 200, "Crackles at the right base.", "The left base, not the right.", "Amended by Anna Lindqvist")
	if list := w.physician.Get(t, w.chart("notes")); strings.Count(list.Body, "data-row") != 1 {
		t.Errorf("the amendment is a note of its own: %s", bare(list.Body))
	}
}

func TestAReaderCannotSignAndLosesNothing(t *testing.T) {
	w := newWard(t)
	practitioner := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Rivera"}]}`)
	sam := w.Person(t, "Sam Rivera", "physician", practitioner)
	sam.Form(t, "/glass", "patient", w.maren, "code", "emergency")
	refused := answered(t, sam, w.chart("notes"), "act", "sign", "kind", "11506-3", "text", "Seen in passing.", "title", "")
	holds(t, "sign behind the glass", refused, 403, "Seen in passing.", "The note is kept as your draft")
}

func TestAnUnsignedNoteIsFinishedByItsAuthor(t *testing.T) {
	w := newWard(t)
	id := strings.TrimPrefix(w.put(t, `{"resourceType":"DocumentReference","status":"current","docStatus":"preliminary","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}]},
		"subject":{"reference":"Patient/`+w.maren+`"},"type":{"coding":[{"system":"http://loinc.org","code":"11488-4"}],"text":"Consult note"},"author":[{"reference":"`+w.anna+`","display":"Anna Lindqvist"}],
		"content":[{"attachment":{"contentType":"text/plain","data":"`+base64.StdEncoding.EncodeToString([]byte("Asked about the lung."))+`"}}]}`), "DocumentReference/")
	holds(t, "unsigned", w.physician.Get(t, w.chart("notes", id)), 200, "Not signed", "Go on writing", "!Signed by")
	holds(t, "writing", w.physician.Get(t, w.chart("notes", "new")+"?of="+id), 200, "Asked about the lung.")
	signed := w.physician.Form(t, w.chart("notes"), "act", "sign", "kind", "11488-4", "text", "Asked about the lung. Agreed.", "draft", id)
	if signed.Status != http.StatusSeeOther || signed.Header.Get("Location") != w.chart("notes", id) {
		t.Fatalf("sign: %d %s", signed.Status, bare(signed.Body))
	}
	holds(t, "signed", w.physician.Get(t, w.chart("notes", id)), 200, "Signed by Anna Lindqvist", "Agreed.", "!Not signed")
	again := answered(t, w.physician, w.chart("notes"), "act", "sign", "kind", "11488-4", "text", "Something else", "draft", id)
	holds(t, "sign again", again, 409, "signed already", "Something else")

	other := strings.TrimPrefix(w.put(t, `{"resourceType":"DocumentReference","status":"current","docStatus":"preliminary","subject":{"reference":"Patient/`+w.maren+`"},
		"author":[{"display":"Priya Iyer"}],"content":[{"attachment":{"contentType":"text/plain","data":"eA=="}}]}`), "DocumentReference/")
	holds(t, "another's", w.physician.Get(t, w.chart("notes", other)), 200, "!Go on writing")
	holds(t, "sign another's", answered(t, w.physician, w.chart("notes"), "act", "sign", "kind", "11488-4", "text", "Mine now", "draft", other), 409, "another person's")

	amended := w.physician.Form(t, w.chart("notes", id)+"/amend", "text", "And the heart.")
	if amended.Status != http.StatusSeeOther {
		t.Fatalf("amend: %d %s", amended.Status, bare(amended.Body))
	}
	list := w.physician.Get(t, "/fhir/DocumentReference?patient="+w.maren+"&_count=20")
	if n := strings.Count(list.Body, `"code":"N"`); n != 2 {
		t.Errorf("%d documents with the label of the note, want it and its amendment: %s", n, list.Body)
	}
}

func TestFindSaysNoMoreThanNeeded(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	holds(t, "too little", answered(t, sam, "/find", "q", "ok"), 200, "!Okafor, Maren")
	holds(t, "nothing", answered(t, sam, "/find", "q", ""), 400, "Give a name")
	holds(t, "bad date", answered(t, sam, "/find", "q", "okafor", "born", "3/14/61"), 400, "14 Mar 1961")
	a := answered(t, sam, "/find", "q", "okafor", "born", "14 March 1961")
	holds(t, "name and date", a, 200, "Okafor, Maren", "MRN ends 2217", "Asks for a reason", "!00482217")
	if a.Header.Get("X-Audit-Entry") == "" {
		t.Error("a search has no entry")
	}
	holds(t, "number", answered(t, sam, "/find", "q", "0048 2217"), 200, "Okafor, Maren")
	holds(t, "own patient", answered(t, w.physician, "/find", "q", "okaf"), 200, "Okafor, Maren", "!Asks for a reason")
	if to := sam.Form(t, "/find", "q", "0048 2217").Header.Get("Location"); !strings.HasPrefix(to, "/find?typed=") {
		t.Errorf("a search is answered at %q", to)
	} else {
		holds(t, "again", sam.Get(t, to), 200, "Okafor, Maren")
		holds(t, "another's search", w.physician.Get(t, to), 200, "!Okafor, Maren")
	}
	clerk := w.Person(t, "Dana Whitlock", "front-desk", "")
	holds(t, "the front desk", answered(t, clerk, "/find", "q", "0048 2217"), 200, "Okafor, Maren", "!"+w.chart(), `!href="/day"`)
	if start := clerk.Get(t, "/"); start.Header.Get("Location") != "/desk" {
		t.Errorf("the front desk begins at %q", start.Header.Get("Location"))
	}
	holds(t, "the form", sam.Get(t, "/find"), 200, "Each search is recorded")
}

func TestThePatientSeesWhoLookedAndAsks(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	w.physician.Get(t, w.chart())
	w.physician.Get(t, w.chart("notes"))
	w.physician.Get(t, w.chart())
	sam.Get(t, w.chart()) // refused: saw the name only
	sam.Form(t, "/glass", "patient", w.maren, "code", "other", "text", "curious")
	sam.Get(t, w.chart())
	maren := w.Patient(t, "Maren Okafor", w.maren)
	portal := maren.Get(t, "/me")
	holds(t, "portal", portal, 200, "Anna Lindqvist", "Was your attending physician", "Sam Rivera", "Opened your chart by giving a reason: another reason, written down", "I do not know this person",
		"Stay", "Import of records", "2 people opened your chart", "How to check this page later", "Below stands the record", "!curious")
	if portal.Header.Get("X-Audit-Entry") == "" {
		t.Error("the portal has no entry")
	}
	if n := strings.Count(bare(portal.Body), " lines"); n != 1 {
		t.Errorf("%d visits: %s", n, bare(portal.Body))
	}
	report := maren.Get(t, "/me/report")
	holds(t, "report", report, 200, "When,Who,Role,What,Reason,Entry", "Sam Rivera", "Anna Lindqvist")
	if !strings.HasPrefix(report.Header.Get("Content-Disposition"), "attachment") || strings.Contains(report.Header.Get("Content-Disposition"), "kafor") {
		t.Errorf("report: %v", report.Header)
	}

	entry := regexp.MustCompile(`(?s)<b>Sam Rivera</b>.*?name="entry" value="(\d+)"`).FindStringSubmatch(portal.Body)
	if entry == nil {
		t.Fatal("no question can be asked about Sam")
	}
	if asked := maren.Form(t, "/me/question", "entry", entry[1], "text", "Who is this?"); asked.Status != http.StatusSeeOther {
		t.Fatalf("question: %d %s", asked.Status, bare(asked.Body))
	}
	holds(t, "asked", maren.Get(t, "/me"), 200, "You asked on", "The privacy office answers by", "2 people opened your chart", "!Maren Okafor Patient Was you")
	holds(t, "nobody tells Sam", sam.Get(t, "/activity"), 200, "!Who is this?")
	holds(t, "nobody tells colleagues", w.physician.Get(t, w.chart("access")), 200, "!Who is this?", "!Maren asked")
	privacy := w.Person(t, "Ruth Adeyemi", "privacy", "")
	list, err := w.Gate.Reviews(t.Context(), access.Person(w.session(t, privacy)), access.ReviewsOpen, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, r := range list.Reviews {
		kinds[r.Kind]++
	}
	if kinds["question"] != 1 {
		t.Errorf("reviews: %v", kinds)
	}
	holds(t, "another's entry", maren.Form(t, "/me/question", "entry", "1"), 404)
	holds(t, "staff have no portal", sam.Get(t, "/me"), 403, "sign in as a patient")
	if got := maren.Get(t, w.chart()); got.Status != http.StatusSeeOther || got.Header.Get("Location") != "/me" {
		t.Errorf("a patient on the clinical pages: %d", got.Status)
	}
}

func TestAReasonIsAddedBeforeAnybodyAsks(t *testing.T) {
	w := newWard(t)
	sam := w.Person(t, "Sam Rivera", "physician", "")
	sam.Form(t, "/glass", "patient", w.maren, "code", "emergency")
	sam.Get(t, w.chart())
	own := sam.Get(t, "/activity")
	holds(t, "asks", own, 200, "Why did you need it?", "Okafor, Maren")
	form := regexp.MustCompile(`action="(/activity/\d+)"`).FindStringSubmatch(own.Body)
	if form == nil {
		t.Fatal("no form")
	}
	holds(t, "no words", sam.Form(t, form[1], "text", " "), 400, "Write a sentence")
	if added := sam.Form(t, form[1], "text", "Collapsed in the corridor."); added.Status != http.StatusSeeOther {
		t.Fatalf("reason: %d %s", added.Status, bare(added.Body))
	}
	holds(t, "said", sam.Get(t, "/activity"), 200, "Collapsed in the corridor.", "!Why did you need it?")
	holds(t, "another's entry", w.physician.Form(t, form[1], "text", "Me too"), 404)
	holds(t, "explained", w.physician.Get(t, "/activity"), 200, "No chart in the last 7 days", "!Why did you need it?")
	w.physician.Get(t, w.chart())
	holds(t, "explained", w.physician.Get(t, "/activity"), 200, "You are the attending physician", "!Why did you need it?", "gives a reason for each")
}

func TestNothingIsSentToStrangers(t *testing.T) {
	w := newWard(t)
	for _, path := range []string{"/day", "/find", w.chart(), w.chart("notes"), "/activity", "/me", "/me/report"} {
		answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(w.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/sign-in") {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
	cross := w.physician.Do(t, "POST", "/glass", url.Values{"patient": {w.maren}, "code": {"emergency"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if cross.Status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", cross.Status)
	}
}
