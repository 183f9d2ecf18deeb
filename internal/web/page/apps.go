package page

import "chartwarden/internal/web/look"

// AppsView is what a person lets apps do, each with a way to end it.
type AppsView struct {
	Shell look.Shell
	Apps  []App
	Ended string // the name of the app whose access was just ended
}

// App is one authorization that stands.
type App struct {
	ID      string // opaque
	Name    string
	Who     string // "An app of this hospital" or who answers for it
	Patient string // the chart that it is bound to; empty: wherever the person may
	Since   look.When
	Until   string
	Lines   []ConsentLine
}
