package audit

import (
	"fmt"
	"time"

	"chartwarden/internal/fhir"
)

// Kind is the class of an entry. It stands in clear in the log, so it says what kind of act this was and never anything of a record.
type Kind byte

// The kinds. Numbers are part of the format and never change their meaning.
const (
	Opened       Kind = 1  // a log began
	Started      Kind = 2  // a server started, with its version
	Heartbeat    Kind = 3  // nothing happened for a minute
	Disclosure   Kind = 4  // records were opened for somebody
	Refusal      Kind = 5  // somebody asked and did not get
	Intent       Kind = 6  // a write is about to happen, with the hash of what will be stored
	Conclusion   Kind = 7  // how an intended write ended
	Search       Kind = 8  // a query was put; its hits are disclosures
	Session      Kind = 9  // sign-in, sign-out, lock
	Glass        Kind = 10 // somebody broke the glass
	People       Kind = 11 // persons, roles, credentials
	Policy       Kind = 12 // policy published
	Setting      Kind = 13 // configuration
	Keys         Kind = 14 // keys made, rotated, shredded
	Redaction    Kind = 15 // a payload was removed, by whom and why
	Export       Kind = 16 // records or the log left in bulk
	LogRead      Kind = 17 // the log itself was read
	Import       Kind = 18 // records or a foreign log came in
	Emergency    Kind = 19 // merged from the emergency journal, with its original time
	Journal      Kind = 20 // an emergency journal was prepared or merged
	Cut          Kind = 21 // a log was closed because outside evidence disagrees
	Acknowledged Kind = 22 // a person acknowledged a cut
	Counters     Kind = 23 // root over the lengths of all chains
	Clock        Kind = 24 // the clock is not to be trusted, or is again
	Node         Kind = 25 // a node joined or left
	Casework     Kind = 26 // a case was opened, judged, closed
	Job          Kind = 27 // a step of a job
	Message      Kind = 28 // a message was sent or read
)

var kindNames = map[Kind]string{
	Opened: "opened", Started: "start", Heartbeat: "heartbeat", Disclosure: "disclosure", Refusal: "refusal", Intent: "intent", Conclusion: "conclusion",
	Search: "search", Session: "session", Glass: "glass", People: "people", Policy: "policy", Setting: "setting", Keys: "keys", Redaction: "redaction",
	Export: "export", LogRead: "audit-read", Import: "import", Emergency: "emergency", Journal: "journal", Cut: "cut", Acknowledged: "acknowledged",
	Counters: "counters", Clock: "clock", Node: "node", Casework: "casework", Job: "job", Message: "message",
}

// String is the kind's word for people.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind-%d", byte(k))
}

// Classes of an access, for lists that fold and for detection that weighs.
const (
	Deliberate = "deliberate"
	Incidental = "incidental" // a row of a list
	Machine    = "machine"
)

// Index names one entry among all logs of this installation. While there is one log it is simply the entry's number.
// The zero Index is the first entry, which never is an intent: in [Event.Intent] it means none.
type Index int64

const numberBits = 40

// Number is the entry's number inside its own log.
func (i Index) Number() int64 { return int64(i) & (1<<numberBits - 1) }

// Since reports that an entry does not stand before another of its log; of entries of different logs it says nothing and is true.
func (i Index) Since(first Index) bool { return i.log() != first.log() || i >= first }

func (i Index) log() int64 { return int64(i) >> numberBits }

func indexOf(log, number int64) Index { return Index(log<<numberBits | number) }

// Event is one act, whole: who, as whom, why, about whom, by which permission.
type Event struct {
	Kind        Kind      // zero: as the constructor that appends it says
	Time        time.Time // when it happened; zero: now. The entry itself always carries the time of the log
	Agent       Agent
	Action      string // C, R, U, D, E; empty: what is usual for the interaction
	Interaction string // read, vread, search-type, chart, export, login, ...
	Class       string // Deliberate, Incidental or Machine
	Purpose     string // TREAT, ETREAT, BTG, HPAYMT, HOPERAT, PATRQT, ...
	Outcome     int    // 0 success, 4 minor, 8 serious, 12 major failure
	Query       string // the search, as asked
	Request     string // X-Request-Id
	PolicyHash  string // hex, of the policy set that decided
	Text        string // the agent's words or a note for people; never a value of a record
	Intent      Index  // of a Conclusion: the intent that it ends
	Patients    []PatientPart
	Imported    Imported // where a merged entry comes from
	Target      Index    // of a Redaction: the entry whose part was removed
	TargetPart  int      // of a Redaction: which part; 0 is the one common to all patients
}

// Agent is who acted. Exactly one of Person, Client and Job acts; a person may act through a Client.
type Agent struct {
	Person, Name, Role, Capacity, Practitioner, Client, Job, Session, Device, Address, Zone string
	AAL                                                                                     int
	As, AsName                                                                              string // the person as whom Person acts, who agreed or for whom another did; empty: as herself
}

// PatientPart is what an event has to do with one patient. It is sealed under that patient's audit key and can be redacted alone.
type PatientPart struct {
	Patient            fhir.PatientID // 0: system data, of no patient
	Ref                string         // Patient/id
	Permits            []string       // ids of the policies that permitted
	Template, Sentence string         // the one reason
	Relation           string         // the facts that made it true, JSON
	Groups             []string       // field groups that were shown
	Records            []Record
	Unexplained, Glass bool
	Details            string // what else the entry must hold about this patient, JSON
}

// Record is one version of one record.
type Record struct {
	Record  fhir.RecordID
	Version int64
	Ref     string   // Type/id; may be empty
	Hash    [32]byte // SHA-256 of what is stored, in intents; zero otherwise
}

// Imported says where an entry was first recorded.
type Imported struct {
	Journal string // id of an emergency journal, or the origin of a foreign log
	Number  int64
	Chain   [32]byte // the journal's hash chain after this entry
}
