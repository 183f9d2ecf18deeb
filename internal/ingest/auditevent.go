package ingest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/detect"
)

// Event reads one FHIR R4 AuditEvent in the shape of IHE BALP, only what detection asks. why says what is wrong with a line that is not
// one; it never holds anything of the line. The event shares memory with line.
//
// Sources: https://profiles.ihe.net/ITI/BALP, https://hl7.org/fhir/R4/auditevent.html.
func Event(line string) (e detect.Event, why string) {
	c := cursor{s: line}
	var resource, typ, action, outcome string
	var subs [4]string
	var who, seat agent
	var server observer
	nsub, recorded := 0, ""
	var agents []agent
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "resourceType":
			resource = c.text()
		case "id":
			e.ID = c.text()
		case "recorded":
			recorded = c.text()
		case "action":
			action = c.text()
		case "outcome":
			outcome = c.text()
		case "type":
			typ, _ = c.coding()
		case "subtype":
			for in := c.array(); in && c.more(']'); {
				if s, _ := c.coding(); nsub < len(subs) {
					subs[nsub] = s
					nsub++
				}
			}
		case "purposeOfEvent":
			for in := c.array(); in && c.more(']'); {
				if code, _ := c.coding(); e.Purpose == "" {
					e.Purpose = code
				}
			}
		case "agent":
			for in := c.array(); in && c.more(']'); {
				agents = append(agents, c.agent())
			}
		case "source":
			server = c.observer()
		case "entity":
			for in := c.array(); in && c.more(']'); {
				c.entity(&e)
			}
		default:
			c.skip()
		}
	}
	if c.why == "" && c.space() != 0 {
		c.fail("something follows the event")
	}
	switch {
	case c.why != "":
		return e, "not JSON: " + c.why
	case resource != "AuditEvent":
		return e, "not an AuditEvent"
	case e.ID == "":
		return e, "the event has no id"
	}
	var ok bool
	if e.Time, ok = instant(recorded); !ok {
		return e, "recorded is no instant"
	}
	who, seat = chosen(agents, server)
	e.Device = seat.who
	if e.Agent = who.who; e.Agent == "" { // a machine on its own
		e.Agent = cmp.Or(seat.who, anyone(agents))
		e.Machine = true
	}
	if e.Agent == "" {
		return e, "no agent is named"
	}
	e.Role, e.Place, e.Address = who.role, who.place, cmp.Or(who.address, seat.address)
	e.Machine = e.Machine || strings.HasPrefix(e.Agent, "Device/")
	e.Failed = outcome != "" && outcome != "0"
	e.Kind = kindOf(typ, action, subs[:nsub])
	if len(e.Patients) == 0 && own[e.Kind] && strings.HasPrefix(e.Data, "Patient/") { // whose data they are is said once
		e.Patients = append(e.Patients, e.Data)
	}
	for _, s := range subs[:nsub] { // our own events say how an access came about
		e.Listed = e.Listed || s == "incidental"
		e.Machine = e.Machine || s == "machine"
	}
	return e, ""
}

// kindOf maps type, subtypes and action of an event.
func kindOf(typ, action string, subs []string) detect.Kind {
	has := func(code string) bool {
		for _, s := range subs {
			if s == code {
				return true
			}
		}
		return false
	}
	switch {
	case has("print"):
		return detect.Print
	case typ == "110106" || has("export"):
		return detect.Export
	case has("110127") || typ == "110127":
		return detect.Glass
	case has("110122"):
		return detect.Login
	case has("110123"):
		return detect.Logout
	case has("operation"):
		return detect.Operation
	case typ == "110112" || has("search") || has("search-type") || has("search-system") || has("history") || has("history-type"):
		return detect.Search
	case typ == "110114" || typ == "110113" || typ == "110100":
		return detect.Other
	}
	switch action {
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
	switch { // no action is said
	case has("create"):
		return detect.Create
	case has("read") || has("vread"):
		return detect.Read
	case has("update") || has("patch"):
		return detect.Update
	case has("delete"):
		return detect.Delete
	}
	return detect.Other
}

type agent struct {
	who, role, place, address, kind string
	requestor, device, uri          bool
}

// observer is who recorded the event. A person's own device may do so, else it is the server.
type observer struct {
	who  string
	seat bool
}

// chosen tells the person among the agents, and the device at which she sits. BALP names the server too, as source of what is read and
// as destination of what is written: it is the observer, or known by a URL.
func chosen(agents []agent, server observer) (who, seat agent) {
	found, placed := false, false
	for _, a := range agents {
		switch {
		case !a.device:
			if a.who != "" && (!found || a.requestor && !who.requestor) {
				who, found = a, true
			}
		case a.uri || a.who == "" && a.address == "" || a.who == server.who && !server.seat:
		case !placed || a.kind == "110153" && seat.kind != "110153":
			seat, placed = a, true
		}
	}
	return who, seat
}

func anyone(agents []agent) string {
	for _, a := range agents {
		if a.who != "" {
			return a.who
		}
	}
	return ""
}

func (c *cursor) observer() (o observer) {
	if !c.is('{') {
		c.skip()
		return o
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "observer":
			o.who = c.party()
		case "type":
			for in := c.array(); in && c.more(']'); {
				code, _ := c.coding()
				o.seat = o.seat || code == "1"
			}
		default:
			c.skip()
		}
	}
	return o
}

// machines are the agent types of DCM that are no person: source, destination, application, media.
var machines = map[string]bool{"110150": true, "110151": true, "110152": true, "110153": true, "110154": true, "110155": true}

func (c *cursor) agent() (a agent) {
	if !c.is('{') {
		c.skip()
		return a
	}
	alt, name := "", ""
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "who":
			a.who = c.party()
		case "altId":
			alt = c.text()
		case "name":
			name = c.text()
		case "requestor":
			a.requestor = c.word() == "true"
		case "type":
			a.kind, _ = c.coding()
		case "role":
			for in := c.array(); in && c.more(']'); {
				if code, text := c.coding(); a.role == "" {
					a.role = cmp.Or(text, code)
				}
			}
		case "location":
			a.place = c.party()
		case "network":
			if !c.is('{') {
				c.skip()
				continue
			}
			for c.enter('{'); c.more('}'); {
				switch c.key() {
				case "address":
					a.address = c.text()
				case "type":
					a.uri = c.text() == "5"
				default:
					c.skip()
				}
			}
		default:
			c.skip()
		}
	}
	a.uri = a.uri || strings.Contains(a.address, "://")
	a.who = cmp.Or(a.who, alt, name)
	a.device = strings.HasPrefix(a.who, "Device/") || !a.requestor && machines[a.kind] && !strings.HasPrefix(a.who, "Practitioner")
	return a
}

func (c *cursor) entity(e *detect.Event) {
	if !c.is('{') {
		c.skip()
		return
	}
	var what, typ, role string
	var word detect.Word
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "what":
			what = c.party()
		case "type":
			typ, _ = c.coding()
		case "role":
			role, _ = c.coding()
		case "detail":
			for in := c.array(); in && c.more(']'); {
				word = max(word, c.detail(e))
			}
		default:
			c.skip()
		}
	}
	switch {
	case role == "1" || role == "" && typ == "1" && strings.HasPrefix(what, "Patient/"):
		if what != "" && !slices.Contains(e.Patients, what) {
			e.Patients = append(e.Patients, what)
			if word != 0 {
				for len(e.Words) < len(e.Patients) {
					e.Words = append(e.Words, 0)
				}
				e.Words[len(e.Patients)-1] = word
			}
		}
	case e.Data == "" && (role == "4" || role == "3" || role == ""):
		e.Data = what
	}
}

// words are the templates of our own entries that say by which colleague's word a chart was open.
var words = map[string]detect.Word{"care.asked": detect.ColleagueAsked, "care.cover": detect.ColleagueCovered}

// detail reads one, and gives the word of a colleague that it names.
func (c *cursor) detail(e *detect.Event) (word detect.Word) {
	if !c.is('{') {
		c.skip()
		return 0
	}
	var typ, value string
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "type":
			typ = c.text()
		case "valueString":
			value = c.text()
		default:
			c.skip()
		}
	}
	switch typ {
	case "rows":
		e.Rows += number(value)
	case "bytes":
		e.Bytes += number(value)
	case "section":
		e.Section = value
	case "authored":
		e.Authored, _ = instant(value)
	case "template":
		word = words[value]
	}
	return word
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, 1<<50)
}

// array enters a list, if one comes: what stands in its place is skipped.
func (c *cursor) array() bool {
	if !c.is('[') {
		c.skip()
		return false
	}
	c.enter('[')
	return true
}

// coding reads a Coding or a CodeableConcept: the first code, and the text or display.
func (c *cursor) coding() (code, text string) {
	if !c.is('{') {
		c.skip()
		return "", ""
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "code":
			code = c.text()
		case "text", "display":
			if t := c.text(); text == "" {
				text = t
			}
		case "coding":
			for in := c.array(); in && c.more(']'); {
				if k, t := c.coding(); code == "" {
					code = k
					if text == "" {
						text = t
					}
				}
			}
		default:
			c.skip()
		}
	}
	return code, text
}

// own are the kinds of which the record concerned tells the patient: a search or a list only names whom it found.
var own = map[detect.Kind]bool{detect.Read: true, detect.Create: true, detect.Update: true, detect.Delete: true}
