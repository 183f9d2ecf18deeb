package simulate

// household is who lives behind one door. Its members lie next to each other in world.patients.
type household struct {
	street, number int
	post           int
	surname        int
	phone          int
	first, n       int32
}

// patient is somebody with a chart.
type patient struct {
	id        string
	home      int32
	surname   int
	given     int
	year      int // of birth; month and day follow from the id
	female    bool
	phone     int
	contact   int32 // a patient who is this one's contact on file, or -1
	related   bool  // the contact is a RelatedPerson, not a Patient.contact
	vip       bool
	discreet  bool // flagged confidential
	died      int  // day of death, before the run negative; alive: never
	known     int  // day of first registration; before the run 0
	joined    bool // comes with the practice that joins
	staff     int32
	hidden    int32 // kin elsewhere whom no record shows, or -1
	accident  bool  // came as the victim of one
	inpatient int32 // index of the stay, or -1
}

const never = 1 << 20

func (p *patient) minor() bool { return p.year > 2008 }

func (w *world) populate() {
	d := newDraw(w.Seed, "town")
	z := newZipf(surnames)
	sizes := []int{1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6}
	streets := max(8, w.Patients/140)
	for len(w.patients) < w.Patients {
		h := household{street: d.below(streets), number: d.between(1, 90), surname: z.draw(d), phone: d.below(10_000_000), first: int32(len(w.patients)), n: int32(pick(d, sizes))}
		h.post = h.street * len(cities) / streets
		h.n = min(h.n, int32(w.Patients-len(w.patients)))
		shared := d.chance(500)
		for i := range int(h.n) {
			p := patient{home: int32(len(w.homes)), surname: h.surname, given: d.below(givens), female: d.chance(510), phone: d.below(10_000_000), contact: -1, staff: -1,
				hidden: -1, inpatient: -1, died: never}
			if i > 0 && d.chance(i*330/2) {
				p.surname = z.draw(d)
			}
			if shared {
				p.phone = h.phone
			}
			p.year = 2026 - d.between(20, 72)
			if i >= 2 {
				p.year = 2026 - d.between(0, 19)
			} else if d.chance(150) {
				p.year = 2026 - d.between(70, 94)
			}
			p.id = w.id(10, "patient", len(w.patients))
			w.patients = append(w.patients, p)
		}
		w.homes = append(w.homes, h)
	}
	for i := range w.patients {
		p, h := &w.patients[i], w.homes[w.patients[i].home]
		p.vip, p.discreet = d.chance(1), d.chance(3)
		if d.chance(20) && !p.minor() {
			p.died = -d.between(1, 700)
		}
		if d.chance(20) {
			p.known = never // until the day on which she walks in
		}
		switch {
		case d.chance(190) && h.n > 1:
			p.contact = h.first + int32(d.below(int(h.n)))
			if p.contact == int32(i) {
				p.contact = -1
			}
		case d.chance(140):
			p.contact = w.kinOf(d, i)
		}
		p.related = d.chance(400)
		if d.chance(100) {
			p.hidden = w.kinOf(d, i)
		}
	}
	if n := min(1000, w.Patients/20); n > 0 {
		for _, i := range some(d, w.homes, n*10/23) {
			for k := range i.n {
				w.patients[i.first+k].joined = true
			}
		}
	}
}

// kinOf finds somebody elsewhere, of the same surname where one turns up.
func (w *world) kinOf(d *draw, i int) int32 {
	for range 40 {
		j := d.below(len(w.patients))
		if w.patients[j].home != w.patients[i].home && (w.patients[j].surname == w.patients[i].surname || d.chance(30)) {
			return int32(j)
		}
	}
	return int32(d.below(len(w.patients)))
}

// household members of patient i, i left out.
func (w *world) housemates(i int32) (out []int32) {
	h := w.homes[w.patients[i].home]
	for k := h.first; k < h.first+h.n; k++ {
		if k != i {
			out = append(out, k)
		}
	}
	return out
}

// indexStreets lists who lives in each street.
func (w *world) indexStreets() {
	w.streets = map[int][]int32{}
	for i := range w.patients {
		s := w.homes[w.patients[i].home].street
		w.streets[s] = append(w.streets[s], int32(i))
	}
}
