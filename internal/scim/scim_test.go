package scim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/staffing"
)

// directory is a directory with its token, and the house that it keeps.
type directory struct {
	*servertest.Server
	t     *testing.T
	token string
	owner identity.Credentials
}

var shell = audit.Agent{Job: "test"}

func connect(t *testing.T) *directory {
	t.Helper()
	d := &directory{Server: servertest.Start(t), t: t}
	owner := d.Person(t, "Ada Admin", "administrator", "")
	d.owner = owner.Person
	d.token = d.register("entra")
	return d
}

func (d *directory) register(id string) string {
	d.t.Helper()
	if _, _, err := d.Persons.RegisterClient(d.t.Context(), shell, identity.NewClient{ID: id, Name: "Directory", Owner: d.owner.Person, Scope: "scim"}); err != nil {
		d.t.Fatal(err)
	}
	token, _, err := d.Persons.ProvisioningToken(d.t.Context(), shell, id)
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

func (d *directory) mapped(group, role string) {
	d.t.Helper()
	if _, err := d.Persons.MapGroup(d.t.Context(), shell, "entra", group, role, false); err != nil {
		d.t.Fatal(err)
	}
}

// do asks and wants a status; in SCIM's form always.
func (d *directory) do(want int, method, path, body string) map[string]any {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.URL+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/scim+json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer a.Body.Close()
	text, _ := io.ReadAll(a.Body)
	if a.StatusCode != want {
		d.t.Fatalf("%s %s %s: %d, want %d: %s", method, path, body, a.StatusCode, want, text)
	}
	if len(text) == 0 {
		return nil
	}
	var out map[string]any
	if a.Header.Get("Content-Type") != "application/scim+json" || json.Unmarshal(text, &out) != nil {
		d.t.Fatalf("no SCIM: %s %s", a.Header.Get("Content-Type"), text)
	}
	if want >= 400 && (out["status"] != fmt.Sprint(want) || out["schemas"].([]any)[0] != "urn:ietf:params:scim:api:messages:2.0:Error") {
		d.t.Errorf("an error of another form: %s", text)
	}
	return out
}

func (d *directory) hire(login, external string) string {
	d.t.Helper()
	out := d.do(201, "POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":%q,
		"name":{"givenName":"Anna","familyName":"Lindqvist"},"emails":[{"value":%q,"type":"work","primary":true}],"active":true,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"4 East"}}`, login, external, login))
	return out["id"].(string)
}

func (d *directory) person(id string) identity.Person {
	d.t.Helper()
	p, err := d.Persons.Person(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// find gives the ids that a filter finds.
func (d *directory) find(what, filter string) (ids []string) {
	d.t.Helper()
	out := d.do(200, "GET", what+"?filter="+url.QueryEscape(filter), "")
	for _, r := range out["Resources"].([]any) {
		ids = append(ids, r.(map[string]any)["id"].(string))
	}
	if int(out["totalResults"].(float64)) != len(ids) {
		d.t.Errorf("%v", out)
	}
	return ids
}

func TestPeopleComeByTheDirectory(t *testing.T) {
	d := connect(t)
	id := d.hire("Anna.Lindqvist@hospital.example", "e-1")
	p := d.person(id)
	if p.Name != "Anna Lindqvist" || p.SignInName != "anna.lindqvist" || p.Department != "4 East" || len(p.Roles) != 0 || !p.Active || p.Mail != "Anna.Lindqvist@hospital.example" {
		t.Fatalf("%+v", p)
	}
	if out := d.do(409, "POST", "/Users", `{"userName":"other@x.example","externalId":"e-1"}`); out["scimType"] != "uniqueness" {
		t.Error(out)
	}
	_, err := d.Persons.CreateForTest(t.Context(), shell, identity.NewPerson{Name: "Tom Clerk", SignInName: "tom.clerk", Mail: "tom@hospital.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"userName":"tom.clerk@hospital.example","externalId":"e-2"}`, `{"userName":"t2","externalId":"e-3","emails":["tom@hospital.example"]}`} {
		d.do(409, "POST", "/Users", body)
	}
	if _, err := d.Persons.CreateForTest(t.Context(), shell, identity.NewPerson{Name: "Maren Okafor", SignInName: "maren", Mail: "maren@home.example", Roles: []string{identity.Patient}, Patient: "Patient/p1"}); err != nil {
		t.Fatal(err)
	}
	maren := d.do(201, "POST", "/Users", `{"userName":"maren@hospital.example","externalId":"e-8","emails":[{"value":"maren@home.example"}]}`)["id"].(string)
	if p := d.person(maren); p.SignInName != "maren02" { // that somebody is a patient here is not told
		t.Error(p.SignInName)
	}
	d.do(204, "DELETE", "/Users/"+maren, "")
	for _, bad := range []string{``, `[]`, `{`, `null`, `{}`, `{"userName":""}`, `{"userName":7}`, `{"userName":"x1","active":"perhaps"}`, `{"userName":"x2","emails":[{"value":"no address"}]}`} {
		d.do(400, "POST", "/Users", bad)
	}
	second := d.hire("bo.berg@hospital.example", "e-9")
	if got := d.find("/Users", ""); len(got) != 2 { // nobody whom the directory did not bring
		t.Error(got)
	}
	for filter, want := range map[string][]string{
		`userName eq "anna.lindqvist@HOSPITAL.example"`: {id}, `externalId eq "e-1"`: {id}, `externalId eq "E-1"`: nil, `userName sw "bo"`: {second},
		`emails co "hospital" and not (externalId eq "e-1")`: {second}, `emails[type eq "work" and value sw "anna"]`: {id}, `active eq true`: {id, second},
		`active eq "True" and (userName sw "x" or externalId ne "e-9")`: {id}, `title pr`: nil, `name.familyName eq "lindqvist"`: {id, second},
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "bo"`: {second}, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "4 east"`: {id, second},
		`title eq null`: {id, second}, `id eq "` + id + `"`: {id}, `emails.value ew "hospital.example" AND userName SW "bo"`: {second},
	} {
		got := d.find("/Users", filter)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s finds %v, want %v", filter, got, want)
		}
	}
	for _, bad := range []string{"userName", `userName eq`, `userName eq "`, `userName xx "a"`, `(userName eq "a"`, `userName eq "a" or`, `not userName eq "a"`, `active gt true`, `userName eq "a" b`, `emails[type eq "a"`, strings.Repeat("(", 100), `[]`} {
		if out := d.do(400, "GET", "/Users?filter="+url.QueryEscape(bad), ""); out["scimType"] != "invalidFilter" {
			t.Error(bad, out)
		}
	}
	page := d.do(200, "GET", "/Users?startIndex=2&count=1&attributes=userName", "")
	one := page["Resources"].([]any)[0].(map[string]any)
	if page["totalResults"] != 2.0 || page["itemsPerPage"] != 1.0 || one["userName"] != "bo.berg@hospital.example" || one["emails"] != nil {
		t.Error(page)
	}
	if page = d.do(200, "GET", "/Users?count=0", ""); page["totalResults"] != 2.0 || len(page["Resources"].([]any)) != 0 {
		t.Error(page)
	}
	d.do(404, "GET", "/Users/"+d.owner.Person, "") // an administrator whom the directory did not bring
	d.do(404, "DELETE", "/Users/"+d.owner.Person, "")
	d.do(404, "GET", "/Nothing", "")
	d.do(404, "POST", "/Bulk", "{}")
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group"} {
		d.do(200, "GET", path, "")
	}
	d.token = d.register("other") // another directory sees none of it
	if got := d.find("/Users", ""); len(got) != 0 {
		t.Error(got)
	}
	d.do(404, "GET", "/Users/"+id, "")
}

// What Entra and Okta really send.
// Whom a directory brought is no orphan to the HR file; whom a directory brought that is gone is.
func TestWhomTheDirectoryKnowsIsNoOrphan(t *testing.T) {
	d := connect(t)
	d.hire("anna@h.example", "e-1")
	orphans := func() (listed, planned int) {
		t.Helper()
		r, err := d.Staffing.Orphans(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		plan, err := d.Staffing.Plan(t.Context(), nil, nil, -1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range plan.Steps {
			if s.Does == staffing.Orphan {
				planned++
			}
		}
		return len(r.Orphans), planned
	}
	if listed, planned := orphans(); listed != 1 || planned != 1 { // the administrator
		t.Errorf("%d listed, %d in the plan", listed, planned)
	}
	if _, err := d.Persons.RevokeClient(t.Context(), shell, "entra", "moves"); err != nil {
		t.Fatal(err)
	}
	d.register("okta")
	if listed, planned := orphans(); listed != 0 || planned != 2 { // nothing is left to compare with but the file
		t.Errorf("%d listed, %d in the plan", listed, planned)
	}
}

func TestDialectsOfPatch(t *testing.T) {
	d := connect(t)
	id := d.hire("anna@hospital.example", "e-1")
	patch := func(operations string) map[string]any {
		t.Helper()
		return d.do(200, "PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":`+operations+`}`)
	}
	if out := patch(`[{"op":"Replace","path":"active","value":"False"}]`); out["active"] != false || d.person(id).State != identity.Suspended {
		t.Fatal(out)
	}
	if out := patch(`[{"op":"replace","value":{"active":true}}]`); out["active"] != true || !d.person(id).Active {
		t.Fatal(out)
	}
	patch(`[{"op":"Replace","path":"active","value":["false"]},{"op":"Replace","path":"displayName","value":"Anna L."}]`)
	patch(`[{"op":"Add","path":"active","value":"True"}]`)
	patch(`[{"op":"Replace","value":{"displayName":"Anna Berg","name.familyName":"Berg","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"5 West"}},
		{"op":"Add","path":"emails[type eq \"work\"].value","value":"anna.berg@hospital.example"},
		{"op":"add","path":"emails[type eq \"home\"].value","value":"anna@home.example"},
		{"op":"Replace","path":"title","value":["Nurse"]}]`)
	p := d.person(id)
	if p.Name != "Anna Berg" || p.Department != "5 West" || p.Mail != "anna.berg@hospital.example" {
		t.Errorf("%+v", p)
	}
	out := d.do(200, "GET", "/Users/"+id, "")
	if out["title"] != "Nurse" || len(out["emails"].([]any)) != 2 || out["name"].(map[string]any)["familyName"] != "Berg" || out["name"].(map[string]any)["givenName"] != "Anna" {
		t.Error(out)
	}
	out = patch(`[{"op":"Remove","path":"emails[type eq \"home\"]"},{"op":"remove","path":"title"}]`)
	if out["title"] != nil || len(out["emails"].([]any)) != 1 {
		t.Error(out)
	}
	for _, bad := range []string{`[]`, `[{"op":"move","path":"title"}]`, `[{"op":"remove"}]`, `[{"op":"add","value":"x"}]`, `[{"op":"add","path":"a..b","value":1}]`, `[7]`, `[{"op":"add","path":7}]`, `[{"op":"add","path":"emails[","value":1}]`} {
		d.do(400, "PATCH", "/Users/"+id, `{"Operations":`+bad+`}`)
	}
	d.do(200, "PUT", "/Users/"+id, `{"userName":"anna@hospital.example","externalId":"e-1","displayName":"Anna C.","active":true}`)
	if d.person(id).Name != "Anna C." {
		t.Error("PUT does not replace")
	}
}

// Groups give roles as this house mapped them, and take what they gave; nothing that came from elsewhere.
func TestGroupsGiveMappedRolesOnly(t *testing.T) {
	d := connect(t)
	d.mapped("Ward nurses", identity.Nurse)
	d.mapped("Ward nurses", identity.Auditor)
	d.mapped("Clerks", identity.Auditor)
	anna, bo := d.hire("anna@h.example", "e-1"), d.hire("bo@h.example", "e-2")
	roles := func(id string) string { return strings.Join(d.person(id).Roles, " ") }
	wants := func(id, want string) {
		t.Helper()
		if got := roles(id); got != want {
			t.Errorf("roles %q, want %q", got, want)
		}
	}
	d.do(201, "POST", "/Groups", `{"displayName":"administrator","members":[{"value":"`+anna+`"}]}`)
	wants(anna, "") // a name is no right
	nurses := d.do(201, "POST", "/Groups", `{"displayName":"Ward nurses","externalId":"g-1","members":[{"value":"`+anna+`"}]}`)["id"].(string)
	clerks := d.do(201, "POST", "/Groups", `{"displayName":"Clerks"}`)["id"].(string)
	wants(anna, "auditor nurse")
	operations := func(group, text string) map[string]any {
		t.Helper()
		return d.do(200, "PATCH", "/Groups/"+group, `{"Operations":`+text+`}`)
	}
	operations(clerks, `[{"op":"Add","path":"members","value":[{"value":"`+anna+`"},{"value":"`+bo+`"}]}]`)
	wants(bo, "auditor")
	operations(nurses, `[{"op":"Remove","path":"members[value eq \"`+anna+`\"]"}]`)
	wants(anna, "auditor") // of the other group
	operations(clerks, `[{"op":"Remove","path":"members","value":[{"value":"`+anna+`"}]}]`)
	wants(anna, "")
	wants(bo, "auditor")
	if _, _, err := d.Persons.Change(t.Context(), shell, bo, identity.Change{Roles: &[]string{}}); err != nil {
		t.Fatal(err)
	}
	d.do(200, "PUT", "/Groups/"+clerks, `{"displayName":"Clerks","members":[{"value":"`+bo+`"},{"value":"`+anna+`"}]}`) // as Okta does
	wants(bo, "")                                                                                                       // what was taken here does not come back
	wants(anna, "auditor")
	if _, _, err := d.Persons.Change(t.Context(), shell, anna, identity.Change{Roles: &[]string{identity.Auditor, identity.Nurse}}); err != nil {
		t.Fatal(err)
	}
	operations(nurses, `[{"op":"add","value":{"members":[{"value":"`+anna+`"}]}}]`)
	d.do(204, "DELETE", "/Groups/"+nurses, "")
	wants(anna, "auditor nurse") // nurse was hers before, from an administrator
	d.do(404, "GET", "/Groups/"+nurses, "")
	d.do(400, "POST", "/Groups", `{"displayName":"X","members":[{"value":"`+d.owner.Person+`"}]}`)
	d.do(400, "POST", "/Groups", `{"displayName":""}`)
	d.do(409, "POST", "/Groups", `{"displayName":"clerks"}`)
	if got := d.find("/Groups", `displayName eq "clerks"`); len(got) != 1 {
		t.Error(got)
	}
	if out := d.do(200, "GET", "/Groups/"+clerks+"?excludedAttributes=members", ""); out["members"] != nil {
		t.Error(out)
	}
	if out := d.do(200, "GET", "/Users/"+bo, ""); len(out["groups"].([]any)) != 1 {
		t.Error(out)
	}
}

// Leaving by the directory is the one termination; the last administrator stays.
func TestTheDirectoryShutsOutAtOnce(t *testing.T) {
	d := connect(t)
	d.mapped("Admins", identity.Administrator)
	anna := d.hire("anna@h.example", "e-1")
	admins := d.do(201, "POST", "/Groups", `{"displayName":"Admins","members":[{"value":"`+anna+`"}]}`)["id"].(string)
	if _, err := d.Staffing.End(t.Context(), shell, d.owner.Person, "left"); err != nil {
		t.Fatal(err)
	}
	for _, request := range [][3]string{{"PATCH", "/Users/" + anna, `{"Operations":[{"op":"replace","path":"active","value":false}]}`}, {"DELETE", "/Users/" + anna, ""},
		{"DELETE", "/Groups/" + admins, ""}, {"PUT", "/Groups/" + admins, `{"displayName":"Admins","members":[]}`}} {
		d.do(409, request[0], request[1], request[2])
	}
	if p := d.person(anna); !p.Active || len(p.Roles) != 1 {
		t.Fatalf("%+v", p)
	}
	bo := d.hire("bo@h.example", "e-2")
	from := identity.Arrival{Zone: "hospital"}
	opened, err := d.Persons.Enter(t.Context(), bo, "", from)
	if err != nil {
		t.Fatal(err)
	}
	gone := func() bool { _, err := d.Persons.Authenticate(t.Context(), opened.Token); return err != nil }
	d.do(200, "PATCH", "/Users/"+bo, `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	if !gone() {
		t.Error("a session goes on")
	}
	d.do(200, "PATCH", "/Users/"+bo, `{"Operations":[{"op":"Replace","path":"active","value":"True"}]}`)
	if !gone() {
		t.Error("a session comes back")
	}
	if opened, err = d.Persons.Enter(t.Context(), bo, "", from); err != nil {
		t.Fatal(err)
	}
	d.do(204, "DELETE", "/Users/"+bo, "")
	if !gone() || d.person(bo).State != identity.Ended {
		t.Error("deleted, and goes on")
	}
	if left, err := d.Staffing.Certificate(t.Context(), bo); err != nil || len(left.Sessions) != 1 {
		t.Errorf("%+v %v", left, err)
	}
	d.do(404, "GET", "/Users/"+bo, "")
	if again := d.hire("bo@h.example", "e-2"); again == bo || d.person(again).SignInName == d.person(bo).SignInName {
		t.Error("a rehire is no new person")
	}
	report, err := d.Verify(t.Context(), nil)
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("%v %+v", err, report.Faults)
	}
}

// A directory's token opens /scim and nothing else, and nothing else opens /scim. Each request is an entry.
func TestTheTokenOfADirectory(t *testing.T) {
	d := connect(t)
	old, good := d.token, ""
	d.hire("anna@h.example", "e-1")
	ask := func(token, path string) int {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", d.URL+path, nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		a, err := http.DefaultTransport.RoundTrip(r) // a redirect is an answer
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		return a.StatusCode
	}
	for _, path := range []string{"/fhir/Patient", "/fhir/Practitioner", "/admin/people", "/audit/receipt/x/1"} {
		if got := ask(old, path); got == http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
	admin := d.Person(t, "Eva Admin", "administrator", "")
	if got := admin.Get(t, "/scim/v2/Users").Status; got != http.StatusUnauthorized {
		t.Errorf("an administrator's session: %d", got)
	}
	if got := ask("", "/scim/v2/Users"); got != http.StatusUnauthorized {
		t.Errorf("nobody: %d", got)
	}
	good, _, err := d.Persons.ProvisioningToken(t.Context(), shell, "entra")
	if err != nil || ask(old, "/scim/v2/Users") != http.StatusUnauthorized || ask(good, "/scim/v2/Users") != http.StatusOK {
		t.Errorf("a new token: %v", err)
	}
	list, err := d.Log.OfAgent(t.Context(), audit.Agent{Client: "entra"}, audit.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, e := range list {
		if e.Event.Interaction == "provision" {
			said++
		}
	}
	if said != 2 {
		t.Errorf("%d entries of 2 requests", said)
	}
	if _, err := d.Persons.RevokeClient(t.Context(), shell, "entra", "moved"); err != nil || ask(good, "/scim/v2/Users") != http.StatusUnauthorized {
		t.Errorf("revoked: %v", err)
	}
}

// Whoever was deleted, or came back as a new person, is no member any more, and her groups go on.
func TestGroupsGoOnWithoutWhoLeft(t *testing.T) {
	d := connect(t)
	anna, bo, cy := d.hire("anna@h.example", "e-1"), d.hire("bo@h.example", "e-2"), d.hire("cy@h.example", "e-3")
	group := d.do(201, "POST", "/Groups", `{"displayName":"Clerks","members":[{"value":"`+anna+`"},{"value":"`+bo+`"}]}`)["id"].(string)
	rename := func(name string) {
		t.Helper()
		d.do(200, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"replace","path":"displayName","value":"`+name+`"}]}`)
	}
	members := func(want ...string) {
		t.Helper()
		g, err := d.Persons.Group(t.Context(), "entra", group)
		slices.Sort(want)
		if err != nil || !slices.Equal(g.Members, want) {
			t.Errorf("members %v, want %v: %v", g.Members, want, err)
		}
	}
	d.do(204, "DELETE", "/Users/"+anna, "")
	members(bo)
	rename("Clerks of the ward")
	if _, err := d.Staffing.End(t.Context(), shell, bo, "left"); err != nil {
		t.Fatal(err)
	}
	again := d.hire("bo@h.example", "e-2")
	members()
	d.do(200, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+again+`"},{"value":"`+cy+`"}]}]}`)
	members(again, cy)
	g, err := d.Persons.Group(t.Context(), "entra", group)
	if err != nil {
		t.Fatal(err)
	}
	g.Members = append(g.Members, anna) // as one who was deleted while the group was written
	if _, err := d.Persons.KeepGroup(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	rename("Clerks")
	members(again, cy)
	d.do(400, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+anna+`"}]}]}`)
}

// A directory lets in only whom it shut out itself. A faulty request lets nobody in, and shuts out whom it means to.
func TestTheDirectoryResumesWhomItSuspended(t *testing.T) {
	d := connect(t)
	anna := d.hire("anna@h.example", "e-1")
	put := func(want int, mail string, active bool) {
		t.Helper()
		d.do(want, "PUT", "/Users/"+anna, fmt.Sprintf(`{"userName":"anna@h.example","externalId":"e-1","displayName":"Anna L.","emails":[%q],"active":%t}`, mail, active))
	}
	state := func(want identity.State) {
		t.Helper()
		if p := d.person(anna); p.State != want {
			t.Errorf("she is %s, want %s", p.State, want)
		}
	}
	if err := d.Staffing.Suspend(t.Context(), shell, anna, "a case"); err != nil {
		t.Fatal(err)
	}
	put(409, "anna@h.example", true)
	state(identity.Suspended)
	if _, err := d.Staffing.Resume(t.Context(), shell, anna, "closed"); err != nil {
		t.Fatal(err)
	}
	put(400, "no address", false) // shut out all the same
	state(identity.Suspended)
	put(200, "anna@h.example", false)
	put(400, "no address", true)
	state(identity.Suspended)
	put(200, "anna@h.example", true)
	state(identity.Active)
	if err := d.Staffing.Suspend(t.Context(), shell, anna, "another case"); err != nil {
		t.Fatal(err)
	}
	put(409, "anna@h.example", true)
	state(identity.Suspended)
}

// What a group takes while somebody is suspended does not come back with her.
func TestRolesAreTakenFromWhoIsSuspended(t *testing.T) {
	d := connect(t)
	d.mapped("Clerks", identity.Auditor)
	d.mapped("Office", identity.Billing)
	anna := d.hire("anna@h.example", "e-1")
	clerks := d.do(201, "POST", "/Groups", `{"displayName":"Clerks","members":[{"value":"`+anna+`"}]}`)["id"].(string)
	if err := d.Staffing.Suspend(t.Context(), shell, anna, "a case"); err != nil {
		t.Fatal(err)
	}
	d.do(201, "POST", "/Groups", `{"displayName":"Office","members":[{"value":"`+anna+`"}]}`)
	d.do(200, "PUT", "/Groups/"+clerks, `{"displayName":"Clerks","members":[]}`)
	if p := d.person(anna); len(p.Roles) != 0 || p.State != identity.Suspended {
		t.Errorf("%v %s", p.Roles, p.State)
	}
}

// Whose a role is stands before it is given: what is broken off between the two writes does not leave it behind.
func TestARoleOfABrokenRequestGoesWithItsGroup(t *testing.T) {
	d := connect(t)
	d.mapped("Clerks", identity.Auditor)
	anna := d.hire("anna@h.example", "e-1")
	clerks := d.do(201, "POST", "/Groups", `{"displayName":"Clerks"}`)["id"].(string)
	a, err := d.Persons.Account(t.Context(), "entra", anna)
	if err != nil {
		t.Fatal(err)
	}
	a.Giving = []string{identity.Auditor}
	if err := d.Persons.KeepAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Persons.Change(t.Context(), shell, anna, identity.Change{Roles: &[]string{identity.Auditor}}); err != nil {
		t.Fatal(err)
	}
	// another group's request makes up for it
	d.do(200, "PUT", "/Groups/"+clerks, `{"displayName":"Clerks","members":[]}`)
	if p := d.person(anna); len(p.Roles) != 0 {
		t.Errorf("%v stay", p.Roles)
	}
}

// Requests side by side, as directories send them, leave no role behind when all of them were answered.
func TestGroupsSideBySide(t *testing.T) {
	d := connect(t)
	anna := d.hire("anna@h.example", "e-1")
	var groups []string
	for name, role := range map[string]string{"A": identity.Auditor, "B": identity.Billing, "C": identity.HR} {
		d.mapped(name, role)
		groups = append(groups, d.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q}`, name))["id"].(string))
	}
	for _, step := range []struct {
		op    string
		roles int
	}{{"add", 3}, {"remove", 0}, {"add", 3}, {"remove", 0}} {
		var all sync.WaitGroup
		for _, g := range groups {
			all.Go(func() {
				for range 20 {
					r, _ := http.NewRequestWithContext(t.Context(), "PATCH", d.URL+"/scim/v2/Groups/"+g, strings.NewReader(`{"Operations":[{"op":"`+step.op+`","path":"members","value":[{"value":"`+anna+`"}]}]}`))
					r.Header.Set("Authorization", "Bearer "+d.token)
					answer, err := http.DefaultClient.Do(r)
					if err != nil {
						t.Error(err)
						return
					}
					answer.Body.Close()
					if answer.StatusCode != 409 { // as a directory does, which tries again
						if answer.StatusCode != 200 {
							t.Errorf("%d", answer.StatusCode)
						}
						return
					}
				}
				t.Error("409 again and again")
			})
		}
		all.Wait()
		if p := d.person(anna); len(p.Roles) != step.roles {
			t.Errorf("%s: %v", step.op, p.Roles)
		}
	}
}

// A request that cannot be read is written down as well.
func TestABrokenRequestIsWrittenDown(t *testing.T) {
	d := connect(t)
	before := d.Log.State().Size
	d.do(400, "POST", "/Users", `{"userName":`)
	if now := d.Log.State().Size; now != before+2 { // that it came, and that it was refused
		t.Errorf("%d entries", now-before)
	}
}
