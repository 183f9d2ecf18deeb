package page

import "chartwarden/internal/web/look"

// PeopleView lists the persons of the installation. It never shows patient data.
type PeopleView struct {
	Shell   look.Shell
	Views   []look.Link // Active, Ended, Not enrolled; the current one without Href
	Pending []Pending
	Which   string // the current view: Active
	Q       string // what was searched for
	People  []PersonLine
	First   int // number of the first one shown, from 1
	Total   int
	Newer   look.Link
	Older   look.Link
	May     bool // this reader administers people: forms are there
}

// span says which of how many are shown.
func (v PeopleView) span() string {
	if v.Total > len(v.People) && len(v.People) > 0 {
		return look.Number(int64(v.First)) + " to " + look.Number(int64(v.First+len(v.People)-1)) + " of " + look.Number(int64(v.Total))
	}
	return look.Shown(len(v.People), max(v.Total, len(v.People)), "person", "people")
}

// PersonLine is one person in the list.
type PersonLine struct {
	Href, Name, Login string
	Roles             string // Physician, Privacy officer
	Department        string
	Last              look.When // last active
	Marks             []look.Mark
}

// Pending is something that a second person must agree to. Nobody agrees to an own request.
type Pending struct {
	ID, What, By string
	When         look.When
	Mine         bool // asked by this person: somebody else must agree
}

// AddPersonView is the form for a new person.
type AddPersonView struct {
	Shell        look.Shell
	Name, Login  string
	Department   string
	Practitioner string // Practitioner/<id> of the staff directory
	Mail         string
	Managers     []Option
	Roles        []RoleOption
	Second       bool // clinical roles wait for a second person (outside a sandbox)
	Problem      string
}

// RoleOption is one role with what it opens, in a sentence.
type RoleOption struct {
	Value, Name, Opens string
	On                 bool
}

// PersonView is one person: roles, sign-ins, and the two acts that matter.
type PersonView struct {
	Shell     look.Shell
	ID        string
	Name      string
	Sub       string // dana.whitlock, Registration
	Marks     []look.Mark
	Facts     []look.Fact // practitioner, added, last active, training
	Factors   []look.Fact // password set, authenticator since
	Roles     []RoleOption
	House     []Option     // roles of the house; empty where the rules have none
	Cleared   []RoleOption // the sensitivity labels for which a person can be cleared
	Sessions  []SessionLine
	Link      *EnrolLink // a fresh enrolment link, shown once
	Ended     string     // "Ended Fri 20 Nov 2026, 17:02 by HR. 1 session and 2 devices closed."
	Suspended bool
	Scheduled []string // what happens when, in sentences
	Moves     bool     // this reader may set a move
	// Certificate is where the certificate of the termination stands; empty before.
	Certificate string
	Seconds     []Option // persons who may be the second for a reset
	Managers    []Option // who may answer for the work; the one who does is on
	Mail        string
	Alias       string // what patients read in place of the name; empty for who does not work here
	Aliased     bool   // and they do
	MayEnd      bool
	May         bool // this reader administers people: forms are there
	Invite      bool // has no sign-in yet: a fresh link may be made
	Problem     string
}

// CertificateView is what a termination ended, on a page that prints.
type CertificateView struct {
	Shell    look.Shell
	ID, Name string
	Facts    []look.Fact // who, why, by whom, when
	Ended    []look.Fact // what died
	Used     []look.Fact // what was opened in the 30 days before, by kind
	Timers   []look.Fact
	Sessions []string
	Notice   string // for partners, signed; empty: none is sent
	Lacking  bool   // what others count is not there yet: look again
	Key      string
}

// EnrolLink is a one-time link. It is shown once, to hand over in person.
type EnrolLink struct {
	URL   string
	Until look.When
}

// SessionLine is one open session.
type SessionLine struct {
	Device, Zone string
	Since, Last  look.When
}

// ConfigurationView shows what the installation is set to.
type ConfigurationView struct {
	Shell   look.Shell
	Version string
	Since   look.When // when this process started
	Groups  []SettingGroup
}

// SettingGroup are settings that belong together.
type SettingGroup struct {
	ID, Name string
	Settings []Setting
}

// Setting is one of them.
type Setting struct {
	Name, Variable string // --listen, CHARTWARDEN_LISTEN
	Value          string // empty: not set
	Means          string
	Origin         look.Mark
	Change         string // how a change takes effect
}
