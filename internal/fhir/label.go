package fhir

import (
	"slices"
	"strings"

	"chartwarden/internal/fhir/document"
)

// Psychotherapy is the label of psychotherapy notes (45 CFR 164.501): nobody but a person cleared for it reads them, glass or not.
const Psychotherapy = "PSYTHPN"

// Labels lists the sensitivity labels in meta.security, sorted and each once; nil when there are none. Ordinary confidentiality
// (N, L, M, U) and handling instructions are no labels. A coding without a system counts; one of an unrelated system does not.
// Source: http://terminology.hl7.org/CodeSystem/v3-ActCode, http://terminology.hl7.org/CodeSystem/v3-Confidentiality.
func Labels(d *document.Doc) []string {
	var out []string
	for coding := range d.Root().Get("meta").Get("security").Items() {
		code, system := coding.Get("code").Text(), coding.Get("system").Text()
		confidentiality := strings.HasSuffix(system, "Confidentiality")
		if !confidentiality && !strings.HasSuffix(system, "ActCode") && system != "" {
			continue
		}
		if slices.Contains(sensitive, code) || confidentiality && slices.Contains(restricted, code) || system == "" && (code == "R" || code == "V") {
			out = append(out, strings.Clone(code))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sensitive are the codes of information sensitivity. That a patient is an employee or a public figure is a Flag, not a label: the
// team opens such a chart without being asked.
var sensitive = strings.Fields("ETH GDIS HIV MST SCA SDV SEX SPI BH COGN DVD EMOTDIS MH PSY PSYTHPN SUD ETHUD OPIOIDUD STD TBOO VIO SICKLE")

// restricted are the codes of confidentiality above normal; S and T are the old ones for sensitive and taboo.
var restricted = strings.Fields("R V S T")

// Released reports whether the patient may see d through the portal: not while it is preliminary or a draft, not what was entered
// in error, never psychotherapy notes, and not what is written for staff only (flags, the audit).
func Released(d *document.Doc) bool {
	switch d.Type() {
	case "Flag", "AuditEvent":
		return false
	}
	root := d.Root()
	if slices.Contains(unreleased, root.Get("status").Text()) || slices.Contains(unreleased, root.Get("docStatus").Text()) {
		return false
	}
	for coding := range root.Get("verificationStatus").Get("coding").Items() {
		if coding.Get("code").Text() == "entered-in-error" {
			return false
		}
	}
	return !slices.Contains(Labels(d), Psychotherapy)
}

// unreleased are the states of unfinished or withdrawn statements, over all resource types.
var unreleased = strings.Fields("preliminary registered partial draft entered-in-error")
