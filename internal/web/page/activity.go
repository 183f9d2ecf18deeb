package page

import "chartwarden/internal/web/look"

// ActivityView is what this person opened, with the reason that was found, and a place to add one before anybody asks.
type ActivityView struct {
	Shell   look.Shell
	Asked   []AskedView // what the privacy office asks
	Cleared []ClearedView
	Summary string // "32 charts in the last 7 days. A reason was found for 31."
	Days    []ActivityDay
	Total   int
	Older   look.Link
}

// ActivityDay is one day, newest first.
type ActivityDay struct {
	Title string // Today, Fri 20 Nov 2026
	Rows  []Opened
}

// Opened is one chart or act of that day.
type Opened struct {
	Entry  string // opaque id for adding a reason
	Href   string // to the chart; empty when it is closed now
	Name   string // patient, or what it was: Search, Export
	Did    string // Summary and results, 4 times
	Reason string // the sentence, or what the person wrote
	When   look.When
	Glass  bool
	Asks   bool   // no reason found: show the form
	Mine   bool   // nobody said that it was somebody else's
	Said   string // what the person already answered
}

// PortalView is "Who looked at my chart": read on a phone in half a minute.
type PortalView struct {
	Shell    look.Shell
	Name     string          // of the patient, for the heading
	Summary  string          // "14 people looked at your chart in the last 30 days. All of them had a part in your care."
	Withheld string          // "31 entries, 2 withheld until 5 Dec 2026"; empty when none
	Consents []PortalConsent // what she agreed to or forbade, in force or to come
	Unread   string          // why a consent may be missing; empty when none is
	Asked    string          // what was just done about a restriction
	Problem  string          // what is to be mended in a request for one
	People   []string        // who looked, by name
	Choices  []Option        // visits and kinds of record that only those who treat may see, on request; empty: none can be asked for now
	Visits   []PortalVisit
	Report   string // address of the download
	Proven   string // "This list is complete. Checked 09:41 against the copy at the county archive."
	ProofAt  string
	Head     string // on paper alone: the signed head of the record that this list is under
	Check    string // on paper alone: how the list can be held against it
	Older    look.Link
}

// PortalConsent is one consent or restriction in sentences.
type PortalConsent struct {
	Text string   // Xaver Exner may not see your chart, until the end of 31 Dec 2026.
	But  []string // its exceptions, a sentence each

	State    string // of one that the patient asked for
	Withdraw string // its opaque id, where she can take it back
}

// PortalVisit groups lines by visit or stay, at most 20 lines each.
type PortalVisit struct {
	Title string // Stay on 5 West
	Span  string // 19 Nov 2026 until now
	Lines []PortalLine
	Total int
}

// PortalLine is one person or role with one reason.
type PortalLine struct {
	Who    string // Théo Moreau, or an alias, or "Laboratory system"
	Role   string // Nurse, 5 West
	Reason string // in the patient's words: "Looked after you on this shift"
	Part   string // what was seen: Medications and results
	When   look.When
	Times  int
	Each   []PortalOpening
	Asked  string // "You asked on 20 Nov. The privacy office answers by 27 Nov."
	Entry  string // opaque id for the question; empty: cannot be asked about
}

// PortalOpening is one opening within a line.
type PortalOpening struct {
	When  look.When
	Part  string
	Index string // number of the entry, Number
	Proof string // address of its proof
}

// UnitView is how much of a department's openings had a known reason, by week; it holds nobody's name.
type UnitView struct {
	Shell look.Shell
	Units []UnitOf
}

// UnitOf is one department, the newest week first.
type UnitOf struct {
	Name  string
	Weeks []UnitWeek
}

// UnitWeek is one whole week.
type UnitWeek struct {
	From  look.When
	Share string // 97 %, or why it is not shown
}
