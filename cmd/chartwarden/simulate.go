package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"chartwarden/internal/outcome"
	"chartwarden/internal/simulate"
	"chartwarden/internal/simulate/baseline"
)

// simulateHospital writes the benchmark of docs/simulator.md.
func simulateHospital(_ context.Context, l *line) error {
	var o simulate.Options
	l.StringVar(&o.Out, "out", "", "`DIR` to write to; it must not hold a simulation yet")
	l.Uint64Var(&o.Seed, "seed", 1, "`N`: 1-20 to tune a detector with, 701-705 to report on, never the other way round")
	l.IntVar(&o.Staff, "staff", 1200, "`N` people who work there")
	l.IntVar(&o.Patients, "patients", 60000, "`N` charts")
	l.IntVar(&o.Days, "days", 42, "`N`; the first 28 warm a detector up, the rest is judged")
	l.IntVar(&o.Each, "each", 2, "`N` attacks of each scenario")
	l.Float64Var(&o.Noise, "noise", 1, "`X` scales gaps of documentation, wrong clicks and innocent oddities")
	l.Var((*many)(&o.Attacks), "attacks", "`NAMES` of scenarios, all or none")
	l.Var((*many)(&o.Missing), "missing", "`FEEDS` that this hospital lacks: resource types, roster, leavers, devices")
	stats := l.Bool("stats", false, "print the calibration report")
	asJSON := l.Bool("json", false, "print the summary as JSON")
	var b baseline.Options
	l.Var((*many)(&b.Names), "baseline", "instead of simulating, run these simple detectors on --context and --log: `NAMES` of "+strings.Join(baseline.Names(), ", ")+", or all")
	l.StringVar(&b.Context, "context", "", "`DIR` of reference data, with --baseline")
	l.StringVar(&b.Log, "log", "", "`FILE` of entries, with --baseline")
	if err := l.parse(); err != nil {
		return err
	}
	if len(b.Names) > 0 {
		if b.Context == "" || b.Log == "" || o.Out == "" {
			return outcome.New(outcome.Required, "a baseline needs --context DIR, --log FILE and --out DIR")
		}
		b.Out = o.Out
		return baseline.Run(b)
	}
	if o.Out == "" {
		return outcome.New(outcome.Required, "name a directory to write to").At("--out")
	}
	s, err := simulate.Run(o)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(l.out).Encode(s)
	}
	fmt.Fprintf(l.out, "%d entries, %d facts, %d attacks, %d innocent twins; seed %d (%s), %d of %d days warm-up; %.0f entries/s\n",
		s.Events, s.Facts, s.Labels, s.Twins, s.Seed, s.Use, s.Warm, s.Days, float64(s.Events)/s.Took.Seconds())
	if len(s.Unplayed) > 0 {
		fmt.Fprintln(l.out, "Nobody here for: "+strings.Join(s.Unplayed, ", "))
	}
	if *stats {
		s.Stats.Print(l.out)
	}
	return nil
}
