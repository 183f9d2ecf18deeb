// Package hospital is a hospital that does not exist: people, patients, shifts, visits, accesses and misuse, from a seed.
//
// [Generate] is pure. It reads no clock and touches no disk: the same [Options] give the same bytes on any machine, and nobody in
// it was ever alive. What it makes is plain FHIR R4 JSON for the ordinary way in, and a day of accesses for the ordinary door:
//
//	w := hospital.Generate(hospital.Options{Seed: 7, Size: hospital.Small, Now: now, Zone: zone})
//	load(w.Today)                // places, staff, shifts and everybody who is here today: a hospital at work
//	for e := range w.Behind {    // everybody else, while people already sign in
//		load([]hospital.Entry{e})
//	}
//
// Entries refer to each other by urn:uuid and only to entries that came earlier or belong to the same patient. The names of people,
// places and patients depend on the seed alone, everything that happens on the seed and the day.
package hospital

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"strconv"
	"time"
)

// Size is how big a hospital is made.
type Size string

// The sizes: 2,000 patients and about 100 staff; 5,000 and 180; 20,000 and 420.
const (
	Small  Size = "small"
	Medium Size = "medium"
	Large  Size = "large"
)

// Valid reports whether s is one of the sizes. [Generate] takes any other for Small.
func (s Size) Valid() bool { return extent[s].houses > 0 }

// A house is one set of wards and clinics with its staff; bigger hospitals have more of them.
var extent = map[Size]struct{ patients, houses int }{Small: {2000, 1}, Medium: {5000, 2}, Large: {20000, 5}}

// Options say which hospital is made and when one looks at it. Zone nil means UTC.
type Options struct {
	Seed uint64
	Size Size
	Now  time.Time
	Zone *time.Location
}

// Entry is one resource to load, as in a transaction bundle. JSON has neither id nor versionId; meta.lastUpdated is when it became
// known.
type Entry struct {
	FullURL  string // urn:uuid
	Type     string // resource type
	JSON     []byte
	Method   string    // POST
	Patient  string    // FullURL of the chart it belongs to; empty: staff, places, shifts
	Author   string    // FullURL of the Practitioner who recorded it; empty: a system
	Recorded time.Time // not after Options.Now
}

// Person is somebody who can sign in: staff, a patient in the portal, or both.
type Person struct {
	Key          string   // stable and unique, in plain letters: "anna.lindqvist"
	Name         string   // as people say it
	Title        string   // "Attending, 5 West"
	Roles        []string // of the 13 of the command line contract
	Practitioner string   // FullURL; empty for patients
	Patient      string   // FullURL of the person's own chart; empty for most staff
	Department   string   // FullURL of an Organization; empty for patients
	Place        string   // name of unit, clinic or department
	Female       bool
	Clearances   []string  // sensitivity labels
	TrainingDue  time.Time // zero for patients
	Station      Station   // where the person usually works; of patients none
	Shifts       []Shift   // today and two days either side, in order
}

// OnShift reports whether one of the person's shifts holds t.
func (p Person) OnShift(t time.Time) bool {
	for _, s := range p.Shifts {
		if !t.Before(s.Start) && t.Before(s.End) {
			return true
		}
	}
	return false
}

// Shift is planned work at a place.
type Shift struct {
	Place      string // FullURL of a Location
	Start, End time.Time
}

// Access is somebody opening a part of a chart.
type Access struct {
	At      time.Time
	Person  string // Person.Key
	Patient string // FullURL
	Page    string // summary, timeline, results, medications, notes, orders, documents, demographics, scheduling, billing, access
	Why     string // what a colleague would answer if asked; empty for misuse without an excuse
	Glass   *Glass // set where the chart is closed to the person until the glass is broken
	Misuse  Misuse // ground truth for demonstration and tests: never shown, never an input of detection
}

// Glass is the reason given for breaking the glass.
type Glass struct{ Code, Text string }

// Misuse says what is wrong with an access.
type Misuse string

// The kinds of misuse that happen on the day. The zero Misuse is care.
const (
	Neighbor Misuse = "neighbor" // the patient lives next door
	VIP      Misuse = "vip"      // the patient is well known
	Browsing Misuse = "browsing" // one chart after the other, none of them hers
	OwnChart Misuse = "self"     // staff opening their own chart in the clinical pages
)

// Note is something that somebody will write when its time has come.
type Note struct {
	At     time.Time // after Options.Now
	Person string    // Person.Key of the author
	Entry  Entry     // a DocumentReference
}

// World is a hospital. It is immutable; Behind may be ranged over more than once and from several goroutines.
type World struct {
	Name     string
	Now      time.Time
	Patients int // number of charts, newborns included
	Staff    []Person
	Portal   []Person // patients who sign in
	Cast     []string // keys of one physician, nurse, front desk, billing, privacy officer, administrator, patient: in that order
	Today    []Entry
	Behind   iter.Seq[Entry]
	Accesses []Access // from twelve hours before Now to twelve hours after, in order of time
	Notes    []Note   // the next twelve hours, in order of time
}

// Person returns the person with that key from staff or portal.
func (w *World) Person(key string) (Person, bool) {
	for _, people := range [][]Person{w.Staff, w.Portal} {
		for _, p := range people {
			if p.Key == key {
				return p, true
			}
		}
	}
	return Person{}, false
}

// Generate makes the hospital of o. It is deterministic and takes well under half a second for Small; what lies Behind is made as it is
// ranged over.
func Generate(o Options) *World {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if !o.Size.Valid() {
		o.Size = Small
	}
	h := &house{Options: o, now: o.Now.In(o.Zone).Truncate(time.Second)}
	h.midnight = time.Date(h.now.Year(), h.now.Month(), h.now.Day(), 0, 0, 0, 0, o.Zone)
	h.build()
	h.equip()
	h.employ()
	h.sit()
	h.settle()
	h.roster()
	h.openDoors()
	h.watch()
	return h.world()
}

// house is a hospital in the making.
type house struct {
	Options
	now, midnight time.Time

	organization string // FullURL
	places       []*place
	insurers     []insurer
	staff        []*member
	folk         []*patient

	today    []Entry
	stays    []*stay
	visits   []*visit
	accesses []Access
	notes    []Note
}

// at is a local time today; hours below 0 and above 23 are other days.
func (h *house) at(hour, minute int) time.Time {
	return time.Date(h.midnight.Year(), h.midnight.Month(), h.midnight.Day(), hour, minute, 0, 0, h.Zone)
}

// daysAgo is a local date.
func (h *house) daysAgo(n int) time.Time { return h.midnight.AddDate(0, 0, -n) }

// lasting names something that is the same on every day of this seed.
func (h *house) lasting(key string) string { return urn(h.Seed, key) }

// passing names something that belongs to this day.
func (h *house) passing(key string) string {
	return urn(h.Seed, h.midnight.Format(time.DateOnly)+"/"+key)
}

// urn is a UUID of version 8 (RFC 9562: what is in it is the maker's affair) from a hash.
func urn(seed uint64, key string) string {
	var seeded [96]byte
	sum := sha256.Sum256(append(append(strconv.AppendUint(seeded[:0], seed, 10), '/'), key...))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	out := make([]byte, 0, 45)
	out = append(out, "urn:uuid:"...)
	for i, part := range [][]byte{sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return string(out)
}

// system adds a resource that belongs to no patient.
func (h *house) system(url, typ string, recorded time.Time, body object) string {
	h.today = append(h.today, Entry{FullURL: url, Type: typ, JSON: render(nil, typ, recorded, nil, body), Method: "POST", Recorded: recorded})
	return url
}

// render writes a resource behind buf.
func render(buf []byte, typ string, recorded time.Time, labels []string, body object) []byte {
	var security list
	for _, l := range labels {
		security = append(security, coding(sysActCode, l, labelNames[l]))
	}
	head := object{"resourceType", typ, "meta", object{"lastUpdated", recorded, "security", security}}
	buf, _ = appendObject(buf, append(head, body...))
	return buf
}
