// Package baseline holds simple detectors to compare with: what is sold, and what is published. Each reads the files of a simulation (or of any hospital in the form of the
// contract) and writes the contract's cases, so that one scorer judges all.
//
//	err := baseline.Run(baseline.Options{Names: baseline.Names(), Context: dir, Log: log, Out: out})
//
// One pass reads the log day by day. At the end of a day each detector rates who was there; the highest fifth becomes cases, one a person and day. A detector uses what was known by then and
// nothing later. Severity is 1 and the posterior only orders: these detectors have none.
package baseline

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"chartwarden/internal/outcome"
)

// detector rates person-days: the higher, the more suspicious; nobody is rated who is not in the answer.
type detector interface {
	// rate looks at a finished day. It may learn from it for the days after.
	rate(d *day) []rating
}

// rating is a person's day. No events means all of the day.
type rating struct {
	agent  int32
	score  float64 // above 0
	events []string
	about  string
}

var detectors = []struct {
	name string
	make func(*house) detector
}{
	{"rules", func(h *house) detector { return &rules{house: h} }},
	{"rules-filtered", func(h *house) detector { return &rules{house: h, filter: true} }},
	{"unexplained", func(h *house) detector { return &unexplained{house: h} }},
	{"isolation-forest", func(h *house) detector { return &forest{house: h} }},
	{"community", func(h *house) detector { return &community{past: map[int32]*series{}} }},
}

// Names are all baselines.
func Names() (out []string) {
	for _, d := range detectors {
		out = append(out, d.name)
	}
	return out
}

// Options say what to run on what.
type Options struct {
	Names   []string // of baselines; "all" is all of them
	Context string   // directory of reference data
	Log     string   // file
	Out     string   // directory; each baseline gets NAME/cases.ndjson below it
}

// Run rates the whole log.
func Run(o Options) error {
	names := o.Names
	if slices.Contains(names, "all") {
		names = Names()
	}
	h, err := readHouse(o.Context)
	if err != nil {
		return err
	}
	var outs []*caseFile
	var running []detector
	for _, name := range names {
		i := slices.IndexFunc(detectors, func(d struct {
			name string
			make func(*house) detector
		}) bool {
			return d.name == name
		})
		if i < 0 {
			return outcome.New(outcome.Value, "there is no baseline "+name).At("--baseline")
		}
		f, err := newCaseFile(filepath.Join(o.Out, name))
		if err != nil {
			return err
		}
		defer f.file.Close()
		running, outs = append(running, detectors[i].make(h)), append(outs, f)
	}
	log, err := os.Open(o.Log)
	if err != nil {
		return outcome.Wrap("baseline: open", outcome.NotFound, "there is no readable log "+o.Log, err)
	}
	defer log.Close()
	err = h.days(log, func(d *day) error {
		for i, r := range running {
			if err := outs[i].put(h, d, r.rate(d)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, f := range outs {
		if e := f.to.Flush(); err == nil && e != nil {
			err = outcome.Wrap("baseline: write", outcome.NoStore, "the cases could not be written: is the disk full?", e)
		}
	}
	return err
}

type caseFile struct {
	file *os.File
	to   *bufio.Writer
	n    int
}

func newCaseFile(dir string) (*caseFile, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, outcome.Wrap("baseline: make the directory", outcome.NoStore, "the output directory cannot be made; choose another with --out", err)
	}
	f, err := os.Create(filepath.Join(dir, "cases.ndjson"))
	if err != nil {
		return nil, outcome.Wrap("baseline: write", outcome.NoStore, "the cases cannot be written to "+dir, err)
	}
	return &caseFile{file: f, to: bufio.NewWriter(f)}, nil
}

// put writes the highest ratings of a day as cases; two of a thousand people go to the queue.
func (f *caseFile) put(h *house, d *day, list []rating) error {
	slices.SortStableFunc(list, func(a, b rating) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(h.agents.names[a.agent], h.agents.names[b.agent]))
	})
	keep, queue := max(40, len(d.people)/5), len(d.people)*2/1000
	for i, r := range list[:min(keep, len(list))] {
		f.n++
		if r.events == nil {
			for _, a := range d.people[r.agent] {
				r.events = append(r.events, a.id)
			}
		}
		at := d.begin.Add(24*time.Hour - time.Second).Format(time.RFC3339)
		c := map[string]any{"case": fmt.Sprintf("b-%d", f.n), "revision": 1, "agent": h.agents.names[r.agent], "hypothesis": "unusual", "opened": at, "updated": at, "log_e": round(r.score),
			"posterior": round(r.score / (1 + r.score)), "severity": 1, "queue": map[bool]string{true: "review", false: "watch"}[i < queue], "events": r.events, "patients": []string{},
			"contributions": []any{map[string]any{"name": r.about, "nats": round(r.score)}}, "summary": r.about}
		line, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := f.to.Write(append(line, '\n')); err != nil {
			return outcome.Wrap("baseline: write", outcome.NoStore, "the cases could not be written: is the disk full?", err)
		}
	}
	return nil
}

// round makes printed scores the same on every machine.
func round(x float64) float64 { return float64(int64(x*1e6+.5)) / 1e6 }
