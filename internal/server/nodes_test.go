package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// strike says, as the importer would, that a visit was an error.
func strike(t testing.TB, s *servertest.Server, visit, patient string) {
	t.Helper()
	doc, err := document.Parse([]byte(`{"resourceType":"Encounter","id":"` + strings.TrimPrefix(visit, "Encounter/") + `","status":"entered-in-error","class":{"code":"IMP"},"subject":{"reference":"` + patient + `"}}`))
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: visit, Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
}

// soon waits for what another node did to be seen here.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begun := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("the other node never saw %s", what)
		}
	}
}

// at is the same signed-in client at another node, as behind a balancer.
func at(t testing.TB, from, to *servertest.Server, c *servertest.Client) *servertest.Client {
	t.Helper()
	other := &servertest.Client{Client: &http.Client{Jar: c.Jar, CheckRedirect: c.CheckRedirect}, Base: from.URL, Person: c.Person}
	to.Adopt(t, other, c.Jar, from.URL)
	return other
}

// Two nodes on one database: what one writes, ends or changes, the other serves or refuses within a second.
func TestTwoNodesFollowEachOther(t *testing.T) {
	a := servertest.StartAt(t, dbtest.Postgres(t))
	b := a.Node(t, "second")

	anna := stored(t, a.Gate, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	maren := stored(t, a.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14","gender":"female"}`)
	condition := stored(t, b.Gate, `{"resourceType":"Condition","subject":{"reference":"`+maren+`"},"code":{"text":"Asthma"}}`)
	onA := a.Person(t, "Anna Lindqvist", "physician", anna)
	onB := at(t, a, b, onA)

	if got := onB.Get(t, "/fhir/"+condition); got.Status != http.StatusForbidden {
		t.Fatalf("a stranger reads: %d", got.Status)
	}
	visit := stored(t, a.Gate, `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP","system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},
		"subject":{"reference":"`+maren+`"},"participant":[{"individual":{"reference":"`+anna+`"}}],"period":{"start":"`+a.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	soon(t, "a new relationship", func() bool { return onB.Get(t, "/fhir/"+condition).Status == http.StatusOK })
	soon(t, "what was written elsewhere", func() bool { return onB.Get(t, "/fhir/"+visit).Status == http.StatusOK })

	found := func(c *servertest.Client) int {
		var bundle struct{ Entry []json.RawMessage }
		got := c.Get(t, "/fhir/Condition?patient="+strings.TrimPrefix(maren, "Patient/"))
		if err := json.Unmarshal([]byte(got.Body), &bundle); err != nil || got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return len(bundle.Entry)
	}
	if n := found(onA); n != 1 {
		t.Errorf("%d conditions on the node that did not write them", n)
	}
	stored(t, b.Gate, `{"resourceType":"Condition","subject":{"reference":"`+maren+`"},"code":{"text":"Angina"}}`)
	soon(t, "that a kept search is out of date", func() bool { return found(onA) == 2 })

	entry := onB.Get(t, "/fhir/"+condition).Header.Get("X-Audit-Entry")
	other := onA.Get(t, "/fhir/"+condition).Header.Get("X-Audit-Entry")
	if origin := func(e string) string { o, _, _ := strings.Cut(e, "/0"); return o[:strings.LastIndex(o, "/")] }; origin(entry) == origin(other) {
		t.Errorf("two nodes write one log: %s, %s", entry, other)
	}

	reads := func() int { return onB.Get(t, "/fhir/"+condition).Status }
	for _, roles := range [][]string{{"front-desk"}, {"physician"}} {
		if _, _, err := a.Persons.Change(t.Context(), audit.Agent{Job: "test"}, onA.Person.Person, identity.Change{Roles: &roles}); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"front-desk": http.StatusForbidden, "physician": http.StatusOK}[roles[0]]
		soon(t, "a change of roles", func() bool { return reads() == want })
	}
	strike(t, a, visit, maren)
	soon(t, "that a relationship ended", func() bool { return reads() == http.StatusForbidden })

	if _, err := a.Persons.Terminate(t.Context(), audit.Agent{Job: "test"}, onA.Person.Person, "left"); err != nil {
		t.Fatal(err)
	}
	if got := onA.Get(t, "/fhir/"+condition); got.Status != http.StatusUnauthorized {
		t.Errorf("a terminated person reads on: %d", got.Status)
	}
	soon(t, "a termination", func() bool { return onB.Get(t, "/fhir/"+condition).Status == http.StatusUnauthorized })

	for _, s := range []*servertest.Server{a, b} {
		report, err := s.Verify(t.Context(), nil)
		if err != nil || len(report.Faults) > 0 {
			t.Errorf("%v %+v", err, report)
		}
	}
}
