package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Single rows brought back as they once were, with their genuine tags: a verification names each by what the records and the log say
// happened since.
func TestRowsBroughtBackAreNamed(t *testing.T) {
	in := install(t)
	p := serve(t, in.dir)
	practitioner := resourcesIn(t, in.admin.at(p.url).want(t, http.StatusOK, "GET", "/fhir/Practitioner?family=Lindqvist", "").Body)[0].ref()
	visit := resourcesIn(t, in.clerk.at(p.url).want(t, http.StatusCreated, "POST", "/fhir/Encounter", encounter(in.patients[0], practitioner)).Body)[0]
	leaver := hired(t, in.dir, "Lea Ver", "physician")
	signIn(t, p.url, leaver)
	in.colleague.at(p.url).want(t, http.StatusOK, "GET", "/fhir/Patient/"+in.patients[0], "", "X-Break-Glass", "covering")
	tables := []string{"care_edge", "identity_person", "identity_session", "identity_credential", "access_grant"}
	var kept, back []string
	for _, table := range tables {
		kept = append(kept, "create table kept_"+table+" as select * from "+table)
		back = append(back, "insert or replace into "+table+" select * from kept_"+table, "drop table kept_"+table)
	}
	statements(t, in.dir, "records.db", kept...)
	ended := strings.Replace(strings.Replace(encounter(in.patients[0], practitioner), `"Encounter",`, `"Encounter","id":"`+visit.ID+`",`, 1), "in-progress", "entered-in-error", 1)
	in.physician.at(p.url).want(t, http.StatusOK, "PUT", "/fhir/"+visit.ref(), ended)
	must(t, "person", "terminate", leaver.Person, "--data", in.dir, "--reason", "left")
	in.colleague.at(p.url).want(t, http.StatusOK, "POST", "/chart/"+in.patients[0]+"/glass/end", "", "Content-Type", "application/x-www-form-urlencoded")
	p.stop(t)
	statements(t, in.dir, "records.db", back...)
	time.Sleep(1100 * time.Millisecond) // acts of the last second are not judged
	var named strings.Builder
	for _, f := range verify(t, in.dir) {
		named.WriteString(f.String() + "\n")
	}
	for _, table := range tables {
		if !strings.Contains(named.String(), table) {
			t.Errorf("a row of %s was brought back and is not named:\n%s", table, named.String())
		}
	}
}
