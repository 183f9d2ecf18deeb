package web

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The patient's own consents and restrictions, in a sentence each, as the door judges by them. The documents come through the door, so
// whoever stands behind an alias is called by it.

// consents are those in force, those that begin later, and what she asked for, newest first.
func (p *Pages) consents(ctx context.Context, c *access.Chart) (out []page.PortalConsent) {
	staff := map[string]string{}
	if docs := c.Docs["Consent"]; len(docs) > 0 {
		if people, err := p.o.Persons.People(ctx); err == nil { // a name is a courtesy
			for _, one := range people {
				if one.Practitioner != "" && !one.Aliased {
					staff[one.Practitioner] = one.Name
				}
			}
		}
	}
	for _, d := range c.Docs["Consent"] {
		r, ok := consent.Told(d, p.o.Zone)
		line := page.PortalConsent{}
		switch status := d.Root().Get("status").Text(); {
		case !ok || r.Over(p.now()):
			continue
		case status == "proposed":
			line.State = "You asked for this. It does not count before the front desk agrees."
		case status == "rejected":
			line.State = "Declined: " + cmp.Or(restrictionAnswer(d), "no reason was given")
		case status != "active":
			continue
		}
		if access.AskedBy(d, c.PatientID) && d.Root().Get("status").Text() != "rejected" {
			line.Withdraw = d.ID()
			if line.State == "" {
				line.State = "You asked for this, and the hospital agreed."
			}
		}
		say := consentWords{names: calledActors(d), staff: staff, now: p.now(), zone: p.o.Zone}
		line.Text, line.But = say.sentence(r, false), say.exceptions(r)
		out = append(out, line)
	}
	return out
}

// calledActors are the names that a Consent gives to those of whom it speaks, by reference.
func calledActors(d *document.Doc) map[string]string {
	out := map[string]string{}
	for n := range d.Root().Get("provision").All() {
		if ref, name := n.Get("reference").Text(), n.Get("display").Text(); n.Kind() == document.Object && ref != "" && name != "" {
			out[ref] = name
		}
	}
	return out
}

type consentWords struct {
	names, staff map[string]string // by reference: what the Consent calls them, and what the house does
	others       bool              // it is not the patient who reads
	now          time.Time
	zone         *time.Location
}

func (w consentWords) your() string {
	if w.others {
		return "the patient's "
	}
	return "your "
}

func (w consentWords) exceptions(r consent.Rule) (out []string) {
	for _, x := range r.Exceptions {
		if !x.Over(w.now) {
			out = append(append(out, w.sentence(x, true)), w.exceptions(x)...)
		}
	}
	return out
}

// sentence says one rule: who is kept from what, for what, from when, until when. An exception is read after what it is an exception to.
func (w consentWords) sentence(r consent.Rule, exception bool) string {
	who, unknown := w.who(r)
	var s string
	switch {
	case r.Deny && who == "":
		s = "nobody here may see " + w.what(r)
	case r.Deny:
		s = who + " may not see " + w.what(r)
	case r.All() || exception:
		s = orAnybody(who) + " may see " + w.what(r)
	default:
		s = orAnybody(who) + " may see only " + w.what(r)
	}
	s += consentPurposes(r.Purposes)
	if r.From.After(w.now) {
		s += ", from " + w.moment(r.From)
	}
	if !r.Until.IsZero() {
		s += ", until " + w.last(r.Until)
	}
	if exception {
		s = "but " + s
	}
	if !r.Deny && r.All() && !exception {
		s += ", where the rules of this hospital allow it"
	}
	s = capital(s) + "."
	if unknown && r.Deny {
		s += " It names somebody whom this hospital cannot recognize, so it is kept for everybody."
	}
	return s
}

func orAnybody(who string) string {
	if who == "" {
		return "whoever works here"
	}
	return who
}

// who are those of whom a rule speaks; empty for everybody. A denial to somebody unknown is one to everybody.
func (w consentWords) who(r consent.Rule) (names string, unknown bool) {
	var list []string
	for _, ref := range r.Actors {
		switch typ, _, _ := strings.Cut(ref, "/"); {
		case ref == "" && r.Deny:
			return "", true
		case w.names[ref] != "":
			list = append(list, w.names[ref])
		case w.staff[ref] != "":
			list = append(list, w.staff[ref])
		case ref == "":
			list, unknown = append(list, "somebody whom this hospital cannot recognize"), true
		default:
			list = append(list, map[string]string{"Organization": "a department", "Group": "a group of people"}[typ])
			if list[len(list)-1] == "" {
				list[len(list)-1] = "a member of staff"
			}
		}
	}
	return enumerated(list, "and"), unknown
}

// levelWords name levels of confidentiality.
var levelWords = map[string]string{"U": "public", "L": "low", "M": "moderate", "N": "normal", "R": "restricted", "V": "very restricted"}

// typeWords name the types of record that a patient may well have restricted; others are called as FHIR calls them.
var typeWords = map[string]string{
	"Condition": "problems", "Observation": "results and vital signs", "DiagnosticReport": "reports of results", "DocumentReference": "notes and documents", "MedicationRequest": "prescriptions",
	"MedicationStatement": "medications", "MedicationAdministration": "medications given", "Encounter": "visits", "Appointment": "appointments", "Procedure": "procedures", "Immunization": "vaccinations",
	"Claim": "bills", "ExplanationOfBenefit": "what the payer paid", "Coverage": "insurance", "CarePlan": "care plans",
}

// what is that of which a rule speaks.
func (w consentWords) what(r consent.Rule) string {
	if r.All() {
		return w.your() + "chart"
	}
	var types []string
	for _, typ := range r.Types {
		word := typeWords[typ]
		if word == "" {
			word = typ
		}
		if !slices.Contains(types, word) {
			types = append(types, word)
		}
	}
	s := w.your() + "records"
	if len(types) > 0 {
		s = w.your() + enumerated(types, "and")
	}
	var marks []string
	for _, label := range r.Labels {
		marks = append(marks, labelWord(label))
	}
	for _, level := range r.Levels {
		marks = append(marks, "confidentiality "+levelWords[level]+map[bool]string{true: " or higher", false: " or lower"}[r.Deny])
	}
	if len(marks) > 0 {
		s += " marked " + enumerated(marks, "or")
	}
	switch from, before := r.Since, r.Before; {
	case !from.IsZero() && !before.IsZero():
		s += " from " + w.moment(from) + " to " + w.last(before)
	case !from.IsZero():
		s += " since " + w.moment(from)
	case !before.IsZero():
		s += " up to " + w.last(before)
	}
	var named []string
	for _, ref := range r.Data {
		if w.names[ref] != "" {
			named = append(named, "“"+w.names[ref]+"”")
		}
	}
	if len(named) > 0 && len(named) == len(r.Data) {
		return s + " of " + enumerated(named, "and")
	}
	if r.Narrowed {
		s += " (those that the consent names one by one)"
	}
	return s
}

func labelWord(label string) string {
	for _, l := range labelsByRule {
		if l.Value == label {
			return l.Name
		}
	}
	return label
}

// purposeNames say purposes of use. Source: http://terminology.hl7.org/CodeSystem/v3-ActReason.
var purposeNames = map[string]string{
	"TREAT": "treatment", "HPAYMT": "payment", "HOPERAT": "running the hospital", "HCOMPL": "oversight", "HRESCH": "research", "BTG": "an emergency, with a reason", "ETREAT": "emergency treatment",
}

func consentPurposes(codes []string) string {
	var list []string
	for _, code := range codes {
		name := purposeNames[code]
		if name == "" {
			name = "a purpose that is not one of this hospital"
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " for " + enumerated(list, "or")
}

func (w consentWords) moment(at time.Time) string {
	if at = at.In(w.zone); at.Equal(midnight(at)) {
		return look.Day(at).Text()
	}
	return look.Moment(at).Text()
}

// last is the last day, or the last moment, before a bound.
func (w consentWords) last(before time.Time) string {
	if before = before.In(w.zone); before.Equal(midnight(before)) {
		return "the end of " + look.Day(before.AddDate(0, 0, -1)).Text()
	}
	return look.Moment(before).Text()
}

// enumerated writes a list as people say it.
func enumerated(list []string, last string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " " + last + " " + list[n-1]
	}
	return strings.Join(list, "")
}
