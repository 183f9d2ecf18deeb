package smart_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/identity"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The seventeen checks of the first trial of this surface, one each.

func TestCheckDiscovery(t *testing.T) {
	w := open(t)
	for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration"} {
		a := w.bearer("").c.Get(t, path)
		var d map[string]any
		if err := json.Unmarshal([]byte(w.wants(path, a, http.StatusOK)), &d); err != nil {
			t.Fatal(err)
		}
		for field, want := range map[string]string{"issuer": w.URL, "token_endpoint": w.URL + "/oauth/token", "authorization_endpoint": w.URL + "/oauth/authorize",
			"introspection_endpoint": w.URL + "/oauth/introspect", "revocation_endpoint": w.URL + "/oauth/revoke", "jwks_uri": w.URL + "/oauth/jwks"} {
			if d[field] != want {
				t.Errorf("%s: %s is %v, want %s", path, field, d[field], want)
			}
		}
		for field, wants := range map[string][]string{"capabilities": {"launch-standalone", "client-confidential-asymmetric", "permission-v2", "context-standalone-patient"},
			"code_challenge_methods_supported": {"S256"}, "grant_types_supported": {"authorization_code", "client_credentials"}, "token_endpoint_auth_signing_alg_values_supported": {"RS384", "ES384"}} {
			text, _ := json.Marshal(d[field])
			for _, want := range wants {
				if !strings.Contains(string(text), `"`+want+`"`) {
					t.Errorf("%s: %s lacks %s: %s", path, field, want, text)
				}
			}
		}
		if strings.Contains(a.Body, `"plain"`) {
			t.Error("plain PKCE is offered")
		}
	}
}

func backend(w *ward, s signer, scopes string) identity.Client {
	return w.register(identity.NewClient{ID: "lab-feed", Scope: scopes, Keys: keySet(w.t, s)})
}

func TestCheckES384(t *testing.T) { checkBackend(t, es384(t, "k1")) }
func TestCheckRS384(t *testing.T) { checkBackend(t, rs384(t, "k1")) }

func checkBackend(t *testing.T, s signer) {
	w := open(t)
	backend(w, s, "system/Observation.rs")
	a, got := w.assert(s, w.claims("lab-feed"), "system/Observation.rs")
	w.wants("client_credentials", a, http.StatusOK)
	if got.Expires != 300 || !strings.EqualFold(got.Type, "bearer") || got.Scope != "system/Observation.rs" || got.Refresh != "" || got.Signed != "" {
		t.Errorf("answered %s", a.Body)
	}
	if b := w.wants("read", w.bearer(got.Access).get("/fhir/Observation/"+w.lab), http.StatusOK); !strings.Contains(b, "71.4") {
		t.Error(b)
	}
}

func TestCheckReplay(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	claims := w.claims("lab-feed")
	a, _ := w.assert(s, claims, "system/Observation.rs")
	w.wants("the first time", a, http.StatusOK)
	a, got := w.assert(s, claims, "system/Observation.rs")
	if w.wants("the same jti", a, http.StatusUnauthorized); got.Error != "invalid_client" {
		t.Error(a.Body)
	}
}

func TestCheckAudience(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	for _, aud := range []jwt.Audience{{"https://elsewhere.example/oauth/token"}, {w.URL}, nil, {w.URL + "/oauth/token", "https://elsewhere.example/oauth/token"}} {
		claims := w.claims("lab-feed")
		claims.Audience = aud
		a, _ := w.assert(s, claims, "system/Observation.rs")
		w.wants("aud", a, http.StatusUnauthorized)
		claims.Audience = jwt.Audience{w.URL + "/oauth/token"}
		a, _ = w.assert(s, claims, "system/Observation.rs") // an assertion meant for another did not use the number up
		w.wants("the same jti for us", a, http.StatusOK)
	}
	for aud, want := range map[string]int{strings.Replace(w.URL, "127.0.0.1", "localhost", 1): http.StatusOK, strings.Replace(w.URL, "127.0.0.1", "127.0.0.1.example", 1): http.StatusUnauthorized,
		"http://localhost:1": http.StatusUnauthorized, strings.Replace(w.URL, "127.0.0.1", "x@127.0.0.1", 1): http.StatusUnauthorized} {
		claims := w.claims("lab-feed")
		claims.Audience = jwt.Audience{aud + "/oauth/token"}
		a, _ := w.assert(s, claims, "system/Observation.rs")
		w.wants("aud "+aud, a, want)
	}
}

func TestCheckExpiry(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	for name, at := range map[string]time.Duration{"six minutes ahead": 6 * time.Minute, "ten hours ahead": 10 * time.Hour, "over": -time.Second} {
		claims := w.claims("lab-feed")
		claims.Expiry = jwt.NewNumericDate(w.Now().Add(at))
		a, _ := w.assert(s, claims, "system/Observation.rs")
		w.wants(name, a, http.StatusUnauthorized)
	}
	claims := w.claims("lab-feed")
	claims.Expiry = nil
	a, _ := w.assert(s, claims, "system/Observation.rs")
	w.wants("none", a, http.StatusUnauthorized)
}

func TestCheckWrongKey(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	hmac := signer{[]byte("0123456789abcdef0123456789abcdef0123456789abcdef"), jose.HS384, "k1"}
	for name, other := range map[string]signer{"another key of that name": es384(t, "k1"), "a key of another name": {s.key, s.alg, "k2"}, "another algorithm": rs384(t, "k1"), "a shared secret": hmac} {
		a, got := w.assert(other, w.claims("lab-feed"), "system/Observation.rs")
		if w.wants(name, a, http.StatusUnauthorized); got.Error != "invalid_client" {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	if text := w.form("/oauth/token", "grant_type", "client_credentials", "scope", "system/Observation.rs", "client_assertion_type",
		"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJsYWItZmVlZCIsInN1YiI6ImxhYi1mZWVkIn0."); text.Status != http.StatusUnauthorized {
		t.Errorf("alg none: %d", text.Status)
	}
	claims := w.claims("lab-feed")
	claims.Subject = "somebody-else"
	a, _ := w.assert(s, claims, "system/Observation.rs")
	w.wants("sub is another", a, http.StatusUnauthorized)
	w.wants("by name alone", w.form("/oauth/token", "grant_type", "client_credentials", "scope", "system/Observation.rs", "client_id", "lab-feed"), http.StatusUnauthorized)
}

func TestCheckWriteScopeNotGranted(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	_, got := w.assert(s, w.claims("lab-feed"), "system/Observation.cruds system/Patient.rs")
	if got.Scope != "system/Observation.rs" {
		t.Fatalf("granted %q", got.Scope)
	}
	b := w.bearer(got.Access)
	w.wants("create", b.do("POST", "/fhir/Observation", observation(w.patient, "laboratory", "718-7")), http.StatusForbidden)
	w.wants("update", b.do("PUT", "/fhir/Observation/"+w.lab, strings.Replace(observation(w.patient, "laboratory", "718-7"), `{"resource`, `{"id":"`+w.lab+`","resource`, 1)), http.StatusForbidden)
	w.wants("delete", b.do("DELETE", "/fhir/Observation/"+w.lab, ""), http.StatusForbidden)
	a, _ := w.assert(s, w.claims("lab-feed"), "system/Patient.rs")
	if b := w.wants("nothing left of the scopes", a, http.StatusBadRequest); !strings.Contains(b, "invalid_scope") {
		t.Error(b)
	}
}

func TestCheckSearchWithToken(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	_, got := w.assert(s, w.claims("lab-feed"), "system/Observation.rs")
	body := w.wants("search", w.bearer(got.Access).get("/fhir/Observation?patient="+w.patient), http.StatusOK)
	if !strings.Contains(body, w.lab) || !strings.Contains(body, w.vital) || strings.Contains(body, w.strangersLab) {
		t.Error(body)
	}
}

func TestCheckOtherType(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	_, got := w.assert(s, w.claims("lab-feed"), "system/Observation.rs")
	b := w.bearer(got.Access)
	for what, path := range map[string]string{"read": "/fhir/Condition/" + w.condition, "search": "/fhir/Condition?patient=" + w.patient, "history": "/fhir/Condition/" + w.condition + "/_history",
		"version": "/fhir/Condition/" + w.condition + "/_history/1", "patients": "/fhir/Patient?name=Okafor&birthdate=1961-03-14", "patient": "/fhir/Patient/" + w.patient, "staff": "/fhir/Practitioner?name=lind"} {
		a := b.get(path)
		if text := w.wants(what, a, http.StatusForbidden); !strings.Contains(text, "scope.insufficient") || strings.Contains(text, "Okafor") || !strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
			t.Errorf("%s: %s", what, text)
		}
	}
}

const labOnly = "Observation.rs?category=" + categorySystem + "|laboratory"

func TestCheckGranular(t *testing.T) {
	w := open(t)
	w.app("growth", "patient/"+labOnly+" launch/patient")
	got := w.launch(w.physician, "growth", "patient/"+labOnly+" launch/patient", w.patient)
	b := w.bearer(got.Access)
	w.wants("unfiltered search", b.get("/fhir/Observation?patient="+w.patient), http.StatusForbidden)
	w.wants("another category", b.get("/fhir/Observation?patient="+w.patient+"&category=vital-signs"), http.StatusForbidden)
	for _, value := range []string{"laboratory", categorySystem + "%7Claboratory"} {
		if body := w.wants("filtered search", b.get("/fhir/Observation?patient="+w.patient+"&category="+value), http.StatusOK); !strings.Contains(body, w.lab) || strings.Contains(body, w.vital) {
			t.Errorf("%s: %s", value, body)
		}
	}
	w.wants("a laboratory result", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	for _, path := range []string{"", "/_history", "/_history/1"} {
		w.wants("a vital sign"+path, b.get("/fhir/Observation/"+w.vital+path), http.StatusForbidden)
	}
}

func TestCheckIntrospection(t *testing.T) {
	w, s := open(t), es384(t, "k1")
	backend(w, s, "system/Observation.rs")
	_, got := w.assert(s, w.claims("lab-feed"), "system/Observation.rs")
	ask := func(by signer, client, token string) string {
		return w.form("/oauth/introspect", "token", token, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"client_assertion", by.sign(t, w.claims(client))).Body
	}
	if b := ask(s, "lab-feed", got.Access); !strings.Contains(b, `"active":true`) || !strings.Contains(b, `"scope":"system/Observation.rs"`) || !strings.Contains(b, `"client_id":"lab-feed"`) {
		t.Error(b)
	}
	nosy := es384(t, "k1")
	w.register(identity.NewClient{ID: "nosy", Scope: "system/Patient.rs", Keys: keySet(t, nosy)})
	for what, b := range map[string]string{"another client": ask(nosy, "nosy", got.Access), "no token": ask(s, "lab-feed", "cwa_nonsense"), "a session's token": ask(s, "lab-feed", strings.Repeat("A", 43))} {
		if strings.TrimSpace(b) != `{"active":false}` {
			t.Errorf("%s: %s", what, b)
		}
	}
	w.wants("unproven", w.form("/oauth/introspect", "token", got.Access), http.StatusUnauthorized)
	w.wants("by name alone", w.form("/oauth/introspect", "token", got.Access, "client_id", "lab-feed"), http.StatusUnauthorized)
	if a := w.bearer(got.Access).c.Do(t, "POST", "/oauth/introspect", "token="+got.Access, "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer "+got.Access); !strings.Contains(a.Body, `"active":true`) {
		t.Errorf("by a token of its own: %s", a.Body)
	}
	if _, err := w.Persons.RevokeClient(t.Context(), testAgent, "nosy", "test"); err != nil {
		t.Fatal(err)
	}
	if b := ask(nosy, "nosy", got.Access); !strings.Contains(b, "invalid_client") {
		t.Errorf("after its revocation: %s", b)
	}
}

func TestCheckStandaloneLaunch(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs openid fhirUser offline_access")
	got := w.launch(w.physician, "growth", "launch/patient patient/Observation.rs patient/Patient.r openid fhirUser offline_access", w.patient)
	if got.Patient != w.patient || got.Refresh == "" || got.Expires != 900 {
		t.Fatalf("answered %+v", got)
	}
	b := w.bearer(got.Access)
	w.wants("the patient", b.get("/fhir/Patient/"+w.patient), http.StatusOK)
	w.wants("a result", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	w.wants("another patient", b.get("/fhir/Patient/"+w.stranger), http.StatusForbidden)
	w.wants("a type not asked for", b.get("/fhir/Condition/"+w.condition), http.StatusForbidden)

	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(b.c.Get(t, "/oauth/jwks").Body), &keys); err != nil || len(keys.Keys) != 1 || !keys.Keys[0].IsPublic() {
		t.Fatalf("keys: %v", err)
	}
	signed, err := jwt.ParseSigned(got.Signed, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		jwt.Claims
		Nonce string `json:"nonce"`
		FHIR  string `json:"fhirUser"`
	}
	if err := signed.Claims(keys.Keys[0], &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Issuer != w.URL || !claims.Audience.Contains("growth") || claims.Nonce != "n-1" || !strings.HasPrefix(claims.FHIR, w.URL+"/fhir/Practitioner/") || claims.Subject != w.physician.Person.Person {
		t.Errorf("claims %+v", claims)
	}
}

func TestCheckRefresh(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs offline_access")
	first := w.launch(w.physician, "growth", "launch/patient patient/*.rs offline_access", w.patient)
	second := w.tokens(w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", first.Refresh)) // no client_id
	if second.Access == "" || second.Access == first.Access || second.Refresh == first.Refresh || second.Patient != w.patient {
		t.Fatalf("answered %+v", second)
	}
	w.wants("with the new token", w.bearer(second.Access).get("/fhir/Observation/"+w.lab), http.StatusOK)
	if b := w.wants("the old refresh token", w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", first.Refresh, "client_id", "growth"), http.StatusBadRequest); !strings.Contains(b, "invalid_grant") {
		t.Error(b)
	}
	w.wants("then the whole family is dead", w.bearer(second.Access).get("/fhir/Observation/"+w.lab), http.StatusUnauthorized)
	w.wants("and its refresh token", w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", second.Refresh), http.StatusBadRequest)
}

func TestCheckCodeReplay(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs offline_access")
	code := w.consents(w.physician, w.asking("growth", "launch/patient patient/*.rs"), w.patient).Get("code")
	got := w.tokens(w.redeem("growth", code))
	w.wants("before", w.bearer(got.Access).get("/fhir/Observation/"+w.lab), http.StatusOK)
	w.wants("the code again", w.redeem("growth", code), http.StatusBadRequest)
	w.wants("after", w.bearer(got.Access).get("/fhir/Observation/"+w.lab), http.StatusUnauthorized)
}

func TestCheckPKCE(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs")
	for name, change := range map[string]func(map[string][]string){
		"no challenge":    func(v map[string][]string) { delete(v, "code_challenge") },
		"no method":       func(v map[string][]string) { delete(v, "code_challenge_method") },
		"plain":           func(v map[string][]string) { v["code_challenge_method"] = []string{"plain"} },
		"short challenge": func(v map[string][]string) { v["code_challenge"] = []string{"abc"} },
	} {
		asked := w.asking("growth", "patient/*.rs")
		change(asked)
		if got := w.landed(w.physician.Get(t, "/oauth/authorize?"+asked.Encode())); got.Get("error") != "invalid_request" || got.Get("state") != "s-1" || got.Get("code") != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	code := w.consents(w.physician, w.asking("growth", "patient/*.rs"), w.patient).Get("code")
	w.wants("another verifier", w.redeem("growth", code, "code_verifier", "x"), http.StatusBadRequest)
	code = w.consents(w.physician, w.asking("growth", "patient/*.rs"), w.patient).Get("code")
	w.wants("no verifier", w.form("/oauth/token", "grant_type", "authorization_code", "client_id", "growth", "code", code, "redirect_uri", callback), http.StatusBadRequest)
}

func TestCheckRedirect(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.rs")
	for _, to := range []string{"https://evil.example/callback", callback + "/", callback + "?x=1", strings.ToUpper(callback), ""} {
		asked := w.asking("growth", "patient/*.rs")
		asked.Set("redirect_uri", to)
		a := w.physician.Get(t, "/oauth/authorize?"+asked.Encode())
		if w.wants("redirect to "+to, a, http.StatusBadRequest); a.Header.Get("Location") != "" || (to != "" && strings.Contains(a.Body, to)) {
			t.Errorf("%q is followed or shown: %s", to, a.Header.Get("Location"))
		}
	}
	asked := w.asking("nobody", "patient/*.rs")
	w.wants("an unknown app", w.physician.Get(t, "/oauth/authorize?"+asked.Encode()), http.StatusBadRequest)
}
