package balp

// The FHIR resource as far as events use it. Elements that are not here are not read, and nothing of them is written.
// Source: https://hl7.org/fhir/R4/auditevent.html.
type resource struct {
	ResourceType   string    `json:"resourceType"`
	ID             string    `json:"id,omitempty"`
	Meta           *meta     `json:"meta,omitempty"`
	Type           coding    `json:"type"`
	Subtype        []coding  `json:"subtype,omitempty"`
	Action         string    `json:"action,omitempty"`
	Recorded       string    `json:"recorded"`
	Outcome        string    `json:"outcome,omitempty"`
	OutcomeDesc    string    `json:"outcomeDesc,omitempty"`
	PurposeOfEvent []concept `json:"purposeOfEvent,omitempty"`
	Agent          []agent   `json:"agent"`
	Source         source    `json:"source"`
	Entity         []entity  `json:"entity,omitempty"`
}

type meta struct {
	Profile []string `json:"profile,omitempty"`
}

type coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type concept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type identifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value"`
}

type reference struct {
	Reference  string      `json:"reference,omitempty"`
	Identifier *identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

type network struct {
	Address string `json:"address,omitempty"`
	Type    string `json:"type,omitempty"`
}

type agent struct {
	Type         *concept   `json:"type,omitempty"`
	Role         []concept  `json:"role,omitempty"`
	Who          *reference `json:"who,omitempty"`
	AltID        string     `json:"altId,omitempty"`
	Name         string     `json:"name,omitempty"`
	Requestor    bool       `json:"requestor"`
	Location     *reference `json:"location,omitempty"`
	Policy       []string   `json:"policy,omitempty"`
	Network      *network   `json:"network,omitempty"`
	PurposeOfUse []concept  `json:"purposeOfUse,omitempty"`
}

type source struct {
	Site     string    `json:"site,omitempty"`
	Observer reference `json:"observer"`
	Type     []coding  `json:"type,omitempty"`
}

type entity struct {
	What        *reference `json:"what,omitempty"`
	Type        *coding    `json:"type,omitempty"`
	Role        *coding    `json:"role,omitempty"`
	Name        string     `json:"name,omitempty"`
	Description string     `json:"description,omitempty"`
	Query       string     `json:"query,omitempty"`
	Detail      []detail   `json:"detail,omitempty"`
}

type detail struct {
	Type  string `json:"type"`
	Value string `json:"valueString,omitempty"`
	Bytes string `json:"valueBase64Binary,omitempty"`
}

func (a agent) kind() string {
	if a.Type == nil || len(a.Type.Coding) == 0 {
		return ""
	}
	return a.Type.Coding[0].Code
}
