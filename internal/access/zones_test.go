package access_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// What happens in each zone, at each kind of device, with a fresh factor and an old one: how long an idle screen stays open, and what a chart
// asks. The guide shows the same table, and nothing else.
func TestZones(t *testing.T) {
	w := newWard(t)
	w.Stop()
	now := w.Now()
	zones := "hospital=10.0.0.0/8,hospital/desk=10.1.1.0/24@2m,vpn=10.8.0.0/16"
	clock := servertest.ClockAt(now)
	w.Server = servertest.OpenZoned(t, w.Dir, zones, clock)
	w.checkIn(t, w.anna, w.maren)
	w.put(t, `{"resourceType":"CareTeam","status":"active","subject":{"reference":"Patient/`+w.otto+`"},"participant":[{"member":{"reference":"`+w.anna+`"}}]}`)
	stranger := strings.TrimPrefix(w.put(t, `{"resourceType":"Patient","name":[{"family":"Strange"}]}`), "Patient/")
	made, err := w.Persons.CreateForTest(t.Context(), identityAgent, identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Physician}, Practitioner: w.anna, TrainingDue: now.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	says := func(err error) string {
		var o *outcome.Error
		switch {
		case err == nil:
			return "opens"
		case !errors.As(err, &o):
			t.Fatal(err)
		}
		words := map[outcome.Way]string{outcome.StepUp: "asks for a factor", outcome.KnownDevice: "wants a registered device, or the glass", outcome.BreakGlass: "the glass", outcome.StepUpThenGlass: "a factor, then the glass"}
		return words[o.Way]
	}
	row := func(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }
	var table []string
	table = append(table, row("zone", "device", "newest factor", "idle", "patient whom she sees now", "patient of her care team", "any other patient"), "|---|---|---|---|---|---|---|")
	for _, zone := range []string{"hospital", "hospital/desk", "vpn", "internet"} {
		for _, device := range []string{policy.Managed, policy.Unknown} {
			for _, age := range []time.Duration{0, 16 * time.Minute} {
				opened, err := w.Persons.Enter(t.Context(), made.Person, "", identity.Arrival{Zone: zone, Trust: device})
				if err != nil {
					t.Fatal(err)
				}
				who := access.Person(opened.Session)
				clock.Add(age)
				cells := []string{zone, device, "fresh", fmt.Sprintf("%.0f min", opened.Session.Idle.Minutes())}
				if age > 0 {
					cells[2] = "older than 15 min"
				}
				if device == policy.Managed {
					cells[1] = "managed or registered"
				}
				for _, patient := range []string{w.maren, w.otto, stranger} {
					_, err := w.Gate.Chart(t.Context(), who, patient, "Condition")
					cells = append(cells, says(err))
				}
				table = append(table, row(cells...))
			}
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "devices.md"))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| zone ") || len(told) > 0 && strings.HasPrefix(line, "|") {
			told = append(told, strings.TrimSpace(line))
		} else if len(told) > 0 {
			break
		}
	}
	if !slices.Equal(told, table) {
		t.Errorf("docs/guides/devices.md has another table; it is\n%s", strings.Join(table, "\n"))
	}
}
