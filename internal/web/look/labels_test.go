package look

import (
	"testing"
	"time"
)

// Labels of a time axis never run into each other, whatever the span and wherever it begins.
func TestAxisLabelsKeepApart(t *testing.T) {
	to := time.Date(2026, 11, 22, 3, 42, 0, 0, time.UTC)
	for hours := 1; hours < 24*365*30; hours += 1 + hours/7 {
		for _, large := range []bool{false, true} {
			d := TrendOf{Name: "X", From: to.Add(-time.Duration(hours) * time.Hour), To: to, Large: large}.draw()
			free := 0.0
			for _, c := range d.Columns {
				begins := c.At
				switch c.Anchor {
				case "middle":
					begins -= labelWidth(c.Label) / 2
				case "end":
					begins -= labelWidth(c.Label)
				}
				if begins < free {
					t.Fatalf("%d hours: %q runs into the label before it", hours, c.Label)
				}
				free = begins + labelWidth(c.Label)
			}
		}
	}
}
