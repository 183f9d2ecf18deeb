package access

import (
	"sync"
	"time"

	"chartwarden/internal/outcome"
)

// Pace of breaking the glass (decisions 19): at most one in ten seconds; from the fourth within an hour each asks for a fresh factor.
const (
	glassEvery      = 10 * time.Second
	glassFreeInHour = 3
	freshFactor     = 2 * time.Minute
)

// pace remembers each person's openings of the last hour. It is in memory: a restart forgets it, the review list does not.
type pace struct {
	mu   sync.Mutex
	past map[string][]time.Time
}

func newPace() *pace { return &pace{past: map[string][]time.Time{}} }

// admit counts an opening at now, or says what must come first: a few seconds, or a factor younger than [freshFactor] that opened no other.
func (p *pace) admit(person string, now time.Time, factorAge time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	hour := p.past[person][:0]
	for _, t := range p.past[person] {
		if now.Sub(t) < time.Hour {
			hour = append(hour, t)
		}
	}
	p.past[person] = hour
	if n := len(hour); n > 0 && now.Sub(hour[n-1]) < glassEvery {
		return outcome.New(outcome.Throttled, "you opened another closed chart a moment ago: wait ten seconds, then confirm again")
	}
	if n := len(hour); n >= glassFreeInHour && (factorAge > freshFactor || now.Add(-factorAge-time.Second).Before(hour[n-1])) { // one factor, one chart; its age is in whole seconds
		return outcome.New(outcome.Login, "this is the fourth closed chart within an hour: enter your code once more, then the chart opens").
			Because("glass.pace").Offering(outcome.StepUp)
	}
	p.past[person] = append(hour, now)
	return nil
}
