package score

import (
	"fmt"
	"io"
	"slices"

	"chartwarden/internal/outcome"
)

// PrintMeans writes the chief figures over several seeds, as mean and range. Results of two versions, or of tuning and reporting seeds, do not mix.
func PrintMeans(w io.Writer, results []*Result) error {
	for _, r := range results {
		if r.Version != results[0].Version || r.Use != results[0].Use {
			return outcome.New(outcome.Conflict, "these scores are of different versions or uses of seeds: their mean means nothing")
		}
	}
	fmt.Fprintf(w, "# Means over %d seeds (%s), version %d\n\n| figure | mean | smallest | largest |\n|---|---|---|---|\n", len(results), results[0].Use, results[0].Version)
	row := func(name string, of func(*Result) float64) {
		var v []float64
		sum := 0.0
		for _, r := range results {
			v = append(v, of(r))
			sum += of(r)
		}
		fmt.Fprintf(w, "| %s | %.3f | %.3f | %.3f |\n", name, sum/float64(len(v)), slices.Min(v), slices.Max(v))
	}
	for i, b := range Budgets {
		row(fmt.Sprintf("recall at %d", b), func(r *Result) float64 { return r.All.At(i) })
		row(fmt.Sprintf("of the detectable, at %d", b), func(r *Result) float64 { return r.Detectable.At(i) })
	}
	row("by published mixes, at 2", func(r *Result) float64 { return r.Mix[1] })
	row("recall as queued", func(r *Result) float64 { return portion(r.All.Queued, r.All.Attacks) })
	row("false cases queued a day per 1,000", func(r *Result) float64 { return r.FalseQueued })
	row("ECE", func(r *Result) float64 { return r.ECE })
	row("days until detection", func(r *Result) float64 { return r.DaysUntil })
	row("innocent accesses explained", func(r *Result) float64 { return r.Explained })
	row("twins within budget 2, share", func(r *Result) float64 { return portion(r.TwinsTaken, r.Twins) })
	return nil
}
