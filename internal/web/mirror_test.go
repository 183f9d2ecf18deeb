package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
)

// E:me. The own mirror says how each opening stands: without an explanation, by the reason that she gave, or by what somebody else
// recorded since. Her own word changes none of it, and the office reads it on the case.
func TestTheMirrorSaysHowAnOpeningStands(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	practitioner := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Rivera"}]}`)
	sam := o.person("Sam Rivera", identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: practitioner, Department: "3 West"})
	sam.breaks("emergency", "")
	o.shows(sam.get("/chart/"+o.maren), http.StatusOK)
	a := sam.page("/activity", "Okafor, Maren", "Nothing that others recorded confirms it yet", "Why did you need it?", "This was not me")
	o.hides(a, "suspicion", "case", "nats", "threshold", "Explained")
	form := regexp.MustCompile(`action="(/activity/\d+)"`).FindStringSubmatch(a.body)
	if a := sam.post(form[1], "text", "Called by the ward"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	sam.page("/activity", "You wrote: Called by the ward", "Nothing that others recorded confirms it yet") // her own word explains nothing
	list, err := o.Gate.Reviews(t.Context(), ruth.at(), access.ReviewsOpen, 0, 10)
	o.must(err)
	if len(list.Reviews) != 1 || list.Reviews[0].Verdict != "" {
		t.Fatalf("her own word closed the review: %+v", list.Reviews)
	}
	o.clock.pass(time.Minute)
	now := o.clock.Now().Add(-10 * time.Minute).Format(time.RFC3339)
	o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},"period":{"start":"` + now + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}]}`)
	a = sam.page("/activity", "Explained since by what others recorded: ", "The record gives a reason for each", "You wrote: Called by the ward")
	o.hides(a, "Why did you need it?", "confirms it yet")
	o.shows(sam.get("/chart/"+o.maren), http.StatusOK)
}

// What a person said by herself stands on the case about it, and the case stays as it was.
func TestAnUnaskedReasonStandsOnTheCase(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	dana, c := o.suspect()
	before, err := o.Cases.Case(t.Context(), c.ID)
	o.must(err)
	dana.clockAndOpen(strings.TrimPrefix(c.Patients[0], "Patient/"))
	a := dana.page("/activity", "Why did you need it?")
	form := regexp.MustCompile(`action="(/activity/\d+)"`).FindStringSubmatch(a.body)
	if form == nil {
		t.Fatal(a.text())
	}
	if a := dana.post(form[1], "text", "I covered the night on 3 West"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ruth.page("/privacy/cases/"+c.ID, "The person wrote in My activity, unasked: “I covered the night on 3 West”")
	after, err := o.Cases.Case(t.Context(), c.ID)
	o.must(err)
	if after.State != before.State || after.Queue != before.Queue || after.Outcome != before.Outcome || len(after.Notes) != len(before.Notes) {
		t.Errorf("her word changed the case: %+v", after)
	}
}

// clockAndOpen opens a closed chart by the glass.
func (p *person) clockAndOpen(patient string) {
	p.o.t.Helper()
	if a := p.post("/glass", "patient", patient, "code", "emergency"); a.status != http.StatusSeeOther {
		p.o.t.Fatal(a.status, a.text())
	}
	p.o.shows(p.get("/chart/"+patient), http.StatusOK)
}

// "This was not me" opens a case about the account in the most pressing queue; who has no staff entry is heard as well. She learns of no
// case, nobody can speak about another's entry, and saying it twice adds to the one case.
func TestSomebodyElseUsedMyAccount(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	sam, eva := o.staff("Sam Rivera", identity.Physician), o.staff("Eva Lund", identity.Physician)
	sam.clockAndOpen(o.maren)
	a := sam.page("/activity", "This was not me")
	form := regexp.MustCompile(`action="(/activity/disputes/\d+)"`).FindStringSubmatch(a.body)
	if form == nil {
		t.Fatal(a.text())
	}
	o.shows(eva.post(form[1], "text", "x"), http.StatusNotFound, "not yours")
	o.shows(sam.post(strings.Replace(form[1], "/disputes/", "/disputes/9", 1), "text", "x"), http.StatusNotFound)
	for range 2 {
		if a := sam.post(form[1], "text", "I was at lunch"); a.status != http.StatusSeeOther {
			t.Fatal(a.status, a.text())
		}
	}
	a = sam.page("/activity", "You said that this was not you. The privacy office looks at it.")
	o.hides(a, "This was not me", "case", "Why did you need it?")
	cases, err := o.Cases.Queue(t.Context())
	o.must(err)
	if len(cases) != 1 || cases[0].Hypothesis != "stolen-account" || cases[0].Queue != casework.Automatic || cases[0].Person != sam.made.Person || len(cases[0].Events) != 1 || !cases[0].Open() {
		t.Fatalf("%+v", cases)
	}
	ruth.page("/privacy/cases/"+cases[0].ID, "The person says that it was somebody else: “I was at lunch”")
	if report, err := o.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
}

// The page of a department says a share of a whole week and nobody's name; under five people it says nothing, and each sees the own
// department, the privacy office all.
func TestTheUnitPageHoldsNoName(t *testing.T) {
	o := newOffice(t)
	ruth := o.person("Ruth Adeyemi", identity.NewPerson{Roles: []string{identity.Privacy}, Department: "Privacy office"})
	var ward []*person
	opens := func(department string, n int) (last *person) {
		for i := range n {
			name := fmt.Sprintf("%s Colleague%c", strings.ReplaceAll(department, " ", ""), 'a'+rune(i))
			practitioner := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"X"}]}`)
			last = o.person(name, identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: practitioner, Department: department})
			ward = append(ward, last)
			if i > 0 { // the first has no reason
				start := o.clock.Now().Add(-10 * time.Minute).Format(time.RFC3339)
				o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},"period":{"start":"` + start + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}]}`)
				o.shows(last.get("/chart/"+o.maren), http.StatusOK)
			} else {
				last.clockAndOpen(o.maren)
			}
		}
		return last
	}
	west, east := opens("3 West", 5), opens("4 East", 4)
	west.page("/activity/unit", "No whole week yet")
	o.clock.pass(7 * 24 * time.Hour)
	for _, p := range []*person{west, east, ruth} {
		p.signIn()
	}
	a := west.page("/activity/unit", "3 West", "80 %", "19 Nov", "It says nothing about anybody’s conduct")
	o.hides(a, "4 East")
	a = east.page("/activity/unit", "4 East", "Not shown: fewer than 5 people")
	o.hides(a, "3 West", "75 %")
	a = ruth.page("/activity/unit", "3 West", "4 East", "80 %", "Not shown")
	for _, p := range ward {
		who, err := o.Persons.Person(t.Context(), p.made.Person)
		o.must(err)
		if strings.Contains(a.body, who.Name) || strings.Contains(a.body, who.ID) {
			t.Errorf("the page of departments names %s", who.Name)
		}
	}
	// Who moves takes nothing along: a week stays as it was.
	to := "4 East"
	_, _, err := o.Persons.Change(t.Context(), audit.Agent{Job: "test"}, ward[0].made.Person, identity.Change{Department: &to})
	o.must(err)
	west.page("/activity/unit", "80 %")
	east.page("/activity/unit", "Not shown: fewer than 5 people")
}
