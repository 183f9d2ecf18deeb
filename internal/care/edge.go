package care

import "chartwarden/internal/fhir"

// kind says what makes two parties related. The numbers stand in the tables and never change.
type kind int64

const (
	team        kind = 1  // member of a CareTeam
	ownDoctor   kind = 2  // Patient.generalPractitioner
	encounter   kind = 3  // participant of an Encounter
	appointment kind = 4  // participant of an Appointment
	ordered     kind = 5  // gave an order
	asked       kind = 6  // is named to carry one out, or to read its result
	task        kind = 7  // owns a Task
	deptOrder   kind = 8  // department with an order; actor is the department
	stay        kind = 9  // patient is at a place; actor is the place
	protection  kind = 10 // the chart is flagged; actor 0
	registered  kind = 11 // registered this patient as new
	own         kind = 12 // is this patient
	visited     kind = 13 // an Encounter of the patient, whoever takes part; actor 0

	role     kind = 20 // person to PractitionerRole (place)
	member   kind = 21 // person or role to department (place)
	schedule kind = 22 // person or role to place, by the Schedule that about names
	shift    kind = 23 // the same, at work from since to until
	slot     kind = 24 // one time of work of a Schedule (actor)
	ward     kind = 25 // an Organization that is a department, not the whole house
)

// Parts played in an encounter, and protections of a chart: the detail of an edge.
const (
	attending  = 1
	consultant = 2

	vip          = 1
	employee     = 2
	confidential = 3
	staffSafety  = 4
)

// protections are the words of policy.Relation.Flags.
var protections = map[int64]string{vip: "vip", employee: "employee", confidential: "confidential", staffSafety: "staff-safety"}

// Windows in milliseconds. The ones of policy stand in its text; these bound what is looked at and shown.
const (
	hour = int64(3_600_000)
	day  = 24 * hour

	after      = 72 * hour // a contact, a task and an order count that long after their end
	ahead      = 48 * hour
	wide       = 30 * day
	recent     = 90 * day // what is looked at, of what is over
	panelReach = 730 * day
	forgotten  = 760 * day // contacts that ended earlier than this before they became known are not kept
)

// edge is one relationship as a resource tells it.
type edge struct {
	kind         kind
	patient      fhir.PatientID
	actor, place int64
	detail       int64
	since, until int64
	role         bool // actor is a PractitionerRole: not stored, its edges to people are
}

// ends is what identifies an edge within its resource: the same parties in the same relationship, whenever.
type ends struct {
	kind         kind
	patient      fhir.PatientID
	actor, place int64
	detail       int64
}

func (e edge) ends() ends {
	x := ends{e.kind, e.patient, e.actor, e.place, e.detail}
	if e.kind == encounter || e.kind == appointment {
		x.detail = 0 // a part may change hands without a new relationship
	}
	return x
}

// near reports whether e holds, has just ended, or is about to begin at t: whether it would permit at all.
func (e edge) near(t int64) bool { return e.since-ahead < t && t < e.until+after }

func (e edge) holds(t int64) bool { return e.since <= t && t < e.until }

// row is an edge as stored: also when known, by whose word, and from which resource.
type row struct {
	edge
	id            int64
	known, closed int64
	author        int64
	mine          bool
	confirmed     int64
	record        fhir.RecordID
	about         int64
	mac           []byte
}

// waits reports whether the edge still waits for somebody else's act at t.
func (r row) waits(t int64) bool { return r.mine && (r.confirmed == 0 || r.confirmed > t) }

const edgeColumns = `id, patient, actor, kind, place, detail, since, until, known, closed, author, mine, confirmed, record, about, mac`

type scanner interface{ Scan(...any) error }

func scan(s scanner) (r row, err error) {
	err = s.Scan(&r.id, &r.patient, &r.actor, &r.kind, &r.place, &r.detail, &r.since, &r.until, &r.known, &r.closed, &r.author, &r.mine,
		&r.confirmed, &r.record, &r.about, &r.mac)
	return r, err
}
