package score

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// Ten judged days of 1,000 active people, so that budget b allows b false cases a day.
func labels(more ...string) string {
	days := ""
	for d := range 12 {
		days += fmt.Sprintf(`,{"date":"2026-01-%02d","active":1000,"events":9}`, 5+d)
	}
	return `{"benchmark":"chartwarden","version":1,"seed":901,"use":"test","staff":1200,"judged_from":"2026-01-07","days":[` + days[1:] + "]}\n" + strings.Join(more, "\n")
}

func attack(agent, scenario string, day int, detectable bool, events ...string) string {
	seconds := make([]string, len(events))
	for i := range seconds {
		seconds[i] = fmt.Sprint(i * 3600)
	}
	return fmt.Sprintf(`{"label":"a-%s","kind":"attack","agent":"Practitioner/%s","role":"nurse","scenario":"%s","grade":2,"mix":100,"detectable":%t,"start":"2026-01-%02dT08:00:00Z","end":"2026-01-%02dT16:00:00Z","events":["%s"],"seconds":[%s]}`,
		agent, agent, scenario, detectable, day, day, strings.Join(events, `","`), strings.Join(seconds, ","))
}

func caseLine(id string, revision int, agent string, updated string, posterior float64, queue string, events ...string) string {
	return fmt.Sprintf(`{"case":"%s","revision":%d,"agent":"Practitioner/%s","hypothesis":"snoop","opened":"%s","updated":"%s","log_e":1,"posterior":%g,"severity":1,"queue":"%s","events":["%s"],"patients":[]}`,
		id, revision, agent, updated, updated, posterior, queue, strings.Join(events, `","`)) + "\n"
}

func judged(t *testing.T, labels, cases, verdicts string) *Result {
	t.Helper()
	in := Input{Labels: strings.NewReader(labels), Cases: strings.NewReader(cases)}
	if verdicts != "" {
		in.Verdicts = strings.NewReader(verdicts)
	}
	r, err := Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const noon = "2026-01-09T12:00:00Z"

func TestRecallIsByRankAmongTheFalseCasesOfTheDay(t *testing.T) {
	cases := caseLine("c", 1, "eve", noon, .5, "watch", "e1")
	for i := range 3 {
		cases += caseLine(fmt.Sprint("f", i), 1, fmt.Sprint("innocent", i), noon, .6, "review", "x")
	}
	cases += caseLine("other day", 1, "innocent9", "2026-01-10T12:00:00Z", .9, "review", "x")
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), cases, "")
	if got := r.All.Found; got != [4]int{0, 0, 1, 1} { // three false cases are above: within 5, not within 2
		t.Errorf("found %v", got)
	}
	if r.All.Queued != 0 || r.FalseQueued != .4 { // four in ten days of a thousand
		t.Errorf("queued %d, false %v", r.All.Queued, r.FalseQueued)
	}
}

func TestTiesCountAgainstTheAttack(t *testing.T) {
	cases := caseLine("c", 1, "eve", noon, .5, "review", "e1") + caseLine("f", 1, "innocent", noon, .5, "review", "x") + caseLine("g", 1, "innocent2", noon, .5, "review", "x")
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), cases, "")
	if got := r.All.Found; got != [4]int{0, 1, 1, 1} {
		t.Errorf("found %v", got)
	}
}

func TestOnlyTheLastRevisionCounts(t *testing.T) {
	cases := caseLine("c", 1, "eve", noon, .9, "review", "e1") + caseLine("c", 2, "eve", "2026-01-10T12:00:00Z", .1, "watch", "e1") + caseLine("f", 1, "innocent", noon, .2, "review", "x") +
		caseLine("g", 1, "innocent", noon, .2, "review", "x")
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), cases, "")
	if r.All.Found != [4]int{0, 1, 1, 1} || r.All.Queued != 0 {
		t.Errorf("found %v, queued %d", r.All.Found, r.All.Queued)
	}
}

func TestOtherAttacksNeitherHelpNorHinder(t *testing.T) {
	cases := caseLine("c", 1, "eve", noon, .5, "review", "e1")
	for i := range 20 { // a crowd of better ones, one of them with a case that matches nothing
		cases += caseLine(fmt.Sprint("m", i), 1, "mallory", noon, .9, "review", map[bool]string{true: "m1", false: "x"}[i > 0])
	}
	r := judged(t, labels(attack("eve", "household", 9, true, "e1"), attack("mallory", "harvest", 9, true, "m1")), cases, "")
	if r.All.Found[0] != 2 || r.FalseQueued != 0 || r.Shadows != 1 {
		t.Errorf("found %v, false %v, shadows %d", r.All.Found, r.FalseQueued, r.Shadows)
	}
}

func TestACaseMustBeTheAgentsAndNameAnEntry(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want int
	}{
		"both":          {caseLine("c", 1, "eve", noon, .5, "review", "x", "e2"), 1},
		"another agent": {caseLine("c", 1, "alice", noon, .5, "review", "e1"), 0},
		"other entries": {caseLine("c", 1, "eve", noon, .5, "review", "x"), 0},
		"too early":     {caseLine("c", 1, "eve", "2026-01-06T12:00:00Z", .5, "review", "e1"), 0},
		"after the end": {caseLine("c", 1, "eve", "2026-02-01T12:00:00Z", .5, "review", "e1"), 1},
		"names it late": {caseLine("c", 1, "eve", "2026-01-06T12:00:00Z", .5, "review", "x") + caseLine("c", 2, "eve", noon, .5, "review", "x", "e1"), 1},
	} {
		r := judged(t, labels(attack("eve", "household", 9, true, "e1", "e2")), c.line, "")
		if r.All.Found[0] != c.want {
			t.Errorf("%s: found %v", name, r.All.Found)
		}
	}
}

func TestSecondAgentsCount(t *testing.T) {
	l := strings.Replace(attack("eve", "collusion", 9, true, "e1"), `"role"`, `"with":["Practitioner/bob"],"role"`, 1)
	r := judged(t, labels(l), caseLine("c", 1, "bob", noon, .5, "review", "e1"), "")
	if r.All.Found[0] != 1 {
		t.Errorf("found %v", r.All.Found)
	}
}

func TestDelaysSharesAndTwins(t *testing.T) {
	twin := strings.NewReplacer(`"attack"`, `"twin"`, "a-", "t-", `"detectable":true`, `"detectable":false`).Replace(attack("tess", "vip", 9, true, "t1"))
	cases := caseLine("c", 1, "eve", noon, .5, "review", "e1") + caseLine("t", 1, "tess", "2026-01-10T12:00:00Z", .5, "review", "t1")
	verdicts := `{"event":"e1","revision":1,"explained":true}
{"event":"e1","revision":2,"explained":false}
{"event":"i1","revision":1,"explained":true}
{"event":"i2","revision":1,"explained":false}
{"event":"e2","revision":1,"explained":true}
`
	r := judged(t, labels(attack("eve", "household", 9, true, "e1", "e2", "e3", "e4", "e5", "e6"), attack("hid", "hidden-kin", 9, false, "h1"), twin), cases, verdicts)
	if r.DaysUntil != 4.0/24 || r.RecordsSeen != 5 {
		t.Errorf("%v days, %v records", r.DaysUntil, r.RecordsSeen)
	}
	if r.Explained != .5 || r.Excused != .5 {
		t.Errorf("explained %v, excused %v", r.Explained, r.Excused)
	}
	if r.Twins != 1 || r.TwinsTaken != 1 || r.Detectable.Attacks != 1 || r.All.Attacks != 2 || r.Mix[0] != .5 {
		t.Errorf("%+v", r)
	}
}

func TestCalibrationAtTheTrueRate(t *testing.T) {
	// Twelve hundred staff for ten days: .5147 violators are expected. One attack found at .9, one false case at .9: true share .5147/1.5147.
	cases := caseLine("c", 1, "eve", noon, .9, "review", "e1") + caseLine("f", 1, "innocent", noon, .9, "review", "x")
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), cases, "")
	want := .9 - .514667/1.514667
	if r.ECE < want-.001 || r.ECE > want+.001 || r.ECEAsIs < .399 || r.ECEAsIs > .401 {
		t.Errorf("ece %v, want %v; as is %v", r.ECE, want, r.ECEAsIs)
	}
}

func TestAims(t *testing.T) {
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), caseLine("c", 1, "eve", noon, .5, "review", "e1"), "")
	missed, err := r.Missed("recall@2=.8, household@1>=1,grade2@5=1,false<=2,days<=.1,mix@1=1,ece<=.01")
	if err != nil || len(missed) != 2 || !strings.HasPrefix(missed[0], "days<=.1") {
		t.Errorf("%v %v", missed, err)
	}
	for _, wrong := range []string{"frog=1", "recall@3=1", "recall@2", "false<=two", "grade9@2=1"} {
		if _, err := r.Missed(wrong); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
	var out strings.Builder
	r.Print(&out)
	if !strings.Contains(out.String(), "household (G2) | 1 | 1.00") || !strings.Contains(out.String(), "not a figure to publish") {
		t.Error(out.String())
	}
}

func TestBadFilesNameTheirLine(t *testing.T) {
	good := labels(attack("eve", "household", 9, true, "e1"))
	for name, in := range map[string][2]string{
		"line 2 of the cases":  {good, caseLine("c", 1, "eve", noon, .5, "review", "e1") + "{\n"},
		"line 1 of the cases":  {good, strings.Replace(caseLine("c", 1, "eve", noon, .5, "review", "e1"), `"posterior":0.5`, `"posterior":5`, 1)},
		"line 2 of the labels": {labels("{"), ""},
		"no header":            {attack("eve", "household", 9, true, "e1"), ""},
		"version 9":            {strings.Replace(good, `"version":1`, `"version":9`, 1), ""},
	} {
		_, err := Judge(Input{Labels: strings.NewReader(in[0]), Cases: strings.NewReader(in[1])})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(labels(attack("eve", "household", 9, true, "e1")), caseLine("c", 1, "eve", noon, .5, "review", "e1"))
	f.Fuzz(func(t *testing.T, l, c string) {
		if r, err := Judge(Input{Labels: strings.NewReader(l), Cases: strings.NewReader(c)}); err == nil {
			r.Print(io.Discard)
		}
	})
}

func TestAnAimThatNothingMeasuresIsMissed(t *testing.T) {
	r := judged(t, labels(), "", "")
	for _, aim := range []string{"recall@2>=0", "detectable@2<=1", "mix@1<=1", "grade3@2<=1", "queued<=1", "ece<=.05", "explained<=1", "excused<=.1", "days<=3", "records<=9", "twins<=2"} {
		if missed, err := r.Missed(aim); err != nil || len(missed) != 1 || !strings.Contains(missed[0], "nothing to measure") {
			t.Errorf("%s: %q %v", aim, missed, err)
		}
	}
}

func TestAVerdictIsOfOneEventAndPatient(t *testing.T) {
	v := `{"event":"x","patient":"Patient/1","explained":true}
{"event":"x","patient":"Patient/2","explained":false}
{"event":"e1","patient":"Patient/1","explained":true}
{"event":"e1","patient":"Patient/2","explained":true}
{"event":"e1","patient":"Patient/2","revision":2,"explained":false}`
	r := judged(t, labels(attack("eve", "household", 9, true, "e1")), "", v)
	if r.Explained != .5 || r.Excused != .5 {
		t.Errorf("explained %.2f, excused %.2f", r.Explained, r.Excused)
	}
}
