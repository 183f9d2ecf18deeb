package score

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/internal/simulate"
)

// truth is what the labels say.
type truth struct {
	header    simulate.Header
	first     int // judged day
	begin     time.Time
	labels    []*mark
	of        map[string][]int // event to labels
	attackers map[string]bool
}

// mark is a label with its times.
type mark struct {
	simulate.Label
	start, end time.Time
}

// each hands every line of r to f; a fault names the line.
func each(r io.Reader, name string, f func(line []byte) error) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if e := f(line); e != nil {
				return outcome.Wrap("score: read", outcome.Invalid, fmt.Sprintf("line %d of the %s is not what the contract says; nothing was judged", n, name), e)
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return outcome.Wrap("score: read", outcome.NoStore, "the "+name+" cannot be read", err)
		}
	}
}

func readLabels(r io.Reader) (*truth, error) {
	t := &truth{of: map[string][]int{}, attackers: map[string]bool{}}
	head := true
	err := each(r, "labels", func(line []byte) (err error) {
		if head {
			head = false
			return json.Unmarshal(line, &t.header)
		}
		m := &mark{}
		if err = json.Unmarshal(line, &m.Label); err != nil {
			return err
		}
		if m.start, err = time.Parse(time.RFC3339, m.Start); err != nil {
			return err
		}
		if m.end, err = time.Parse(time.RFC3339, m.End); err != nil {
			return err
		}
		for _, e := range m.Events {
			t.of[e] = append(t.of[e], len(t.labels))
		}
		if m.Kind == "attack" {
			t.attackers[m.Agent] = true
			for _, a := range m.With {
				t.attackers[a] = true
			}
		}
		if len(m.Seconds) != len(m.Events) {
			return fmt.Errorf("every event needs its second")
		}
		t.labels = append(t.labels, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t.header.Benchmark != "chartwarden" || len(t.header.Days) == 0 {
		return nil, outcome.New(outcome.Invalid, "the labels have no header: give the labels.ndjson of a simulation").At("--labels")
	}
	if t.header.Version != simulate.Version {
		return nil, outcome.New(outcome.Value, fmt.Sprintf("the labels are of version %d of the benchmark, this program judges version %d", t.header.Version, simulate.Version)).At("--labels")
	}
	if t.begin, err = time.Parse(time.DateOnly, t.header.Days[0].Date); err != nil {
		return nil, outcome.Wrap("score: read", outcome.Invalid, "the header of the labels has a day that is none", err)
	}
	t.first = slices.IndexFunc(t.header.Days, func(d simulate.Day) bool { return d.Date == t.header.JudgedFrom })
	if t.first < 0 {
		return nil, outcome.New(outcome.Invalid, "the header of the labels does not say from when on to judge").At("--labels")
	}
	return t, nil
}

// day is the index of a day; what a detector finds after the end belongs to the last.
func (t *truth) day(at time.Time) int {
	return min(int(at.Sub(t.begin).Hours()/24), len(t.header.Days)-1)
}

// until counts the labelled entries up to a moment.
func (t *truth) until(a int, at time.Time) (n int) {
	l := t.labels[a]
	for _, s := range l.Seconds {
		if !l.start.Add(time.Duration(s) * time.Second).After(at) {
			n++
		}
	}
	return max(n, 1)
}

// history is a case with its revisions.
type history struct {
	agent     string
	revisions []revision
}

type revision struct {
	number    int
	score     float64
	posterior float64
	updated   time.Time
	queued    bool
	automatic bool
	attacks   map[int]struct{} // labels of which it names an entry
}

func (h *history) last() *revision { return &h.revisions[len(h.revisions)-1] }

func readCases(r io.Reader, t *truth) ([]*history, error) {
	by := map[string]*history{}
	var out []*history
	err := each(r, "cases", func(line []byte) error {
		var c struct {
			Case      string    `json:"case"`
			Revision  int       `json:"revision"`
			Agent     string    `json:"agent"`
			Updated   time.Time `json:"updated"`
			Posterior *float64  `json:"posterior"`
			Severity  *float64  `json:"severity"`
			Queue     string    `json:"queue"`
			Events    []string  `json:"events"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		switch {
		case c.Case == "" || c.Agent == "" || c.Updated.IsZero():
			return fmt.Errorf("case, agent and updated are needed")
		case c.Posterior == nil || c.Severity == nil || *c.Posterior < 0 || *c.Posterior > 1 || *c.Severity < 0 || *c.Severity > 1:
			return fmt.Errorf("posterior and severity lie between 0 and 1")
		case c.Queue != "automatic" && c.Queue != "review" && c.Queue != "watch":
			return fmt.Errorf("queue is automatic, review or watch")
		}
		h := by[c.Case]
		if h == nil {
			h = &history{agent: c.Agent}
			by[c.Case] = h
			out = append(out, h)
		}
		v := revision{c.Revision, *c.Severity * *c.Posterior, *c.Posterior, c.Updated, c.Queue != "watch", c.Queue == "automatic", nil}
		for _, e := range c.Events {
			for _, a := range t.of[e] {
				if v.attacks == nil {
					v.attacks = map[int]struct{}{}
				}
				v.attacks[a] = struct{}{}
			}
		}
		h.revisions = append(h.revisions, v)
		return nil
	})
	for _, h := range out {
		slices.SortStableFunc(h.revisions, func(a, b revision) int { return a.number - b.number })
	}
	return out, err
}

// readVerdicts gives the shares of innocent and of labelled accesses whose last verdict says explained; -1 where there are none.
func readVerdicts(r io.Reader, t *truth) (innocent, attacks float64, err error) {
	explained := map[uint64]int8{} // 1 when it is; 2 is added for an entry of an attack
	err = each(r, "verdicts", func(line []byte) error {
		var v struct {
			Event     string `json:"event"`
			Patient   string `json:"patient"`
			Explained bool   `json:"explained"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		var x int8
		if v.Explained {
			x = 1
		}
		if slices.ContainsFunc(t.of[v.Event], func(a int) bool { return t.labels[a].Kind == "attack" }) {
			x += 2
		}
		h := fnv.New64a()
		h.Write([]byte(v.Event + "\x00" + v.Patient)) // one event may be of several patients
		explained[h.Sum64()] = x                      // revisions come in order
		return nil
	})
	var n [4]int
	for _, x := range explained {
		n[x]++
	}
	share := func(yes, no int) float64 {
		if yes+no == 0 {
			return -1
		}
		return portion(yes, yes+no)
	}
	return share(n[1], n[0]), share(n[3], n[2]), err
}
