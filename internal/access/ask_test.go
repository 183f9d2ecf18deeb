package access_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// turned is a ward whose clock the test turns.
func turned(t *testing.T) (w *ward, turn func(time.Duration)) {
	t.Helper()
	w = newWard(t)
	w.Stop()
	clock := servertest.ClockAt(w.Now())
	w.Server = servertest.OpenOn(t, w.Dir, clock)
	return w, func(d time.Duration) { clock.Add(d) }
}

var askedID = regexp.MustCompile(`/colleagues/asks/([^"]+)"`)

func found(t *testing.T, p *regexp.Regexp, text string) string {
	t.Helper()
	m := p.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in\n%s", p, text)
	}
	return m[1]
}

func says(t *testing.T, a servertest.Answer, status int, words ...string) {
	t.Helper()
	if a.Status != status {
		t.Errorf("status %d, want %d", a.Status, status)
	}
	for _, word := range words {
		if !strings.Contains(strings.ToLower(a.Body), strings.ToLower(word)) {
			t.Errorf("%q is not in\n%s", word, a.Body)
		}
	}
}

// From the closed door to an open chart: she asks, he answers with one touch, it says who asked whom, and it lapses by the clock.
func TestAColleagueAnswersAndTheChartOpens(t *testing.T) {
	w, turn := turned(t)
	w.checkIn(t, w.anna, w.maren)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ben := w.Person(t, "Ben Ito", "physician", w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Ito"}]}`))
	chart := "/chart/" + w.maren

	says(t, ben.Get(t, "/fhir/Condition?patient="+w.maren), http.StatusForbidden, "break-glass-available", "ask-team")
	says(t, ben.Get(t, chart), http.StatusForbidden, "Ask those who treat them")
	says(t, ben.Get(t, "/chart/"+w.otto), http.StatusForbidden, "Open with a reason")
	if body := ben.Get(t, "/chart/"+w.otto).Body; strings.Contains(body, "Ask those who treat them") {
		t.Error("nobody treats Otto, and asking is offered")
	}
	says(t, ben.Form(t, chart+"/ask", "why", ""), http.StatusSeeOther)
	says(t, ben.Get(t, chart), http.StatusForbidden, "say in a few words") // the form came back
	ben.Form(t, chart+"/ask", "why", "She called me about the fever.")
	says(t, ben.Get(t, chart), http.StatusForbidden, "You asked")

	page := anna.Get(t, "/colleagues")
	says(t, page, http.StatusOK, "Ben Ito", "She called me about the fever.", "Okafor")
	ask := found(t, askedID, page.Body)
	if body := ben.Get(t, "/colleagues").Body; strings.Contains(body, "Yes, let them in") {
		t.Error("she may answer herself")
	}
	ben.Form(t, "/colleagues/asks/"+ask, "act", "yes")
	says(t, ben.Get(t, chart), http.StatusForbidden)
	anna.Form(t, "/colleagues/asks/"+ask, "act", "yes")
	says(t, ben.Get(t, chart), http.StatusOK, "Anna Lindqvist asked you about this patient")
	says(t, ben.Get(t, "/fhir/Condition?patient="+w.maren), http.StatusOK, "Asthma")
	if got := total(t, ben.Get(t, "/fhir/Condition")); got != 1 {
		t.Errorf("a list across charts has %d conditions, want the one that is not labelled", got)
	}
	if got := ben.Do(t, "POST", "/fhir/Condition", condition(w.maren, ""), "Content-Type", "application/fhir+json").Status; got != http.StatusForbidden {
		t.Errorf("her word lets him write: %d", got)
	}
	says(t, anna.Form(t, "/colleagues/asks/"+ask, "act", "no"), http.StatusNotFound)

	// No chains: who was asked in asks nobody in.
	cleo := w.Person(t, "Cleo Moss", "nurse", "")
	if _, err := w.Gate.AskedIn(t.Context(), w.as(t, ben), w.maren, cleo.Person.Person); err == nil {
		t.Error("who was asked in asks the next one in")
	}
	says(t, cleo.Get(t, chart), http.StatusForbidden)

	patient := w.Patient(t, "Maren Okafor", w.maren)
	says(t, patient.Get(t, "/me"), http.StatusOK, "Ben Ito", "was asked about you by a colleague who treats you")

	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
	turn(24*time.Hour + time.Minute)
	ben = w.again(t, ben)
	says(t, ben.Get(t, chart), http.StatusForbidden, "Open with a reason")
}

// The word of who treats the patient without a question before it; either of the two ends it, and so does the end of somebody's access.
func TestAWordEnds(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	anna, ben := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ben Ito", "physician", "")
	chart := "/chart/" + w.maren
	ended := regexp.MustCompile(`/colleagues/words/(\d+)/end`)
	for name, end := range map[string]func(){
		"she gives it back": func() { ben.Form(t, "/colleagues/words/"+found(t, ended, ben.Get(t, "/colleagues").Body)+"/end") },
		"he takes it back": func() {
			anna.Form(t, "/colleagues/words/"+found(t, ended, anna.Get(t, chart+"/access").Body)+"/end")
		},
		"he is suspended": func() {
			if err := w.Staffing.Suspend(t.Context(), identityAgent, anna.Person.Person, "test"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if name == "he is suspended" {
			continue // last
		}
		letIn(t, anna, chart, ben)
		end()
		if got := ben.Get(t, chart); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	letIn(t, anna, chart, ben)
	stranger := w.Person(t, "Cleo Moss", "physician", "")
	says(t, stranger.Form(t, "/colleagues/words/3/end"), http.StatusNotFound)
	if err := w.Staffing.Suspend(t.Context(), identityAgent, anna.Person.Person, "test"); err != nil {
		t.Fatal(err)
	}
	says(t, ben.Get(t, chart), http.StatusForbidden)
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
}

// Who takes her request back at the very moment of the answer has no word, and of two who answer at once one does.
func TestAWordComesOnlyOfAnAnswerThatCounts(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	anna, ben := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ben Ito", "physician", "")
	for round := range 12 {
		ask, err := w.Gate.AskTeam(t.Context(), w.as(t, ben), w.maren, "fever")
		if err != nil {
			t.Fatal(err)
		}
		var answered, withdrawn error
		var both sync.WaitGroup
		answerer, asker := w.as(t, anna), w.as(t, ben)
		both.Go(func() { answered = w.Gate.AnswerAsk(t.Context(), answerer, ask.ID, true) })
		both.Go(func() { withdrawn = w.Gate.WithdrawAsk(t.Context(), asker, ask.ID) })
		both.Wait()
		words, err := w.Gate.WordsAbout(t.Context(), w.as(t, anna), w.maren)
		if err != nil {
			t.Fatal(err)
		}
		if (answered == nil) == (withdrawn == nil) || (answered == nil) != (len(words) == 1) {
			t.Fatalf("round %d: answered %v, withdrawn %v, and there are %d words", round, answered, withdrawn, len(words))
		}
		for _, word := range words {
			if _, err := w.Gate.EndWord(t.Context(), w.as(t, ben), word.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What rested on somebody who was shut out does not come back with her, not even where nothing but her account was told.
func TestNoWordOutlivesASuspension(t *testing.T) {
	for name, whose := range map[string]func(anna, ben *servertest.Client) *servertest.Client{
		"whose word it is": func(anna, _ *servertest.Client) *servertest.Client { return anna },
		"who was let in":   func(_, ben *servertest.Client) *servertest.Client { return ben },
	} {
		t.Run(name, func(t *testing.T) {
			w, turn := turned(t)
			w.checkIn(t, w.anna, w.maren)
			anna, ben := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ben Ito", "physician", "")
			chart := "/chart/" + w.maren
			letIn(t, anna, chart, ben)
			out := whose(anna, ben).Person.Person
			turn(time.Minute)
			if err := w.Persons.Suspend(t.Context(), identityAgent, out, "test"); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Persons.Resume(t.Context(), identityAgent, out, "test"); err != nil {
				t.Fatal(err)
			}
			if p, err := w.Persons.Person(t.Context(), out); err != nil || !p.Active {
				t.Fatal(p.State, err)
			}
			if _, err := w.Gate.EndWords(t.Context(), "nobody"); err != nil { // what was read is believed for a second; this forgets it
				t.Fatal(err)
			}
			turn(time.Minute)
			anna, ben = w.again(t, anna), w.again(t, ben)
			if got := ben.Get(t, chart).Status; got != http.StatusForbidden {
				t.Errorf("the chart opens by a word of before: %d", got)
			}
			letIn(t, anna, chart, ben) // what is said after it counts
			if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
				t.Errorf("verify: %v %v", err, report.Faults)
			}
		})
	}
}

// A word that was moved with the keys of the house still says other than its entry: of another patient, of another's giving.
func TestAWordSaysWhatItsEntrySays(t *testing.T) {
	w, turn := turned(t)
	w.checkIn(t, w.anna, w.maren)
	anna, ben := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ben Ito", "physician", "")
	bill, priya := w.Person(t, "Bill Ing", "billing", ""), w.Person(t, "Priya Raman", "privacy", "")
	turn(25 * time.Hour)
	anna, ben, bill, priya = w.again(t, anna), w.again(t, ben), w.again(t, bill), w.again(t, priya)
	a, err := w.Gate.AskGrant(t.Context(), w.as(t, bill), w.maren, []string{"notes"}, "Appeal")
	if err == nil {
		_, err = w.Gate.Approve(t.Context(), w.as(t, priya), a.ID)
	}
	if err == nil {
		err = w.Gate.CarryOut(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	letIn(t, anna, "/chart/"+w.maren, ben)
	words, err := w.Gate.WordsAbout(t.Context(), w.as(t, anna), w.maren)
	if err != nil || len(words) != 2 {
		t.Fatal(len(words), err)
	}
	faults := func() int {
		t.Helper()
		report, err := w.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(report.Faults)
	}
	if n := faults(); n != 0 {
		t.Fatalf("%d faults of what nobody moved", n)
	}
	for _, word := range words {
		for what, move := range map[string]func(*access.Word){
			"of another patient":  func(w *access.Word) { w.Patient++ },
			"of another's giving": func(w *access.Word) { w.By = ben.Person.Person },
		} {
			if err := w.Gate.Retell(t.Context(), word.ID, move); err != nil {
				t.Fatal(err)
			}
			if n := faults(); n != 1 {
				t.Errorf("a word of the kind %s made one %s: %d faults", word.Kind, what, n)
			}
			if err := w.Gate.Retell(t.Context(), word.ID, func(w *access.Word) { *w = word }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The glass waits for nothing: what colleagues were asked may be unreadable, and what they could do cannot be found out.
func TestTheGlassNeedsNoColleagues(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	ben := w.Person(t, "Ben Ito", "physician", "")
	chart := "/chart/" + w.maren
	ben.Form(t, chart+"/ask", "why", "She called me about the fever.")
	if err := w.Gate.Exec(t.Context(), `ALTER TABLE identity_pending RENAME TO identity_elsewhere`); err != nil {
		t.Fatal(err)
	}
	page := ben.Get(t, chart)
	if page.Status != http.StatusForbidden || !strings.Contains(page.Body, "Open with a reason") {
		t.Errorf("the page of the glass failed with the table of requests: %d", page.Status)
	}
	if got := ben.Form(t, "/glass", "patient", w.maren, "code", "emergency").Status; got != http.StatusSeeOther {
		t.Errorf("the glass: %d", got)
	}
	if got := ben.Get(t, chart).Status; got != http.StatusOK {
		t.Errorf("the chart behind it: %d", got)
	}
}

// A cover is no word about what was, and none about a year to come.
func TestACoverBeginsNowOrSoon(t *testing.T) {
	w := newWard(t)
	anna, ben := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ben Ito", "physician", "")
	now, day := w.Now(), 24*time.Hour
	for from, holds := range map[time.Duration]bool{-30 * day: false, -2 * time.Hour: false, -time.Minute: true, 100 * day: true, 400 * day: false} {
		_, err := w.Gate.Cover(t.Context(), w.as(t, anna), ben.Person.Person, anna.Person.Person, now.Add(from), now.Add(from+40*day))
		if (err == nil) != holds || !holds && !outcome.Is(err, outcome.Value) {
			t.Errorf("a cover from %v: %v", from, err)
		}
	}
}

// That somebody treats a protected person is not said to who may not know it: nobody is offered to be asked.
func TestNobodyIsOfferedToBeAskedAboutAProtectedPerson(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ben := w.Person(t, "Ben Ito", "physician", "")
	chart := "/chart/" + w.maren
	says(t, ben.Get(t, chart), http.StatusForbidden, "Ask those who treat them")
	w.put(t, flagged(w.maren, "vip"))
	if page := ben.Get(t, chart); page.Status != http.StatusForbidden || strings.Contains(page.Body, "Ask those who treat them") {
		t.Errorf("%d, and the page offers to ask those who treat a protected person", page.Status)
	}
	if got := ben.Get(t, "/fhir/Condition?patient="+w.maren); strings.Contains(got.Body, "ask-team") {
		t.Error("the refusal offers it")
	}
}

func letIn(t *testing.T, who *servertest.Client, chart string, whom *servertest.Client) {
	t.Helper()
	who.Form(t, chart+"/asked", "name", "ben ito")
	says(t, whom.Get(t, chart), http.StatusOK, "asked you about this patient")
}

// A word goes to nobody by a guess: part of a name, or a name that two have, gives a choice, told apart by what they do here.
func TestAWordIsForWhomItNames(t *testing.T) {
	w := newWard(t)
	w.checkIn(t, w.anna, w.maren)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	doctor, nurse := w.Person(t, "Ben Ito", "physician", ""), w.Person(t, "Ben Ito", "nurse", "")
	ashlee := w.Person(t, "Ashlee Smith", "physician", "")
	chart := "/chart/" + w.maren
	for name, offers := range map[string]string{"ben ito": "Ben Ito, Nurse", "lee": "Ashlee Smith, Physician"} {
		anna.Form(t, chart+"/asked", "name", name)
		says(t, anna.Get(t, chart+"/access"), http.StatusOK, offers)
	}
	anna.Form(t, "/colleagues/cover", "person", "lee", "from", w.Now().Format("2006-01-02T15:04"), "until", w.Now().Add(time.Hour).Format("2006-01-02T15:04"))
	says(t, anna.Get(t, "/colleagues"), http.StatusBadRequest, "write the full name of one colleague")
	desk := w.Person(t, "Bill Ing", "billing", "") // who can make no cover reads why
	desk.Form(t, "/colleagues/cover", "person", "Ashlee Smith", "from", "now", "until", "later")
	says(t, desk.Get(t, "/colleagues"), http.StatusBadRequest, "write both times")
	for _, other := range []*servertest.Client{doctor, nurse, ashlee} {
		says(t, other.Get(t, chart), http.StatusForbidden)
	}
	anna.Form(t, chart+"/asked", "person", nurse.Person.Person)
	says(t, nurse.Get(t, chart), http.StatusOK)
	says(t, doctor.Get(t, chart), http.StatusForbidden)
}

// Billing asks for a part of a chart; a privacy officer agrees; it opens that part, to reading, for a day.
func TestAPartOfAChartForADay(t *testing.T) {
	w, turn := turned(t)
	bill, priya := w.Person(t, "Bill Ing", "billing", ""), w.Person(t, "Priya Raman", "privacy", "")
	turn(25 * time.Hour) // what a second person agrees with is a day old
	bill, priya = w.again(t, bill), w.again(t, priya)
	chart := "/chart/" + w.maren
	says(t, bill.Get(t, chart), http.StatusForbidden, "Ask to see a part for a day")
	for _, group := range []string{"clinical notes results", "everything", "clinical notes", " clinical", "identifiers"} { // what nobody could read on the page of who agrees
		if _, err := w.Gate.AskGrant(t.Context(), w.as(t, bill), w.maren, []string{"scheduling", group}, "Appeal"); !outcome.Is(err, outcome.Value) {
			t.Errorf("%q was asked for: %v", group, err)
		}
	}
	bill.Form(t, chart+"/request", "group", "clinical", "why", "Appeal of claim 7781")
	says(t, bill.Get(t, chart), http.StatusForbidden, "A privacy officer decides")
	item := found(t, regexp.MustCompile(`href="/approvals/([^"]+)"`), priya.Get(t, "/approvals").Body)
	says(t, priya.Get(t, "/approvals/"+item), http.StatusOK, "Bill Ing", "problems", "Appeal of claim 7781")
	says(t, priya.Form(t, "/approvals/"+item, "act", "approve"), http.StatusSeeOther)
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	says(t, bill.Get(t, "/fhir/Condition?patient="+w.maren), http.StatusOK, "Asthma")
	says(t, bill.Get(t, "/fhir/Observation?patient="+w.maren), http.StatusForbidden)
	if got := total(t, bill.Get(t, "/fhir/Condition")); got != 1 {
		t.Errorf("a list across charts has %d conditions", got)
	}
	turn(24*time.Hour + time.Minute)
	bill = w.again(t, bill)
	says(t, bill.Get(t, "/fhir/Condition?patient="+w.maren), http.StatusForbidden)
}

// Two requests for parts of one chart that are agreed to before either is carried out give both parts, each once.
func TestTwoPartsOfOneChartAtOnce(t *testing.T) {
	w, turn := turned(t)
	bill, priya := w.Person(t, "Bill Ing", "billing", ""), w.Person(t, "Priya Raman", "privacy", "")
	turn(25 * time.Hour)
	bill, priya = w.again(t, bill), w.again(t, priya)
	for _, group := range []string{"clinical", "notes"} {
		a, err := w.Gate.AskGrant(t.Context(), w.as(t, bill), w.maren, []string{group}, "Appeal")
		if err == nil {
			_, err = w.Gate.Approve(t.Context(), w.as(t, priya), a.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := w.Gate.CarryOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	words, err := w.Gate.MyWords(t.Context(), w.as(t, bill))
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, word := range words {
		groups = append(groups, word.Groups...)
	}
	if slices.Sort(groups); !slices.Equal(groups, []string{"clinical", "notes"}) {
		t.Errorf("he was given %v", groups)
	}
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
}

// An order that others addressed to her department, and a roster that does not have her: she takes it, and it ends with the order.
func TestAnOrderIsTaken(t *testing.T) {
	w := newWard(t)
	ct := w.put(t, `{"resourceType":"Organization","name":"Radiology"}`)
	dana := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Reyes"}]}`)
	w.put(t, `{"resourceType":"PractitionerRole","practitioner":{"reference":"`+dana+`"},"organization":{"reference":"`+ct+`"}}`)
	tech := w.Person(t, "Dana Reyes", "technician", dana)
	other := w.Person(t, "Cleo Moss", "technician", "")
	chart := "/chart/" + w.maren
	if body := tech.Get(t, chart).Body; strings.Contains(body, "Take the order") {
		t.Error("there is no order, and it can be taken")
	}
	tech.Form(t, chart+"/take")
	says(t, tech.Get(t, chart), http.StatusForbidden)
	w.put(t, `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/`+w.maren+`"},"authoredOn":"`+w.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`","requester":{"reference":"`+w.anna+`"},"performer":[{"reference":"`+ct+`"}],"code":{"text":"CT"}}`)
	says(t, tech.Get(t, chart), http.StatusForbidden, "Take the order")
	other.Form(t, chart+"/take")
	says(t, other.Get(t, chart), http.StatusForbidden)
	tech.Form(t, chart+"/take")
	says(t, tech.Get(t, chart), http.StatusOK, "You took an open order")
}

// A cover opens what the colleague treats, by whoever may make it and while both are active; it is not handed on. It ends by the clock, and both
// see it until then.
func TestACover(t *testing.T) {
	w, turn := turned(t)
	w.checkIn(t, w.anna, w.maren)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ben := w.Person(t, "Ben Ito", "physician", w.put(t, `{"resourceType":"Practitioner","name":[{"family":"Ito"}]}`))
	cleo := w.Person(t, "Cleo Moss", "physician", "")
	chart := "/chart/" + w.maren
	now := w.Now()
	cover := func(by *servertest.Client, who, whom *servertest.Client) error {
		_, err := w.Gate.Cover(t.Context(), w.as(t, by), who.Person.Person, whom.Person.Person, now, now.Add(12*time.Hour))
		return err
	}
	if cover(ben, ben, anna) == nil {
		t.Error("who covers makes the cover herself")
	}
	if cover(cleo, ben, anna) == nil {
		t.Error("a stranger makes a cover")
	}
	ada := w.Person(t, "Ada Boss", "administrator", "")
	mara := w.Person(t, "Mara Chief", "physician", "")
	manages := func(who, whom *servertest.Client) {
		t.Helper()
		if _, _, err := w.Persons.Change(t.Context(), identityAgent, whom.Person.Person, identity.Change{Manager: &who.Person.Person}); err != nil {
			t.Fatal(err)
		}
	}
	manages(ada, ben)
	manages(ada, anna)
	if cover(ada, ben, anna) == nil {
		t.Error("an administrator, who can make herself anybody's manager, gives Anna's patients away")
	}
	manages(mara, ben)
	if cover(mara, ben, anna) == nil {
		t.Error("the manager of who covers gives away the patients of somebody else")
	}
	manages(mara, anna)
	if err := cover(mara, w.Person(t, "Dov Dahl", "physician", ""), anna); err != nil {
		t.Error("the manager of who is covered:", err)
	}
	if err := cover(anna, ben, anna); err != nil {
		t.Fatal(err)
	}
	if err := cover(ben, cleo, ben); err != nil {
		t.Fatal(err)
	}
	says(t, ben.Get(t, chart), http.StatusOK, "You cover for Anna Lindqvist")
	says(t, cleo.Get(t, chart), http.StatusForbidden) // a cover of a cover
	says(t, anna.Get(t, "/colleagues"), http.StatusOK, "Ben Ito covers for you")
	says(t, ben.Get(t, "/colleagues"), http.StatusOK, "You cover for Anna Lindqvist")
	if got := total(t, ben.Get(t, "/fhir/Condition")); got != 1 {
		t.Errorf("a list across charts has %d conditions", got)
	}
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
	turn(12*time.Hour - time.Minute)
	ben, anna = w.again(t, ben), w.again(t, anna)
	says(t, ben.Get(t, chart), http.StatusOK)
	says(t, anna.Get(t, "/colleagues"), http.StatusOK, "Ben Ito covers for you") // both see it to its last minute
	says(t, ben.Get(t, "/colleagues"), http.StatusOK, "You cover for Anna Lindqvist")
	turn(2 * time.Minute)
	says(t, ben.Get(t, chart), http.StatusForbidden)
	for _, who := range []*servertest.Client{anna, ben} { // and neither after it
		if a := who.Get(t, "/colleagues"); a.Status != http.StatusOK || strings.Contains(a.Body, "Ben Ito covers for you") || strings.Contains(a.Body, "You cover for Anna Lindqvist") {
			t.Errorf("%d: the cover stands after its end", a.Status)
		}
	}
	now = w.Now()
	if err := cover(w.again(t, anna), ben, anna); err != nil {
		t.Fatal(err)
	}
	says(t, ben.Get(t, chart), http.StatusOK)
	if _, err := w.Staffing.End(t.Context(), identityAgent, anna.Person.Person, "left"); err != nil {
		t.Fatal(err)
	}
	says(t, ben.Get(t, chart), http.StatusForbidden)
}

// again signs somebody in whose session ended with the time.
func (w *ward) again(t *testing.T, c *servertest.Client) *servertest.Client {
	t.Helper()
	return w.SignIn(t, c.Person, identity.StaffCapacity)
}
