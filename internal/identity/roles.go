package identity

import (
	"slices"

	"chartwarden/internal/outcome"
)

// The roles that a person can hold. They are what policies permit by; this package only keeps them.
const (
	Physician        = "physician"
	Nurse            = "nurse"
	MedicalAssistant = "medical-assistant"
	Pharmacist       = "pharmacist"
	Technician       = "technician"
	FrontDesk        = "front-desk"
	Billing          = "billing"
	HR               = "hr"
	Privacy          = "privacy"
	Security         = "security"
	Administrator    = "administrator"
	Auditor          = "auditor"
	Patient          = "patient"
)

// The two capacities. A session acts in one of them: what somebody may do as a nurse is nothing that he may do as a patient, and
// the other way round.
const (
	StaffCapacity   = "staff"
	PatientCapacity = "patient"
)

var (
	clinicalRoles = []string{Physician, Nurse, MedicalAssistant, Pharmacist, Technician}
	agreeing      = []string{Administrator, Privacy}               // who agrees to a change of people or programs
	peopleRoles   = []string{Administrator, HR, Privacy, Security} // by which people have a hand in what others may: two give them
	roles         = append(append([]string{}, clinicalRoles...), FrontDesk, Billing, HR, Privacy, Security, Administrator, Auditor, Patient)
)

// Roles lists the 13 roles in the order in which forms show them.
func Roles() []string { return slices.Clone(roles) }

// Clinical reports whether role opens charts by care relationships. Outside a sandbox nobody gets one without a second person.
func Clinical(role string) bool { return slices.Contains(clinicalRoles, role) }

func anyClinical(held []string) bool { return slices.ContainsFunc(held, Clinical) }

// cleanRoles sorts and deduplicates; an unknown role is an error, for it would be a right that nobody defined.
func cleanRoles(in []string) ([]string, error) {
	for _, r := range in {
		if !slices.Contains(roles, r) {
			return nil, outcome.New(outcome.CodeInvalid, "there is no such role; the roles are physician, nurse, medical-assistant, "+
				"pharmacist, technician, front-desk, billing, hr, privacy, security, administrator, auditor, patient")
		}
	}
	return cleanSet(in), nil
}

func cleanSet(in []string) []string {
	out := slices.Clone(in)
	slices.Sort(out)
	return slices.Compact(out)
}
