package staffing

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/identity"
)

// What speaks for looking at a right twice. The words are kept with the question and are shown to whoever answers.
const (
	UnusedMark      = "unused"      // nothing was opened by it for 90 days
	DormantMark     = "dormant"     // the account was not used for 90 days, or is suspended
	UnusualMark     = "unusual"     // few who do the same work hold it
	AdministersMark = "administers" // it changes people, rules or what is watched
	GlassMark       = "glass"       // its holder broke the glass more often than others
)

// weights order what is asked: the heavier the sum of the marks, the sooner.
var weights = map[string]int{AdministersMark: 5, DormantMark: 4, GlassMark: 3, UnusedMark: 2, UnusualMark: 1}

// Risk is how soon a holding is to be looked at; 0 is an ordinary one.
func Risk(h identity.Holding) (sum int) {
	for _, m := range h.Marks {
		sum += weights[m]
	}
	return sum
}

// governing are the roles by which others are let in and watched.
var governing = []string{identity.Administrator, identity.Privacy, identity.Security, identity.HR, identity.Auditor}

const (
	glassOften  = 5 // grants of the glass within the time, from which on they are looked at
	peersLeast  = 3 // colleagues, below which nothing is called unusual
	unusualPart = 4 // one in so many colleagues, or fewer
)

// evidence is what the tables tell of everybody at once.
type evidence struct {
	people  []identity.Person
	dormant map[string]bool
	opened  map[string]int
	glass   map[string]int
	whole   bool // openings were counted for all of the time
	since   time.Time
}

func (d *Desk) evidence(ctx context.Context, people []identity.Person) (*evidence, error) {
	e := &evidence{people: people, dormant: map[string]bool{}, opened: map[string]int{}, glass: map[string]int{}, since: d.o.Now().Add(-UnusedAfter)}
	unused, err := d.o.Persons.Unused(ctx, e.since)
	if err != nil {
		return nil, err
	}
	for _, p := range unused {
		e.dormant[p.ID] = true
	}
	uses, whole, err := d.o.Gate.Uses(ctx, e.since)
	if err != nil {
		return nil, err
	}
	e.whole = whole
	for id, u := range uses {
		e.opened[id], e.glass[id] = u.Openings, u.Glass
	}
	return e, nil
}

// marks are what speaks for looking twice at what p holds.
func (e *evidence) marks(p identity.Person, kind, what string) (out []string) {
	if kind == identity.RoleHeld && slices.Contains(governing, what) {
		out = append(out, AdministersMark)
	}
	if e.dormant[p.ID] || p.State == identity.Suspended {
		out = append(out, DormantMark)
	}
	charts := kind == identity.ClearanceHeld || kind == identity.RoleHeld && identity.Clinical(what)
	if charts && e.glass[p.ID] >= glassOften {
		out = append(out, GlassMark)
	}
	if charts && e.whole && p.Department != "" && p.Created.Before(e.since) && e.opened[p.ID] == 0 {
		out = append(out, UnusedMark)
	}
	if kind != identity.WordHeld && e.unusual(p, kind, what) {
		out = append(out, UnusualMark)
	}
	return out
}

// unusual reports whether few of those who work beside p hold the same: in her department, or, where that is small, with one of her roles.
func (e *evidence) unusual(p identity.Person, kind, what string) bool {
	peers := e.beside(p, func(o identity.Person) bool { return p.Department != "" && o.Department == p.Department })
	if len(peers) < peersLeast {
		peers = e.beside(p, func(o identity.Person) bool {
			return slices.ContainsFunc(o.Roles, func(r string) bool { return slices.Contains(p.Roles, r) && (kind != identity.RoleHeld || r != what) })
		})
	}
	if len(peers) < peersLeast {
		return false
	}
	holding := 0
	for _, o := range peers {
		if kind == identity.RoleHeld && slices.Contains(o.Roles, what) || kind == identity.ClearanceHeld && slices.Contains(o.Clearances, what) {
			holding++
		}
	}
	return holding*unusualPart <= len(peers)
}

func (e *evidence) beside(p identity.Person, like func(identity.Person) bool) (out []identity.Person) {
	for _, o := range e.people {
		if o.Active && o.ID != p.ID && like(o) {
			out = append(out, o)
		}
	}
	return out
}
