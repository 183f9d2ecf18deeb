package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A database administrator is the administrator of the house too, a patient of it, and the friend of a physician. By the front door she
// reads no chart and gives herself no role; by SQL, as owner of every table, she gets nothing more, and `audit verify` names each row.
// (What else SQL could be for: TestForgedRowsGiveNothing, TestTamperingIsNamed, and governance.TestForgedRules for rules of her own.)
func TestDBA(t *testing.T) {
	o := openOffice(t)
	t.Run("by the front door", func(t *testing.T) {
		p := serve(t, o.dir)
		admin := o.admin.at(p.url)
		for _, path := range []string{"/fhir/Observation", "/fhir/Observation?patient=" + o.own, "/fhir/Observation/any", "/fhir/Encounter?patient=" + o.struck, "/fhir/Patient/" + o.own} {
			admin.want(t, http.StatusForbidden, "GET", path, "")
		}
		admin.want(t, http.StatusForbidden, "GET", "/fhir/Patient/"+o.own, "", "X-Break-Glass", "I keep the servers")
		answer := admin.want(t, http.StatusForbidden, "POST", "/admin/people/"+o.person["admin"]+"/roles", "role=administrator&role=physician", "Content-Type", "application/x-www-form-urlencoded")
		if !strings.Contains(answer.Body, "obody changes his own rights") {
			t.Errorf("she is not told why: %.300s", answer.Body)
		}
		p.stop(t)
		holds(t, o.dir)
	})
	number := func(name string) string {
		return `(select number from identity_person where id='` + o.person[name] + `')`
	}
	gets := func(who caller, path, what string) func(testing.TB, string) bool {
		return func(t testing.TB, url string) bool {
			answer, err := who.at(url).do("GET", path, "")
			if err != nil {
				t.Fatal(err)
			}
			return answer.Status == http.StatusOK && strings.Contains(answer.Body, what)
		}
	}
	const chart = ` where kind=3 and patient>0 and closed=2305843009213693951 and patient<>%d`
	last := value[int64](t, o.dir, "audit.db", `select max(at) from entry`)
	for _, act := range []struct {
		file string
		forgery
	}{
		{"records.db", forgery{"she copies a physician's roles to herself",
			[]string{`update identity_person set sealed=(select sealed from identity_person where id='` + o.person["physician"] + `') where id='` + o.person["admin"] + `'`},
			gets(o.admin, "/fhir/Patient/"+o.own, "Own"), "identity_person row"}},
		{"records.db", forgery{"she makes herself the physician of her own session",
			[]string{`update identity_session set person=` + number("physician") + ` where token=` + storedToken(o.admin)},
			gets(o.admin, "/fhir/Patient/"+o.own, "Own"), "identity_session row"}},
		{"records.db", forgery{"she takes the physician's session under her own token",
			[]string{`delete from identity_session where token=` + storedToken(o.admin), `update identity_session set token=` + storedToken(o.admin) + ` where token=` + storedToken(o.physician)},
			gets(o.admin, "/fhir/Patient/"+o.glassed, "Glass"), "identity_session row"}},
		{"records.db", forgery{"she edits a relation so that her friend treats a stranger",
			[]string{fmt.Sprintf(`update care_edge set patient=%d where id=(select id from care_edge`+chart+` limit 1)`, o.number[o.stranger], o.number[o.struck])},
			gets(o.physician, "/fhir/Patient/"+o.stranger, "Strange"), "care_edge row"}},
		{"records.db", forgery{"she says that somebody confirmed a relation",
			[]string{fmt.Sprintf(`update care_edge set confirmed=known+1, mine=0 where id=(select id from care_edge`+chart+` limit 1)`, o.number[o.struck])}, nil, "care_edge row"}},
		{"records.db", forgery{"she copies a sealed record over her own",
			[]string{fmt.Sprintf(`update resource set body=(select body from resource where rec=%d) where rec=%d`, o.number[o.stranger], o.number[o.own])},
			gets(o.portal, "/fhir/Patient/"+o.own, "Strange"), "Patient/" + o.own + " version 1"}},
		{"records.db", forgery{"she copies a sealed record with all that names it",
			[]string{fmt.Sprintf(`update resource set (vid, tx, at, updated, op, shared, body, further, mac)=(select vid, tx, at, updated, op, shared, body, further, mac from resource where rec=%d) where rec=%d`,
				o.number[o.stranger], o.number[o.own])}, gets(o.portal, "/fhir/Patient/"+o.own, "Strange"), "Patient/" + o.own + " version 1"}},
		{"records.db", forgery{"she moves another's visit into her own chart",
			[]string{fmt.Sprintf(`update resource set patient=%d where patient=%d and rec<>patient`, o.number[o.own], o.number[o.struck])},
			gets(o.portal, "/fhir/Encounter?patient="+o.own, "Patient/"+o.struck), "Encounter/"}},
		{"keys.db", forgery{"she copies another chart's key to her own",
			[]string{fmt.Sprintf(`update data_key set wrapped=(select wrapped from data_key where family='record' and owner=%d) where family='record' and owner=%d`, o.number[o.stranger], o.number[o.own])},
			gets(o.portal, "/fhir/Patient/"+o.own, "Strange"), "Patient/" + o.own + " version 1"}},
		{"audit.db", forgery{"she takes the last line out of the log", []string{fmt.Sprintf(`delete from entry where at=%d`, last)}, nil, fmt.Sprint(last)}},
	} {
		t.Run(act.name, func(t *testing.T) { o.try(t, act.file, act.forgery) })
	}
}
