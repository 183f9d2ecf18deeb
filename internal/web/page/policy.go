package page

import "chartwarden/internal/web/look"

// RulesView is what is in force, what was, and what is being worked on.
type RulesView struct {
	Shell   look.Shell
	Problem string
	Facts   []look.Fact
	Behind  string // the program brings other rules than those in force; empty: it does not
	History []RulesLine
	Work    []RulesLine
	May     bool // this reader may propose
	Asks    bool // and may ask about one chart
	Beside  *BesideView
}

// RulesLine is a bundle that was in force, or work on one.
type RulesLine struct {
	Href, What, Sub string
	When            look.When
	Marks           []look.Mark
	Hash            string // whole: to go back to; empty: not offered
	New             bool   // it never decided here: work begins with it, and it is tried as any
}

// BesideView is what a candidate that decides beside found.
type BesideView struct {
	Words string
	Rows  []ChangeLine
}

// MatrixView is the matrix of one role.
type MatrixView struct {
	Shell   look.Shell
	Role    string
	Roles   []Option
	Of      string // address part of the candidate whose matrix it is; empty: the rules in force
	Changed string // how many cells change, of a candidate
	Acts    []string
	Rows    []MatrixRow
}

// MatrixRow is how somebody stands to a patient, with a cell for each act.
type MatrixRow struct {
	Stand string
	Cells []MatrixCell
}

// MatrixCell says which field groups an act reaches.
type MatrixCell struct {
	Act, Words, Href string
	None, Changed    bool
}

// CellView is one cell of the matrix, by field group, with the rules that decide.
type CellView struct {
	Shell look.Shell
	Title string
	Back  string
	Rows  []CellLine
	Rules []RuleText
}

// CellLine is the answer for one field group.
type CellLine struct {
	Group, Why, Rules string
	Mark              look.Mark
}

// RuleText is a rule as it was written.
type RuleText struct{ ID, Place, Text string }

// WorkView is work on the next bundle.
type WorkView struct {
	Shell     look.Shell
	ID        string
	Note      string
	Problem   string
	Marks     []look.Mark
	Facts     []look.Fact
	Own       bool // this reader is its author and it may still be changed
	Waits     look.Link
	Obstacles []string
	Faults    []string
	Failed    []string // scenario lines
	Files     []Option // Value: name; On: shown for editing
	File      string
	Text      string
	Numbered  []string // lines of the file that faults name, with their numbers
	Diffs     []DiffView
	Cells     []ChangedCell
	House     HouseView
	Trying    string // how far a replay under way has come; empty: none is
	Replay    *ReplayView
}

// HouseView is the form of the roles of the house, in work on the rules.
type HouseView struct {
	Roles      []HouseLine
	Of, Groups []Option
}

// HouseLine is one role of the house.
type HouseLine struct{ Name, Of, Groups string }

// DiffView is how one file differs from the rules in force.
type DiffView struct {
	Name  string
	Lines []DiffText
}

// DiffText is one line; Kind is add, del, same or gap.
type DiffText struct{ Kind, Number, Sign, Text string }

// ChangedCell is a cell of the matrix that would change.
type ChangedCell struct{ Role, Stand, What, Href string }

// ReplayView is what the text would have decided about accesses that happened.
type ReplayView struct {
	Words string
	Rows  []ChangeLine
}

// ChangeLine is one way in which decisions come out differently.
type ChangeLine struct {
	Key, What, Who, People, Rule, Answer string
	Mark                                 look.Mark
	Care                                 bool
}

// AskRulesView is the page on which one asks whether somebody may open a chart.
type AskRulesView struct {
	Shell                    look.Shell
	Problem                  string
	Person, Patient, Act, At string
	People, Acts             []Option
	Answer                   string
	Allowed                  bool
}

// AdviceView is what is held and not used.
type AdviceView struct {
	Shell look.Shell
	Words string
	Rows  []RulesLine
}
