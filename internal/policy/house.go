package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// HouseRole is a role of the house's own: a shipped role, or several, narrowed to some field groups of a chart. It gives nothing that the
// shipped ones do not give, so it needs no rules of its own; [Principal.House] names the one that a person holds.
type HouseRole struct {
	Name   string
	Of     []string // shipped roles, sorted
	Groups []string // field groups, in the order of [MatrixGroups]
}

// HouseFile is the file of a bundle that lists them; without it there are none. A line a role:
//
//	ward-clerk = nurse: demographics, contact, scheduling
const HouseFile = "roles.txt"

const mostHouseRoles = 50

var houseName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// Narrowable are the shipped roles that roles of the house can be of. Whoever administers or watches sees no part of a chart to narrow, and
// has a hand in what others may.
func Narrowable() []string { return slices.Clone(Roles[:7]) }

// ReadHouse reads the text of a [HouseFile]. Each fault names its line; roles without fault are given all the same.
func ReadHouse(text string) (roles []HouseRole, faults []string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, fault := readHouseRole(line)
		switch {
		case fault != "":
		case slices.ContainsFunc(roles, func(x HouseRole) bool { return x.Name == r.Name }):
			fault = r.Name + " is there twice"
		case len(roles) == mostHouseRoles:
			fault = fmt.Sprintf("there are more than %d roles", mostHouseRoles)
		}
		if fault != "" {
			faults = append(faults, fmt.Sprintf("%s:%d: %s", HouseFile, n, fault))
			continue
		}
		roles = append(roles, r)
	}
	return roles, faults
}

func readHouseRole(line string) (r HouseRole, fault string) {
	name, rest, ok := strings.Cut(line, "=")
	of, groups, narrowed := strings.Cut(rest, ":")
	if !ok || !narrowed {
		return r, "write a role as: ward-clerk = nurse: demographics, contact"
	}
	r = HouseRole{strings.TrimSpace(name), listed(of), listed(groups)}
	known := MatrixGroups()
	switch {
	case !houseName.MatchString(r.Name):
		return r, fmt.Sprintf("%q is no name: write 2 to 31 small letters, digits and dashes", r.Name)
	case slices.Contains(Roles, r.Name):
		return r, r.Name + " is a shipped role: choose another name"
	case len(r.Of) == 0:
		return r, r.Name + " is of no role: write one of " + strings.Join(Narrowable(), ", ")
	case len(r.Groups) == 0:
		return r, r.Name + " sees no field group: write some of " + strings.Join(known, ", ")
	}
	for _, x := range r.Of {
		if !slices.Contains(Narrowable(), x) {
			return r, fmt.Sprintf("%s is of %q: a role of the house is of %s", r.Name, x, strings.Join(Narrowable(), ", "))
		}
	}
	for _, x := range r.Groups {
		if !slices.Contains(known, x) {
			return r, fmt.Sprintf("%s sees %q: the field groups are %s", r.Name, x, strings.Join(known, ", "))
		}
	}
	slices.SortFunc(r.Groups, func(a, b string) int { return slices.Index(known, a) - slices.Index(known, b) })
	return r, ""
}

// listed are the parts between commas, each once.
func listed(text string) (out []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return out
}

// String is the role as its line in a [HouseFile].
func (r HouseRole) String() string {
	return r.Name + " = " + strings.Join(r.Of, ", ") + ": " + strings.Join(r.Groups, ", ")
}

// WriteHouse is the text of a [HouseFile]; of no role, nothing.
func WriteHouse(roles []HouseRole) string {
	if len(roles) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("# Roles of the house's own. Each is a shipped role that sees these field groups of a chart only.\n")
	for _, r := range roles {
		b.WriteString(r.String() + "\n")
	}
	return b.String()
}

// House lists the bundle's roles of the house.
func (s *Set) House() []HouseRole { return slices.Clone(s.house) }

// HouseRole gives one by its name.
func (s *Set) HouseRole(name string) (HouseRole, bool) {
	i := slices.IndexFunc(s.house, func(r HouseRole) bool { return r.Name == name })
	if i < 0 {
		return HouseRole{}, false
	}
	return s.house[i], true
}

// narrowed is p as the role of the house that she holds lets her act. One that these rules do not have, or that is not of all her roles, leaves
// her no field group: what is left is what a grant opens, so that whoever treats still has the glass.
func (s *Set) narrowed(p Principal) Principal {
	if p.House == "" || p.Kind != Person || p.Capacity != Staff {
		return p
	}
	r, ok := s.HouseRole(p.House)
	p.Groups = []string{}
	if ok && !slices.ContainsFunc(p.Roles, func(x string) bool { return x != RolePatient && !slices.Contains(r.Of, x) }) {
		p.Groups = r.Groups
	}
	return p
}
