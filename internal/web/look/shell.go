package look

import (
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"
)

// Tone colours a part. Colour never stands alone: whatever has a tone also has a word.
type Tone string

// The tones. Crit is for critical or unsafe only; out of the usual range is Warn.
const (
	Plain  Tone = ""
	OK     Tone = "ok"
	Warn   Tone = "warn"
	Crit   Tone = "crit"
	Accent Tone = "acc"
)

// Shell is what surrounds every page of a signed-in person. Fill it once per request and set Title and the current NavItem per page.
type Shell struct {
	Title       string        // of the browser tab: the kind of page, never patient data
	Person      Person        // who is signed in
	Nav         []NavItem     // main navigation; see the Nav functions
	Side        bool          // navigation stands at the side (privacy, administration), not in the bar
	Find        bool          // the bar has the patient finder
	Keys        bool          // single-letter shortcuts are on for this person
	Live        bool          // the page listens to /events: lock, notice, count
	LockWriting time.Duration // the same once something is being written on it
	Shared      bool          // people take turns at this workstation: one touch makes room
	LockAfter   time.Duration // until this screen locks itself without activity; 0 shows no timer
	Banners     []Banner      // states everybody must know: sandbox, journal, cut, downtime
	Entry       Entry         // the audit entry of this page; zero when nothing of a patient is on it
	Paper       Paper         // what a printed copy says about itself
	Sheet       Sheet         // how the page comes to paper
	Here        string        // address of this page, where a setting leads back to; empty where it cannot be opened again
}

// Sheet says how a page comes to paper. The zero Sheet is a page that a browser prints as it is.
type Sheet struct {
	Act  string // address of the Print act; the page itself then prints as a line that says so
	Part string // of the chart, for the act
	Made bool   // this page is the print
	Shut bool   // the page is not to be printed, and there is no act: a chart that is open to reading only
	Back string // of a print: where it was asked for
	Left string // of a print: what did not come along
}

// Person is the signed-in person as the frame shows her.
type Person struct {
	Name string // Anna Lindqvist
	Role string // Attending, 5 West
}

// NavItem is one place to go.
type NavItem struct {
	Label, Href, Icon string
	Count             int  // things waiting; 0 shows none
	Urgent            bool // the count is about time
	Current           bool
	Apart             bool // a line stands before it
}

// Banner is one line above everything.
type Banner struct {
	Tone Tone
	Icon string
	Lead string // few words in bold: what
	Text string // what it means for the reader
	Link Link
}

// Entry names the audit entry that was durable before the page left.
type Entry struct {
	Index string // written with Number: 18 204
	Href  string // the entry or its receipt
}

// Paper is the line that a printed copy carries.
type Paper struct {
	By   string // A. Lindqvist
	At   When   // Moment
	Copy string // Copy 1 of 1
}

// Link is a text that leads somewhere; empty Href shows no link.
type Link struct{ Text, Href string }

// Mark is a small word with a tone, for a state that needs an act or a warning: Held, High, New.
type Mark struct {
	Tone Tone
	Icon string // optional
	Text string
}

// Fact is one line of a list of facts.
type Fact struct {
	Name, Value string
	Tone        Tone
}

// Way is one thing that the person can do now, with its usual time.
type Way struct {
	Icon, Title, Hint, Href string
}

// SandboxBanner says on every page that no real care happens here.
func SandboxBanner() Banner {
	return Banner{Tone: Accent, Icon: "flask-conical", Lead: "Sandbox.", Text: "Invented people, no real care. Never enter real patient data."}
}

// JournalBanner says that entries go to the emergency journal; since is when it opened.
func JournalBanner(since When) Banner {
	return Banner{Tone: Warn, Icon: "book-open-check", Lead: "Emergency journal since " + since.Text() + ".",
		Text: "Charts open as usual and every opening is kept in a sealed journal. Exports and deletions wait."}
}

// StandingBanner says that nobody judges accesses for now.
func StandingBanner() Banner {
	return Banner{Tone: Warn, Icon: "shield-alert", Lead: "Detection stands still.",
		Text: "Charts open and are recorded as usual. It is tried again by itself, and judges then what happened meanwhile."}
}

// UnwitnessedBanner says that the witness of the record does not answer.
func UnwitnessedBanner(age string) Banner {
	return Banner{Tone: Warn, Icon: "shield-alert", Lead: "Not witnessed for " + age + ".", Text: "Care goes on. Ask who runs the witness whether it is well."}
}

// SignInBanner tells a person that the own sign-in was changed, until she has seen it.
func SignInBanner(href string) Banner {
	return Banner{Tone: Warn, Icon: "key-round", Lead: "Your sign-in changed.", Text: "If that was not you, say so at once.", Link: Link{"See what was done", href}}
}

// CutBanner says that two copies of the record's head disagree.
func CutBanner(href string) Banner {
	return Banner{Tone: Crit, Icon: "unplug", Lead: "The audit record was cut.",
		Text: "Care goes on and is recorded anew. Exports, deletions and administration wait.", Link: Link{"What this means", href}}
}

// DowntimeBanner says that two people have opened downtime mode.
func DowntimeBanner(until When, by string) Banner {
	return Banner{Tone: Warn, Icon: "hourglass", Lead: "Downtime until " + until.Text() + ".",
		Text: "Opened by " + by + ". Every opening is marked, some are looked at afterwards."}
}

// ActingBanner says that one person acts as another.
func ActingBanner(by, as string, until When, href string) Banner {
	return Banner{Tone: Warn, Icon: "users", Lead: by + " acts as " + as + " until " + until.Text() + ".",
		Text: "Reading only, and each entry names both.", Link: Link{Text: "End now", Href: href}}
}

// Initials gives the letters of an avatar: "Anna Lindqvist" and "Lindqvist, Anna" are both AL.
func Initials(name string) string {
	name, _, _ = strings.Cut(name, ", acting as ") // who really acts
	if family, given, ok := strings.Cut(name, ","); ok {
		name = given + " " + family
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' })
	if len(words) == 0 {
		return "?"
	}
	first := []rune(words[0])[:1]
	if len(words) > 1 {
		first = append(first, []rune(words[len(words)-1])[0])
	}
	return strings.ToUpper(string(first))
}

// phoneNav splits the navigation for the bar at the foot of a phone: four places and the rest behind "More".
func phoneNav(nav []NavItem) (shown, more []NavItem) {
	if len(nav) <= 5 {
		return nav, nil
	}
	return nav[:4], nav[4:]
}

func anyCurrent(nav []NavItem) bool {
	for _, n := range nav {
		if n.Current {
			return true
		}
	}
	return false
}

// currentAttr is the attribute of the link to the page one is on.
func currentAttr(on bool) templ.Attributes {
	if on {
		return templ.Attributes{"aria-current": "page"}
	}
	return nil
}
