package web

import (
	"cmp"
	"fmt"
	"slices"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
)

// glassRates says how often each department needed the glass; nothing where nobody did.
func glassRates(rates []access.GlassRate) (facts []look.Fact) {
	if !slices.ContainsFunc(rates, func(r access.GlassRate) bool { return r.Glass > 0 }) {
		return nil
	}
	for _, r := range rates {
		f := look.Fact{Name: cmp.Or(r.Department, "Small departments together"), Value: fmt.Sprintf("%s in %s", look.Plural(int64(r.Glass), "opening", "openings"), look.Plural(int64(r.Charts), "chart", "charts"))}
		if r.Charts >= 100 { // of fewer a rate says nothing
			f.Value += fmt.Sprintf(" (%.1f in 1,000)", 1000*float64(r.Glass)/float64(r.Charts))
		}
		if r.Later > 0 {
			f.Value += ", " + look.Number(int64(r.Later)) + " explained since"
		}
		if r.More {
			f.Tone = look.Warn
			f.Value += "; more than elsewhere"
		}
		facts = append(facts, f)
	}
	return facts
}
