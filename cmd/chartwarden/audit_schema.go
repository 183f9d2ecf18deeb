package main

import (
	"context"
	"fmt"
	"strings"
)

// schemaField tells where one item of ASTM E2147-18, section 7.1, stands in an entry.
type schemaField struct {
	Section string   `json:"section"`
	Item    string   `json:"item"`
	Read    string   `json:"read"`        // how the item is known to us: "published" in a regulation, or "understood"
	Kept    string   `json:"kept"`        // yes, or what is missing
	Entry   []string `json:"entry"`       // fields of the entry (docs/formats/audit-entry.md)
	Event   []string `json:"audit_event"` // elements of the FHIR AuditEvent that an export holds
}

// The text of the standard is sold, not published. Items 7.1.1 to 7.1.3 and 7.1.9 are named in the public guidance on 45 CFR
// 170.315(d)(2) and (d)(3); the others are our understanding of the earlier edition and say so.
// Source: https://www.healthit.gov/test-method/audit-reports.
const (
	published  = "published"
	understood = "understood"
)

var schema = []schemaField{
	{"7.1.1", "date and time of the event", published, "yes; synchronising the machine's clock is the site's part", []string{"entry.time", "event.time"}, []string{"AuditEvent.recorded"}},
	{"7.1.2", "identification of the patient", published, "yes", []string{"patients[].patient", "patients[].ref"}, []string{"AuditEvent.entity.what"}},
	{"7.1.3", "duration of access", published, "partly: each opening and each search has its own time, sign-in, lock and sign-out have theirs; how long a page was read is not measured",
		[]string{"event.time", "agent.session"}, []string{"AuditEvent.recorded", "AuditEvent.agent"}},
	{"7.1.4", "access device", understood, "yes; the network address, and the device where it is registered", []string{"agent.device", "agent.address"}, []string{"AuditEvent.agent.network.address", "AuditEvent.agent.who (Device)"}},
	{"7.1.5", "source of access", understood, "yes; the zone, the app, and the reason: the permitting rules and the relationship",
		[]string{"agent.zone", "agent.client", "purpose", "patients[].permits", "patients[].template", "patients[].sentence", "patients[].glass"},
		[]string{"AuditEvent.agent.location", "AuditEvent.agent.policy", "AuditEvent.purposeOfEvent", "AuditEvent.entity.detail"}},
	{"7.1.6", "role and capacity of the person", understood, "yes", []string{"agent.role", "agent.capacity"}, []string{"AuditEvent.agent.role"}},
	{"7.1.7", "identification of the person", understood, "yes", []string{"agent.person", "agent.name", "agent.practitioner", "agent.session", "agent.job"}, []string{"AuditEvent.agent.who", "AuditEvent.agent.name"}},
	{"7.1.8", "type of action", understood, "yes; refused ones too, and changes of rights as entries of their own kind", []string{"entry.kind", "action", "interaction", "outcome", "query"},
		[]string{"AuditEvent.action", "AuditEvent.subtype", "AuditEvent.outcome"}},
	{"7.1.9", "identification of the patient data, by category", published, "yes; the record and its version, and the group: demographics, identifiers, contact, scheduling, billing, medications, results, clinical, notes",
		[]string{"patients[].records[]", "patients[].groups"}, []string{"AuditEvent.entity.what", "AuditEvent.entity.detail (section)"}},
}

func auditSchema(_ context.Context, l *line) error {
	asJSON := l.Bool("json", false, "as JSON")
	if err := l.parse(); err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(l.out, struct {
			Standard string        `json:"standard"`
			Note     string        `json:"note"`
			Fields   []schemaField `json:"fields"`
		}{"ASTM E2147-18, 7.1", "items marked " + understood + " were not compared with the text of the standard, which is sold and not published", schema})
	}
	for _, f := range schema {
		fmt.Fprintf(l.out, "%s %s (%s)\n    kept: %s\n    entry: %s\n    AuditEvent: %s\n", f.Section, f.Item, f.Read, f.Kept, strings.Join(f.Entry, ", "), strings.Join(f.Event, ", "))
	}
	return nil
}
