package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"chartwarden/internal/simulate/score"
)

// spread is a figure over several seeds.
type spread struct {
	mean, low, high float64
	sum             float64
	n               int
}

// over takes a figure of each result; nil results are left out.
func over(results []*score.Result, of func(*score.Result) float64) (s spread) {
	for _, r := range results {
		if r != nil {
			s.add(of(r))
		}
	}
	return s
}

func (s *spread) add(v float64) {
	if s.n == 0 {
		s.low, s.high = v, v
	}
	s.sum += v
	s.n++
	s.mean, s.low, s.high = s.sum/float64(s.n), min(s.low, v), max(s.high, v)
}

// text writes the mean, and the range where there is one.
func (s spread) text(format func(float64) string) string {
	switch {
	case s.n == 0:
		return "not measured"
	case s.n == 1:
		return format(s.mean)
	}
	return fmt.Sprintf("%s (%s to %s)", format(s.mean), format(s.low), format(s.high))
}

func share(v float64) string   { return fmt.Sprintf("%.3f", v) }
func tenth(v float64) string   { return fmt.Sprintf("%.1f", v) }
func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

const atTwo = 1 // index of the budget of the aims in score.Budgets

func recallAt(i int) func(*score.Result) float64 {
	return func(r *score.Result) float64 { return r.All.At(i) }
}

func detectableAt(i int) func(*score.Result) float64 {
	return func(r *score.Result) float64 { return r.Detectable.At(i) }
}

// own are the detector's results, of each seed.
func (f *detectionFigures) own() (out []*score.Result) {
	for _, s := range f.Seeds {
		out = append(out, s.Own.Score)
	}
	return out
}

func (f *detectionFigures) of(baseline string) (out []*score.Result) {
	for _, s := range f.Seeds {
		out = append(out, s.Baselines[baseline])
	}
	return out
}

// pair holds what was made of the same seeds, as they are and by a variant.
type pair struct{ plain, variant []*score.Result }

func (f *detectionFigures) variant(of func(*seedFigures) *attempt) (p pair) {
	for i := range f.Seeds {
		if a := of(&f.Seeds[i]); a != nil {
			p.plain, p.variant = append(p.plain, f.Seeds[i].Own.Score), append(p.variant, a.Score)
		}
	}
	return p
}

func (f *detectionFigures) missing() pair {
	return f.variant(func(s *seedFigures) *attempt { return s.Missing })
}

func (f *detectionFigures) noisy() pair {
	return f.variant(func(s *seedFigures) *attempt { return s.Noisy })
}

// cost is what a variant loses of a figure, in points of a hundred.
func (p pair) cost(of func(*score.Result) float64) spread {
	var s spread
	for i := range p.plain {
		s.add(100 * (of(p.plain[i]) - of(p.variant[i])))
	}
	return s
}

// pool puts the attacks of all seeds together, to ask what a recall costs in false cases.
func pool(results []*score.Result) *score.Result {
	out := &score.Result{}
	for _, r := range results {
		if r == nil {
			continue
		}
		out.All.Attacks += r.All.Attacks
		out.All.Queued += r.All.Queued
		for i := range r.All.Found {
			out.All.Found[i] += r.All.Found[i]
		}
		out.Until = append(out.Until, r.Until...)
	}
	slices.Sort(out.Until)
	return out
}

// equalRecall compares the false cases of two detectors at one recall: that of the first at 2 false cases per 1,000 active people a day.
type equalRecall struct {
	recall  float64
	theirs  float64 // false cases that it takes the second
	reached bool    // false: the second finds less with all its cases
	// Where it does not reach:
	highest float64 // its recall with all its cases
	price   float64 // false cases that this takes the second
	ours    float64 // and the first
}

func compareAtEqualRecall(first, second *score.Result) (e equalRecall) {
	e.recall = first.All.At(atTwo)
	if e.theirs, e.reached = second.UntilRecall(e.recall); e.reached || second.All.Attacks == 0 {
		return e
	}
	e.highest = float64(len(second.Until)) / float64(second.All.Attacks)
	e.price, _ = second.UntilRecall(e.highest)
	e.ours, _ = first.UntilRecall(e.highest)
	return e
}

func (e equalRecall) times() float64 { return e.theirs / float64(score.Budgets[atTwo]) }

func (e equalRecall) text() string {
	switch {
	case e.reached && e.times() <= 1:
		return fmt.Sprintf("not fewer: %.1f false cases at the recall of %.3f, against %d", e.theirs, e.recall, score.Budgets[atTwo])
	case e.reached:
		return fmt.Sprintf("%.1f times fewer: %.1f false cases at the recall of %.3f, against %d", e.times(), e.theirs, e.recall, score.Budgets[atTwo])
	}
	return fmt.Sprintf("never reaches %.3f: at most %.3f, with %.1f false cases, where the detector has %.1f", e.recall, e.highest, e.price, e.ours)
}

// goal is an aim and what was measured of it.
type goal struct {
	what, aim, measured string
	known, met          bool
}

func (g goal) verdict() string {
	switch {
	case !g.known:
		return "**not measured**"
	case g.met:
		return "met"
	}
	return "**missed**"
}

// atLeast and atMost judge the mean; a sum's last bit decides nothing.
func atLeast(what string, aim float64, s spread, format func(float64) string) goal {
	return goal{what, "≥ " + format(aim), s.text(format), s.n > 0, s.mean >= aim-1e-9}
}

func atMost(what string, aim float64, s spread, format func(float64) string) goal {
	return goal{what, "≤ " + format(aim), s.text(format), s.n > 0, s.mean <= aim+1e-9}
}

// goals are the aims that a detector was given before it was built. Over seeds the mean counts.
func (f *detectionFigures) goals() []goal {
	own, filtered := f.own(), f.of("rules-filtered")
	out := []goal{
		atLeast("recall of all attacks at 2 false cases", .80, over(own, recallAt(atTwo)), share),
		atLeast("recall of the detectable attacks at 2 false cases", .95, over(own, detectableAt(atTwo)), share),
		atMost("false cases in the queue, by its own bar", 2, over(own, func(r *score.Result) float64 { return r.FalseQueued }), tenth),
	}
	e := compareAtEqualRecall(pool(own), pool(filtered))
	out = append(out, goal{"false cases at equal recall, against the rules with their treatment filter", "≥ 30 times fewer", e.text(), pool(filtered).All.Attacks > 0, !e.reached || e.times() >= 30})
	var times spread
	for i, r := range own {
		rules := max(f.Seeds[i].Baselines["rules"].All.At(atTwo), f.Seeds[i].Baselines["rules-filtered"].All.At(atTwo))
		if rules > 0 {
			times.add(r.All.At(atTwo) / rules)
		}
	}
	out = append(out, atLeast("recall at 2 false cases, times that of the better rules", 2, times, tenth),
		atMost("recall lost without "+strings.Join(f.Plan.Missing, ", ")+", points", 5, f.missing().cost(recallAt(atTwo)), tenth),
		atLeast("innocent accesses explained", .95, over(own, func(r *score.Result) float64 { return r.Explained }), percent))
	var permuted, speed, busy spread
	for _, s := range f.Seeds {
		permuted.add(s.Own.Replay.Permuted)
		speed.add(s.Own.Replay.EventsPerSecond)
		busy.add(max(0, s.Own.Others))
	}
	out = append(out, atMost("permuted accesses explained", .10, permuted, percent),
		atMost("calibration error (ECE) at the true rate of violators", .05, over(own, func(r *score.Result) float64 { return r.ECE }), share))
	var quiet, suspended spread
	if f.Quiet != nil {
		quiet.add(f.Quiet.Score.FalseQueued)
		suspended.add(float64(f.Quiet.Score.AutoDays) / float64(max(f.Quiet.Score.JudgedDays, 1)))
	}
	fast := atLeast("events a second, file to verdicts", 50_000, speed, func(v float64) string { return number(math.Round(v)) })
	fast.measured += fmt.Sprintf(", while other programs kept %.1f cores busy", busy.mean)
	return append(out,
		atMost("days without an attack on which the automatic queue (level .05) takes somebody", .05, suspended, percent),
		atMost("false cases in the queue on days without an attack", 2, quiet, tenth),
		fast)
}
