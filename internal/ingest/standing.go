package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/atna"
	"chartwarden/internal/ingest/foreign"
)

// Piece is a run of whole lines of a log as a standing watch keeps it.
type Piece struct {
	Number int64  // in the order in which they came, from 1
	File   string // name
	Form   Form   // of the file; see [Sniff]
	Header string // of a table
	First  int    // line of its first line
	Text   string
	Why    string // what is wrong with one line that is not kept; Text is empty then
}

// Sniff settles how a file is written that begins with start. Errors: outcome.Invalid for one that begins like none.
func Sniff(file string, start []byte, f Form) (Form, error) {
	m, form := f.Map, f.Name
	if m == nil {
		if form == "auto" {
			form, m = guess(start)
		} else if form != "" && form != "fhir" && form != "atna" {
			m, _ = foreign.Preset(form)
		}
	}
	switch {
	case m != nil:
		zone := f.Zone
		if zone == nil && m.Zone != "" {
			zone, _ = foreign.LoadZone(m.Zone)
		}
		return Form{Map: m, Zone: zone}, nil
	case form == "atna":
		return Form{Name: "atna", Zone: f.Zone}, nil
	case form == "" || form == "fhir":
		return Form{Name: "fhir", Zone: f.Zone}, nil
	}
	return f, unknownForm(file)
}

// Cut is how much of a text of this form, which begins with a line, whole lines take; header is that of a table. last says that no more
// follows. Errors: as [foreign.Mapping.Table].
func (f Form) Cut(file, header string, text []byte, last bool) (int, error) {
	switch {
	case f.Map != nil:
		t, err := f.Map.Table(file, header)
		if err != nil {
			return 0, err
		}
		return t.Cut(text, last), nil
	case last:
		return len(text), nil
	case f.Name == "atna": // a message may go over several lines
		end := []byte("</AuditMessage>")
		if i := bytes.LastIndex(text, end); i >= 0 {
			rest := text[i+len(end):]
			return len(text) - len(bytes.TrimLeft(rest, " \t\r\n\x00")), nil
		}
		return 0, nil
	}
	return bytes.LastIndexByte(text, '\n') + 1, nil
}

// Pupil is told what a standing watch reads, one call at a time. Strings that it gets are its for the call only.
type Pupil interface {
	Learn(detect.Record)
	Leaves(person string, from int64)
	Roster(detect.Shift)
	Device(device, kind, place string)
	Event(at Spot, e *detect.Event)
	Reject(at Spot, file, why string)
}

// Spot is where a line is kept.
type Spot struct {
	Piece int64
	Line  int // of its file
}

// Standing reads another system's log piece by piece, and its context as that grows, as [Replay] reads whole files: the same pieces and
// the same context give the same events. It is for one goroutine.
type Standing struct {
	to     Pupil
	cross  *crosswalk
	stream *foreign.Stream
	own    *intake
	tables map[string]*foreign.Table
	piece  int64
	reads  bool // AuditEvents, and not another form

	told   map[string]*marks // lines of the context, by file
	stamps map[string]stamp  // of its files
	left   map[string]bool   // whom hr.csv said to have left
	staff  staffList
}

// stamp tells whether a file changed.
type stamp struct {
	size int64
	at   time.Time
}

// NewStanding makes one that has read nothing yet.
func NewStanding(to Pupil) *Standing {
	s := &Standing{to: to, cross: newCrosswalk(), tables: map[string]*foreign.Table{}, told: map[string]*marks{}, stamps: map[string]stamp{}, left: map[string]bool{},
		staff: staffList{of: map[string]*Member{}, units: map[string]string{}}}
	reject := func(file string, line int, why string) { to.Reject(Spot{s.piece, line}, file, why) }
	s.own = newIntake(func(d *dated) { to.Event(Spot{d.mark, d.place.Line}, &d.Event) }, s.cross, reject)
	s.stream = foreign.NewStream(foreign.Sinks{Event: func(e *detect.Event) {
		piece, line := s.stream.Given()
		to.Event(Spot{piece, line}, e)
	}, Learn: func(r detect.Record) {
		s.staff.learn(&r)
		to.Learn(r)
	}, Reject: reject}, s.cross.walk)
	return s
}

// Learn reads the files of a context that changed since the last time, and tells what is new in them. What comes later than the first time and
// does not say since when it is known is known since now. Taking a line out of a file takes nothing back. rejected gets what is no line.
// Errors: outcome.Invalid for an hr.map or hr.csv that does not fit; a file that cannot be read is told, and read the next time.
func (s *Standing) Learn(ctx context.Context, dir string, now time.Time, rejected func(file string, line int, why string)) (n int, err error) {
	first := len(s.stamps) == 0
	changed := map[string]stamp{}
	f := facts{dir: dir, to: listed{s}, cross: s.cross, told: s.before, left: s.left, reject: func(name string, line int, why string) error {
		rejected(filepath.Base(name), line, why)
		return nil
	}}
	f.wanted = func(path string) bool {
		st, err := os.Stat(path)
		if err != nil {
			return false
		}
		is := stamp{st.Size(), st.ModTime()}
		if filepath.Base(path) == "hr.csv" {
			if m, err := os.Stat(filepath.Join(dir, "hr.map")); err == nil {
				is.size += m.Size() << 32
			}
		}
		if s.stamps[path] == is {
			return false
		}
		changed[path] = is
		return true
	}
	f.staff = func() (foreign.Pupil, func(bool)) {
		hr := s.before(filepath.Join(dir, "hr.csv"))
		hr.begin()
		back := func() { delete(s.stamps, filepath.Join(dir, "leavers.csv")) } // it may say that she left, too, and is read after
		return &onlyNew{listed{s}, hr, back}, hr.end
	}
	f.meet = func(e *entry) {
		if !first && e.Known == 0 {
			e.Known = now.Unix()
		}
		s.staff.unit(e)
	}
	n, err = f.read(ctx)
	if err == nil {
		for path, is := range changed {
			s.stamps[path] = is
		}
	}
	return n, err
}

// before is what was told of a file.
func (s *Standing) before(path string) *marks {
	if s.told[path] == nil {
		s.told[path] = newMarks()
	}
	return s.told[path]
}

// listed tells of a context, and lists the staff.
type listed struct{ s *Standing }

func (l listed) Learn(r detect.Record) {
	l.s.staff.learn(&r)
	l.s.to.Learn(r)
}

func (l listed) Leaves(person string, from int64)  { l.s.to.Leaves(person, from) }
func (l listed) Device(device, kind, place string) { l.s.to.Device(device, kind, place) }
func (l listed) Roster(x detect.Shift)             { l.s.to.Roster(x) }
func (listed) Judge(*detect.Event)                 {}

// onlyNew tells once what hr.csv says, which is read as a whole.
type onlyNew struct {
	listed
	hr   *marks
	back func() // somebody did not leave after all
}

func (o *onlyNew) Learn(r detect.Record) {
	if !o.hr.fresh(o.hr.key(fmt.Sprintf("%v %+v %+v", r.Ref, r.Folk, r.Post))) {
		o.s.staff.learn(&r)
		return
	}
	o.listed.Learn(r)
}

func (o *onlyNew) Leaves(person string, from int64) {
	if from == 0 {
		o.back()
	}
	o.listed.Leaves(person, from)
}

// said is what a piece says.
type said struct {
	piece *Piece
	fhir  []line[detect.Event]
	rows  []foreign.Row
}

// Take reads pieces in their order. Errors: outcome.Invalid for a header that does not fit its form, or times without a zone.
func (s *Standing) Take(ctx context.Context, pieces []Piece) error {
	for i := range pieces {
		p := &pieces[i]
		if _, known := s.tables[p.table()]; p.Form.Map == nil || known {
			continue
		}
		t, err := p.Form.Map.Table(p.File, p.Header)
		if err != nil {
			return err
		}
		s.tables[p.table()] = t
	}
	return foreign.InOrder(ctx, func(give func(*Piece) bool) error {
		for i := range pieces {
			if !give(&pieces[i]) {
				break
			}
		}
		return nil
	}, func(p *Piece) []said { return []said{p.read(s.tables[p.table()])} }, s.put)
}

// table names the table of a piece: its form and header.
func (p *Piece) table() string {
	if p.Form.Map == nil {
		return ""
	}
	return p.Form.Map.Text + "\x00" + p.Header
}

// read reads a piece on its own.
func (p *Piece) read(t *foreign.Table) said {
	out := said{piece: p}
	switch {
	case p.Why != "":
	case t != nil:
		out.rows = t.Rows(p.Text, p.First)
	case p.Form.Name == "atna":
		frames := atna.NewFrames(strings.NewReader(p.Text), atna.Longest)
		for {
			f, err := frames.Next()
			if err != nil {
				break // the end
			}
			row := foreign.Row{Line: p.First + f.Line - 1, Why: f.Why}
			if row.Why == "" {
				row.Reading, row.Why = atna.Parse(bytes.Clone(f.Text))
			}
			out.rows = append(out.rows, row)
		}
	default:
		out.fhir = parseBlock(block{text: p.Text, first: p.First}, Event)
	}
	return out
}

func (s *Standing) put(x said) error {
	p := x.piece
	s.piece, s.own.mark = p.Number, p.Number
	s.stream.Mark(p.Number)
	if p.Why != "" {
		s.to.Reject(Spot{p.Number, p.First}, p.File, p.Why)
		return nil
	}
	if fhir := p.Form.Map == nil && p.Form.Name != "atna"; fhir != s.reads { // as a replay does between files
		if s.reads = fhir; fhir {
			s.stream.Flush()
		} else {
			s.own.clock.finish()
		}
	}
	for _, l := range x.fhir {
		s.own.take(p.File, l)
	}
	if !s.reads {
		s.stream.Format(p.formName())
	}
	for _, r := range x.rows {
		if r.Why != "" {
			s.to.Reject(Spot{p.Number, r.Line}, p.File, r.Why)
			continue
		}
		if r.Reading.Local && p.Form.Zone == nil {
			s.to.Reject(Spot{p.Number, r.Line}, p.File, "its time names no zone")
			continue
		}
		if err := s.stream.Put(p.File, r.Line, r.Reading, p.Form.Zone); err != nil {
			return err
		}
	}
	return nil
}

func (p *Piece) formName() string {
	if p.Form.Map != nil {
		return p.Form.Map.Name
	}
	return p.Form.Name
}

// Waits is the first piece of which something waits for those that belong before it; 0 for none.
func (s *Standing) Waits() int64 {
	first := s.stream.Waits()
	for _, of := range [][]dated{s.own.clock.first, s.own.clock.held} {
		for i := range of {
			if first == 0 || of[i].mark < first {
				first = of[i].mark
			}
		}
	}
	return first
}

// Newest is the time up to which the log came, as far as it is believed; for [Standing.Settle].
func (s *Standing) Newest() int64 { return s.stream.Newest() }

// Settle gives what waits and is not newer than a time: nobody expects older rows any more.
func (s *Standing) Settle(until int64) { s.stream.Settle(until) }

// Met tells what was met so far in logs that are not FHIR.
func (s *Standing) Met() foreign.Report { return s.stream.Met() }

// Row reads one line of a piece again, without a context: people and patients keep the identifiers of their system. ok is false for a line that
// is none.
func (p Piece) Row(number int) (e detect.Event, ok bool) {
	var t *foreign.Table
	if p.Form.Map != nil {
		var err error
		if t, err = p.Form.Map.Table(p.File, p.Header); err != nil {
			return e, false
		}
	}
	x := p.read(t)
	for _, l := range x.fhir {
		if l.number == number && l.why == "" {
			return l.value, true
		}
	}
	for _, r := range x.rows {
		if r.Line == number && r.Why == "" {
			zone := p.Form.Zone
			if zone == nil {
				zone = time.UTC
			}
			return r.Reading.Plain(zone), true
		}
	}
	return e, false
}

// Decoded gives what a file of a form says as UTF-8, by its byte order mark or the encoding of the form's mapping.
func Decoded(f Form, r io.Reader) io.Reader {
	m := f.Map
	if m == nil {
		m = &foreign.Mapping{}
	}
	return m.Decoded(r)
}
