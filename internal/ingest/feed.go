package ingest

import (
	"slices"
	"strings"
	"time"

	"chartwarden/internal/detect"
)

// Feed reads what an installation stores and logs as it goes on, and finds who and what is meant as a replay of the same does. It is for
// one goroutine.
type Feed struct {
	cross *crosswalk
	held  []entry
	units map[string]string // names of places, by reference
}

// NewFeed makes a feed that was told nothing yet.
func NewFeed() *Feed { return &Feed{cross: newCrosswalk(), units: map[string]string{}} }

// UnitName is what a place is called; empty when no resource says so.
func (f *Feed) UnitName(ref string) string { return f.units[ref] }

// Take takes in a version of a resource; json nil says that it was deleted. It is known since known, whatever its meta.lastUpdated.
// False: detection learns nothing from it.
func (f *Feed) Take(ref string, known time.Time, json []byte) bool {
	e, why := entry{Record: detect.Record{Ref: ref, Gone: true}}, ""
	if json != nil {
		e, why = read(string(json))
	}
	if why != "" {
		return false
	}
	if e.Known = known.Unix(); known.Nanosecond() > 0 { // as instantAfter
		e.Known++
	}
	if typ, _, _ := strings.Cut(ref, "/"); typ == "Location" || typ == "Organization" {
		for _, id := range e.ids {
			if id.System == "" && id.Label == "" {
				f.units[ref] = strings.Clone(id.Value)
			}
		}
	}
	f.held = append(f.held, e)
	return true
}

// Records gives what was taken since the last time, in an order in which what others refer to comes first.
func (f *Feed) Records(learn func(detect.Record)) {
	held := f.held
	f.held = nil
	place := func(e *entry) int {
		typ, _, _ := strings.Cut(e.Ref, "/")
		return slices.Index(Types, typ)
	}
	slices.SortStableFunc(held, func(a, b entry) int { return place(&a) - place(&b) })
	teams := slices.Index(Types, "CareTeam")
	for from := 0; from < len(held); {
		to := from + 1
		for to < len(held) && place(&held[to]) == place(&held[from]) {
			to++
		}
		of := held[from:to]
		if place(&of[0]) == teams { // teams within teams
			for i := range of {
				f.cross.learn(&of[i])
			}
		}
		for i := range of {
			if place(&of[i]) != teams {
				f.cross.learn(&of[i])
			}
			learn(f.cross.record(&of[i]))
		}
		from = to
	}
}

// Event reads an AuditEvent, as the function Event does, and finds who and what it names.
func (f *Feed) Event(line string) (detect.Event, string) {
	e, why := Event(line)
	if why == "" {
		f.cross.event(&e)
	}
	return e, why
}

// event finds who and what an event names.
func (x *crosswalk) event(ev *detect.Event) {
	ev.Agent = x.person(ev.Agent)
	ev.Device = bare(ev.Device)
	ev.Place = x.find(ev.Place, "Location", "Organization")
	ev.Data = bare(ev.Data)
	for i, p := range ev.Patients {
		ev.Patients[i] = x.find(p, "Patient")
	}
}
