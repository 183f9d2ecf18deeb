package page

import "chartwarden/internal/web/look"

// ResultsView lists all results by group, newest first.
type ResultsView struct {
	Chart  ChartView
	Groups []ResultGroup
}

// ResultGroup is one panel, or one category: Laboratory, Vital signs.
type ResultGroup struct {
	Title string
	When  look.When
	By    string
	Rows  []Result
	Total int
}

// ResultView is one result over time.
type ResultView struct {
	Chart  ChartView
	Name   string
	Latest Result
	Trend  look.TrendOf // Large; empty Series for results that are words
	Rows   []Result     // newest first
	Total  int
}

// MedicationsView lists what is taken now and what was.
type MedicationsView struct {
	Chart            ChartView
	Current, Stopped []Medication
}

// NotesView lists notes, newest first, and the drafts of this person on top.
type NotesView struct {
	Chart    ChartView
	CanWrite bool
	Drafts   []NoteLine
	Notes    []NoteLine
	Total    int
}

// NoteLine is one note in a list.
type NoteLine struct {
	Href       string
	Kind       string // Progress note
	Title      string // may be empty
	Author     string
	When       look.When
	Marks      []look.Mark // Draft, Amended, Entered in error
	Restricted bool        // it exists but is not shown
}

// NoteView is one note to read.
type NoteView struct {
	Chart    ChartView
	Kind     string
	Title    string
	Author   string
	Role     string
	When     look.When // what it is about
	Sections []NoteSection
	Signed   string // "Signed by Anna Lindqvist, Sat 21 Nov 2026, 09:41"; empty for a draft
	Amends   []Amendment
	Marks    []look.Mark
	AmendAt  string // POST address; empty when this person may not amend
	EditAt   string // address of the draft; empty when signed
	Code     bool   // signing asks for a fresh code
	Problem  string
	Text     string // of an amendment that could not be signed
}

// NoteSection is a heading with text; the heading may be empty.
type NoteSection struct{ Title, Text string }

// Amendment is an addition made after signing. The signed text never changes.
type Amendment struct {
	Author, Text string
	When         look.When
}

// WriteView is a note being written. The server keeps the draft, sealed, so that a lock or a lost line loses nothing.
type WriteView struct {
	Chart   ChartView
	Draft   string // id of the draft, empty before the first save
	Kinds   []Option
	Title   string
	Text    string
	Saved   look.When
	Code    bool // signing asks for a fresh code
	Problem string
}

// Option is one choice of a list.
type Option struct {
	Value, Name string
	On          bool
}

// DocumentsView lists filed documents.
type DocumentsView struct {
	Chart     ChartView
	Documents []Document
	Total     int
}

// Document is one filed document.
type Document struct {
	Href       string // empty when it cannot be opened here
	Title      string
	Kind       string
	Author     string
	Size       string // 2 pages, 84 kB
	When       look.When
	Restricted bool
}

// TimelineView tells a chart as a story, newest first.
type TimelineView struct {
	Chart ChartView
	Years []Year
	Total int
	Older look.Link
}

// Year is one stretch of the timeline.
type Year struct {
	Title  string // 2026
	Events []Happening
}

// Happening is one entry of the timeline.
type Happening struct {
	When    look.When
	Title   string
	Sub     string
	Href    string
	Ongoing bool
	Marks   []look.Mark
}

// AccessView is the whole list of who looked at this chart, for those who may see it.
type AccessView struct {
	Chart  ChartView
	Rows   []Access
	Total  int
	Spans  []look.Link // 7 days, 30 days, all; the current one without Href
	Older  look.Link
	AskIn  *AskInView
	Proven string // "All 31 entries are proven, checked 09:41."
}

// Access is one opening or one row of them.
type Access struct {
	Name, Role string
	Did        string // Opened summary and results
	Reason     string
	When       look.When
	Times      int
	Glass      bool
	Href       string // the entry, for those who may see it
}
