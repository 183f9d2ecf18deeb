package page

import "chartwarden/internal/web/look"

// PrivacyView is the officer's overview: is it under control. Each number is a link.
type PrivacyView struct {
	Shell    look.Shell
	Sub      string // "Sat 21 Nov 2026, 312 people, 41 on shift"
	Figures  []Figure
	Twin     Twin // without PermutedWords it is left out: one share alone is not honest
	Volume   look.VolumeOf
	VolumeOf string      // "Last 14 days"
	Friction []look.Fact // what was asked of people at work; without any the card is left out
	// FrictionNote says beneath it what the figures mean.
	FrictionNote string
	GlassRates   []look.Fact // by department; without any the card is left out
	Mutual       []look.Fact // pairs who agree to each other's requests unusually often; without any the card is left out
	Queue        []ReviewLine
	Waiting      int // in the queue
	Proof        ProofLine
}

// Figure is one number that leads to its list.
type Figure struct {
	Number, Label, Hint, Href string
	Tone                      look.Tone
}

// Twin are the two shares that are only honest together: of real openings explained, and of openings dealt at random.
type Twin struct {
	Real, Permuted           float64 // 0 to 1
	RealWords, PermutedWords string  // 97.4 %
	Note                     string  // of which period, against which random draw
}

// ProofLine says in one line whether the record is whole.
type ProofLine struct {
	Tone look.Tone
	Lead string // "18 204 of 18 204 entries proven"
	Text string // "Checked 09:41 against the copy at the county archive."
	Head string // short form of the root
	Href string
}

// ReviewsView is the queue of openings that want a look.
type ReviewsView struct {
	Shell look.Shell
	Views []look.Link // Waiting, Answered, Closed; the current one without Href
	Rows  []ReviewLine
	Total int
	Older look.Link
}

// ReviewLine is one review in a list. Patients are masked.
type ReviewLine struct {
	Href    string
	What    string // "Opened with a reason: covering"; "4 charts with no care link"
	Who     string // "Dana Whitlock, Registration"
	Patient string // M. O., or "4 patients"
	When    look.When
	Due     string // "First review due in 21 hours"
	Marks   []look.Mark
}

// ReviewView is one review on one page: sentence, what is not known, what would have explained it, evidence, next step.
type ReviewView struct {
	Shell      look.Shell
	ID         string
	Crumb      string // 2291
	Prev, Next string // addresses in the queue
	Headline   string // "Registrar opened 13 charts with no care link"
	Marks      []look.Mark
	Meta       []string // "Ruth Adeyemi", "First review due in 21 hours", "Opened Fri 20 Nov 2026, 02:33"

	Tale    string // what happened, in sentences
	Unknown string // what is not known
	Weights []Weight
	Checks  []Check
	Given   string // reason that the person gave
	GivenAt look.When
	Lanes   *look.LanesOf
	LanesOf string // "Thu 19 Nov 12:00 to Fri 20 Nov 12:00"
	Entries []ReviewEntry
	Total   int
	Unmask  string // POST address that shows names, with a reason; empty: not allowed
	// What was typed into a form of the page that failed.
	Text, Decision, UnmaskText, UnmaskProblem string
	// Colleagues are the officers to whom the review can be passed on; with none the form is not there.
	Colleagues            []Option
	PassText, PassProblem string
	History               []Step
	Proof                 ProofLine

	Decide  bool   // this person may decide; nobody decides about her own openings
	Asked   string // the question that was put to the person; the review can still be decided
	Closed  string
	Also    []look.Link // other lists about the same person and patient
	Problem string
}

// Weight is one contribution to a suspicion in words: weak, moderate, strong, decisive.
type Weight struct {
	Text, Word string
	Share      float64 // of the strongest, 0 to 1
}

// Check is one thing that would have explained it.
type Check struct {
	Text, Found string // Appointment or visit, none
	Yes         bool
}

// ReviewEntry is one audit entry of a review.
type ReviewEntry struct {
	When                       look.When
	Patient, Where, Did, Found string
	Href                       string
}

// Step is one line of the history of a review.
type Step struct {
	When look.When
	Text string
}

// AuditView is the explorer: who, whose, what, when, why. What is typed travels in the body because it may name a patient.
type AuditView struct {
	Shell   look.Shell
	Filter  AuditFilter
	Asked   bool
	Rows    []AuditLine
	Shown   string // "50 of 1 204 entries, newest first"
	Before  string // cursor for older entries; empty: none
	Problem string
}

// AuditFilter holds what was asked, refilled.
type AuditFilter struct {
	Who, Patient, From, To string
	What, Outcome, Reason  []Option
}

// AuditLine is one entry in the table.
type AuditLine struct {
	Index   string // Number
	Href    string
	When    look.When // Exact
	Who     string
	Role    string
	Did     string // Read Observation, Opened summary
	Patient string // as this person may see it
	Reason  string
	Marks   []look.Mark // Refused, Glass, No reason found
}

// EntryView is one audit entry with its proof.
type EntryView struct {
	Shell    look.Shell
	Index    string
	Headline string // "Anna Lindqvist read the summary of O., M."
	When     look.When
	Facts    []look.Fact // who, role, device, place, assurance, purpose, outcome, policy
	Why      string      // the sentence
	Evidence []Item      // relationships behind the sentence
	Permits  []look.Fact // policy ids with their sentence
	Records  []Item      // what was shown
	Proof    EntryProof
	Older,
	Newer look.Link
	Up       look.Link   // the list that it belongs to
	Also     []look.Link // other lists about the same person and patient
	Resource string      // as FHIR AuditEvent, indented JSON
	Raw      string      // address of the same as a file
}

// EntryProof is the inclusion proof as one can check it by hand.
type EntryProof struct {
	Proven     bool
	Words      string // "This entry is in the record of 18 204 entries, signed 09:41:07."
	Origin     string
	Leaf, Root string // hex or base64, shortened by nobody
	Size       string
	Path       []Sibling // from leaf to root
	Note       string    // signed head, C2SP note
	Download   string
	Entry      string // the entry as the log keeps it, base64
	Key        string // public key to check the head with, C2SP verifier text
	Caution    string // what the proof does not show, such as a head that nobody else holds
}

// Sibling is one hash of an inclusion path; Left says on which side it stands.
type Sibling struct {
	Hash string
	Left bool
}

// IntegrityView shows whether the record is whole, and how anybody can check.
type IntegrityView struct {
	Shell    look.Shell
	State    IntegrityState
	Lead     string // "Proven: 18 204 of 18 204 entries"
	Text     string
	Facts    []look.Fact // origin, size, root, signed, key
	Head     string      // the signed note
	Checks   []Verified  // newest first
	Volume   look.VolumeOf
	Copies   []Copy
	Troubles []string // why a witness does not cosign
	CanAck   bool     // after a cut: this person may acknowledge it
	Faults   []string // of the newest check
	Hidden   string   // how many faults are not shown; empty: none
	Problem  string
}

// IntegrityState is how sure one can be.
type IntegrityState string

// The states of the record. Self-witnessed is never called proven. Unwitnessed: the witness is away. Disputed: it knows another record.
const (
	Proven        IntegrityState = "proven"
	SelfWitnessed IntegrityState = "self-witnessed"
	Unwitnessed   IntegrityState = "unwitnessed"
	Disputed      IntegrityState = "disputed"
	Journal       IntegrityState = "journal"
	Cut           IntegrityState = "cut"
)

func (s IntegrityState) tone() look.Tone {
	switch s {
	case Proven:
		return look.OK
	case Cut, Disputed:
		return look.Crit
	}
	return look.Warn
}

func (s IntegrityState) icon() string {
	switch s {
	case Proven:
		return "shield-check"
	case Cut, Disputed:
		return "unplug"
	case Journal:
		return "book-open-check"
	}
	return "shield-alert"
}

// Verified is one run of a check.
type Verified struct {
	When   look.When
	By     string // Anna Berg, or "hourly check"
	Scope  string // all 18 204 entries, 412 ms
	Result string // "Whole", or what is wrong
	OK     bool
}

// Copy is where heads are kept: a witness, a file on another volume, mail.
type Copy struct {
	Name, Kind string
	Last       look.When
	Size       string
	State      look.Mark
}
