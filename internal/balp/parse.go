package balp

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// Parse reads one AuditEvent, ours or another system's. It is liberal in how agents and entities are coded, and strict in what an
// event must have: type, time, an agent. Errors are outcome.Structure, Required or Value with the element's path, never its value.
func Parse(b []byte) (Event, error) {
	var r resource
	if err := json.Unmarshal(b, &r); err != nil {
		return Event{}, outcome.Wrap("balp: parse", outcome.Structure, "not an AuditEvent in JSON", err)
	}
	at, timed := instant(r.Recorded)
	switch {
	case r.ResourceType != "AuditEvent":
		return Event{}, outcome.New(outcome.Structure, "not an AuditEvent").At("resourceType")
	case !timed:
		return Event{}, outcome.New(outcome.Value, "recorded must be an instant with seconds and zone").At("AuditEvent.recorded")
	case r.Type.Code == "":
		return Event{}, outcome.New(outcome.Required, "an event needs a type").At("AuditEvent.type")
	case len(r.Agent) == 0:
		return Event{}, outcome.New(outcome.Required, "an event needs an agent").At("AuditEvent.agent")
	case !slices.Contains([]string{"", "C", "R", "U", "D", "E"}, r.Action):
		return Event{}, outcome.New(outcome.CodeInvalid, "action is one of C, R, U, D, E").At("AuditEvent.action")
	case !slices.Contains([]string{"", Success, MinorFailure, SeriousFailure, MajorFailure}, r.Outcome):
		return Event{}, outcome.New(outcome.CodeInvalid, "outcome is one of 0, 4, 8, 12").At("AuditEvent.outcome")
	}
	e := Event{ID: r.ID, Recorded: at, Interaction: interactionOf(r.Type, r.Subtype), Action: r.Action, Outcome: r.Outcome, OutcomeText: r.OutcomeDesc, Site: r.Source.Site}
	for _, s := range r.Subtype {
		if s.System == systemClass {
			e.Class = s.Code
		}
	}
	for _, p := range r.PurposeOfEvent {
		e.addPurpose(p)
	}
	e.Origin = nameOf(&r.Source.Observer)
	e.readAgents(r.Agent)
	e.readEntities(r.Entity)
	return e, nil
}

func (e *Event) addPurpose(p concept) {
	for _, c := range p.Coding {
		if c.Code != "" && !slices.Contains(e.Purposes, c.Code) {
			e.Purposes = append(e.Purposes, c.Code)
		}
	}
	if e.Text == "" {
		e.Text = p.Text
	}
}

// readAgents finds who asked: the requestor, a human before a machine; and the workstation: a device that is neither the asker nor the
// server. Who is which differs between profiles, so the codes of DICOM only break ties.
func (e *Event) readAgents(agents []agent) {
	asker := -1
	for i, a := range agents {
		if a.Requestor && (asker < 0 || machine(agents[asker]) && !machine(a)) {
			asker = i
		}
	}
	if asker < 0 { // nobody is marked: take the first human, or the first
		asker = max(0, slices.IndexFunc(agents, func(a agent) bool { return !machine(a) }))
	}
	e.Agent.read(agents[asker])
	for _, p := range agents[asker].PurposeOfUse {
		e.addPurpose(p)
	}
	for i, a := range agents {
		if i == asker || a.Who == nil {
			continue
		}
		if a.kind() == delegator {
			if a.Who.Identifier != nil {
				e.Agent.As, e.Agent.AsName = a.Who.Identifier.Value, a.Name
			}
			continue
		}
		id := nameOf(a.Who)
		if a.kind() == "custodian" || id != "" && id == e.Origin || a.Network != nil && a.Network.Type == "5" {
			if a.Network != nil && a.Network.Address != e.Origin {
				e.Server = a.Network.Address
			}
			continue
		}
		if e.Agent.Device == "" && strings.HasPrefix(a.Who.Reference, "Device/") {
			e.Agent.Device = a.Who.Reference
		}
		if e.Agent.Client == "" && a.Who.Identifier != nil && machine(a) {
			e.Agent.Client = a.Who.Identifier.Value
		}
		if e.Agent.Address == "" && a.Network != nil && a.Network.Address != "unknown" {
			e.Agent.Address = a.Network.Address
		}
	}
}

// machine reports that the coding of an agent speaks of software or hardware.
func machine(a agent) bool { return strings.HasPrefix(a.kind(), "1101") || a.kind() == "custodian" }

func (g *Agent) read(a agent) {
	g.Machine, g.Session, g.Name, g.Policies = machine(a), a.AltID, a.Name, a.Policy
	if a.Who != nil {
		g.Ref = a.Who.Reference
		if a.Who.Identifier != nil {
			g.ID = a.Who.Identifier.Value
		}
		g.Name = orElse(g.Name, a.Who.Display)
	}
	for _, role := range a.Role {
		if len(role.Coding) == 1 && role.Coding[0].System == systemCapacity {
			g.Capacity = role.Coding[0].Code
		} else if len(role.Coding) == 1 && role.Coding[0].System == systemAssurance {
			g.AAL, _ = strconv.Atoi(role.Coding[0].Code)
		} else if role.Text != "" {
			g.Roles = append(g.Roles, role.Text)
		} else if len(role.Coding) > 0 {
			g.Roles = append(g.Roles, role.Coding[0].Code)
		}
	}
	if a.Location != nil {
		g.Location = a.Location.Reference
	}
	if a.Network != nil {
		g.Address = a.Network.Address
	}
}

// readEntities sorts entities into patients, their data, queries and the rest. Data that follow a patient are taken as the patient's.
func (e *Event) readEntities(entities []entity) {
	for _, n := range entities {
		role, kind := "", ""
		if n.Role != nil {
			role = n.Role.Code
		}
		if n.Type != nil {
			kind = n.Type.Code
		}
		switch {
		case role == "1":
			p := Patient{Name: n.Name, Details: readDetails(n.Detail)}
			if n.What != nil {
				p.Ref = n.What.Reference
				p.Name = orElse(p.Name, n.What.Display)
				if n.What.Identifier != nil {
					p.Identifier = n.What.Identifier.Value
				}
			}
			e.Patients = append(e.Patients, p)
		case kind == "XrequestId":
			e.Request = nameOf(n.What)
		case n.Query != "" && e.Query == "":
			if raw, err := base64.StdEncoding.DecodeString(n.Query); err == nil {
				e.Query = string(raw)
			} else {
				e.Query = n.Query // some servers forget to encode
			}
		default:
			d := Data{Role: role, Name: n.Name, Details: readDetails(n.Detail)}
			if n.What != nil {
				d.Ref = orElse(n.What.Reference, nameOf(n.What))
			}
			if d.Role == "4" {
				d.Role = ""
			}
			if last := len(e.Patients) - 1; last >= 0 {
				e.Patients[last].Data = append(e.Patients[last].Data, d)
			} else {
				e.Data = append(e.Data, d)
			}
		}
	}
}

func readDetails(in []detail) (out []Detail) {
	for _, d := range in {
		out = append(out, Detail{d.Type, orElse(d.Value, d.Bytes)})
	}
	return out
}

// nameOf is the best name of a reference: identifier, reference, display.
func nameOf(r *reference) string {
	switch {
	case r == nil:
		return ""
	case r.Identifier != nil && r.Identifier.Value != "":
		return r.Identifier.Value
	case r.Reference != "":
		return r.Reference
	}
	return r.Display
}
