package web

import (
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
)

func TestGlassRatesInWords(t *testing.T) {
	got := glassRates([]access.GlassRate{{Department: "Surgery", Charts: 500, Glass: 20, Later: 15, More: true}, {Charts: 50, Glass: 1}})
	if len(got) != 2 || got[0].Value != "20 openings in 500 charts (40.0 in 1,000), 15 explained since; more than elsewhere" || got[0].Tone != look.Warn ||
		got[1].Name != "Small departments together" || got[1].Value != "1 opening in 50 charts" {
		t.Errorf("%+v", got)
	}
	if got := glassRates([]access.GlassRate{{Department: "Surgery", Charts: 500}}); got != nil {
		t.Errorf("%+v", got)
	}
}
