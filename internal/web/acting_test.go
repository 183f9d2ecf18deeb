package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

// acts is a house with a physician who treats Maren Okafor, one who helps her and treats nobody, and a helper who treats Maren too.
func acts(o *office) (anna, ben, cleo, ruth *person) {
	doctor := func(name, family string, treats bool) *person {
		practitioner := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"`+family+`"}]}`)
		if treats {
			o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},
				"participant":[{"individual":{"reference":"` + practitioner + `"}}],"period":{"start":"` + o.clock.Now().Add(-time.Hour).Format(time.RFC3339) + `"}}`)
		}
		return o.person(name, identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: practitioner})
	}
	return doctor("Anna Lindqvist", "Lindqvist", true), doctor("Ben Ito", "Ito", false), doctor("Cleo Hart", "Hart", true), o.staff("Ruth Adeyemi", identity.Administrator)
}

func (p *person) asksToActAs(whom string) (item string) {
	p.o.t.Helper()
	if a := p.post("/acting", "person", whom, "reason", "her list looks odd", "minutes", "15"); a.status != http.StatusSeeOther {
		p.o.t.Fatal(a.status, a.text())
	}
	_, waiting, err := p.o.Persons.Actings(p.o.t.Context(), p.made.Person)
	p.o.must(err)
	return waiting[len(waiting)-1].ID
}

func (p *person) acting(item, act string, status int) {
	p.o.t.Helper()
	if a := p.post("/acting/"+item, "act", act); a.status != status {
		p.o.t.Fatalf("%s: %d, want %d: %s", act, a.status, status, a.text())
	}
}

// Who acts as a colleague does so by her word, reads what both may and nothing else, and every page, entry and the patient's report name both.
func TestActingAsAColleague(t *testing.T) {
	o := newOffice(t)
	anna, ben, cleo, ruth := acts(o)
	maren := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	chart := "/chart/" + o.maren
	anna.page(chart, "Asthma")
	o.shows(ben.get(chart), http.StatusForbidden)

	o.shows(ben.post("/acting", "person", "Anna Lindqvist", "reason", "x", "minutes", "61"), http.StatusBadRequest, "five minutes to sixty")
	o.shows(ben.post("/acting", "person", "Nobody", "reason", "x", "minutes", "5"), http.StatusBadRequest, "full name")
	o.shows(ben.post("/acting", "person", "Ben Ito", "reason", "x", "minutes", "5"), http.StatusBadRequest, "no such colleague")
	o.shows(ben.post("/acting", "person", "Anna Lindqvist", "reason", "", "minutes", "5"), http.StatusBadRequest, "Say why")
	item := cleo.asksToActAs("Anna Lindqvist")
	cleo.acting(item, "begin", http.StatusForbidden)
	cleo.acting(item, "agree", http.StatusNotFound) // nobody agrees to it for herself
	ben.acting(item, "agree", http.StatusNotFound)
	anna.page("/day", "Cleo Hart asks to act as you")
	anna.acting(item, "agree", http.StatusSeeOther)
	ben.acting(item, "begin", http.StatusForbidden) // it is Cleo's
	cleo.acting(item, "begin", http.StatusSeeOther)

	const banner = "Cleo Hart acts as Anna Lindqvist until"
	cleo.page("/day", banner, "Anna Lindqvist")
	cleo.page(chart, banner, "Asthma")
	anna.page("/day", banner)
	cleo.page("/acting", "Cleo Hart as Anna Lindqvist", "End this now")
	reads := ben.get(chart)
	o.hides(reads, "Asthma")
	for _, path := range []string{"/my-sign-in", "/my-devices", "/approvals", "/activity", "/colleagues", "/training", "/apps", "/me", chart + "/notes/new", "/admin/people"} {
		o.shows(cleo.get(path), http.StatusForbidden, "You act as somebody else")
	}
	for path, fields := range map[string][]string{"/chart/" + o.maren + "/notes": {"text", "x"}, "/glass": {"patient", o.maren, "code", "emergency"}, "/step-up": {"password", "x"}, chart + "/print": nil,
		"/acting": {"person", "Ben Ito", "reason", "x", "minutes", "5"}, "/approvals/" + item: {"act", "approve"}} {
		o.shows(cleo.post(path, fields...), http.StatusForbidden)
	}

	maren.page("/me", "Cleo Hart, acting as Anna Lindqvist")
	log := o.staff("Olu Privacy", identity.Privacy).page("/audit?patient="+o.maren, "Cleo Hart, acting as Anna Lindqvist")
	if n := strings.Count(log.text(), "acting as Anna Lindqvist"); n < 3 {
		t.Errorf("%d entries name both", n)
	}

	anna.acting(item, "end", http.StatusSeeOther)
	o.hides(cleo.page("/day"), banner)
	cleo.page("/approvals")
	cleo.page("/activity", "acting as Anna Lindqvist") // her own list tells the two apart
	cleo.acting(item, "begin", http.StatusForbidden)

	// Somebody who may nothing of Maren's sees nothing of hers by acting; an approver's word is as good as Anna's; the clock ends it.
	item = ben.asksToActAs("Anna Lindqvist")
	ruth.page("/approvals", "Let Ben Ito act as Anna Lindqvist for 15 minutes")
	if a := ruth.post("/approvals/"+item, "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ben.acting(item, "begin", http.StatusSeeOther)
	ben.page("/day", "Ben Ito acts as Anna Lindqvist")
	o.hides(ben.get(chart), "Asthma")
	o.shows(ben.get(chart), http.StatusForbidden)
	anna.page("/my-sign-in", "A colleague began to act as you")
	o.clock.pass(16 * time.Minute)
	ben.signInAgain()
	o.hides(ben.page("/day"), "acts as Anna")
}

// By a row that nobody agreed to, or one that was changed, nobody acts.
func TestForgedActing(t *testing.T) {
	o := newOffice(t)
	anna, ben, cleo, _ := acts(o)
	open := cleo.asksToActAs("Anna Lindqvist")
	agreed := ben.asksToActAs("Anna Lindqvist")
	anna.acting(agreed, "agree", http.StatusSeeOther)
	anna.acting(agreed, "end", http.StatusSeeOther)
	for what, forge := range map[string]string{
		"agreed to by SQL":   `update identity_pending set state='approved', decided_by='` + anna.made.Person + `', decided_at=asked_at where id='` + open + `'`,
		"an ended one again": `update identity_pending set state='approved' where id='` + agreed + `'`,
		"given to another":   `update identity_pending set state='approved', asked_by='` + cleo.made.Person + `' where id='` + agreed + `'`,
	} {
		o.write("records.db", forge)
		cleo.acting(open, "begin", http.StatusForbidden)
		cleo.acting(agreed, "begin", http.StatusForbidden)
		if a := ben.post("/acting/"+agreed, "act", "begin"); a.status == http.StatusSeeOther {
			t.Errorf("%s: Ben acts as Anna", what)
		}
	}
}
