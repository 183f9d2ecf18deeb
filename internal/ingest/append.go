package ingest

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"chartwarden/internal/detect"
)

const (
	dcmSystem  = `{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"`
	restSystem = `{"system":"http://hl7.org/fhir/restful-interaction","code":"`
	ownSystem  = `{"system":"https://chartwarden.example/fhir/CodeSystem/access-class","code":"`
)

// shapes are type, subtype and action of each kind, as kindOf reads them.
var shapes = map[detect.Kind]struct{ typ, sub, action string }{
	detect.Other:     {dcmSystem + `110100"}`, "", "E"},
	detect.Read:      {restType, restSystem + `read"}`, "R"},
	detect.Search:    {restType, restSystem + `search"}`, "E"},
	detect.Create:    {restType, restSystem + `create"}`, "C"},
	detect.Update:    {restType, restSystem + `update"}`, "U"},
	detect.Delete:    {restType, restSystem + `delete"}`, "D"},
	detect.Operation: {restType, restSystem + `operation"}`, "E"},
	detect.Export:    {dcmSystem + `110106"}`, "", "R"},
	detect.Print:     {dcmSystem + `110106"}`, `{"code":"print"}`, "R"},
	detect.Login:     {dcmSystem + `110114"}`, dcmSystem + `110122"}`, "E"},
	detect.Logout:    {dcmSystem + `110114"}`, dcmSystem + `110123"}`, "E"},
	detect.Glass:     {dcmSystem + `110113"}`, dcmSystem + `110127"}`, "E"},
}

const restType = `{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"}`

// AppendEvent adds e as one line of FHIR R4 AuditEvent NDJSON in the shape of IHE BALP. [Event] reads it back the same.
func AppendEvent(b []byte, e *detect.Event) []byte {
	shape := shapes[e.Kind]
	b = append(append(b, `{"resourceType":"AuditEvent","id":`...), quoted(e.ID)...)
	b = append(append(b, `,"type":`...), shape.typ...)
	sep := `,"subtype":[`
	for _, sub := range [3]string{shape.sub, when(e.Listed, ownSystem+`incidental"}`), when(e.Machine, ownSystem+`machine"}`)} {
		if sub != "" {
			b = append(append(b, sep...), sub...)
			sep = ","
		}
	}
	if sep == "," {
		b = append(b, ']')
	}
	b = append(append(append(b, `,"action":"`...), shape.action...), `","recorded":"`...)
	b = time.Unix(e.Time, 0).UTC().AppendFormat(b, time.RFC3339)
	b = append(append(append(b, `","outcome":"`...), when(e.Failed, "4", "0")...), '"')
	if e.Purpose != "" {
		b = append(append(append(b, `,"purposeOfEvent":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":`...), quoted(e.Purpose)...), `}]}]`...)
	}
	b = append(append(append(b, `,"agent":[{"who":{"reference":`...), quoted(e.Agent)...), `},"requestor":true`...)
	if e.Role != "" {
		b = append(append(append(b, `,"role":[{"text":`...), quoted(e.Role)...), `}]`...)
	}
	if e.Place != "" {
		b = append(append(append(b, `,"location":{"reference":`...), quoted(e.Place)...), '}')
	}
	if e.Address != "" {
		b = append(append(append(b, `,"network":{"address":`...), quoted(e.Address)...), '}')
	}
	b = append(b, '}')
	if e.Device != "" {
		b = append(append(append(b, `,{"type":{"coding":[`+dcmSystem+`110153"}]},"who":{"reference":`...), quoted(e.Device)...), `},"requestor":false}`...)
	}
	b = append(b, ']')
	return append(appendEntities(b, e), '}', '\n')
}

func appendEntities(b []byte, e *detect.Event) []byte {
	sep := `,"entity":[`
	for _, p := range e.Patients {
		b = append(append(append(b, sep...), `{"what":{"reference":`...), quoted(p)...)
		b = append(b, `},"type":{"code":"1"},"role":{"code":"1"}}`...)
		sep = ","
	}
	if e.Data != "" || e.Section != "" || e.Rows > 0 || e.Bytes > 0 || e.Authored != 0 {
		b = append(append(b, sep...), '{')
		if e.Data != "" {
			b = append(append(append(b, `"what":{"reference":`...), quoted(e.Data)...), `},`...)
		}
		b = append(b, `"type":{"code":"2"},"role":{"code":"4"}`...)
		b = appendDetails(b, e)
		b = append(b, '}')
		sep = ","
	}
	if sep == "," {
		b = append(b, ']')
	}
	return b
}

func appendDetails(b []byte, e *detect.Event) []byte {
	sep := `,"detail":[`
	detail := func(name, value string) {
		b = append(append(append(append(append(b, sep...), `{"type":"`...), name...), `","valueString":`...), quoted(value)...)
		b = append(b, '}')
		sep = ","
	}
	if e.Section != "" {
		detail("section", e.Section)
	}
	if e.Rows > 0 {
		detail("rows", strconv.FormatInt(e.Rows, 10))
	}
	if e.Bytes > 0 {
		detail("bytes", strconv.FormatInt(e.Bytes, 10))
	}
	if e.Authored != 0 {
		detail("authored", time.Unix(e.Authored, 0).UTC().Format(time.RFC3339))
	}
	if sep == "," {
		b = append(b, ']')
	}
	return b
}

func when(is bool, then string, otherwise ...string) string {
	if is {
		return then
	}
	if len(otherwise) > 0 {
		return otherwise[0]
	}
	return ""
}

// quoted is a JSON string.
func quoted(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			text, _ := json.Marshal(s) // a string always marshals
			return string(text)
		}
	}
	return `"` + s + `"`
}
