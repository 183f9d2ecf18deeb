package foreign

import "container/heap"

const (
	window   = 300 // seconds by which a row may come too late and is still put in its place
	mostHeld = 1 << 17
	leap     = 2 * 86400 // seconds by which a row may lie ahead of those before it, unless more follow it
	witness  = 3         // rows that it takes for time to have really moved so far
)

// held is a row that waits for those that belong before it.
type held struct {
	at   int64
	seq  int
	r    Reading
	file string
	line int
	mark int64 // the piece in which a standing watch keeps it
}

type waiting []held

func (w waiting) Len() int { return len(w) }
func (w waiting) Less(i, j int) bool {
	return w[i].at < w[j].at || w[i].at == w[j].at && w[i].seq < w[j].seq
}
func (w waiting) Swap(i, j int) { w[i], w[j] = w[j], w[i] }
func (w *waiting) Push(x any)   { *w = append(*w, x.(held)) }
func (w *waiting) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	(*w)[last] = held{}
	*w = (*w)[:last]
	return x
}

// order puts rows that come a little late in their place. A row far ahead of its neighbours has a wrong clock: one such row must not
// make all that follow it late.
type order struct {
	rows   waiting
	first  []held // until there are a few, to tell whether the first one's clock is wrong
	ahead  []held
	newest int64
	given  int64
	began  bool
	seq    int
	moved  int // rows that were put in their place
	late   int // rows that came too late for that
	faults int // rows with a wrong clock
	at     []Place
	give   func(*held)
}

// Place is one row of a file.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

const namedFaults = 100

func (o *order) put(h held) {
	h.seq = o.seq
	o.seq++
	if o.began {
		o.pass(h)
	} else if o.first = append(o.first, h); len(o.first) > witness {
		o.begin()
	}
}

// begin looks at the first rows together: nothing came before the first one that it could be compared with.
func (o *order) begin() {
	first := o.first
	o.first = nil
	if len(first) > witness {
		latest := first[1].at
		for _, h := range first[2:] {
			latest = max(latest, h.at)
		}
		if first[0].at > latest+leap {
			o.fault(&first[0], first[1].at)
		}
	}
	for _, h := range first {
		o.pass(h)
	}
}

func (o *order) pass(h held) {
	switch {
	case !o.began || h.at <= o.newest+leap:
		o.doubt()
		o.add(h)
	case len(o.ahead) > 0 && h.at < o.ahead[0].at-leap: // nearer to what was before than those: they were wrong
		o.doubt()
		o.ahead = append(o.ahead, h)
	default:
		if o.ahead = append(o.ahead, h); len(o.ahead) > witness {
			o.believe()
		}
	}
}

// doubt takes those that lie ahead for rows of wrong clocks.
func (o *order) doubt() {
	for i := range o.ahead {
		o.fault(&o.ahead[i], o.newest)
		o.add(o.ahead[i])
	}
	o.ahead = o.ahead[:0]
}

// fault gives a row of a wrong clock the time of the row before it: it is judged, and told.
func (o *order) fault(h *held, at int64) {
	h.at, h.r.Event.Time = at, at
	if o.faults++; len(o.at) < namedFaults {
		o.at = append(o.at, Place{h.file, h.line})
	}
}

func (o *order) believe() {
	for _, h := range o.ahead {
		o.add(h)
	}
	o.ahead = o.ahead[:0]
}

func (o *order) add(h held) {
	if o.began && h.at < o.newest {
		if h.at < o.given {
			o.late++
		} else {
			o.moved++
		}
	}
	if !o.began || h.at > o.newest {
		o.newest, o.began = h.at, true
	}
	heap.Push(&o.rows, h)
	for len(o.rows) > 0 && (o.rows[0].at <= o.newest-window || len(o.rows) > mostHeld) {
		o.next()
	}
}

func (o *order) next() {
	h := heap.Pop(&o.rows).(held)
	o.given = max(o.given, h.at)
	o.give(&h)
}

// end gives what still waits.
func (o *order) end() {
	o.begin()
	o.believe()
	for len(o.rows) > 0 {
		o.next()
	}
}
