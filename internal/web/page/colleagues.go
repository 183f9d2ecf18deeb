package page

import "chartwarden/internal/web/look"

// ColleaguesView is what people at work let each other do: requests to answer, what is open by somebody's word, covers.
type ColleaguesView struct {
	Shell   look.Shell
	Problem string
	Asks    []AskLine
	Broken  []BrokenLine // openings with the glass at this person's patients
	Given   []WordLine   // open to others by this person's word
	Held    []WordLine   // open to this person by a word
	Covers  []WordLine
	Cover   *CoverForm // nil: this person makes none
}

// AskLine is a request that waits for this person's word.
type AskLine struct {
	ID, By, Role  string
	Patient, Text string
	When          look.When
}

// BrokenLine is one opening with the glass.
type BrokenLine struct {
	By, Patient, Why, Href string
	When                   look.When
}

// WordLine is one word that has not ended.
type WordLine struct {
	ID    string
	Title string // Grace Okafor may open the chart of Rivera, Ana
	Hint  string // You said so at 10:12; until 19:00
	Href  string // of the chart, where it is open
	End   string // label of the button that ends it
}

// CoverForm makes a cover. Candidates are people of that name, where there are several.
type CoverForm struct {
	Person, From, Until string // as typed
	For                 string // whose cover it is, for a manager; empty: one's own
	Others              []CoverPerson
	Problem             string
}

// CoverPerson is somebody whom this person may have covered: herself, or of whom she is the manager.
type CoverPerson struct{ ID, Name string }

// AskInView is the form on a chart by which who treats the patient asks a colleague in.
type AskInView struct {
	Action     string
	Name       string // as typed
	Problem    string
	Candidates []CoverPerson // several colleagues have that name
	Words      []WordLine    // what is open to others now
}
