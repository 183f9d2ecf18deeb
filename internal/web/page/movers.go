package page

import "chartwarden/internal/web/look"

// MoveView is the form by which somebody moves to another place or other roles, from a moment.
type MoveView struct {
	Shell      look.Shell
	ID, Name   string
	Now        []look.Fact // what she is and holds now
	Department string
	Roles      []RoleOption
	Managers   []Option
	At         string // 2026-12-01T08:00, by the site's clock
	Overlap    string // days
	Reason     string
	Set        bool // a move is set already: this takes its place
	Problem    string
}

// ComingView is what is set for people, soonest first.
type ComingView struct {
	Shell   look.Shell
	Set     []ComingLine
	May     bool
	Done    string
	Problem string
}

// ComingLine is one thing that happens to one person.
type ComingLine struct {
	ID, Name, Kind string
	When           look.When
	Does           string   // Moves
	What           []string // Roles: Nurse → Billing
	Why            string   // changes place, set by Ada Admin
	Mine           bool     // about the reader: somebody else takes it back
}

// UnrosteredView is who can get in and stands on no roster.
type UnrosteredView struct {
	Shell   look.Shell
	With    string // with what it was compared; empty: there is nothing
	People  int    // who can get in at all
	Orphans []UnrosteredLine
	More    int // orphans beyond those shown
	Known   []UnrosteredLine
	Until   string // the day that is proposed
	May     bool
	Done    string
	Problem string
}

// UnrosteredLine is one of them.
type UnrosteredLine struct {
	ID, Name, Roles string
	Owner           string // who answers for her, or added her
	Last            look.When
	Unused          bool // not used within 90 days
	Ends            look.When
	Because         string
	Until           look.When
	Mine            bool
}

func (o UnrosteredLine) used() string {
	if o.Last.IsZero() {
		return "Not within 90 days"
	}
	return o.Last.Text()
}

func (o UnrosteredLine) facts() []look.Fact {
	out := []look.Fact{{Name: "Answers for her", Value: o.Owner}, {Name: "Last use", Value: o.used()}}
	if o.Last.IsZero() {
		out[1].Tone = look.Warn
	}
	if !o.Ends.IsZero() {
		out = append(out, look.Fact{Name: "Access ends", Value: o.Ends.Text(), Tone: look.Warn})
	}
	return out
}
