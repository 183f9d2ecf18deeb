package look

import "strings"

// VolumeOf counts things by day or hour. Part is the share of Count that the page is about: openings without a reason among all.
type VolumeOf struct {
	What     string // openings
	PartName string // without a reason; empty when there is no part
	Bars     []Bar
}

// Bar is one bucket; Label names it: Mon, or 08.
type Bar struct {
	Label       string
	Count, Part int
}

const volumeW, volumeH, volumeFoot = 560.0, 132.0, 112.0

type column struct {
	X, W, Top, PartTop float64
	Label              string
	LabelX             float64
	Alternate          bool // the label gives way where there is little room
	Count              string
}

func (v VolumeOf) draw() (columns []column, most int) {
	most = 1
	for _, b := range v.Bars {
		most = max(most, b.Count)
	}
	slot := volumeW / float64(max(len(v.Bars), 1))
	every := 1
	longest := 1
	for _, b := range v.Bars {
		longest = max(longest, len(b.Label))
	}
	for slot*float64(every) < 10+6.6*float64(longest) {
		every++
	}
	scale := (volumeFoot - 22) / float64(most)
	for i, b := range v.Bars {
		c := column{X: slot*float64(i) + slot*.14, W: slot * .72, Top: volumeFoot - scale*float64(b.Count), PartTop: volumeFoot - scale*float64(b.Part)}
		if b.Part > 0 {
			c.PartTop = min(c.PartTop, volumeFoot-2) // a single case must stay visible beside thousands
		}
		if i%every == 0 {
			half := 5 * float64(len(b.Label)) // the widest that words of a narrow drawing are
			c.Label, c.LabelX = b.Label, min(max(c.X+c.W/2, half), volumeW-half)
			c.Alternate = i/every%2 == 1
		}
		if slot >= 34 && b.Count > 0 {
			c.Count = Number(int64(b.Count))
		}
		columns = append(columns, c)
	}
	return columns, most
}

// Sentence says in words what the bars show.
func (v VolumeOf) Sentence() string {
	var all, part, most int
	var at string
	for _, b := range v.Bars {
		all, part = all+b.Count, part+b.Part
		if b.Count > most {
			most, at = b.Count, b.Label
		}
	}
	var s strings.Builder
	s.WriteString(Number(int64(all)) + " " + v.What)
	if v.PartName != "" {
		s.WriteString(", " + Number(int64(part)) + " " + v.PartName)
	}
	if most > 0 {
		s.WriteString(". Most: " + Number(int64(most)) + " at " + at)
	}
	return s.String() + "."
}

// share gives a part of a whole as a length of the given full length.
func share(part, whole, full float64) string {
	if whole <= 0 {
		return "0"
	}
	return coord(full * min(max(part/whole, 0), 1))
}
