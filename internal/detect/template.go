package detect

// Template is one entry of the vocabulary in which an access is explained. The list is fixed and read by people; nothing mines it from
// the log. docs/formats/detection.md shows it, and a test keeps the two alike.
type Template uint8

// The vocabulary. What is said of a department explains less than what is said of a person. A broken glass is no template: it is the
// person's own word.
const (
	AppointmentDirect Template = iota
	AppointmentClinic
	CareTeam
	OwnDoctor
	EncounterParticipant
	EncounterUnit
	Emergency
	OrderMine
	OrderDepartment
	ProcedureMine
	ProcedureUnit
	Consult
	Referral
	MessageMine
	MessageDepartment
	TaskMine
	TaskDepartment
	Billing
	Arrival
	Research
	Quality
	Disclosure
	Recall
	PatientGrant
	CareUnit
	Ordered
	Wrote
	Repeat
	Collaborator
	Confirmed
	ColleagueAsked
	ColleagueCovered
	activity // how long ago anything of care happened to the patient; it is never said, and explains nothing alone
	templates
)

// party is who a template speaks of.
type party uint8

const (
	aPerson    party = iota
	aUnit            // of which the person is
	aDesk            // whoever does that work in the house
	derived          // from other accesses
	aColleague       // who said so at the door
	nobody           // of the patient alone
)

// template is one value a line: what it is called, of whom it speaks, how long before the fact and after its end it may explain
// (days), its first weight in nats, whether it is direct (a collaborator may lean on it), and the sentence. {on} is when.
type template struct {
	name          string
	party         party
	before, after int64
	prior         float64
	direct        bool
	text          string
}

var vocabulary = [templates]template{
	AppointmentDirect:    {"appointment.direct", aPerson, 7, 90, 5.4, true, "has an appointment with the patient {on}"},
	AppointmentClinic:    {"appointment.clinic", aUnit, 7, 90, 3.5, false, "works in the clinic where the patient is booked {on}"},
	CareTeam:             {"team.care", aPerson, 1, 30, 5.0, true, "is on the patient's care team since {on}"},
	OwnDoctor:            {"doctor.own", aPerson, 0, 0, 4.0, true, "is the patient's own doctor"},
	EncounterParticipant: {"encounter.participant", aPerson, 1, 90, 5.0, true, "takes part in the patient's visit of {on}"},
	EncounterUnit:        {"encounter.unit", aUnit, 1, 30, 3.9, false, "works on the unit where the patient is since {on}"},
	Emergency:            {"ed.board", aUnit, 0, 1, 3.4, false, "works in the emergency department, where the patient arrived {on}"},
	OrderMine:            {"order.mine", aPerson, 1, 30, 4.5, true, "was asked to carry out an order of {on}"},
	OrderDepartment:      {"order.department", aUnit, 1, 7, 2.1, false, "works in the department that an order of {on} is addressed to"},
	ProcedureMine:        {"procedure.mine", aPerson, 1, 30, 5.0, true, "carries out a procedure of {on}"},
	ProcedureUnit:        {"procedure.unit", aUnit, 1, 1, 3.0, false, "works where a procedure is done {on}"},
	Consult:              {"consult.asked", aPerson, 2, 14, 5.0, true, "was asked for advice {on}"},
	Referral:             {"referral", aUnit, 2, 30, 2.5, false, "works in the clinic to which the patient was referred {on}"},
	MessageMine:          {"message.thread", aPerson, 0, 30, 4.5, true, "has a message about the patient of {on}"},
	MessageDepartment:    {"message.department", aUnit, 0, 14, 2.0, false, "works in the pool that received the patient's message of {on}"},
	TaskMine:             {"task.mine", aPerson, 1, 30, 4.5, true, "has a task for the patient since {on}"},
	TaskDepartment:       {"task.department", aUnit, 1, 7, 2.0, false, "works in the department that owns a task of {on}"},
	Billing:              {"billing.account", aDesk, 0, 90, 0.4, false, "works on accounts, and one of the patient is open since {on}"},
	Arrival:              {"registration.arrival", aDesk, 3, 3, 1.5, false, "registers arrivals, and the patient's is {on}"},
	Research:             {"research.cohort", aPerson, 0, 0, 5.2, true, "runs a study to which the patient consented"},
	Quality:              {"quality.review", aPerson, 1, 14, 4.5, true, "reviews this case since {on}"},
	Disclosure:           {"disclosure.request", aUnit, 1, 14, 3.0, false, "answers a request for the patient's records of {on}"},
	Recall:               {"device.recall", aUnit, 1, 14, 3.0, false, "works on a recall that concerns the patient since {on}"},
	PatientGrant:         {"patient.grant", aPerson, 0, 0, 5.0, true, "was named by the patient"},
	CareUnit:             {"team.unit", aUnit, 1, 3, 1.5, false, "works in a unit that is on the patient's care team since {on}"},
	Ordered:              {"order.placed", aPerson, 0, 7, 3.5, true, "asked for something for the patient on {on}"},
	Wrote:                {"document.mine", aPerson, 0, 7, 3.0, true, "wrote, or is to sign, something about the patient on {on}"},
	Repeat:               {"repeat.explained", derived, 0, 30, 3.0, false, "had a reason of care for the same patient {on}"},
	Confirmed:            {"confirmed.reason", derived, 0, 90, 0, false, "is alike to what a privacy officer found justified on {on}"},
	ColleagueAsked:       {"colleague.asked", aColleague, 0, 0, 4.5, false, "was asked about the patient by a colleague who treats her, and opened the chart by that from {on}"},
	ColleagueCovered:     {"colleague.covered", aColleague, 0, 0, 4.5, false, "covered for a colleague who treats the patient, and opened the chart by that from {on}"},
	activity:             {"activity", nobody, 0, 0, 0, false, ""},
	Collaborator:         {"collaborator.direct", derived, 0, 2, 2.0, false, "works with somebody who has a direct reason since {on}"},
}

// Name is the template's id in verdicts.
func (t Template) Name() string { return vocabulary[t].name }

// stays reports whether the template says on which unit a patient is.
func (t Template) stays() bool {
	return t == EncounterUnit || t == Emergency || t == AppointmentClinic || t == ProcedureUnit
}
