package foreign

import (
	"bufio"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/outcome"
)

// Sinks take what a stream makes, one call at a time. What Event gets is its for the call only.
type Sinks struct {
	Event  func(*detect.Event)
	Learn  func(detect.Record)                     // who is named in a row and not in the context; before the first event that concerns her
	Reject func(file string, line int, why string) // a row that is none
}

// Stream puts rows of several files and formats into one order and names people and patients as the context does. It is for one goroutine.
type Stream struct {
	sinks  Sinks
	walk   *Crosswalk
	order  order
	seen   *Seen
	report Report
	clocks map[string]*wall
	last   *wall

	seed     maphash.Seed
	learned  map[string]struct{} // references that were told, or have no names
	nameless map[uint64]string   // patients without an identifier, by keyed names and address
	broken   map[[2]string]int64 // when the glass was last broken, by person and patient
	brokenOn int64
	one      [1]string
	inUnit   map[[2]string]int64
	mark     int64 // of what is put
	giving   held  // what is given now
}

// NewStream makes a stream whose people and patients walk leads to the context.
func NewStream(sinks Sinks, walk *Crosswalk) *Stream {
	s := &Stream{sinks: sinks, walk: walk, clocks: map[string]*wall{}, seed: maphash.MakeSeed(), learned: map[string]struct{}{},
		nameless: map[uint64]string{}, broken: map[[2]string]int64{}, inUnit: map[[2]string]int64{}, seen: NewSeen(remembered)}
	s.order.give = s.give
	return s
}

// Table reads one file of rows. zone is that of times which say none. Errors: outcome.Invalid when the file's header does not fit the
// mapping or a zone is missing, the reader's and the context's.
func (s *Stream) Table(ctx context.Context, file string, r io.Reader, m *Mapping, zone *time.Location) error {
	in := bufio.NewReaderSize(decode(r, m.Encoding), 64<<10)
	b, first, err := m.header(in, file)
	if b == nil || err != nil {
		return err
	}
	s.Format(m.Name)
	reads, rows := s.report.reads, s.report.Rows
	err = InOrder(ctx, func(give func(block) bool) error { return blocks(in, b.sep, m.Quote, first, give) }, b.rows, func(x read) error {
		if x.why != "" {
			s.sinks.Reject(file, x.line, x.why)
			return nil
		}
		return s.Put(file, x.line, x.r, zone)
	})
	if m.NoReads != "" && reads == s.report.reads && rows < s.report.Rows && !slices.Contains(s.report.Notes, m.NoReads) {
		s.report.Notes = append(s.report.Notes, m.NoReads)
	}
	return err
}

// header reads the first row that is not empty and lays the mapping over it. nil: the file holds nothing.
func (m *Mapping) header(in *bufio.Reader, file string) (*binding, int, error) {
	line, row := 1, ""
	if !m.Header {
		b, _ := m.bind(make([]string, maxColumns))
		start, _ := in.Peek(4096)
		first, _, _ := strings.Cut(string(start), "\n")
		b.sep = separatorOf(m, first)
		return b, line, nil
	}
	for {
		text, err := in.ReadString('\n')
		if row += text; len(row) > blockSize {
			return nil, 0, outcome.New(outcome.Invalid, file+": the first row is longer than a header can be: is it a table with a header?")
		}
		if err != nil && err != io.EOF {
			return nil, 0, err
		}
		if strings.TrimSpace(row) == "" {
			if err == io.EOF {
				return nil, 0, nil
			}
			line, row = line+1, ""
			continue
		}
		if strings.HasPrefix(row, "sep=") { // Excel's word for the separator
			line, row = line+1, ""
			continue
		}
		sep := separatorOf(m, row)
		if _, ok, _ := rowEnd(row, sep, m.Quote, err == io.EOF); !ok {
			continue // a name with a line break in quotes
		}
		cells, why := split(row, sep, m.Quote, nil)
		if why != "" {
			return nil, 0, outcome.New(outcome.Invalid, file+": the header is no row of a table: "+why)
		}
		b, missing := m.bind(cells)
		if missing != "" {
			return nil, 0, outcome.New(outcome.Invalid, file+": the header has "+missing+" as the format "+m.Name+" calls it: write a mapping with the names of your export and give it by --map")
		}
		b.sep = sep
		return b, line + strings.Count(row, "\n"), nil
	}
}

func (s *Stream) clock(zone *time.Location) *wall {
	if s.last != nil && s.last.zone == zone {
		return s.last
	}
	w := s.clocks[zone.String()]
	if w == nil {
		w = &wall{zone: zone}
		s.clocks[zone.String()] = w
	}
	s.last = w
	return w
}

type read struct {
	r    Reading
	line int
	why  string
}

// rows reads a block.
func (b *binding) rows(bl block) []read {
	if bl.why != "" {
		return []read{{line: bl.first, why: bl.why}}
	}
	out := make([]read, 0, len(bl.text)/150+1)
	cells := make([]string, 0, b.width+8)
	if b.width == maxColumns {
		cells = cells[:0:64]
	}
	for text, line := bl.text, bl.first; text != ""; {
		end, _, _ := rowEnd(text, b.sep, b.m.Quote, true)
		row := text[:end]
		text = text[end:]
		if strings.TrimSpace(row) != "" {
			x := read{line: line}
			x.r, x.why = b.read(row, cells)
			out = append(out, x)
		}
		line += strings.Count(row, "\n")
	}
	return out
}

// Format notes in the report how a file is written, of files that are no tables.
func (s *Stream) Format(name string) {
	if !slices.Contains(s.report.Formats, name) {
		s.report.Formats = append(s.report.Formats, name)
	}
}

// Put takes one reading. Errors: outcome.Invalid when its time names no zone and zone is nil.
func (s *Stream) Put(file string, line int, r Reading, zone *time.Location) error {
	if r.Local {
		if zone == nil {
			return outcome.New(outcome.Invalid, file+": its times name no zone: say where its clocks are, for example --zone America/New_York")
		}
		r.Event.Time = s.clock(zone).instant(r.Event.Time)
	}
	s.report.Rows++
	switch {
	case r.skip:
		s.report.Skipped++
		return nil
	case r.Hash != 0 && s.seen.Again(r.Hash):
		s.report.Duplicates++
		s.sinks.Reject(file, line, "the same stood there before, byte by byte")
		return nil
	}
	if r.Unknown != "" {
		s.report.unknown(r.Unknown)
	}
	if r.Event.Kind == detect.Read {
		s.report.reads++
	}
	s.order.put(held{at: r.Event.Time, r: r, file: file, line: line, mark: s.mark})
	return nil
}

// give hands an event on, now that its turn has come.
func (s *Stream) give(h *held) {
	s.giving.mark, s.giving.line = h.mark, h.line
	r, e := &h.r, &h.r.Event
	if e.ID == "" {
		e.ID = fmt.Sprintf("%016x-%d", r.Hash, h.line)
	}
	if e.Agent == "" {
		e.Agent = s.person(r)
	}
	if e.Place != "" && !literal(e.Place) {
		e.Place = s.walk.unit(e.Place)
	}
	if e.Device != "" && !literal(e.Device) {
		e.Device = "Device/" + e.Device
	}
	for _, ids := range r.Patients {
		if len(ids) > 0 {
			e.Patients = append(e.Patients, s.patient(ids, r.Names))
		}
	}
	if len(r.Patients) == 0 && r.Names != nil && r.Names.PatientFamily != "" {
		s.one[0] = s.unnumbered(r.Names, h)
		e.Patients = s.one[:]
	}
	if r.Names != nil && r.Names.In != "" && len(e.Patients) == 1 {
		s.placed(e.Patients[0], s.walk.unit(r.Names.In), e.Time)
	}
	if r.Glass && len(e.Patients) > 0 && (e.Kind == detect.Read || e.Kind == detect.Search || e.Kind == detect.Other) && s.breaks(e) {
		e.Kind = detect.Glass
	}
	s.sinks.Event(e)
}

// literal reports whether a text is a reference already.
func literal(s string) bool {
	typ, _, ok := strings.Cut(s, "/")
	return ok && slices.Contains([]string{"Location", "Organization", "HealthcareService", "Device"}, typ)
}

// person is the reference of the one who acted. Whoever the context does not know is told to it once, by the names of the row.
func (s *Stream) person(r *Reading) string {
	ref, known := s.walk.Find("Practitioner", r.People)
	if known {
		return ref
	}
	ref = Own("Practitioner", r.People[0])
	if _, ok := s.learned[ref]; ok {
		return ref
	}
	s.learned[ref] = struct{}{}
	s.report.UnknownPeople++
	if n := r.Names; n != nil && n.PersonFamily != "" {
		s.sinks.Learn(detect.Record{Ref: ref, Folk: &detect.Folk{Ref: ref, Family: n.PersonFamily, Given: n.PersonGiven}})
	}
	return ref
}

func (s *Stream) patient(ids []ID, n *Names) string {
	ref, known := s.walk.Find("Patient", ids)
	if known {
		return ref
	}
	ref = Own("Patient", ids[0])
	s.meet(ref, n)
	return ref
}

// meet tells of a patient whom the context does not know.
func (s *Stream) meet(ref string, n *Names) {
	if _, ok := s.learned[ref]; ok {
		return
	}
	s.learned[strings.Clone(ref)] = struct{}{}
	s.report.UnknownPatients++
	if n != nil && n.PatientFamily != "" {
		f := &detect.Folk{Ref: ref, Family: n.PatientFamily, Given: n.PatientGiven, Birth: n.PatientBirth, Street: n.PatientStreet, Postal: n.PatientPostal}
		if n.PatientPhone != "" {
			f.Phones = []string{n.PatientPhone}
		}
		s.sinks.Learn(detect.Record{Ref: ref, Patient: ref, Folk: f})
	}
}

// unnumbered is the reference of a patient of whom the log has names and address only: that of the row in which she first appears, so
// that the file leads back to her and what is written does not.
func (s *Stream) unnumbered(n *Names, h *held) string {
	var m maphash.Hash
	m.SetSeed(s.seed)
	for _, part := range []string{n.PatientFamily, n.PatientGiven, n.PatientBirth, n.PatientStreet, n.PatientPostal} {
		m.WriteString(fold(part))
		m.WriteByte(0)
	}
	k := m.Sum64()
	ref, ok := s.nameless[k]
	if !ok {
		ref = "Patient/row:" + fmt.Sprintf("%016x-%d", h.r.Hash, h.line)
		s.nameless[k] = ref
		s.meet(ref, n)
	}
	return ref
}

// placed tells the engine, once a day, that the log says in which department a patient is.
func (s *Stream) placed(patient, unit string, at int64) {
	k := [2]string{patient, unit}
	if was, ok := s.inUnit[k]; ok && at-was < 86400 {
		return
	}
	if len(s.inUnit) > 1<<18 {
		clear(s.inUnit)
	}
	s.inUnit[[2]string{strings.Clone(patient), strings.Clone(unit)}] = at
	s.sinks.Learn(detect.Record{Ref: "Encounter/" + strings.ReplaceAll(patient, "/", ":") + "@" + unit + "@" + strconv.FormatInt(at/86400, 10), Patient: patient,
		Ties: []detect.Tie{{Template: detect.EncounterUnit, Party: unit, From: at, To: at + 86400}}})
}

// breaks reports whether a row with a reason for the glass is the one that broke it: the reason stands in every row of the day.
func (s *Stream) breaks(e *detect.Event) bool {
	if e.Time-s.brokenOn > 86400 {
		s.brokenOn = e.Time
		for k, at := range s.broken {
			if e.Time-at > 86400 {
				delete(s.broken, k)
			}
		}
	}
	k := [2]string{e.Agent, e.Patients[0]}
	at, ok := s.broken[k]
	if ok && e.Time-at < 86400 {
		return false
	}
	s.broken[[2]string{strings.Clone(k[0]), strings.Clone(k[1])}] = e.Time
	return true
}

// Close gives the events that still wait, and tells what was met.
func (s *Stream) Close() Report {
	s.order.end()
	s.Met()
	if 2*s.report.OutOfOrder > s.report.Rows {
		s.report.Notes = append(s.report.Notes, "most rows are out of order: sort the export by its time, oldest first")
	}
	return s.report
}

// Flush gives the events that still wait: files of another kind follow.
func (s *Stream) Flush() { s.order.end() }
