package foreign

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/detect"
)

// ID is an identifier of another system and the name of its kind: login, employee, mrn. System is its namespace where one is known.
type ID struct{ Label, System, Value string }

// Reading is one event of another system as its log tells it: people and patients by that system's identifiers.
type Reading struct {
	Event    detect.Event // without Agent, Patients, and without ID where the log has none
	People   []ID         // of the one who acted, in the order in which they are tried
	Patients [][]ID       // of each patient
	Local    bool         // Event.Time is that of a clock on the wall
	Glass    bool         // the glass was broken at some time before this row, or by it
	Unknown  string       // the word for the act when nothing says what it means
	Hash     uint64       // of the row
	Names    *Names
	skip     bool
}

// Names are what a row tells of people beyond identifiers. They are turned into keyed values and kept nowhere.
type Names struct {
	PersonFamily, PersonGiven                                                                 string
	PatientFamily, PatientGiven, PatientBirth, PatientStreet, PatientPostal, PatientPhone, In string // In is the department
}

// Plain is the event of a reading where there is no context: people and patients keep the identifiers of their system, which a
// [Crosswalk] resolves later. zone is that of a local time; one that was there twice is the first.
func (r Reading) Plain(zone *time.Location) detect.Event {
	e := r.Event
	if r.Local {
		t := time.Unix(e.Time, 0).UTC()
		e.Time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone).Unix()
	}
	if e.ID == "" {
		e.ID = fmt.Sprintf("%016x", r.Hash)
	}
	if e.Agent == "" && len(r.People) > 0 {
		e.Agent = Own("Practitioner", r.People[0])
	}
	if e.Device != "" && !literal(e.Device) {
		e.Device = "Device/" + e.Device
	}
	if e.Place != "" && !literal(e.Place) {
		e.Place = Own("Location", ID{Label: "name", Value: e.Place})
	}
	e.Patients = nil
	for _, ids := range r.Patients {
		e.Patients = append(e.Patients, Own("Patient", ids[0]))
	}
	if r.Glass && (e.Kind == detect.Read || e.Kind == detect.Search || e.Kind == detect.Other) {
		e.Kind = detect.Glass
	}
	return e
}

const widest = 256 // bytes of an identifier; cells may be longer, what is kept of them not

// slot is a column of one file.
type slot struct {
	label, system string
	at            []int
}

// binding is a mapping laid over the header of one file. It is safe for concurrent use.
type binding struct {
	m        *Mapping
	sep      byte
	width    int
	found    int
	slots    map[string][]slot
	people   []slot
	patients []slot
	names    bool

	mu    sync.RWMutex
	known map[string]*rule
}

// bind finds the columns. missing names what no column was found for, and what the mapping calls it.
func (m *Mapping) bind(header []string) (b *binding, missing string) {
	b = &binding{m: m, width: len(header), slots: map[string][]slot{}, known: map[string]*rule{}}
	folded := make([]string, len(header))
	for i, h := range header {
		folded[i] = fold(h)
	}
	find := func(cs []column) (out []slot) {
		for _, c := range cs {
			s := slot{label: c.label, system: m.systems[c.label]}
			for _, part := range c.parts {
				i := slices.Index(folded, fold(part))
				if n, ok := strings.CutPrefix(part, "#"); ok {
					i, _ = strconv.Atoi(n)
					i--
				}
				if i < 0 || i >= b.width && m.Header {
					break
				}
				s.at = append(s.at, i)
			}
			if len(s.at) == len(c.parts) && !slices.ContainsFunc(out, func(o slot) bool { return slices.Equal(o.at, s.at) }) {
				out = append(out, s)
				b.found++
			}
		}
		return out
	}
	for key, cs := range m.columns {
		b.slots[key] = find(cs)
	}
	b.people, b.patients = find(m.people), find(m.patients)
	for key := range b.slots {
		b.names = b.names || len(b.slots[key]) > 0 && (strings.HasPrefix(key, "patient-") || strings.HasPrefix(key, "person-"))
	}
	lacks := func(what string, cs []column) string {
		var names []string
		for _, c := range cs {
			names = append(names, strings.Join(c.parts, " + "))
		}
		return "no column for " + what + " (" + strings.Join(names, " or ") + ")"
	}
	switch {
	case m.staff:
		if len(b.people) == 0 {
			return b, lacks("the identifier of a person", m.people)
		}
	case len(b.slots["time"]) == 0:
		return b, lacks("the time", m.columns["time"])
	case len(b.people) == 0:
		return b, lacks("the person", m.people)
	case len(b.patients) == 0 && len(b.slots["patient-family"]) == 0:
		return b, lacks("the patient", slices.Concat(m.patients, m.columns["patient-family"]))
	}
	return b, ""
}

// cell is what stands in a slot, without surrounding space; a word for nothing is nothing.
func (b *binding) cell(cells []string, s slot) string {
	out := ""
	for n, i := range s.at {
		if i >= len(cells) {
			continue
		}
		c := strings.TrimSpace(cells[i])
		if n > 0 && out != "" && c != "" {
			out += " " + c
		} else if out == "" {
			out = c
		}
	}
	if slices.Contains(b.m.empty, out) {
		return ""
	}
	return out
}

// get is the first of a field's columns that is filled in.
func (b *binding) get(cells []string, field string) string {
	for _, s := range b.slots[field] {
		if v := b.cell(cells, s); v != "" {
			return v
		}
	}
	return ""
}

func short(s string) string { return s[:min(len(s), widest)] }

// read makes an event of one row. why says what is wrong with it and never holds anything of the row.
func (b *binding) read(row string, cells []string) (r Reading, why string) {
	cells, why = split(row, b.sep, b.m.Quote, cells[:0])
	if why != "" {
		return r, why
	}
	if len(cells) > b.width && b.m.Header && slices.ContainsFunc(cells[b.width:], func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return r, strconv.Itoa(len(cells)) + " cells where the header has " + strconv.Itoa(b.width) + ": a separator inside a cell wants quotes"
	}
	at := b.get(cells, "time")
	if at == "" {
		return r, "the time is empty or its column is missing"
	}
	if r.Event.Time, r.Local, why = b.m.instant(at); why != "" {
		return r, why
	}
	for _, s := range b.people {
		if v := b.cell(cells, s); v != "" {
			r.People = append(r.People, ID{s.label, s.system, v})
		}
	}
	if len(r.People) == 0 {
		return r, "nobody is named who acted"
	}
	for _, s := range b.patients {
		if v := b.cell(cells, s); v != "" && v != "0" {
			if r.Patients == nil {
				r.Patients = make([][]ID, 1)
			}
			r.Patients[0] = append(r.Patients[0], ID{s.label, s.system, v})
		}
	}
	for _, ids := range append(r.Patients, r.People) {
		for _, id := range ids {
			if len(id.Value) > widest {
				return r, "an identifier is longer than 256 bytes"
			}
		}
	}
	machine := slices.ContainsFunc(r.People, func(id ID) bool { return b.machine(id.Value) })
	e := &r.Event
	e.ID, e.Device, e.Address = short(b.get(cells, "id")), short(b.get(cells, "device")), short(b.get(cells, "address"))
	e.Role, e.Place, e.Section, e.Data = short(b.get(cells, "role")), short(b.get(cells, "place")), short(b.get(cells, "section")), short(b.get(cells, "data"))
	e.Rows, e.Bytes = count(b.get(cells, "rows")), count(b.get(cells, "bytes"))
	e.Purpose = short(b.get(cells, "purpose"))
	if code := b.code(e.Purpose); code != "" {
		e.Purpose = code
	}
	if o := b.get(cells, "outcome"); o != "" {
		o = fold(o)
		e.Failed = slices.ContainsFunc(b.m.failed, func(p string) bool { return matches(p, o) })
	}
	b.act(cells, &r)
	b.glass(cells, &r)
	e.Machine = e.Machine || machine
	if b.names {
		r.Names = &Names{b.get(cells, "person-family"), b.get(cells, "person-given"), b.get(cells, "patient-family"), b.get(cells, "patient-given"),
			b.get(cells, "patient-birth"), b.get(cells, "patient-street"), b.get(cells, "patient-postal"), b.get(cells, "patient-phone"), short(b.get(cells, "patient-unit"))}
	}
	sum := sha256.Sum256([]byte(row))
	r.Hash = binary.BigEndian.Uint64(sum[:])
	return r, ""
}

// machine reports whether an identifier is that of a job.
func (b *binding) machine(id string) bool {
	if len(b.m.machines) == 0 {
		return false
	}
	f := fold(id)
	return slices.ContainsFunc(b.m.machines, func(p string) bool { return matches(p, f) })
}

// act asks the columns of the event one after the other what was done.
func (b *binding) act(cells []string, r *Reading) {
	r.Event.Kind = detect.Read
	for _, s := range b.slots["event"] {
		v := b.cell(cells, s)
		if v == "" {
			continue
		}
		if rule := b.rule(v); rule != nil {
			r.Event.Kind, r.skip = rule.kind, rule.skip
			if rule.kind != detect.Read || rule.skip { // that it was a view says little of a word that nobody knows
				r.Unknown = ""
			}
			r.Event.Listed, r.Event.Machine = rule.class == "incidental", rule.class == "machine"
			return
		}
		if r.Unknown == "" {
			r.Unknown = v[:min(len(v), 120)]
		}
	}
}

// rule is the first that fits the word, nil when none does. Words recur, so what was found is remembered.
func (b *binding) rule(word string) *rule {
	b.mu.RLock()
	r, ok := b.known[word]
	b.mu.RUnlock()
	if ok {
		return r
	}
	folded := fold(word)
	for i := range b.m.kinds {
		if matches(b.m.kinds[i].pattern, folded) {
			r = &b.m.kinds[i]
			break
		}
	}
	b.mu.Lock()
	if len(b.known) < 4096 && len(word) <= widest {
		b.known[strings.Clone(word)] = r
	}
	b.mu.Unlock()
	return r
}

func (b *binding) glass(cells []string, r *Reading) {
	for _, s := range b.slots["glass"] {
		v := b.cell(cells, s)
		if f := fold(v); f == "" || slices.ContainsFunc(b.m.noGlass, func(p string) bool { return matches(p, f) }) {
			continue
		}
		r.Glass = true
		if code := b.code(v); code != "" {
			r.Event.Purpose = code
		}
	}
	if r.Event.Kind == detect.Glass {
		r.Glass, r.Event.Kind = true, detect.Read
	}
	if r.Glass && r.Event.Purpose == "" {
		r.Event.Purpose = "BTG"
	}
}

// code is the v3 ActReason that a text stands for, "" unknown.
func (b *binding) code(text string) string {
	if text == "" {
		return ""
	}
	f := fold(text)
	for _, p := range b.m.purposes {
		if matches(p.pattern, f) {
			return p.code
		}
	}
	return ""
}

func (m *Mapping) instant(s string) (sec int64, local bool, why string) {
	for i := range m.layouts {
		if sec, zoned, ok := m.layouts[i].read(s); ok {
			return sec, !zoned, ""
		}
	}
	return 0, false, "the time fits no layout of the mapping"
}

func count(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, 1<<50)
}
