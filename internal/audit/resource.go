package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"chartwarden/internal/balp"
)

// Resource is the entry as a FHIR AuditEvent in the shape of IHE BALP, one line of JSON. Its id is `<short origin>-<number>`, its
// observer the origin of the log; each patient is an entity.
func (r Read) Resource() []byte {
	e := r.Event
	out := balp.Event{
		ID:       fmt.Sprintf("%s-%d", ShortOrigin(r.Origin), r.Index.Number()),
		Recorded: e.Time, Interaction: e.Interaction, Action: e.Action, Outcome: strconv.Itoa(e.Outcome), Class: e.Class, Text: e.Text,
		Origin: r.Origin, Request: e.Request, Query: e.Query, Agent: e.Agent.balp(),
	}
	if out.Interaction == "" {
		out.Interaction = e.Kind.String()
	}
	if e.Kind == Refusal {
		out.OutcomeText = "refused"
	}
	if e.Purpose != "" {
		out.Purposes = []string{e.Purpose}
	}
	seen := map[string]bool{}
	for i := range e.Patients {
		p := &e.Patients[i]
		for _, id := range p.Permits {
			if !seen[id] {
				seen[id] = true
				out.Agent.Policies = append(out.Agent.Policies, policyURI+id)
			}
		}
		if p.Patient == 0 && p.Ref == "" {
			out.Data = append(out.Data, p.data()...)
		} else {
			out.Patients = append(out.Patients, balp.Patient{Ref: p.Ref, Identifier: p.number(), Data: p.data(), Details: p.details()})
		}
	}
	return out.AppendJSON(nil)
}

const policyURI = "https://chartwarden.example/policy/"

// ShortOrigin is the form of an origin that fits into a FHIR id: 8 hex digits.
func ShortOrigin(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:4])
}

func (a Agent) balp() balp.Agent {
	out := balp.Agent{Ref: a.Practitioner, ID: a.Person, Name: a.Name, Capacity: a.Capacity, Address: a.Address, Device: a.Device, Client: a.Client, Session: a.Session, AAL: a.AAL, As: a.As, AsName: a.AsName}
	if a.Role != "" {
		out.Roles = []string{a.Role}
	}
	if strings.HasPrefix(a.Zone, "Location/") {
		out.Location = a.Zone
	}
	if a.Device != "" && !strings.Contains(a.Device, "/") {
		out.Device = "Device/" + a.Device
	}
	switch {
	case a.Person != "":
	case a.Client != "":
		out.ID, out.Client, out.Machine = a.Client, "", true
	case a.Job != "":
		out.ID, out.Machine = a.Job, true
	default:
		out.Name = "redacted"
	}
	return out
}

// number stands in for a patient whose reference the entry does not hold: the pseudonymous number.
func (p *PatientPart) number() string {
	if p.Ref != "" {
		return ""
	}
	return strconv.FormatInt(int64(p.Patient), 10)
}

func (p *PatientPart) details() (out []balp.Detail) {
	add := func(kind, value string) {
		if value != "" {
			out = append(out, balp.Detail{Type: kind, Value: value})
		}
	}
	add("template", p.Template)
	add("reason", p.Sentence)
	add("relation", p.Relation)
	for _, g := range p.Groups {
		add("section", g)
	}
	if p.Unexplained {
		add("unexplained", "true")
	}
	if p.Glass {
		add("glass", "true")
	}
	add("details", p.Details)
	return out
}

// data are the records that can be named; the others are counted.
func (p *PatientPart) data() (out []balp.Data) {
	unnamed := 0
	for _, r := range p.Records {
		if r.Ref == "" {
			unnamed++
			continue
		}
		ref := r.Ref
		if r.Version > 0 && !strings.Contains(ref, "/_history/") {
			ref = fmt.Sprintf("%s/_history/%d", ref, r.Version)
		}
		out = append(out, balp.Data{Ref: ref})
	}
	if unnamed > 0 {
		out = append(out, balp.Data{Details: []balp.Detail{{Type: "rows", Value: strconv.Itoa(unnamed)}}})
	}
	return out
}
