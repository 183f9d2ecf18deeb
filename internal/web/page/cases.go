package page

import "chartwarden/internal/web/look"

// CasesView is the queue of cases: the list, and one of them beside it.
type CasesView struct {
	Shell   look.Shell
	Sub     string      // how many today, of how many that are expected
	Views   []look.Link // Waiting, Mine, On watch, Closed; the current one without Href
	Filters []CaseFilter
	Rows    []CaseLine
	Total   int
	Older   look.Link
	Preview *CasePreview
	Picked  bool      // the preview was asked for, not chosen by the page
	Feed    *FeedLine // how the log of a watched system comes; nil: the own log is followed
	Notes   []string  // "1 more is in a colleague's queue"
	Empty   string    // what an empty list says
	Nights  bool      // people are told in the night of what they opened
}

// CaseFilter is one question by which the list is narrowed; the current answer has no Href.
type CaseFilter struct {
	Name  string
	Links []look.Link
}

// CaseLine is one case in a list.
type CaseLine struct {
	Href    string // of the page with this one beside the list
	What    string // "Opened 13 charts with no link to care"
	Who     string // "Nurse N-4F2, 3 West"
	Kind    string // "Looking without a reason"
	Marks   []look.Mark
	Due     string
	Overdue bool
	Officer string // who answers for it
	Current bool
}

// CasePreview is one case beside the list: enough to decide whether to take it.
type CasePreview struct {
	ID, Headline string
	Marks        []look.Mark
	Meta         []string
	Tale         string
	Weights      []Weight
	Href         string // of the case
	Prev, Next   string // of the page with the neighbour beside the list
	Take         bool   // it can be taken
	Barred       string
}

// CaseView is one case on one page: the sentence first, then what we do not know, what speaks for it, what would have explained it,
// what to do, and below the evidence.
type CaseView struct {
	Watched    bool // the accesses are those of another system
	Shell      look.Shell
	ID         string
	Prev, Next string
	Headline   string
	Marks      []look.Mark
	Meta       []string
	Overdue    string // "First review was due 3 hours ago"

	Tale     string
	Unknown  []string
	Given    []CaseAnswer // what the person and the manager said
	Weights  []Weight     // in words; Nats on demand
	Figures  []look.Fact  // in numbers, on demand
	Checks   []Check
	Masked   string // what is hidden, and why
	Steps    []CaseStep
	Lanes    *look.LanesOf
	LanesOf  string
	Ego      *look.EgoOf
	Ties     []CaseTie
	Related  []string // how close the person and a patient are, in masked words
	Hours    *look.HoursOf
	HoursOf  string
	Entries  []CaseEntry
	More     []CaseEntry // that unfold below
	Shown    string
	Names    *CaseNames
	Notes    []CaseNote
	Proof    ProofLine
	Alike    []CaseLine
	About    []CaseLine
	Also     []look.Link
	Form     *CaseForm
	Take     bool   // nobody has taken it, and this officer may
	Barred   string // why this officer decides nothing here
	Held     string // who has taken it
	Closed   string // how it ended
	Reopen   bool
	HandOver []Option // officers to whom it can be given; empty: cannot be handed over by this one
	Mute     string   // where it can be left alone; empty: not
	Muted    string   // until when two officers leave it alone
	Problem  string
	Typed    CaseTyped
}

// CaseTyped is what was typed into a form that failed.
type CaseTyped struct{ Text, Names, HandOver, Mute, Reopen string }

// CaseAnswer is what somebody answered: a claim.
type CaseAnswer struct {
	Who, Answer, Said string
	When              look.When
}

// CaseStep is one step of progress.
type CaseStep struct {
	Text, Hint string
	Done, Now  bool
}

// CaseTie is one line of the table that says the same as the graph.
type CaseTie struct{ Patient, Accesses, How string }

// CaseEntry is one access.
type CaseEntry struct {
	When                       look.When
	Patient, Where, Did, Found string
	Href                       string // empty while the person is a pseudonym
}

// CaseNames is the way to the patients' names.
type CaseNames struct {
	Shown   bool // they are shown, with a reason
	Text    string
	Numbers bool // not names, but the numbers under which another system has the patients
}

// CaseNote is one line of the case's history.
type CaseNote struct {
	When look.When
	Text string
	Href string // its entry
}

// CaseForm is the next step: one form, of which each choice shows what belongs to it.
type CaseForm struct {
	Choice   string // ask, ask-manager, note, close
	First    string // given name of the person, or "the person"
	CanAsk   bool   // the person has an account here
	Managers []Option
	Hint     string // who the manager is known to be
	Outcome  string
	Seen     string
	Fact     CaseFact
}

// CaseFact is what justified a case, as it is written into the form.
type CaseFact struct {
	Whom, Unit, Patients, Reason string
	Kinds                        []Option // of patients, that detection can tell
}

// OutcomeChoice is one way a case ends.
type OutcomeChoice struct{ Value, Title, Hint string }

// CaseOutcomes are the ways a case ends, in words.
func CaseOutcomes() []OutcomeChoice {
	return []OutcomeChoice{
		{"violation", "Against the rules", "It should not have happened"},
		{"training", "Training issue", "No ill will: somebody has to learn something"},
		{"justified", "Justified, and why", "There was a reason in the work"},
		{"unclear", "Cannot tell", "Nothing decides it either way"},
	}
}

// ClosuresView reports who closed whose cases.
type ClosuresView struct {
	Shell look.Shell
	Rows  []ClosureLine
}

// ClosureLine is one officer and one person.
type ClosureLine struct {
	Officer, Who, Closed, Outcomes string
	Last                           look.When
	Marks                          []look.Mark
}

// SanctionsView is the guide to what a practice usually does.
type SanctionsView struct{ Shell look.Shell }

// AskedView is a question of the privacy office to this person.
type AskedView struct {
	ID, Title, Text string
	When            look.When
	Accesses        []string
	Answers         []AnswerChoice
	Said            string // what was typed, when it failed
	Chosen          string
	Problem         string
}

// AnswerChoice is one answer that can be chosen.
type AnswerChoice struct{ Value, Title, Hint string }

// choices are the next steps in the order of their keys.
func (f CaseForm) choices() []AnswerChoice {
	ask := []AnswerChoice{
		{"ask", "Ask " + f.First, "The question stands in My activity"},
		{"ask-manager", "Ask the manager", "Whether there was a reason in the work"},
	}
	if !f.CanAsk {
		ask = []AnswerChoice{{"heard", "Write down an answer", "The person has no account here: ask by telephone or in person"}}
	}
	return append(ask, []AnswerChoice{
		{"note", "Write a note", "What you found elsewhere: badge, telephone, roster"},
		{"close", "Decide and close", "With an outcome; it can be opened again"},
	}...)
}

// AuditsView reports what random audits found: what everything else missed.
type AuditsView struct {
	Shell  look.Shell
	Says   string // the last twelve months in a sentence or two
	Months []AuditMonth
}

// AuditMonth is one month.
type AuditMonth struct{ Month, Drawn, Waiting, Decided, Found, Share string }

// ClearedView is a message of the night for which a reason is known by now.
type ClearedView struct {
	When  look.When
	Lines []string
}

// NightsView reports how the messages of the night went.
type NightsView struct {
	Shell look.Shell
	Spans []NightSpan
	Heard []NightHeard
}

// NightSpan is how they went over some days, in words and figures.
type NightSpan struct {
	Title, Says string
	Figures     []look.Fact
}

// NightHeard is one answer that the office should know of.
type NightHeard struct {
	When                  look.When
	Who, Answer, Accesses string
}

// FeedLine says in a line how the log of a watched system comes.
type FeedLine struct {
	Text string
	Warn bool // it is not as it should be
}

// FeedView is how the log of a watched system comes, file by file.
type FeedView struct {
	Shell   look.Shell
	Sub     string
	Notes   []string // what is not as it should be, each a sentence
	Facts   []look.Fact
	Files   []FeedFile
	Shown   string
	Context []string // lines of the context that are none
}

// FeedFile is one file.
type FeedFile struct {
	Name    string
	Said    string   // form, when it came, until when its accesses reach, how many lines
	Some    []string // rejected lines, the first
	Trouble string
}
