package smart_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TestActClaim: an app that is let in by somebody who acts as a colleague is told so by `act` in the identity token and at the introspection
// (RFC 8693), reads only what both may, writes nothing, gets no refresh token, and is dead when the acting ends.
func TestActClaim(t *testing.T) {
	w := open(t)
	w.app("growth", "launch/patient patient/*.cruds openid fhirUser offline_access")
	anna := w.physician.Person.Person
	practitioner := "Practitioner/" + w.made(w.admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Hart"}]}`))
	cleo := w.Person(t, "Cleo Hart", "physician", practitioner)
	w.made(w.clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
		"subject":{"reference":"Patient/`+w.patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+w.Now().UTC().Format(time.RFC3339)+`"}}`))
	if a := cleo.Form(t, "/acting", "person", "Anna Lindqvist", "reason", "her app looks odd", "minutes", "15"); a.Status != http.StatusSeeOther {
		t.Fatal(a.Status, a.Body)
	}
	_, waiting, err := w.Persons.Actings(t.Context(), anna)
	if err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	item := waiting[0].ID
	if a := w.physician.Form(t, "/acting/"+item, "act", "agree"); a.Status != http.StatusSeeOther {
		t.Fatal(a.Status, a.Body)
	}
	if a := cleo.Form(t, "/acting/"+item, "act", "begin"); a.Status != http.StatusSeeOther {
		t.Fatal(a.Status, a.Body)
	}
	got := w.launch(cleo, "growth", "launch/patient patient/*.cruds openid fhirUser offline_access", w.patient)
	if got.Refresh != "" {
		t.Error("a refresh token outlives the acting")
	}
	var keys jose.JSONWebKeySet
	b := w.bearer(got.Access)
	if err := json.Unmarshal([]byte(b.c.Get(t, "/oauth/jwks").Body), &keys); err != nil || len(keys.Keys) != 1 {
		t.Fatal(err)
	}
	signed, err := jwt.ParseSigned(got.Signed, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		jwt.Claims
		Act struct {
			Subject string `json:"sub"`
		} `json:"act"`
	}
	if err := signed.Claims(keys.Keys[0], &claims); err != nil || claims.Subject != anna || claims.Act.Subject != cleo.Person.Person {
		t.Errorf("claims %+v: %v", claims, err)
	}
	own := b.c.Do(t, "POST", "/oauth/introspect", "token="+got.Access, "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer "+got.Access)
	if !strings.Contains(own.Body, `"act":{"sub":"`+cleo.Person.Person+`"}`) || !strings.Contains(own.Body, `"sub":"`+anna+`"`) {
		t.Error(own.Body)
	}
	w.wants("what both may", b.get("/fhir/Observation/"+w.lab), http.StatusOK)
	w.wants("what neither may", b.get("/fhir/Observation/"+w.strangersLab), http.StatusForbidden)
	w.wants("a write", b.do("POST", "/fhir/Observation", observation(w.patient, "laboratory", "718-7")), http.StatusForbidden)
	if a := w.physician.Form(t, "/acting/"+item, "act", "end"); a.Status != http.StatusSeeOther {
		t.Fatal(a.Status, a.Body)
	}
	w.wants("after the end", b.get("/fhir/Observation/"+w.lab), http.StatusUnauthorized)
}
