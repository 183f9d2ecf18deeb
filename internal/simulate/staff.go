package simulate

// person is a member of staff.
type person struct {
	id      string
	role    role
	unit    int // home unit
	pattern pattern
	offset  int // where in its cycle the person stands
	part    bool
	home    int32
	surname int
	given   int
	year    int
	female  bool
	phone   int
	own     int32 // her chart, or -1
	mobile  int32 // device
	hired   int   // first day; before the run 0
	left    int   // last day; never
	away    bool  // on long leave through the run
	back    int   // day of return from long leave; 0: was never away
	lives   int32 // who she is in town: her own chart, or the member of the household in whose place she stands
}

// employ fills the posts. Most staff are patients too and live where their chart says.
func (w *world) employ() {
	d := newDraw(w.Seed, "staff")
	adults := []int32{}
	for h := range w.homes {
		first := w.homes[h].first
		if p := &w.patients[first]; p.year > 1960 && p.year < 2004 && p.died == never && p.known == 0 && !p.vip {
			adults = append(adults, first)
		}
	}
	adults = some(d, adults, len(adults))
	employees := w.Patients * 17 / 1000
	hire := func(r role, at int, pt pattern) {
		i := len(w.people)
		if i >= w.Staff || i >= len(adults) {
			return
		}
		lives := adults[i]
		q := &w.patients[lives]
		p := person{id: w.id(10, "person", i), role: r, unit: at, pattern: pt, offset: d.below(1000), part: d.chance(180), home: q.home, surname: q.surname, given: q.given,
			year: q.year, female: q.female, phone: q.phone, own: -1, mobile: -1, left: never, lives: lives}
		if i%7 < 6 && employees > 0 { // six of seven
			employees--
			p.own, q.staff, q.contact = lives, int32(i), -1
		} else {
			p.given, p.female, p.phone = d.below(givens), d.chance(500), d.below(10_000_000)
		}
		if r.bedside() && d.chance(300) || r == analyst {
			p.mobile = w.newDevice("mobile", at, address(10, 9, 1+i/200, 10+i%200))
		}
		w.people = append(w.people, p)
	}
	type job struct {
		post post
		unit int
	}
	var jobs []job
	for _, p := range posts {
		for _, u := range w.byKind[p.at] {
			n := p.each
			if n == 0 {
				n = max(2, p.mille*w.Staff/1000)
			}
			for range n {
				jobs = append(jobs, job{p, u})
			}
		}
	}
	for len(jobs) < w.Staff {
		jobs = append(jobs, job{posts[0], pick(d, w.byKind[ward])})
	}
	for _, j := range some(d, jobs, len(jobs)) {
		hire(j.post.role, j.unit, j.post.pattern)
	}
	w.giveKin(d)
	for i := range w.people {
		p := &w.people[i]
		switch {
		case d.chance(4):
			p.hired = d.between(w.warm, w.Days-3)
		case d.chance(4):
			p.left = d.between(5, w.Days-4)
		case d.chance(8):
			p.away = true
		case d.chance(3):
			p.back = d.between(w.warm, w.Days-2)
		}
	}
}

// giveKin names staff as contacts of kin elsewhere, so that kin on file is something that exists outside attacks too.
func (w *world) giveKin(d *draw) {
	for i := range w.people {
		if p := &w.people[i]; p.own >= 0 {
			k := w.kinOf(d, int(p.own))
			if q := &w.patients[k]; q.staff < 0 && d.chance(600) {
				q.contact = p.own
			}
			if w.patients[p.own].hidden < 0 && d.chance(700) {
				w.patients[p.own].hidden = w.kinOf(d, int(p.own))
			}
		}
	}
	w.kin = map[int32][]int32{}
	for i := range w.patients {
		if c := w.patients[i].contact; c >= 0 && w.patients[c].staff >= 0 && w.patients[c].home != w.patients[i].home {
			w.kin[c] = append(w.kin[c], int32(i))
		}
	}
}

// serves says whether a person is employed on a day.
func (p *person) serves(day int) bool {
	return day >= p.hired && day <= p.left && !p.away && (p.back == 0 || day >= p.back)
}
