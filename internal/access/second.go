package access

import (
	"slices"
	"time"

	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// SecondRight is the action by which somebody with these roles is the second person of a change of people: administrators have it with
// "people", so that a house's own rules keep them able to, and privacy officers alone. Empty for everybody else.
func SecondRight(roles []string) string {
	switch {
	case !identity.MayAgree(roles):
		return ""
	case slices.Contains(roles, identity.Administrator):
		return policy.People
	}
	return policy.PeopleAgree
}

// SecondByRules reports whether rules let a person be the second person of a change of people where nothing passing stands against her: at a
// workstation of the house, just confirmed, on shift, trained. What one administrator brings about for another must not take her out of those
// who count.
func SecondByRules(rules *policy.Enforced, p identity.Person, now time.Time) bool {
	action := SecondRight(p.RolesIn(identity.StaffCapacity))
	return action != "" && rules.Decide(policy.Request{Action: action,
		Principal: policy.Principal{Kind: policy.Person, ID: p.ID, Roles: p.RolesIn(identity.StaffCapacity), Capacity: identity.StaffCapacity, Active: p.Active, Clearances: p.Clearances, TrainingDue: never, House: p.House, OnShift: true},
		Context:   policy.Context{Now: now, Device: policy.Managed, Zone: policy.Hospital, AAL: 3}}).Allowed
}
