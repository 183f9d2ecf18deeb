package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"
)

var enrolLink = regexp.MustCompile(`http://ehr\.example(/enrol/[A-Za-z0-9_-]+)`)

func TestAddingAPersonShowsTheLinkOnce(t *testing.T) {
	o := newOffice(t)
	anna := o.staff("Anna Berg", identity.Administrator)
	anna.page("/admin/people", "Anna Berg", "Add a person")
	anna.page("/admin/people/new", "Physician", "No role: may sign in")
	o.shows(anna.post("/admin/people", "name", " ", "role", "nurse"), http.StatusBadRequest, "A person needs a name")
	o.shows(anna.post("/admin/people", "name", "Kim Osei", "login", "anna.berg"), http.StatusConflict, "This sign-in name is taken")
	a := anna.post("/admin/people", "name", "Kim Osei", "login", "kim.osei", "role", "nurse", "role", "patient", "department", "5 West")
	if a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	path := a.header.Get("Location")
	if strings.Contains(path, "enrol") {
		t.Error("the link travels in an address")
	}
	a = anna.page(path, "Kim Osei", "kim.osei, 5 West", "One-time link, shown only now", "Not enrolled")
	link := enrolLink.FindStringSubmatch(a.body)
	if link == nil {
		t.Fatal("no link")
	}
	o.hides(anna.page(path, "Kim Osei"), link[1], "One-time link, shown")
	anna.page(link[1], "Kim Osei")
	made, err := o.Persons.Person(t.Context(), strings.TrimPrefix(path, "/admin/people/"))
	if o.must(err); strings.Join(made.Roles, " ") != "nurse" {
		t.Errorf("roles %v: a tick made a patient", made.Roles)
	}
	if a = anna.post(path + "/link"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	anna.page(path, "One-time link, shown only now")
	if anna.get(link[1]).status == http.StatusOK {
		t.Error("the older link still works")
	}
}

// Administrative acts ask for a fresh factor, keep what was entered, and are done once it is there.
func TestAdministeringAsksForAFreshFactor(t *testing.T) {
	o := newOffice(t)
	anna, sam := o.staff("Anna Berg", identity.Administrator), o.staff("Sam Rivera", identity.Physician)
	for range 2 {
		o.clock.pass(9 * time.Minute)
		anna.page("/admin/people", "Sam Rivera")
	}
	path := "/admin/people/" + sam.made.Person
	a := anna.post(path+"/roles", "role", "nurse", "role", "front-desk")
	o.shows(a, http.StatusForbidden, "Confirm that it is you", `name="role" value="front-desk"`, `action="`+path+`/roles"`)
	if now, err := o.Persons.Person(t.Context(), sam.made.Person); err != nil || now.Roles[0] != identity.Physician {
		t.Fatalf("changed without a factor: %v %v", now.Roles, err)
	}
	o.shows(anna.post(path+"/roles", "role", "nurse", "confirm-code", "000000"), http.StatusUnauthorized, "is wrong", `name="role" value="nurse"`)
	if a = anna.post(path+"/roles", "role", "nurse", "confirm-code", anna.code()); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	anna.page("/admin/people", "Nurse")

	// A page that was asked for by address is gone back to.
	for range 2 {
		o.clock.pass(9 * time.Minute)
		anna.page("/admin/people")
	}
	o.shows(anna.get("/admin/people/new"), http.StatusForbidden, "Confirm that it is you", `action="/step-up"`, `name="next" value="/admin/people/new"`)
	o.shows(anna.post("/step-up", "next", "/admin/people/new"), http.StatusBadRequest, "Use your passkey or enter a code")
	for next, want := range map[string]string{"/admin/people/new": "/admin/people/new", "https://evil.example/": "/admin/people", "//evil.example": "/admin/people"} {
		if a = anna.post("/step-up", "next", next, "confirm-code", anna.code()); a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Errorf("back from %q: %d %s", next, a.status, a.header.Get("Location"))
		}
	}
	anna.page("/admin/people/new")
}

func TestEndingAccess(t *testing.T) {
	o := newOffice(t)
	anna, sam := o.staff("Anna Berg", identity.Administrator), o.staff("Sam Rivera", identity.Physician)
	path := "/admin/people/" + sam.made.Person
	o.shows(anna.post(path+"/end", "reason", ""), http.StatusBadRequest, "A termination needs a reason")
	if a := anna.post(path+"/suspend", "why", "On leave"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	anna.page(path, "Suspended", "Let this person in again")
	if a := sam.get("/day"); a.status != http.StatusSeeOther {
		t.Error("the suspended person goes on:", a.status)
	}
	if a := anna.post(path + "/resume"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.clock.pass(time.Minute)
	sam.signIn()
	at := o.clock.Now().Add(48 * time.Hour).Format("2006-01-02T15:04")
	o.shows(anna.post(path+"/end", "reason", "Retires", "later", "yes", "at", "soon"), http.StatusBadRequest, "Choose a day and a time")
	if a := anna.post(path+"/end", "reason", "Retires", "later", "yes", "at", at); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	anna.page(path, "Access ends", "Retires")
	sam.page("/day")
	a := anna.post(path+"/end", "reason", "Left the hospital")
	if a.status != http.StatusSeeOther || a.header.Get("X-Audit-Entry") == "" {
		t.Fatal(a.status, a.header)
	}
	anna.page(path, "by Anna Berg. 1 session closed, 2 sign-in factors")
	a = anna.page(path, "Access was ended")
	o.hides(a, "Save roles", "End access now")
	anna.page("/admin/people?show=ended", "Sam Rivera")
	a = anna.page(path+"/certificate", "Certificate of termination", "Sam Rivera", "Left the hospital", "Gone everywhere by", "To the partners of", "Anna Berg")
	hr := o.staff("Uma Roy", identity.HR)
	hr.page(path+"/certificate", "Certificate of termination")
	file := hr.get(path + "/certificate/file")
	if _, err := identity.ReadCertificate([]byte(file.body), o.Persons.CertificateKey()); err != nil || !strings.Contains(file.header.Get("Content-Disposition"), "attachment") {
		t.Error(file.status, err, file.body)
	}
	if notice := hr.get(path + "/certificate/notice"); notice.status != http.StatusOK || !strings.Contains(notice.body, "has no access to our record system since") {
		t.Error(notice.status, notice.body)
	}
	if a := anna.get("/admin/people/" + hr.made.Person + "/certificate"); a.status != http.StatusNotFound {
		t.Error("a certificate of somebody who works here:", a.status)
	}
	if a := o.staff("Eva Lund", identity.Nurse).get(path + "/certificate/file"); a.status != http.StatusForbidden {
		t.Error("a nurse reads it:", a.status)
	}
	if a := sam.get("/day"); a.status != http.StatusSeeOther {
		t.Error("the ended person goes on:", a.status)
	}
	own := anna.page("/admin/people/"+anna.made.Person, "Anna Berg")
	o.hides(own, "End access now")
	o.shows(anna.post("/admin/people/"+anna.made.Person+"/end", "reason", "me"), http.StatusForbidden, "Nobody terminates himself")
}

// A reset takes two, neither of them alone, and the new link goes to who agreed.
func TestResetTakesTwo(t *testing.T) {
	o := newOffice(t)
	anna, jo, sam := o.staff("Anna Berg", identity.Administrator), o.staff("Jo Park", identity.Administrator), o.staff("Sam Rivera", identity.Physician)
	path := "/admin/people/" + sam.made.Person
	anna.page(path, "Jo Park")
	o.shows(anna.post(path+"/reset", "with", anna.made.Person), http.StatusBadRequest, "Choose the second person")
	if a := anna.post(path+"/reset", "with", jo.made.Person); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a := anna.page("/admin/people", "Reset the sign-in of Sam Rivera", "Somebody else must agree")
	o.hides(a, `value="approve"`)
	a = jo.page("/admin/people", "Asked by Anna Berg")
	item := regexp.MustCompile(`action="(/admin/pending/[^"]+)"`).FindStringSubmatch(a.body)
	if item == nil {
		t.Fatal("nothing to agree to")
	}
	o.shows(anna.post(item[1], "act", "approve"), http.StatusForbidden, "Somebody else than who asked")
	o.shows(jo.post(item[1], "act", "perhaps"), http.StatusBadRequest)
	if a = jo.post(item[1], "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(anna.page(path), "One-time link, shown")
	jo.page(path, "One-time link, shown only now")
	if sam.get("/day").status != http.StatusSeeOther {
		t.Error("the old session goes on")
	}
}

// With one administrator and one privacy officer she is the second person, and begins nothing. With her there, nobody agrees alone.
func TestAPrivacyOfficerIsTheSecondPerson(t *testing.T) {
	o := newOffice(t)
	anna, ruth, sam := o.staff("Anna Berg", identity.Administrator), o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Sam Rivera", identity.Nurse)
	hr := o.staff("Uma Roy", identity.HR)
	o.shows(anna.post("/admin/people/"+sam.made.Person+"/reset", "with", hr.made.Person), http.StatusBadRequest, "Choose the second person")
	anna.page("/admin/people/"+sam.made.Person, `<option value="`+ruth.made.Person)
	if a := anna.post("/admin/people/"+sam.made.Person+"/reset", "with", ruth.made.Person); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(hr.page("/admin/people"), `value="approve"`)
	a := ruth.page("/admin/people", "Reset the sign-in of Sam Rivera", "Asked by Anna Berg")
	item := regexp.MustCompile(`action="(/admin/pending/[^"]+)"`).FindStringSubmatch(a.body)
	if item == nil {
		t.Fatal("nothing to agree to")
	}
	o.shows(anna.post(item[1], "act", "approve"), http.StatusForbidden, "Somebody else than who asked")
	o.shows(hr.post(item[1], "act", "approve"), http.StatusForbidden)
	if a = ruth.post(item[1], "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ruth.page("/admin/people/"+sam.made.Person, "One-time link, shown only now")
	if a := ruth.post("/admin/people/"+sam.made.Person+"/reset", "with", anna.made.Person); a.status != http.StatusForbidden {
		t.Error("she begins one:", a.status)
	}
}

// That somebody is a patient is patient data: administrators see a pseudonym. Others who may list people change nothing.
func TestPeopleWithoutPatients(t *testing.T) {
	o := newOffice(t)
	anna, ruth, hr := o.staff("Anna Berg", identity.Administrator), o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Uma Roy", identity.HR)
	maren := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	both := o.person("Noor Aziz", identity.NewPerson{Roles: []string{identity.Nurse, identity.Patient}, Patient: "Patient/" + o.maren})
	o.hides(anna.page("/admin/people", "Noor Aziz", "Nurse"), "Okafor", "Patient/", "Nurse, Patient")
	o.hides(anna.page("/admin/people?show=portal", "Portal account"), "Okafor", "maren.okafor")
	o.hides(anna.page("/admin/people/"+maren.made.Person, "Portal account"), "Okafor", o.maren)
	o.hides(anna.page("/admin/people/"+both.made.Person, "Noor Aziz"), o.maren)
	if a := anna.post("/admin/people/"+both.made.Person+"/roles", "role", "technician"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	if now, err := o.Persons.Person(t.Context(), both.made.Person); err != nil || strings.Join(now.Roles, " ") != "patient technician" {
		t.Errorf("roles after a change: %v %v", now.Roles, err)
	}
	for _, who := range []*person{ruth, hr} {
		if a := who.post("/admin/pending/x", "act", "approve"); (a.status == http.StatusForbidden) != (who == hr) {
			t.Errorf("%s agrees: %d", who.made.Name, a.status)
		}
		o.hides(who.page("/admin/people", "Noor Aziz"), "Add a person")
		o.hides(who.page("/admin/people/"+both.made.Person, "Noor Aziz"), "Save roles", "End access now", "Ask for a reset")
		for _, path := range []string{"/admin/people", "/admin/people/" + both.made.Person + "/end", "/admin/people/" + both.made.Person + "/link"} {
			if a := who.post(path, "name", "X", "reason", "x"); a.status != http.StatusForbidden {
				t.Errorf("%s posts %s: %d", who.made.Name, path, a.status)
			}
		}
	}
}

// An administrator writes down who answers for a person's work; nobody does so for herself, and without one the page says so.
func TestManagerAndMail(t *testing.T) {
	o := newOffice(t)
	anna, sam, eva := o.staff("Anna Berg", identity.Administrator), o.staff("Sam Rivera", identity.Physician), o.staff("Eva Lund", identity.Nurse)
	path := "/admin/people/" + sam.made.Person
	anna.page(path, "None is known: the privacy office chooses whom it asks", "Manager and mail")
	for _, bad := range [][]string{{"manager", sam.made.Person}, {"manager", "nobody"}, {"mail", "Sam <sam@house.example>"}, {"mail", "sam"}} {
		o.shows(anna.post(path+"/reach", bad...), http.StatusBadRequest)
	}
	if a := anna.post(path+"/reach", "manager", eva.made.Person, "mail", "sam@house.example"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(anna.page(path, "Eva Lund", "sam@house.example"), "None is known: the")
	o.shows(anna.post("/admin/people/"+anna.made.Person+"/reach", "manager", eva.made.Person), http.StatusForbidden, "Nobody changes his own rights")
	if now, err := o.Persons.Person(t.Context(), sam.made.Person); err != nil || now.Manager != eva.made.Person || now.Mail != "sam@house.example" {
		t.Errorf("%+v %v", now, err)
	}
}
