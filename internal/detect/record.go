package detect

// Record is one resource of the context, reduced to what detection asks. Exactly what its resource says is filled in.
type Record struct {
	Ref      string // Appointment/5
	Known    int64  // since when it is known, seconds; 0 from the start
	Gone     bool   // cancelled or entered in error: what an earlier version said holds no more
	Patient  string // whose it is
	Maker    string // Practitioner who wrote or asked for it, "" unknown
	Ties     []Tie
	Confirms []string // resources whose word it confirms
	Folk     *Folk
	Unit     *Unit
	Post     *Post
	Plan     *Plan
	Turn     *Turn
	Seat     *Seat
	Same     []string // Practitioner and Patient who are one human
	Twins    []string // other charts of the same patient
	Kin      []Kin
	Flags    []string // VIP, confidential, ... on the patient's chart
	Consents string   // patient who agreed to take part in research
}

// Kin is a relative, a Patient or Practitioner, of a patient.
type Kin struct{ Patient, Of string }

// Tie relates a person or a unit to the record's patient.
type Tie struct {
	Template Template
	Party    string // Location, Organization, HealthcareService, else a person; "" for templates of a function of the house
	Patient  string // when not the record's
	Known    int64  // since when, if later than the record
	From, To int64  // when it is true, seconds; 0 without bound
}

// Folk is a human as a directory describes one. Names and addresses are turned into keyed values when learned and not kept.
type Folk struct {
	Ref      string // Patient/9, Practitioner/17, or RelatedPerson/3 (then Of says whose)
	Of       string
	Family   string
	Given    string
	Birth    string // YYYY-MM-DD
	Street   string
	Postal   string
	Phones   []string
	Died     int64 // seconds, 0 alive or unknown
	Contacts []Contact
}

// Contact is next of kin as a chart names it.
type Contact struct{ Family, Given, Phone string }

// Unit is a place or department. Parts name those that may stand for it, best first; one that is the whole house does not.
type Unit struct {
	Ref, Type string
	Parts     []string
	Under     string // an organization that it is part of, and that is therefore no department
	House     bool
}

// Post is where a person works, by PractitionerRole.
type Post struct {
	Person, Role string
	Units        []string
	From, To     int64
}

// Plan is a Schedule: whose times of work it lists, and where. One of a day at most is itself such a time.
type Plan struct {
	Ref      string
	People   []string
	Places   []string
	From, To int64 // 0 unknown
}

// Turn is a Slot: one time of work of a plan.
type Turn struct {
	Plan     string
	From, To int64
}

// Seat is a device of the house at which people work, as its list of devices has it.
type Seat struct {
	Device string // Device/8
	Kind   string // workstation, mobile or server; empty: not said
	Place  string // where it stands; empty: not said
	Gone   bool   // it is on the list no more
}

// Shift is a planned one of the roster.
type Shift struct {
	Person, Place string
	From, To      int64
}
