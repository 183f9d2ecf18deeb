package simulate

import (
	"cmp"
	"encoding/json"
	"slices"
)

// label says what some entries were: an attack, or an innocent twin of one.
type label struct {
	id       string
	scenario *scenario
	twin     bool
	agents   []int32
	targets  []int32
	events   []marked
	patients []int32
	start    int64
	end      int64
	day      int // of its next act
	last     int // of its last possible act
	step     int
	done     bool
	prepare  bool // acts that are not labelled
}

func (l *label) note(e event) {
	if l.prepare {
		return
	}
	if len(l.events) == 0 || e.at < l.start {
		l.start = e.at
	}
	l.end = max(l.end, e.at)
	l.events = append(l.events, marked{e.at, e.id})
	if e.patient >= 0 && !slices.Contains(l.patients, e.patient) {
		l.patients = append(l.patients, e.patient)
	}
}

// marked is a labelled entry.
type marked struct {
	at int64
	id uint64
}

// Header is the first line of a file of labels.
type Header struct {
	Benchmark  string `json:"benchmark"`
	Version    int    `json:"version"`
	Seed       uint64 `json:"seed"`
	Use        string `json:"use"` // tuning, reporting, test, other
	Staff      int    `json:"staff"`
	JudgedFrom string `json:"judged_from"`
	Days       []Day  `json:"days"`
}

// Day counts the people without any attack who left an access on it, and all entries.
type Day struct {
	Date   string `json:"date"`
	Active int    `json:"active"`
	Events int    `json:"events"`
}

// Label is one further line: an attack or a twin, with the entries that are part of it.
type Label struct {
	Label      string   `json:"label"`
	Kind       string   `json:"kind"` // attack, twin
	Agent      string   `json:"agent"`
	With       []string `json:"with,omitempty"`
	Role       string   `json:"role"`
	Scenario   string   `json:"scenario"`
	Grade      int      `json:"grade"`
	Mix        int      `json:"mix"`
	Detectable bool     `json:"detectable"`
	Start      string   `json:"start"`
	End        string   `json:"end"`
	Patients   []string `json:"patients,omitempty"`
	Events     []string `json:"events"`  // ordered by time
	Seconds    []int64  `json:"seconds"` // of each, after the start
}

// Use names what a seed is for.
func Use(seed uint64) string {
	switch {
	case seed >= 1 && seed <= 20:
		return "tuning"
	case seed >= 701 && seed <= 705:
		return "reporting"
	case seed >= 101 && seed <= 105, seed >= 201 && seed <= 205, seed >= 301 && seed <= 305, seed >= 401 && seed <= 405, seed >= 501 && seed <= 505, seed >= 601 && seed <= 605: // of figures that were published; the detector was changed after them
		return "reported"
	case seed >= 900 && seed <= 999:
		return "test"
	}
	return "other"
}

func (w *world) writeLabels() error {
	h := Header{Benchmark: "chartwarden", Version: Version, Seed: w.Seed, Use: Use(w.Seed), Staff: len(w.people), JudgedFrom: instant(w.at(w.warm, 0))[:10]}
	for day := range w.Days {
		n := 0
		for i := range w.stats.active[day] {
			if !w.attackers[i] {
				n++
			}
		}
		h.Days = append(h.Days, Day{instant(w.at(day, 0))[:10], n, w.stats.daily[day]})
	}
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := w.out.write("labels.ndjson", append(line, '\n')); err != nil {
		return err
	}
	for _, l := range w.labels {
		if len(l.events) == 0 {
			continue
		}
		out := Label{Label: l.id, Kind: "attack", Agent: "Practitioner/" + w.people[l.agents[0]].id, Role: roleNames[w.people[l.agents[0]].role], Scenario: l.scenario.name,
			Grade: l.scenario.grade, Mix: l.scenario.mix, Detectable: !l.scenario.hidden, Start: instant(l.start), End: instant(l.end)}
		if l.twin {
			out.Kind, out.Detectable = "twin", false
		}
		for _, a := range l.agents[1:] {
			out.With = append(out.With, "Practitioner/"+w.people[a].id)
		}
		for _, p := range l.patients {
			out.Patients = append(out.Patients, "Patient/"+w.patients[p].id)
		}
		slices.SortFunc(l.events, func(a, b marked) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
		for _, e := range l.events {
			out.Events = append(out.Events, string(appendHex(nil, e.id, 16)))
			out.Seconds = append(out.Seconds, e.at-l.start)
		}
		if line, err = json.Marshal(out); err != nil {
			return err
		}
		if err := w.out.write("labels.ndjson", append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
