package care

// Staff and places: roles, departments, shifts.

func (p *projection) practitionerRole() {
	root := p.c.Doc.Root()
	if active := root.Get("active"); active.Exists() && !active.Bool() {
		return
	}
	who, ok := p.party(root.Get("practitioner"))
	if !ok {
		return
	}
	since, until := p.within(root.Get("period"), always, never)
	p.staff(role, who.key, p.about, since, until)
	for _, element := range []string{"organization", "healthcareService", "location"} {
		for x := range p.parties(root.Get(element)) {
			p.staff(member, who.key, x.key, since, until)
		}
	}
}

// organization tells a department, where patients can be, from a whole hospital, where they all are.
func (p *projection) organization() {
	root := p.c.Doc.Root()
	department := root.Get("partOf").Exists()
	for typ := range root.Get("type").Items() {
		for coding := range typ.Get("coding").Items() {
			department = department || coding.Get("code").Text() == "dept"
		}
	}
	if active := root.Get("active"); department && (!active.Exists() || active.Bool()) {
		p.staff(ward, p.about, 0, always, never)
	}
}

// longestShift is how long a planning horizon may be to count as one time of work. A longer one is a plan, and its slots are the times.
const longestShift = 24 * hour

// schedule says where somebody works; a Schedule whose horizon is a shift says also when.
func (p *projection) schedule() {
	root := p.c.Doc.Root()
	if active := root.Get("active"); active.Exists() && !active.Bool() {
		return
	}
	var people, places []party
	for x := range p.parties(root.Get("actor")) {
		switch {
		case x.person():
			people = append(people, x)
		case x.department():
			places = append(places, x)
		}
	}
	if len(places) == 0 {
		places = append(places, party{}) // on duty, nowhere in particular
	}
	since, until := p.within(root.Get("planningHorizon"), always, never)
	for _, who := range people {
		for _, where := range places {
			p.staff(schedule, who.key, where.key, always, never)
			if since != always && until != never && until-since <= longestShift {
				p.staff(shift, who.key, where.key, since, until)
			}
		}
	}
}

// slot is one time of work of a Schedule, taken or free. What is over is not kept.
func (p *projection) slot() {
	root := p.c.Doc.Root()
	plan, ok := p.party(root.Get("schedule"))
	if s := root.Get("status").Text(); !ok || s == "entered-in-error" || s == "busy-unavailable" {
		return
	}
	since, until := p.start(root.Get("start"), never), p.end(root.Get("end"), always)
	if until > p.known-after {
		p.staff(slot, plan.key, 0, since, until)
	}
}
