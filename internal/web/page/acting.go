package page

import "chartwarden/internal/web/look"

// ActingView is the page on which a person asks to act as a colleague, lets one, begins and ends it.
type ActingView struct {
	Shell   look.Shell
	May     bool // ask
	Problem string
	Person  string // as typed
	Reason  string
	Rows    []ActingLine
}

// ActingLine is one person acting as another, or asking to.
type ActingLine struct {
	ID, By, As string // names
	Reason     string
	State      string
	Until      look.When
	Runs       bool // can be ended
	Begin      bool // can be begun by who reads
	Decide     bool // waits for the word of who reads
}
