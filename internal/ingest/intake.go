package ingest

import (
	"hash/maphash"
	"path/filepath"
	"slices"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/foreign"
)

// intake stands between the lines of a log and the engine: it finds who and what is meant, and leaves out what came before under the
// same id.
type intake struct {
	cross      *crosswalk
	reject     func(file string, line int, why string)
	clock      clock
	seed       maphash.Seed
	seen       *foreign.Seen // ids of lines
	duplicates int
	mark       int64 // the piece in which a standing watch keeps what is taken
}

func newIntake(judge func(*dated), x *crosswalk, reject func(file string, line int, why string)) *intake {
	return &intake{cross: x, reject: reject, clock: clock{judge: judge}, seed: maphash.MakeSeed(), seen: foreign.NewSeen(remembered)}
}

func (in *intake) take(file string, l line[detect.Event]) {
	ev := l.value
	switch {
	case l.why != "":
		in.reject(file, l.number, l.why)
		return
	case in.seen.Again(maphash.String(in.seed, ev.ID)):
		in.duplicates++
		in.reject(file, l.number, "an event with this id came before")
		return
	}
	in.cross.event(&ev)
	in.clock.take(dated{ev, Place{filepath.Base(file), l.number}, in.mark})
}

// clock keeps one wrong clock from carrying the log's time away. A line that leaps ahead is held until those after it agree; when one
// comes back instead, the log goes on where it was, and those held are judged at the time of the line before them.
type clock struct {
	judge  func(*dated)
	now    int64 // of the latest line that was given
	first  []dated
	held   []dated
	faults int
	at     []Place
}

type dated struct {
	detect.Event
	place Place
	mark  int64
}

const (
	leap        = 3 * 86400   // seconds ahead of the log from which on a line is held
	gap         = 400 * 86400 // more than this asks for several that agree
	agreeing    = 4
	namedFaults = 100
)

func (c *clock) take(ev dated) {
	if c.first != nil || c.now == 0 {
		if c.first = append(c.first, ev); len(c.first) == 3 {
			c.begin()
		}
		return
	}
	c.pass(ev)
}

// begin finds the time of the log from its first three lines: one of them may be wrong.
func (c *clock) begin() {
	first := c.first
	c.first, c.now = nil, 1
	if len(first) == 3 {
		t := []int64{first[0].Time, first[1].Time, first[2].Time}
		slices.Sort(t)
		if d := first[0].Time - t[1]; d > gap || d < -gap {
			c.fault(&first[0], min(first[1].Time, first[2].Time))
			if first[0].Time < t[1]-gap {
				first[0].Time = t[1]
			}
		}
	}
	c.give(&first[0])
	for _, ev := range first[1:] {
		c.pass(ev)
	}
}

func (c *clock) pass(ev dated) {
	if len(c.held) > 0 {
		if ev.Time >= c.held[0].Time-leap {
			c.held = append(c.held, ev)
			if needed := c.needed(); len(c.held) > needed {
				c.release()
			}
			return
		}
		for i := range c.held {
			c.fault(&c.held[i], c.now)
			c.give(&c.held[i])
		}
		c.held = nil
	}
	if ev.Time > c.now+leap {
		c.held = append(c.held, ev)
		return
	}
	c.give(&ev)
}

// needed is how many must agree with the first that is held.
func (c *clock) needed() int {
	if c.held[0].Time > c.now+gap {
		return agreeing
	}
	return 1
}

// release believes the first that is held, and looks at the others from there.
func (c *clock) release() {
	held := c.held
	c.held = nil
	c.give(&held[0])
	for _, ev := range held[1:] {
		c.pass(ev)
	}
}

func (c *clock) give(ev *dated) {
	c.now = max(c.now, ev.Time)
	c.judge(ev)
}

func (c *clock) fault(ev *dated, now int64) {
	ev.Time = now
	if c.faults++; len(c.at) < namedFaults {
		c.at = append(c.at, ev.place)
	}
}

// finish gives what is still held: the last line of a log has nobody to agree with it.
func (c *clock) finish() {
	if len(c.first) > 0 {
		c.begin()
	}
	for len(c.held) > 0 {
		if len(c.held) == 1 && c.needed() > 1 {
			c.fault(&c.held[0], c.now)
		}
		c.release()
	}
}

// remembered is how many ids of lines are remembered at least.
const remembered = 1 << 20
