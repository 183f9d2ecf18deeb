package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
)

// office is a stopped installation in which there is something to gain by SQL.
type office struct {
	installation
	own, stranger, struck, glassed string           // patients: of portal; one without a link to anybody; whose visit was an error; behind the glass
	number                         map[string]int64 // of patients
	person                         map[string]string
	leaver                         caller   // a physician whose access was ended
	gone                           caller   // a clerk who signed out
	portal                         caller   // reads the own chart and nothing else
	thief                          caller   // somebody with a token that no session has
	link                           string   // /enrol/..., unused
	codes                          []string // recovery codes of colleague; the first was used
	shared                         int64    // record about own and stranger, under own's key
}

// storedToken is how a session's token stands in its row, in SQL.
func storedToken(c caller) string {
	raw, err := base64.RawURLEncoding.DecodeString(c.token)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return "x'" + hex.EncodeToString(sum[:]) + "'"
}

var recoveryCode = regexp.MustCompile(`<code class="secret">([0-9a-z-]{19})</code>`)

var approvalPath = regexp.MustCompile(`/approvals/[a-z0-9]{8,}`)

var enrolPath = regexp.MustCompile(`/enrol/[A-Za-z0-9_-]+`)

// openOffice makes one, once for a test.
func openOffice(t testing.TB) *office {
	t.Helper()
	o := &office{thief: caller{token: strings.Repeat("A", 43)}, installation: install(t), number: map[string]int64{}, person: map[string]string{}}
	p := serve(t, o.dir)
	clerk, doctor := o.clerk.at(p.url), o.physician.at(p.url)
	practitioner := resourcesIn(t, o.admin.at(p.url).want(t, http.StatusOK, "GET", "/fhir/Practitioner?family=Lindqvist", "").Body)[0].ref()
	for id, family := range map[*string]string{&o.own: "Own", &o.stranger: "Strange", &o.struck: "Struck", &o.glassed: "Glass"} {
		*id = strings.ToLower(family)
		clerk.want(t, http.StatusCreated, "PUT", "/fhir/Patient/"+*id, `{"resourceType":"Patient","id":"`+*id+`","name":[{"family":"`+family+`"}]}`)
		o.number[*id] = value[int64](t, o.dir, "records.db", `select max(patient) from patient`)
	}
	visit := resourcesIn(t, clerk.want(t, http.StatusCreated, "POST", "/fhir/Encounter", encounter(o.struck, practitioner)).Body)[0]
	doctor.want(t, http.StatusOK, "PUT", "/fhir/"+visit.ref(), strings.Replace(strings.Replace(encounter(o.struck, practitioner),
		`"Encounter",`, `"Encounter","id":"`+visit.ID+`",`, 1), "in-progress", "entered-in-error", 1))
	shared := `{"resourceType":"Appointment","status":"proposed","participant":[{"status":"accepted","actor":{"reference":"Patient/own"}},{"status":"accepted","actor":{"reference":"Patient/strange"}}]}`
	clerk.want(t, http.StatusCreated, "POST", "/fhir/Appointment", shared)
	o.shared = value[int64](t, o.dir, "records.db", `select max(rec) from also`)
	doctor.want(t, http.StatusOK, "GET", "/fhir/Patient/"+o.glassed, "", "X-Break-Glass", "covering")

	portal := hired(t, o.dir, "Own Patient", "patient", "--patient", "Patient/own")
	o.portal = signIn(t, p.url, portal)
	leaver, gone := hired(t, o.dir, "Lea Ver", "physician"), hired(t, o.dir, "Gone Clerk", "front-desk")
	o.leaver, o.gone = signIn(t, p.url, leaver), signIn(t, p.url, gone)
	must(t, "person", "terminate", leaver.Person, "--data", o.dir, "--reason", "left")
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if time.Since(o.made) > 90*time.Second { // recovery codes ask for a factor of the last two minutes; the shared sign-in may be older by now
		o.colleague = signIn(t, p.url, o.secrets)
	}
	for _, m := range recoveryCode.FindAllStringSubmatch(o.colleague.at(p.url).want(t, http.StatusOK, "POST", "/my-sign-in/recovery", "", form...).Body, -1) {
		o.codes = append(o.codes, m[1])
	}
	o.gone.at(p.url).want(t, http.StatusOK, "POST", "/sign-out", "", "Content-Type", "application/x-www-form-urlencoded")
	invited := must(t, "person", "add", "--data", o.dir, "--name", "New Colleague", "--role", "physician")
	o.link = enrolPath.FindString(invited)
	o.person["leaver"], o.person["portal"], o.person["gone"], o.person["new"] = leaver.Person, portal.Person, gone.Person, strings.Fields(invited)[0]
	for name, who := range map[string]caller{"admin": o.admin, "clerk": o.clerk, "colleague": o.colleague, "physician": o.physician} {
		o.person[name] = value[string](t, o.dir, "records.db", `select id from identity_person where number=(select person from identity_session where token=`+storedToken(who)+`)`)
	}
	caller{}.at(p.url).want(t, http.StatusOK, "POST", "/recover", "person="+o.person["colleague"]+"&code="+o.codes[0], form...)
	doctor.want(t, http.StatusOK, "POST", "/training/promise", "sign=yes", form...)
	asked := approvalPath.FindString(doctor.want(t, http.StatusOK, "POST", "/downtime", "hours=1&reason=x", form...).Body)
	o.colleague.at(p.url).want(t, http.StatusOK, "POST", asked, "act=approve", form...)
	eventually(t, "the downtime", func() bool {
		return strings.Contains(doctor.want(t, http.StatusOK, "GET", "/downtime", "").Body, "End it now")
	})
	doctor.want(t, http.StatusOK, "POST", "/downtime/end", "", form...)
	must(t, "practice", "declare", "--data", o.dir, "--reason", "we are eight")
	must(t, "practice", "end", "--data", o.dir)
	for _, name := range []string{"Desk ER-02", "Desk ER-03"} {
		enrolMachine(t, o.dir, p.url, name)
	}
	p.stop(t)
	time.Sleep(1100 * time.Millisecond) // what was said within the last second is not held against the rows yet
	holds(t, o.dir)
	return o
}

var deviceCode = regexp.MustCompile(`/device/[A-Za-z0-9_-]{43}`)

// enrolMachine has this machine report as a device.
func enrolMachine(t testing.TB, dir, url, name string) {
	t.Helper()
	address := url + deviceCode.FindString(must(t, "device", "register", "--data", dir, "--name", name))
	must(t, "device", "enrol", "--file", filepath.Join(t.TempDir(), "device.json"), "--lock", "5m", address)
}

// forgery is one thing that somebody writes who has SQL and no key.
type forgery struct {
	name string
	sql  []string
	// gains is what it is for: it reports that the forger got it. Nil where there is nothing to gain but confusion.
	gains func(t testing.TB, url string) bool
	row   string // what a verification says, at least
}

func (o *office) forgeries(t testing.TB) []forgery {
	reads := func(who caller, path string) func(testing.TB, string) bool {
		return func(t testing.TB, url string) bool {
			answer, err := who.at(url).do("GET", path, "")
			if err != nil {
				t.Fatal(err)
			}
			return answer.Status == http.StatusOK
		}
	}
	numberOf := func(name string) string {
		return `(select number from identity_person where id='` + o.person[name] + `')`
	}
	except := func(table string, but ...string) string { // columns of a table, some of them replaced
		var names, values []string
		for _, c := range columnsOf(t, o.dir, table) {
			v := c
			for i := 0; i+1 < len(but); i += 2 {
				if but[i] == c {
					v = but[i+1]
				}
			}
			if v != "" {
				names, values = append(names, c), append(values, v)
			}
		}
		return `insert into ` + table + `(` + strings.Join(names, ",") + `) select ` + strings.Join(values, ",") + ` from ` + table
	}
	recovers := func(name string, code int) func(testing.TB, string) bool {
		return func(t testing.TB, url string) bool {
			answer, err := caller{}.at(url).do("POST", "/recover", "person="+o.person[name]+"&code="+o.codes[code], "Content-Type", "application/x-www-form-urlencoded")
			if err != nil {
				t.Fatal(err)
			}
			return answer.Status == http.StatusOK
		}
	}
	set := func(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
	physicianEdge := ` where kind=3 and patient>0 and closed=2305843009213693951 and patient<>` + fmt.Sprint(o.number[o.struck]) + ` limit 1`
	return []forgery{
		{"a relationship copied to another patient", set(`%s%s`, except("care_edge", "id", "", "patient", fmt.Sprint(o.number[o.stranger])), physicianEdge),
			reads(o.physician, "/fhir/Patient/strange"), "care_edge row"},
		{"a relationship that was closed is opened again", set(`update care_edge set closed=2305843009213693951 where kind=3 and patient=%d`, o.number[o.struck]),
			reads(o.physician, "/fhir/Patient/struck"), "care_edge row"},
		{"a relationship moved to another patient", set(`update care_edge set patient=%d where id=(select id from care_edge%s)`, o.number[o.stranger], physicianEdge),
			reads(o.physician, "/fhir/Patient/strange"), "care_edge row"},
		{"a grant copied to another person", set(`%s`, except("access_grant", "id", "", "person", `'`+o.person["colleague"]+`'`)),
			reads(o.colleague, "/fhir/Patient/glass"), "access_grant row"},
		{"a grant moved to another patient", set(`update access_grant set patient=%d`, o.number[o.stranger]), reads(o.physician, "/fhir/Patient/strange"), "access_grant row"},
		{"a signature of training made younger", set(`update training_done set at=at+1000000`), nil, "training_done row"},
		{"a downtime made longer", set(`update access_downtime set until=until+3600000000`), nil, "access_downtime row"},
		{"a downtime that was ended goes on", set(`update access_downtime set ended=null, ended_by=''`), nil, "access_downtime row"},
		{"a downtime by one person alone", set(`update access_downtime set agreed=asked`), nil, "access_downtime row"},
		{"a practice that was ended goes on", set(`update access_practice set ended=null, ended_by=''`), nil, "access_practice row"},
		{"a practice with another reviewer", set(`update access_practice set reviewer='%s'`, o.person["clerk"]), nil, "access_practice row"},
		{"a grant made longer", set(`update access_grant set until=until+1000000`), nil, "access_grant row"},
		{"somebody who left is active again", append(set(`update identity_person set state='active', epoch=epoch-1 where id='%s'`, o.person["leaver"]),
			`update identity_session set ended_at=0, ended_why='' where token=`+storedToken(o.leaver)), reads(o.leaver, "/fhir/Practitioner?_count=1"), "identity_person row"},
		{"a session that ended goes on", set(`update identity_session set ended_at=0, ended_why='' where token=%s`, storedToken(o.gone)), reads(o.gone, "/fhir/Patient?_count=1"), "identity_session row"},
		{"a session with a known token for somebody else", set(`%s where token=%s`, except("identity_session", "number", "", "token", storedToken(o.thief), "id", "'forged'"), storedToken(o.clerk)),
			reads(o.thief, "/fhir/Patient?_count=1"), "identity_session row"},
		{"a session handed to another person", set(`update identity_session set person=%s where token=%s`, numberOf("clerk"), storedToken(o.colleague)),
			reads(o.colleague, "/fhir/Patient/strange"), "identity_session row"},
		{"a session that never ends", set(`update identity_session set ends_at=ends_at+86400000000 where token=%s`, storedToken(o.clerk)), nil, "identity_session row"},
		{"a session with stronger proof", set(`update identity_session set auth2_at=auth2_at+60000000 where token=%s`, storedToken(o.clerk)), nil, "identity_session row"},
		{"another's roles", set(`update identity_person set sealed=(select sealed from identity_person where id='%s') where id='%s'`, o.person["clerk"], o.person["colleague"]),
			reads(o.colleague, "/fhir/Patient/strange"), "identity_person row"},
		{"an own password and authenticator for somebody else", []string{`delete from identity_credential where person=` + numberOf("admin"),
			`update identity_credential set person=` + numberOf("admin") + ` where person=` + numberOf("gone")}, nil, "identity_credential row"},
		{"an authenticator that seems older", set(`update identity_credential set enrolled_at=enrolled_at-86400000000 where person=%s`, numberOf("admin")), nil, "identity_credential row"},
		{"a passkey of the forger's own for somebody else", set(`insert into identity_passkey(id, person, credential, made_at, used_at, sealed, mac)
			select 'aaaaaaaaaaaaaaaa', person, x'01', enrolled_at, enrolled_at, sealed, mac from identity_credential where kind='totp' and person=%s`, numberOf("admin")), nil, "identity_passkey row"},
		{"a hospital account of the forger's own for somebody else", set(`insert into identity_link(id, person, subject, made_at, used_at, sealed, mac)
			select 'aaaaaaaaaaaaaaaa', person, x'01', enrolled_at, enrolled_at, sealed, mac from identity_credential where kind='totp' and person=%s`, numberOf("admin")), nil, "identity_link row"},
		{"whose word opened a session", set(`insert into identity_vouched(session, person, subject, sid, made_at, mac)
			select id, person, x'01', x'', created_at, mac from identity_session where token=%s`, storedToken(o.clerk)), nil, "identity_vouched row"},
		{"another device's machine speaks for one", set(`update identity_device_machine set point=x'04' where number=(select min(number) from identity_device_machine)`), nil, "identity_device_machine row"},
		{"another machine's report for a device", set(`update identity_device_posture set sealed=(select sealed from identity_device_posture order by number desc limit 1) where number=(select min(number) from identity_device_posture)`), nil, "identity_device_posture row"},
		{"a report that seems younger", set(`update identity_device_posture set came_at=came_at+60000000`), nil, "identity_device_posture row"},
		{"a device that is in service again", set(`update identity_device set changed_at=changed_at+1, state='registered'`), nil, "identity_device row"},
		{"a report without its machine", set(`delete from identity_device_machine`), nil, "identity_device_posture row"},
		{"recovery codes handed to another person", set(`update identity_recovery set person=%s`, numberOf("admin")), recovers("admin", 1), "identity_recovery row"},
		{"a recovery code that was used is good again", set(`update identity_recovery set used_at=0`), recovers("colleague", 0), "identity_recovery row"},
		{"an enrolment link handed to another person", set(`update identity_enrolment set person=%s where person=%s`, numberOf("admin"), numberOf("new")),
			func(t testing.TB, url string) bool {
				answer, err := caller{}.at(url).do("GET", o.link, "")
				if err != nil {
					t.Fatal(err)
				}
				return answer.Status == http.StatusOK && strings.Contains(answer.Body, "Ines Varga")
			}, "identity_enrolment row"},
		{"another's chart under the own name", set(`update alias set rec=%d where rec=%d`, o.number[o.struck], o.number[o.own]),
			func(t testing.TB, url string) bool {
				answer, err := o.portal.at(url).do("GET", "/fhir/Encounter?patient=own", "")
				if err != nil {
					t.Fatal(err)
				}
				return strings.Contains(answer.Body, "Patient/struck")
			}, "alias row"},
		{"a record's further patient taken away", []string{fmt.Sprintf(`delete from also where rec=%d`, o.shared), fmt.Sprintf(`update resource set shared=0 where rec=%d`, o.shared)},
			func(t testing.TB, url string) bool {
				answer, err := o.portal.at(url).do("GET", "/fhir/Appointment?patient=own", "")
				if err != nil {
					t.Fatal(err)
				}
				return strings.Contains(answer.Body, "Patient/strange")
			}, "resource row"},
		{"a record put into a further chart", set(`insert into also(patient, rec) values(%d, %d)`, o.number[o.struck], o.shared), nil, "also row"},
		{"a record's date", set(`update resource set at=coalesce(at,0)+1 where rec=%d`, o.shared), nil, "resource row"},
		{"when a record became known", set(`update resource set updated=updated-1 where rec=%d`, o.shared), nil, "resource row"},
		{"the commit of a record", set(`update resource set tx=tx-1 where rec=%d`, o.shared), nil, "resource row"},
		{"when a version was superseded", set(`update version set until=until+1`), nil, "version row"},
		{"when a commit was", set(`update tx set time=time-1 where tx=3`), nil, "tx row 3"},
		{"what a commit touched", set(`update tx set recs=x'01' where tx=3`), nil, "tx row 3"},
		{"a commit hidden", set(`delete from tx where tx=(select tx from resource where rec=%d)`, o.shared), nil, "tx row"},
		{"a patient hidden from the directory", set(`delete from patient where patient=%d`, o.number[o.own]), nil, "patient row"},
		{"a patient invented in the directory", set(`insert into patient(patient) values(%d)`, o.shared), nil, "patient row"},
		{"a name hidden", set(`delete from alias where rec=%d`, o.number[o.own]), nil, "alias row"},
		{"a relationship taken away", set(`delete from care_edge where id=(select id from care_edge%s)`, physicianEdge), nil, "care_edge"},
	}
}

// Somebody who writes SQL and holds no key gains nothing, neither before a start nor beside a running server, and a verification names
// the row.
func TestForgedRowsGiveNothing(t *testing.T) {
	base := openOffice(t)
	for _, f := range base.forgeries(t) {
		t.Run(f.name, func(t *testing.T) { base.try(t, "records.db", f) })
	}
}

// try writes a forgery into copies of the office, stopped and running, and looks whether it is gained and named.
func (o *office) try(t *testing.T, file string, f forgery) {
	dir := filepath.Join(t.TempDir(), "data")
	duplicate(t, dir, o.dir)
	statements(t, dir, file, f.sql...)
	named := func(x audit.Fault) bool { return strings.Contains(x.String(), f.row) }
	if faults := verify(t, dir); !slices.ContainsFunc(faults, named) {
		t.Errorf("%s is not named among %d faults: %.2000v", f.row, len(faults), faults)
	}
	if f.gains == nil {
		return
	}
	p := serve(t, dir)
	if f.gains(t, p.url) {
		t.Error("it was gained, written while the server was stopped")
	}
	p.stop(t)
	if testing.Short() {
		return
	}
	dir = filepath.Join(t.TempDir(), "data")
	duplicate(t, dir, o.dir)
	p = serve(t, dir)
	if f.gains(t, p.url) {
		t.Fatal("it is there without any forgery")
	}
	statements(t, dir, file, f.sql...)
	time.Sleep(1100 * time.Millisecond) // a session is believed for a second
	if f.gains(t, p.url) {
		t.Error("it was gained, written beside the running server")
	}
	if faults := verify(t, dir); !slices.ContainsFunc(faults, named) {
		t.Errorf("beside the running server %s is not named among %d faults: %.2000v", f.row, len(faults), faults)
	}
}
