package policy

import (
	"slices"
	"time"
)

// Stand is one way of standing to a patient, for the matrix of a bundle.
type Stand struct {
	Name  string // short, for addresses
	Words string
	made  func(r *Request)
}

// matrixNow is when every question of a matrix is asked; rules speak of times only by their distance.
var matrixNow = scenarioNow

// Stands are the columns of the matrix, from a stranger's chart to one's own.
var Stands = []Stand{
	{"stranger", "No link", func(*Request) {}},
	{"contact", "Contact now", func(r *Request) { r.Relation.OpenContact = true }},
	{"team", "Care team", func(r *Request) { r.Relation.CareTeam = true }},
	{"recent", "Contact ended 2 days ago", func(r *Request) { r.Relation.LastContactEnd = matrixNow.Add(-48 * time.Hour) }},
	{"month", "Contact ended 2 weeks ago", func(r *Request) { r.Relation.LastContactEnd = matrixNow.Add(-14 * 24 * time.Hour) }},
	{"order", "Order for the department", func(r *Request) {
		r.Relation.OrderDepts, r.Principal.Departments = []string{"here"}, []string{"here"}
	}},
	{"task", "Task open", func(r *Request) { r.Relation.TaskOpen = true }},
	{"glass", "Broke the glass", func(r *Request) { r.Relation.BTGUntil = matrixNow.Add(time.Hour) }},
	{"own", "The own chart", func(r *Request) { r.Relation.Self = true }},
}

// MatrixActions are the acts of the matrix.
var MatrixActions = []string{Read, Search, Write, Print, Export}

// groupKinds are the field groups of a chart, each with a resource of the kind.
var groupKinds = []struct{ group, kind string }{
	{"demographics", "Patient"}, {"identifiers", "Patient"}, {"contact", "Patient"}, {"scheduling", "Appointment"}, {"billing", "Claim"},
	{"medications", "MedicationRequest"}, {"results", "Observation"}, {"clinical", "Condition"}, {"notes", "DocumentReference"},
}

// MatrixGroups are its field groups.
func MatrixGroups() (out []string) {
	for _, g := range groupKinds {
		out = append(out, g.group)
	}
	return out
}

// Cell is one answer of the matrix.
type Cell struct {
	Role    string   `json:"role"`
	Action  string   `json:"action"`
	Group   string   `json:"group"`
	Stand   string   `json:"relation"`
	Allowed bool     `json:"allowed"`
	Rules   []string `json:"rules,omitempty"` // that decided, sorted
}

// RoleNames are the shipped roles and the bundle's roles of the house.
func (s *Set) RoleNames() []string {
	out := slices.Clone(Roles)
	for _, r := range s.house {
		out = append(out, r.Name)
	}
	return out
}

// Asked is the question of a cell: somebody of one role, shipped or of the house, active, on shift, trained, signed in afresh with two factors at a managed device
// in the hospital, and an ordinary record; for exports and prints, with another's approval. False when there is no such cell.
func (s *Set) Asked(c Cell) (Request, bool) {
	i := slices.IndexFunc(Stands, func(s Stand) bool { return s.Name == c.Stand })
	k := slices.IndexFunc(groupKinds, func(g struct{ group, kind string }) bool { return g.group == c.Group })
	roles, house := []string{c.Role}, ""
	if r, ok := s.HouseRole(c.Role); ok {
		roles, house = r.Of, r.Name
	}
	if i < 0 || k < 0 || house == "" && !slices.Contains(Roles, c.Role) || !slices.Contains(MatrixActions, c.Action) {
		return Request{}, false
	}
	r := Request{Action: c.Action, Resource: Resource{Type: groupKinds[k].kind, Group: c.Group, Released: true, PatientKey: "1"},
		Principal: Principal{Kind: Person, ID: "her", Roles: roles, House: house, Capacity: Staff, OnShift: true, Active: true, TrainingDue: matrixNow.Add(24 * time.Hour)},
		Context:   Context{Now: matrixNow, Device: Managed, Zone: Hospital, AAL: 2, AuthAge: 60, Approvals: 1, Rows: 1}}
	if c.Role == RolePatient {
		r.Principal.Capacity = Patient
	}
	Stands[i].made(&r)
	return r, true
}

// Matrix asks the bundle about every role, shipped ones and those of the house, act, field group and relation.
func (s *Set) Matrix() []Cell {
	var out []Cell
	for _, role := range s.RoleNames() {
		out = append(out, s.MatrixOf(role)...)
	}
	return out
}

// MatrixOf is the part of the matrix of one role.
func (s *Set) MatrixOf(role string) []Cell {
	var out []Cell
	for _, g := range groupKinds {
		for _, action := range MatrixActions {
			for _, stand := range Stands {
				c := Cell{Role: role, Action: action, Group: g.group, Stand: stand.Name}
				r, ok := s.Asked(c)
				if !ok {
					continue
				}
				d := s.Decide(r)
				c.Allowed, c.Rules = d.Allowed, decidedBy(d)
				out = append(out, c)
			}
		}
	}
	return out
}

// Changed are the cells of the second matrix that answer otherwise than the first; where the first has none, because a role is new, those that
// allow.
func Changed(before, after []Cell) (out []Cell) {
	type at struct{ role, action, group, stand string }
	was := map[at]bool{}
	for _, c := range before {
		was[at{c.Role, c.Action, c.Group, c.Stand}] = c.Allowed
	}
	for _, c := range after {
		if was[at{c.Role, c.Action, c.Group, c.Stand}] != c.Allowed {
			out = append(out, c)
		}
	}
	return out
}

// Rule is a policy as it was written.
type Rule struct {
	Reason
	Permit bool
	Place  string // file:line
	Text   string // Cedar
}

// Rule gives a policy by its id.
func (s *Set) Rule(id string) (Rule, bool) {
	for _, r := range s.rules {
		if r.id == id {
			return Rule{Reason: r.reason, Permit: r.permit, Place: r.place, Text: string(r.policy.MarshalCedar())}, true
		}
	}
	return Rule{}, false
}
