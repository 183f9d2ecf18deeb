package page

import "chartwarden/internal/web/look"

// RecertifyView is the page on which those who answer for people say what these still need.
type RecertifyView struct {
	Shell    look.Shell
	Problem  string
	Done     string // what the last answer did
	Due      string // the first day on which something lapses
	Ordinary int    // how many one touch keeps
	People   []RecertifyPerson
	Moves    []ComingLine    // what is set for those whose work this person answers for, or will
	Starts   *RecertifyStart // nil for whoever has nobody asked
}

// RecertifyPerson is one person with what is asked about her.
type RecertifyPerson struct {
	ID, Name, About string
	Holdings        []RecertifyLine
}

// RecertifyLine is one thing that a person holds.
type RecertifyLine struct {
	ID, Kind, What string
	Marks          []look.Mark
}

// RecertifyStart is the form that has it asked, with how those that were started stand.
type RecertifyStart struct {
	Due, Owner  string
	Department  string
	Owners      []Option
	Departments []string
	Past        []RecertifyPast
}

// RecertifyPast is one recertification.
type RecertifyPast struct {
	ID, Progress, Waiting string
	Started, Due          look.When
	Open                  bool
}
