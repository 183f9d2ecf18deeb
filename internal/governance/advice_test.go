package governance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// What is advised away costs nobody anything: without it, no decision of these days would have been refused (A14).
func TestAdviceCostsNothing(t *testing.T) {
	h := newHouse(t)
	both := h.Person(t, "Ben Both", "nurse front-desk billing", "")
	if got := both.Get(t, "/fhir/Patient/"+h.maren).Status; got != http.StatusOK {
		t.Fatal(got)
	}
	h.anna.Get(t, "/fhir/Condition?patient="+h.maren)
	since := h.Now().AddDate(0, 0, -90)
	advice, entry, err := h.Rules.Advise(t.Context(), shell, since)
	if err != nil || entry == "" {
		t.Fatal(entry, err)
	}
	if len(advice) != 1 || advice[0].Name != "Ben Both" || len(advice[0].Roles) != 2 || len(advice[0].Used) != 1 {
		t.Fatalf("%+v", advice)
	}
	tried, err := h.Rules.TryWithout(t.Context(), shell, advice, since)
	if err != nil {
		t.Fatal(err)
	}
	if len(tried.Changes) != 0 || tried.Decisions == 0 {
		t.Errorf("%d decisions, %+v", tried.Decisions, tried.Changes)
	}
	advice[0].Roles = append(slices.Clone(advice[0].Roles), advice[0].Used...) // to show that it would be seen
	if tried, err = h.Rules.TryWithout(t.Context(), shell, advice, since); err != nil || len(tried.Changes) == 0 {
		t.Errorf("taking everything away costs nothing: %+v, %v", tried, err)
	}
}

// A candidate that decides beside changes nothing, and lists what it would have decided otherwise.
func TestShadow(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p, err := h.Rules.Draft(ctx, shell, stricter(t), "a test")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Rules.Accompany(ctx, shell, p.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.anna.Get(t, "/fhir/Condition?patient="+h.maren).Status; got != http.StatusOK {
		t.Fatalf("the candidate decides: %d", got)
	}
	var found policy.Tally
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		hash, tally, err := h.Rules.Beside(ctx, shell)
		if err != nil || hash != stricter(t).Hash() {
			t.Fatal(hash, err)
		}
		if found = tally; len(found.Differences) > 0 {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("nothing differs: %+v", tally)
		}
	}
	d := found.Differences[0]
	if d.Person != h.anna.Person.Person || !d.Was || d.Would || !d.Care {
		t.Errorf("%+v", d)
	}
	if err := h.Rules.Alone(ctx, shell); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Rules.Beside(ctx, shell); err == nil {
		t.Error("it still decides beside")
	}
}

// A candidate that cannot keep up is left behind: nobody waits for it.
func TestShadowNeverHoldsUp(t *testing.T) {
	set, err := policy.Load(stricter(t))
	if err != nil {
		t.Fatal(err)
	}
	e := policy.Enforce(policy.Default())
	s := policy.NewShadow(set) // nobody runs it
	e.Accompany(s)
	for range 5_000 {
		e.Decide(policy.Request{Principal: policy.Principal{Kind: policy.Job, ID: "import"}, Action: policy.Write, Resource: policy.Resource{Type: "Condition", Group: "clinical", PatientKey: "1"}})
	}
	if s.Tally().Missed == 0 {
		t.Error("nothing was missed")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s.Run(ctx)
}

// The same for a drawn house: forty people with drawn roles ask for forty drawn charts. None of what they got is lost by any advice, neither by
// the trial nor when what is advised is really taken from them and they ask again.
func TestAdviceCostsNobodyAnything(t *testing.T) {
	if testing.Short() {
		t.Skip("forty people sign in: runs without -short")
	}
	h := newHouse(t)
	r := rand.New(rand.NewPCG(7, 12))
	roles := []string{"nurse", "physician", "pharmacist", "front-desk", "billing", "privacy", "hr"}
	var charts []string
	for i := range 40 {
		_, id, _ := strings.Cut(h.put(t, fmt.Sprintf(`{"resourceType":"Patient","name":[{"family":"Chart%d"}],"birthDate":"1961-03-14"}`, i)), "/")
		charts = append(charts, id)
		h.put(t, `{"resourceType":"Condition","subject":{"reference":"Patient/`+id+`"},"code":{"text":"Asthma"}}`)
		h.put(t, `{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"Patient/`+id+`"},"payor":[{"display":"Payer"}]}`)
	}
	var people []*servertest.Client
	held := map[string][]string{} // roles by person
	for i := range 40 {
		var some []string
		for _, n := range r.Perm(len(roles))[:2+r.IntN(3)] {
			some = append(some, roles[n])
		}
		practitioner := h.put(t, fmt.Sprintf(`{"resourceType":"Practitioner","name":[{"family":"Drawn%d"}]}`, i))
		for _, n := range r.Perm(len(charts))[:r.IntN(12)] {
			subject := `"subject":{"reference":"Patient/` + charts[n] + `"}`
			if r.IntN(2) == 0 {
				h.put(t, `{"resourceType":"CareTeam","status":"active",`+subject+`,"participant":[{"member":{"reference":"`+practitioner+`"}}]}`)
			} else {
				ended := h.Now().AddDate(0, 0, -r.IntN(40)-1)
				h.put(t, `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},`+subject+`,"participant":[{"individual":{"reference":"`+practitioner+`"}}],
					"period":{"start":"`+ended.Add(-time.Hour).UTC().Format(time.RFC3339)+`","end":"`+ended.UTC().Format(time.RFC3339)+`"}}`)
			}
		}
		c := h.Person(t, fmt.Sprintf("Drawn Person%d", i), strings.Join(some, " "), practitioner)
		people, held[c.Person.Person] = append(people, c), some
	}
	type access struct {
		who  int
		path string
	}
	var allowed []access
	for range 1200 {
		id := charts[r.IntN(len(charts))]
		a := access{r.IntN(len(people)), []string{"/fhir/Patient/" + id, "/fhir/Condition?patient=" + id, "/fhir/Encounter?patient=" + id, "/fhir/Practitioner", "/fhir/Coverage?patient=" + id}[r.IntN(5)]}
		if people[a.who].Get(t, a.path).Status == http.StatusOK {
			allowed = append(allowed, a)
		}
	}
	since := h.Now().AddDate(0, 0, -90)
	advice, _, err := h.Rules.Advise(t.Context(), shell, since)
	if err != nil {
		t.Fatal(err)
	}
	tried, err := h.Rules.TryWithout(t.Context(), shell, advice, since)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tried.Changes {
		t.Errorf("following the advice costs %+v", c)
	}
	taken := 0
	for _, one := range advice {
		left := slices.DeleteFunc(slices.Clone(held[one.Person]), func(role string) bool { return slices.Contains(one.Roles, role) })
		taken += len(held[one.Person]) - len(left)
		if held[one.Person] == nil || len(left) == 0 { // Anna, and who did nothing at all
			continue
		}
		if _, _, err := h.Persons.Change(t.Context(), audit.Agent{Job: "test"}, one.Person, identity.Change{Roles: &left}); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range allowed {
		if got := people[a.who].Get(t, a.path).Status; got != http.StatusOK {
			t.Errorf("after it %s gets %d for %s", people[a.who].Person.Person, got, a.path)
		}
	}
	if t.Logf("%d accesses, advice for %d people, %d roles taken, %d decisions", len(allowed), len(advice), taken, tried.Decisions); taken < 20 || len(allowed) < 300 || int(tried.Decisions) < len(allowed) {
		t.Error("the house is too quiet to show anything")
	}
}
