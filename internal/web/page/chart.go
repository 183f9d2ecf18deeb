package page

import (
	"slices"
	"strings"

	"chartwarden/internal/web/look"
)

// ChartView is what every page of one chart shares: who the patient is, why the chart is open, who else looked.
type ChartView struct {
	Shell    look.Shell
	Patient  Patient
	Tab      Tab
	Withheld string // "Some notes are restricted." Says that, never what; empty when nothing is held back

	Hidden []string // field groups that the reader's role does not show

	Looked      []Looker // right side; nil leaves the side out
	LookedShown string   // "Last 7 days. She can see this list too."
}

// hides reports whether the reader's role does not show a field group: then a part that is empty says that, and never that nothing is recorded.
func (v ChartView) hides(group string) bool { return slices.Contains(v.Hidden, group) }

// count is what stands beside the title of a part; nothing where the role does not show it.
func (v ChartView) count(group, words string) string {
	if v.hides(group) {
		return ""
	}
	return words
}

// Tab is one part of a chart; its value is the last part of the address.
type Tab string

// The parts of a chart, in the order of the tabs.
const (
	TabSummary     Tab = ""
	TabTimeline    Tab = "timeline"
	TabResults     Tab = "results"
	TabMedications Tab = "medications"
	TabNotes       Tab = "notes"
	TabDocuments   Tab = "documents"
	TabAccess      Tab = "access"
)

var tabs = []struct {
	Tab  Tab
	Name string
}{
	{TabSummary, "Summary"}, {TabTimeline, "Timeline"}, {TabResults, "Results"}, {TabMedications, "Medications"},
	{TabNotes, "Notes"}, {TabDocuments, "Documents"}, {TabAccess, "Access"},
}

func (t Tab) name() string {
	for _, x := range tabs {
		if x.Tab == t {
			return x.Name
		}
	}
	return ""
}

// Patient is the storyboard: identity first, then what must never be given.
type Patient struct {
	ID    string // opaque, for addresses
	Name  string // Okafor, Maren; an alias where policy shows one
	About string // 65 years, female
	Born  look.When
	MRN   string
	Died  look.When // zero when alive
	Marks []look.Mark
	Allergies
	Why   Why
	Facts []look.Fact // where, admitted, code status, weight
	Team  []Member
}

// Allergies are never hidden from a clinical role. State is what is known when the list is empty.
type Allergies struct {
	List  []Allergy
	Asked bool // false: nobody has asked yet, which is not the same as none
}

// Allergy is a substance with its reaction.
type Allergy struct{ Substance, Reaction string }

// Why is the one reason: the sentence of the relationship that opened this chart.
type Why struct {
	Sentence string // "You are her attending doctor on 5 West since 19 Nov."
	Until    string // "Ends 30 days after discharge."; may be empty
	Glass    bool   // open by the glass: shown in amber with a way to give it back
	Code     string // the reason given, in words
}

// Member is one person of the care team.
type Member struct{ Name, Role string }

// Looker is one person who looked at this chart. There is no score and no colour: suspicion is shown to the privacy office only.
type Looker struct {
	Name, Role string
	Reason     string // "Looks after her this shift"; "No reason recorded yet"
	At         look.When
}

// href is the address of a part of this chart.
func (p Patient) href(parts ...string) string {
	return "/chart/" + p.ID + strings.TrimSuffix("/"+strings.Join(parts, "/"), "/")
}

// allergyWords is the short form for the line that stays on a phone.
func (a Allergies) words() string {
	switch {
	case len(a.List) == 0 && a.Asked:
		return "No known allergies"
	case len(a.List) == 0:
		return "Allergies not asked yet"
	}
	names := make([]string, len(a.List))
	for i, x := range a.List {
		names[i] = x.Substance
	}
	return "Allergies: " + strings.Join(names, ", ")
}
