package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// write puts a long text into a field at once: typing it would take minutes.
func (b *tab) write(field, text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	ask[bool](b, `(document.querySelector('[name="`+field+`"]').value = `+string(quoted)+`, true)`)
}

// An administrator changes what a role may do: faults stand by line, then what changes stands with its author, as lines and as cells of who
// may what, the last 30 days are tried, a privacy officer agrees, and both names stay with the change. Without scripts, as every page; each
// is looked at in both widths, those with the change with axe too.
func TestRoleEdit(t *testing.T) {
	h := demo(t)
	b := as(t, "administrator")
	b.scripts(false)
	b.follow("Rules")
	b.says("In force", "The program brought them", "Nobody works on the rules")
	b.fits("rules")
	b.fill("note", "Human resources plan the clinics")
	b.follow("Begin")
	b.says("Human resources plan the clinics", "This is what is in force already", h.cast["administrator"].name)
	work := b.at()

	b.open(work + "?file=operations.cedar")
	text := ask[string](b, `document.querySelector('[name="text"]').value`)
	b.write("text", text+"\n@id(\"ops.hr\")\npermit (principal is Staff in Role::\"hrr\", action == Action::\"read\", resource is Record);\n")
	b.follow("Save and check")
	b.says("Faults", "operations.cedar:", "hrr", "has no @why")
	b.fits("rules-faults")
	b.write("text", text+"\n@id(\"ops.hr\")\n@why(\"You plan the clinics.\")\npermit (principal is Staff in Role::\"hr\", action == Action::\"read\", resource is Record)\nwhen { resource.class == \"scheduling\" };\n")
	b.follow("Save and check")
	b.silent("Faults")
	b.says("You plan the clinics.", "operations.cedar", "against the rules in force", "Who may what: changes", "New: read scheduling", "It was not tried on the last 30 days")
	added := ask[[]string](b, `[...document.querySelectorAll('.difflines p')].filter(e => e.querySelector('.sg').textContent == '+').map(e => e.lastChild.textContent.trim())`)
	if !slices.ContainsFunc(added, func(l string) bool { return strings.Contains(l, `@id("ops.hr")`) }) || slices.ContainsFunc(added, func(l string) bool { return strings.Contains(l, "front-desk") }) {
		t.Errorf("the difference adds %q", added)
	}
	b.scripts(true)
	b.open(work) // with axe, which needs scripts
	b.says("ops.hr", "operations.cedar", h.cast["administrator"].name)
	b.fits("role-edit")
	b.scripts(false)
	b.open(work + "?file=operations.cedar")
	if status := b.follow("Try on the last 30 days"); status != 200 {
		t.Fatalf("%d\n%s", status, b.text())
	}
	for range 100 { // a slow machine reads the log beside
		if !strings.Contains(b.text(), "so far, since") {
			break
		}
		b.follow("Look again")
	}
	b.says("On the last 30 days", "0 acts of care")
	b.fits("rules-work")
	b.follow("Whole table")
	b.says("Human resources")
	b.open("/policy/matrix?role=hr&of=" + strings.TrimPrefix(work, "/policy/work/"))
	b.says("Changes", "answers change")
	b.fits("rules-matrix-change")
	b.open(work)
	b.fill("why", "The clinics are planned by human resources")
	b.follow("Ask a second person")
	b.says("Waits for a second person")
	b.fits("rules-waits")
	b.open("/approvals")
	b.follow("Let other rules of access decide")
	b.says("Somebody else must agree")

	officer := as(t, "privacy")
	officer.open("/approvals")
	officer.follow("Let other rules of access decide")
	officer.says("Tried on the log", "decisions in 30 days", "operations.cedar")
	officer.fits("rules-approval")
	officer.follow("Agree")
	officer.says("Agreed")
	for range 200 {
		officer.open("/policy")
		if strings.Contains(officer.text(), "agreed by "+h.cast["privacy"].name) {
			break
		}
	}
	officer.says("Asked by "+h.cast["administrator"].name, "agreed by "+h.cast["privacy"].name, "Go back to these rules")
	officer.fits("rules-changed")
}

// The table of who may what leads from a cell to the sentence and the rule; and the officer asks whether one person may open one chart.
func TestWhoMayWhat(t *testing.T) {
	h := demo(t)
	b := as(t, "privacy")
	b.follow("Rules")
	b.follow("Who may what")
	b.says("Physician", "Contact now", "Everything", "Broke the glass")
	b.fits("matrix")
	b.open("/policy/cell?role=nurse&to=contact&act=read")
	b.says("You are nursing this patient", "treat.nurse", "permit")
	b.fits("matrix-cell")
	b.open("/policy/ask")
	b.fits("rules-ask")
	b.fill("patient", strings.TrimPrefix(maren(t).path, "/chart/"))
	ask[bool](b, `(document.querySelector('[name="person"]').value = [...document.querySelectorAll('[name="person"] option')].find(o => o.textContent.startsWith('`+h.cast["physician"].name+`')).value, true)`)
	b.follow("Ask")
	b.says("Answer", "permits", "facts")
	b.silent("Penicillin") // a colleague may bear her family name, but nothing of the chart is told
	b.fits("rules-answer")
	b.open("/policy/advice")
	b.says("What nobody uses")
	b.fits("rules-advice")
}
