package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/simulate"
	"chartwarden/internal/simulate/baseline"
	"chartwarden/internal/simulate/score"
)

// page is what the figures say: what is missed first.
func (f *detectionFigures) page() *page {
	p := &page{title: "Detection of misuse: results"}
	f.preface(p)
	goals := f.goals()
	p.section("What is missed")
	var missed []string
	for _, g := range goals {
		if !g.known || !g.met {
			missed = append(missed, fmt.Sprintf("**%s**: %s; the aim is %s.", g.what, g.measured, g.aim))
		}
	}
	if len(missed) == 0 {
		p.say("Nothing: each aim below is met.")
	}
	p.list(missed...)
	p.section("Aims")
	t := grid{head: []string{"what", "aim", "measured", ""}}
	for _, g := range goals {
		t.add(g.what, g.aim, g.measured, g.verdict())
	}
	p.table(t)
	p.say("False cases are counted per 1,000 active people a day. The mean over the seeds is held against the aim; smallest and largest stand in brackets.")
	f.besideBaselines(p)
	f.byScenario(p)
	f.byRole(p)
	f.explained(p)
	f.calibration(p)
	f.variants(p)
	f.quietDays(p)
	f.speed(p)
	p.section("What this does not show")
	p.list("The simulation and the detector come from one house. A detector that does well here has shown that it finds what we could imagine; nobody should infer a rate of misuse or of false cases in a real hospital from it.",
		"Two scenarios leave nothing in a log that tells them from work: one look at a relative whom no record shows, and one look at an unassigned patient of the own ward. They count in the recall of all attacks.",
		"The baselines are simple and were set by hand; a product that is sold may do better.",
		"What is simulated and what is not: [the specification](simulator.md), sections 6 and 9.")
	return p
}

func (f *detectionFigures) preface(p *page) {
	use := simulate.Use(f.Plan.Seeds[0])
	if use != "reporting" {
		p.say(fmt.Sprintf("**Made on %s seeds: not figures to publish.**", use))
	}
	var seeds []string
	events, unplayed := 0, map[string]bool{}
	for _, s := range f.Seeds {
		seeds = append(seeds, strconv.FormatUint(s.Seed, 10))
		events += s.Events
		for _, name := range s.Unplayed {
			unplayed[name] = true
		}
	}
	own := pool(f.own())
	hospitals, seed := "hospitals", "seeds"
	if len(f.Seeds) == 1 {
		hospitals, seed = "hospital", "seed"
	}
	p.say(fmt.Sprintf("%d simulated %s ([specification](simulator.md), version %d; %s %s %s) of %s staff and %s patients, %d days of which %d are judged, %s entries and %d attacks together. "+
		"Each log was judged by `chartwarden replay` as it comes, by five simple detectors, and scored by one scorer.",
		len(f.Seeds), hospitals, simulate.Version, use, seed, strings.Join(seeds, ", "), number(float64(f.Plan.Staff)), number(float64(f.Plan.Patients)), f.Plan.Days, f.Seeds[0].Own.Score.JudgedDays, number(float64(events)), own.All.Attacks))
	if len(unplayed) > 0 {
		p.say("Not played everywhere, for want of people: " + strings.Join(slices.Sorted(maps.Keys(unplayed)), ", ") + ".")
	}
	p.say(fmt.Sprintf("Commit %s; made by `%s` in %.0f minutes on %s.", f.Commit, f.Command, f.Minutes, f.Machine))
}

func (f *detectionFigures) besideBaselines(p *page) {
	p.section("Beside other detectors")
	names := append([]string{ownName}, baseline.Names()...)
	c := chart{title: "Recall at 2 false cases per 1,000 active people a day, mean and range over seeds", aim: .80}
	t := grid{head: []string{"detector", "at 1", "at 2", "at 5", "at 10", "detectable, at 2", "as published mixes, at 2", "all cases: recall", "all cases: false"}}
	for _, name := range names {
		results := f.own()
		if name != ownName {
			results = f.of(name)
		}
		row := []string{name}
		for i := range score.Budgets {
			row = append(row, over(results, recallAt(i)).text(hundredth))
		}
		all := pool(results)
		at := over(results, recallAt(atTwo))
		t.add(append(row, over(results, detectableAt(atTwo)).text(hundredth), over(results, func(r *score.Result) float64 { return r.Mix[atTwo] }).text(hundredth),
			hundredth(float64(len(all.Until))/float64(max(all.All.Attacks, 1))), over(results, func(r *score.Result) float64 { return r.FalseAll }).text(tenth))...)
		c.bars = append(c.bars, bar{name, at, name == ownName})
	}
	p.chart(c)
	p.table(t)
	p.say("The last two columns are of all that a detector writes, whatever its rank. The simple ones write the highest fifth of each day's people, or forty, whichever is more.")
	for _, name := range []string{"rules-filtered", "rules", "unexplained", "isolation-forest", "community"} {
		if second := pool(f.of(name)); second.All.Attacks > 0 {
			p.list(fmt.Sprintf("%s at equal recall: %s.", name, compareAtEqualRecall(pool(f.own()), second).text()))
		}
	}
}

const ownName = "chartwarden"

func hundredth(v float64) string { return fmt.Sprintf("%.2f", v) }

// gather adds up one kind of shares over results.
func gather[K comparable](results []*score.Result, of func(*score.Result) map[K]*score.Share) map[K]*score.Share {
	out := map[K]*score.Share{}
	for _, r := range results {
		if r == nil {
			continue
		}
		for k, s := range of(r) {
			sum := out[k]
			if sum == nil {
				sum = &score.Share{}
				out[k] = sum
			}
			sum.Attacks += s.Attacks
			sum.Queued += s.Queued
			for i := range s.Found {
				sum.Found[i] += s.Found[i]
			}
		}
	}
	return out
}

func queued(s *score.Share) float64 { return float64(s.Queued) / float64(max(s.Attacks, 1)) }

func (f *detectionFigures) byScenario(p *page) {
	grades := gather(f.own(), func(r *score.Result) map[int]*score.Share { return r.Grades })
	p.section("By grade and scenario")
	p.say("Shares of the attacks of all seeds together. G1: obvious to a rule. G2: needs a relation or a baseline. G3: hides in the ordinary. G4: knows the rules and works around them.")
	t := grid{head: []string{"grade", "attacks", "at 1", "at 2", "at 5", "at 10", "as queued"}}
	for _, g := range slices.Sorted(maps.Keys(grades)) {
		s := grades[g]
		t.add("G"+strconv.Itoa(g), strconv.Itoa(s.Attacks), hundredth(s.At(0)), hundredth(s.At(1)), hundredth(s.At(2)), hundredth(s.At(3)), hundredth(queued(s)))
	}
	p.table(t)

	scenarios := func(r *score.Result) map[string]*score.Share { return r.Scenarios }
	own, gradeOf, hidden := gather(f.own(), scenarios), map[string]int{}, map[string]bool{}
	for _, r := range f.own() {
		maps.Copy(gradeOf, r.GradeOf)
		maps.Copy(hidden, r.Hidden)
	}
	c := chart{title: "Recall at 2 by scenario", aim: .80}
	t = grid{head: []string{"scenario", "attacks", "at 1", "at 2", "at 5", "at 10", "as queued"}}
	compare := map[string]map[string]*score.Share{}
	for _, b := range baseline.Names() {
		t.head = append(t.head, b+", at 2")
		compare[b] = gather(f.of(b), scenarios)
	}
	for _, name := range slices.SortedFunc(maps.Keys(own), func(a, b string) int { return cmp.Or(gradeOf[a]-gradeOf[b], cmp.Compare(a, b)) }) {
		s, what := own[name], fmt.Sprintf("%s (G%d)", name, gradeOf[name])
		if hidden[name] {
			what += ", not detectable"
		}
		row := []string{what, strconv.Itoa(s.Attacks), hundredth(s.At(0)), hundredth(s.At(1)), hundredth(s.At(2)), hundredth(s.At(3)), hundredth(queued(s))}
		for _, b := range baseline.Names() {
			if x := compare[b][name]; x != nil {
				row = append(row, hundredth(x.At(atTwo)))
			} else {
				row = append(row, "")
			}
		}
		t.add(row...)
		c.bars = append(c.bars, bar{what, spread{mean: s.At(atTwo), n: 1}, !hidden[name]})
	}
	p.chart(c)
	p.table(t)
}

func (f *detectionFigures) byRole(p *page) {
	p.section("By role")
	roles := gather(f.own(), func(r *score.Result) map[string]*score.Share { return r.Roles })
	rates := map[string]score.Rate{}
	for _, r := range f.own() {
		for role, x := range r.FalseByRole {
			sum := rates[role]
			rates[role] = score.Rate{False: sum.False + x.False, People: sum.People + x.People}
			if roles[role] == nil {
				roles[role] = &score.Share{}
			}
		}
	}
	t := grid{head: []string{"role", "attacks", "recall at 2", "people", "false cases queued", "for 100 people"}}
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		s, x := roles[role], rates[role]
		found, per := "", ""
		if s.Attacks > 0 {
			found = hundredth(s.At(atTwo))
		}
		if x.People > 0 {
			per = tenth(100 * float64(x.False) / float64(x.People))
		}
		t.add(role, strconv.Itoa(s.Attacks), found, strconv.Itoa(x.People), strconv.Itoa(x.False), per)
	}
	p.table(t)
	p.say("People and false cases of all judged days and seeds together.")
}

func (f *detectionFigures) explained(p *page) {
	p.section("Explanations")
	var once, permuted spread
	for _, s := range f.Seeds {
		once.add(s.Own.Replay.AtOnce.Share)
		permuted.add(s.Own.Replay.Permuted)
	}
	t := grid{head: []string{"share with a known work reason", "mean", "smallest", "largest"}}
	row := func(what string, s spread) { t.add(what, percent(s.mean), percent(s.low), percent(s.high)) }
	row("innocent accesses, by their last verdict", over(f.own(), func(r *score.Result) float64 { return r.Explained }))
	row("first looks at a chart, at once", once)
	row("permuted first looks, at once (should be low)", permuted)
	row("accesses of attacks (should be low)", over(f.own(), func(r *score.Result) float64 { return r.Excused }))
	p.table(t)
	p.say("Documentation comes late: what is written within days explains accesses that had no reason when they were made. A permuted access is a real one with a patient drawn at random; a reason that covers it is too wide.")
}

func (f *detectionFigures) calibration(p *page) {
	p.section("Calibration")
	var sums [10]score.Bin
	for _, r := range f.own() {
		for b, x := range r.Bins {
			sums[b].Cases += x.Cases
			sums[b].Posterior += float64(x.Cases) * x.Posterior
			sums[b].True += float64(x.Cases) * x.True
		}
	}
	t := grid{head: []string{"posterior", "cases", "mean posterior", "true at the true rate"}}
	for b, x := range sums {
		if n := float64(x.Cases); n > 0 {
			t.add(fmt.Sprintf("%.1f to %.1f", float64(b)/10, float64(b+1)/10), strconv.Itoa(x.Cases), share(x.Posterior/n), share(x.True/n))
		}
	}
	p.say("A simulation holds far more attacks than a house: each true case weighs as little as makes 3.86 violators per 1,000 staff and quarter. Means over the seeds, by number of cases.")
	p.table(t)
	ece := over(f.own(), func(r *score.Result) float64 { return r.ECE })
	asIs := over(f.own(), func(r *score.Result) float64 { return r.ECEAsIs })
	p.say(fmt.Sprintf("ECE %s; as is, at the density of attacks of the simulation, %s.", ece.text(share), asIs.text(share)))
}

func (f *detectionFigures) variants(p *page) {
	missing, noisy := f.missing(), f.noisy()
	if len(missing.plain)+len(noisy.plain) == 0 {
		return
	}
	p.section("With less, and with worse, documentation")
	t := grid{head: []string{"variant", "seeds", "recall at 2", "detectable, at 2", "innocent explained", "cost in points, all", "cost in points, detectable"}}
	row := func(what string, results []*score.Result, cost, detectable string) {
		t.add(what, strconv.Itoa(len(results)), over(results, recallAt(atTwo)).text(share), over(results, detectableAt(atTwo)).text(share),
			over(results, func(r *score.Result) float64 { return r.Explained }).text(percent), cost, detectable)
	}
	row("as they are, the same seeds", longer(missing.plain, noisy.plain), "", "")
	if len(missing.plain) > 0 {
		row("without "+strings.Join(f.Plan.Missing, ", "), missing.variant, missing.cost(recallAt(atTwo)).text(tenth), missing.cost(detectableAt(atTwo)).text(tenth))
	}
	if len(noisy.plain) > 0 {
		row(fmt.Sprintf("noise %g", f.Plan.Noise), noisy.variant, noisy.cost(recallAt(atTwo)).text(tenth), noisy.cost(detectableAt(atTwo)).text(tenth))
	}
	p.table(t)
	p.say("Without feeds: the same log, its people and attacks, beside a context that lacks them. Noise multiplies gaps of documentation, wrong clicks and innocent oddities; it is another log of the same hospital.")
}

func longer(a, b []*score.Result) []*score.Result {
	if len(a) >= len(b) {
		return a
	}
	return b
}

func (f *detectionFigures) quietDays(p *page) {
	if f.Quiet == nil {
		return
	}
	s := f.Quiet.Score
	p.section("Days without an attack")
	p.say(fmt.Sprintf("%d judged days of a hospital of %s staff (%.0f active people a day) without any attack, seed %d: whatever is raised is false.", s.JudgedDays, number(float64(f.Plan.QuietStaff)), s.Active, s.Seed))
	p.list(fmt.Sprintf("Automatic queue, which is to hold the share of false discoveries at .05, so that on at most one such day of twenty anybody is taken: %d cases, on %d of %d days.", s.Automatic, s.AutoDays, s.JudgedDays),
		fmt.Sprintf("Review queue, with a budget of 2: %.2f false cases per 1,000 active people a day; %.2f with those only watched.", s.FalseQueued, s.FalseAll))
}

func (f *detectionFigures) speed(p *page) {
	p.section("Each seed")
	t := grid{head: []string{"seed", "entries", "recall at 2", "detectable", "as queued", "false queued", "days until", "records until", "twins taken", "events/s", "processor s", "others, cores", "peak MiB"}}
	for _, s := range f.Seeds {
		r, a := s.Own.Score, s.Own
		t.add(strconv.FormatUint(s.Seed, 10), number(float64(s.Events)), share(r.All.At(atTwo)), share(r.Detectable.At(atTwo)), share(queued(&r.All)), hundredth(r.FalseQueued), tenth(r.DaysUntil), tenth(r.RecordsSeen),
			fmt.Sprintf("%d of %d", r.TwinsTaken, r.Twins), number(a.Replay.EventsPerSecond), tenth(a.CPU), others(a.Others), number(float64(a.Replay.PeakMemory)/(1<<20)))
	}
	p.table(t)
	p.say("Days and records until detection are medians of the attacks found at 2. Twins are innocent events that look like an attack; taken are those of which a case stands within 2. Entries a second are of wall time, from the files to the verdicts on disk: " +
		"where other programs kept processors busy meanwhile (others), it would be more.")
}

func others(v float64) string {
	if v < 0 {
		return "unknown"
	}
	return tenth(v)
}
