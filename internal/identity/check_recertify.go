package identity

import (
	"regexp"
	"strconv"

	"chartwarden/internal/audit"
)

var (
	recertificationIn = regexp.MustCompile(`^recertification ([a-z2-7]{16}) asks about ([0-9]+) holdings`)
	answerIn          = regexp.MustCompile(`holding ([a-z2-7]{16}) of recertification ([a-z2-7]{16}): (kept|taken|lapsed|moot) `)
)

// asking takes in what an entry says of a recertification.
func (c *Check) asking(r *audit.Read) {
	e := &r.Event
	if e.Interaction != didRecertify.interaction && e.Interaction != didChange.interaction {
		return
	}
	if m := recertificationIn.FindStringSubmatch(e.Text); m != nil {
		c.asked[m[1]] = deed{r.Index, r.Recorded, m[2], e.Text, e.Time}
	}
	if m := answerIn.FindStringSubmatch(e.Text); m != nil {
		c.answers[m[1]] = append(c.answers[m[1]], deed{r.Index, r.Recorded, m[3], e.Text, e.Time})
	}
}

// compareRecertifications holds what is asked about people against the log: none is missing or shorter than it was, what was answered stays so,
// and nothing was answered by no entry.
func (c *Check) compareRecertifications(rows *Rows) {
	here, holdings := map[string]bool{}, map[string]int{}
	for i := range rows.holdings {
		holdings[rows.holdings[i].recertification]++
	}
	for i := range rows.recertifications {
		x := &rows.recertifications[i]
		here[x.id] = true
		row := x.recertification()
		switch said, ok := c.asked[x.id]; {
		case !ok && !c.cut:
			c.fault(recertificationTable, x.number, "is a recertification that no entry starts")
		case ok && said.text != row.begins():
			c.fault(recertificationTable, x.number, "says other than its entry")
		}
		if n := holdings[x.id]; int64(n) != x.holdings {
			c.fault(recertificationTable, x.number, "asks about "+strconv.FormatInt(x.holdings, 10)+" holdings, of which "+strconv.Itoa(n)+" are here")
		}
	}
	for id, d := range c.asked {
		if !here[id] && !c.cut && !c.undone[d.at] && rows.at.Sub(d.when) > settled {
			c.fault(recertificationTable, 0, "lacks recertification "+id)
		}
	}
	for i := range rows.holdings {
		h := &rows.holdings[i]
		var last deed
		for _, d := range c.answers[h.id] {
			if !c.undone[d.at] && (last.when.IsZero() || d.when.After(last.when)) {
				last = d
			}
		}
		switch {
		case rows.at.Sub(last.when) < settled:
		case last.interaction == "" && h.answer != "" && !c.cut:
			c.fault(holdingTable, h.number, "was answered by no entry")
		case last.interaction != "" && h.answer != last.interaction:
			c.fault(holdingTable, h.number, "was answered otherwise, as the log says")
		}
	}
}
