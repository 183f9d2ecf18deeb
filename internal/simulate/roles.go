package simulate

// role is what a person does; its name is written into every entry.
type role uint8

const (
	nurse role = iota
	chargeNurse
	triageNurse
	floatNurse
	hospitalist
	physician
	practitioner // nurse practitioner
	resident
	student
	surgeon
	anaesthetist
	assistant
	pharmacist
	technologist
	radiographer
	radiologist
	therapist
	socialWorker
	caseManager
	scheduler
	registrar
	biller
	coder
	recordsClerk
	reviewer
	researcher
	analyst
	roles
)

var roleNames = [roles]string{"nurse", "charge-nurse", "triage-nurse", "float-nurse", "hospitalist", "physician", "nurse-practitioner", "resident", "medical-student",
	"surgeon", "anaesthetist", "medical-assistant", "pharmacist", "lab-technologist", "radiographer", "radiologist", "therapist", "social-worker", "case-manager",
	"scheduler", "registration-clerk", "billing-clerk", "coder", "records-clerk", "quality-reviewer", "research-coordinator", "it-analyst"}

// bedside are the roles that the specification calls clinical.
func (r role) bedside() bool { return r <= assistant && r != student }

// treats says whether a role's everyday purpose is treatment.
func (r role) treats() bool { return r <= caseManager }

type purpose uint8

const (
	treat purpose = iota
	payment
	operations
	research
	glass
)

var purposeCodes = [...]string{"TREAT", "HPAYMT", "HOPERAT", "HRESCH", "BTG"}

func (r role) purpose() purpose {
	switch {
	case r.treats():
		return treat
	case r == biller || r == coder:
		return payment
	case r == researcher:
		return research
	default:
		return operations
	}
}

// pattern is how a person's working days and hours lie.
type pattern uint8

const (
	office  pattern = iota // Monday to Friday
	twelve                 // twelve hours, nights every other fortnight
	eight                  // early, late or night, five of seven
	sevenOn                // seven days on, seven off
	house                  // six of seven, one fortnight in six at night
)

// post is a kind of job: how many there are, where, and when they work.
type post struct {
	role    role
	at      unitKind
	each    int // in each unit of the kind
	mille   int // or of a thousand staff, in the one unit of the kind
	pattern pattern
}

var posts = []post{
	{nurse, ward, 22, 0, twelve}, {chargeNurse, ward, 3, 0, twelve}, {hospitalist, ward, 3, 0, sevenOn}, {resident, ward, 4, 0, house}, {student, ward, 1, 0, office},
	{physician, clinic, 6, 0, office}, {practitioner, clinic, 2, 0, office}, {assistant, clinic, 6, 0, office}, {nurse, clinic, 2, 0, office}, {scheduler, clinic, 2, 0, office},
	{triageNurse, emergency, 0, 8, twelve}, {nurse, emergency, 0, 28, twelve}, {physician, emergency, 0, 14, twelve}, {resident, emergency, 0, 10, house}, {registrar, emergency, 0, 12, eight},
	{surgeon, theatre, 0, 20, office}, {anaesthetist, theatre, 0, 15, office}, {nurse, theatre, 0, 22, office}, {floatNurse, pool, 0, 25, twelve},
	{pharmacist, pharmacy, 0, 30, eight}, {technologist, laboratory, 0, 38, eight}, {radiographer, radiology, 0, 32, eight}, {radiologist, radiology, 0, 14, office},
	{therapist, therapy, 0, 34, office}, {socialWorker, cases, 0, 14, office}, {caseManager, cases, 0, 16, office}, {registrar, registration, 0, 24, eight},
	{biller, billing, 0, 42, office}, {coder, billing, 0, 26, office}, {recordsClerk, records, 0, 20, office}, {reviewer, quality, 0, 9, office},
	{researcher, studies, 0, 20, office}, {analyst, technology, 0, 18, office},
}
