package casework

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// View is which part of the cases a list shows.
type View string

// The views of the queue.
const (
	ToDo    View = "open"   // of the automatic and the review queue
	Mine    View = "mine"   // open, and the officer answers for them
	OnWatch View = "watch"  // too weak for the queue, growing
	Done    View = "closed" // newest first
)

// Filter says which cases a list shows.
type Filter struct {
	View       View
	Hypothesis string // empty: any
	Queue      string // Automatic or Review; empty: both
	Skip       int
	Limit      int
}

// Listed is one case of a list with who it is about, as the officer may see her.
type Listed struct {
	Case
	Who     Who
	Overdue bool
	Officer string // name of who answers for it
}

// List is a part of the cases, and how the office stands.
type List struct {
	Cases      []Listed
	Total      int // that the filter leaves
	ToDo       int // open, without those on watch
	Mine       int
	Watch      int
	Elsewhere  int // about the officer's own accesses: in another's queue
	Muted      int // left alone by two officers
	Overdue    int
	Today      int // raised since midnight
	Budget     int // how many a day the office expects to look at
	Hypotheses []string
	Entry      string // of this reading
}

// Cases lists cases for an officer: overdue ones first, then by queue and by severity times probability. Cases about her own accesses
// are not among them, only counted. The reading is an entry. Errors: as [access.Gate.Permit]; outcome.NoStore.
func (f *Office) Cases(ctx context.Context, p access.Principal, by Filter, midnight time.Time) (List, error) {
	entry, err := f.o.Gate.StepCase(ctx, p, policy.Cases, access.CaseStep{Step: "queue", Text: "the queue of cases, " + string(by.View)})
	if err != nil {
		return List{}, err
	}
	me := staff(p)
	open, err := f.Queue(ctx)
	if err != nil {
		return List{}, err
	}
	muted, err := f.Muted(ctx, open...)
	if err != nil {
		return List{}, err
	}
	out := List{Entry: entry, Budget: f.budget(ctx)}
	now := f.now()
	var shown []Case
	for _, c := range open {
		switch {
		case aboutMe(&c, me):
			out.Elsewhere++
			continue
		case muted[c.ID] && c.Owner == "":
			out.Muted++
			continue
		case c.Queue == Watch && c.State == New:
			out.Watch++
		default:
			out.ToDo++
			if c.late(now) {
				out.Overdue++
			}
		}
		if c.Owner == me.ID {
			out.Mine++
		}
		if c.Queue != Watch && !c.Opened.Before(midnight) {
			out.Today++
		}
		if !slices.Contains(out.Hypotheses, c.Hypothesis) {
			out.Hypotheses = append(out.Hypotheses, c.Hypothesis)
		}
		if by.keeps(&c, me) {
			shown = append(shown, c)
		}
	}
	if by.View == Done {
		if shown, err = f.closed(ctx, me, by); err != nil {
			return List{}, err
		}
	} else {
		slices.SortStableFunc(shown, func(a, b Case) int {
			return cmp.Or(boolean(b.late(now))-boolean(a.late(now)), comparePressing(a, b))
		})
	}
	slices.Sort(out.Hypotheses)
	out.Total = len(shown)
	shown = shown[min(max(by.Skip, 0), len(shown)):]
	for _, c := range shown[:min(max(by.Limit, 0), len(shown))] {
		out.Cases = append(out.Cases, Listed{Case: c, Who: f.who(ctx, &c, me), Overdue: c.late(now), Officer: f.name(ctx, c.Owner)})
	}
	return out, nil
}

const mostClosed = 2000 // closed cases that a list looks through

func (f *Office) closed(ctx context.Context, me identity.Person, by Filter) ([]Case, error) {
	done, err := f.Done(ctx, 0, mostClosed)
	return slices.DeleteFunc(done, func(c Case) bool { return aboutMe(&c, me) || by.Hypothesis != "" && c.Hypothesis != by.Hypothesis }), err
}

func (by *Filter) keeps(c *Case, me identity.Person) bool {
	switch {
	case by.Hypothesis != "" && c.Hypothesis != by.Hypothesis, by.Queue != "" && c.Queue != by.Queue:
		return false
	case by.View == Mine:
		return c.Owner == me.ID
	case by.View == OnWatch:
		return c.Queue == Watch && c.State == New
	}
	return c.Queue != Watch || c.State != New
}

// late reports whether the first review of a case, or its decision, is overdue.
func (c *Case) late(now time.Time) bool { return c.Open() && now.After(c.Due) }

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// budget is how many cases a day the office expects, for the people who work here, or in the system that is watched.
func (f *Office) budget(ctx context.Context) int {
	n := 0
	if f.o.Elsewhere != nil {
		n = f.o.Elsewhere.Members()
	} else {
		people, err := f.o.Persons.People(ctx)
		if err != nil {
			return 0
		}
		for _, x := range people {
			if x.Active && slices.Contains(x.Capacities(), identity.StaffCapacity) {
				n++
			}
		}
	}
	return int(max(1, math.Ceil(f.o.Budget*float64(n)/1000)))
}

// name is that of somebody who works here; empty for nobody.
func (f *Office) name(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	if found, err := f.o.Persons.Person(ctx, id); err == nil {
		return found.Name
	}
	return "somebody who is not here any more"
}
