package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

// Who treats a patient reads on her open page, at once, that a colleague gave a reason and opened the chart: who and why, and no patient. Under
// Colleagues the patient stands by name, which is an entry.
func TestTheTeamReadsOfTheGlass(t *testing.T) {
	o := newOffice(t)
	doctor := "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	anna := o.person("Anna Lindqvist", identity.NewPerson{Roles: []string{identity.Physician}, Practitioner: doctor})
	ben := o.person("Ben Osei", identity.NewPerson{Roles: []string{identity.Nurse}, Practitioner: "Practitioner/" + o.put(`{"resourceType":"Practitioner","name":[{"family":"Osei","given":["Ben"]}]}`)})
	o.put(`{"resourceType":"Encounter","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/` + o.maren + `"},"period":{"start":"` +
		o.clock.Now().Add(-time.Hour).Format(time.RFC3339) + `"},"participant":[{"individual":{"reference":"` + doctor + `"}}]}`)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); o.Gate.TellBroken(ctx, func(access.Broken) error { return nil }) }()
	defer func() { stop(); <-done }()
	hears := func(who *person) chan string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+"/events", nil)
		o.must(err)
		answer, err := who.browser.Do(r)
		o.must(err)
		lines := make(chan string, 100)
		go func() {
			defer answer.Body.Close()
			for in := bufio.NewScanner(answer.Body); in.Scan(); {
				lines <- in.Text()
			}
			close(lines)
		}()
		<-lines
		return lines
	}
	own, other := hears(anna), hears(ben)
	if a := ben.post("/glass", "patient", o.maren, "code", "emergency"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	for found := false; !found; {
		select {
		case line := <-own:
			if found = strings.HasPrefix(line, "data: ") && strings.Contains(line, "Ben Osei opened a chart of a patient of yours"); found && (strings.Contains(line, "Okafor") || strings.Contains(line, o.maren)) {
				t.Errorf("it names the patient: %s", line)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("she is not told")
		}
	}
	anna.page("/colleagues", "Opened with a reason at your patients", "Okafor", "Ben Osei", "emergency")
	o.hides(ben.page("/colleagues"), "Opened with a reason at your patients")
	for {
		select {
		case line := <-other:
			if strings.Contains(line, "notice") {
				t.Errorf("who broke the glass is told: %s", line)
			}
		default:
			return
		}
	}
}
