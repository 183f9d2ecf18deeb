package e2e

import (
	"strings"
	"testing"
)

// tick sets the boxes of one name in a form.
func (b *tab) tick(name string, values ...string) {
	b.t.Helper()
	for _, v := range values {
		if !ask[bool](b, `(b => b && (b.checked = true))(document.querySelector('input[name="`+name+`"][value="`+v+`"]'))`) {
			b.t.Fatalf("there is no box %s %s", name, v)
		}
	}
}

// A role of the house is made by a form, agreed to by a second person, given on the page of a person, and narrows what she sees within a second.
func TestARoleOfTheHouse(t *testing.T) {
	h := demo(t)
	nurse := as(t, "nurse")
	chart := ask[string](nurse, `document.querySelector('main a[href^="/chart/"]').getAttribute('href')`)
	nurse.open(chart)
	problems := ask[[]string](nurse, `[...document.querySelectorAll('[aria-labelledby="problems"] li')].map(e => e.firstElementChild.textContent.trim())`)
	if len(problems) == 0 {
		t.Fatal("she sees no problem of her patient to begin with")
	}

	admin := as(t, "administrator")
	admin.scripts(false)
	admin.open("/policy")
	admin.fill("note", "Ward clerks order and give nothing")
	admin.follow("Begin")
	work := admin.at()
	admin.says("Roles of the house")
	admin.fill("name", "ward-clerk")
	admin.tick("of", "nurse")
	admin.expect(400)
	admin.follow("Keep this role")
	admin.says("ward-clerk sees no field group")
	admin.fill("name", "ward-clerk")
	admin.tick("of", "nurse")
	admin.tick("group", "demographics", "contact", "scheduling", "medications")
	admin.follow("Keep this role")
	admin.says("Demographics, contact, scheduling, medications", "roles.txt", "Who may what: changes", "Ward-clerk")
	admin.silent("Faults")
	admin.scripts(true)
	admin.open(work)
	admin.fits("rules-house")
	admin.scripts(false)
	admin.open(work)
	admin.follow("Try on the last 30 days")
	for range 100 {
		if !strings.Contains(admin.text(), "so far, since") {
			break
		}
		admin.follow("Look again")
	}
	admin.fill("why", "Ward clerks have more than they need")
	admin.follow("Ask a second person")
	admin.says("Waits for a second person")
	officer := as(t, "privacy")
	officer.open("/approvals")
	officer.follow("Let other rules of access decide")
	officer.says("ward-clerk = nurse")
	officer.follow("Agree")
	for range 200 {
		if officer.open("/policy/matrix?role=ward-clerk"); strings.Contains(officer.text(), "Ward-clerk") {
			break
		}
	}
	officer.says("Ward-clerk", "Demographics, contact, scheduling, medications")

	admin.open("/admin/people")
	admin.fill("q", h.cast["nurse"].name)
	admin.follow("main form button[type=submit]")
	admin.follow(h.cast["nurse"].name)
	person := admin.at()
	give := func(role string) {
		t.Helper()
		admin.open(person)
		ask[bool](admin, `(document.querySelector('[name="house"]').value = '`+role+`', true)`)
		admin.follow("Save roles")
	}
	t.Cleanup(func() { give("") })
	give("ward-clerk")
	admin.says("Ward-clerk (Nurse)")
	admin.scripts(true)
	admin.open(person)
	admin.fits("person-house")

	nurse.open(chart)
	nurse.says("Ward-clerk", "Medications", "Your role does not show this", "your role covers a part of the chart")
	nurse.silent("No current problems", "No result yet", "Nothing is filed")
	nurse.silent(problems...)
	nurse.fits("chart-house")
	for part, never := range map[string]string{"results": "No result yet", "notes": "No note yet", "documents": "Nothing is filed"} { // that would be a lie
		nurse.open(chart + "/" + part)
		nurse.says("Your role does not show this")
		nurse.silent(never)
	}
}
