package smart_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// What bounds an app, and what ends it.

func TestScopesAreAnUpperBound(t *testing.T) {
	w := open(t)
	w.app("wide", "user/*.cruds patient/*.cruds launch/patient")
	b := w.bearer(w.launch(w.physician, "wide", "user/*.cruds", "").Access)
	w.wants("what the person may", b.get("/fhir/Condition/"+w.condition), http.StatusOK)
	for what, path := range map[string]string{"a stranger's condition": "/fhir/Condition/" + w.strangersCause, "a stranger's results": "/fhir/Observation?patient=" + w.stranger, "history": "/fhir/Condition/" + w.strangersCause + "/_history"} {
		if body := w.wants(what, b.get(path), http.StatusForbidden); strings.Contains(body, "break-glass") {
			t.Errorf("%s: the glass is offered to an app: %s", what, body)
		}
	}
	desk := w.bearer(w.launch(w.clerk, "wide", "user/*.cruds", "").Access)
	w.wants("the front desk's app and a diagnosis", desk.get("/fhir/Condition/"+w.condition), http.StatusForbidden)
	w.wants("the front desk's app and a patient", desk.get("/fhir/Patient/"+w.patient), http.StatusOK)
}

func TestEveryWayInIsBounded(t *testing.T) {
	w := open(t)
	w.app("narrow", "patient/Observation.crus?category="+categorySystem+"|laboratory patient/Patient.r launch/patient")
	b := w.bearer(w.launch(w.physician, "narrow", "patient/Observation.crus?category="+categorySystem+"|laboratory patient/Patient.r", w.patient).Access)
	withID := func(id, body string) string { return strings.Replace(body, "{", `{"id":"`+id+`",`, 1) }
	entry := func(method, url, body string) string {
		if body != "" {
			body = `"resource":` + body + `,`
		}
		return `{` + body + `"request":{"method":"` + method + `","url":"` + url + `"}}`
	}
	bundle := func(kind string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	lab, vital := observation(w.patient, "laboratory", "718-7"), observation(w.patient, "vital-signs", "29463-7")
	w.wants("create within", b.do("POST", "/fhir/Observation", lab), http.StatusCreated)
	w.wants("create beyond", b.do("POST", "/fhir/Observation", vital), http.StatusForbidden)
	w.wants("create for another patient", b.do("POST", "/fhir/Observation", observation(w.stranger, "laboratory", "718-7")), http.StatusForbidden)
	w.wants("turn a vital sign into a result", b.do("PUT", "/fhir/Observation/"+w.vital, withID(w.vital, lab)), http.StatusForbidden)
	w.wants("turn a result into a vital sign", b.do("PUT", "/fhir/Observation/"+w.lab, withID(w.lab, vital)), http.StatusForbidden)
	w.wants("delete", b.do("DELETE", "/fhir/Observation/"+w.lab, ""), http.StatusForbidden)
	w.wants("transaction beyond", b.do("POST", "/fhir", bundle("transaction", entry("POST", "Observation", lab), entry("POST", "Observation", vital))), http.StatusForbidden)
	w.wants("transaction within", b.do("POST", "/fhir", bundle("transaction", entry("POST", "Observation", lab))), http.StatusOK)
	body := w.wants("batch", b.do("POST", "/fhir", bundle("batch", entry("GET", "Observation/"+w.lab, ""), entry("GET", "Observation/"+w.vital, ""), entry("GET", "Condition/"+w.condition, ""),
		entry("GET", "Observation?patient="+w.patient, ""), entry("POST", "Observation", vital), entry("DELETE", "Observation/"+w.lab, ""))), http.StatusOK)
	if got := strings.Count(body, `"status":"403"`); got != 5 || !strings.Contains(body, w.lab) || strings.Contains(body, "29463-7") {
		t.Errorf("%d of 5 refused: %s", got, body)
	}
	w.wants("patients by name", b.get("/fhir/Patient?name=Okafor"), http.StatusForbidden) // r without s
	w.wants("the patient", b.get("/fhir/Patient/"+w.patient), http.StatusOK)
	for _, path := range []string{"/fhir/Observation?patient=" + w.patient + "&category=laboratory&_include=Observation:subject", "/fhir/Observation?patient=" + w.patient + "&category=laboratory&_revinclude=Condition:encounter",
		"/fhir/Observation?patient=" + w.patient + "&category=laboratory&_sort=-date&_total=accurate", "/fhir/Patient/" + w.patient + "/$everything", "/fhir/Observation?category=laboratory"} {
		if body := b.get(path).Body; strings.Contains(body, "29463-7") || strings.Contains(body, "cough") || strings.Contains(body, w.strangersLab) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestABackendGetsWhatScopesAndPolicyBothAllow(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/*.cruds")
	_, got := w.assert(s, w.claims("lab-feed"), "system/*.cruds")
	b := w.bearer(got.Access)
	w.wants("any patient's result", b.get("/fhir/Observation/"+w.strangersLab), http.StatusOK)
	w.wants("create", b.do("POST", "/fhir/Observation", observation(w.stranger, "laboratory", "718-7")), http.StatusCreated)
	w.wants("staff", b.get("/fhir/Practitioner?name=lind"), http.StatusOK)
	if _, _, err := w.Persons.Change(t.Context(), testAgent, w.physician.Person.Person, identity.Change{Clearances: &[]string{"ETH"}}); err != nil {
		t.Fatal(err)
	}
	labelled := w.made(w.physician.Do(t, "POST", "/fhir/Condition", strings.Replace(condition(w.patient), "{", `{"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"ETH"}]},`, 1)))
	w.wants("what carries a label", b.get("/fhir/Condition/"+labelled), http.StatusForbidden)
	if body := w.wants("search beside a label", b.get("/fhir/Condition?patient="+w.patient), http.StatusOK); strings.Contains(body, labelled) || !strings.Contains(body, w.condition) {
		t.Error(body)
	}
	for _, header := range [][]string{{"X-Break-Glass", "emergency"}, nil} {
		if body := w.wants("the glass", b.get("/fhir/Condition/"+labelled, header...), http.StatusForbidden); strings.Contains(body, "break-glass") {
			t.Error(body)
		}
	}
}

func TestOnlyThisHousesAppsBreakTheGlass(t *testing.T) {
	w := open(t)
	w.app("theirs", "user/*.rs")
	w.register(identity.NewClient{ID: "ours", Scope: "user/*.rs", Redirects: []string{callback}, FirstParty: true})
	path := "/fhir/Condition/" + w.strangersCause
	theirs := w.bearer(w.launch(w.physician, "theirs", "user/*.rs", "").Access)
	if body := w.wants("a third-party app", theirs.get(path, "X-Break-Glass", "emergency"), http.StatusForbidden); strings.Contains(body, "break-glass") {
		t.Error(body)
	}
	w.wants("and the person, so nothing was broken", w.physician.Get(t, path), http.StatusForbidden)
	ours := w.bearer(w.launch(w.physician, "ours", "user/Condition.rs", "").Access)
	if body := w.wants("an app of the house, without a reason", ours.get(path), http.StatusForbidden); !strings.Contains(body, "break-glass-available") {
		t.Error(body)
	}
	w.wants("beyond its scopes, with a reason", ours.get("/fhir/Observation/"+w.strangersLab, "X-Break-Glass", "emergency"), http.StatusForbidden)
	w.wants("still shut to the person", w.physician.Get(t, path), http.StatusForbidden)
	w.wants("with a reason", ours.get(path, "X-Break-Glass", "emergency"), http.StatusOK)
	w.wants("a third-party app does not ride along", theirs.get(path), http.StatusForbidden)
}

func TestRevocationDiesAtOnce(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs offline_access")
	path := "/fhir/Patient/" + w.patient
	for name, kill := range map[string]func(tokens) error{
		"the token": func(got tokens) error {
			w.wants("revoke", w.form("/oauth/revoke", "token", got.Access, "client_id", "growth"), http.StatusOK)
			return nil
		},
		"the refresh token": func(got tokens) error {
			w.wants("revoke", w.form("/oauth/revoke", "token", got.Refresh), http.StatusOK)
			return nil
		},
		"the person's sessions": func(tokens) error {
			_, err := w.Persons.Kill(t.Context(), testAgent, w.clerk.Person.Person, "lost")
			return err
		},
	} {
		who := w.physician
		if name == "the person's sessions" {
			who = w.clerk
		}
		got := w.launch(who, "growth", "user/*.rs offline_access", "")
		b := w.bearer(got.Access)
		w.wants(name+": before", b.get(path), http.StatusOK)
		if err := kill(got); err != nil {
			t.Fatal(err)
		}
		a := b.get(path)
		if w.wants(name+": after", a, http.StatusUnauthorized); !strings.Contains(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %v", name, a.Header)
		}
		w.wants(name+": refresh", w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", got.Refresh), http.StatusBadRequest)
	}
	got := w.launch(w.physician, "growth", "user/*.rs", "")
	w.wants("revoked by a stranger's name", w.form("/oauth/revoke", "token", got.Access, "client_id", "other"), http.StatusUnauthorized)
	w.wants("the app: before", w.bearer(got.Access).get(path), http.StatusOK)
	if _, err := w.Persons.RevokeClient(t.Context(), testAgent, "growth", "sold"); err != nil {
		t.Fatal(err)
	}
	w.wants("the app: after", w.bearer(got.Access).get(path), http.StatusUnauthorized)
	w.wants("the app asks again", w.physician.Get(t, "/oauth/authorize?"+w.asking("growth", "user/*.rs").Encode()), http.StatusBadRequest)
}

func TestATokenIsForTheAPIAlone(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs")
	b := w.bearer(w.launch(w.physician, "growth", "user/*.rs", "").Access)
	for _, path := range []string{"/day", "/", "/activity", "/chart/" + w.patient, "/oauth/authorize?" + w.asking("growth", "user/*.rs").Encode(), "/audit/receipt/x/1"} {
		b.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if a := b.get(path); a.Status == http.StatusOK {
			t.Errorf("%s opens with an app's token", path)
		}
	}
	// with an Authorization header the cookie does not count, however good it is
	a := w.physician.Get(t, "/fhir/Condition/"+w.condition, "Authorization", "Bearer nonsense")
	w.wants("a good cookie beside a bad token", a, http.StatusUnauthorized)
	nobody := w.bearer("")
	w.wants("no token", nobody.c.Get(t, "/fhir/Condition/"+w.condition), http.StatusUnauthorized)
	for _, token := range []string{"cwa_", "cwa_" + strings.Repeat("A", 43), "cwr_" + strings.Repeat("A", 43), strings.Repeat("x", 9000)} {
		w.wants("made up", w.bearer(token).get("/fhir/Condition/"+w.condition), http.StatusUnauthorized)
	}
}

func TestEntriesNameTheApp(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs offline_access")
	s := es384(t, "k1")
	backend(w, s, "system/*.rs")
	got := w.launch(w.physician, "growth", "user/*.rs offline_access", "")
	w.wants("read", w.bearer(got.Access).get("/fhir/Condition/"+w.condition), http.StatusOK)
	_, own := w.assert(s, w.claims("lab-feed"), "system/*.rs")
	w.wants("read", w.bearer(own.Access).get("/fhir/Condition/"+w.condition), http.StatusOK)
	w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", got.Refresh)
	w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", got.Refresh)
	w.form("/oauth/token", "grant_type", "client_credentials", "client_id", "lab-feed")
	if _, err := w.Persons.RevokeClient(t.Context(), testAgent, "growth", "sold"); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"client-register": false, "authorize growth person": false, "token growth person": false, "read growth person": false, "token lab-feed": false, "read lab-feed": false,
		"token-refresh growth person": false, "token-reuse growth person": false, "token lab-feed failed": false, "client-revoke": false}
	reads, err := w.Log.Range(t.Context(), audit.Span{}, audit.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reads {
		e := r.Event
		line := strings.TrimSpace(e.Interaction + " " + e.Agent.Client)
		if e.Agent.Client != "" && e.Agent.Person != "" {
			line += " person"
		}
		if e.Outcome != 0 && e.Interaction == "token" {
			line += " failed"
		}
		if _, ok := want[line]; ok {
			want[line] = true
		}
	}
	for line, there := range want {
		if !there {
			t.Errorf("no entry %q", line)
		}
	}
}

func TestBrowserAppsOfOtherOrigins(t *testing.T) {
	w := open(t)
	w.app("growth", "user/*.rs launch/patient patient/*.rs")
	const theirs, evil = "http://localhost:9", "https://evil.example"
	got := w.launch(w.physician, "growth", "user/*.rs", "")
	b := w.bearer(got.Access)
	preflight := func(path, origin, method string) servertest.Answer {
		return b.c.Do(t, "OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization")
	}
	for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration", "/fhir/metadata", "/oauth/token", "/oauth/jwks"} {
		if a := preflight(path, evil, "POST"); a.Status != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: preflight %d %v", path, a.Status, a.Header)
		}
	}
	if a := b.c.Do(t, "POST", "/oauth/token", "grant_type=refresh_token", "Content-Type", "application/x-www-form-urlencoded", "Origin", evil, "Sec-Fetch-Site", "cross-site"); a.Status != http.StatusBadRequest || a.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("token: %d %v", a.Status, a.Header)
	}
	path := "/fhir/Condition/" + w.condition
	if a := preflight(path, theirs, "PUT"); a.Status != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != theirs || strings.Contains(strings.ToLower(a.Header.Get("Access-Control-Allow-Headers")), "x-break-glass") {
		t.Errorf("preflight of a registered app: %d %v", a.Status, a.Header)
	}
	if a := preflight(path, evil, "GET"); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a stranger: %v", a.Header)
	}
	a := b.get(path, "Origin", theirs, "Sec-Fetch-Site", "cross-site")
	exposed := strings.ToLower(a.Header.Get("Access-Control-Expose-Headers"))
	if w.wants("read", a, http.StatusOK); a.Header.Get("Access-Control-Allow-Origin") != theirs || a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("X-Audit-Entry") == "" ||
		strings.Contains(exposed, "x-audit-entry") || strings.Contains(exposed, "*") {
		t.Errorf("read by a registered app: %v", a.Header)
	}
	if a := w.physician.Get(t, path, "Origin", theirs); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a cookie's answer is shown to another origin")
	}
	if a := b.get(path, "Origin", evil); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a stranger's page reads an answer")
	}
	w.wants("another site's form with our cookie", w.physician.Do(t, "POST", "/fhir/Condition", condition(w.patient), "Origin", theirs, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	fields := []string{"decision", "approve"}
	for k, v := range w.asking("growth", "user/*.rs") {
		fields = append(fields, k, v[0])
	}
	form := w.form("/oauth/consent", fields...)
	if form.Status == http.StatusSeeOther && strings.Contains(form.Header.Get("Location"), "code=") {
		t.Error("consent without anybody signed in")
	}
	body := strings.Builder{}
	for i := 0; i < len(fields); i += 2 {
		body.WriteString(fields[i] + "=" + fields[i+1] + "&")
	}
	w.wants("consent sent by another site", w.physician.Do(t, "POST", "/oauth/consent", body.String(), "Content-Type", "application/x-www-form-urlencoded", "Origin", evil, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
}

// A person sees what apps may do for her and ends it; nobody else's is hers to see or to end.
func TestAPersonSeesAndEndsHerApps(t *testing.T) {
	w := open(t)
	w.app("growth", "user/Patient.rs patient/Observation.rs launch/patient offline_access")
	got := w.launch(w.physician, "growth", "patient/Observation.rs launch/patient offline_access", w.patient)
	b := w.bearer(got.Access)
	w.wants("before", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	page := w.wants("My apps", w.physician.Get(t, "/apps"), http.StatusOK)
	for _, want := range []string{"results and vital signs", "Not an app of this hospital", "Okafor", "End the access of"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	_, rest, _ := strings.Cut(page, `action="/apps/`)
	id, _, _ := strings.Cut(rest, "/end")
	if other := w.wants("the clerk's", w.clerk.Get(t, "/apps"), http.StatusOK); strings.Contains(other, id) || !strings.Contains(other, "No app acts for you") {
		t.Error("somebody sees another's apps")
	}
	w.wants("another's", w.clerk.Form(t, "/apps/"+id+"/end"), http.StatusNotFound)
	w.wants("still", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	w.wants("ended", w.physician.Form(t, "/apps/"+id+"/end"), http.StatusSeeOther)
	if page := w.wants("and told", w.physician.Get(t, "/apps"), http.StatusOK); !strings.Contains(page, "has no access of yours any more") || strings.Contains(page, id) {
		t.Error(page)
	}
	w.wants("after", b.get("/fhir/Observation/"+w.lab), http.StatusUnauthorized)
	w.wants("again", w.physician.Form(t, "/apps/"+id+"/end"), http.StatusNotFound)
}
