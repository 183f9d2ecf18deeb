package casework

import (
	"context"
	"math"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
)

// Random audits stand in the queue like cases and are worked like them; nothing is suspected. What they find is what no case had said: so
// they measure what the rest misses.

// Lots is the secret by which acts are drawn at random in this installation: who does not hold its keys cannot tell what will be drawn.
func (s *Store) Lots() []byte {
	sum := s.box.PRF("random audits", nil)
	return sum[:]
}

// Audits is how random audits went over some time.
type Audits struct {
	Since   time.Time // first of the month; zero: the last twelve months
	Drawn   int       // cases that were opened
	Waiting int       // of these, not closed
	Decided int       // of these, closed with a finding: not as one that cannot be told
	Found   int       // of these, against the rules or a training issue
}

// Missed is the share of the decided that had something which no case had said, with the range in which the true share lies nineteen times
// in twenty (Wilson's). It counts audits, of which kinds of acts with more harm have somewhat more. Zero where none is decided.
func (a Audits) Missed() (share, low, high float64) {
	if a.Decided == 0 {
		return 0, 0, 0
	}
	const z = 1.96
	n := float64(a.Decided)
	p := float64(a.Found) / n
	mid, off, scale := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n)), 1+z*z/n
	return p, max(0, (mid-off)/scale), min(1, (mid+off)/scale)
}

// RandomAudits reports the random audits of the last twelve months, and of each of these months that had one, the newest first. Those about
// the officer's own acts are not among them. The reading is an entry. Errors: as [Office.Cases].
func (f *Office) RandomAudits(ctx context.Context, p access.Principal, zone *time.Location) (year Audits, months []Audits, entry string, err error) {
	entry, err = f.o.Gate.StepCase(ctx, p, policy.Cases, access.CaseStep{Step: "queue", Text: "what random audits found"})
	if err != nil {
		return year, nil, "", err
	}
	me, now := staff(p), f.now()
	open, err := f.Queue(ctx)
	if err != nil {
		return year, nil, "", err
	}
	done, err := f.closed(ctx, me, Filter{})
	if err != nil {
		return year, nil, "", err
	}
	for _, c := range slices.Concat(open, done) {
		if !c.Drawn() || aboutMe(&c, me) || now.Sub(c.Opened) > 366*24*time.Hour {
			continue
		}
		at := c.Opened.In(zone)
		first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
		i := slices.IndexFunc(months, func(m Audits) bool { return m.Since.Equal(first) })
		if i < 0 {
			i = len(months)
			months = append(months, Audits{Since: first})
		}
		months[i].count(&c)
		year.count(&c)
	}
	slices.SortFunc(months, func(a, b Audits) int { return b.Since.Compare(a.Since) })
	return year, months, entry, nil
}

func (a *Audits) count(c *Case) {
	a.Drawn++
	switch {
	case c.Open():
		a.Waiting++
	case c.Outcome == Unclear:
	default:
		if a.Decided++; c.Outcome != Justified {
			a.Found++
		}
	}
}
