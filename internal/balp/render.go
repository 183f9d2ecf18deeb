package balp

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strconv"
	"time"
)

// AppendJSON appends the AuditEvent, one line without a newline. It carries the BALP profile's name when the event has exactly the
// parts that the profile demands; chart views and multi-patient pages hold more entities than the basic profiles foresee.
func (e Event) AppendJSON(dst []byte) []byte {
	s := shapeOf(e.Interaction)
	r := resource{
		ResourceType: "AuditEvent", ID: e.ID, Type: coding{System: s.system, Code: s.code}, Subtype: s.subtypes,
		Action: orElse(e.Action, s.action), Recorded: e.Recorded.UTC().Format("2006-01-02T15:04:05.999999Z"), Outcome: orElse(e.Outcome, Success), OutcomeDesc: e.OutcomeText,
		Source: source{Site: e.Site, Observer: reference{Identifier: &identifier{Value: e.Origin}}, Type: []coding{{System: systemSourceType, Code: "4"}}},
	}
	if e.Class != "" {
		r.Subtype = s.and(coding{System: systemClass, Code: e.Class}).subtypes
	}
	for _, p := range e.Purposes {
		r.PurposeOfEvent = append(r.PurposeOfEvent, concept{Coding: []coding{{System: systemReason, Code: p}}})
	}
	if e.Text != "" {
		if len(r.PurposeOfEvent) == 0 {
			r.PurposeOfEvent = []concept{{}}
		}
		r.PurposeOfEvent[0].Text = e.Text
	}
	r.Agent = e.agents()
	r.Entity = e.entities()
	if name := e.profile(); name != "" {
		r.Meta = &meta{Profile: []string{profiles + name}}
	}
	b, _ := json.Marshal(r) // structs of strings always marshal
	return append(dst, b...)
}

// agents gives the person, the client side and the server side, with the codes that BALP asks of each interaction.
func (e Event) agents() (out []agent) {
	a := e.Agent
	person, client, server := "AUT", coding{System: systemDICOM, Code: "110153"}, coding{System: systemDICOM, Code: "110152"}
	switch e.Interaction {
	case "read", "vread", "chart", "export", "print", "history", "history-instance", "history-type": // data flows from the server
		person, client, server = "IRCP", server, client
	case "search", "search-type", "search-system":
		person = "IRCP"
	case "delete":
		client, server = coding{System: systemDICOM, Code: "110150"}, coding{System: systemProvenance, Code: "custodian"}
	case "login", "logout", "glass":
		person = "IRCP"
	}
	asker := agent{
		Type: &concept{Coding: []coding{{System: systemParticipant, Code: person}}}, Who: &reference{Reference: a.Ref}, AltID: a.Session,
		Name: a.Name, Requestor: true, Policy: a.Policies,
	}
	switch {
	case a.ID != "":
		asker.Who.Identifier = &identifier{System: systemAgentID, Value: a.ID}
	case a.Ref == "":
		asker.Who.Display = orElse(a.Name, "unknown")
	}
	if a.Machine {
		asker.Type = &concept{Coding: []coding{{System: systemDICOM, Code: "110150"}}}
	}
	for _, role := range a.Roles {
		asker.Role = append(asker.Role, concept{Text: role})
	}
	if a.Capacity != "" {
		asker.Role = append(asker.Role, concept{Coding: []coding{{System: systemCapacity, Code: a.Capacity}}})
	}
	if a.AAL != 0 {
		asker.Role = append(asker.Role, concept{Coding: []coding{{System: systemAssurance, Code: strconv.Itoa(a.AAL)}}})
	}
	if a.Location != "" {
		asker.Location = &reference{Reference: a.Location}
	}
	station := agent{Type: &concept{Coding: []coding{client}}, Who: &reference{Reference: a.Device}, Network: networkOf(a.Address)}
	if a.Client != "" {
		station.Who.Identifier = &identifier{System: systemAgentID, Value: a.Client}
	}
	if a.Device == "" && a.Client == "" {
		station.Who = &reference{Display: "unknown device"}
	}
	service := agent{Type: &concept{Coding: []coding{server}}, Who: &reference{Identifier: &identifier{Value: e.Origin}}, Network: &network{Address: orElse(e.Server, e.Origin), Type: "5"}}
	out = append(out, asker, station, service)
	if a.As != "" {
		out = append(out, agent{Type: &concept{Coding: []coding{{System: systemRoleCode, Code: delegator}}}, Who: &reference{Identifier: &identifier{System: systemAgentID, Value: a.As}}, Name: a.AsName})
	}
	return out
}

// networkOf codes an address: 1 a name, 2 an IP address.
func networkOf(address string) *network {
	if address == "" {
		return &network{Address: "unknown", Type: "1"} // the profile demands one
	}
	if _, err := netip.ParseAddr(address); err == nil {
		return &network{Address: address, Type: "2"}
	}
	return &network{Address: address, Type: "1"}
}

func (e Event) entities() (out []entity) {
	if e.Request != "" {
		out = append(out, entity{What: &reference{Identifier: &identifier{Value: e.Request}}, Type: &coding{System: systemBALPEntity, Code: "XrequestId"}})
	}
	if e.Query != "" {
		out = append(out, entity{Type: &coding{System: systemEntityType, Code: "2"}, Role: &coding{System: systemEntityRole, Code: "24"},
			Query: base64.StdEncoding.EncodeToString([]byte(e.Query))})
	}
	for _, d := range e.Data { // before the first patient: what follows a patient is the patient's
		out = append(out, d.entity())
	}
	for _, p := range e.Patients {
		who := entity{What: &reference{Reference: p.Ref}, Name: p.Name, Type: &coding{System: systemEntityType, Code: "1"}, Role: &coding{System: systemEntityRole, Code: "1"}, Detail: details(p.Details)}
		if p.Identifier != "" {
			who.What.Identifier = &identifier{Value: p.Identifier}
		}
		out = append(out, who)
		for _, d := range p.Data {
			out = append(out, d.entity())
		}
	}
	return out
}

func (d Data) entity() entity {
	out := entity{Name: d.Name, Type: &coding{System: systemEntityType, Code: "2"}, Role: &coding{System: systemEntityRole, Code: orElse(d.Role, "4")}, Detail: details(d.Details)}
	if d.Ref != "" {
		out.What = &reference{Reference: d.Ref}
	}
	return out
}

func details(in []Detail) (out []detail) {
	for _, d := range in {
		out = append(out, detail{Type: d.Type, Value: d.Value})
	}
	return out
}

// profile names the BALP profile that the event fulfils, if one.
func (e Event) profile() string {
	names := map[string]string{"read": "Read", "vread": "Read", "create": "Create", "update": "Update", "patch": "Update", "delete": "Delete",
		"search": "Query", "search-type": "Query", "search-system": "Query"}
	name, basic := names[e.Interaction]
	records := len(e.Data)
	for _, p := range e.Patients {
		records += len(p.Data)
	}
	if name == "Query" {
		basic = basic && e.Query != ""
	} else {
		basic = basic && records == 1
	}
	if !basic || len(e.Patients) > 1 || orElse(e.Outcome, Success) != Success || e.Agent.Machine {
		return ""
	}
	if len(e.Patients) == 1 {
		return "Patient" + name
	}
	return name
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// instant reads a FHIR instant; seconds and a zone are mandatory there.
func instant(s string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, s)
	at = at.UTC()
	return at, err == nil && at.Year() >= 1 && at.Year() <= 9999 // a zone may carry it out of the form
}
