package care

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// workforceQuery gives everything among staff and places that concerns one person: her roles and departments, those of her roles, and
// the shifts that hold. ?1 is she, ?2 the moment. A cross join keeps the order: from her to her schedules to their slots.
const workforceQuery = `with me(k) as (
  select ?1 union select place from care_edge where actor=?1 and patient=0 and kind=20 and since<=?2 and until>?2 and known<=?2 and closed>?2)
select e.kind, e.place, e.since, e.until from me cross join care_edge e
  where e.actor=me.k and e.patient=0 and e.kind in (20,21,23) and e.since<=?2 and e.until>?2 and e.known<=?2 and e.closed>?2 and (e.mine=0 or e.author<>?1 or e.confirmed between 1 and ?2)
union all
select 23, s.place, t.since, t.until from me cross join care_edge s cross join care_edge t
  where s.actor=me.k and s.patient=0 and s.kind=22 and s.known<=?2 and s.closed>?2 and (s.mine=0 or s.author<>?1 or s.confirmed between 1 and ?2)
    and t.actor=s.about and t.patient=0 and t.kind=24 and t.since<=?2 and t.until>?2 and t.known<=?2 and t.closed>?2 and (t.mine=0 or t.author<>?1 or t.confirmed between 1 and ?2)
union all
select 25, w.actor, e.since, e.until from me cross join care_edge e cross join care_edge w
  where e.actor=me.k and e.patient=0 and e.kind=21 and e.since<=?2 and e.until>?2 and e.known<=?2 and e.closed>?2 and (e.mine=0 or e.author<>?1 or e.confirmed between 1 and ?2)
    and w.actor=e.place and w.patient=0 and w.kind=25 and w.known<=?2 and w.closed>?2 and (w.mine=0 or w.author<>?1 or w.confirmed between 1 and ?2)`

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
	w, err := g.workforce(ctx, a, at.UnixMilli())
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
	wards       []int64 // departments of hers where patients can be
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

func (g *Graph) workforce(ctx context.Context, a Actor, at int64) (workforce, error) {
	w := workforce{selves: []int64{g.personKey(a.Person)}}
	if a.Practitioner == "" {
		return w, nil
	}
	me := g.key(a.Practitioner)
	w.selves = append(w.selves, me)
	rows, err := g.read.workforce.QueryContext(ctx, me, at)
	if err != nil {
		return w, unreadable("care: workforce", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e edge
		if err := rows.Scan(&e.kind, &e.place, &e.since, &e.until); err != nil {
			return w, unreadable("care: workforce", err)
		}
		switch e.kind {
		case role:
			w.selves = append(w.selves, e.place)
		case member:
			if !slices.Contains(w.departments, e.place) {
				w.departments = append(w.departments, e.place)
			}
		case shift:
			w.shifts = append(w.shifts, e)
		case ward:
			w.wards = append(w.wards, e.place)
		}
	}
	if err := rows.Err(); err != nil {
		return w, unreadable("care: workforce", err)
	}
	return w, nil
}
