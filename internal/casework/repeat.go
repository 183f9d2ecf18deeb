package casework

import (
	"context"
	"slices"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/policy"
)

// Nights is how the messages of the night went.
type Nights struct {
	Spans []Span // 30 and 90 days
	Heard []Heard
	Entry string // of this reading
}

// Span is how they went over some days.
type Span struct {
	Days      int
	Messages  int            // sent in that time
	People    int            // to whom
	Explained int            // of the messages, all of which a later fact explains
	Answers   map[string]int // by what was answered
	Open      int            // neither answered nor explained
	First     int            // people whose first message within the year lies at least so many days back
	Again     int            // of these, those who got another within so many days
}

// Heard is one answer, without who it was.
type Heard struct {
	Alias    Who
	Answer   string
	Accesses int
	At       time.Time
}

// Nights reports how the messages of the night went: whether those who got one did it again within 30 and 90 days, beside how many
// messages a later fact explains. These are no offence and count for neither. The reading is an entry. Errors: as [Office.Cases].
func (f *Office) Nights(ctx context.Context, p access.Principal) (out Nights, err error) {
	if out.Entry, err = f.o.Gate.StepCase(ctx, p, policy.Cases, access.CaseStep{Step: "queue", Text: "the messages of the night"}); err != nil {
		return out, err
	}
	list, err := f.questions(ctx, f.d.Reader(), `about = 0`)
	if err != nil {
		return out, err
	}
	now, me := f.now(), staff(p)
	list = slices.DeleteFunc(list, func(q Question) bool { return now.Sub(q.Asked) > 365*24*time.Hour })
	for _, days := range []int{30, 90} {
		out.Spans = append(out.Spans, span(list, days, now))
	}
	for _, q := range list { // the newest first
		if (q.Answer == ShouldNot || q.Answer == NotMe) && q.Of != me.ID && len(out.Heard) < 20 {
			about, err := f.o.Persons.Person(ctx, q.Of)
			if err != nil {
				continue
			}
			out.Heard = append(out.Heard, Heard{f.who(ctx, &Case{Agent: about.Practitioner, Person: q.Of}, me), q.Answer, len(q.Accesses), q.Answered})
		}
	}
	return out, nil
}

func span(list []Question, days int, now time.Time) Span {
	s := Span{Days: days, Answers: map[string]int{}}
	long := time.Duration(days) * 24 * time.Hour
	people := map[string]bool{}
	first := map[string]time.Time{}
	for _, q := range slices.Backward(list) { // the oldest first
		if now.Sub(q.Asked) <= long {
			s.Messages++
			people[q.Of] = true
			switch {
			case !q.Cleared.IsZero():
				s.Explained++
			case q.Answer != "":
				s.Answers[q.Answer]++
			default:
				s.Open++
			}
		}
		if !q.Cleared.IsZero() {
			continue
		}
		at, known := first[q.Of]
		switch {
		case !known:
			first[q.Of] = q.Asked
			if now.Sub(q.Asked) >= long {
				s.First++
			}
		case at.IsZero(): // counted
		case now.Sub(at) >= long && q.Asked.Sub(at) <= long:
			s.Again++
			first[q.Of] = time.Time{}
		}
	}
	s.People = len(people)
	return s
}
