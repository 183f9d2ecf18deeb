package access_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// A patient asks, the desk agrees, the door judges; who is named learns nothing before that; nobody else asks, agrees or takes back.
func TestARestrictionIsAskedFor(t *testing.T) {
	w := newWard(t)
	w.named(t, `{"resourceType":"Practitioner","id":"dr-x","name":[{"family":"Exner"}]}`)
	w.checkIn(t, "Practitioner/dr-x", w.maren)
	x := w.trusted(t, "Xaver Exner", "physician", "Practitioner/dr-x")
	desk, maren, otto := w.Person(t, "Marcus Hale", "front-desk", ""), w.Patient(t, "Maren Okafor", w.maren), w.Patient(t, "Otto Brandt", w.otto)
	ctx, ask := t.Context(), access.Restriction{Whom: " xaver  exner "}
	code := func(name string, want outcome.Code, err error) {
		t.Helper()
		if !outcome.Is(err, want) {
			t.Errorf("%s: %v, not %v", name, err, want)
		}
	}
	first, err := w.Gate.AskRestriction(ctx, w.as(t, maren), ask)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Gate.AskRestriction(ctx, w.as(t, maren), ask)
	code("the same again", outcome.Conflict, err)
	_, err = w.Gate.AskRestriction(ctx, w.as(t, maren), access.Restriction{Whom: "No Body"})
	code("nobody is called that", outcome.Value, err)
	_, err = w.Gate.AskRestriction(ctx, w.as(t, maren), access.Restriction{})
	code("nothing", outcome.Required, err)
	_, err = w.Gate.AskRestriction(ctx, w.as(t, x), ask)
	code("a doctor asks", outcome.Forbidden, err)
	body := strings.Replace(consentOf(w.maren, `"type":"permit"`), `"active"`, `"proposed"`, 1)
	for name, one := range map[string]string{"proposed": body, "active": consentOf(w.maren, `"type":"permit"`)} {
		if got := maren.Do(t, "POST", "/fhir/Consent", one); got.Status != http.StatusForbidden {
			t.Errorf("the patient writes a Consent that is %s herself: %d %s", name, got.Status, got.Body)
		}
	}
	opens := func(c *servertest.Client, path string) bool { return c.Get(t, path).Status == http.StatusOK }
	if !opens(x, "/fhir/Condition?patient="+w.maren) {
		t.Error("a request restricts already")
	}
	if got := x.Get(t, "/fhir/Consent/"+first.ID); got.Status != http.StatusForbidden || strings.Contains(got.Body, "dr-x") {
		t.Errorf("who is named reads the request: %d %s", got.Status, got.Body)
	}
	if got := x.Get(t, "/fhir/Consent?patient="+w.maren); strings.Contains(got.Body, "dr-x") {
		t.Errorf("who is named finds the request: %s", got.Body)
	}
	_, err = w.Gate.AnswerRestriction(ctx, w.as(t, x), first.ID, false, "no")
	code("who is named declines", outcome.Forbidden, err)
	for name, c := range map[string]*servertest.Client{"the patient": maren, "another patient": otto} {
		_, err = w.Gate.AnswerRestriction(ctx, w.as(t, c), first.ID, true, "")
		code(name+" agrees", outcome.Forbidden, err)
	}
	_, err = w.Gate.WithdrawRestriction(ctx, w.as(t, otto), first.ID)
	code("another patient takes it back", outcome.Forbidden, err)
	_, err = w.Gate.RestrictionAsks(ctx, w.as(t, x))
	code("a doctor lists the requests", outcome.Forbidden, err)
	waiting := func() int {
		t.Helper()
		list, err := w.Gate.RestrictionAsks(ctx, w.as(t, desk))
		if err != nil || list.Entry == "" {
			t.Fatal(list.Entry, err)
		}
		for _, d := range list.Consents {
			if id := strings.TrimPrefix(d.Root().Path("patient", "reference").Text(), "Patient/"); !strings.Contains(list.Patients[id].Name, "Okafor") {
				t.Errorf("the list does not say who asks: %+v", list.Patients)
			}
		}
		return len(list.Consents)
	}
	if n := waiting(); n != 1 {
		t.Fatalf("%d requests wait", n)
	}
	_, err = w.Gate.AnswerRestriction(ctx, w.as(t, desk), first.ID, false, " ")
	code("declined without a reason", outcome.Required, err)
	if _, err := w.Gate.AnswerRestriction(ctx, w.as(t, desk), first.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	_, err = w.Gate.AnswerRestriction(ctx, w.as(t, desk), first.ID, false, "again")
	code("answered twice", outcome.Conflict, err)
	if opens(x, "/fhir/Condition?patient="+w.maren) || waiting() != 0 {
		t.Error("it was agreed to, and does not count")
	}
	if _, err := w.Gate.WithdrawRestriction(ctx, w.as(t, maren), first.ID); err != nil {
		t.Fatal(err)
	}
	if !opens(x, "/fhir/Condition?patient="+w.maren) {
		t.Error("it was taken back, and counts")
	}
	_, err = w.Gate.WithdrawRestriction(ctx, w.as(t, maren), first.ID)
	code("taken back twice", outcome.Conflict, err)

	second, err := w.Gate.AskRestriction(ctx, w.as(t, maren), ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Gate.AnswerRestriction(ctx, w.as(t, desk), second.ID, false, "He is alone on call at night."); err != nil {
		t.Fatal(err)
	}
	if got := maren.Get(t, "/fhir/Consent/"+second.ID); !strings.Contains(got.Body, "alone on call") || !strings.Contains(got.Body, "rejected") {
		t.Errorf("the patient reads the answer: %d %s", got.Status, got.Body)
	}
	if !opens(x, "/fhir/Condition?patient="+w.maren) {
		t.Error("what was declined restricts")
	}
}

// A kind of record, or a visit, is kept from everybody but those who treat: programs and offices lose it, doctors do not; a department that
// may not open the chart is everybody in it.
func TestOnlyThoseWhoTreat(t *testing.T) {
	w := newWard(t)
	w.named(t, `{"resourceType":"Organization","id":"ward-9","name":"Ward 9","partOf":{"reference":"Organization/ward-9-house"}}`, `{"resourceType":"Organization","id":"ward-9-house","name":"The house"}`,
		`{"resourceType":"Practitioner","id":"dr-x"}`, `{"resourceType":"PractitionerRole","id":"x-at-9","practitioner":{"reference":"Practitioner/dr-x"},"organization":{"reference":"Organization/ward-9"}}`)
	w.checkIn(t, "Practitioner/dr-x", w.maren)
	w.checkIn(t, w.anna, w.maren)
	x, anna := w.trusted(t, "Xaver Exner", "physician", "Practitioner/dr-x"), w.trusted(t, "Anna Lindqvist", "physician", w.anna)
	desk, maren := w.Person(t, "Marcus Hale", "front-desk", ""), w.Patient(t, "Maren Okafor", w.maren)
	agreed := func(r access.Restriction) string {
		t.Helper()
		asked, err := w.Gate.AskRestriction(t.Context(), w.as(t, maren), r)
		if err == nil {
			_, err = w.Gate.AnswerRestriction(t.Context(), w.as(t, desk), asked.ID, true, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		return asked.ID
	}
	finds := func(c *servertest.Client) bool {
		return strings.Contains(c.Get(t, "/fhir/Condition?patient="+w.maren).Body, "Asthma")
	}
	kinds := agreed(access.Restriction{Types: []string{"Condition"}})
	if !finds(anna) || !finds(x) {
		t.Error("those who treat lost it")
	}
	visit := w.put(t, `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/`+w.maren+`"},"period":{"start":"2020-01-02","end":"2020-01-02"}}`)
	agreed(access.Restriction{Visit: strings.TrimPrefix(visit, "Encounter/"), Named: "visit of 2 Jan 2020"})
	others := w.put(t, `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/`+w.otto+`"},"period":{"start":"2020-01-02"}}`)
	for _, id := range []string{strings.TrimPrefix(others, "Encounter/"), "none"} {
		if _, err := w.Gate.AskRestriction(t.Context(), w.as(t, maren), access.Restriction{Visit: id}); !outcome.Is(err, outcome.NotFound) {
			t.Errorf("another's visit: %v", err)
		}
	}
	agreed(access.Restriction{Whom: "Ward 9"})
	if finds(x) || !finds(anna) {
		t.Error("who works in the department, and nobody else, is shut out")
	}
	if _, err := w.Gate.AnswerRestriction(t.Context(), w.as(t, desk), kinds, true, ""); !outcome.Is(err, outcome.Conflict) {
		t.Error(err)
	}
}
