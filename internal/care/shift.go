package care

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// workforceQuery gives every row among staff and places that may concern one person in a stretch of time: her roles, departments, shifts
// and schedules and those of her roles, the slots of the schedules, and which departments are wards. ?1 is she, ?2 and ?3 the stretch.
// What it joins by is not believed: [Graph.workforce] puts the rows together again from those that hold. A cross join keeps the order:
// from her to her schedules to their slots.
var workforceQuery = `with me(k) as (
  select cast(?1 as bigint) union select place from care_edge where actor=?1 and patient=0 and kind=20 and since<=?3 and until>?2 and known<=?3 and closed>?2),
hers as (select ` + columnsOf("e") + ` from me cross join care_edge e
  where e.actor=me.k and e.patient=0 and (e.kind=22 or e.kind in (20,21,23) and e.since<=?3 and e.until>?2) and e.known<=?3 and e.closed>?2)
select ` + edgeColumns + ` from hers
union all
select ` + columnsOf("t") + ` from hers cross join care_edge t
  where hers.kind=22 and t.actor=hers.about and t.patient=0 and t.kind=24 and t.since<=?3 and t.until>?2 and t.known<=?3 and t.closed>?2
union all
select ` + columnsOf("w") + ` from hers cross join care_edge w
  where hers.kind=21 and w.actor=hers.place and w.patient=0 and w.kind=25 and w.known<=?3 and w.closed>?2`

// works reports whether a row of [workforceQuery] counts for me at t: it holds then, was known, and is not her own unconfirmed word.
func (r *row) works(me, t int64) bool {
	holds := r.kind == schedule || r.kind == ward || r.holds(t)
	return holds && r.isKnown(t) && (r.author != me || !r.waits(t))
}

// columnsOf are the edge columns of one table of a join.
func columnsOf(alias string) string {
	return alias + "." + strings.ReplaceAll(edgeColumns, ", ", ", "+alias+".")
}

// Shift is where and when a person works now. Departments are opaque keys, the vocabulary of Facts.OrderDepts.
type Shift struct {
	On          bool
	Place       string // as the roster displays it, or ""
	From, Until time.Time
	Departments []string
}

// OnShift tells whether the roster has a at work at that moment, and her departments, on shift or not. A shift or role that she entered
// herself does not count until somebody else confirms it. Errors: outcome.NoStore.
func (g *Graph) OnShift(ctx context.Context, a Actor, at time.Time) (Shift, error) {
	w, err := g.workforce(ctx, a, at.UnixMilli(), nil)
	if err != nil {
		return Shift{}, err
	}
	return g.shift(w), nil
}

func (g *Graph) shift(w workforce) Shift {
	out := Shift{On: len(w.shifts) > 0}
	for _, s := range w.shifts {
		if from := instant(s.since); out.From.IsZero() || from.After(out.From) {
			out.From, out.Until = from, instant(s.until)
		}
		if name := g.named(s.place).Name; out.Place == "" {
			out.Place = name
		}
	}
	for _, d := range w.departments {
		out.Departments = append(out.Departments, department(d))
	}
	slices.Sort(out.Departments)
	return out
}

// department is the name of a department for policy: equal for equal ones, telling nothing.
func department(key int64) string { return strconv.FormatInt(key, 36) }

// workforce is a person's place among staff.
type workforce struct {
	selves      []int64 // her keyed names: Practitioner, person, roles
	departments []int64
	shifts      []edge
	words       []Word    // that hold, about patients
	covers      []covered // for whom she stands in
	wards       []int64   // departments of hers where patients can be
}

// is reports whether a keyed name is hers.
func (w workforce) is(key int64) bool { return slices.Contains(w.selves, key) }

// at gives her shift at a place: one rostered there, or any, where the place is a ward of hers.
func (w workforce) at(place int64) (edge, bool) {
	i := slices.IndexFunc(w.shifts, func(s edge) bool { return s.place == place })
	if i < 0 && len(w.shifts) > 0 && slices.Contains(w.wards, place) {
		i = 0
	}
	if i < 0 {
		return edge{}, false
	}
	return w.shifts[i], true
}

// workforce is a's place among staff at that time. Where her rows are not remembered and with is not nil, those of the patient of with come along.
func (g *Graph) workforce(ctx context.Context, a Actor, at int64, with *together) (workforce, error) {
	w := workforce{selves: []int64{g.personKey(a.Person)}}
	if a.Practitioner == "" {
		return w, nil
	}
	me := g.key(a.Practitioner)
	w.selves = append(w.selves, me)
	rows, err := g.memory.rows(memoryKey{of: a.Practitioner}, at, func(m *remembered) (err error) {
		if with != nil {
			return g.ask(ctx, with, m, me, w.selves[0])
		}
		m.rows, err = g.query(ctx, "care: workforce", g.read.workforce, me, m.from, m.to)
		return err
	}, func(r *row) bool { return r.works(me, at) })
	if err != nil {
		return w, err
	}
	for _, r := range rows {
		if r.kind == role && r.actor == me && !w.is(r.place) {
			w.selves = append(w.selves, r.place)
		}
	}
	var plans, slots []row
	for _, r := range rows {
		switch {
		case r.kind == slot:
			slots = append(slots, r)
		case !w.is(r.actor): // also a role of hers whose row does not hold
		case r.kind == member && !slices.Contains(w.departments, r.place):
			w.departments = append(w.departments, r.place)
		case r.kind == shift:
			w.shifts = append(w.shifts, r.edge)
		case r.kind == schedule:
			plans = append(plans, r)
		}
	}
	for _, r := range rows {
		if r.kind == ward && slices.Contains(w.departments, r.actor) {
			w.wards = append(w.wards, r.actor)
		}
	}
	for _, plan := range plans {
		for i, s := range slots {
			again := slices.ContainsFunc(slots[:i], func(x row) bool { return x.id == s.id }) // two schedules brought it
			if s.actor == plan.about && !again {
				w.shifts = append(w.shifts, edge{kind: shift, place: plan.place, since: s.since, until: s.until})
			}
		}
	}
	return w, nil
}
