package server_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// The server fetches nothing because somebody who may write, read or sign in names an address: wherever one can stand, a listener that stands
// for the inside of the network is not called. (Addresses that the operator configures: TestAWebhookGoesNowhereElse of outlet,
// TestProviderLeadsNowhereElse of sso.)
func TestNobodySendsTheServerOut(t *testing.T) {
	b := besiege(t)
	var called atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Logf("called: %s %s", r.Method, r.URL.Path)
		called.Add(1)
	}))
	defer inside.Close()
	at := inside.URL
	about := `"subject":{"reference":"Patient/` + b.maren + `"}`
	for _, r := range []string{
		`{"resourceType":"DocumentReference","status":"current",` + about + `,"content":[{"attachment":{"contentType":"application/pdf","url":"` + at + `/attachment"}}]}`,
		`{"resourceType":"DocumentReference","status":"current",` + about + `,"content":[{"attachment":{"contentType":"application/pdf","url":"` + at + `/Binary/1"}}]}`,
		`{"resourceType":"DiagnosticReport","status":"final",` + about + `,"code":{"text":"x"},"presentedForm":[{"url":"` + at + `/form"}]}`,
		`{"resourceType":"Media","status":"completed",` + about + `,"content":{"url":"` + at + `/media"}}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},` + about + `,"hasMember":[{"reference":"` + at + `/fhir/Observation/1"}]}`,
		`{"resourceType":"Observation","meta":{"profile":["` + at + `/profile"]},"extension":[{"url":"` + at + `/extension","valueString":"x"}],"status":"final","code":{"text":"x","coding":[{"system":"` + at + `/system","code":"x"}]},` + about + `}`,
		`{"resourceType":"Subscription","status":"requested","reason":"x","criteria":"Observation","channel":{"type":"rest-hook","endpoint":"` + at + `/hook"}}`,
		`{"resourceType":"Endpoint","status":"active","connectionType":{"code":"hl7-fhir-rest"},"payloadType":[{"text":"x"}],"address":"` + at + `/endpoint"}`,
		`{"resourceType":"ValueSet","status":"active","url":"` + at + `/valueset","compose":{"include":[{"valueSet":["` + at + `/other"]}]}}`,
		`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"` + at + `/Observation/1","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},` + about + `},"request":{"method":"POST","url":"` + at + `/Observation"}}]}`,
	} {
		for _, c := range []*servertest.Client{b.victim, b.attackers["administrator"]} {
			c.Do(t, "POST", "/fhir/"+strings.TrimPrefix(typeOf(r), "Bundle"), r)
		}
	}
	b.victim.Do(t, "PATCH", "/fhir/Patient/"+b.maren, `[{"op":"add","path":"/photo","value":[{"contentType":"image/png","url":"`+at+`/photo"}]}]`, "Content-Type", "application/json-patch+json")
	for _, path := range []string{"/chart/" + b.maren, "/chart/" + b.maren + "/documents", "/chart/" + b.maren + "/notes", "/chart/" + b.maren + "/timeline", "/chart/" + b.maren + "/results", "/fhir/Patient/" + b.maren + "/$everything",
		"/fhir/DocumentReference?patient=" + b.maren + "&_include=*", "/fhir/Observation?patient=" + b.maren + "&code:in=" + url.QueryEscape(at+"/valueset"), "/fhir/Observation?subject=" + url.QueryEscape(at+"/fhir/Patient/1"),
		"/fhir/Observation?_profile=" + url.QueryEscape(at+"/profile"), "/fhir/Patient?_query=" + url.QueryEscape(at), "/fhir/" + url.PathEscape(at)} {
		page := b.victim.Get(t, path)
		for _, l := range strings.Split(page.Body, `href="`)[1:] {
			if to, _, _ := strings.Cut(l, `"`); strings.HasPrefix(to, "/chart/"+b.maren+"/documents/") {
				b.victim.Get(t, to)
			}
		}
	}
	for _, fields := range [][]string{
		{"client_id", at, "redirect_uri", at + "/cb", "request_uri", at + "/request", "response_type", "code", "scope", "openid", "state", "x", "aud", at, "iss", at, "launch", at},
		{"client_id", "growth", "redirect_uri", at + "/cb", "request_uri", at + "/request", "response_type", "code", "scope", "openid", "state", "x", "aud", b.URL + "/fhir", "iss", at},
	} {
		q := url.Values{}
		for i := 0; i+1 < len(fields); i += 2 {
			q.Set(fields[i], fields[i+1])
		}
		b.victim.Get(t, "/oauth/authorize?"+q.Encode())
		b.victim.Do(t, "POST", "/oauth/token", q.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	header, err := json.Marshal(map[string]string{"alg": "ES384", "jku": at + "/jwks", "x5u": at + "/x5u", "kid": "k"})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"iss": "growth", "sub": "growth", "aud": b.URL + "/oauth/token", "exp": b.Now().Add(time.Minute).Unix(), "jti": "1"})
	if err != nil {
		t.Fatal(err)
	}
	b.victim.Form(t, "/oauth/token", "grant_type", "client_credentials", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", base64.RawURLEncoding.EncodeToString(header)+"."+base64.RawURLEncoding.EncodeToString(claims)+"."+base64.RawURLEncoding.EncodeToString(make([]byte, 96)))
	for _, keys := range []string{`{"keys":[{"kty":"EC","crv":"P-384","x5u":"` + at + `/x5u"}]}`, `{"jwks_uri":"` + at + `/jwks"}`, `"` + at + `/jwks"`} {
		_, _, _ = b.Persons.RegisterClient(t.Context(), audit.Agent{Job: "test"}, identity.NewClient{ID: "by-address", Name: "x", Owner: b.victim.Person.Person, Scope: "system/*.rs", Keys: json.RawMessage(keys)})
	}
	for _, route := range b.Routes() { // and by every header that asks to be followed
		if route.Method == http.MethodGet && !strings.Contains(route.Pattern, "{") && route.Pattern != "/events" {
			b.victim.Get(t, route.Pattern+"?url="+url.QueryEscape(at)+"&issuer="+url.QueryEscape(at)+"&next="+url.QueryEscape(at), "X-Forwarded-Host", strings.TrimPrefix(at, "http://"), "Destination", at, "Referer", at, "X-Original-URL", at)
		}
	}
	if n := called.Load(); n > 0 {
		t.Errorf("the server was sent out %d times", n)
	}
}

// Links that the server makes lead to the address it was configured with, whatever a request says that its name is; and every answer of
// every route carries the policy that keeps scripts, frames and sniffing away.
func TestWhatARequestSaysOfItself(t *testing.T) {
	b := besiege(t)
	const evil = "evil.example"
	who := []*servertest.Client{b.victim, b.officer, b.attackers["administrator"], b.attackers["patient"], b.attackers["nobody"]}
	for _, route := range b.Routes() {
		method := route.Method
		if method == "" {
			method = "GET"
		}
		if route.Pattern == "/events" || method == "POST" && (strings.HasSuffix(route.Pattern, "/end") || strings.HasPrefix(route.Pattern, "/sign-out") || route.Pattern == "/lock") {
			continue
		}
		for _, c := range who {
			body := ""
			if method != "GET" {
				body = anyForm("")
			}
			r, err := http.NewRequestWithContext(t.Context(), method, c.Base+b.at(route.Pattern), strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = evil
			for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-Host", "X-Rewrite-URL", "X-Original-URL"} {
				r.Header.Set(name, evil)
			}
			for name, value := range map[string]string{"Forwarded": "for=10.0.0.1;host=" + evil + ";proto=https", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.9.9", "X-Real-IP": "10.9.9.9", "True-Client-IP": "10.9.9.9", "X-Forwarded-Client-Cert": "Subject=CN=" + evil, "X-SSL-Client-Verify": "SUCCESS",
				"X-SSL-Client-S-DN": "CN=" + evil, "X-Zone": "hospital/" + evil, "X-Remote-User": evil, "Remote-User": evil, "X-Auth-Request-Email": "x@" + evil} {
				r.Header.Set(name, value)
			}
			if method != "GET" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			got, err := c.Client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text := new(strings.Builder)
			_ = got.Write(text)
			_ = got.Body.Close()
			if strings.Contains(text.String(), evil) {
				t.Errorf("%s %s repeats what the request says of itself", method, route.Pattern)
			}
			if p := got.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") || !strings.Contains(p, "frame-ancestors 'none'") && !strings.Contains(p, "sandbox") {
				t.Errorf("%s %s has the policy %q", method, route.Pattern, p)
			}
			if got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Cache-Control") != "no-store" && !strings.HasPrefix(route.Pattern, "/static/") {
				t.Errorf("%s %s may be sniffed at or kept", method, route.Pattern)
			}
		}
	}
	list, err := b.Log.OfPerson(t.Context(), b.victim.Person.Person, audit.Page{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if strings.Contains(l.Event.Agent.Address, "10.9.9.9") {
			t.Error("an entry believes a header")
		}
	}
}
