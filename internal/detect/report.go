package detect

import "time"

// Report counts what a log held. The twin figures belong together: how many real accesses are explained, and how many permuted ones
// would be; one alone can be had by a broad template.
type Report struct {
	Events     int              `json:"events"`
	OutOfOrder int              `json:"out_of_order"`
	Accesses   int              `json:"accesses"`
	Explained  int              `json:"explained"` // by the last revision
	Late       int              `json:"explained_late"`
	People     int              `json:"people"`
	Days       int              `json:"days"`
	Cases      int              `json:"cases"`
	Weights    int              `json:"weights_version"`
	Real       Share            `json:"real"`
	Permuted   Share            `json:"permuted"`
	Weeks      []Twin           `json:"weeks"`
	Roles      map[string]*Twin `json:"roles"`
}

// Share is a count out of a number.
type Share struct {
	N         int     `json:"n"`
	Explained int     `json:"explained"`
	Share     float64 `json:"share"`
}

// Twin is the two figures of a week or a role.
type Twin struct {
	Real     Share `json:"real"`
	Permuted Share `json:"permuted"`
}

func (s *Share) add(yes bool) {
	s.N++
	if yes {
		s.Explained++
	}
	s.Share = float64(s.Explained) / float64(s.N)
}

func (r *Report) count(v *Verdict) {
	r.Accesses++
	if v.Explained {
		r.Explained++
	}
}

func (r *Report) revised(v *Verdict) {
	if v.Explained {
		r.Explained++
		r.Late++
	}
}

func (r *Report) twin(roles names, role int32, week int, real, permuted bool) {
	r.Real.add(real)
	r.Permuted.add(permuted)
	for len(r.Weeks) <= week {
		r.Weeks = append(r.Weeks, Twin{})
	}
	r.Weeks[week].Real.add(real)
	r.Weeks[week].Permuted.add(permuted)
	if role >= 0 {
		if r.Roles == nil {
			r.Roles = map[string]*Twin{}
		}
		t := r.Roles[roles.text[role]]
		if t == nil {
			t = &Twin{}
			r.Roles[roles.text[role]] = t
		}
		t.Real.add(real)
		t.Permuted.add(permuted)
	}
}

func (r *Report) finish(e *Engine) {
	r.Cases = e.raised
	r.Weights = e.weights.version
}

func stamp(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.RFC3339) }
