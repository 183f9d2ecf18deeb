package watch

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

// kept is how many events are remembered with what was said of them, and again as many of those that cases are made of: what is found at
// midnight is about the whole day, of which a large house has some hundred thousand.
const kept = 1 << 16

// recent remembers the events that were judged of late, by id.
type recent struct {
	mu   sync.Mutex
	of   map[string]*judged
	all  ring
	odd  ring
	size int // of each ring; kept when 0
}

// ring holds the newest ids.
type ring struct {
	order []string
	next  int
}

// push adds an id and gives the one that has no room any more.
func (r *ring) push(id string, size int) (old string) {
	if r.order == nil {
		r.order = make([]string, size)
	}
	old, r.order[r.next] = r.order[r.next], id
	r.next = (r.next + 1) % size
	return old
}

// judged is one event and the newest verdict on each of its patients.
type judged struct {
	spot     spot
	at       int64
	kind     detect.Kind
	patients []string
	verdicts []detect.Verdict
}

func (r *recent) add(at spot, e *detect.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[string]*judged{}
	}
	size := cmp.Or(r.size, kept)
	id := strings.Clone(e.ID)
	if old := r.all.push(id, size); old != "" {
		if j := r.of[old]; j != nil && j.odd() {
			old = r.odd.push(old, size)
		}
		delete(r.of, old)
	}
	j := &judged{spot: at, at: e.Time, kind: e.Kind}
	for _, p := range e.Patients[:min(len(e.Patients), 64)] {
		j.patients = append(j.patients, strings.Clone(p))
	}
	r.of[id] = j
}

// clear forgets everything, before the log is read again.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of, r.all, r.odd = nil, ring{}, ring{}
}

// odd reports whether a case may be made of an event: what is more than a look, or a look that is not explained or has another sign.
func (j *judged) odd() bool {
	return j.kind != detect.Read && j.kind != detect.Search ||
		slices.ContainsFunc(j.verdicts, func(v detect.Verdict) bool { return !v.Explained || len(v.Signals) > 0 })
}

// judge keeps what is said of an event; a later revision takes the place of the earlier.
func (r *recent) judge(v *detect.Verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j := r.of[v.Event]
	if j == nil {
		return
	}
	c := *v
	c.Event, c.Agent, c.Patient = strings.Clone(v.Event), strings.Clone(v.Agent), strings.Clone(v.Patient)
	c.Explanations, c.Signals = slices.Clone(v.Explanations), slices.Clone(v.Signals)
	if i := slices.IndexFunc(j.verdicts, func(x detect.Verdict) bool { return x.Patient == v.Patient }); i >= 0 {
		j.verdicts[i] = c
	} else if len(j.verdicts) < 64 {
		j.verdicts = append(j.verdicts, c)
	}
}

func (r *recent) verdicts(id string) []detect.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j := r.of[id]; j != nil {
		return slices.Clone(j.verdicts)
	}
	return nil
}

// describe gives the events of a found case as a case shows them; those that are not remembered are left out.
func (r *recent) describe(c *detect.Case) (out []casework.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range c.Events {
		j := r.of[id]
		if j == nil {
			continue
		}
		e := casework.Event{Entry: int64(j.spot.entry), Piece: j.spot.piece, Line: j.spot.line, ID: id, Time: time.Unix(j.at, 0).UTC(), Kind: word(j.kind)}
		for _, p := range j.patients {
			if slices.Contains(c.Patients, p) {
				e.Patient = p
				break
			}
		}
		for i := range j.verdicts {
			if v := &j.verdicts[i]; v.Patient == e.Patient || e.Patient == "" {
				e.Explained, e.Text = v.Explained, saying(v)
				break
			}
		}
		out = append(out, e)
	}
	return out
}

// explaining is what explains an access, and nothing else of a verdict: the person who made it reads this.
func explaining(v *detect.Verdict) string {
	var out []string
	for _, x := range v.Explanations {
		out = append(out, x.Text)
	}
	return strings.Join(out, "; ")
}

// saying is a verdict in a sentence or two, for the office.
func saying(v *detect.Verdict) string {
	var out []string
	if why := explaining(v); why != "" {
		out = append(out, why)
	} else {
		out = append(out, map[string]string{"pending": "no reason of care is known yet", "claimed": "a reason was given and nothing confirms it yet"}[v.State])
		if out[0] == "" {
			out[0] = "no reason of care is known"
		}
	}
	for _, x := range v.Signals {
		out = append(out, x.Text)
	}
	return strings.Join(out, "; ")
}

var words = map[detect.Kind]string{detect.Read: "read", detect.Search: "search", detect.Create: "create", detect.Update: "update", detect.Delete: "delete",
	detect.Export: "export", detect.Print: "print", detect.Operation: "operation", detect.Login: "sign-in", detect.Logout: "sign-out", detect.Glass: "glass"}

// word is what was done, as cases say it.
func word(k detect.Kind) string {
	if w, ok := words[k]; ok {
		return w
	}
	return "other"
}
