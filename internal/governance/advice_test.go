package governance_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"chartwarden/internal/policy"
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
