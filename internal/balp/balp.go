// Package balp turns one access into a FHIR R4 AuditEvent in the shape of IHE Basic Audit Log Patterns, and back.
//
// [Event] is plain data: who did what, why, to whose records. [Event.AppendJSON] writes it; [Parse] reads our own events and those of
// others (other servers, the published samples), and what Parse understood it writes again with the same meaning:
//
//	line := balp.Event{ID: "9f3c-17", Interaction: "read", ...}.AppendJSON(nil)
//	event, err := balp.Parse(line)
//
// Sources: https://profiles.ihe.net/ITI/BALP, https://hl7.org/fhir/R4/auditevent.html.
package balp

import "time"

// Outcomes of an event, as FHIR codes them.
const (
	Success        = "0"
	MinorFailure   = "4"
	SeriousFailure = "8"
	MajorFailure   = "12"
)

// Event is one access or one act that matters for security.
type Event struct {
	ID          string    // FHIR id; may be empty
	Recorded    time.Time // microseconds are kept
	Interaction string    // read, vread, search, create, export, print, login, glass, ...: see [Interactions]
	Action      string    // C, R, U, D or E; empty means what is usual for the interaction
	Outcome     string    // empty means [Success]
	OutcomeText string    // public words on a failure
	Class       string    // deliberate, incidental or machine; may be empty
	Purposes    []string  // codes of v3 ActReason: TREAT, ETREAT, BTG, ...
	Text        string    // the reason in the agent's words
	Agent       Agent
	Origin      string // of the log that recorded it; identifies the observer
	Site        string
	Server      string // base address of the server that was asked; may be empty
	Request     string // X-Request-Id; may be empty
	Query       string // search request as received; may be empty
	Patients    []Patient
	Data        []Data // of no patient
}

// Agent is who asked: a person, a client on its own, or a job.
type Agent struct {
	Ref      string // Practitioner/17, Patient/9; may be empty
	ID       string // of the person, client or job in the system that recorded it
	Name     string
	Roles    []string
	Capacity string // staff or patient
	Location string // Location/3
	Address  string // IP address or host
	Device   string // Device/8, the workstation
	Client   string // id of the app, where a person acts through one
	Session  string // public number of the session
	AAL      int    // assurance level of the sign-in, 0 unknown
	As       string // id of the person as whom ID acts; empty: as herself
	AsName   string
	Policies []string
	Machine  bool // the asker is a client or a job, no person
}

// Patient is one whose records were concerned, and which.
type Patient struct {
	Ref        string // Patient/9; empty when only an identifier is known
	Identifier string
	Name       string
	Data       []Data
	Details    []Detail
}

// Data is a record or another thing that was concerned.
type Data struct {
	Ref     string // Observation/1 or Observation/1/_history/2
	Role    string // code of object-role; empty means 4, a record
	Name    string
	Details []Detail // rows, bytes, section, ...
}

// Detail is one named value.
type Detail struct{ Type, Value string }
