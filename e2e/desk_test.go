package e2e

import (
	"strings"
	"testing"
)

// clinical are words that stand in the chart of the demonstration's patient and nowhere that a desk may look.
var clinical = []string{"Pneumonia", "Penicillin", "diabetes", "Metformin", "Vitals", "Allergies", "Diagnos", "mg/dL"}

// The front desk finds patients and reads no clinical word; billing and administration do not open charts.
func TestDeskSeesNothingClinical(t *testing.T) {
	p := maren(t)
	for _, role := range []string{"front-desk", "billing"} {
		b := as(t, role)
		if want := map[string]string{"front-desk": "/desk", "billing": "/billing"}[role]; b.at() != want {
			t.Errorf("%s begins at %s", role, b.at())
		}
		b.silent(clinical...)
		b.fits("start-" + role)
		b.looksFor(p)
		b.says(p.name)
		b.silent(append(clinical, "Asks for a reason")...)
		b.fits("find-" + role)
		b.expect(403)
		if ask[int](b, `document.querySelectorAll('main a[href^="/chart"]').length`) > 0 {
			t.Errorf("%s is offered a chart", role)
		}
		b.open(p.path)
		b.silent(clinical...)
		b.fits("chart-" + role)
		for _, part := range []string{"results", "notes", "medications", "timeline"} {
			b.open(p.path + "/" + part)
			b.silent(clinical...)
		}
	}
	b := as(t, "administrator")
	b.expect(403)
	for _, path := range []string{p.path, p.path + "/notes", "/day", "/find", "/me"} {
		b.open(path)
		b.silent(append(clinical, p.name, "Maren", "00482217")...)
	}
	b.open(p.path)
	b.fits("chart-administrator")
}

// One touch checks a patient in; somebody new is looked for before being registered; how somebody is reached is kept by a form.
func TestFrontDesk(t *testing.T) {
	b := as(t, "front-desk")
	b.says("Desk", "Expected", "Check in")
	who := ask[string](b, `document.querySelector('.desk tr:has(button) th a').textContent`)
	b.follow(".desk button[type=submit]")
	b.says(who + " is checked in")
	b.fits("desk-done")
	b.follow("Register a patient")
	b.fill("family", "Haugen")
	b.fill("given", "Liv")
	b.fill("born", "2 Feb 1990")
	ask[bool](b, `document.querySelector('#sex').value = 'female', true`)
	b.fits("register")
	b.follow("Look for this patient")
	b.says("Nobody like this is here yet")
	b.fits("register-check")
	b.follow("button.go[type=submit]")
	b.says("Haugen, Liv", "How to reach the patient")
	b.fill("phone", "555-0142")
	b.follow("Save")
	b.fits("desk-patient")
	if got := ask[string](b, `document.querySelector('#phone').value`); got != "555-0142" {
		t.Errorf("the phone is %q", got)
	}
	b.silent(clinical...)
}

// Billing finds a patient and reads coverage and claims, by codes.
func TestBilling(t *testing.T) {
	p := maren(t)
	b := as(t, "billing")
	b.looksFor(p)
	b.follow(p.name)
	b.says("Coverage", "Claims", p.name)
	b.fits("account")
	b.silent("Penicillin", "Vitals", "Allergies", "Metformin")
}

// The patient reads on a phone who looked, in few lines, and can ask about each.
func TestPatientSeesWhoLooked(t *testing.T) {
	p := maren(t)
	b := as(t, "patient")
	b.phone()
	if b.at() != "/me" {
		t.Fatalf("the patient begins at %s", b.at())
	}
	b.says("Who looked at my chart", "Anna Lindqvist", "Is this list complete?")
	for _, n := range ask[[]int](b, `[...document.querySelectorAll('main section.card > ul.opens')].map(ul => ul.children.length)`) {
		if n > 20 {
			t.Errorf("%d lines for one visit", n)
		}
	}
	b.touch("Anna Lindqvist")
	b.says("Saw:")
	b.touch("I do not know this person")
	b.fits("me-open")
	b.phone()
	b.follow("Ask the privacy office")
	b.touch("Anna Lindqvist")
	b.says("asked")
	b.fits("me-asked")
	b.expect(403)
	b.open(p.path)
	b.silent(clinical...)
	if report := promised(b, `fetch('/me/report').then(r => r.text())`); !strings.Contains(report, "Anna Lindqvist") {
		t.Errorf("the download holds %.200q", report)
	}
}
