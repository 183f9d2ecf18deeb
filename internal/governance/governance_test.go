package governance_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/governance"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
	"chartwarden/policies"
)

// house is a small hospital whose rules somebody wants to change.
type house struct {
	*servertest.Server
	maren, otto string
	anna        *servertest.Client // treats maren
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Server: servertest.Start(t)}
	anna := h.put(t, `{"resourceType":"Practitioner","name":[{"family":"Lindqvist","given":["Anna"]}]}`)
	for family, id := range map[string]*string{"Okafor": &h.maren, "Brandt": &h.otto} {
		_, *id, _ = strings.Cut(h.put(t, `{"resourceType":"Patient","name":[{"family":"`+family+`"}],"birthDate":"1961-03-14"}`), "/")
		h.put(t, `{"resourceType":"Condition","subject":{"reference":"Patient/`+*id+`"},"code":{"text":"Asthma"}}`)
	}
	h.put(t, `{"resourceType":"Encounter","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
		"subject":{"reference":"Patient/`+h.maren+`"},"participant":[{"individual":{"reference":"`+anna+`"}}],
		"period":{"start":"`+h.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	h.anna = h.Person(t, "Anna Lindqvist", "physician", anna)
	return h
}

func (h *house) put(t testing.TB, body string) string {
	t.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	done, err := h.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "POST", URL: doc.Type(), Doc: doc}})
	if err == nil {
		err = done[0].Err
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc.Type() + "/" + done[0].Written.ID
}

var shell = access.Job(access.Operator)

func shipped(t testing.TB) policy.Bundle {
	t.Helper()
	b, err := policy.Gather(policies.Files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stricter is the shipped bundle, but for physicians a contact opens nothing any more.
func stricter(t testing.TB) policy.Bundle {
	b := maps.Clone(shipped(t))
	b["treatment.cedar"] = strings.Replace(b["treatment.cedar"], `permit (principal is Staff in Role::"physician",
        action in [Action::"read", Action::"search", Action::"write", Action::"print"], resource is Record)
when {`, `permit (principal is Staff in Role::"physician",
        action in [Action::"print"], resource is Record)
when {`, 1)
	if b["treatment.cedar"] == shipped(t)["treatment.cedar"] {
		t.Fatal("the rule was not found")
	}
	for name := range b {
		if strings.HasPrefix(name, "scenarios/") {
			delete(b, name)
		}
	}
	b["scenarios/contact.txt"] = "Scenario: A contact prints\n  who: physician\n  chart: contact now\n  prints notes -> allowed by treat.contact\n  reads notes -> refused\n"
	return b
}

// answered drafts a bundle, replays it, and answers for what it would have blocked.
func (h *house) answered(t *testing.T, who access.Principal, b policy.Bundle) *governance.Proposal {
	t.Helper()
	p, err := h.Rules.Draft(t.Context(), who, b, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if p, err = h.Rules.Replay(t.Context(), who, p.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Replay.Blocked() {
		if p, err = h.Rules.Answer(t.Context(), who, p.ID, c.Key, "they ask the team"); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (h *house) officer(t *testing.T, name, role string) access.Principal {
	t.Helper()
	c := h.Person(t, name, role, "")
	sessions, err := h.Persons.Sessions(t.Context(), c.Person.Person)
	if err != nil || len(sessions) != 1 {
		t.Fatal(len(sessions), err)
	}
	return access.Person(sessions[0])
}

func (h *house) holds(t *testing.T) {
	t.Helper()
	report, err := h.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		t.Error(f)
	}
}

// publish has two people put a bundle in force.
func (h *house) publish(t *testing.T, b policy.Bundle, starts time.Time) access.Approval {
	t.Helper()
	p := h.answered(t, shell, b)
	a, err := h.Rules.Propose(t.Context(), shell, p.ID, starts, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if a, err = h.Gate.Approve(t.Context(), h.officer(t, "Pia Riv", "privacy"), a.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPublish(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	read := func() int { return h.anna.Get(t, "/fhir/Condition?patient="+h.maren).Status }
	if got := read(); got != http.StatusOK {
		t.Fatal(got)
	}
	author, second := h.officer(t, "Ada Min", "administrator"), h.officer(t, "Pia Riv", "privacy")
	p, err := h.Rules.Draft(ctx, author, stricter(t), "contacts print only")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rules.Propose(ctx, author, p.ID, time.Time{}, "a test"); !outcome.Is(err, outcome.BusinessRule) {
		t.Fatalf("without a replay: %v", err)
	}
	if p, err = h.Rules.Replay(ctx, author, p.ID); err != nil {
		t.Fatal(err)
	}
	gains, losses, care := p.Replay.Counts()
	if gains != 0 || losses == 0 || care == 0 || care > losses {
		t.Fatalf("%d gain, %d lose, %d of them care: %+v", gains, losses, care, p.Replay)
	}
	if _, err := h.Rules.Propose(ctx, author, p.ID, time.Time{}, "a test"); !outcome.Is(err, outcome.BusinessRule) {
		t.Fatalf("with blocked acts of care that nobody answered for: %v", err)
	}
	for _, c := range p.Replay.Blocked() {
		if _, err := h.Rules.Answer(ctx, author, p.ID, c.Key, "they ask the team"); err != nil {
			t.Fatal(err)
		}
	}
	a, err := h.Rules.Propose(ctx, author, p.ID, time.Time{}, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(); got != http.StatusOK {
		t.Fatalf("before anybody agreed: %d", got)
	}
	if _, err := h.Rules.Save(ctx, author, p.ID, "treatment.cedar", "// else"); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("the text was changed while it waits: %v", err)
	}
	if _, err := h.Gate.Approve(ctx, author, a.ID); err == nil {
		t.Fatal("the author agreed")
	}
	if _, err := h.Gate.Approve(ctx, second, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Gate.CarryOut(ctx); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != http.StatusForbidden {
		t.Fatalf("after: %d", got)
	}
	now, _ := h.Rules.InForce()
	if now.Hash != stricter(t).Hash() || now.Origin != governance.House || now.Item != a.ID {
		t.Errorf("in force: %+v", now)
	}
	h.holds(t)

	back, err := h.Rules.Rollback(ctx, second, shipped(t).Hash()[:12], "it stops people")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Gate.Approve(ctx, second, back.ID); err == nil {
		t.Fatal("who asked to go back agreed")
	}
	if _, err := h.Gate.Approve(ctx, h.officer(t, "Seb Cur", "security"), back.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Gate.CarryOut(ctx); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != http.StatusOK {
		t.Fatalf("after going back: %d", got)
	}
	h.holds(t)
}

// What a replay lists is what enforcing that bundle gives (A13).
func TestReplayIsWhatEnforcingGives(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	stranger, desk := h.Person(t, "Per Stranger", "physician", ""), h.Person(t, "Marcus Hale", "front-desk", "")
	asks := []struct {
		who  *servertest.Client
		path string
	}{{h.anna, "/fhir/Condition?patient=" + h.maren}, {h.anna, "/fhir/Patient/" + h.maren}, {stranger, "/fhir/Patient/" + h.otto}, {desk, "/fhir/Patient/" + h.otto}, {desk, "/fhir/Condition?patient=" + h.maren}}
	run := func() (out []bool) {
		for _, a := range asks {
			out = append(out, a.who.Get(t, a.path).Status == http.StatusOK)
		}
		return out
	}
	from := h.Now()
	before := run()
	replayed, err := h.Rules.Try(ctx, shell, stricter(t), from, h.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	h.publish(t, stricter(t), time.Time{})
	after := run()
	lost := 0
	for i := range before {
		if before[i] && !after[i] {
			lost++
		} else if !before[i] && after[i] {
			t.Errorf("%s was gained", asks[i].path)
		}
	}
	gains, losses, _ := replayed.Counts()
	if gains != 0 || lost == 0 || int(losses) < lost {
		t.Errorf("the replay says %d gains and %d losses; enforcing it takes %d away: %+v", gains, losses, lost, replayed.Lines)
	}
	again, err := h.Rules.Try(ctx, shell, stricter(t), from, h.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, more, _ := again.Counts(); more != losses {
		t.Errorf("what the candidate itself decided counts as different: %d, not %d", more, losses)
	}
}

// One by one and in both directions: what the replay of each access says is what the same access gives once the candidate is enforced, for rules
// that take away and for rules that give.
func TestReplayIsWhatEachAccessGives(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	osei := h.put(t, `{"resourceType":"Practitioner","name":[{"family":"Osei"}]}`)
	h.put(t, `{"resourceType":"CareTeam","status":"active","subject":{"reference":"Patient/`+h.otto+`"},"participant":[{"member":{"reference":"`+osei+`"}}]}`)
	ben := h.Person(t, "Ben Osei", "nurse", osei)
	people := []*servertest.Client{h.anna, ben, h.Person(t, "Per Stranger", "physician", ""), h.Person(t, "Marcus Hale", "front-desk", ""), h.Person(t, "Bill Ito", "billing", ""), h.Person(t, "Ada Min", "administrator", "")}
	var paths []string
	for _, patient := range []string{h.maren, h.otto} {
		paths = append(paths, "/fhir/Patient/"+patient, "/fhir/Condition?patient="+patient, "/fhir/Encounter?patient="+patient, "/fhir/Coverage?patient="+patient)
	}
	type asked struct {
		who      *servertest.Client
		path     string
		allowed  bool
		from, to time.Time
	}
	ask := func() (out []asked) {
		for _, who := range people {
			for _, path := range paths {
				a := asked{who: who, path: path, from: h.Now()}
				a.allowed = who.Get(t, path).Status == http.StatusOK
				time.Sleep(time.Millisecond) // the next one begins in another
				a.to = h.Now()
				out = append(out, a)
			}
		}
		return out
	}
	for _, round := range []struct {
		name   string
		bundle policy.Bundle
		gains  bool
	}{{"stricter", stricter(t), false}, {"shipped", shipped(t), true}} {
		before := ask()
		says := make([]bool, len(before))
		for i, a := range before {
			replayed, err := h.Rules.Try(ctx, shell, round.bundle, a.from, a.to)
			if err != nil {
				t.Fatal(err)
			}
			gains, losses, _ := replayed.Counts()
			if gains > 0 && losses > 0 {
				t.Fatalf("%s: %d decisions, %+v", a.path, replayed.Decisions, replayed.Lines)
			}
			says[i] = a.allowed && losses == 0 || !a.allowed && gains > 0
		}
		h.publish(t, round.bundle, time.Time{})
		changed := 0
		for i, a := range ask() {
			if a.allowed != says[i] {
				t.Errorf("%s: %s asks for %s: allowed %v before and %v after; the replay says %v", round.name, a.who.Person.Person, a.path, before[i].allowed, a.allowed, says[i])
			}
			if a.allowed != before[i].allowed {
				changed++
				if a.allowed != round.gains {
					t.Errorf("%s: %s went the other way", round.name, a.path)
				}
			}
		}
		if changed == 0 {
			t.Errorf("%s changed nothing", round.name)
		}
	}
}

// A shell is no approval, and a text that does not load or whose scenarios fail goes nowhere.
func TestWhatIsNotPublished(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	p := h.answered(t, shell, stricter(t))
	a, err := h.Rules.Propose(ctx, shell, p.ID, time.Time{}, "from the command line")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Gate.Approve(ctx, shell, a.ID); err == nil {
		t.Error("a shell agreed")
	}
	for name, text := range map[string]string{"treatment.cedar": "permit (principal, action, resource);", "schema.cedarschema": "nonsense"} {
		b := maps.Clone(shipped(t))
		b[name] = text
		draft, err := h.Rules.Draft(ctx, shell, b, "a test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Rules.Propose(ctx, shell, draft.ID, time.Time{}, "a test"); !outcome.Is(err, outcome.BusinessRule) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Rules.Replay(ctx, shell, draft.ID); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s was replayed: %v", name, err)
		}
	}
	b := maps.Clone(shipped(t))
	b["scenarios/wrong.txt"] = "Scenario: wrong\n  who: nurse\n  chart: a stranger's\n  reads notes -> allowed\n"
	draft, err := h.Rules.Draft(ctx, shell, b, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rules.Propose(ctx, shell, draft.ID, time.Time{}, "a test"); !outcome.Is(err, outcome.BusinessRule) {
		t.Errorf("a scenario that does not hold: %v", err)
	}
	if _, err := h.Rules.Rollback(ctx, shell, stricter(t).Hash(), "never in force"); !outcome.Is(err, outcome.BusinessRule) {
		t.Errorf("a rollback to what was never in force: %v", err)
	}
}

// A proposal keeps what it holds.
func TestProposalRoundTrip(t *testing.T) {
	h := newHouse(t)
	h.anna.Get(t, "/fhir/Patient/"+h.maren)
	p := h.answered(t, shell, stricter(t))
	back, err := h.Rules.Proposal(t.Context(), shell, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(p)
	got, _ := json.Marshal(back)
	if string(want) != string(got) {
		t.Errorf("%.300q\nnot\n%.300q", got, want)
	}
}

// Who agrees has read what differs from the rules in force. When others came into force meanwhile she agrees to nothing unseen; and a
// replay that ends after the proposal was sent on does not take it back to work.
func TestWhatIsAgreedToIsWhatWasRead(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	author, second := h.officer(t, "Ada Min", "administrator"), h.officer(t, "Pia Riv", "privacy")
	ready := func(b policy.Bundle) *governance.Proposal {
		t.Helper()
		p, err := h.Rules.Draft(ctx, author, b, "a test")
		if err == nil {
			p, err = h.Rules.Replay(ctx, author, p.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.Replay.Blocked() {
			if p, err = h.Rules.Answer(ctx, author, p.ID, c.Key, "they ask the team"); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	worded := maps.Clone(shipped(t))
	worded["treatment.cedar"] += "\n// said more clearly\n"
	one, other := ready(stricter(t)), ready(worded)
	first, err := h.Rules.Propose(ctx, author, one.ID, time.Time{}, "a test")
	if err != nil {
		t.Fatal(err)
	}
	late, err := h.Rules.Propose(ctx, author, other.ID, time.Time{}, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Rules.StoreForTest(ctx, one); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("a slow replay overwrote a proposal that waits: %v", err)
	}
	if _, err := h.Gate.Approve(ctx, second, first.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Gate.CarryOut(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Gate.Approve(ctx, second, late.ID); !outcome.Is(err, outcome.Conflict) {
		t.Errorf("agreed on top of rules that she was not shown: %v", err)
	}
	if now, _ := h.Rules.InForce(); now.Hash != stricter(t).Hash() {
		t.Error("what came into force first was taken out")
	}
}
