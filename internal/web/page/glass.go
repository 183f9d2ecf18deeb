package page

import "chartwarden/internal/web/look"

// ClosedView is the page of a chart that is closed to this person: break the glass in one screen and two actions, or find another way.
// Offer is false where the glass would not open; then the page shows only what, why and the other ways.
type ClosedView struct {
	Shell    look.Shell
	ID       string // opaque id of the patient
	Offer    bool
	Downtime string        // until when a declared one runs; empty: none does
	What     string        // "You are not on this patient's care team"
	Why      string        // "We found no visit, order, referral or shift that links you to this patient."
	Name     string        // as little identity as policy allows; empty shows none
	About    string        // 65 years, female
	MRN      string        // "MRN ends 2217"
	Hidden   string        // "Where and why they are here stays hidden"
	Passkey  PasskeyButton // in place of the code
	Code     bool          // ask for a TOTP code: many openings in an hour, or an unknown device outside
	Lasts    string        // "until discharge, at most 72 hours"
	Closed   string        // "Psychotherapy notes stay closed."; what the glass does not open
	Ways     []look.Way
	Take     bool     // an open order of this person's department can be taken
	Ask      *AskTeam // nil: nobody can be asked
	Request  *Request // nil: no timed request helps
	Back     string   // address of where the person came from
	Reason   string   // chosen code after a failure; empty chooses the first
	Text     string
	Problem  string
}

// GlassReason is one of the reasons for which the glass opens.
type GlassReason struct{ Code, Title, Hint string }

// GlassReasons are the codes of the access rules in the order of the page. The first is chosen when the page opens.
func GlassReasons() []GlassReason {
	return []GlassReason{
		{"emergency", "I am treating them now", "Emergency, arrival, or an urgent question about their care"},
		{"covering", "I am covering for a colleague", "Handover, cross-cover or on call"},
		{"consulted", "A colleague asked for my advice", "Phone or corridor consult without an order"},
		{"patient-contact", "The patient is here or on the phone", "They asked me something about their care"},
		{"other", "Something else", "Looked at first by the privacy office"},
	}
}

// reasons are those of this chart: a declared downtime comes first while it runs.
func (v ClosedView) reasons() []GlassReason {
	if v.Downtime == "" {
		return GlassReasons()
	}
	return append([]GlassReason{{"downtime", "We work in a declared downtime", "Until " + v.Downtime + "; marked, and some openings are looked at afterwards"}}, GlassReasons()...)
}

func (v ClosedView) chosen(code string) bool {
	if v.Reason == "" {
		return code == v.reasons()[0].Code
	}
	return v.Reason == code
}

// RefusalView is a page that says no, or that something failed: what, why, and what the person can do now.
type RefusalView struct {
	Shell  *look.Shell // nil when nobody is signed in
	Banner []look.Banner
	Title  string // of the tab; never patient data
	State  string // short, in a pill: "Not allowed", "Not found", "Our fault"
	Tone   look.Tone
	What   string
	Why    string
	Ways   []look.Way // never empty: no refusal without a next step
	Ref    string     // number that the helpdesk understands; may be empty
}

// AskTeam asks those who treat the patient, and says what became of it.
type AskTeam struct {
	Text    string // as typed
	Problem string
	Waits   string // "since 10:12"; the request is open
	ID      string // of the open request
	No      string // when somebody declined: "at 10:14"
	Usual   string // how long an answer usually takes
}

// Request asks for field groups of the chart for a day.
type Request struct {
	Groups  []Option
	Text    string
	Problem string
	Waits   string
}
