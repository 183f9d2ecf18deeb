package detect

import (
	"slices"
	"strings"
	"time"
)

// reason is one template that holds of an access, by its nearest fact.
type reason struct {
	template Template
	age      int64 // seconds between the access and the fact
	on       int64 // when the fact is
	nats     float64
}

// feature is the place of a reason among the weights.
func (r reason) feature() uint8 { return uint8(int(r.template)*buckets + bucket(r.age)) }

const features = int(templates) * buckets

// reasons finds what is known by now that may explain why a opens p's chart at t. Facts that a made herself, and nobody confirmed, are
// left out, except on a chart that she registered as new. The last one is always the patient's activity.
func (e *Engine) reasons(a, p int32, t int64, units []int32, into []reason) []reason {
	w := &e.world
	pt, ps := &w.patients[p], &w.persons[a]
	var best [templates]int32 // 1 + index into `into`
	note := func(k Template, age, on int64) {
		if i := best[k]; i > 0 {
			if r := &into[i-1]; age < r.age {
				r.age, r.on = age, on
			}
			return
		}
		into = append(into, reason{template: k, age: age, on: on})
		best[k] = int32(len(into))
	}
	base := len(into)
	e.ownMade, e.where = false, e.where[:0]
	var lean reason
	quiet := quietDays * day
	if e.at >= 0 && slices.ContainsFunc(pt.stays, func(s stay) bool { return int64(s.until) >= t-keptDays*day && w.department(s.unit) == e.at }) {
		e.here()
	}
	for i := range pt.facts {
		f := &pt.facts[i]
		from, to := int64(f.from), int64(f.to)
		v := &vocabulary[f.template]
		if from != 0 && f.template != Billing && v.party != aColleague {
			quiet = min(quiet, max(from-t, t-max(from, to), 0))
		}
		if e.at >= 0 && f.unit && w.department(f.party) == e.at {
			e.here()
		}
		if from != 0 && t < from-v.before*day {
			continue
		}
		end := int64(f.over())
		if end != 0 && t > end+v.after*day {
			continue
		}
		mine := false
		switch {
		case v.party == aDesk:
			mine = e.desk(ps.role, f.template)
		case f.unit:
			for _, u := range units {
				mine = mine || u == w.department(f.party)
			}
		default:
			mine = f.party == a
		}
		age, on := int64(0), from
		switch {
		case t < from:
			age = from - t
		case end != 0 && t > end:
			age, on = t-end, end
		case to == 0 && f.template == CareTeam:
			age = (t - from) / 4 // an open end fades slowly
		}
		if f.unit && age < day && f.template.stays() && len(e.where) < whereabout {
			if u := w.department(f.party); !slices.Contains(e.where, u) {
				e.where = append(e.where, u)
			}
		}
		if !mine {
			if v.direct && !f.unit && age < 2*day && (lean.on == 0 || age < lean.age) && ps.worksWith(f.party) {
				lean = reason{age: age, on: max(on, 1)}
			}
			continue
		}
		if s := &w.sources[f.source]; s.standing != confirmed && (s.standing == doubtful || s.maker == a) && pt.registrar != a {
			e.ownMade = e.ownMade || (f.template != CareTeam || s.standing == doubtful) && f.template != Ordered && f.template != Wrote
			continue
		}
		if f.template == Research && !pt.consented() {
			continue
		}
		note(f.template, age, on)
	}
	if len(into) == base { // only what was explained by care of one's own, or a colleague's, may be leant on
		for _, v := range pt.seen {
			if v.person == a {
				if at := int64(v.at) * 64; t-at < 30*day {
					note(Repeat, t-at, at)
				}
			}
		}
		if lean.on != 0 {
			note(Collaborator, lean.age, lean.on)
		}
	}
	if e.at >= 0 && slices.ContainsFunc(pt.seen, func(v visit) bool { return v.person != a && w.worksAt(v.person, e.at) }) {
		e.here()
	}
	if j := e.confirmed(a, p, t); j != nil {
		into = append(into, reason{template: Confirmed, on: j.From, nats: j.nats})
	}
	note(activity, quiet, 0)
	return into
}

// desk reports whether a role does the work of a template that names nobody.
func (e *Engine) desk(role int32, t Template) bool { return e.desksOf(role)&(1<<(t-Billing)) != 0 }

// desksOf says which works that name nobody a role does; a role that nobody tells does none.
func (e *Engine) desksOf(role int32) uint8 {
	if role < 0 {
		return 0
	}
	for int(role) >= len(e.desks) {
		e.desks = append(e.desks, desksOf(e.world.roles.text[len(e.desks)]))
	}
	return e.desks[role]
}

// desksOf says which of these works a role does, by its name.
func desksOf(role string) (d uint8) {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(role, w) {
				return true
			}
		}
		return false
	}
	role = strings.ToLower(role)
	if has("bill", "cod", "revenue", "account", "claim", "insur") {
		d |= 1
	}
	if has("regist", "front", "desk", "schedul", "clerk", "reception", "admission") && !has("bill", "record") {
		d |= 1 << (Arrival - Billing)
	}
	return d
}

// say writes the sentence of a reason.
func (r reason) say() string {
	return strings.Replace(vocabulary[r.template].text, "{on}", moment(r.on), 1)
}

func moment(t int64) string {
	if t <= 1 { // nobody said since when, or before the first day that an instant holds
		return "the beginning"
	}
	return time.Unix(t, 0).UTC().Format("2 Jan 2006 15:04")
}
