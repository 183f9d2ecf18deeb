package record

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"chartwarden/internal/outcome"
)

const npi = "http://hl7.org/fhir/sid/us-npi"

func practitioner(value string) string {
	return `{"resourceType":"Practitioner","identifier":[{"system":"` + npi + `","value":"` + value + `"}]}`
}

func visit(subject, reference string) string {
	return `{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"` + subject +
		`"},"participant":[{"individual":{"reference":"` + reference + `"}}]}`
}

func (w *world) create1(text string, change ...func(*Write)) (*Sealed, error) {
	d := doc(w.t, text)
	one := Write{Op: Create, Type: d.Type(), Doc: d}
	for _, c := range change {
		c(&one)
	}
	out, err := w.write(one)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func await(x *Write) { x.Await = true }

func TestConditionalReferencesLeadToTheOneMatch(t *testing.T) {
	w := newWorld(t)
	p := w.create(`{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"4711"}]}`)
	d := w.create(practitioner("1"))
	w.create(practitioner("2"))
	w.create(practitioner("2"))
	gone := w.create(practitioner("3"))
	w.must(Write{Op: Delete, Type: "Practitioner", ID: gone.ID()})
	for _, reopened := range []bool{false, true} {
		if reopened {
			w.reopen()
		}
		for ref, want := range map[string]string{
			"Practitioner?identifier=" + npi + "|1": "", "Practitioner?identifier=1": "", "https://ehr.example/fhir/Practitioner?identifier=" + npi + "%7C1": "",
			"Practitioner?identifier=" + npi + "|2": "precondition", "Practitioner?identifier=2": "precondition",
			"Practitioner?identifier=" + npi + "|3": "precondition", "Practitioner?identifier=|1": "precondition", "Practitioner?identifier=urn:other|1": "precondition",
			"Organization?identifier=" + npi + "|1": "precondition", "Practitioner?name=Ada": "not-supported", "Practitioner?identifier=" + npi + "|": "not-supported",
			"Practitioner?identifier=" + npi + "|1&active=true": "precondition", "Practitioner?nonsense=1": "not-supported",
		} {
			e, err := w.create1(visit("Patient?identifier=urn:mrn|4711", ref))
			switch {
			case want == "" && err != nil:
				t.Errorf("%s: %v", ref, err)
			case want == "" && (!strings.Contains(w.open(e), `"`+d.Ref()+`"`) || !strings.Contains(w.open(e), `"`+p.Ref()+`"`) || e.Patient() != p.Patient()):
				t.Errorf("%s: it leads elsewhere: %s", ref, w.open(e))
			case want != "" && (err == nil || string(outcome.CodeOf(err)) != want || !strings.Contains(err.Error(), "Encounter.participant[0].individual.reference")):
				t.Errorf("%s: %v, want %s", ref, err, want)
			}
		}
	}
}

// What a batch brings counts in its new form, in whatever order; what it changes no longer counts in its old one.
func TestConditionalReferencesSeeTheirOwnBatch(t *testing.T) {
	w := newWorld(t)
	old := w.create(practitioner("1"))
	out := w.must(
		Write{Op: Create, Type: "Encounter", Doc: doc(t, visit("Patient?identifier=urn:mrn|1", "Practitioner?identifier="+npi+"|1"))},
		Write{Op: Update, Type: "Practitioner", ID: old.ID(), Doc: doc(t, practitioner("9"))},
		Write{Op: Create, Type: "Practitioner", Doc: doc(t, practitioner("1"))},
		Write{Op: Create, Type: "Patient", Doc: doc(t, `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}`)},
	)
	if text := w.open(out[0]); !strings.Contains(text, out[2].Ref()) || !strings.Contains(text, out[3].Ref()) || out[0].Patient() != out[3].Patient() {
		t.Fatal(text)
	}
	_, err := w.create1(visit(out[3].Ref(), "Practitioner?identifier="+npi+"|9"))
	must(t, err)
}

// One who may not see a patient does not learn from a reference that she is here.
func TestConditionalReferencesFindOnlyWhatTheWriterSees(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	w.must(Write{Op: Update, Type: "Patient", ID: p.ID(), Doc: doc(t, `{"resourceType":"Patient","identifier":[{"value":"1"}]}`)})
	for _, ref := range []string{"Patient?identifier=1", "Patient?_id=" + p.ID()} {
		_, seen := w.create1(visit(ref, "https://elsewhere.example/Practitioner/1"))
		must(t, seen)
		_, hidden := w.create1(visit(ref, "#x"), func(x *Write) { x.Sees = func(context.Context, *Sealed) (*Sealed, error) { return nil, nil } })
		_, missing := w.create1(visit("Patient?identifier=none", "#x"))
		_, masked := w.create1(visit(ref, "#x"), func(x *Write) {
			x.Sees = func(_ context.Context, x *Sealed) (*Sealed, error) {
				return x.Masked(func(element string) bool { return element == "identifier" })
			}
		})
		if strings.Contains(ref, "identifier") && (masked == nil || masked.Error() != missing.Error()) {
			t.Errorf("a hidden identifier finds: %v", masked)
		}
		if hidden == nil || missing == nil || hidden.Error() != missing.Error() {
			t.Errorf("%v, %v", hidden, missing)
		}
	}
}

// A planted row of the table of identifiers leads nowhere: the resource decides.
func TestIdentifierRowsOnlyPropose(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	wrong := w.create(practitioner("7"))
	must(t, w.d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`insert into identifier(name, rec) values(?,?)`, w.identifierName("Practitioner", "1"), wrong.Record())
		return err
	}))
	_, err := w.create1(visit(p.Ref(), "Practitioner?identifier=1"))
	want(t, err, outcome.Precondition)
}

// What may wait is kept as it was sent, resolved once when its target comes, and not again.
func TestAwaitedReferencesAreResolvedLater(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	ref := "Practitioner?identifier=" + npi + "|1"
	e, err := w.create1(visit(p.Ref(), ref), await)
	must(t, err)
	logical, err := w.create1(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+p.Ref()+`"},"performer":[{"identifier":{"system":"`+npi+`","value":"1"}}]}`, await)
	must(t, err)
	none := func() {
		t.Helper()
		if writes, next, err := w.Awaiting(t.Context(), 0, 0, 10); err != nil || len(writes) > 0 || next != 0 {
			t.Fatal(writes, err)
		}
	}
	if !strings.Contains(w.open(e), ref) {
		t.Fatal(w.open(e))
	}
	none()
	// Somebody changes the rest of it meanwhile: it still waits.
	kept := strings.Replace(w.open(e), "AMB", "EMER", 1)
	w.must(Write{Op: Update, Type: "Encounter", ID: e.ID(), Doc: doc(t, kept)})
	w.create(practitioner("other"))
	none()
	d := w.create(practitioner("1"))
	w.reopen()
	writes, _, err := w.Awaiting(t.Context(), 0, 0, 10)
	must(t, err)
	if len(writes) != 2 {
		t.Fatal(writes)
	}
	out := w.must(writes...)
	if text := w.open(out[0]); out[0].ID() != e.ID() || out[0].Version() != 3 || !strings.Contains(text, `"`+d.Ref()+`"`) || strings.Contains(text, "?identifier") {
		t.Fatal(text)
	}
	if text := w.open(out[1]); out[1].ID() != logical.ID() || !strings.Contains(text, `"performer":[{"reference":"`+d.Ref()+`","identifier":`) {
		t.Fatal(text)
	}
	none()
}

// A target that comes twice is as good as none.
func TestAwaitedReferencesWaitWhileThereAreSeveral(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	_, err := w.create1(visit(p.Ref(), "Practitioner?identifier=1"), await)
	must(t, err)
	w.must(Write{Op: Create, Type: "Practitioner", Doc: doc(t, practitioner("1"))}, Write{Op: Create, Type: "Practitioner", Doc: doc(t, practitioner("1"))})
	if writes, _, err := w.Awaiting(t.Context(), 0, 0, 10); err != nil || len(writes) > 0 {
		t.Fatal(writes, err)
	}
}

// A resource about a patient who is not here would lie outside every chart: that does not wait.
func TestWhomAResourceIsAboutIsNotAwaited(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []string{`{"reference":"Patient?identifier=urn:mrn|1"}`, `{"type":"Patient","identifier":{"system":"urn:mrn","value":"1"}}`, `{"identifier":{"system":"urn:mrn","value":"1"}}`} {
		text := `{"resourceType":"Condition","subject":` + subject + `}`
		_, err := w.create1(text, await)
		if err == nil || !strings.Contains(err.Error(), "Condition.subject") {
			t.Fatal(subject, err)
		}
	}
	p := w.create(`{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}`)
	for _, subject := range []string{`{"reference":"Patient?identifier=urn:mrn|1"}`, `{"type":"Patient","identifier":{"system":"urn:mrn","value":"1"}}`, `{"identifier":{"system":"urn:mrn","value":"1"}}`} {
		c, err := w.create1(`{"resourceType":"Condition","subject":`+subject+`}`, await)
		must(t, err)
		if c.Patient() != p.Patient() {
			t.Fatal(subject)
		}
	}
}

// An installation from before knows the identifiers that it holds.
func TestIdentifiersOfOlderRecordsAreFound(t *testing.T) {
	w := newWorld(t)
	p := w.create(`{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}`)
	w.create(practitioner("1"))
	must(t, w.d.Write(t.Context(), func(tx *sql.Tx) error {
		for _, table := range []string{"identifier", "identified"} {
			if _, err := tx.Exec(`delete from ` + table); err != nil {
				return err
			}
		}
		return nil
	}))
	w.reopen()
	e, err := w.create1(visit("Patient?identifier=urn:mrn|1", "Practitioner?identifier=1"))
	must(t, err)
	if e.Patient() != p.Patient() {
		t.Fatal("another chart")
	}
}
