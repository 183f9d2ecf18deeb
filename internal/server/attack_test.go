package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/scope"
	"chartwarden/internal/server/servertest"
)

// The tests of attack_*_test.go are the attacks that docs/security/attacks.md tells of, each tried on a whole server.

// besieged is a house in which somebody has one of everything, and people of every role who have no business with any of it.
type besieged struct {
	*servertest.Server
	maren, otto string // patients: the victim's; the attacker's own
	anna, bob   string // Practitioner/id of the physicians of either
	victim      *servertest.Client
	session     *identity.Session // of the victim
	own         *servertest.Client
	note        string // DocumentReference in Maren's chart
	condition   string
	client      identity.Client
	authorized  string   // authorization of the victim
	access      string   // token of the app
	approvals   []string // items that wait: an act, a reset of the victim
	case_       casework.Case
	review      string // of the victim's glass
	leaver      string
	entry       string // origin/index of an entry about Maren
	link        string // token of an open enrolment link
	question    string // that the victim was asked
	appointment string
	ctx         context.Context
	attackers   map[string]*servertest.Client
	officer     *servertest.Client
}

func besiege(t *testing.T) *besieged {
	t.Helper()
	b := &besieged{Server: servertest.Start(t), attackers: map[string]*servertest.Client{}, ctx: t.Context()}
	ctx, job := t.Context(), audit.Agent{Job: "test"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	b.anna = stored(t, b.Gate, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	b.bob = stored(t, b.Gate, `{"resourceType":"Practitioner","name":[{"family":"Sand","given":["Bob"]}]}`)
	_, b.maren, _ = strings.Cut(stored(t, b.Gate, `{"resourceType":"Patient","name":[{"family":"Okafor","given":["Maren"]}],"birthDate":"1961-03-14"}`), "/")
	_, b.otto, _ = strings.Cut(stored(t, b.Gate, `{"resourceType":"Patient","name":[{"family":"Brandt","given":["Otto"]}],"birthDate":"1950-01-02"}`), "/")
	for patient, practitioner := range map[string]string{b.maren: b.anna, b.otto: b.bob} {
		stored(t, b.Gate, `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP","system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},
			"subject":{"reference":"Patient/`+patient+`"},"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+b.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	}
	_, b.condition, _ = strings.Cut(stored(t, b.Gate, `{"resourceType":"Condition","subject":{"reference":"Patient/`+b.maren+`"},"code":{"text":"Sarkoidose"}}`), "/")
	b.victim = b.Person(t, "Anna Lindqvist", "physician", b.anna)
	b.own = b.Person(t, "Bob Sand", "physician", b.bob)
	made := b.victim.Do(t, "POST", "/fhir/DocumentReference", `{"resourceType":"DocumentReference","status":"current","docStatus":"final","subject":{"reference":"Patient/`+b.maren+`"},
		"author":[{"reference":"`+b.anna+`"}],"type":{"text":"Progress note"},"content":[{"attachment":{"contentType":"text/plain","data":"`+base64.StdEncoding.EncodeToString([]byte("Sarkoidose, lungs"))+`"}}]}`)
	if made.Status != http.StatusCreated {
		t.Fatal(made.Status, made.Body)
	}
	b.note, b.entry = idOf(t, made.Body), made.Header.Get("X-Audit-Entry")

	all, err := b.Persons.Sessions(ctx, b.victim.Person.Person)
	must(err)
	b.session = all[0]
	scopes, err := scope.Parse("user/Condition.rs offline_access")
	must(err)
	b.client, _, err = b.Persons.RegisterClient(ctx, job, identity.NewClient{ID: "growth", Name: "Growth", Owner: b.victim.Person.Person, Scope: "user/Condition.rs offline_access", Redirects: []string{"https://growth.example/cb"}})
	must(err)
	sum := sha256.Sum256([]byte(codeVerifier))
	code, err := b.Persons.Authorize(ctx, b.session, identity.Consent{Client: b.client, Redirect: b.client.Redirects[0], Challenge: base64.RawURLEncoding.EncodeToString(sum[:]), Scope: scopes})
	must(err)
	issued, err := b.Persons.RedeemCode(ctx, b.client, code, b.client.Redirects[0], codeVerifier, identity.Arrival{Zone: "hospital", Trust: "registered"})
	must(err)
	b.access = issued.Access
	apps, err := b.Persons.Authorizations(ctx, b.victim.Person.Person)
	must(err)
	b.authorized = apps[0].ID

	admin := b.Person(t, "Ruth Adeyemi", "administrator", "")
	b.officer = b.Person(t, "Priya Nair", "privacy", "")
	adminSession, err := b.Persons.Sessions(ctx, admin.Person.Person)
	must(err)
	act, err := b.Gate.AskShred(ctx, access.Person(adminSession[0]), b.maren, "a test of the list")
	must(err)
	reset, err := b.Persons.AskReset(ctx, adminSession[0].Agent(), b.victim.Person.Person, "lost the phone")
	must(err)
	b.approvals = []string{act.ID, reset.ID}
	b.case_ = servertest.Raise(t, b.Office.Store, servertest.Suspicion{Agent: b.anna, At: b.Now().Add(-2 * time.Hour), Patients: []string{"Patient/" + b.otto}})
	grant, err := b.Gate.BreakGlass(ctx, access.Person(b.session), b.otto, "emergency", "found on the floor")
	must(err)
	officer, err := b.Persons.Sessions(ctx, b.officer.Person.Person)
	must(err)
	reviews, err := b.Gate.Reviews(ctx, access.Person(officer[0]), access.ReviewsOpen, 0, 10)
	must(err)
	if len(reviews.Reviews) == 0 || grant.Entry == "" {
		t.Fatal("the glass left nothing to review")
	}
	b.review = strconv.FormatInt(reviews.Reviews[0].ID, 10)
	leaver, _, err := b.Persons.Create(ctx, job, identity.NewPerson{Name: "Lea Ver", Roles: []string{identity.Nurse}})
	must(err)
	_, err = b.Staffing.End(ctx, job, leaver.ID, "left")
	must(err)
	b.leaver = leaver.ID
	newcomer, _, err := b.Persons.Create(ctx, job, identity.NewPerson{Name: "New Comer", Roles: []string{identity.Nurse}})
	must(err)
	link, err := b.Persons.Invite(ctx, job, newcomer.ID)
	must(err)
	b.link = link.Token

	_, err = b.Office.Take(ctx, access.Person(officer[0]), b.case_.ID)
	must(err)
	_, err = b.Office.AskPerson(ctx, access.Person(officer[0]), b.case_.ID, "What was it for?")
	must(err)
	questions, err := b.Office.Questions(ctx, access.Person(b.session))
	must(err)
	b.question = questions[0].ID
	_, b.appointment, _ = strings.Cut(stored(t, b.Gate, `{"resourceType":"Appointment","status":"booked","start":"`+b.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`","end":"`+b.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)+`",
		"participant":[{"status":"accepted","actor":{"reference":"Patient/`+b.maren+`"}},{"status":"accepted","actor":{"reference":"`+b.anna+`"}}]}`), "/")
	for _, role := range identity.Roles() {
		if role == identity.Patient {
			continue
		}
		b.attackers[role] = b.Person(t, "Eve "+role, role, "")
	}
	b.attackers["own physician"] = b.own
	b.attackers["patient"] = b.Patient(t, "Otto Brandt", b.otto)
	b.attackers["nobody"] = &servertest.Client{Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, Base: b.URL}
	return b
}

// may reports whether an attacker's role has an action of the system, whoever it is about.
func (b *besieged) may(t *testing.T, name, action string) bool {
	t.Helper()
	c := b.attackers[name]
	if c.Person.Person == "" {
		return false
	}
	sessions, err := b.Persons.Sessions(context.WithoutCancel(t.Context()), c.Person.Person)
	if err != nil || len(sessions) == 0 {
		t.Fatalf("%s has no session: %v", name, err)
	}
	if !slices.Contains(policy.Default().Actions(), action) {
		return false
	}
	return b.Gate.Permit(t.Context(), access.Person(sessions[0]), action) == nil
}

var (
	anID     = regexp.MustCompile(`[a-z0-9]{24,26}`)
	anyToken = regexp.MustCompile(`[A-Za-z0-9_-]{43}`)
	aNumber  = regexp.MustCompile(`[0-9]+`)
	aDraw    = regexp.MustCompile(`typed=[0-9A-Za-z]+`)
)

// blind takes from an answer what differs from one moment and one id to the next, and keeps what could tell one object from another.
func blind(a servertest.Answer, ids ...string) string {
	out := strconv.Itoa(a.Status) + " " + a.Header.Get("Location") + "\n" + a.Body
	for _, id := range ids {
		if id != "" {
			out = strings.ReplaceAll(out, id, "ID")
		}
	}
	out = anyToken.ReplaceAllString(aDraw.ReplaceAllString(out, "typed"), "TOKEN")
	out = anID.ReplaceAllString(out, "ID")
	return aNumber.ReplaceAllString(out, "#")
}
