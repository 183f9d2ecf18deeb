package look

import (
	"fmt"
	"strings"
)

// EgoOf shows how one person and those whose charts were opened are connected: the person at the left, each of the others at the right
// with what links the two. A graph shows at most six; its table shows all.
type EgoOf struct {
	Who   string // N-4F2
	Sub   string // Nurse, 3 West
	Links []EgoLink
}

// EgoLink is one line of the graph.
type EgoLink struct {
	To, Sub string // A; "3 West"
	How     string // "same household", "visit on 3 West", "no link found"
	Care    bool   // it is a reason of care
	Apart   bool   // it is what the page is about
}

const (
	egoMost           = 6
	egoWidth          = 396.0
	egoLeft, egoRight = 52.0, 330.0
	egoStep           = 62.0
)

func (e EgoOf) drawn() []EgoLink {
	if len(e.Links) > egoMost {
		return e.Links[:egoMost]
	}
	return e.Links
}

func (e EgoOf) height() float64 { return max(150, egoStep*float64(len(e.drawn()))+16) }

func (e EgoOf) y(i int) float64 {
	n := float64(len(e.drawn()))
	return e.height()/2 + egoStep*(float64(i)-(n-1)/2) - 6
}

func (e EgoOf) middle() float64 { return e.height()/2 - 6 }

// class is how a line is drawn: with care solid, without dashed.
func (l EgoLink) class() string {
	switch {
	case l.Care:
		return "edge-care"
	case l.Apart:
		return "edge-apart"
	}
	return "edge-none"
}

// Sentence says in words what the graph shows.
func (e EgoOf) Sentence() string {
	var parts []string
	for _, l := range e.drawn() {
		parts = append(parts, "patient "+l.To+": "+l.How)
	}
	text := "How " + e.Who + " is connected. " + strings.Join(parts, "; ") + "."
	if more := len(e.Links) - egoMost; more > 0 {
		text += fmt.Sprintf(" %d more are in the table.", more)
	}
	return text
}
