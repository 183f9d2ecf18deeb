package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/simulate/baseline"
	"chartwarden/internal/simulate/score"
)

var updatePage = flag.Bool("update", false, "write testdata/detection.md anew")

// madeUp is a result with so many of ten attacks found at each budget, and what finding each took.
func madeUp(seed uint64, until []float64, change func(*score.Result)) *score.Result {
	r := &score.Result{Version: 1, Seed: seed, Use: "reporting", JudgedDays: 14, Active: 700, Until: until, ECE: .02, ECEAsIs: .3, Explained: .96, Excused: .2, Twins: 9, TwinsTaken: 1, DaysUntil: 1, RecordsSeen: 4,
		GradeOf: map[string]int{"vip": 2, "hidden-kin": 3}, Hidden: map[string]bool{"hidden-kin": true}}
	r.All.Attacks, r.Detectable.Attacks = 10, 8
	for _, u := range until {
		for i, b := range score.Budgets {
			if u <= float64(b) {
				r.All.Found[i]++
				r.Detectable.Found[i] = min(r.All.Found[i], 8)
			}
		}
	}
	r.All.Queued, r.FalseQueued, r.FalseAll, r.Mix = 5, 1.5, 12, [4]float64{.5, .6, .7, .8}
	r.Scenarios = map[string]*score.Share{"vip": {Attacks: 8, Found: r.Detectable.Found, Queued: 5}, "hidden-kin": {Attacks: 2}}
	r.Grades = map[int]*score.Share{2: r.Scenarios["vip"], 3: r.Scenarios["hidden-kin"]}
	r.Roles = map[string]*score.Share{"nurse": {Attacks: 10, Found: r.All.Found}}
	r.FalseByRole = map[string]score.Rate{"nurse": {False: 2, People: 300}, "coder": {People: 20}}
	r.Bins = []score.Bin{{Cases: 30, Posterior: .01, True: .02}, {}, {}, {}, {}, {}, {}, {}, {}, {Cases: 10, Posterior: .95, True: .9}}
	if change != nil {
		change(r)
	}
	return r
}

func madeUpFigures() *detectionFigures {
	f := &detectionFigures{Commit: "0123456789ab", Command: "./scripts/bench detection --seeds 701,702", Machine: "2 cores, linux/amd64, go1.26, 2026-01-01", Minutes: 20,
		Plan: detectionPlan{Seeds: []uint64{701, 702}, Staff: 1200, Patients: 60000, Days: 42, Variants: 1, Missing: []string{"CareTeam", "Task"}, Noise: 2.5, QuietDays: 200, QuietStaff: 300}}
	tried := func(r *score.Result, permuted, speed float64) attempt {
		a := attempt{Score: r, CPU: 40, Others: .2, Replay: replayed{Permuted: permuted, EventsPerSecond: speed, PeakMemory: 600 << 20}}
		a.Replay.AtOnce.Share = .85
		return a
	}
	for i, seed := range f.Plan.Seeds {
		s := seedFigures{Seed: seed, Events: 2_000_000 + i, Own: tried(madeUp(seed, []float64{0, 0, 0, 0, 0, 1, 1.5, 2, 6}[:9-i], nil), .11+float64(i)/100, 60_000), Baselines: map[string]*score.Result{}}
		for _, b := range baseline.Names() {
			s.Baselines[b] = madeUp(seed, []float64{1, 4, 30, 70}, nil)
		}
		s.Baselines["rules-filtered"] = madeUp(seed, []float64{1, 2, 9, 20, 30, 40, 55, 80, 90}, nil)
		f.Seeds = append(f.Seeds, s)
	}
	poor := tried(madeUp(101, []float64{0, 0, 0, 0, 0, 1, 1.5}, nil), .11, 60_000)
	noisy := tried(madeUp(101, []float64{0, 0, 0}, nil), .11, 60_000)
	quiet := tried(madeUp(101, nil, func(r *score.Result) {
		r.JudgedDays, r.Automatic, r.AutoDays, r.FalseQueued = 200, 3, 2, 2.4
		r.All, r.Detectable = score.Share{}, score.Share{}
	}), .11, 60_000)
	f.Seeds[0].Missing, f.Seeds[0].Noisy, f.Quiet = &poor, &noisy, &quiet
	return f
}

func TestThePageOfResults(t *testing.T) {
	got, name := madeUpFigures().page().markdown(), filepath.Join("testdata", "detection.md")
	if *updatePage {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is another than %s; look at it and run with -update:\n%s", name, got)
	}
}

func TestWhatIsMissedComesFirst(t *testing.T) {
	text := madeUpFigures().page().markdown()
	missed, rest, ok := strings.Cut(text, "\n## Aims\n")
	if !ok || !strings.Contains(missed, "**permuted accesses explained**: 11.5 %") || !strings.Contains(missed, "**recall lost without CareTeam, Task, points**: 10.0") {
		t.Errorf("begins:\n%s", missed)
	}
	if strings.Contains(missed, "innocent accesses explained") || !strings.Contains(rest, "| innocent accesses explained | ≥ 95.0 % | 96.0 % (96.0 % to 96.0 %) | met |") {
		t.Errorf("what is met stands among what is missed:\n%s", missed)
	}
	f := madeUpFigures()
	f.Quiet, f.Seeds[0].Missing = nil, nil
	if missed, _, _ := strings.Cut(f.page().markdown(), "\n## Aims\n"); strings.Count(missed, ": not measured; the aim") != 3 {
		t.Errorf("what was not measured counts as met:\n%s", missed)
	}
	f.Plan.Seeds = []uint64{3, 4}
	if !strings.Contains(f.page().markdown(), "Made on tuning seeds: not figures to publish.") {
		t.Error("tuning seeds are not named")
	}
}

func TestFalseCasesAtEqualRecall(t *testing.T) {
	ours := pool([]*score.Result{madeUp(101, []float64{0, .5, 1, 2, 7}, nil)})
	for _, c := range []struct {
		theirs []float64
		text   string
		met    bool
	}{
		{[]float64{1, 2, 3, 64}, "32.0 times fewer: 64.0 false cases at the recall of 0.400, against 2", true},
		{[]float64{1, 2, 3, 50, 99}, "25.0 times fewer: 50.0 false cases at the recall of 0.400, against 2", false},
		{[]float64{0, 0, 0, 1}, "not fewer: 1.0 false cases at the recall of 0.400, against 2", false},
		{[]float64{1, 2, 30}, "never reaches 0.400: at most 0.300, with 30.0 false cases, where the detector has 1.0", true},
	} {
		e := compareAtEqualRecall(ours, pool([]*score.Result{madeUp(101, c.theirs, nil)}))
		if e.text() != c.text || (!e.reached || e.times() >= 30) != c.met {
			t.Errorf("%v: %s", c.theirs, e.text())
		}
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	p := madeUpFigures().page()
	p.say("1 < 2 & <script>alert(1)</script>")
	text := p.html()
	for _, wrong := range []string{"<script", "http:", "https:", "%!", "src="} {
		if strings.Contains(text, wrong) {
			t.Errorf("the page holds %s", wrong)
		}
	}
	for _, tag := range []string{"table", "tr", "td", "th", "thead", "svg", "figure", "ul", "li", "h2", "p", "strong", "code", "a", "main", "text", "div"} {
		if opened, closed := strings.Count(text, "<"+tag+">")+strings.Count(text, "<"+tag+" "), strings.Count(text, "</"+tag+">"); opened != closed || opened == 0 {
			t.Errorf("%d <%s>, %d closed", opened, tag, closed)
		}
	}
	if !strings.Contains(text, "<strong>missed</strong>") || !strings.Contains(text, `<a href="simulator.md">specification</a>`) || !strings.Contains(text, ">aim 0.80</text>") {
		t.Error("marks were not written as HTML")
	}
}

func TestSeedsOfOneUse(t *testing.T) {
	for text, ok := range map[string]bool{"3,4": true, "701,702,703": true, "3,701": false, "": false, "x": false, "701,706": false} {
		if _, err := seedsOf(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := runDetection([]string{"--seeds", "3"}); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("tuning seeds would take the page of reporting: %v", err)
	}
	if err := runDetection([]string{"--seeds", "101", "--staff", "300"}); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a small hospital would take the page: %v", err)
	}
	f := madeUpFigures()
	f.Plan.Seeds = []uint64{3, 4}
	kept, _ := json.Marshal(f)
	name := filepath.Join(t.TempDir(), "kept.json")
	if err := os.WriteFile(name, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := runDetection([]string{"--render", "--figures", name}); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("kept figures of tuning seeds would take the page: %v", err)
	}
	f.Quiet = nil
	unfinished, _ := json.Marshal(f)
	if err := os.WriteFile(name+"2", unfinished, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := runDetection([]string{"--render", "--figures", name + "2", "--out", name + ".md"}); err == nil || !strings.Contains(err.Error(), "broken off") {
		t.Errorf("a page was made of half a run: %v", err)
	}
	f = madeUpFigures()
	f.Plan.Seeds = []uint64{3, 4}
	page := filepath.Join(filepath.Dir(name), "try.md")
	if err := runDetection([]string{"--render", "--figures", name, "--out", page}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != f.page().markdown() {
		t.Errorf("kept figures give another page: %v", err)
	}
	if _, err := os.Stat(strings.TrimSuffix(page, "md") + "html"); err != nil {
		t.Error(err)
	}
}

// The whole way once: simulate, replay, compare and score, by the program as it ships.
func TestATinyHospital(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &rounds{ctx: t.Context(), program: path, dir: dir, began: time.Now(),
		plan: detectionPlan{Seeds: []uint64{904}, Staff: 200, Patients: 2000, Days: 12, Variants: 1, Missing: []string{"CareTeam", "roster"}, Noise: 2.5}}
	s, err := r.seed(904, true)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if s.Own.Score.All.Attacks == 0 || s.Own.Replay.Events != s.Events || s.Missing.Replay.Events != s.Events || s.Noisy.Score.Seed != 904 || len(s.Baselines) != len(baseline.Names()) {
		t.Errorf("%+v", s)
	}
	if s.Missing.Score.Explained >= s.Own.Score.Explained {
		t.Errorf("without care teams and roster %.3f are explained, with them %.3f", s.Missing.Score.Explained, s.Own.Score.Explained)
	}
	f := &detectionFigures{Plan: r.plan, Seeds: []seedFigures{*s}}
	if text := f.page().markdown(); strings.Contains(text, "NaN") || strings.Contains(text, "%!") || !strings.Contains(text, "| 904 |") {
		t.Error(text)
	}
}
