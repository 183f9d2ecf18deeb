// Package simulate writes a benchmark of insider misuse: a hospital that does not exist, as the reference data and the access log that it would leave, and labels that
// say which accesses were misuse. It needs no server and no database, and the same options give the same bytes on any machine.
//
//	summary, err := simulate.Run(simulate.Options{Out: dir, Seed: 1})
//
// The specification is docs/simulator.md, frozen apart from any detector. [score] judges a detector's cases against the labels, [baseline] holds simple detectors to
// compare with. Time runs in one goroutine, a day after the other ([world.live]); each workflow_*.go plays one kind of work, each attack_*.go one family of
// scenarios, and all of them leave entries by [world.visit] and its siblings and facts by [world.fact].
package simulate

import (
	"encoding/json"
	"slices"
	"time"

	"chartwarden/internal/outcome"
)

// Version is that of the specification. Figures of two versions are not comparable.
const Version = 1

// Options choose a hospital. The zero value of each number means its default.
type Options struct {
	Out      string   // directory to fill; it must not hold a simulation
	Seed     uint64   // 1-20 for tuning, 701-705 for reporting, never the other way round
	Staff    int      // 1,200
	Patients int      // 60,000
	Days     int      // 42, of which the first 28 (two thirds of a shorter run, whole weeks) warm a detector up
	Attacks  []string // names of scenarios, "all" (the default) or "none"
	Each     int      // attacks of each scenario: 2
	Missing  []string // resource types, and roster, leavers, devices, that this hospital does not have
	Noise    float64  // 1; scales gaps, wrong clicks and oddities
	Now      func() time.Time
}

func (o Options) withDefaults() (Options, error) {
	if o.Staff == 0 {
		o.Staff = 1200
	}
	if o.Patients == 0 {
		o.Patients = o.Staff * 50
	}
	if o.Days == 0 {
		o.Days = 42
	}
	if o.Each == 0 {
		o.Each = 2
	}
	if o.Noise == 0 {
		o.Noise = 1
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Attacks) == 0 {
		o.Attacks = []string{"all"}
	}
	switch {
	case o.Staff < 200 || o.Staff > 50000:
		return o, outcome.New(outcome.Value, "choose between 200 and 50000 staff").At("--staff")
	case o.Patients < 10*o.Staff || o.Patients > 5_000_000:
		return o, outcome.New(outcome.Value, "choose at least ten patients for each of the staff, at most 5000000").At("--patients")
	case o.Days < 10 || o.Days > 400:
		return o, outcome.New(outcome.Value, "choose between 10 and 400 days").At("--days")
	case o.Each < 1 || o.Each > 50:
		return o, outcome.New(outcome.Value, "choose between 1 and 50 attacks of each scenario").At("--each")
	case o.Noise < 0.01 || o.Noise > 10:
		return o, outcome.New(outcome.Value, "choose a noise between 0.01 and 10").At("--noise")
	}
	if err := checkScenarios(o.Attacks); err != nil {
		return o, outcome.New(outcome.Value, "there is no scenario "+err.Error()).At("--attacks")
	}
	for _, m := range o.Missing {
		if !slices.Contains(factTypes, m) && !slices.Contains([]string{"roster", "leavers", "devices"}, m) || m == "Patient" || m == "Practitioner" {
			return o, outcome.New(outcome.Value, "there is no feed "+m+" that could be missing: name resource types, roster, leavers or devices").At("--missing")
		}
	}
	return o, nil
}

// warm is the number of days before the first judged one.
func (o Options) warm() int {
	if o.Days >= 42 {
		return 28
	}
	return max(7, o.Days*2/3/7*7)
}

// Summary is what a run made; simulation.json holds it without the time that it took.
type Summary struct {
	Version  int      `json:"version"`
	Seed     uint64   `json:"seed"`
	Use      string   `json:"use"`
	Staff    int      `json:"staff"`
	Patients int      `json:"patients"`
	Days     int      `json:"days"`
	Warm     int      `json:"warm_up_days"`
	Noise    float64  `json:"noise"`
	Each     int      `json:"each"`
	Attacks  []string `json:"attacks"`
	Missing  []string `json:"missing,omitempty"`
	Events   int      `json:"events"`
	Facts    int      `json:"facts"`
	Labels   int      `json:"labelled_attacks"`
	Twins    int      `json:"twins"`
	Unplayed []string `json:"unplayed,omitempty"` // scenarios for which this hospital has nobody

	Stats *Stats        `json:"-"`
	Took  time.Duration `json:"-"`
}

// Run writes a simulation. An error leaves an incomplete directory without simulation.json.
func Run(o Options) (*Summary, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	began := o.Now()
	out, err := newOutput(o.Out)
	if err != nil {
		return nil, err
	}
	w := newWorld(o)
	w.out = out
	w.refer()
	for day := range o.Days {
		if err = w.live(day); err != nil {
			break
		}
	}
	var s *Summary
	if err == nil {
		if s, err = w.finish(); err == nil {
			s.Took = o.Now().Sub(began)
		}
	}
	if e := out.close(); err == nil {
		err = e
	}
	return s, err
}

func (w *world) finish() (*Summary, error) {
	if err := w.tables(); err != nil {
		return nil, err
	}
	if err := w.writeLabels(); err != nil {
		return nil, err
	}
	s := &Summary{Version: Version, Seed: w.Seed, Use: Use(w.Seed), Staff: len(w.people), Patients: len(w.patients), Days: w.Days, Warm: w.warm, Noise: w.Noise, Each: w.Each, Attacks: w.Attacks,
		Missing: w.Missing, Facts: w.factCount, Unplayed: w.unplayed(), Stats: w.stats}
	for _, n := range w.stats.daily {
		s.Events += n
	}
	for _, l := range w.labels {
		switch {
		case len(l.events) == 0:
		case l.twin:
			s.Twins++
		default:
			s.Labels++
		}
	}
	w.stats.finish(w)
	line, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, w.out.write("simulation.json", append(line, '\n'))
}
