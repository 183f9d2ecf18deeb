package smart_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// ward is a served sandbox: a physician who treats one patient and not the other, and a front desk.
type ward struct {
	*servertest.Server
	t                         testing.TB
	clerk, physician          *servertest.Client
	admin                     *servertest.Client
	patient, stranger         string // whom the physician treats, whom not
	lab, vital, strangersLab  string // Observations
	condition, strangersCause string
}

const categorySystem = "http://terminology.hl7.org/CodeSystem/observation-category"

func open(t testing.TB) *ward {
	t.Helper()
	w := &ward{Server: servertest.Reachable(t), t: t}
	w.admin = w.Person(t, "Hollis Brackett", "administrator", "")
	practitioner := "Practitioner/" + w.made(w.admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Lindqvist"}]}`))
	w.clerk = w.Person(t, "Marcus Hale", "front-desk", "")
	w.physician = w.Person(t, "Anna Lindqvist", "physician", practitioner)
	other := w.Person(t, "Joel Sand", "physician", "Practitioner/"+w.made(w.admin.Do(t, "POST", "/fhir/Practitioner", `{"resourceType":"Practitioner","name":[{"family":"Sand"}]}`)))
	encounter := func(patient, practitioner string) {
		w.made(w.clerk.Do(t, "POST", "/fhir/Encounter", `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},
			"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+w.Now().UTC().Format(time.RFC3339)+`"}}`))
	}
	w.patient = w.made(w.clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`))
	w.stranger = w.made(w.clerk.Do(t, "POST", "/fhir/Patient", `{"resourceType":"Patient","name":[{"family":"Brandt","given":["Ida"]}],"birthDate":"1974-07-02"}`))
	encounter(w.patient, practitioner)
	people, err := w.Persons.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if p.ID == other.Person.Person {
			encounter(w.stranger, p.Practitioner)
		}
	}
	w.lab = w.made(w.physician.Do(t, "POST", "/fhir/Observation", observation(w.patient, "laboratory", "718-7")))
	w.vital = w.made(w.physician.Do(t, "POST", "/fhir/Observation", observation(w.patient, "vital-signs", "29463-7")))
	w.condition = w.made(w.physician.Do(t, "POST", "/fhir/Condition", condition(w.patient)))
	w.strangersLab = w.made(other.Do(t, "POST", "/fhir/Observation", observation(w.stranger, "laboratory", "718-7")))
	w.strangersCause = w.made(other.Do(t, "POST", "/fhir/Condition", condition(w.stranger)))
	return w
}

func observation(patient, category, code string) string {
	return `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"` + categorySystem + `","code":"` + category + `"}]}],
		"code":{"coding":[{"system":"http://loinc.org","code":"` + code + `"}]},"subject":{"reference":"Patient/` + patient + `"},"valueQuantity":{"value":71.4,"unit":"kg"}}`
}

func condition(patient string) string {
	return `{"resourceType":"Condition","subject":{"reference":"Patient/` + patient + `"},"code":{"text":"cough"}}`
}

func (w *ward) made(a servertest.Answer) string {
	w.t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(a.Body), &r); err != nil || a.Status != http.StatusCreated {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	return r.ID
}

// register adds a client, active at once in a sandbox.
func (w *ward) register(n identity.NewClient) identity.Client {
	w.t.Helper()
	n.Owner = w.admin.Person.Person
	if n.Name == "" {
		n.Name = "Test " + n.ID
	}
	c, _, err := w.Persons.RegisterClient(w.t.Context(), audit.Agent{Job: "test"}, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

const callback = "http://localhost:9/callback"

func (w *ward) app(id, scopes string) identity.Client {
	return w.register(identity.NewClient{ID: id, Scope: scopes, Redirects: []string{callback}})
}

// signer is a key of a client.
type signer struct {
	key any
	alg jose.SignatureAlgorithm
	kid string
}

func es384(t testing.TB, kid string) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k, jose.ES384, kid}
}

func rs384(t testing.TB, kid string) signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k, jose.RS384, kid}
}

func keySet(t testing.TB, of ...signer) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, s := range of {
		k := jose.JSONWebKey{Key: s.key, KeyID: s.kid, Algorithm: string(s.alg)}
		set.Keys = append(set.Keys, k.Public())
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s signer) sign(t testing.TB, claims jwt.Claims) string {
	t.Helper()
	made, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(made).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *ward) claims(client string) jwt.Claims {
	return jwt.Claims{Issuer: client, Subject: client, Audience: jwt.Audience{w.URL + "/oauth/token"}, Expiry: jwt.NewNumericDate(w.Now().Add(4 * time.Minute)), ID: rand.Text()}
}

// form posts to an endpoint as a program would.
func (w *ward) form(path string, fields ...string) servertest.Answer {
	w.t.Helper()
	program := &servertest.Client{Client: &http.Client{}, Base: w.URL}
	return program.Form(w.t, path, fields...)
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Signed  string `json:"id_token"`
	Scope   string
	Patient string
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Error   string
}

func (w *ward) tokens(a servertest.Answer) (out tokens) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil {
		w.t.Fatalf("%d %s", a.Status, a.Body)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("a token answer may be kept: %s", a.Header.Get("Cache-Control"))
	}
	return out
}

// assert asks for a backend token by an assertion.
func (w *ward) assert(s signer, claims jwt.Claims, scopes string) (servertest.Answer, tokens) {
	w.t.Helper()
	a := w.form("/oauth/token", "grant_type", "client_credentials", "scope", scopes,
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", s.sign(w.t, claims))
	return a, w.tokens(a)
}

// bearer is a program with a token.
func (w *ward) bearer(token string) program {
	return program{&servertest.Client{Client: &http.Client{}, Base: w.URL}, w.t, token}
}

type program struct {
	c     *servertest.Client
	t     testing.TB
	token string
}

func (p program) get(path string, header ...string) servertest.Answer {
	p.t.Helper()
	return p.c.Get(p.t, path, append(header, "Authorization", "Bearer "+p.token)...)
}

func (p program) do(method, path, body string, header ...string) servertest.Answer {
	p.t.Helper()
	return p.c.Do(p.t, method, path, body, append(header, "Authorization", "Bearer "+p.token)...)
}

const verifier = "0123456789-0123456789-0123456789-0123456789-x"

func (w *ward) asking(client, scopes string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {scopes}, "state": {"s-1"}, "aud": {w.URL + "/fhir"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "nonce": {"n-1"}}
}

// consents lets the app in as a person in a browser would, about a patient, and gives what came back at the redirect address.
func (w *ward) consents(person *servertest.Client, asked url.Values, patient string) url.Values {
	w.t.Helper()
	page := person.Get(w.t, "/oauth/authorize?"+asked.Encode())
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "/oauth/consent") {
		w.t.Fatalf("consent page: %d %s", page.Status, page.Body)
	}
	fields := []string{"decision", "approve"}
	for k, v := range asked {
		fields = append(fields, k, v[0])
	}
	if patient != "" {
		fields = append(fields, "patient", patient)
	}
	return w.landed(person.Form(w.t, "/oauth/consent", fields...))
}

// landed is what stands behind the redirect address.
func (w *ward) landed(a servertest.Answer) url.Values {
	w.t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), callback) {
		w.t.Fatalf("no way back to the app: %d %s %s", a.Status, a.Header.Get("Location"), a.Body)
	}
	return to.Query()
}

func (w *ward) redeem(client, code string, more ...string) servertest.Answer {
	w.t.Helper()
	return w.form("/oauth/token", append([]string{"grant_type", "authorization_code", "client_id", client, "code", code, "redirect_uri", callback, "code_verifier", verifier}, more...)...)
}

// launch is a whole standalone launch.
func (w *ward) launch(person *servertest.Client, client, scopes, patient string) tokens {
	w.t.Helper()
	code := w.consents(person, w.asking(client, scopes), patient).Get("code")
	a := w.redeem(client, code)
	if a.Status != http.StatusOK {
		w.t.Fatalf("token: %d %s", a.Status, a.Body)
	}
	return w.tokens(a)
}

// wants fails the test unless the answer has a status, and gives its body.
func (w *ward) wants(what string, a servertest.Answer, status int) string {
	w.t.Helper()
	if a.Status != status {
		w.t.Errorf("%s: %d, want %d: %.300s", what, a.Status, status, a.Body)
	}
	return a.Body
}

var testAgent = audit.Agent{Job: "test"}
