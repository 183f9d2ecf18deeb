package governance

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/policy"
)

// Window is how far back a replay goes unless it is told otherwise.
const Window = 30 * 24 * time.Hour

// Replay is what a bundle would have decided about accesses that really happened.
type Replay struct {
	Hash      string // of the candidate
	Against   string // of the bundle in force then
	From, To  time.Time
	Made      time.Time
	Entry     string // under which the log was read
	Decisions int64
	Without   int64 // entries without facts: they cannot be decided again
	Changes   []Change
	Lines     []Line // one by one, oldest first
	More      int64  // that are not among Lines
}

// Change is one way in which decisions would have come out differently: same roles, act, field group and rule.
type Change struct {
	Key           string // short; answers are kept under it
	Gains         bool   // refused then, allowed by the candidate; else the other way round
	Care          bool   // an act of care that would have been blocked
	Roles         string // of who asked, joined; the kind of a program
	Action, Group string
	Rule, Why     string // the candidate's: its forbid or permit; Rule empty: no rule permits
	People        map[string]int64
	Count, Charts int64
	First, Last   time.Time
	charts        map[fhir.PatientID]bool
}

// Line is one decision that would have come out differently.
type Line struct {
	Entry  string `json:"entry"`
	Person string `json:"person"`
	Action string `json:"action"`
	Kind   string `json:"kind"` // Type/group
	Was    bool   `json:"was_allowed"`
	Now    bool   `json:"would_be_allowed"`
	Rule   string `json:"rule,omitempty"`
	Care   bool   `json:"care,omitempty"`
}

const mostLines = 5_000

// Try replays what was decided between two moments by a bundle that need not be kept anywhere.
// Errors: as [access.Gate.Past]; outcome.Invalid for a bundle that does not load.
func (g *Rules) Try(ctx context.Context, p access.Principal, b policy.Bundle, from, to time.Time) (*Replay, error) {
	set, err := policy.Load(b)
	if err != nil {
		return nil, err
	}
	return g.replay(ctx, p, set, from, to, nil, new(atomic.Int64))
}

// replay decides again. without, when given, changes who asked. made counts what was decided so far.
func (g *Rules) replay(ctx context.Context, p access.Principal, set *policy.Set, from, to time.Time, without func(*policy.Principal), made *atomic.Int64) (*Replay, error) {
	out := &Replay{Hash: set.Hash(), Against: g.o.Enforced.Hash(), From: from.UTC(), To: to.UTC(), Made: g.now()}
	found := map[string]*Change{}
	read, err := g.o.Gate.Past(ctx, p, "replay by the rules "+out.Hash, from, to, func(x access.Past) error {
		for _, q := range x.Facts.Requests() {
			out.Decisions++
			made.Add(1)
			was := policy.Decision{Allowed: x.Allowed}
			if without != nil { // what counts is what going without costs, not what other rules decided meanwhile
				was = set.Decide(q)
				without(&q.Principal)
			}
			d := set.Decide(q)
			if d.Allowed == was.Allowed {
				continue
			}
			line := Line{Entry: x.Entry, Person: x.Person, Action: q.Action, Kind: q.Resource.Type + "/" + q.Resource.Group, Was: was.Allowed, Now: d.Allowed, Rule: policy.Deciding(d),
				Care: policy.Care(q, was)}
			if len(out.Lines) < mostLines {
				out.Lines = append(out.Lines, line)
			} else {
				out.More++
			}
			add(found, x, q, d, line)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Entry, out.Without = read.Entry, read.Without
	for _, c := range found {
		c.Charts = int64(len(c.charts))
		out.Changes = append(out.Changes, *c)
	}
	slices.SortFunc(out.Changes, func(a, b Change) int {
		return cmp.Or(-order(a.Care, b.Care), order(a.Gains, b.Gains), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// mostPeople bounds whom a change names; all are counted.
const mostPeople = 200

func add(found map[string]*Change, x access.Past, q policy.Request, d policy.Decision, line Line) {
	roles := slices.Clone(q.Principal.Roles)
	slices.Sort(roles)
	who := cmp.Or(strings.Join(roles, ", "), q.Principal.Kind)
	sum := sha256.Sum256(fmt.Appendf(nil, "%v|%v|%s|%s|%s|%s", d.Allowed, line.Care, who, q.Action, q.Resource.Group, line.Rule))
	key := hex.EncodeToString(sum[:4])
	c := found[key]
	if c == nil {
		c = &Change{Key: key, Gains: d.Allowed, Care: line.Care, Roles: who, Action: q.Action, Group: q.Resource.Group, Rule: line.Rule, Why: d.Why(), People: map[string]int64{},
			First: x.At, charts: map[fhir.PatientID]bool{}}
		found[key] = c
	}
	c.Count++
	c.Last = x.At
	if x.Chart != 0 {
		c.charts[x.Chart] = true
	}
	if _, known := c.People[x.Person]; known || len(c.People) < mostPeople {
		c.People[x.Person]++
	}
}

// Blocked are the changes that would have stood before care.
func (r *Replay) Blocked() (out []Change) {
	for _, c := range r.Changes {
		if c.Care {
			out = append(out, c)
		}
	}
	return out
}

// Counts are decisions that would have come out differently: allowed that were refused, refused that were allowed, and of these acts of care.
func (r *Replay) Counts() (gains, losses, care int64) {
	for _, c := range r.Changes {
		switch {
		case c.Gains:
			gains += c.Count
		default:
			losses += c.Count
		}
		if c.Care {
			care += c.Count
		}
	}
	return gains, losses, care
}
