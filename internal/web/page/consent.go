package page

import "chartwarden/internal/web/look"

// ConsentView asks a signed-in person whether an app may act for her. Fields travel from step to step in the body.
type ConsentView struct {
	Banners  []look.Banner
	App      string // name, as registered
	Owner    string // who answers for it
	OwnApp   bool   // of this house
	Where    string // host that the answer goes to
	Person   string // who decides
	Role     string
	Lines    []ConsentLine
	Until    string // how long it can go on
	Pick     bool   // a patient is to be chosen first
	Patient  string // who was chosen, or empty
	Name     string // typed into the search
	Birth    string
	MRN      string
	Hits     []ConsentHit
	Searched bool
	Problem  string
	Fields   []ConsentField // hidden
}

// ConsentLine is one thing that the app asks for.
type ConsentLine struct{ Icon, What, Of string }

// ConsentHit is a patient who can be chosen.
type ConsentHit struct {
	ID     string
	Name   string
	About  string // born, sex, end of the record number
	Closed bool   // not open to the person: no app opens it
}

// ConsentField is a part of the app's request.
type ConsentField struct{ Name, Value string }
