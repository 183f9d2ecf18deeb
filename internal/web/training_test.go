package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
)

// learns signs everything that waits for a person, with the right answers.
func (p *person) learns() {
	p.o.t.Helper()
	who := p.at()
	tasks, err := p.o.School.Tasks(p.o.t.Context(), who.Session.Person)
	p.o.must(err)
	for _, task := range tasks {
		if !task.Due {
			continue
		}
		fields := []string{"sign", "yes"}
		for i, q := range task.Quiz {
			fields = append(fields, "q"+string(rune('0'+i)), string(rune('0'+q.Right)))
		}
		if a := p.post("/training/"+task.ID, fields...); a.status != http.StatusSeeOther || a.header.Get("X-Audit-Entry") == "" {
			p.o.t.Fatal(task.ID, a.status, a.text())
		}
	}
}

func (p *person) at() access.Principal {
	p.o.t.Helper()
	sessions, err := p.o.Persons.Sessions(p.o.t.Context(), p.made.Person)
	p.o.must(err)
	return access.Person(sessions[0])
}

// A module is read, answered and signed: wrong answers come back with why and sign nothing; when all is signed the person's training lasts
// for a year from then, and her record names the entries.
func TestTrainingIsReadAnsweredAndSigned(t *testing.T) {
	o := newOffice(t)
	sam, hr := o.staff("Sam Rivera", identity.Physician), o.staff("Hanna Roth", identity.HR)
	due := o.clock.Now().AddDate(0, 0, 10)
	_, _, err := o.Persons.Change(t.Context(), audit.Agent{Job: "test"}, sam.made.Person, identity.Change{TrainingDue: &due})
	o.must(err)
	sam.page("/training", "To do", "Patient data", "What I promise", "Breaking the glass", "Yours lasts until")
	sam.page("/training/phishing", "Never give a code", "Sign it")
	a := sam.post("/training/phishing", "sign", "yes", "q0", "0", "q1", "0", "q2", "2")
	o.shows(a, http.StatusUnprocessableEntity, "1 answer is not right yet", "Nobody here ever asks for your code", "Right.")
	o.shows(sam.post("/training/phishing", "q0", "1", "q1", "0", "q2", "2"), http.StatusBadRequest, "Say that you read it")
	o.hides(sam.page("/training"), "Your record")
	hr.page("/admin/training?show=due", "Sam Rivera", "0 of 7")
	sam.learns()
	sam.page("/training", "Nothing to do", "Your record", "What I promise")
	hr.page("/admin/training?show=done", "Sam Rivera", "7 of 7")
	if a := hr.page("/admin/training.csv"); !strings.Contains(a.body, ",Sam Rivera,,7,7,") {
		t.Error(a.body)
	}
	o.shows(sam.get("/admin/training"), http.StatusForbidden)
	now, err := o.Persons.Person(t.Context(), sam.made.Person)
	o.must(err)
	if want := o.clock.Now().AddDate(1, 0, 0); now.TrainingDue.Sub(want).Abs() > time.Hour {
		t.Errorf("due %s, want %s", now.TrainingDue, want)
	}
	// A year on the round begins anew; a row that was planted opens nothing.
	o.clock.pass(366 * 24 * time.Hour)
	sam.signIn()
	sam.page("/training", "Overdue since", "counts until")
}

// S:training-gate. Fourteen days before the day My day says so; from the day on nothing is exported and no chart without a link opens; an
// open contact and the glass open as ever. Whoever is new has 30 days from when she came, and a new role gives 30 days for what it adds.
func TestTrainingGate(t *testing.T) {
	o := newOffice(t)
	sam := o.staff("Sam Rivera", identity.Physician)
	o.must(o.School.Settle(t.Context()))
	who, err := o.Persons.Person(t.Context(), sam.made.Person)
	o.must(err)
	if days := who.TrainingDue.Sub(o.clock.Now()).Hours() / 24; days < 29 || days > 31 {
		t.Fatalf("somebody new has %.0f days", days)
	}
	o.hides(sam.page("/day"), "Security training")
	o.clock.pass(17 * 24 * time.Hour)
	sam.signIn()
	sam.page("/day", "Security training", "From then on exports and charts outside your care wait")
	if _, err := o.Gate.Chart(t.Context(), sam.at(), o.maren); !outcome.Is(err, outcome.Forbidden) {
		t.Fatal(err)
	}
	o.clock.pass(20 * 24 * time.Hour)
	o.must(o.School.Settle(t.Context())) // asking again gives no more time
	sam.signIn()
	sam.page("/day", "Overdue since")
	if a := sam.get("/chart/" + o.maren); a.status != http.StatusForbidden || !strings.Contains(a.text(), "security training") {
		t.Error(a.status, a.text())
	}
	sam.breaks("emergency", "")
	o.shows(sam.get("/chart/"+o.maren), http.StatusOK, "Asthma bronchiale")
	if _, err := o.Gate.Everything(t.Context(), sam.at(), o.maren, nil); err == nil {
		t.Error("exported with training overdue")
	}
	sam.learns()
	o.clock.pass(time.Minute) // a code counts once
	now, err := o.Persons.Person(t.Context(), sam.made.Person)
	o.must(err)
	if !now.TrainingDue.After(o.clock.Now().AddDate(0, 11, 0)) {
		t.Errorf("done, and due %s", now.TrainingDue)
	}
	// An HR file or a directory names no day: nobody who came so is overdue before she could know.
	made, err := o.Persons.CreateForTest(t.Context(), audit.Agent{Job: "hr"}, identity.NewPerson{Name: "Noa Stern", Roles: []string{identity.Physician}})
	o.must(err)
	opened, err := o.Persons.Enter(t.Context(), made.Person, "", identity.Arrival{Zone: policy.Hospital, Trust: policy.Registered})
	o.must(err)
	if _, err := o.Gate.Chart(t.Context(), access.Person(opened.Session), o.maren); err == nil || strings.Contains(err.Error(), "training") || !outcome.Is(err, outcome.Forbidden) {
		t.Error("somebody new:", err)
	}
	o.must(o.School.Settle(t.Context()))
	noa, err := o.Persons.Person(t.Context(), made.Person)
	o.must(err)
	if days := noa.TrainingDue.Sub(o.clock.Now()).Hours() / 24; days < 29 || days > 31 {
		t.Errorf("somebody without a day has %.0f days", days)
	}
	desk := o.staff("Dana Whitlock", identity.Billing)
	desk.learns()
	roles := []string{identity.Billing, identity.FrontDesk}
	_, _, err = o.Persons.Change(t.Context(), audit.Agent{Job: "test"}, desk.made.Person, identity.Change{Roles: &roles})
	o.must(err)
	o.must(o.School.Settle(t.Context()))
	moved, err := o.Persons.Person(t.Context(), desk.made.Person)
	o.must(err)
	if days := moved.TrainingDue.Sub(o.clock.Now()).Hours() / 24; days < 29 || days > 31 {
		t.Errorf("after a change of role she has %.0f days", days)
	}
	o.clock.pass(time.Minute)
	desk.signIn()
	desk.page("/training", "Shared workstations", "1 part", "5 parts")
}

// E3: the first glass is followed by a lesson of a minute, after the chart, and once.
func TestTheFirstGlassTeachesOnce(t *testing.T) {
	o := newOffice(t)
	sam := o.staff("Sam Rivera", identity.Physician)
	const banner = "A minute about the chart that you just opened"
	o.hides(sam.page("/day"), banner)
	byForm := func() {
		t.Helper()
		if a := sam.post("/glass", "patient", o.maren, "code", "emergency"); a.status != http.StatusSeeOther {
			t.Fatal(a.status, a.text())
		}
	}
	byForm()
	o.shows(sam.get("/chart/"+o.maren), http.StatusOK, "Asthma bronchiale", banner)
	o.hides(sam.get("/chart/"+o.maren), banner)
	sam.page("/training/lesson/glass", "you did right to say why")
	o.shows(sam.post("/chart/"+o.maren+"/glass/end"), http.StatusSeeOther)
	o.clock.pass(time.Minute)
	byForm()
	o.hides(sam.get("/chart/"+o.maren), banner)
}

// E3: before the first copy of a whole history the lesson is shown, once, and her word is a completion with an entry of its own; the
// first glass comes at once.
func TestTheFirstExportIsPrecededByItsLesson(t *testing.T) {
	o := newOffice(t)
	practitioner := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Rivera"}]}`)
	sam := o.person("Sam Rivera", identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: practitioner})
	sam.breaks("emergency", "")
	o.shows(sam.get("/chart/"+o.maren), http.StatusOK, "Asthma bronchiale") // no lesson before the glass
	start := o.clock.Now().Add(-10 * time.Minute).Format(time.RFC3339)
	o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},"period":{"start":"` + start + `"},"participant":[{"individual":{"reference":"` + practitioner + `"}}]}`)
	print := "/chart/" + o.maren + "/print"
	const lesson = "A minute before data leaves this house"
	a := sam.post(print, "part", "timeline")
	o.shows(a, http.StatusOK, lesson, "I have read it: go on")
	o.hides(a, "Asthma bronchiale")
	o.shows(sam.post(print, "part", "timeline"), http.StatusOK, lesson) // until she says that she read it
	o.shows(sam.post(print, "part", "timeline", "lesson", "export"), http.StatusOK, "Asthma bronchiale", "Printed by")
	o.hides(sam.post(print, "part", "timeline"), lesson)
	sam.page("/training", "Your record", lesson)
	record, err := o.School.Record(t.Context(), sam.made.Person)
	o.must(err)
	if len(record) != 1 || record[0].Module != "lesson-export" || record[0].Entry == "" {
		t.Errorf("%+v", record)
	}
	if report, err := o.Verify(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
}
