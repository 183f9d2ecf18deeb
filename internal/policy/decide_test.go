package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/outcome"
	"chartwarden/policies"
)

func physician() Request {
	r := Request{Action: Read, Relation: Relation{CareTeam: true}, Resource: Resource{Type: "Observation", Group: "results", PatientKey: "1", Released: true}}
	freshWho(&r)
	freshFrom(&r)
	r.Principal.Roles = []string{"physician"}
	return r
}

// Whatever a caller forgets or misspells denies; it never skips a forbid.
func TestFaultyFactsDeny(t *testing.T) {
	for name, spoil := range map[string]func(*Request){
		"no kind":          func(r *Request) { r.Principal.Kind = "" },
		"unknown kind":     func(r *Request) { r.Principal.Kind = "robot" },
		"no id":            func(r *Request) { r.Principal.ID = "" },
		"no capacity":      func(r *Request) { r.Principal.Capacity = "" },
		"unknown capacity": func(r *Request) { r.Principal.Capacity = "both" },
		"unknown role":     func(r *Request) { r.Principal.Roles = []string{"physician", "surgeon"} },
		"unknown action":   func(r *Request) { r.Action = "peek" },
		"action group":     func(r *Request) { r.Action = "chart" },
		"never trained":    func(r *Request) { r.Principal.TrainingDue = time.Time{} },
		"no assurance":     func(r *Request) { r.Context.AAL = 0 },
		"unknown device":   func(r *Request) { r.Context.Device, r.Context.Zone = "toaster", VPN },
		"unknown zone":     func(r *Request) { r.Context.Device, r.Context.Zone = Unknown, "ward" },
		"zero":             func(r *Request) { *r = Request{} },
	} {
		r := physician()
		if d := Default().Decide(r); !d.Allowed {
			t.Fatalf("the case to spoil is refused: %s", Default().Explain(r))
		}
		spoil(&r)
		if d := Default().Decide(r); d.Allowed {
			t.Errorf("%s: allowed by %v", name, d.PermitIDs())
		}
	}
}

// The engine skips a policy that errs. Were that a forbid, it would fail open: any error must deny and be told.
func TestAnErrorDenies(t *testing.T) {
	set, err := Load(edit(t, "denials.cedar", "when { context.now > principal.trainingDue }",
		"when { context.aal + 9223372036854775807 > 0 || context.now > principal.trainingDue }"))
	if err != nil {
		t.Fatal(err)
	}
	d := set.Decide(physician())
	if d.Allowed || len(d.Errors) == 0 || !strings.Contains(d.Errors[0], "deny.training") {
		t.Fatalf("allowed %v, errors %v", d.Allowed, d.Errors)
	}
	f, err := set.Filter(physician().Principal, Read, physician().Relation, physician().Context)
	if err == nil && f.Allows(physician().Resource) {
		t.Fatal("the filter allows what errs")
	}
}

// What a filter cannot express is refused, not guessed.
func TestFilterRefusesWhatItCannotExpress(t *testing.T) {
	set, err := Load(edit(t, "denials.cedar", `when { resource.labels.contains("PSYTHPN")`, `when { resource.kind like "Obs*" || resource.labels.contains("PSYTHPN")`))
	if err != nil {
		t.Fatal(err)
	}
	r := physician()
	if _, err := set.Filter(r.Principal, Read, r.Relation, r.Context); outcome.CodeOf(err) != outcome.Exception || err == nil {
		t.Fatalf("got %v", err)
	}
	if _, err := Default().Filter(r.Principal, People, r.Relation, r.Context); err == nil {
		t.Fatal("an administrative action has a filter")
	}
	r.Principal.Kind = ""
	if _, err := Default().Filter(r.Principal, Read, r.Relation, r.Context); err == nil {
		t.Fatal("a faulty principal has a filter")
	}
}

func TestReasonsAreCompleteOnARefusal(t *testing.T) {
	r := physician()
	r.Principal.TrainingDue = r.Context.Now.Add(-time.Hour)
	d := Default().Decide(r)
	if d.Allowed || len(d.Permits) != 1 || d.Permits[0].ID != "treat.careteam" || d.Advice != "training" || d.Hash != Default().Hash() {
		t.Fatalf("%+v", d)
	}
	if want := "Your security training is overdue."; d.Why() != want {
		t.Fatalf("%q", d.Why())
	}
	if got := (Decision{}).Why(); !strings.HasPrefix(got, "No rule") {
		t.Fatalf("%q", got)
	}
}

func TestGlassIsTheOnlyReason(t *testing.T) {
	r := physician()
	r.Relation.BTGUntil = r.Context.Now.Add(time.Hour)
	if Default().Decide(r).Glass() {
		t.Error("the care team needs no glass")
	}
	r.Relation.CareTeam = false
	if !Default().Decide(r).Glass() {
		t.Error("nothing but the grant permits this")
	}
	r.Relation.BTGUntil = time.Time{}
	if Default().Decide(r).Glass() {
		t.Error("a refusal rests on nothing")
	}
}

func TestWays(t *testing.T) {
	r := physician()
	r.Principal.TrainingDue = r.Context.Now.Add(-time.Hour)
	if got := Default().Ways(r); len(got) != 2 || got[0] != outcome.Training || got[1] != outcome.BreakGlass {
		t.Errorf("overdue: %v", got)
	}
	r.Relation.CareTeam = false
	if way, ok := Default().WayForward(r); !ok || way != outcome.BreakGlass {
		t.Errorf("overdue stranger: %v", way)
	}
	r.Principal.TrainingDue = r.Context.Now.Add(time.Hour)
	r.Principal.Departments, r.Relation.OrderDepts = []string{"ct"}, []string{"ct"}
	if got := Default().Ways(r); !slices.Equal(got, []outcome.Way{outcome.BreakGlass, outcome.TakeOrder, outcome.AskTeam}) {
		t.Errorf("off shift, with an order for the department: %v", got)
	}
	r.Principal.Departments, r.Principal.Roles = nil, []string{"billing"}
	if got := Default().Ways(r); !slices.Equal(got, []outcome.Way{outcome.AskGrant}) {
		t.Errorf("billing: %v", got)
	}
	r.Principal.Roles = []string{"front-desk"}
	if way, ok := Default().WayForward(r); ok {
		t.Errorf("front desk is offered %v", way)
	}
	if got := Default().Ways(physician()); got != nil {
		t.Errorf("what is allowed is offered %v", got)
	}
}

func TestExplainSpeaksPlainly(t *testing.T) {
	r := physician()
	r.Context.Device, r.Context.Zone, r.Principal.ID, r.Resource.PatientKey = Unknown, Internet, "person-77", "patient-88"
	text := Default().Explain(r)
	for _, want := range []string{"refused: read results", "stepup.device", "This device is not known here", "treat.careteam", "would open with registered-device", Default().Hash(), "careTeam"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "person-77") || strings.Contains(text, "patient-88") {
		t.Error("an explanation names somebody")
	}
}

func TestScenarioFaultsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"reads notes -> allowed":     "f.txt:1",
		"Scenario:":                  "f.txt:1",
		"Scenario: a\n who: surgeon": "f.txt:2",
		"Scenario: a\n who: physician\n chart: on the moon":             "f.txt:3",
		"Scenario: a\n from: pocket device":                             "f.txt:2",
		"Scenario: a\n\n peeks notes -> allowed":                        "f.txt:3",
		"Scenario: a\n reads gossip -> allowed":                         "f.txt:2",
		"Scenario: a\n reads notes":                                     "f.txt:2",
		"Scenario: a\n reads notes -> maybe":                            "f.txt:2",
		"Scenario: a\n reads notes -> allowed treat.x":                  "f.txt:2",
		"Scenario: a\n reads notes -> allowed, please":                  "f.txt:2",
		"Scenario: a\n does gossip -> allowed":                          "f.txt:2",
		"Scenario: a\n chart: contact ended 99999999999999999999 h ago": "f.txt:2",
		"Scenario: a\nScenario: a":                                      "f.txt:2",
	} {
		if _, err := parseScenarios("f.txt", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not name %s", text, err, want)
		}
	}
}

func TestABrokenScenarioIsReported(t *testing.T) {
	trials, err := Default().Test(edit(t, "scenarios/glass.txt", "breaks the glass -> allowed by btg.break", "breaks the glass -> refused"))
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, x := range trials {
		if !x.Passed {
			failed++
			if !strings.HasPrefix(x.Place, "scenarios/glass.txt:") || x.Got != "allowed by btg.break" {
				t.Errorf("%+v", x)
			}
		}
	}
	if failed != 1 {
		t.Errorf("%d failed", failed)
	}
}

func FuzzScenarios(f *testing.F) {
	text, _ := policies.Files.ReadFile("scenarios/glass.txt")
	f.Add(text[:800])
	f.Add([]byte("Scenario: a\n who: a program, with scope to read *\n reads Location as directory labelled PSY+HIV not released in the directory -> refused by a b, offers nothing"))
	f.Fuzz(func(t *testing.T, text []byte) {
		steps, err := parseScenarios("f", text)
		if err != nil {
			return
		}
		for _, s := range steps {
			if s.scenario == "" || s.request.Action == "" || s.line == 0 {
				t.Fatalf("%+v", s)
			}
			Default().Decide(s.request)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	w := world{rand.New(rand.NewPCG(9, 9))}
	var qs []Request
	for range 1000 {
		q := Request{w.principal(), Read, w.relation(), w.resource(), w.context()}
		q.Principal.Kind = Person
		qs = append(qs, q)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Default().Decide(qs[i%len(qs)])
	}
}

func BenchmarkDecidePhysician(b *testing.B) {
	r := physician()
	b.ReportAllocs()
	for b.Loop() {
		Default().Decide(r)
	}
}

func BenchmarkDecideEach500(b *testing.B) {
	w := world{rand.New(rand.NewPCG(9, 9))}
	r := physician()
	var rs []Resource
	for range 500 {
		x := w.resource()
		x.PatientKey = "1"
		rs = append(rs, x)
	}
	for b.Loop() {
		Default().DecideEach(r.Principal, Read, r.Relation, r.Context, rs)
	}
}

func BenchmarkFilterMake(b *testing.B) {
	r := physician()
	for b.Loop() {
		if _, err := Default().Filter(r.Principal, Search, r.Relation, r.Context); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFilterAllows(b *testing.B) {
	r := physician()
	f, err := Default().Filter(r.Principal, Search, r.Relation, r.Context)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f.Allows(r.Resource)
	}
}

func BenchmarkWayForward(b *testing.B) {
	r := physician()
	r.Relation = Relation{}
	for b.Loop() {
		Default().WayForward(r)
	}
}

// A failing rule denies whichever side it stands on and whatever else permits.
func TestAFailureInAFilterDenies(t *testing.T) {
	p := pair{&Resource{}, &Relation{}}
	unset := before{left: instant{get: relationTimes["btgUntil"]}, right: instant{shift: 1}}
	for name, c := range map[string]struct {
		permits, forbids []expression
		want             bool
	}{
		"permitted":           {[]expression{constant(yes)}, []expression{constant(no)}, true},
		"forbid fails":        {[]expression{constant(yes)}, []expression{unset}, false},
		"not of a failure":    {[]expression{constant(yes)}, []expression{negation{unset}}, false},
		"left fails":          {[]expression{constant(yes)}, []expression{both{unset, constant(no)}}, false},
		"left fails in or":    {[]expression{constant(yes)}, []expression{either{unset, constant(no)}}, false},
		"guarded":             {[]expression{constant(yes)}, []expression{both{timeSet{instant{get: relationTimes["btgUntil"]}}, unset}}, true},
		"another permit errs": {[]expression{constant(yes), unset}, nil, false},
		"nothing permits":     {nil, nil, false},
	} {
		if got := allows(c.permits, c.forbids, p); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, e := range []expression{both{unset, constant(no)}, either{unset, constant(yes)}, negation{unset}} {
		if got := fold(e, p.relation); got != constant(fails) {
			t.Errorf("%s folds to %s", describe(e), describe(got))
		}
	}
}

// The slice already keeps the capacities apart, before any rule is read.
func TestCapacitiesAreSeparateEntities(t *testing.T) {
	p := Principal{Kind: Person, ID: "her", Capacity: Staff, Roles: []string{"nurse", RolePatient}}
	for capacity, want := range map[string][2]string{Staff: {"Staff", "nurse"}, Patient: {"Patient", RolePatient}} {
		p.Capacity = capacity
		e, err := principalEntity(p)
		if err != nil {
			t.Fatal(err)
		}
		if string(e.UID.Type) != want[0] || e.Parents.Len() != 1 {
			t.Errorf("%s is %v in %v", capacity, e.UID, e.Parents)
		}
		for role := range e.Parents.All() {
			if string(role.ID) != want[1] {
				t.Errorf("as %s she has the role %s", capacity, role.ID)
			}
		}
	}
}
