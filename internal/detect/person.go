package detect

import "slices"

// person is what is kept of one: where she works, what she usually does, whom she works with, and her two newest days. What is small stands
// where it fills up a word: of each member of staff there is one, and 4 KB are all that she may take.
type person struct {
	body
	own       int32 // her own chart, -1
	role      int32
	posts     []posting
	shifts    []shift // planned, and of the last two weeks
	planned   shift   // from the first to the last that was ever planned; 0 none
	days      float32 // of activity, decayed
	hired     int64   // since when her newest role is known
	leaves    int64   // from when she may do nothing, 0
	last      int64   // the last event
	means     [counters]float32
	hours     [168]uint8
	networks  [12]uint32
	recent    [3]seat
	partners  [20]partner
	repeats   []repeat
	drift     float64 // low and slow
	second    float64 // charts at which a colleague did the work, low and slow
	paced     float64 // exports, low and slow
	exporting float32 // share of her days with an export
	usual     float32 // log E of her days, so that an odd habit is one case at most
	attr      [attributes]float32
	own0      float32
	near      float32 // patients of her surroundings a day
	apart     float32 // community: mean and variance of her deviation
	apartVar  float32
	apartDays float32
	ended     bool // her access was ended, and not only her employment
	granted   bool // she gave herself a role, and no event was counted for it yet
	today     *today
	before    *today
}

// seat is where a person worked last, as 3 + place.
type seat struct {
	place int32
	at    instant
}

type partner struct {
	person int32
	score  float32
}

// repeat is an unexplained patient: a bit for each of the last fourteen days.
type repeat struct {
	patient int32
	day     int32
	bits    uint16
}

// today is what one person did on one day of the log.
type today struct {
	day      int32
	role     int32
	patients []look
	ids      ids // of the events of looks and notes
	units    []cover
	index    map[int32]int32
	counts   [counters]int32
	size     float32 // of the largest export that is not of a list of her own, on a log scale; 0 none
	back     float32 // how far back the farthest back-dated note goes, on a log scale
	off      float64 // log e of working at odd hours
	novelty  float64 // nats of the newest seat
	stranger uint32  // a device that is not on the house's list of them and that nobody ever had
	seat     int32   // 1 + department where the person sat at last, 0 not known
	awayNet  uint32  // the new seat
	awayDev  uint32
	dormant  float64
	printed  int32 // charts without a known reason that went to paper
	claims   int32 // unexplained glasses
	grants   int32 // roles she gave herself
	read     int32 // deletions without a known reason in charts that were read before
	unread   int32 // 1 + the patient whose chart was opened last by deleting
	hours    uint32
	notes    []int32 // events other than looks that a case would name
	logE     float64
	apart    float64
	attr     [attributes]int32
	novel    uint8 // a bit for each novelty met
	strange  uint8 // patients without a known reason opened at the stranger
	far      uint8 // the same, far from every planned shift
	swapped  bool  // far from every planned shift, and at work for all that: something done there was explained
	leaver   bool  // the last day is over, and no shift is planned
	ended    bool  // the person's access was ended, whatever she did before on this day
}

// excuse lowers a look to what is known of it now.
func (d *today) excuse(l *look, nats float64) {
	if nats >= float64(l.nats) {
		return
	}
	if l.counted && nats <= 0 {
		d.counts[countUnexplained]--
		l.counted = false
	}
	l.nats = float32(nats)
}

// look is one patient of a person's day.
type look struct {
	event   int32 // among the day's ids
	patient int32
	rel     float32
	nats    float32           // unexplained
	around  float32           // what its circumstances say
	where   [whereabout]uint8 // 1 + place among the day's units
	q       uint8
	events  uint8 // on this chart, up to nine
	company uint8 // who else opened it that day
	wrote   bool  // something was written
	sought  bool  // found by a search and not opened
	printed bool
	away    bool // from a seat that was new that day
	glass   bool // broken, and no reason known
	counted bool // among the unexplained patients of the day
}

func (d *today) look(p int32) *look {
	if d.index != nil {
		if i, ok := d.index[p]; ok {
			return &d.patients[i]
		}
		return nil
	}
	for i := range d.patients {
		if d.patients[i].patient == p {
			return &d.patients[i]
		}
	}
	return nil
}

func (d *today) add(l look) {
	d.patients = append(room(d.patients), l)
	if d.index != nil {
		d.index[l.patient] = int32(len(d.patients) - 1)
	} else if len(d.patients) == 48 {
		d.index = make(map[int32]int32, 96)
		for i := range d.patients {
			d.index[d.patients[i].patient] = int32(i)
		}
	}
}

const enoughNotes = 400

func (d *today) note(id string) {
	if len(d.notes) < enoughNotes {
		d.notes = append(room(d.notes), d.ids.add(id))
	}
}

// over gives back room when nothing more is added to a day.
func (d *today) over() {
	d.patients, d.units, d.notes = slices.Clone(d.patients), slices.Clone(d.units), slices.Clone(d.notes)
	d.ids.clip()
}

func (p *person) worksWith(q int32) bool {
	for i := range p.partners {
		if p.partners[i].person == q+1 && p.partners[i].score >= 3 {
			return true
		}
	}
	return false
}

// meet counts that both had an explained look at one chart. The weakest partner gives way to a new one.
func (p *person) meet(q int32) {
	low := 0
	for i := range p.partners {
		if p.partners[i].person == q+1 {
			p.partners[i].score++
			return
		}
		if p.partners[i].score < p.partners[low].score {
			low = i
		}
	}
	if p.partners[low].score < 1 {
		p.partners[low] = partner{q + 1, 1}
	} else {
		p.partners[low].score -= 0.5
	}
}
