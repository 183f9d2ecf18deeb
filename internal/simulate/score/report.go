package score

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/outcome"
)

// Print writes the result as Markdown.
func (r *Result) Print(w io.Writer) {
	fmt.Fprintf(w, "# Score on the benchmark of misuse, version %d, seed %d (%s)\n\n", r.Version, r.Seed, r.Use)
	if r.Use != "reporting" {
		fmt.Fprintf(w, "A %s seed: not a figure to publish.\n\n", r.Use)
	}
	fmt.Fprintf(w, "%d attacks, %d judged days, %.0f active people a day. Recall at false cases per 1,000 active people a day:\n\n", r.All.Attacks, r.JudgedDays, r.Active)
	fmt.Fprintln(w, "| | attacks | at 1 | at 2 | at 5 | at 10 | as queued |\n|---|---|---|---|---|---|---|")
	row := func(name string, s *Share) {
		fmt.Fprintf(w, "| %s | %d | %.2f | %.2f | %.2f | %.2f | %.2f |\n", name, s.Attacks, s.At(0), s.At(1), s.At(2), s.At(3), portion(s.Queued, s.Attacks))
	}
	row("**all**", &r.All)
	row("**detectable**", &r.Detectable)
	fmt.Fprintf(w, "| as published mixes | | %.2f | %.2f | %.2f | %.2f | |\n", r.Mix[0], r.Mix[1], r.Mix[2], r.Mix[3])
	for _, g := range slices.Sorted(maps.Keys(r.Grades)) {
		row(fmt.Sprintf("grade %d", g), r.Grades[g])
	}
	names := slices.SortedFunc(maps.Keys(r.Scenarios), func(a, b string) int { return cmp.Or(r.GradeOf[a]-r.GradeOf[b], cmp.Compare(a, b)) })
	for _, s := range names {
		about := s + " (G" + strconv.Itoa(r.GradeOf[s]) + ")"
		if r.Hidden[s] {
			about += ", not detectable"
		}
		row(about, r.Scenarios[s])
	}
	for _, s := range slices.Sorted(maps.Keys(r.Roles)) {
		row("by "+s, r.Roles[s])
	}
	fmt.Fprintf(w, "\n- False cases a day per 1,000 active people: %.2f queued, %.2f with those only watched. Cases of attackers that match no attack: %d.\n", r.FalseQueued, r.FalseAll, r.Shadows)
	fmt.Fprintf(w, "- Until detection at 2 (median of those found): %.1f days, %.0f records.\n", r.DaysUntil, r.RecordsSeen)
	fmt.Fprintf(w, "- Calibration: ECE %.3f at the true rate of violators, %.3f as is.\n", r.ECE, r.ECEAsIs)
	if r.Automatic > 0 {
		fmt.Fprintf(w, "- Cases of people who never attack that stood in the automatic queue: %d, on %d days.\n", r.Automatic, r.AutoDays)
	}
	if r.Explained >= 0 {
		fmt.Fprintf(w, "- Explained: %.1f %% of innocent accesses, %.1f %% of attacks' accesses.\n", 100*r.Explained, 100*r.Excused)
	}
	fmt.Fprintf(w, "- Innocent twins within budget 2: %d of %d.\n", r.TwinsTaken, r.Twins)
	if len(r.FalseByRole) > 0 {
		var parts []string
		for _, role := range slices.Sorted(maps.Keys(r.FalseByRole)) {
			if x := r.FalseByRole[role]; x.False > 0 {
				parts = append(parts, fmt.Sprintf("%s %d of %d", role, x.False, x.People))
			}
		}
		fmt.Fprintf(w, "- False cases queued, of people, by role: %s.\n", strings.Join(parts, "; "))
	}
	fmt.Fprintln(w, "\n| posterior | cases | mean | true |\n|---|---|---|---|")
	for b, x := range r.Bins {
		if x.Cases > 0 {
			fmt.Fprintf(w, "| .%d-%.1f | %d | %.3f | %.3f |\n", b, float64(b+1)/10, x.Cases, x.Posterior, x.True)
		}
	}
}

// Missed names the aims that the result does not reach, or that nothing measures. Aims are joined by commas: NAME=X or NAME>=X is at least, NAME<=X at most. Names: recall@B, detectable@B, mix@B,
// grade1@B to grade4@B, SCENARIO@B for the budgets B, and queued, false, ece, explained, excused, days, records, twins.
func (r *Result) Missed(aims string) (missed []string, err error) {
	for aim := range strings.SplitSeq(aims, ",") {
		if aim = strings.TrimSpace(aim); aim == "" {
			continue
		}
		i := strings.IndexAny(aim, "<>=")
		if i < 0 {
			return nil, outcome.New(outcome.Value, "write an aim as recall@2=.80 or false<=2, not "+aim).At("--require")
		}
		v, known, err := r.figure(aim[:i])
		if err != nil {
			return nil, err
		}
		want, err := strconv.ParseFloat(strings.TrimLeft(aim[i:], "<>="), 64)
		if err != nil {
			return nil, outcome.New(outcome.Value, "an aim ends in a number, not "+aim).At("--require")
		}
		if !known {
			missed = append(missed, aim+": there was nothing to measure it by")
			continue
		}
		if aim[i] == '<' && v > want || aim[i] != '<' && v < want {
			missed = append(missed, fmt.Sprintf("%s: it is %.3f", aim, v))
		}
	}
	return missed, nil
}

// figure is one by its name. It is not known where there was nothing to measure it by.
func (r *Result) figure(name string) (v float64, known bool, err error) {
	base, budget, at := strings.Cut(name, "@")
	if !at {
		switch base {
		case "queued":
			return portion(r.All.Queued, r.All.Attacks), r.All.Attacks > 0, nil
		case "false":
			return r.FalseQueued, r.Active > 0, nil
		case "ece":
			return r.ECE, slices.ContainsFunc(r.Bins, func(b Bin) bool { return b.Cases > 0 }), nil
		case "explained":
			return r.Explained, r.Explained >= 0, nil
		case "excused":
			return r.Excused, r.Excused >= 0, nil
		case "days":
			return r.DaysUntil, r.All.Found[1] > 0, nil
		case "records":
			return r.RecordsSeen, r.All.Found[1] > 0, nil
		case "twins":
			return float64(r.TwinsTaken), r.Twins > 0, nil
		}
		return 0, false, outcome.New(outcome.Value, "there is no figure "+name+" to require").At("--require")
	}
	b, _ := strconv.Atoi(budget)
	i := slices.Index(Budgets[:], b)
	if i < 0 {
		return 0, false, outcome.New(outcome.Value, "budgets are 1, 2, 5 and 10, not "+budget).At("--require")
	}
	s := r.Scenarios[base]
	switch base {
	case "recall":
		s = &r.All
	case "detectable":
		s = &r.Detectable
	case "mix":
		return r.Mix[i], r.All.Attacks > 0, nil
	}
	if g, ok := strings.CutPrefix(base, "grade"); ok && s == nil {
		if n, err := strconv.Atoi(g); err == nil && n >= 1 && n <= 4 {
			if s = r.Grades[n]; s == nil {
				return 0, false, nil
			}
		}
	}
	if s == nil {
		return 0, false, outcome.New(outcome.Value, "there is no figure "+name+" to require").At("--require")
	}
	return s.At(i), s.Attacks > 0, nil
}
