package server_test

import (
	"net/http"
	"os"
	"path/filepath"
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
	keys := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(keys, []byte(`{"keys":[{"kty":"EC","x":"MU_eArE2QHRw1-yUfxoduVikyLVCvQH5iWhMRlzo7av7f7_PVKIopsof8-voEufT","y":"btuUb66K7kpuvvRWPhJ4Vsp4jtgr1dIpvfUMLaSi0SYjeHIQRWMPek9vw3Zd5xZE","crv":"P-384","kid":"k1","alg":"ES384"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "client", "add", "--data", in.dir, "--id", "lab-feed", "--name", "Lab feed", "--jwks", keys, "--scope", "system/Observation.rs", "--owner", leaver.Person)
	tables := map[string]string{"care_edge": "k.id=t.id", "identity_person": "k.number=t.number", "identity_session": "k.number=t.number",
		"identity_credential": "k.person=t.person and k.kind=t.kind", "access_grant": "k.id=t.id", "identity_client": "k.id=t.id"} // and what makes rows the same
	var kept, back []string
	for table, same := range tables {
		kept = append(kept, "create table kept_"+table+" as select * from "+table)
		columns := strings.Join(columnsOf(t, in.dir, table), ",")
		back = append(back, "update "+table+" as t set ("+columns+")=(select "+columns+" from kept_"+table+" k where "+same+") where exists (select 1 from kept_"+table+" k where "+same+")",
			"insert into "+table+" select * from kept_"+table+" k where not exists (select 1 from "+table+" t where "+same+")", "drop table kept_"+table)
	}
	statements(t, in.dir, "records.db", kept...)
	ended := strings.Replace(strings.Replace(encounter(in.patients[0], practitioner), `"Encounter",`, `"Encounter","id":"`+visit.ID+`",`, 1), "in-progress", "entered-in-error", 1)
	in.physician.at(p.url).want(t, http.StatusOK, "PUT", "/fhir/"+visit.ref(), ended)
	must(t, "person", "terminate", leaver.Person, "--data", in.dir, "--reason", "left")
	must(t, "client", "revoke", "lab-feed", "--data", in.dir, "--reason", "sold")
	in.colleague.at(p.url).want(t, http.StatusOK, "POST", "/chart/"+in.patients[0]+"/glass/end", "", "Content-Type", "application/x-www-form-urlencoded")
	p.stop(t)
	statements(t, in.dir, "records.db", back...)
	time.Sleep(1100 * time.Millisecond) // acts of the last second are not judged
	var named strings.Builder
	for _, f := range verify(t, in.dir) {
		named.WriteString(f.String() + "\n")
	}
	for table := range tables {
		if !strings.Contains(named.String(), table) {
			t.Errorf("a row of %s was brought back and is not named:\n%s", table, named.String())
		}
	}
}
