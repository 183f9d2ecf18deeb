package atna

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/xml"
	"io"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// Parse reads one syslog message. why says what is wrong with one that is no audit message; it never holds anything of it.
func Parse(text []byte) (r foreign.Reading, why string) {
	doc, why := body(text)
	if why != "" {
		return r, why
	}
	m, why := read(doc)
	if why != "" {
		return r, why
	}
	e := &r.Event
	var ok bool
	if e.Time, r.Local, ok = foreign.Instant(m.time); !ok {
		return r, "EventDateTime is no time"
	}
	e.Kind = m.kind()
	e.Failed = m.outcome != "" && m.outcome != "0"
	e.Purpose = m.purpose
	if !m.agent(&r) {
		return r, "no ActiveParticipant is named"
	}
	if why := m.entities(&r); why != "" {
		return r, why
	}
	r.Glass = e.Kind == detect.Glass
	sum := sha256.Sum256(doc)
	r.Hash = binary.BigEndian.Uint64(sum[:])
	return r, ""
}

// message is what of an AuditMessage tells something.
type message struct {
	action, time, outcome, event, purpose string
	types                                 []string
	people                                []participant
	objects                               []object
}

type participant struct {
	id, alternative, name, kind, place, placeKind string
	requestor                                     bool
	roles, roleNames                              []string
	media                                         string
}

type object struct{ id, kind, role, name string }

const deepest, most = 32, 256

// read takes the elements of the document one by one: nothing of it is resolved, and what it nests or repeats is bounded.
func read(doc []byte) (m message, why string) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	depth, rooted, within, name := 0, false, "", false
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return m, "not well-formed XML"
		}
		switch t := t.(type) {
		case xml.Directive:
			return m, "a document type is not read"
		case xml.StartElement:
			if depth++; depth > deepest {
				return m, "the XML is nested too deep"
			}
			local := t.Name.Local
			if depth == 1 {
				if rooted = local == "AuditMessage"; !rooted {
					return m, "no audit message: the XML is another document"
				}
			}
			if depth == 2 {
				within = local
			}
			if len(m.people)+len(m.objects)+len(m.types) > most {
				return m, "more than 256 participants"
			}
			m.element(depth, within, local, t.Attr)
			name = depth == 3 && local == "ParticipantObjectName"
		case xml.EndElement:
			depth--
			name = false
			if depth == 0 && rooted {
				return m, ""
			}
		case xml.CharData:
			if name && len(m.objects) > 0 {
				m.objects[len(m.objects)-1].name = strings.TrimSpace(string(t))
			}
		}
	}
	return m, "not well-formed XML"
}

func attribute(as []xml.Attr, names ...string) string {
	for _, name := range names {
		for _, a := range as {
			if a.Name.Local == name && a.Value != "" {
				return a.Value
			}
		}
	}
	return ""
}

// code is that of a CodedValue, by its name of today or of RFC 3881.
func code(as []xml.Attr) string { return attribute(as, "csd-code", "code") }

func (m *message) element(depth int, within, local string, as []xml.Attr) {
	switch {
	case depth == 2 && local == "EventIdentification":
		m.action, m.time, m.outcome = attribute(as, "EventActionCode"), attribute(as, "EventDateTime"), attribute(as, "EventOutcomeIndicator")
	case depth == 2 && local == "ActiveParticipant":
		m.people = append(m.people, participant{id: attribute(as, "UserID"), alternative: attribute(as, "AlternativeUserID"), name: attribute(as, "UserName"),
			kind: attribute(as, "UserTypeCode"), place: attribute(as, "NetworkAccessPointID"), placeKind: attribute(as, "NetworkAccessPointTypeCode"),
			requestor: !slices.Contains([]string{"false", "0"}, strings.ToLower(attribute(as, "UserIsRequestor")))})
	case depth == 2 && local == "ParticipantObjectIdentification":
		m.objects = append(m.objects, object{id: attribute(as, "ParticipantObjectID"), kind: attribute(as, "ParticipantObjectTypeCode"),
			role: attribute(as, "ParticipantObjectTypeCodeRole", "ParticipantObjectTypeRole")})
	case depth == 3 && within == "EventIdentification":
		switch local {
		case "EventID":
			m.event = code(as)
		case "EventTypeCode":
			m.types = append(m.types, code(as))
		case "PurposeOfUse", "PurposesOfUse":
			if m.purpose == "" {
				m.purpose = code(as)
			}
		}
	case within == "ActiveParticipant" && len(m.people) > 0:
		p := &m.people[len(m.people)-1]
		switch local {
		case "RoleIDCode":
			p.roles = append(p.roles, code(as))
			p.roleNames = append(p.roleNames, attribute(as, "originalText", "displayName", "csd-code", "code"))
		case "MediaType":
			p.media = code(as)
		}
	}
}

// kind maps EventID, EventTypeCode and action. DICOM PS3.16 CID 400, 401, 405.
func (m *message) kind() detect.Kind {
	is := func(c string) bool { return m.event == c || slices.Contains(m.types, c) }
	switch {
	case is("110127"):
		return detect.Glass
	case is("110122"):
		return detect.Login
	case is("110123"):
		return detect.Logout
	case m.event == "110106":
		for _, p := range m.people {
			if slices.Contains([]string{"110010", "110038", "110039"}, p.media) { // film, paper
				return detect.Print
			}
		}
		return detect.Export
	case m.event == "110105":
		return detect.Delete
	case m.event == "110107":
		return detect.Create
	case m.event == "110112":
		return detect.Search
	case slices.Contains([]string{"110100", "110101", "110108", "110113", "110114"}, m.event):
		return detect.Other
	case m.event == "110102" || m.event == "110104": // images go to whoever looks at them
		return detect.Read
	}
	switch m.action {
	case "C":
		return detect.Create
	case "R":
		return detect.Read
	case "U":
		return detect.Update
	case "D":
		return detect.Delete
	case "E":
		return detect.Search
	}
	return detect.Other
}

// technical are the roles of systems: application, launcher, source, destination, media.
var technical = []string{"110150", "110151", "110152", "110153", "110154", "110155"}

// human reports whether a participant is a person: said to be, or named like one.
func (p *participant) human() bool {
	if p.id == "" || p.kind == "2" {
		return false
	}
	if slices.ContainsFunc(p.roles, func(r string) bool { return slices.Contains(technical, r) }) {
		return p.kind == "1"
	}
	return p.kind == "1" || !strings.Contains(p.id, "://") && !strings.HasPrefix(p.id, "/") && !strings.HasPrefix(p.id, "urn:")
}

// agent names who acted: a person who asked for it, a person, or the system that asked for it.
func (m *message) agent(r *foreign.Reading) bool {
	who, source := -1, -1
	for i := range m.people {
		p := &m.people[i]
		if p.human() && (who < 0 || p.requestor && !m.people[who].requestor) {
			who = i
		}
		if p.id != "" && (source < 0 || slices.Contains(p.roles, "110153") || p.requestor && !m.people[source].requestor && !slices.Contains(m.people[source].roles, "110153")) {
			source = i
		}
	}
	e := &r.Event
	if who < 0 && source < 0 {
		return false
	}
	at := source
	if who >= 0 {
		p := &m.people[who]
		for _, v := range []string{p.id, p.alternative} {
			if _, err := strconv.Atoi(v); v != "" && (err != nil || v == p.id) { // the other one is often the number of a process
				r.People = append(r.People, foreign.ID{Label: "login", Value: short(person(v))})
			}
		}
		if len(p.roleNames) > 0 {
			e.Role = short(p.roleNames[0])
		}
		if p.place != "" {
			at = who
		}
	} else {
		e.Agent, e.Machine = foreign.Own("Device", foreign.ID{Label: "atna", Value: short(m.people[source].id)}), true
	}
	if at >= 0 {
		switch p := m.people[at]; p.placeKind {
		case "1":
			e.Device = short(p.place)
		case "2":
			e.Address = short(p.place)
		}
	}
	return true
}

// entities takes the patients and the first record concerned.
func (m *message) entities(r *foreign.Reading) (why string) {
	for _, o := range m.objects {
		switch {
		case o.kind == "1" && o.role == "1":
			system, value := patient(o.id)
			if value == "" {
				continue
			}
			if len(o.id) > 256 {
				return "an identifier is longer than 256 bytes"
			}
			label := "mrn"
			if oid, ok := strings.CutPrefix(system, "urn:oid:"); ok {
				label = oid
			}
			r.Patients = append(r.Patients, []foreign.ID{{Label: label, System: system, Value: value}})
			if o.name != "" && len(r.Patients) == 1 {
				family, given, _ := strings.Cut(o.name, "^")
				given, _, _ = strings.Cut(given, "^")
				r.Names = &foreign.Names{PatientFamily: family, PatientGiven: given}
			}
		case o.id != "" && r.Event.Data == "":
			r.Event.Data = short(o.id)
		}
	}
	if len(r.Patients) > 1 {
		r.Names = nil // of which of them?
	}
	return ""
}

func short(s string) string { return s[:min(len(s), 256)] }
