package page

import "chartwarden/internal/web/look"

// ApprovalsView lists what two people have to want.
type ApprovalsView struct {
	Shell look.Shell
	Rows  []ApprovalLine
}

// ApprovalLine is one act that waits.
type ApprovalLine struct {
	Href, What, By string
	When           look.When // it was asked
	Marks          []look.Mark
}

// ApprovalView is one act on one page: what it would do, and the word of the second person.
type ApprovalView struct {
	Shell    look.Shell
	ID       string
	Headline string
	Marks    []look.Mark
	Problem  string
	Reason   string // of who asked, in his own words
	Facts    []look.Fact
	Will     string // what is done when somebody agrees, in a sentence
	Counts   []look.Fact
	Steps    []UndoLine
	More     string // how many steps are not listed
	Left     []UndoLine
	Diffs    []DiffView // of rules: what differs from those in force
	Open     bool       // it waits
	May      bool       // this person may agree
	Mine     bool       // this person asked
	Why      string
}

// UndoLine is one resource of an undo, by type and the end of its id.
type UndoLine struct {
	What, Chart, Does string
}
