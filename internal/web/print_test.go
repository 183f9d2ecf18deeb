package web_test

import (
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Paper is an act: the button asks the door, the entry is a print, and what the browser prints by itself is a line.
func TestAPrintIsAnActOfItsOwn(t *testing.T) {
	w := newWard(t)
	holds(t, "a lesson first", w.physician.Form(t, w.chart("print"), "part", "timeline"), 200, "A minute before data leaves this house", "I have read it: go on", "!Penicillin", "!data-print")
	holds(t, "and the act", w.physician.Form(t, w.chart("print"), "part", "timeline", "lesson", "export"), 200, "data-print", "Penicillin")
	for path, part := range map[string]string{"": "", "/medications": "medications", "/results": "results", "/notes": "notes", "/timeline": "timeline"} {
		screen := w.physician.Get(t, w.chart()+path)
		holds(t, "screen"+path, screen, 200, `class="nopaper"`, `action="`+w.chart("print")+`"`, `name="part" value="`+part+`"`, "Print through Print", "!data-print")
		paper := w.physician.Form(t, w.chart("print"), "part", part)
		holds(t, "paper"+path, paper, 200, "Okafor, Maren", "Penicillin", "data-print", "Printed by Anna Lindqvist", `href="`+w.chart()+path+`"`, "!nopaper", "!Print through Print")
		if path == "" {
			holds(t, "the summary on paper", paper, 200, "Pneumonia", "Ceftriaxone")
		}
		_, number, _ := strings.Cut(strings.Split(paper.Header.Get("X-Audit-Entry"), ", ")[0], "/")
		line := w.newest(t, w.physician.Person.Person, "print")
		if line.Event.Kind != audit.Disclosure || line.Event.Class != audit.Deliberate || number == "" || len(line.Event.Patients) != 1 || !strings.Contains(string(line.Resource()), `"110106"`) {
			t.Errorf("%+v under %q", line.Event, paper.Header.Get("X-Audit-Entry"))
		}
	}
	holds(t, "a later stretch", w.physician.Get(t, w.chart()+"/timeline?from=1"), 200, `action="`+w.chart("print")+`?from=1"`)
	holds(t, "a later stretch on paper", w.physician.Form(t, w.chart("print")+"?from=1", "part", "timeline"), 200, "data-print", `href="`+w.chart()+`/timeline?from=1"`)
	holds(t, "no such document", w.physician.Form(t, w.chart("print"), "part", "documents/nobody"), 404)
	holds(t, "no such part", w.physician.Form(t, w.chart("print"), "part", "nonsense"), 400)
	holds(t, "printing by address", w.physician.Get(t, w.chart("print")), 405)

	holds(t, "her list", w.Patient(t, "Maren Okafor", w.maren).Get(t, "/me"), 200, "Printed ", "!nopaper")
}

// What billing works with comes to paper by an act too.
func TestAnAccountIsPrintedByAnAct(t *testing.T) {
	w := newWard(t)
	clerk := w.Person(t, "Ines Barrientos", identity.Billing, "")
	at := "/billing/patients/" + w.maren
	holds(t, "screen", clerk.Get(t, at), 200, `class="nopaper"`, `action="`+at+`/print"`, "!data-print")
	holds(t, "paper", clerk.Form(t, at+"/print"), 200, "Okafor, Maren", "data-print", "Printed by Ines Barrientos", `href="`+at+`"`, "!nopaper", "!Penicillin")
	if line := w.newest(t, clerk.Person.Person, "print"); line.Event.Kind != audit.Disclosure || len(line.Event.Patients) != 1 {
		t.Errorf("%+v", line.Event)
	}
	holds(t, "a nurse prints no account", w.Person(t, "Sam Rivera", identity.Nurse, "").Form(t, at+"/print"), 403, "!Okafor")
}

// A broken glass opens to reading: there is no button, and the act is refused and written down.
func TestNothingIsPrintedBehindTheGlass(t *testing.T) {
	w := newWard(t)
	stranger := w.Person(t, "Sam Rivera", identity.Nurse, "")
	ses := w.session(t, stranger)
	if _, err := w.Gate.BreakGlass(t.Context(), access.Person(ses), w.maren, "emergency", ""); err != nil {
		t.Fatal(err)
	}
	holds(t, "open by the glass", stranger.Get(t, w.chart()), 200, "Okafor, Maren", `class="nopaper"`, "!"+w.chart("print"))
	holds(t, "its print", stranger.Form(t, w.chart("print"), "part", ""), 403, "!Penicillin", "!Okafor")
	if line := w.newest(t, stranger.Person.Person, "print"); line.Event.Kind != audit.Refusal {
		t.Errorf("%+v", line.Event)
	}
}

// newest is a person's newest entry of an interaction.
func (w *ward) newest(t *testing.T, person, interaction string) audit.Read {
	t.Helper()
	list, err := w.Log.OfPerson(t.Context(), person, audit.Page{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Event.Interaction == interaction {
			return r
		}
	}
	t.Fatalf("no entry of %s", interaction)
	return audit.Read{}
}
