package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// suspect is a nurse whom a case is about, and the case.
func (o *office) suspect(more ...func(*servertest.Suspicion)) (*person, casework.Case) {
	o.t.Helper()
	ref := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock","given":["Dana"]}]}`)
	dana := o.person("Dana Whitlock", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: ref})
	otto := o.put(`{"resourceType":"Patient","name":[{"family":"Brandt","given":["Otto"]}],"birthDate":"1950-01-02"}`)
	x := servertest.Suspicion{Agent: ref, At: o.clock.Now().Add(-2 * time.Hour), Patients: []string{"Patient/" + o.maren, "Patient/" + otto},
		Signals: []detect.Signal{{Name: "unexplained", Nats: 5.1, Text: "decisive: no reason of care is known"}, {Name: "kin.household", Nats: 3.2, Text: "strong: the patient lives at the person's address"},
			{Name: "hours", Nats: 1.2, Text: "weak: outside the usual hours"}}}
	for _, fn := range more {
		fn(&x)
	}
	return dana, servertest.Raise(o.t, o.Office.Store, x)
}

// work posts a step on a case and follows to the page.
func (p *person) work(c casework.Case, fields ...string) seen {
	p.o.t.Helper()
	a := p.post("/privacy/cases/"+c.ID, fields...)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/privacy/cases/"+c.ID {
		p.o.t.Fatalf("a step answers %d: %s", a.status, a.text())
	}
	return p.get(a.header.Get("Location"))
}

// The queue and the case show a pseudonym and letters until they may show more, words and never a score.
func TestCasePagesAreMasked(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	_, c := o.suspect()
	a := ruth.page("/privacy/cases", "1 new case today", "about 1 a day expected", "High", "Nurse N-", "3 West", "opened 2 charts with no link to care that we found", "Take this case", "decisive", "first look due in")
	if a.header.Get("X-Audit-Entry") == "" {
		t.Error("the queue names no entry")
	}
	o.hides(a, "Dana", "Whitlock", "Okafor", "Brandt", "0.77", "77 %", "lives at the person")
	a = ruth.page("/privacy/cases/"+c.ID, "We do not know", "what the person says: there is no answer yet", "Why this was raised", "A patient is personally close to this person", "In numbers", "8.2 nats", "77 %",
		"What would have explained it", "Visit or appointment then none", "How they are connected", "Patient A", "Patient B", "Accesses", "Patients are masked", "Raised by detection", "The same as a table")
	o.hides(a, "Dana", "Whitlock", "Okafor", "Brandt", "lives at the person", "/audit?person=", "Show names", "Record it")
	a = ruth.work(c, "act", "take")
	o.shows(a, http.StatusOK, "Dana Whitlock", "Record it", "Show names, with a reason", "Ruth Adeyemi took the case", "Ask Dana")
	o.hides(a, "Okafor", "Brandt", "lives at the person")
	ruth.page("/privacy/cases?show=mine", "Dana Whitlock, nurse, 3 West")
	ruth.page("/privacy", "Open cases", "1 under a day", "To the first look at a case")

	o.shows(ruth.work(c, "act", "names", "names", " "), http.StatusBadRequest, "Write why you need the names")
	a = ruth.work(c, "act", "names", "names", "To call the families")
	o.shows(a, http.StatusOK, "Okafor, Maren", "Brandt, Otto", "lives at the person", "To call the families")
	maren := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	a = maren.page("/me", "Ruth Adeyemi")
	o.hides(a, "families", "case", "suspicion", "Dana")
}

// Usual hours stand beside those of peers, once there is something to compare with.
func TestCaseShowsUsualHours(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	dana, c := o.suspect()
	o.hides(ruth.page("/privacy/cases/"+c.ID, "Timeline"), "Usual hours")
	dana.breaks("covering", "Covering")
	o.clock.pass(10 * time.Hour)
	ruth.signIn()
	o.person("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West"})
	late := servertest.Raise(t, o.Office.Store, servertest.Suspicion{Agent: c.Agent, Hypothesis: "harvest", At: o.clock.Now(), Patients: c.Patients})
	ruth.page("/privacy/cases/"+late.ID, "Usual hours", "This person: Tue, mostly 09:00 to 10:00", "1 in the same role, 3 West: nothing on record", "Now: Tue 19:00, never worked before", "Other cases about this person")
}

// A question reaches the person's My day and My activity with no word of a suspicion; her answer stands in the case and closes nothing.
func TestAskingAndAnswering(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	dana, c := o.suspect()
	eva := o.person("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "3 West"})
	ruth.work(c, "act", "take")
	o.shows(ruth.work(c, "act", "ask", "text", ""), http.StatusBadRequest, "Write a sentence first")
	o.shows(ruth.work(c, "act", "ask", "text", "Why did you need these two charts?"), http.StatusOK, "Asked; no answer yet", "Asked")
	dana.page("/day", "Answer 1 question")
	a := dana.page("/activity", "The privacy office asks you", "Why did you need these two charts?", "I was working", "Wrong patient", "I should not have", "I do not know this access")
	o.hides(a, "case", "suspicion", "High", "Medium", "N-")
	if a = dana.post("/activity/questions/1", "answer", "working", "text", ""); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.shows(dana.get("/activity"), http.StatusBadRequest, "Say in a sentence what you were working on")
	if a = eva.post("/activity/questions/1", "answer", "working", "text", "x"); a.status != http.StatusNotFound {
		t.Errorf("somebody else answers: %d", a.status)
	}
	if a = dana.post("/activity/questions/1", "answer", "working", "text", "I covered the night"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(dana.page("/activity", "My activity"), "The privacy office asks you")
	ruth.page("/privacy/cases/"+c.ID, "The person: I was working", "“I covered the night”", "a claim, to be checked", "Record it")
	o.shows(ruth.work(c, "act", "ask-manager", "manager", eva.made.Person, "text", "Was she on?"), http.StatusOK, "asked the manager")
	a = eva.page("/activity", "About the work of Dana Whitlock", "Was she on?", "There was a reason in the work")
	o.hides(a, "Okafor", "Brandt", "case", "suspicion")
	if a = eva.post("/activity/questions/2", "answer", "no-reason"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.shows(ruth.work(c, "act", "note", "text", "The badge says 01:40"), http.StatusOK, "The badge says 01:40", "I know of no reason")
	o.shows(ruth.work(c, "act", "close", "outcome", "", "text", "x", "seen", "2"), http.StatusBadRequest, "Choose an outcome")
	a = ruth.work(c, "act", "close", "outcome", "justified", "text", "She covered the night", "seen", "2", "fact-patients", "patients of 3 West")
	o.shows(a, http.StatusBadRequest, "Say what explains it", "She covered the night")
	o.shows(ruth.work(c, "act", "close", "outcome", "justified", "text", "She covered", "seen", "2", "fact-of", "whoever", "fact-reason", "covers"), http.StatusBadRequest, "Choose for which patients it holds")
	a = ruth.work(c, "act", "close", "outcome", "justified", "text", "She covered", "seen", "2", "fact-of", "children")
	o.shows(a, http.StatusBadRequest, "Say what explains it", `value="children" selected`, "so wide that it will earn nothing")
	a = ruth.work(c, "act", "close", "outcome", "justified", "text", "She covered the night", "seen", "2", "fact-whom", "unit", "fact-of", "children", "fact-patients", "patients of 3 West", "fact-reason", "covers nights")
	o.shows(a, http.StatusOK, "Justified. Closed by Ruth Adeyemi", "Open it again")
	o.hides(a, "Record it")
	facts, err := o.Office.Facts(t.Context(), o.clock.Now())
	if o.must(err); len(facts) != 1 || facts[0].Unit != "3 West" || facts[0].Of != "children" {
		t.Errorf("facts %+v", facts)
	}
	ruth.page("/privacy/cases", "No case waits")
	ruth.page("/privacy/cases?show=closed", "Justified")
	ruth.page("/privacy/cases/closures", "Ruth Adeyemi", "1 justified")
	o.shows(ruth.work(c, "act", "reopen", "reopen", "The badge was another's"), http.StatusOK, "opened it again", "Record it")
}

// A friend can neither take nor close; whom a case is about does not see that it exists; all others have none of these pages.
func TestWhoSeesCases(t *testing.T) {
	o := newOffice(t)
	_, c := o.suspect()
	ines := o.person("Ines Duarte", identity.NewPerson{Roles: []string{identity.Privacy}, Department: "3 West"})
	o.hides(ines.page("/privacy/cases", "You work in the same unit"), "Take this case")
	o.shows(ines.work(c, "act", "take"), http.StatusForbidden, "You work in the same unit")
	ref := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Park"}]}`)
	both := o.person("Jo Park", identity.NewPerson{Roles: []string{identity.Privacy}, Practitioner: ref})
	own := servertest.Raise(t, o.Office.Store, servertest.Suspicion{Agent: ref, Hypothesis: "harvest", At: o.clock.Now(), Patients: []string{"Patient/" + o.maren}})
	o.hides(both.page("/privacy/cases", "1 in another’s queue"), "Too many charts", "far more than the work explains")
	if a := both.get("/privacy/cases/" + own.ID); a.status != http.StatusNotFound {
		t.Errorf("the own case answers %d", a.status)
	}
	for _, role := range []string{identity.Nurse, identity.Auditor, identity.Security, identity.Administrator, identity.HR, identity.FrontDesk} {
		p := o.staff("Some "+role, role)
		for _, path := range []string{"/privacy/cases", "/privacy/cases/" + c.ID, "/privacy/cases/closures", "/privacy/sanctions"} {
			if a := p.get(path); a.status != http.StatusForbidden {
				t.Errorf("%s opens %s: %d", role, path, a.status)
			}
		}
		if a := p.post("/privacy/cases/"+c.ID, "act", "take"); a.status != http.StatusForbidden {
			t.Errorf("%s takes a case: %d", role, a.status)
		}
		if role == identity.Auditor {
			o.hides(p.page("/privacy", "Entries"), "/privacy/cases", "Open cases")
		}
	}
}

// The list narrows by view, queue and suspicion, steps from case to case, and holds no words in its addresses.
func TestQueueNarrows(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	_, weak := o.suspect(func(x *servertest.Suspicion) { x.Queue, x.LogE, x.Posterior = casework.Watch, 3, .02 })
	o.suspect(func(x *servertest.Suspicion) {
		x.Hypothesis, x.Queue, x.Kinds = "exfiltration", casework.Automatic, []string{"export", "print"}
	})
	_, plain := o.suspect()
	a := ruth.page("/privacy/cases", "Waiting 2", "On watch 1", "High", "1 export and 1 print")
	if first, second := strings.Index(a.body, "1 export and 1 print"), strings.Index(a.body, "Opened 2 charts"); first < 0 || second < first {
		t.Error("the pressing case does not come first")
	}
	a = ruth.page("/privacy/cases?case="+plain.ID, "Previous")
	o.hides(a, "data-next")
	o.hides(ruth.page("/privacy/cases?kind=snoop", "Opened 2 charts"), "1 export and 1 print")
	o.hides(ruth.page("/privacy/cases?queue=automatic", "1 export and 1 print"), "Opened 2 charts")
	ruth.page("/privacy/cases?show=watch", "Low")
	ruth.page("/privacy/cases?show=nonsense&from=-3&kind=x&queue=y&case="+url.QueryEscape("'\"<"), "Waiting 2")
	ruth.page("/privacy/cases/"+weak.ID, "Low")
	ruth.page("/privacy/sanctions", "164.530(e)", "Four levels")
	for _, path := range []string{"/privacy/cases/999", "/privacy/cases/x"} {
		if a := ruth.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, a.status)
		}
	}
	o.clock.pass(25 * time.Hour)
	ruth.signIn()
	ruth.page("/privacy/cases", "1 overdue", "first look overdue by")
}

// Two officers leave a suspicion alone; the person of the case never learns that it waits.
func TestMuteOnThePages(t *testing.T) {
	o := newOffice(t)
	ruth, omar := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Omar Haddad", identity.Privacy)
	o.clock.pass(48 * time.Hour)
	ruth.signIn()
	omar.signIn()
	_, c := o.suspect(func(x *servertest.Suspicion) {
		x.Signals = []detect.Signal{{Name: "unexplained", Nats: 5, Text: "decisive: no reason of care is known"}}
	})
	ruth.work(c, "act", "take")
	o.shows(ruth.work(c, "act", "mute", "mute", "The unit moves patients at night"), http.StatusOK, "asks a second officer")
	a := omar.page("/approvals", "Leave the suspicion of case "+c.ID+" alone for 30 days")
	item := strings.SplitN(strings.SplitN(a.body, `href="/approvals/`, 2)[1], `"`, 2)[0]
	omar.page("/approvals/"+item, "One case in twenty is shown all the same")
	if a = omar.post("/approvals/"+item, "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.must(o.Gate.CarryOut(t.Context()))
	ruth.page("/privacy/cases/"+c.ID, "Two officers leave this suspicion alone until", "Omar Haddad agreed")
}

// The question to the manager goes to whom the directory knows; where it knows nobody the page says so and the officer chooses.
func TestTheManagerIsAskedByDefault(t *testing.T) {
	o := newOffice(t)
	ruth, anna := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Anna Berg", identity.Administrator)
	dana, c := o.suspect()
	eva := o.person("Eva Lund", identity.NewPerson{Roles: []string{identity.Nurse}, Department: "5 West"})
	o.shows(ruth.work(c, "act", "take"), http.StatusOK, "No manager of this person is known here")
	o.shows(ruth.work(c, "act", "ask-manager", "text", "Was she called in?"), http.StatusBadRequest, "No manager of this person is known here: choose whom you ask")
	if a := anna.post("/admin/people/"+dana.made.Person+"/reach", "manager", eva.made.Person); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.shows(ruth.get("/privacy/cases/"+c.ID), http.StatusOK, "The manager is chosen", `selected>Eva Lund, nurse, 5 West, the manager`)
	o.shows(ruth.work(c, "act", "ask-manager", "text", "Was she called in?"), http.StatusOK, "asked the manager")
	eva.page("/activity", "About the work of Dana Whitlock", "Was she called in?")
}
