package detect

// Kind is what was done.
type Kind uint8

// What an event can be. An Export leaves the system, a Print leaves it on paper, an Operation reads many at once.
const (
	Other Kind = iota
	Read
	Search
	Create
	Update
	Delete
	Export
	Print
	Operation
	Login
	Logout
	Glass
)

// Event is one line of the log, reduced to what detection asks. Strings may share memory with a larger text: what is kept is copied.
type Event struct {
	ID       string
	Time     int64 // seconds of Unix time
	Kind     Kind
	Failed   bool
	Agent    string // Practitioner/17
	Role     string
	Place    string // Location/3, where the agent says to be
	Address  string // of the network
	Device   string // Device/8
	Purpose  string // v3 ActReason of the first purpose
	Machine  bool   // no person acted
	Listed   bool   // a row of a list, not asked for
	Data     string // DocumentReference/5, the first record concerned
	Section  string
	Rows     int64
	Bytes    int64
	Authored int64 // when the record says that it was written, 0 unknown
	Patients []string
	Words    []Word // by which the door opened the charts of Patients, one by one; 0 by none; shorter: none for the rest
}

// writes reports whether an event leaves its mark on the record.
func (ev *Event) writes() bool { return ev.Kind == Create || ev.Kind == Update || ev.Kind == Delete }
