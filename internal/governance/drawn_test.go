package governance_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/governance"
	"chartwarden/internal/policy"
	"chartwarden/internal/server/servertest"
)

// drawn is the shipped bundle after edits drawn at random: rules that are gone, windows that are shorter or longer, rules that give what no
// shipped one gives, and rules that refuse. It says what it did.
func drawn(t *testing.T, r *rand.Rand) (b policy.Bundle, done []string) {
	t.Helper()
	b = maps.Clone(shipped(t))
	change := func(file, name, from, to string) {
		t.Helper()
		if r.IntN(5) > 1 {
			return
		}
		before := b[file]
		if b[file] = strings.Replace(before, from, to, 1); b[file] == before {
			t.Fatalf("%s: %q was not found", name, from)
		}
		done = append(done, name)
	}
	drop := func(file, id string) { // it never holds any more
		at := strings.Index(b[file], `@id("`+id+`")`)
		if at < 0 {
			t.Fatal(id)
		}
		rule, _, _ := strings.Cut(b[file][at:], ";")
		change(file, "without "+id, rule, rule+"\nwhen { false }")
	}
	add := func(file, id, rule string) {
		if r.IntN(5) < 2 {
			b[file] += "\n@id(\"" + id + "\")\n@why(\"It was drawn.\")\n" + rule + "\n"
			done = append(done, id)
		}
	}
	for _, id := range []string{"treat.careteam", "treat.contact", "treat.nurse", "treat.allied", "treat.contact.wide"} {
		drop("treatment.cedar", id)
	}
	for _, id := range []string{"ops.frontdesk", "ops.frontdesk.consent", "ops.billing"} {
		drop("operations.cedar", id)
	}
	change("treatment.cedar", "thirty days are ten", `lastContactEnd.offset(duration("30d"))`, `lastContactEnd.offset(duration("10d"))`)
	change("treatment.cedar", "72 hours are 20 days", `lastContactEnd.offset(duration("72h"))`, `lastContactEnd.offset(duration("480h"))`)
	reads := `action in [Action::"read", Action::"search"], resource is Record)`
	add("treatment.cedar", "treat.results", `permit (principal is Staff in Role::"technician", `+reads+` when { resource.class == "results" && resource.chart.flags.isEmpty() && resource.chart.hasTag(principal.key) && resource.chart.getTag(principal.key) has lastContactEnd };`)
	add("operations.cedar", "ops.coverage", `permit (principal is Staff in Role::"front-desk", `+reads+` when { resource.class == "billing" };`)
	add("operations.cedar", "ops.visits", `permit (principal is Staff in Role::"billing", `+reads+` when { resource.class == "scheduling" };`)
	add("treatment.cedar", "treat.names", `permit (principal is Staff in Role::"nurse", `+reads+` when { resource.class == "demographics" && resource.chart.hasTag(principal.key) && resource.chart.getTag(principal.key) has lastContactEnd };`)
	unless := ` unless { action in [Action::"read", Action::"search", Action::"write"] && context.aal >= 2 && (context.device != "unknown" || context.zone != "internet" || context.authAge <= 900) &&
		resource.chart.hasTag(principal.key) && (resource.chart.getTag(principal.key).openContact || (resource.chart.getTag(principal.key) has btgUntil && context.now < resource.chart.getTag(principal.key).btgUntil)) };`
	add("denials.cedar", "deny.visits", `forbid (principal is Staff in Role::"medical-assistant", `+reads+` when { resource.class == "scheduling" }`+unless)
	add("denials.cedar", "deny.results", `forbid (principal is Staff in Role::"nurse", `+reads+` when { resource.class == "results" }`+unless)
	for name := range b {
		if strings.HasPrefix(name, "scenarios/") {
			delete(b, name)
		}
	}
	b["scenarios/own.txt"] = "Scenario: Staff at their own chart\n  who: physician\n  chart: her own\n  reads notes -> refused\n"
	return b, done
}

// A13, for bundles that nobody wrote by hand, one after the other, so that each takes and gives: what the replay of each access says is what
// the same access gives once the bundle is enforced.
func TestReplayIsWhatADrawnBundleGives(t *testing.T) {
	rounds, each := 8, 150
	if testing.Short() {
		rounds, each = 2, 60
	}
	h := newHouse(t)
	ctx, r := t.Context(), rand.New(rand.NewPCG(13, 5))
	roles := []string{"physician", "nurse", "medical-assistant", "pharmacist", "technician", "front-desk", "billing", "nurse front-desk", "administrator"}
	var people []*servertest.Client
	var practitioners []string
	for i, role := range roles {
		practitioners = append(practitioners, h.put(t, fmt.Sprintf(`{"resourceType":"Practitioner","name":[{"family":"Drawn%d"}]}`, i)))
		people = append(people, h.Person(t, fmt.Sprintf("Drawn Person%d", i), role, practitioners[i]))
	}
	var charts []string
	for i := range 8 {
		_, id, _ := strings.Cut(h.put(t, fmt.Sprintf(`{"resourceType":"Patient","name":[{"family":"Chart%d"}],"birthDate":"1961-03-14"}`, i)), "/")
		charts = append(charts, id)
		subject := `"subject":{"reference":"Patient/` + id + `"}`
		h.put(t, `{"resourceType":"Condition",`+subject+`,"code":{"text":"Asthma"}}`)
		h.put(t, `{"resourceType":"Observation","status":"final",`+subject+`,"code":{"text":"Weight"}}`)
		h.put(t, `{"resourceType":"Coverage","status":"active","beneficiary":{"reference":"Patient/`+id+`"},"payor":[{"display":"Payer"}]}`)
		if i%4 == 3 {
			h.put(t, `{"resourceType":"Flag","status":"active","code":{"coding":[{"code":"vip"}]},`+subject+`}`)
		}
		for j, practitioner := range practitioners {
			ended := h.Now().AddDate(0, 0, -[]int{1, 5, 15, 25, 60}[r.IntN(5)])
			switch r.IntN(4) {
			case 0:
				h.put(t, `{"resourceType":"CareTeam","status":"active",`+subject+`,"participant":[{"member":{"reference":"`+practitioner+`"}}]}`)
			case 1:
				h.put(t, `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},`+subject+`,"participant":[{"individual":{"reference":"`+practitioner+`"}}],
					"period":{"start":"`+ended.Add(-time.Hour).UTC().Format(time.RFC3339)+`","end":"`+ended.UTC().Format(time.RFC3339)+`"}}`)
			case 2:
				if roles[j] != "administrator" {
					h.put(t, `{"resourceType":"Encounter","status":"in-progress","class":{"code":"IMP"},`+subject+`,"participant":[{"individual":{"reference":"`+practitioner+`"}}],"period":{"start":"`+ended.UTC().Format(time.RFC3339)+`"}}`)
				}
			}
		}
	}
	people = append(people, h.Patient(t, "Self", charts[0]))
	type asked struct {
		who      *servertest.Client
		path     string
		allowed  bool
		from, to time.Time
	}
	ask := func(a *asked) {
		a.from = h.Now()
		a.allowed = a.who.Get(t, a.path).Status == http.StatusOK
		time.Sleep(time.Millisecond) // the next one begins in another
		a.to = h.Now()
	}
	lost, won := 0, 0
	for round := range rounds {
		b, done := drawn(t, r)
		before, says := make([]asked, each), make([]bool, each)
		for i := range before {
			id := charts[r.IntN(len(charts))]
			before[i] = asked{who: people[r.IntN(len(people))], path: "/fhir/" + []string{"Patient/" + id, "Condition?patient=" + id, "Observation?patient=" + id, "Encounter?patient=" + id, "Coverage?patient=" + id}[r.IntN(5)]}
			ask(&before[i])
			replayed, err := h.Rules.Try(ctx, shell, b, before[i].from, before[i].to)
			if err != nil {
				t.Fatal(err)
			}
			gains, losses, _ := replayed.Counts()
			if gains > 0 && losses > 0 {
				t.Fatalf("%s: %d decisions, %+v", before[i].path, replayed.Decisions, replayed.Lines)
			}
			says[i] = before[i].allowed && losses == 0 || !before[i].allowed && gains > 0
		}
		if c := governance.Check(b); !c.Sound() {
			t.Fatal(done, c.Faults, c.Failed)
		}
		h.publish(t, b, time.Time{})
		for i, was := range before {
			now := was
			ask(&now)
			if now.allowed != says[i] {
				t.Errorf("round %d, %v: %s asks for %s: allowed %v before and %v after; the replay says %v", round, done, now.who.Person.Person, now.path, was.allowed, now.allowed, says[i])
			}
			switch {
			case was.allowed && !now.allowed:
				lost++
			case !was.allowed && now.allowed:
				won++
			}
		}
	}
	if t.Logf("%d accesses under %d bundles: %d lost, %d won", rounds*each, rounds, lost, won); lost < rounds || won < rounds {
		t.Error("too little changed")
	}
	h.holds(t)
}
