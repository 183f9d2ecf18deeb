package page

import "chartwarden/internal/web/look"

// RestrictionsView is what patients ask to be restricted and nobody answered, the oldest first.
type RestrictionsView struct {
	Shell         look.Shell
	Done, Problem string
	Rows          []RestrictionRow
	More          bool
}

// RestrictionRow is one request.
type RestrictionRow struct {
	ID, Name, Href string
	About          string // what tells the patient from another
	Text           string // Xaver Exner may not see the patient's chart.
	But            []string
	When           look.When
	Open           bool // the form was sent back
}
