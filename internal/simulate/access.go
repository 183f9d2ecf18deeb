package simulate

// act is the kind of an entry.
type act uint8

const (
	login act = iota
	logout
	failed
	read
	search
	searchOpen // a search inside one chart
	create
	update
	remove
	export
	print
	report
	breakGlass
)

// section is the part of a chart that an entry concerns; with it goes the type of resource.
type section uint8

const (
	summary section = iota
	notes
	labs
	medications
	orders
	imaging
	problems
	demographics
	schedule
	account
	tasks
	staffRole
	cohort
	list
	bare
)

var sectionNames = [...]string{"summary", "notes", "labs", "medications", "orders", "imaging", "problems", "demographics", "schedule", "billing", "schedule", "", "", "", ""}
var sectionTypes = [...]string{"Encounter", "DocumentReference", "Observation", "MedicationRequest", "ServiceRequest", "ImagingStudy", "Condition", "Patient", "Appointment",
	"Claim", "Task", "PractitionerRole", "Group", "Patient", ""}

// why tells the report, never the files, what stands behind an access.
type why uint8

const (
	direct  why = iota // a filed fact names the person
	group              // a filed fact names her unit or department
	unfiled            // work without a trace
	misuse
)

// event is one entry before it is written.
type event struct {
	at, authored   int64
	id, res        uint64
	patient, agent int32
	device         int32
	addr           uint32
	rows, bytes    int32
	unit           int16
	act            act
	section        section
	why            why
	first          bool // begins a visit to a chart
	click          bool // was the wrong patient
	inpatient      bool
	purpose        purpose
	text           uint8 // of a broken glass
	innocent       bool
}

var glassTexts = []string{"emergency care", "urgent medication question", "covering for a colleague", "patient called", "consulted by phone", "patient transfer"}

// seat is where somebody sits when something is done.
type seat struct {
	agent  int32
	device int32
	addr   uint32
	unit   int
}

// seat takes a place for one visit: mostly the usual workstation, sometimes another one of the unit or the own mobile device, and by VPN from home.
func (w *world) seat(d *draw, u *duty) seat {
	s := seat{u.agent, u.device, 0, u.unit}
	switch p := &w.people[u.agent]; {
	case u.remote:
		return w.fromHome(u.agent)
	case p.mobile >= 0 && d.chance(200):
		s.device = p.mobile
	case d.chance(220):
		s.device = w.deviceAt(d, u.unit)
	}
	s.addr = w.devices[s.device].addr
	return s
}

// fromHome is the VPN: a laptop of her own and one of the house's VPN addresses.
func (w *world) fromHome(i int32) seat {
	if _, ok := w.laptops[i]; !ok {
		w.laptops[i] = w.newDevice("mobile", w.people[i].unit, 0)
		v := &w.devices[w.laptops[i]]
		v.id = w.id(8, "laptop", int(i))
		if i%5 < 2 {
			v.kind = "" // her own, which no list names
		}
	}
	if i%17 == 0 { // the VPN is too slow for some
		return seat{i, w.laptops[i], address(81, 2+int(i)%90, int(i)%250, 2+int(i)%250), w.people[i].unit}
	}
	h := int(mix(w.Seed^uint64(i)<<20^uint64(w.today/3)) % 200)
	return seat{i, w.laptops[i], address(10, 250, 0, 10+h), w.people[i].unit}
}

// emit puts an entry into its day. Whatever w.label names takes note of it.
func (w *world) emit(s seat, e event) {
	w.serial++
	e.id = mix(w.stream ^ mix(w.serial))
	e.agent, e.device, e.addr, e.unit = s.agent, s.device, s.addr, int16(s.unit)
	e.innocent = w.label == nil || w.label.twin
	e.at = w.afterDowntime(e.at)
	day := int((e.at - w.epoch) / dayLong)
	if e.at < w.epoch || day >= len(w.buckets) {
		return
	}
	if w.label != nil {
		w.label.note(e)
	} else if l := w.twinOf[e.agent]; l != nil {
		l.note(e)
	}
	if e.patient >= 0 && e.innocent {
		w.seen[pair(e.agent, e.patient)] = struct{}{}
	}
	w.buckets[day] = append(w.buckets[day], e)
}

func pair(agent, patient int32) uint64 { return uint64(agent)<<32 | uint64(uint32(patient)) }

// knows says whether a person ever opened a chart in the course of work.
func (w *world) knows(agent, patient int32) bool { _, ok := w.seen[pair(agent, patient)]; return ok }

// begin names the stream from which the ids of the next entries and facts come.
func (w *world) begin(name string, parts ...int) *draw {
	w.stream, w.serial = key(w.Seed, "stream "+name, parts...), 0
	return newDraw(w.Seed, name, parts...)
}

var clinicalPath = []section{notes, labs, medications, orders, imaging, problems}

// visit opens a chart and looks at n parts of it; it returns when the last was opened.
func (w *world) visit(d *draw, s seat, at int64, patient int32, n int, y why) int64 {
	r := w.people[s.agent].role
	e := event{at: at, patient: patient, act: read, section: summary, purpose: r.purpose(), first: true, why: y, inpatient: w.patients[patient].inpatient >= 0}
	if !r.treats() || r == scheduler {
		e.section = demographics
	}
	if d.chance(60) { // found by name, not on a list
		w.lookup(d, s, at-int64(d.between(6, 20)), patient)
	}
	if y != misuse && d.chance(w.often(5)) {
		w.wrongClick(d, s, e)
	}
	if y == unfiled && r.bedside() && d.chance(110) {
		w.unseal(d, s, at-int64(d.between(5, 40)), patient)
	}
	for i := range n {
		if i > 0 {
			e.first = false
			e.at += int64(d.between(8, 90))
			e.section = w.part(d, r)
			e.act = read
			if e.section == labs || e.section == medications || e.section == problems {
				e.act = searchOpen
			}
		}
		e.res = d.next()
		w.emit(s, e)
	}
	return e.at
}

// part is what a role looks at next.
func (w *world) part(d *draw, r role) section {
	switch r {
	case pharmacist:
		return pick(d, []section{medications, medications, labs, problems})
	case technologist:
		return pick(d, []section{labs, orders})
	case radiographer, radiologist:
		return pick(d, []section{imaging, imaging, orders, notes})
	case scheduler, registrar:
		return pick(d, []section{demographics, schedule, schedule})
	case biller:
		return pick(d, []section{account, account, demographics})
	case coder:
		return pick(d, []section{account, notes, notes, problems})
	}
	return pick(d, clinicalPath)
}

// write leaves a note, an order, an appointment: res is the resource when the reference data hold it, 0 for one they do not.
func (w *world) write(d *draw, s seat, at int64, patient int32, a act, part section, res uint64) {
	if res == 0 {
		res = d.next()
	}
	e := event{at: at, patient: patient, act: a, section: part, purpose: w.people[s.agent].role.purpose(), res: res, why: direct}
	if part == notes {
		e.authored = at - int64(d.below(3000))
	}
	w.emit(s, e)
}

// lookup is a search by name: rows in a list, no chart.
func (w *world) lookup(d *draw, s seat, at int64, patient int32) {
	n := 1 + d.early(12)
	w.emit(s, event{at: at, patient: -1, act: search, section: list, purpose: w.people[s.agent].role.purpose(), res: uint64(patient), rows: int32(n), bytes: int32(n * (1100 + d.below(300)))})
}

// take prints or exports part of one chart.
func (w *world) take(d *draw, s seat, at int64, patient int32, a act) {
	part := notes
	if a == export {
		part = imaging
	}
	w.emit(s, event{at: at, patient: patient, act: a, section: part, purpose: w.people[s.agent].role.purpose(), res: d.next(), rows: 1, bytes: int32(20000 + d.below(80000)), why: direct})
}

// bulk exports or reports many rows without naming patients.
func (w *world) bulk(d *draw, s seat, at int64, a act, rows int, from section, res uint64) {
	w.emit(s, event{at: at, patient: -1, act: a, section: from, purpose: w.people[s.agent].role.purpose(), res: res, rows: int32(rows), bytes: int32(rows * (150 + d.below(6000)))})
}

// unseal breaks the glass with one of the usual texts.
func (w *world) unseal(d *draw, s seat, at int64, patient int32) {
	w.emit(s, event{at: at, patient: patient, act: breakGlass, section: bare, purpose: glass, text: uint8(d.below(len(glassTexts)))})
}
