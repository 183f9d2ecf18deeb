package casework

import (
	"slices"
	"time"

	"chartwarden/internal/detect"
)

// State is how far the office came with a case.
type State string

// The states. A closed case is never opened again by what it was closed about.
const (
	New    State = "new"
	Taken  State = "taken"
	Asked  State = "asked" // waits for the person's own word, or the manager's
	Closed State = "closed"
)

// Queues, the most pressing first.
const (
	Automatic = "automatic"
	Review    = "review"
	Watch     = "watch"
)

// Case is what the office sees: one person and one hypothesis, absorbing what follows.
type Case struct {
	ID            string `json:"-"` // decimal, stable
	Agent         string // Practitioner/17, as the log names who acted
	Person        string // id of the identity.Person, "" when not known here
	Hypothesis    string // snoop, harvest, exfiltration, ...; see docs/formats/detection.md
	State         State
	Owner         string // id of the officer who took it
	Opened        time.Time
	Updated       time.Time // when detection last added to it
	Taken         time.Time // zero: nobody did
	Due           time.Time
	Closed        time.Time
	LogE          float64 // nats
	Posterior     float64 // probability of misuse
	Severity      float64 // 0 to 1
	Queue         string  // Automatic, Review or Watch
	Alert         bool    // detection wanted the office to hear of it at the moment of the act, whatever the queue
	Provisional   bool    // raised before the site had shown two weeks of its own
	Events        []Event // in the order of their times
	Patients      []string
	Contributions []Contribution
	Summary       string // two sentences; names the agent by reference, no patient
	Outcome       string // of a closed case: Violation, Training, Justified or Unclear
	Closer        string // id of the officer who closed it
	Escalated     bool   // the person says that it was somebody else: it stays in the automatic queue
	Notes         []Note
	Named         map[string]string // officers to whom the patients' names are shown, and why
	Revision      int               `json:"-"` // of the stored case; grows with each change
	Told          int64             // number of the change by which the office is to hear of it: it was opened, or moved up a queue
	Change        int64             `json:"-"` // number of its newest change among those of all cases
	tell          bool              // the change being written is such a one
}

// Drawn reports whether nothing is suspected: an act was drawn at random for a look.
func (c *Case) Drawn() bool { return c.Hypothesis == detect.RandomAudit }

// Event is one access of a case.
type Event struct {
	Entry     int64     // position of the audit entry, an audit.Index; -1 for a log of another system
	Piece     int64     `json:",omitempty"` // of what is kept of that log, where it stands; 0: it is not kept
	Line      int       `json:",omitempty"` // of its file
	ID        string    // of the AuditEvent
	Time      time.Time //
	Kind      string    // read, search, export, print, ...
	Patient   string    // Patient/9; "" when of none
	Explained bool      // by the newest verdict
	Text      string    // why, or what is missing: sentences of detection
}

// Contribution is something that speaks for a case, or against it.
type Contribution struct {
	Name string
	Nats float64
	Text string
}

// Note is one line of a case's own history: what somebody did or wrote.
type Note struct {
	At    time.Time
	By    string // id of a person; "": the system
	Step  string // take, hand-over, ask, answer, close, reopen, names, mute; "": words alone
	Text  string
	Entry string // origin/index in the log; "" for none
}

// Open reports whether the office is not done with the case.
func (c *Case) Open() bool { return c.State != Closed }

// Pressing reports whether the office is to hear of the case by itself, and not only to find it.
func (c *Case) Pressing() bool { return c.Queue != Watch || c.Alert }

// Score orders cases of one queue.
func (c *Case) Score() float64 { return c.Posterior * c.Severity }

var queues = []string{Automatic, Review, Watch}

// within is how long the office has for a case of each queue.
var within = map[string]time.Duration{Automatic: 24 * time.Hour, Review: 72 * time.Hour, Watch: 14 * 24 * time.Hour}

func (c *Case) knows(id string) bool {
	return slices.ContainsFunc(c.Events, func(e Event) bool { return e.ID == id })
}

func comparePressing(a, b Case) int {
	if d := slices.Index(queues, a.Queue) - slices.Index(queues, b.Queue); d != 0 {
		return d
	}
	switch {
	case a.Score() != b.Score():
		if a.Score() > b.Score() {
			return -1
		}
		return 1
	}
	return b.Updated.Compare(a.Updated)
}
