package policy

// RolePatient is the only role of a person in patient capacity.
const RolePatient = "patient"

// Roles are the shipped roles, in the order of the command line contract.
var Roles = []string{
	"physician", "nurse", "medical-assistant", "pharmacist", "technician", "front-desk", "billing", "hr", "privacy", "security",
	"administrator", "auditor", RolePatient,
}

// Clinical are the roles that treat; they may break the glass.
var Clinical = Roles[:5:5]
