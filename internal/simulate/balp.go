package simulate

import (
	"strconv"
	"time"
)

// The fixed pieces of an entry in the shape of IHE BALP (https://profiles.ihe.net/ITI/BALP/), in the order in which they are written.
const (
	dcm      = `"system":"http://dicom.nema.org/resources/ontology/DCM","code":`
	rest     = `"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},"subtype":[{"system":"http://hl7.org/fhir/restful-interaction","code":"`
	exported = `"type":{` + dcm + `"110106"}`
	signing  = `"type":{` + dcm + `"110114"},"subtype":[{` + dcm
)

var actPieces = [...]string{
	login:      signing + `"110122"}],"action":"E"`,
	logout:     signing + `"110123"}],"action":"E"`,
	failed:     signing + `"110122"}],"action":"E"`,
	read:       rest + `read"}],"action":"R"`,
	search:     rest + `search"}],"action":"E"`,
	searchOpen: rest + `search"}],"action":"E"`,
	create:     rest + `create"}],"action":"C"`,
	update:     rest + `update"}],"action":"U"`,
	remove:     rest + `delete"}],"action":"D"`,
	report:     rest + `operation"}],"action":"E"`,
	export:     exported + `,"action":"R"`,
	print:      exported + `,"subtype":[{"code":"print"}],"action":"R"`,
	breakGlass: `"type":{` + dcm + `"110113"},"subtype":[{` + dcm + `"110127"}],"action":"E"`,
}

// scribe holds what it takes to write entries, apart from the world that goes on meanwhile.
type scribe struct {
	people   []person
	patients []patient
	units    []unit
	devices  []device
}

// appendEvent adds one line.
func (w *scribe) appendEvent(b []byte, e *event) []byte {
	p := &w.people[e.agent]
	b = append(b, `{"resourceType":"AuditEvent","id":"`...)
	b = appendHex(b, e.id, 16)
	b = append(b, `",`...)
	b = append(b, actPieces[e.act]...)
	b = append(b, `,"recorded":"`...)
	b = appendInstant(b, e.at)
	b = append(b, `","outcome":"`...)
	if e.act == failed {
		b = append(b, '4')
	} else {
		b = append(b, '0')
	}
	b = append(b, `","purposeOfEvent":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"`...)
	b = append(b, purposeCodes[e.purpose]...)
	b = append(b, `"}]`...)
	if e.act == breakGlass {
		b = append(b, `,"text":"`...)
		b = append(b, glassTexts[e.text]...)
		b = append(b, '"')
	}
	b = append(b, `}],"agent":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"role":[{"text":"`...)
	b = append(b, roleNames[p.role]...)
	b = append(b, `"}],"who":{"reference":"Practitioner/`...)
	b = append(b, p.id...)
	b = append(b, `"},"requestor":true,"location":{"reference":"Location/`...)
	b = append(b, w.units[e.unit].location...)
	b = append(b, `"},"network":{"address":"`...)
	b = appendAddress(b, e.addr)
	b = append(b, `","type":"2"}},{"type":{"coding":[{`+dcm+`"110153"}]},"who":{"reference":"Device/`...)
	b = append(b, w.devices[e.device].id...)
	b = append(b, `"},"requestor":false}],"source":{"observer":{"reference":"Device/ehr-server"}}`...)
	b = w.appendEntities(b, e)
	return append(b, "}\n"...)
}

func (w *scribe) appendEntities(b []byte, e *event) []byte {
	if e.act <= failed {
		return b
	}
	b = append(b, `,"entity":[`...)
	if e.patient >= 0 {
		b = append(b, `{"what":{"reference":"Patient/`...)
		b = append(b, w.patients[e.patient].id...)
		b = append(b, `"},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"1"}}`...)
	}
	if e.section != bare {
		if e.patient >= 0 {
			b = append(b, ',')
		}
		b = w.appendData(b, e)
	}
	return append(b, ']')
}

func (w *scribe) appendData(b []byte, e *event) []byte {
	b = append(b, `{"what":{"reference":"`...)
	b = append(b, sectionTypes[e.section]...)
	b = append(b, '/')
	switch {
	case e.act == report:
		b = append(b, "$report-"...)
		b = strconv.AppendUint(b, e.res%9+1, 10)
	case e.section == list:
		b = append(b, w.patients[e.res].id...)
	case e.section == demographics:
		b = append(b, w.patients[e.patient].id...)
	default:
		b = appendHex(b, e.res, 12)
	}
	b = append(b, `"},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"2"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"4"}`...)
	sep := `,"detail":[`
	detail := func(name string) {
		b = append(b, sep...)
		b = append(b, `{"type":"`...)
		b = append(b, name...)
		b = append(b, `","valueString":"`...)
		sep = ","
	}
	done := func() { b = append(b, `"}`...) }
	name := sectionNames[e.section]
	if e.act == report {
		name = "report"
	}
	if name != "" {
		detail("section")
		b = append(b, name...)
		done()
	}
	if e.rows > 0 {
		detail("rows")
		b = strconv.AppendInt(b, int64(e.rows), 10)
		done()
		detail("bytes")
		b = strconv.AppendInt(b, int64(e.bytes), 10)
		done()
	}
	if e.authored != 0 {
		detail("authored")
		b = appendInstant(b, e.authored)
		done()
	}
	if sep == "," {
		b = append(b, ']')
	}
	return append(b, '}')
}

const digits = "0123456789abcdef"

// appendHex adds the highest n hexadecimal digits of x.
func appendHex(b []byte, x uint64, n int) []byte {
	for i := range n {
		b = append(b, digits[x>>(60-4*i)&15])
	}
	return b
}

func appendInstant(b []byte, at int64) []byte {
	return time.Unix(at, 0).UTC().AppendFormat(b, time.RFC3339)
}

func appendAddress(b []byte, a uint32) []byte {
	for i := range 4 {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(a>>(24-8*i)&255), 10)
	}
	return b
}
