package smart

import (
	"net/http"

	"chartwarden/internal/identity"
	"chartwarden/internal/scope"

	"github.com/go-jose/go-jose/v4"
)

// configuration is what this server can do, and where. Source: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html.
func (a *Authority) configuration(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, struct {
		Issuer        string   `json:"issuer"`
		JWKS          string   `json:"jwks_uri"`
		Authorize     string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Introspect    string   `json:"introspection_endpoint"`
		Revoke        string   `json:"revocation_endpoint"`
		AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
		AuthAlgs      []string `json:"token_endpoint_auth_signing_alg_values_supported"`
		Grants        []string `json:"grant_types_supported"`
		ResponseTypes []string `json:"response_types_supported"`
		Challenges    []string `json:"code_challenge_methods_supported"`
		Scopes        []string `json:"scopes_supported"`
		Capabilities  []string `json:"capabilities"`
	}{
		Issuer: a.o.Base, JWKS: a.o.Base + keysPath, Authorize: a.o.Base + authorizePath, Token: a.o.Base + tokenPath,
		Introspect: a.o.Base + introspectPath, Revoke: a.o.Base + revokePath,
		AuthMethods:   []string{"private_key_jwt", "none"},
		AuthAlgs:      []string{string(jose.RS384), string(jose.ES384)},
		Grants:        []string{"authorization_code", "refresh_token", "client_credentials"},
		ResponseTypes: []string{"code"}, Challenges: []string{"S256"},
		Scopes: []string{scope.OpenID, scope.FHIRPerson, scope.Profile, scope.LaunchPatient, scope.Offline, scope.Online, "patient/*.cruds", "user/*.cruds", "system/*.cruds"},
		Capabilities: []string{"launch-standalone", "client-public", "client-confidential-asymmetric", "sso-openid-connect", "context-standalone-patient",
			"permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2"},
	})
}

// openID is discovery as OpenID Connect clients ask for it.
func (a *Authority) openID(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, struct {
		Issuer        string   `json:"issuer"`
		JWKS          string   `json:"jwks_uri"`
		Authorize     string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		ResponseTypes []string `json:"response_types_supported"`
		Subjects      []string `json:"subject_types_supported"`
		Algs          []string `json:"id_token_signing_alg_values_supported"`
		Scopes        []string `json:"scopes_supported"`
		Claims        []string `json:"claims_supported"`
		Iss           bool     `json:"authorization_response_iss_parameter_supported"`
		ACRs          []string `json:"acr_values_supported"`
	}{a.o.Base, a.o.Base + keysPath, a.o.Base + authorizePath, a.o.Base + tokenPath, []string{"code"}, []string{"public"}, []string{string(jose.RS256)},
		[]string{scope.OpenID, scope.FHIRPerson, scope.Profile}, []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "nonce", "fhirUser"}, true, []string{identity.ACR(1), identity.ACR(2)}})
}

// keys are the public keys that identity tokens are checked with.
func (a *Authority) keys(w http.ResponseWriter, r *http.Request) {
	id, key, err := a.o.Persons.TokenSigner(r.Context())
	if err != nil {
		f := faultOf(err)
		answer(w, f.status(), map[string]string{"error": f.word})
		return
	}
	answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: id, Algorithm: string(jose.RS256), Use: "sig"}}})
}
