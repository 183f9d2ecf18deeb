package simulate

import (
	"cmp"
	"slices"
	"time"
)

// world is the hospital while it runs: one day after the other, in one goroutine.
type world struct {
	Options
	noise   int // percent
	warm    int // first judged day
	epoch   int64
	today   int
	missing map[string]bool

	units    []unit
	byKind   [][]int
	devices  []device
	people   []person
	patients []patient
	homes    []household
	streets  map[int][]int32
	kin      map[int32][]int32 // contacts who are staff (by their own chart) to those who named them
	cohorts  []cohortList
	laptops  map[int32]int32

	joining, moving, moveDay int
	newRooms                 []int32
	downtime                 int64 // when the system is down for three hours, once

	duties []duty
	onUnit [][]int
	dutyOf map[int32]int
	found  []int

	agenda   [][]*booking // by day of the visit
	bookings [][]*booking // by day of the booking
	stays    []*stay
	wardOf   map[int][]*stay
	queues   [unitKinds][]job
	bills    [][]bill
	signing  map[int32][]result

	stream, serial uint64
	seen           map[uint64]struct{}
	buckets        [][]event
	facts          map[string][][]byte
	factCount      int
	roster         []string
	label          *label
	labels         []*label
	twinOf         map[int32]*label // whose every act of the day belongs to a twin
	twinned        map[string]int
	left           []discharge
	byName         map[int][]int32
	consulting     []consult
	operating      map[int][]operation
	attackers      map[int32]bool
	out            *output
	stats          *Stats
	lateness       *lateness
}

// Monday is the first day of every simulation.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func newWorld(o Options) *world {
	w := &world{Options: o, noise: int(o.Noise*100 + .5), warm: o.warm(), epoch: monday.Unix(), missing: map[string]bool{}, laptops: map[int32]int32{}, seen: map[uint64]struct{}{},
		facts: map[string][][]byte{}, attackers: map[int32]bool{}, twinOf: map[int32]*label{}, twinned: map[string]int{}, byName: map[int][]int32{}, operating: map[int][]operation{}, signing: map[int32][]result{}, wardOf: map[int][]*stay{}, stats: newStats(), lateness: &lateness{}}
	for _, m := range o.Missing {
		w.missing[m] = true
	}
	w.buckets = make([][]event, o.Days)
	w.bills = make([][]bill, o.Days+60)
	w.build()
	w.drift()
	w.populate()
	w.indexStreets()
	w.employ()
	w.recruit()
	w.plan()
	w.fillBeds()
	w.scheme()
	return w
}

// at is a second: minutes after midnight of a day.
func (w *world) at(day, minutes int) int64 {
	return w.epoch + int64(day)*dayLong + int64(minutes)*minute
}

func (w *world) weekend() bool { return w.today%7 > 4 }

// id is an opaque id of n hexadecimal digits.
func (w *world) id(n int, name string, parts ...int) string {
	return string(appendHex(nil, key(w.Seed, "id "+name, parts...), n))
}

// live runs one day and writes it.
func (w *world) live(day int) error {
	w.today = day
	w.muster(day)
	w.drifts()
	w.newcomers()
	w.book()
	w.clinics()
	w.emergencies()
	w.operations()
	w.wards()
	w.consults()
	w.phones()
	w.answers()
	w.departments()
	w.backOffice()
	w.oddities()
	w.twins()
	w.misuse()
	w.label = nil
	if err := w.settle(); err != nil {
		return err
	}
	return w.writeDay(day)
}

// writeDay orders the entries of a day, adds the sessions around them, and hands them to the writer.
func (w *world) writeDay(day int) error {
	events := w.buckets[day]
	w.buckets[day] = nil
	byTime := func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) }
	slices.SortFunc(events, byTime)
	events = append(events, w.sessions(day, events)...)
	slices.SortFunc(events, byTime)
	w.stats.take(w, day, events)
	return w.out.entries(scribe{w.people, w.patients, w.units, w.devices}, events)
}

// sessions are the log-ins and log-outs around what each person did at each place.
func (w *world) sessions(day int, events []event) []event {
	type at struct{ agent, device int32 }
	type span struct {
		from, to int64
		e        event
	}
	open := map[at]*span{}
	var order []*span
	for i := range events {
		e := &events[i]
		k := at{e.agent, e.device}
		s := open[k]
		if s == nil || e.at-s.to > 2*hour {
			s = &span{from: e.at, e: *e}
			open[k] = s
			order = append(order, s)
		}
		s.to = e.at
	}
	d := w.begin("session", day)
	var out []event
	midnight, end := w.at(day, 0), w.at(day+1, 0)-1
	for _, s := range order {
		e := event{patient: -1, section: bare, agent: s.e.agent, device: s.e.device, addr: s.e.addr, unit: s.e.unit, purpose: w.people[s.e.agent].role.purpose(), act: login}
		add := func(a act, at int64) {
			w.serial++
			e.id, e.act, e.at = mix(w.stream^mix(w.serial)), a, min(max(at, midnight), end)
			out = append(out, e)
		}
		before := s.from - int64(d.between(5, 120))
		for d.chance(12) {
			before -= int64(d.between(5, 40))
			add(failed, before)
			before += int64(d.between(2, 5))
		}
		add(login, before)
		if d.chance(700) {
			add(logout, s.to+int64(d.between(20, 900)))
		}
	}
	return out
}
