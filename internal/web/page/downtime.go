package page

import "chartwarden/internal/web/look"

// DowntimeView is the page on which a downtime of the whole site is declared and ended.
type DowntimeView struct {
	Shell   look.Shell
	Until   string // when the one that runs ends; empty: none runs
	Problem string
	Reason  string // as typed
	Past    []DowntimeLine
}

// DowntimeLine is one downtime.
type DowntimeLine struct {
	Since, Until look.When
	By           string // both people
	Href         string // its openings; empty for whoever does not review them
	Runs         bool
}
