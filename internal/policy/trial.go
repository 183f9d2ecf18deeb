package policy

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Trial is the result of one line of a scenario.
type Trial struct {
	Place    string // file:line
	Scenario string
	Step     string // the line as written
	Passed   bool
	Got      string // what was decided instead, in the words of a scenario
}

// Test runs the scenarios of a bundle against s, in the order of files and lines. The error (outcome.Invalid, with file and line)
// is about a scenario that cannot be read; a scenario that does not hold is a Trial that has not passed.
func (s *Set) Test(bundle fs.FS) ([]Trial, error) {
	steps, err := scenarios(bundle)
	if err != nil {
		return nil, err
	}
	out := make([]Trial, 0, len(steps))
	for _, x := range steps {
		t := Trial{Place: fmt.Sprintf("%s:%d", x.file, x.line), Scenario: x.scenario, Step: x.text}
		d := s.Decide(x.request)
		way, _ := s.WayForward(x.request)
		t.Passed = d.Allowed == x.allowed && len(d.Errors) == 0 &&
			(x.by == nil || slices.Equal(x.by, decidedBy(d))) &&
			(x.offers == nil || x.offers[0] == orNothing(string(way)))
		t.Got = answer(d, string(way))
		out = append(out, t)
	}
	return out, nil
}

func decidedBy(d Decision) []string {
	if d.Allowed {
		return d.PermitIDs()
	}
	return d.ForbidIDs()
}

func orNothing(way string) string {
	if way == "" {
		return "nothing"
	}
	return way
}

func answer(d Decision, way string) string {
	word := "refused"
	if d.Allowed {
		word = "allowed"
	}
	if by := decidedBy(d); len(by) > 0 {
		word += " by " + strings.Join(by, " ")
	}
	if !d.Allowed {
		word += ", offers " + orNothing(way)
	}
	for _, e := range d.Errors {
		word += ", error " + e
	}
	return word
}

// Explain tells in plain text how s decides r: the answer, each policy that applied with its sentence, and what would open it. It
// holds no patient data, only the facts that the rules saw.
func (s *Set) Explain(r Request) string {
	d := s.Decide(r)
	var b strings.Builder
	what := r.Resource.Group
	if administrative(r.Action) {
		what = "this installation"
	}
	if d.Allowed {
		fmt.Fprintf(&b, "allowed: %s %s\n", r.Action, what)
	} else {
		fmt.Fprintf(&b, "refused: %s %s\n", r.Action, what)
	}
	list := func(title string, reasons []Reason) {
		for _, x := range reasons {
			fmt.Fprintf(&b, "  %-9s %-20s %s", title, x.ID, x.Why)
			if x.Advice != "" {
				fmt.Fprintf(&b, " (%s)", x.Advice)
			}
			b.WriteByte('\n')
		}
	}
	list("forbids", d.Forbids)
	list("permits", d.Permits)
	if len(d.Permits) == 0 && !d.Allowed {
		b.WriteString("  no rule permits it\n")
	}
	for _, e := range d.Errors {
		fmt.Fprintf(&b, "  error     %s\n", e)
	}
	fmt.Fprintf(&b, "  facts     %s\n", facts(r))
	for _, w := range s.Ways(r) {
		fmt.Fprintf(&b, "  would open with %s\n", w)
	}
	fmt.Fprintf(&b, "  policy    %s\n", s.hash)
	return b.String()
}

// facts names what is known, in the words of the schema.
func facts(r Request) string {
	var out []string
	is := func(name string, holds bool) {
		if holds {
			out = append(out, name)
		}
	}
	out = append(out, r.Principal.Kind)
	if r.Principal.Capacity != "" {
		out = append(out, "as "+r.Principal.Capacity)
	}
	out = append(out, r.Principal.Roles...)
	is("not active", r.Principal.Kind != Job && !r.Principal.Active)
	is("on shift", r.Principal.OnShift)
	rel, now := r.Relation, r.Context.Now
	is("careTeam", rel.CareTeam)
	is("openContact", rel.OpenContact)
	if !rel.LastContactEnd.IsZero() {
		out = append(out, fmt.Sprintf("last contact ended %.1f h ago", now.Sub(rel.LastContactEnd).Hours()))
	}
	if !rel.NextContactStart.IsZero() {
		out = append(out, fmt.Sprintf("next contact in %.1f h", rel.NextContactStart.Sub(now).Hours()))
	}
	is("open orders", len(rel.OrderDepts) > 0)
	is("taskOpen", rel.TaskOpen)
	is("panel", rel.Panel)
	is("asked", rel.Asked)
	is("granted "+strings.Join(rel.Granted, "+"), len(rel.Granted) > 0)
	is("selfMade", rel.SelfMade)
	is("self", rel.Self)
	is("live grant", rel.BTGUntil.After(now))
	for _, f := range rel.Flags {
		out = append(out, "flagged "+f)
	}
	c := r.Context
	out = append(out, c.Device+" device", c.Zone, fmt.Sprintf("aal %d", c.AAL), fmt.Sprintf("signed in %d s ago", c.AuthAge))
	return strings.Join(out, ", ")
}
