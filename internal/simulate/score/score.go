// Package score judges what a detector made of a simulation, by the rule of docs/simulator.md, section 7.
//
//	result, err := score.Judge(score.Input{Labels: l, Cases: c, Verdicts: v})
//	result.Print(w)                                    // Markdown
//	missed, err := result.Missed("recall@2=.80,ece<=.05")
//
// A detector is anything that writes the contract's cases: the engine of this house, another's, or a [chartwarden/internal/simulate/baseline].
package score

import (
	"cmp"
	"io"
	"math"
	"slices"
	"time"
)

// Budgets are the false cases per 1,000 active people a day at which recall is given.
var Budgets = [4]int{1, 2, 5, 10}

// quarterly is the true share of violators: 3.86 of 1,000 staff in a quarter of 90 days (Protenus 2018).
const quarterly = 3.86 / 1000

// Input are the files to judge. Verdicts and Roles may be nil.
type Input struct {
	Labels   io.Reader // labels.ndjson of the simulation
	Cases    io.Reader // cases.ndjson of the detector
	Verdicts io.Reader // verdicts.ndjson of the detector
	Roles    io.Reader // PractitionerRole.ndjson of the simulation, for false cases by role
}

// Share counts how many of some attacks were found at each budget, and by the detector's own queue.
type Share struct {
	Attacks int    `json:"attacks"`
	Found   [4]int `json:"found"` // at Budgets
	Queued  int    `json:"queued"`
}

// At is the recall at the i-th budget.
func (s Share) At(i int) float64 { return portion(s.Found[i], s.Attacks) }

// Result is a judgement. Shares are between 0 and 1.
type Result struct {
	Version     int               `json:"version"`
	Seed        uint64            `json:"seed"`
	Use         string            `json:"use"`
	JudgedDays  int               `json:"judged_days"`
	Active      float64           `json:"active_a_day"` // people without any attack, mean over judged days
	All         Share             `json:"all"`
	Detectable  Share             `json:"detectable"`
	Mix         [4]float64        `json:"recall_by_published_mix"`
	Scenarios   map[string]*Share `json:"scenarios"`
	Grades      map[int]*Share    `json:"grades"`
	Roles       map[string]*Share `json:"roles"`
	FalseQueued float64           `json:"false_cases_queued"` // a day per 1,000 active people
	FalseAll    float64           `json:"false_cases_all"`    // the same, watch included
	Shadows     int               `json:"cases_of_attackers_without_match"`
	DaysUntil   float64           `json:"median_days_until"`    // at budget 2, of those found
	RecordsSeen float64           `json:"median_records_until"` // at budget 2, of those found
	ECE         float64           `json:"ece"`                  // at the true rate of violators
	ECEAsIs     float64           `json:"ece_unweighted"`
	Bins        []Bin             `json:"bins"`
	Explained   float64           `json:"innocent_explained"` // share of verdicts; -1 without verdicts
	Excused     float64           `json:"attacks_explained"`  // share of verdicts on labelled entries; -1 without
	Twins       int               `json:"twins"`
	TwinsTaken  int               `json:"twins_within_budget_2"`
	FalseByRole map[string]Rate   `json:"false_queued_by_role,omitempty"`
	Until       []float64         `json:"false_cases_until"`         // per 1,000 active people a day that stand as high as each attack found at any budget, ascending
	Automatic   int               `json:"false_cases_automatic"`     // cases of people who never attack that ever stood in the automatic queue
	AutoDays    int               `json:"days_with_false_automatic"` // judged days on which one of them first did
	GradeOf     map[string]int    `json:"grade_of_scenario"`
	Hidden      map[string]bool   `json:"not_detectable"` // scenarios that no log shows
}

// UntilRecall is how many false cases per 1,000 active people a day finding this share of all attacks takes; not ok when all cases together do not find it.
func (r *Result) UntilRecall(share float64) (falses float64, ok bool) {
	n := int(math.Ceil(share*float64(r.All.Attacks) - 1e-9))
	if n <= 0 {
		return 0, true
	}
	if n > len(r.Until) {
		return 0, false
	}
	return r.Until[n-1], true
}

// Bin is a tenth of the scale of posteriors.
type Bin struct {
	Cases     int     `json:"cases"`
	Posterior float64 `json:"posterior"` // mean
	True      float64 `json:"true"`      // share that matched, at the true rate of violators
}

// Rate is a number of false cases among so many people.
type Rate struct {
	False  int `json:"false"`
	People int `json:"people"`
}

// standing is a case as it stands: how high, and since when.
type standing struct {
	score  float64
	at     time.Time
	day    int
	queued bool
}

// Judge applies the rule.
func Judge(in Input) (*Result, error) {
	truth, err := readLabels(in.Labels)
	if err != nil {
		return nil, err
	}
	cases, err := readCases(in.Cases, truth)
	if err != nil {
		return nil, err
	}
	r := &Result{Version: truth.header.Version, Seed: truth.header.Seed, Use: truth.header.Use, Scenarios: map[string]*Share{}, Grades: map[int]*Share{}, Roles: map[string]*Share{},
		Explained: -1, Excused: -1, Until: []float64{}, GradeOf: map[string]int{}, Hidden: map[string]bool{}}
	j := &judge{truth: truth, result: r, cases: cases, falses: make([][]float64, len(truth.header.Days)), matches: map[int][]standing{}, trueCase: map[int]bool{}}
	j.sort()
	j.recall()
	j.calibrate()
	j.twins()
	if in.Roles != nil {
		if err := j.fairness(in.Roles); err != nil {
			return nil, err
		}
	}
	if in.Verdicts != nil {
		if r.Explained, r.Excused, err = readVerdicts(in.Verdicts, truth); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// judge is the work on one run.
type judge struct {
	truth    *truth
	result   *Result
	cases    []*history
	falses   [][]float64 // scores of false cases, by day, highest first
	matches  map[int][]standing
	trueCase map[int]bool // index of a case that matches an attack
	calm     []calm       // the false cases
}

// calm is a false case.
type calm struct {
	of *history
	standing
}

// sort tells matches from false cases and shadows, and lays the false ones out by day.
func (j *judge) sort() {
	r, days := j.result, j.truth.header.Days
	people, active := 0, 0
	for d := j.truth.first; d < len(days); d++ {
		people += days[d].Active
		if days[d].Active > 0 {
			active++
		}
	}
	r.JudgedDays, r.Active = len(days)-j.truth.first, portion(people, len(days)-j.truth.first)
	queued, all := 0, 0
	suspended := map[int]bool{}
	for i, c := range j.cases {
		matched := false
		for a := range c.last().attacks {
			if l := j.truth.labels[a]; l.Kind == "attack" && (c.agent == l.Agent || slices.Contains(l.With, c.agent)) {
				if s, ok := j.stands(c, a); ok {
					j.matches[a] = append(j.matches[a], s)
					matched = true
				}
			}
		}
		switch {
		case matched:
			j.trueCase[i] = true
		case j.truth.attackers[c.agent]:
			r.Shadows++
		default:
			if d := j.automatic(c); d >= j.truth.first {
				r.Automatic++
				suspended[d] = true
			}
			s, ok := j.stands(c, -1)
			if !ok {
				continue
			}
			all++
			if s.queued {
				queued++
			}
			j.falses[s.day] = append(j.falses[s.day], s.score)
			j.calm = append(j.calm, calm{c, s})
		}
	}
	for _, f := range j.falses {
		slices.SortFunc(f, func(a, b float64) int { return cmp.Compare(b, a) })
	}
	r.AutoDays = len(suspended)
	r.FalseQueued, r.FalseAll = 1000*portion(queued, people), 1000*portion(all, people)
}

// stands finds since when a case is as high as it ends; for an attack (>= 0) only revisions that name one of its entries count. It is false for what stood before
// the first judged day.
func (j *judge) stands(c *history, attack int) (standing, bool) {
	last := c.last()
	for _, v := range c.revisions {
		if _, names := v.attacks[attack]; v.score < last.score || attack >= 0 && !names {
			continue
		}
		day := j.truth.day(v.updated)
		if day < j.truth.first {
			return standing{}, false
		}
		return standing{last.score, v.updated, day, last.queued}, true
	}
	return standing{}, false
}

// automatic is the day on which a case first stood in the automatic queue; -1 when it never did. What it became later takes no suspension back.
func (j *judge) automatic(c *history) int {
	for _, v := range c.revisions {
		if v.automatic {
			return j.truth.day(v.updated)
		}
	}
	return -1
}

// above counts the false cases of a day that score at least as much.
func (j *judge) above(s standing) int {
	n, _ := slices.BinarySearchFunc(j.falses[s.day], s.score, func(f, score float64) int {
		if f >= score {
			return -1
		}
		return 1
	})
	return n
}

// within says whether a case shows at a budget, beside the false cases of its day.
func (j *judge) within(s standing, budget, own int) bool {
	return 1000*(j.above(s)-own) <= budget*j.truth.header.Days[s.day].Active
}

func (j *judge) recall() {
	r := j.result
	mix := map[string]int{}
	var days, records []float64
	for a, l := range j.truth.labels {
		if l.Kind != "attack" {
			continue
		}
		shares := []*Share{&r.All, entry(r.Scenarios, l.Scenario), entry(r.Grades, l.Grade), entry(r.Roles, l.Role)}
		if l.Detectable {
			shares = append(shares, &r.Detectable)
		}
		r.GradeOf[l.Scenario], mix[l.Scenario] = l.Grade, l.Mix
		if !l.Detectable {
			r.Hidden[l.Scenario] = true
		}
		if s := j.matches[a]; len(s) > 0 {
			least := math.Inf(1)
			for _, s := range s {
				least = min(least, 1000*portion(j.above(s), j.truth.header.Days[s.day].Active))
			}
			r.Until = append(r.Until, least)
		}
		queued := slices.ContainsFunc(j.matches[a], func(s standing) bool { return s.queued })
		for _, s := range shares {
			s.Attacks++
			if queued {
				s.Queued++
			}
		}
		for i, b := range Budgets {
			var first *standing
			for k := range j.matches[a] {
				if s := &j.matches[a][k]; j.within(*s, b, 0) && (first == nil || s.at.Before(first.at)) {
					first = s
				}
			}
			if first == nil {
				continue
			}
			for _, s := range shares {
				s.Found[i]++
			}
			if b == 2 {
				days = append(days, max(0, first.at.Sub(l.start).Hours()/24))
				records = append(records, float64(j.truth.until(a, first.at)))
			}
		}
	}
	slices.Sort(r.Until)
	r.DaysUntil, r.RecordsSeen = median(days), median(records)
	total := 0
	for name, s := range r.Scenarios {
		total += mix[name]
		for i := range Budgets {
			r.Mix[i] += float64(mix[name]) * s.At(i)
		}
	}
	for i := range Budgets {
		r.Mix[i] /= float64(max(total, 1))
	}
}

// twins counts the innocent twins of which a case shows at budget 2.
func (j *judge) twins() {
	taken := map[int]bool{}
	for _, c := range j.calm {
		if !j.within(c.standing, 2, 1) {
			continue
		}
		for a := range c.of.last().attacks {
			if l := j.truth.labels[a]; l.Kind == "twin" && l.Agent == c.of.agent {
				taken[a] = true
			}
		}
	}
	for _, l := range j.truth.labels {
		if l.Kind == "twin" {
			j.result.Twins++
		}
	}
	j.result.TwinsTaken = len(taken)
}

func entry[K comparable](m map[K]*Share, k K) *Share {
	if m[k] == nil {
		m[k] = &Share{}
	}
	return m[k]
}

func portion(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
