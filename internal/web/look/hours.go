package look

import (
	"fmt"
	"strings"
)

// HoursOf shows at which hours of the week something is usually done, and at which it was done now. Weeks begin on Monday.
type HoursOf struct {
	Name  string      // Usually
	Usual [7][24]int  // how often
	Now   [7][24]bool // what the page is about
	Peers *[7][24]int // the same of others; nil: not known
	Of    string      // who the others are: "4 nurses of 3 West"
}

var weekdays = [7]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

const (
	hoursLeft, hoursCell, hoursRow = 34.0, 15.0, 17.0
	hoursWidth                     = hoursLeft + 24*hoursCell
	hoursMap                       = 18 + 7*hoursRow // one map with its heading
)

// hourMap is one of the two maps as it is drawn.
type hourMap struct {
	Top  float64
	Name string
	of   [7][24]int
	now  *[7][24]bool
}

func (h HoursOf) maps() []hourMap {
	out := []hourMap{{0, h.Name, h.Usual, &h.Now}}
	if h.Peers != nil {
		out = append(out, hourMap{hoursMap + 8, h.Of, *h.Peers, &h.Now})
	}
	return out
}

func (h HoursOf) height() float64 { return float64(len(h.maps()))*(hoursMap+8) + 12 }

// heat is the class of an hour, in five steps of the busiest one.
func (m hourMap) heat(day, hour int) string {
	most := 0
	for _, d := range m.of {
		for _, n := range d {
			most = max(most, n)
		}
	}
	n := m.of[day][hour]
	if n == 0 {
		return "q0"
	}
	return fmt.Sprintf("q%d", 1+min(3, 4*(n-1)/max(most, 1)))
}

// Sentence says in words what the maps show.
func (h HoursOf) Sentence() string {
	var now []string
	strange, held := 0, 0
	for d := range h.Now {
		for hour, yes := range h.Now[d] {
			if !yes {
				continue
			}
			held++
			if h.Usual[d][hour] == 0 {
				strange++
			}
			if len(now) < 6 {
				now = append(now, fmt.Sprintf("%s %02d:00", weekdays[d], hour))
			}
		}
	}
	text := h.Name + ": " + span(h.Usual) + "."
	if h.Peers != nil {
		text += " " + h.Of + ": " + span(*h.Peers) + "."
	}
	if held == 0 {
		return text
	}
	text += " Now: " + strings.Join(now, ", ")
	if held > len(now) {
		text += fmt.Sprintf(" and %d more hours", held-len(now))
	}
	switch {
	case total(h.Usual) == 0:
	case strange == held:
		text += ", never worked before"
	case strange > 0:
		text += fmt.Sprintf(", %d of them never worked before", strange)
	default:
		text += ", worked before as well"
	}
	return text + "."
}

func total(of [7][24]int) (n int) {
	for _, d := range of {
		for _, x := range d {
			n += x
		}
	}
	return n
}

// span is the middle nine tenths of the openings by hour of the day, on days that hold a twentieth of them or more.
func span(of [7][24]int) string {
	all := total(of)
	if all == 0 {
		return "nothing on record"
	}
	var byHour [24]int
	var days []string
	for d := range of {
		sum := 0
		for h, n := range of[d] {
			byHour[h] += n
			sum += n
		}
		if sum*20 >= all {
			days = append(days, weekdays[d])
		}
	}
	// The shortest stretch around the clock that holds nine tenths.
	from, length := 0, 24
	for start := range 24 {
		for n, sum := 1, 0; n <= 24; n++ {
			sum += byHour[(start+n-1)%24]
			if 10*sum >= 9*all {
				if n < length {
					from, length = start, n
				}
				break
			}
		}
	}
	when := "at all hours"
	if length < 20 {
		when = fmt.Sprintf("%02d:00 to %02d:00", from, (from+length)%24)
	}
	return daysOf(days) + ", mostly " + when
}

// daysOf writes days as a stretch where they are one.
func daysOf(days []string) string {
	all := strings.Join(weekdays[:], ", ")
	switch joined := strings.Join(days, ", "); {
	case joined == all:
		return "every day"
	case len(days) > 2 && strings.Contains(all, joined):
		return days[0] + " to " + days[len(days)-1]
	default:
		return joined
	}
}
