package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// BenchmarkNodes measures how long after an act on one node the other goes by it: from the moment that the act was acknowledged until
// the first answer that shows it, asked for without a pause, so that nothing is ever looked up just in time. `make nodes` runs it.
func BenchmarkNodes(b *testing.B) {
	a := servertest.StartAt(b, dbtest.Postgres(b))
	other := a.Node(b, "second")
	anna := stored(b, a.Gate, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	maren := stored(b, a.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`)
	condition := stored(b, a.Gate, `{"resourceType":"Condition","subject":{"reference":"`+maren+`"},"code":{"text":"Asthma"}}`)
	by := audit.Agent{Job: "test"}
	nth := 0
	person := func(role string) *servertest.Client { // signed in at a, asking at the other
		nth++
		return at(b, a, other, a.Person(b, fmt.Sprint("Anna ", nth), role, anna))
	}
	visit := func() string {
		return `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP","system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},
			"subject":{"reference":"` + maren + `"},"participant":[{"individual":{"reference":"` + anna + `"}}],"period":{"start":"` + a.Now().Add(-time.Hour).UTC().Format(time.RFC3339) + `"}}`
	}
	var open string // the visit, when there is one
	opened := func() {
		if open == "" {
			open = stored(b, a.Gate, visit())
		}
	}
	struck := func() {
		if open == "" {
			return
		}
		strike(b, a, open, maren)
		open = ""
	}
	for _, c := range []struct {
		name          string
		before, after int // status of a read at the other node
		prepare       func() *servertest.Client
		act           func(who *servertest.Client)
	}{
		{"session-revoked", http.StatusOK, http.StatusUnauthorized, func() *servertest.Client { opened(); return person("physician") }, func(who *servertest.Client) {
			if _, err := a.Persons.Kill(b.Context(), by, who.Person.Person, "lost phone"); err != nil {
				b.Fatal(err)
			}
		}},
		{"role-changed", http.StatusOK, http.StatusForbidden, func() *servertest.Client { opened(); return person("physician") }, func(who *servertest.Client) {
			if _, _, err := a.Persons.Change(b.Context(), by, who.Person.Person, identity.Change{Roles: &[]string{"front-desk"}}); err != nil {
				b.Fatal(err)
			}
		}},
		{"relationship-new", http.StatusForbidden, http.StatusOK, func() *servertest.Client { struck(); return person("physician") }, func(*servertest.Client) { opened() }},
		{"relationship-removed", http.StatusOK, http.StatusForbidden, func() *servertest.Client { opened(); return person("physician") }, func(*servertest.Client) { struck() }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for range b.N {
				who := c.prepare()
				for n := 0; n < 5; { // warm: what the node believes, it believes
					if got := who.Get(b, "/fhir/"+condition).Status; got == c.before {
						n++
					}
				}
				done := make(chan time.Time, 1)
				go func() {
					defer func() { done <- time.Now() }()
					c.act(who)
				}()
				var seen time.Time
				for seen.IsZero() && !b.Failed() {
					if got := who.Get(b, "/fhir/"+condition).Status; got == c.after {
						seen = time.Now()
					} else if got != c.before {
						b.Fatalf("%s: %d", c.name, got)
					}
				}
				took = append(took, max(0, seen.Sub(<-done)))
			}
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}
