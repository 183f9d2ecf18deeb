package balp

import (
	"maps"
	"slices"
)

// Code systems of AuditEvent, and our own for what no published one names.
const (
	systemEventType   = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	systemRest        = "http://hl7.org/fhir/restful-interaction"
	systemDICOM       = "http://dicom.nema.org/resources/ontology/DCM"
	systemParticipant = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	systemProvenance  = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
	systemReason      = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	systemEntityType  = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	systemEntityRole  = "http://terminology.hl7.org/CodeSystem/object-role"
	systemSourceType  = "http://terminology.hl7.org/CodeSystem/security-source-type"
	systemBALPEntity  = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
	profiles          = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."

	own               = "https://chartwarden.example/fhir/CodeSystem/"
	systemInteraction = own + "interaction"
	systemClass       = own + "access-class"
	systemCapacity    = own + "capacity"
	systemAssurance   = own + "aal"
	systemAgentID     = own + "agent"

	systemRoleCode = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	delegator      = "DELEGATOR" // who lets another act as her; in the value set of AuditEvent.agent.type
)

// shape says how an interaction is coded: type, subtypes (the first of which names it to others) and its usual action.
type shape struct {
	system, code string
	subtypes     []coding
	action       string
}

func rest(action string, codes ...string) shape {
	s := shape{system: systemEventType, code: "rest", action: action}
	for _, c := range codes {
		s.subtypes = append(s.subtypes, coding{System: systemRest, Code: c})
	}
	return s
}

func dicom(action, code string, subtypes ...string) shape {
	s := shape{system: systemDICOM, code: code, action: action}
	for _, c := range subtypes {
		s.subtypes = append(s.subtypes, coding{System: systemDICOM, Code: c})
	}
	return s
}

func (s shape) and(extra coding) shape {
	s.subtypes = append(slices.Clip(s.subtypes), extra)
	return s
}

// mine marks a shape with our own code, where the published ones alone would be read back as something else.
func (s shape) mine(name string) shape { return s.and(coding{System: systemInteraction, Code: name}) }

// shapes is the vocabulary. What is not in it is written as application activity with our own code.
var shapes = map[string]shape{
	"read": rest("R", "read"), "vread": rest("R", "vread"), "create": rest("C", "create"), "update": rest("U", "update"), "patch": rest("U", "patch"),
	"delete": rest("D", "delete"), "search": rest("E", "search"), "search-type": rest("E", "search-type"), "search-system": rest("E", "search-system"),
	"history": rest("R", "history"), "history-instance": rest("R", "history-instance"), "history-type": rest("R", "history-type"),
	"operation": rest("E", "operation"), "transaction": rest("E", "transaction"), "batch": rest("E", "batch"), "capabilities": rest("R", "capabilities"),
	"chart": rest("R", "read").mine("chart"),

	"export": dicom("R", "110106"), "print": dicom("R", "110106").and(coding{Code: "print"}), "import": dicom("C", "110107"),
	"login": dicom("E", "110114", "110122"), "logout": dicom("E", "110114", "110123"),
	"glass":      dicom("E", "110113", "110127"),
	"start":      dicom("E", "110100", "110120"),
	"stop":       dicom("E", "110100", "110121"),
	"people":     dicom("U", "110113", "110137"), // security attributes of a person changed
	"policy":     dicom("U", "110113", "110136"), // security roles changed
	"setting":    dicom("U", "110113", "110129"), // security configuration
	"audit-read": dicom("R", "110101"),

	// What other systems record and we do not: read, kept and written again.
	"activity": dicom("E", "110100"), "query": dicom("E", "110112"), "alert": dicom("E", "110113"), "authentication": dicom("E", "110114"),
}

var vocabulary = slices.Sorted(maps.Keys(shapes))

// Interactions lists the vocabulary of [Event.Interaction], sorted.
func Interactions() []string { return slices.Clone(vocabulary) }

func shapeOf(interaction string) shape {
	if s, ok := shapes[interaction]; ok {
		return s
	}
	return dicom("E", "110100").mine(interaction)
}

// Action is the usual AuditEvent action of an interaction.
func Action(interaction string) string { return shapeOf(interaction).action }

// interactionOf reads the coding of an event back. Our own code wins; then the published ones; then the type alone.
func interactionOf(kind coding, subtypes []coding) string {
	for _, s := range subtypes {
		if s.System == systemInteraction {
			return s.Code
		}
	}
	for _, s := range subtypes {
		if s.System == systemRest && kind.Code == "rest" {
			return s.Code
		}
	}
	best, bestCount := kind.Code, -1
	for _, name := range vocabulary { // the shape that says most of what is here
		if s := shapes[name]; s.system == kind.System && s.code == kind.Code && len(s.subtypes) > bestCount && containsAll(subtypes, s.subtypes) {
			best, bestCount = name, len(s.subtypes)
		}
	}
	return best
}

func containsAll(have, want []coding) bool {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h coding) bool { return h.Code == w.Code && (h.System == w.System || w.System == "") }) {
			return false
		}
	}
	return true
}
