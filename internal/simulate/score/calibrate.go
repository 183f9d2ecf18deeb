package score

import (
	"encoding/json"
	"io"
	"math"
)

// calibrate compares posteriors with what came true. A simulation holds far more attacks than a house; so each true case weighs as much as makes the sum of attacks what a
// house of this size would have in these days.
func (j *judge) calibrate() {
	r := j.result
	expected := quarterly * float64(j.truth.header.Staff) * float64(r.JudgedDays) / 90
	weight := expected / float64(max(r.All.Attacks, 1))
	var n [10]int
	var mass, posterior, hits, plainHits, plainPosterior [10]float64
	total, plain := 0.0, 0.0
	add := func(v *revision, match bool) {
		b := min(int(v.posterior*10), 9)
		wt := 1.0
		if match {
			wt = weight
			hits[b] += wt
			plainHits[b]++
		}
		n[b]++
		mass[b] += wt
		posterior[b] += wt * v.posterior
		plainPosterior[b] += v.posterior
		total += wt
		plain++
	}
	for i := range j.cases {
		if j.trueCase[i] {
			add(j.cases[i].last(), true)
		}
	}
	for _, c := range j.calm {
		add(c.of.last(), false)
	}
	r.Bins = make([]Bin, 10)
	for b := range n {
		if n[b] == 0 {
			continue
		}
		r.Bins[b] = Bin{n[b], posterior[b] / mass[b], hits[b] / mass[b]}
		r.ECE += math.Abs(posterior[b]-hits[b]) / total
		r.ECEAsIs += math.Abs(plainPosterior[b]-plainHits[b]) / plain
	}
}

// fairness counts the false queued cases and the people of each role.
func (j *judge) fairness(roles io.Reader) error {
	of := map[string]string{}
	err := each(roles, "roles", func(line []byte) error {
		var v struct {
			Practitioner struct{ Reference string }
			Code         []struct{ Text string }
		}
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		if len(v.Code) > 0 {
			of[v.Practitioner.Reference] = v.Code[0].Text
		}
		return nil
	})
	out := map[string]Rate{}
	for _, role := range of {
		x := out[role]
		x.People++
		out[role] = x
	}
	for _, c := range j.calm {
		if c.queued {
			role := of[c.of.agent]
			x := out[role]
			x.False++
			out[role] = x
		}
	}
	j.result.FalseByRole = out
	return err
}
