package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"chartwarden/internal/simulate"
	"chartwarden/internal/simulate/baseline"
	"chartwarden/internal/simulate/score"
)

// detectionPlan says what is measured, and on what.
type detectionPlan struct {
	Seeds      []uint64
	Staff      int
	Patients   int
	Days       int
	Variants   int      // the first so many seeds are also played without feeds and with noise
	Missing    []string // feeds
	Noise      float64
	QuietDays  int // judged days without an attack; 0: none
	QuietStaff int
}

// detectionFigures are all that a page of results is made of.
type detectionFigures struct {
	Commit  string
	Command string
	Machine string
	Plan    detectionPlan
	Seeds   []seedFigures
	Quiet   *attempt // on days without an attack
	Minutes float64
}

// seedFigures are those of one simulated hospital.
type seedFigures struct {
	Seed      uint64
	Events    int
	Unplayed  []string // scenarios for which it has nobody
	Own       attempt
	Baselines map[string]*score.Result
	Missing   *attempt // without feeds
	Noisy     *attempt
}

// attempt is what the detector made of a log, and what it took.
type attempt struct {
	Score  *score.Result
	Replay replayed
	CPU    float64 // seconds
	Others float64 // processors that other programs kept busy; negative when unknown
}

// replayed is what report.json tells.
type replayed struct {
	Events          int                     `json:"events"`
	Days            int                     `json:"days"`
	Permuted        float64                 `json:"permuted_explained_share"`
	AtOnce          struct{ Share float64 } `json:"real"`
	EventsPerSecond float64                 `json:"events_per_second"`
	PeakMemory      int64                   `json:"peak_memory_bytes"`
}

// runDetection simulates, replays, compares and scores, seed by seed, and writes the page. It runs the program as anybody would, and keeps one simulation at a time.
func runDetection(args []string) error {
	whole := detectionPlan{Seeds: []uint64{701, 702, 703, 704, 705}, Staff: 1200, Patients: 60000, Days: 42, Variants: 2, Missing: []string{"CareTeam", "ServiceRequest", "Task"}, Noise: 2.5, QuietDays: 200, QuietStaff: 300}
	var plan detectionPlan
	flags := flag.NewFlagSet("detection", flag.ContinueOnError)
	seeds := flags.String("seeds", "", "`N,N` of one use: 1-20 to try, 701-705 to report, once")
	flags.IntVar(&plan.Staff, "staff", whole.Staff, "of each hospital")
	flags.IntVar(&plan.Patients, "patients", whole.Patients, "of each hospital")
	flags.IntVar(&plan.Days, "days", whole.Days, "of each log, the warm-up included")
	flags.IntVar(&plan.Variants, "variants", whole.Variants, "the first so many seeds are also replayed without --missing and with --noise")
	missing := flags.String("missing", strings.Join(whole.Missing, ","), "`FEEDS` that the variant lacks")
	flags.Float64Var(&plan.Noise, "noise", whole.Noise, "of the variant")
	flags.IntVar(&plan.QuietDays, "quiet-days", whole.QuietDays, "judged days without an attack, on the first seed")
	flags.IntVar(&plan.QuietStaff, "quiet-staff", whole.QuietStaff, "of the hospital of these days")
	out := flags.String("out", "", "`FILE` for the page as Markdown; the same as HTML goes beside it (docs/detection-results.md for whole hospitals of all reporting seeds)")
	keep := flags.String("figures", "", "`FILE` that keeps the raw figures; a run that was broken off goes on from it")
	render := flags.Bool("render", false, "measure nothing, make the page from --figures")
	work := flags.String("work", os.TempDir(), "`DIR` for simulations: 5 GB are needed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *missing != "" {
		plan.Missing = strings.Split(*missing, ",")
	}
	var err error
	var f *detectionFigures
	if *render {
		if f, err = readFigures(*keep); err != nil {
			return err
		}
		if plan = f.Plan; len(f.Seeds) == 0 || len(f.Seeds) < len(plan.Seeds) || plan.QuietDays > 0 && f.Quiet == nil {
			return errors.New("the run that left these figures was broken off: run it again without --render, and it goes on")
		}
	} else if plan.Seeds, err = seedsOf(*seeds); err != nil {
		return err
	}
	if *out == "" {
		if !reflect.DeepEqual(plan, whole) {
			return errors.New("docs/detection-results.md is for whole hospitals of the seeds 701,702,703,704,705: name another page by --out FILE")
		}
		*out = filepath.Join("docs", "detection-results.md")
	}
	if f == nil {
		if f, err = measure(detectionFigures{Commit: commit(), Command: commandOf(flags), Machine: machine().String(), Plan: plan}, *keep, *work); err != nil {
			return err
		}
	}
	p := f.page()
	if err := os.WriteFile(*out, []byte(p.markdown()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(*out, filepath.Ext(*out))+".html", []byte(p.html()), 0o644)
}

// commandOf is the command that measures the same again; where its files went is nobody's business.
func commandOf(flags *flag.FlagSet) string {
	text := "./scripts/bench detection"
	flags.Visit(func(f *flag.Flag) {
		if !slices.Contains([]string{"out", "figures", "work", "render"}, f.Name) {
			text += " --" + f.Name + " " + f.Value.String()
		}
	})
	return text
}

func seedsOf(text string) (out []uint64, err error) {
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return nil, errors.New("name the seeds, such as --seeds 3,4 to try or --seeds 701,702,703,704,705 to report")
		}
		if out = append(out, n); simulate.Use(n) != simulate.Use(out[0]) {
			return nil, fmt.Errorf("seed %d is for %s, seed %d for %s: their mean means nothing", out[0], simulate.Use(out[0]), n, simulate.Use(n))
		}
	}
	return out, nil
}

// commit names what is measured.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changed) > 0 {
		name += " with changes"
	}
	return name
}

func readFigures(name string) (*detectionFigures, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := &detectionFigures{}
	return f, json.Unmarshal(text, f)
}

// measure does what is not yet in the kept figures of the same plan and commit.
func measure(f detectionFigures, keep, work string) (*detectionFigures, error) {
	if old, err := readFigures(keep); err == nil && old.Commit == f.Commit && reflect.DeepEqual(old.Plan, f.Plan) && !strings.HasSuffix(f.Commit, "changes") {
		f = *old
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp(work, "detection")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &rounds{ctx: ctx, program: filepath.Join(dir, "chartwarden"), dir: dir, plan: f.Plan, began: time.Now()}
	before := f.Minutes
	save := func() error {
		f.Minutes = before + time.Since(r.began).Minutes()
		if keep == "" {
			return nil
		}
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		return os.WriteFile(keep, text, 0o644)
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", r.program, "./cmd/chartwarden").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	for _, seed := range f.Plan.Seeds[len(f.Seeds):] {
		s, err := r.seed(seed, len(f.Seeds) < f.Plan.Variants)
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		f.Seeds = append(f.Seeds, *s)
		if err := save(); err != nil {
			return nil, err
		}
	}
	if f.Plan.QuietDays > 0 && f.Quiet == nil {
		if f.Quiet, err = r.quiet(); err != nil {
			return nil, fmt.Errorf("days without an attack: %w", err)
		}
	}
	return &f, save()
}

// rounds play simulations, one at a time, in a directory.
type rounds struct {
	ctx     context.Context
	program string
	dir     string
	plan    detectionPlan
	began   time.Time
}

func (r *rounds) path(elements ...string) string {
	return filepath.Join(append([]string{r.dir}, elements...)...)
}

// run runs the program and says on standard error how long it took.
func (r *rounds) run(what string, args ...string) ([]byte, *os.ProcessState, error) {
	command := exec.CommandContext(r.ctx, r.program, args...)
	command.Stderr = os.Stderr
	start := time.Now()
	out, err := command.Output()
	fmt.Fprintf(os.Stderr, "%6.1f min  %-34s %7.1f s\n", time.Since(r.began).Minutes(), what, time.Since(start).Seconds())
	return out, command.ProcessState, err
}

func (r *rounds) clear(names ...string) error {
	for _, name := range names {
		if err := os.RemoveAll(r.path(name)); err != nil {
			return err
		}
	}
	return nil
}

// simulate plays a hospital of the plan into the directory hospital, in place of the one before.
func (r *rounds) simulate(what string, args ...string) (s simulate.Summary, err error) {
	if err := r.clear("hospital"); err != nil {
		return s, err
	}
	if _, _, err = r.run(what, append([]string{"simulate", "--out", r.path("hospital")}, args...)...); err != nil {
		return s, err
	}
	text, err := os.ReadFile(r.path("hospital", "simulation.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

func (r *rounds) size(seed uint64) []string {
	return []string{"--seed", strconv.FormatUint(seed, 10), "--staff", strconv.Itoa(r.plan.Staff), "--patients", strconv.Itoa(r.plan.Patients), "--days", strconv.Itoa(r.plan.Days)}
}

func (r *rounds) seed(seed uint64, variants bool) (*seedFigures, error) {
	name := fmt.Sprintf("seed %d", seed)
	sim, err := r.simulate(name+", simulate", r.size(seed)...)
	if err != nil {
		return nil, err
	}
	s := &seedFigures{Seed: seed, Events: sim.Events, Unplayed: sim.Unplayed, Baselines: map[string]*score.Result{}}
	own, err := r.replay(name, "context") // alone, because it is timed
	if err != nil {
		return nil, err
	}
	compared := make(chan error, 1)
	go func() { compared <- r.compare(name, s.Baselines) }()
	err = r.judge(name, own)
	s.Own = *own
	if err == nil && variants && len(r.plan.Missing) > 0 {
		if err = r.withoutFeeds(); err == nil {
			s.Missing, err = r.attempt(name+", feeds missing", "poorer")
		}
	}
	if err = errors.Join(err, <-compared); err != nil {
		return nil, err
	}
	if variants {
		if _, err := r.simulate(name+", simulate with noise", append(r.size(seed), "--noise", strconv.FormatFloat(r.plan.Noise, 'g', -1, 64))...); err != nil {
			return nil, err
		}
		if s.Noisy, err = r.attempt(name+", noise", "context"); err != nil {
			return nil, err
		}
	}
	return s, r.clear("hospital", "compare")
}

// withoutFeeds makes the context that `simulate --missing` would write beside the same log: the hospital and its people stay the same.
func (r *rounds) withoutFeeds() error {
	files, err := os.ReadDir(r.path("hospital", "context"))
	if err != nil {
		return err
	}
	if err := os.Mkdir(r.path("hospital", "poorer"), 0o755); err != nil {
		return err
	}
	left := slices.Clone(r.plan.Missing)
	for _, f := range files {
		feed := strings.TrimSuffix(strings.TrimSuffix(f.Name(), ".ndjson"), ".csv")
		if i := slices.Index(left, feed); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		if err := os.Link(r.path("hospital", "context", f.Name()), r.path("hospital", "poorer", f.Name())); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("the hospital has no feed %s that could be missing: name resource types, roster, leavers or devices by --missing", strings.Join(left, ", "))
	}
	return nil
}

// quiet plays days without an attack, in a smaller hospital, because the log of so many days is long.
func (r *rounds) quiet() (*attempt, error) {
	const warm = 28
	if _, err := r.simulate("no attacks, simulate", "--seed", strconv.FormatUint(r.plan.Seeds[0], 10), "--staff", strconv.Itoa(r.plan.QuietStaff), "--patients", strconv.Itoa(50*r.plan.QuietStaff),
		"--days", strconv.Itoa(warm+r.plan.QuietDays), "--attacks", "none"); err != nil {
		return nil, err
	}
	a, err := r.attempt("no attacks", "context")
	if err != nil {
		return nil, err
	}
	return a, r.clear("hospital")
}

// attempt has the detector judge the hospital by one of its contexts, and scores it.
func (r *rounds) attempt(what, context string) (*attempt, error) {
	a, err := r.replay(what, context)
	if err != nil {
		return nil, err
	}
	return a, r.judge(what, a)
}

// replay has the detector judge the hospital into the directory found.
func (r *rounds) replay(what, context string) (*attempt, error) {
	others := newMeter()
	_, state, err := r.run(what+", replay", "replay", "--context", r.path("hospital", context), "--log", r.path("hospital", "log.ndjson"), "--out", r.path("found"))
	if err != nil {
		return nil, err
	}
	a := &attempt{Others: others.cores(state), CPU: (state.UserTime() + state.SystemTime()).Seconds()}
	text, err := os.ReadFile(r.path("found", "report.json"))
	if err != nil {
		return nil, err
	}
	return a, json.Unmarshal(text, &a.Replay)
}

// judge scores what was found, and removes it.
func (r *rounds) judge(what string, a *attempt) (err error) {
	if a.Score, err = r.score(what+", score", "--cases", r.path("found", "cases.ndjson"), "--verdicts", r.path("found", "verdicts.ndjson")); err != nil {
		return err
	}
	return r.clear("found")
}

// compare runs and scores the baselines.
func (r *rounds) compare(name string, to map[string]*score.Result) error {
	if _, _, err := r.run(name+", baselines", "simulate", "--baseline", "all", "--context", r.path("hospital", "context"), "--log", r.path("hospital", "log.ndjson"), "--out", r.path("compare")); err != nil {
		return err
	}
	for _, b := range baseline.Names() {
		var err error
		if to[b], err = r.score(name+", score "+b, "--cases", r.path("compare", b, "cases.ndjson")); err != nil {
			return err
		}
	}
	return nil
}

func (r *rounds) score(what string, args ...string) (*score.Result, error) {
	out, _, err := r.run(what, append([]string{"score", "--json", "--labels", r.path("hospital", "labels.ndjson"), "--context", r.path("hospital", "context")}, args...)...)
	if err != nil {
		return nil, err
	}
	s := &score.Result{}
	return s, json.Unmarshal(out, s)
}
