package care

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/fhir"
)

const (
	relationQuery = `select ` + edgeColumns + ` from care_edge
  where patient=?1 and actor in (select value from json_each(?2)) and until>cast(?3 as bigint)-7776000000 and known<=?4 and closed>?3`
)

// Facts are what policy asks about one person and one patient; the fields of policy.Relation of the same name. A contact that ended more
// than 90 days ago is not looked at.
type Facts struct {
	CareTeam         bool
	OpenContact      bool
	LastContactEnd   time.Time
	NextContactStart time.Time
	OrderDepts       []string
	TaskOpen         bool
	SelfMade         bool
	Self             bool
	Panel            bool
	Asked            bool // by a colleague's word
	Flags            []string
}

// Visit is when an Encounter of the patient runs or ran, whoever takes part; To is far ahead while it runs. Own: it still runs, and it
// is the person herself who said that it began.
type Visit struct {
	From, To time.Time
	Own      bool
}

// Relation is how a person stands to a patient at a moment, with what made it true, the strongest first. Shift is where she works
// then, as [Graph.OnShift] tells it.
type Relation struct {
	Facts    Facts
	Evidence []Edge
	Shift    Shift
	Visits   []Visit // of the last 90 days, begun by then
	names    []int64 // hers, her roles' and her departments'
}

// Is reports whether a reference names whom the relation is of, a role of hers or a department: Practitioner/x, PractitionerRole/x,
// Organization/x.
func (g *Graph) Is(r Relation, ref string) bool { return slices.Contains(r.names, g.key(ref)) }

// Relate collapses what is known at that moment about a and the patient p. It costs one question (more
// for whom she covers, and in a practice), or none within half a second of the last. An edge that was removed is gone from the next answer; where another node removed it, within a second. Errors: outcome.NoStore.
func (g *Graph) Relate(ctx context.Context, a Actor, p fhir.PatientID, at time.Time) (Relation, error) {
	now := at.UnixMilli()
	with := &together{patient: p}
	w, err := g.workforce(ctx, a, now, with)
	if err != nil {
		return Relation{}, err
	}
	if err := g.lean(ctx, &w, a, now); err != nil {
		return Relation{}, err
	}
	reach := listing(w.reach())
	known, err := g.memory.rows(memoryKey{patient: p, of: reach}, now, func(m *remembered) (err error) {
		if with.came != nil && len(w.covers) == 0 { // whom she covers was not asked about
			*m = *with.came
			return nil
		}
		m.rows, err = g.query(ctx, "care: relate", g.read.relation, int64(p), reach, m.from, m.to)
		return err
	}, func(r *row) bool { return r.until > now-recent && r.isKnown(now) })
	if err != nil {
		return Relation{}, err
	}
	var seen []row
	if g.o.Practice() {
		if seen, err = g.query(ctx, "care: relate", g.read.seen, int64(p), now-panelReach, now); err != nil {
			return Relation{}, err
		}
	}
	return g.collapse(a, w, p, now, known, seen), nil
}

// collapse makes of the edges known about a person and a patient how the one stands to the other. seen are the visits that put the
// patient on the practice's panel; none where this is no practice.
func (g *Graph) collapse(a Actor, w workforce, p fhir.PatientID, now int64, known, seen []row) Relation {
	c := collapse{g: g, who: w, now: now, out: Relation{Shift: g.shift(w)}}
	c.all(known)
	c.said(p)
	c.out.Facts.Self = c.out.Facts.Self || p != 0 && a.Patient == p
	c.onPanel(seen)
	return c.result()
}

// reach lists every keyed name whose edges can concern the person: she, her departments, the places of her shift, and the chart's own.
func (w workforce) reach() []int64 {
	keys := append([]int64{0}, w.selves...)
	keys = append(keys, w.departments...)
	for _, s := range w.shifts {
		keys = append(keys, s.place)
	}
	for _, x := range w.covers {
		keys = append(keys, x.selves...)
	}
	return keys
}

// listing is a list of keyed names as a query takes it.
func listing(names []int64) string {
	text, _ := json.Marshal(names) // numbers always marshal
	return string(text)
}

// collapse gathers facts and evidence edge by edge.
type collapse struct {
	g      *Graph
	who    workforce
	now    int64
	via    *Word // by whose word what is looked at counts
	exempt bool  // she registered the patient as new: nobody's data is disclosed
	out    Relation
}

func (c *collapse) all(known []row) {
	c.exempt = slices.ContainsFunc(known, func(r row) bool { return r.kind == registered && c.who.is(r.actor) })
	for _, r := range known {
		c.one(r)
	}
}

func (c *collapse) one(r row) {
	f := &c.out.Facts
	switch r.kind {
	case protection:
		if r.holds(c.now) {
			f.Flags = append(f.Flags, protections[r.detail])
		}
		return
	case own:
		f.Self = f.Self || c.who.is(r.actor) && r.holds(c.now)
		return
	case registered:
		return
	case visited:
		if r.since <= c.now {
			c.out.Visits = append(c.out.Visits, Visit{From: time.UnixMilli(r.since), To: time.UnixMilli(r.until), Own: r.holds(c.now) && c.who.is(r.author)})
		}
		return
	}
	if !c.concerns(r) {
		c.instead(r)
		return
	}
	if r.waits(c.now) && c.who.is(r.author) && !c.exempt {
		if r.near(c.now) {
			f.SelfMade = true
			c.found(selfMade, r)
		}
		return
	}
	c.counts(r)
}

// counts takes in an edge that carries weight.
func (c *collapse) counts(r row) {
	f := &c.out.Facts
	switch r.kind {
	case team, ownDoctor:
		if r.holds(c.now) {
			f.CareTeam = true
			c.found(map[kind]*template{team: careTeam, ownDoctor: doctor}[r.kind], r)
		}
	case encounter, appointment:
		c.contact(r)
	case stay:
		if r.holds(c.now) {
			at, _ := c.who.at(r.actor)
			f.OpenContact = true
			r.since = max(r.since, at.since)
			r.until = min(r.until, at.until)
			c.found(unit, r)
		}
	case ordered, asked, task:
		if r.since <= c.now && c.now < r.until+after {
			f.TaskOpen = true
			c.found(map[kind]*template{ordered: orderGiven, asked: orderAsked, task: inQueue}[r.kind], r)
		}
	case deptOrder:
		if r.since <= c.now && c.now < r.until+after {
			f.OrderDepts = append(f.OrderDepts, department(r.actor))
			if len(c.who.shifts) > 0 {
				c.found(orderDepartment, r)
			}
		}
	}
}

// concerns reports whether the edge is this person's: one of hers, an order to a department of hers, or a stay where she is on shift.
// A place may be both, so the query brings more.
func (c *collapse) concerns(r row) bool {
	switch r.kind {
	case stay:
		_, ok := c.who.at(r.actor)
		return ok
	case deptOrder:
		return slices.Contains(c.who.departments, r.actor)
	}
	return c.who.is(r.actor)
}

func (c *collapse) contact(r row) {
	f := &c.out.Facts
	switch {
	case r.holds(c.now):
		f.OpenContact = true
		c.found(contactNow(r), r)
	case r.until <= c.now:
		if end := instant(r.until); end.After(f.LastContactEnd) {
			f.LastContactEnd = end
		}
		if c.now < r.until+wide {
			c.found(contactPast, r)
		}
	default:
		if start := instant(r.since); f.NextContactStart.IsZero() || start.Before(f.NextContactStart) {
			f.NextContactStart = start
		}
		if c.now > r.since-wide {
			c.found(contactNext, r)
		}
	}
}

func (c *collapse) found(t *template, r row) {
	by, under := "", ""
	if c.via != nil {
		by = c.via.By
		if c.via.Kind == Covers { // it explains no longer than the cover runs
			r.until = min(c.via.To.UnixMilli(), r.until+t.lasts.Milliseconds())
			t, under = cover, t.id
		}
	}
	c.out.Evidence = append(c.out.Evidence, Edge{
		Template: t.id, From: instant(r.since), To: instant(r.until), Known: instant(r.known), Source: r.record,
		By: by, Under: under, template: t, at: time.UnixMilli(c.now), zone: c.g.o.Zone,
	})
}

func (c *collapse) result() Relation {
	f := &c.out.Facts
	slices.Sort(f.Flags)
	f.Flags = slices.Compact(f.Flags)
	slices.Sort(f.OrderDepts)
	f.OrderDepts = slices.Compact(f.OrderDepts)
	slices.SortStableFunc(c.out.Evidence, compareEvidence)
	slices.SortFunc(c.out.Visits, func(a, b Visit) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	c.out.names = slices.Concat(c.who.selves, c.who.departments)
	return c.out
}
