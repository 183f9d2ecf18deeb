package hospital

import (
	"fmt"
	"strings"
	"time"
)

// kind is a kind of clinical note.
type kind struct{ loinc, name string }

var (
	admissionNote = kind{"34117-2", "History and physical note"}
	progressNote  = kind{"11506-3", "Progress note"}
	nursingNote   = kind{"34746-8", "Nurse note"}
	consultNote   = kind{"11488-4", "Consult note"}
	emergencyNote = kind{"34111-5", "Emergency department note"}
	operationNote = kind{"11504-8", "Surgical operation note"}
	dischargeNote = kind{"18842-5", "Discharge summary"}
	therapyNote   = kind{"34109-9", "Psychotherapy note"}
	clinicalNotes = list{object{"coding", list{coding("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note")}}}
	plainText     = "text/plain; charset=utf-8"
	formatCoding  = coding("http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem", "urn:ihe:iti:xds:2017:mimeTypeSufficient", "mimeType Sufficient")
)

// document is a note as a DocumentReference. A draft is one that its author has not signed.
func (c *chart) document(k kind, title, prose string, at time.Time, by *member, encounter string, draft bool) object {
	docStatus := "final"
	if draft {
		docStatus = "preliminary"
	}
	return object{
		"status", "current", "docStatus", docStatus, "type", concept(k.name, loinc(k.loinc, k.name)), "category", clinicalNotes, "subject", c.p.ref(), "date", at,
		"author", list{memberRef(by)}, "custodian", ref(c.h.organization, hospitalName), "description", title,
		"content", list{object{"attachment", object{"contentType", plainText, "language", "en-US", "data", text(c.words(prose)), "title", title, "creation", at}, "format", formatCoding}},
		"context", object{"encounter", list{ref(encounter, "")}, "period", period(at, time.Time{})},
	}
}

// note files a note.
func (c *chart) note(k kind, title, prose string, at time.Time, by *member, encounter string, labels ...string) string {
	return c.add("DocumentReference", at, by, c.document(k, title, prose, at, by, encounter, false), labels...)
}

// draft files a note that waits for its author's signature.
func (c *chart) draft(k kind, title, prose string, at time.Time, by *member, encounter string, labels ...string) string {
	return c.add("DocumentReference", at, by, c.document(k, title, prose, at, by, encounter, true), labels...)
}

// later keeps a note for its time to come.
func (c *chart) later(k kind, title, prose string, at time.Time, by *member, encounter string, labels ...string) {
	body := c.document(k, title, prose, at, by, encounter, false)
	c.h.notes = append(c.h.notes, Note{At: at, Person: by.Key, Entry: Entry{
		FullURL: c.h.passing(fmt.Sprintf("later/%d/%d", c.p.number, len(c.h.notes))), Type: "DocumentReference", Method: "POST",
		JSON: render(nil, "DocumentReference", at, labels, body), Patient: c.p.url, Author: by.Practitioner, Recorded: at,
	}})
}

// past is the paragraph on history, medicines and allergies that most notes carry.
func (c *chart) past() string {
	var b strings.Builder
	b.WriteString("PAST HISTORY: ")
	for i, key := range c.p.problems {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(lower(conditionOf[key].name))
	}
	if len(c.p.problems) == 0 {
		b.WriteString("none of note")
	}
	b.WriteString(".\nMEDICINES AT HOME: ")
	for i, key := range c.taking {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(lower(drugs[key].text))
	}
	if len(c.taking) == 0 {
		b.WriteString("none")
	}
	b.WriteString(".\nALLERGIES: ")
	if len(c.allergic) == 0 {
		b.WriteString("none known")
	}
	b.WriteString(strings.Join(c.allergic, "; "))
	b.WriteString(".\n")
	return b.String()
}

// lower puts a name inside a sentence; abbreviations stay as they are.
func lower(s string) string {
	if len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' || s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func numbered(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		fmt.Fprintf(&b, "%d. %s\n", i+1, l)
	}
	return b.String()
}
