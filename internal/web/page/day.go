package page

import "chartwarden/internal/web/look"

// DayView is My day: whose care is mine now, and why each name is here.
type DayView struct {
	Shell  look.Shell
	Date   look.When
	Shift  string // "Day shift on 5 West until 19:00"; empty when not on shift
	Groups []DayGroup
	ToSign []Todo // notes without signature
	ToDo   []Todo // training due, questions to answer
}

// DayGroup is one list of patients: a unit's shift, a clinic, an own list.
type DayGroup struct {
	Title, Sub string // 5 West; why its patients are on the list, said once
	Patients   []DayPatient
	Total      int // patients in this group; more than len(Patients) when not all are shown
	More       look.Link
}

// DayPatient is one line of My day.
type DayPatient struct {
	Href    string
	Name    string
	About   string // 65 years, female
	At      string // 09:30 in a clinic, Bed 12 on a unit
	Because string // what this row adds to the reason of the list: "You attend since 19 Nov"
	Marks   []look.Mark
}

// Todo is one thing to do. Without Href it is done elsewhere.
type Todo struct {
	Href, Title, Hint string
}

// FindView is the page that finds a patient. Q and Born are refilled from the body, never from the address.
type FindView struct {
	Shell   look.Shell
	Title   string // Find a patient, when empty
	New     bool   // this person may register whom nobody finds
	Q, Born string
	Asked   bool   // a search was made
	Problem string // what is missing: "Three letters and a birth date, or the full MRN"
	Hits    []Hit
	Hidden  bool   // there may be more: refine
	Rule    string // what this person must give, said before she searches
}

// Hit is one patient found.
type Hit struct {
	Href    string // empty: no chart behind it for this person
	Name    string
	About   string // female, born 1961
	MRN     string // last digits: "MRN ends 2217"
	Because string // why it is open to her, or empty
	Asks    bool   // the chart will ask for a reason
	Marks   []look.Mark
}

func (v FindView) title() string {
	if v.Title == "" {
		return "Find a patient"
	}
	return v.Title
}
