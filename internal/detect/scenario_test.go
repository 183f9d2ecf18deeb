package detect

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// story is one file of scenarios/: see scenarios/README.md for its language.
type story struct {
	t        *testing.T
	e        *Engine
	events   []Event
	verdicts map[string][]Verdict
	cases    []Case
	records  []Record
	roles    map[string]string
	home     map[string]string
	n        int
	programs map[string]bool
	crowds   map[string]int // NAME of NAME1, NAME2, ... to how many
}

const storyDay = int64(1769040000 / 86400 * 86400) // 22 January 2026

func (s *story) at(text string) int64 {
	var d, h, m int
	if _, err := fmt.Sscanf(text, "d%d-%d:%d", &d, &h, &m); err != nil {
		s.t.Fatalf("%q is no time like d1-09:30", text)
	}
	return storyDay + int64(d-1)*day + int64(h*3600+m*60)
}

func who(name string) string        { return "Practitioner/" + name }
func patientOf(n string) string     { return "Patient/" + n }
func place(name string) string      { return "Organization/" + name }
func ref(kind string, n int) string { return kind + "/" + strconv.Itoa(n) }

func (s *story) learn(r Record) { s.records = append(s.records, r) }

// background is three weeks of ordinary work before the story: forty people of four units, each with own appointments, a few without.
func (s *story) background() {
	for u := range 4 {
		s.learn(Record{Ref: place(fmt.Sprint("b", u)), Unit: &Unit{Ref: place(fmt.Sprint("b", u)), Type: "clinic"}})
	}
	for i := range 40 {
		name := fmt.Sprint("b", i)
		s.learn(Record{Ref: who(name), Folk: &Folk{Ref: who(name), Family: "F" + name, Given: "G", Birth: "1980-01-01", Street: fmt.Sprintf("%d Back Road", i), Postal: "9"}})
		s.learn(Record{Ref: ref("PractitionerRole", i), Post: &Post{Person: who(name), Role: "nurse", Units: []string{place(fmt.Sprint("b", i%4))}}})
	}
	for i := range 600 {
		name := fmt.Sprint("q", i)
		s.learn(Record{Ref: patientOf(name), Patient: patientOf(name), Folk: &Folk{Ref: patientOf(name), Family: "P" + name, Given: "H", Birth: "1970-01-01", Street: fmt.Sprintf("%d Far Lane", i), Postal: "8"}})
	}
	for d := int64(-21); d < 6; d++ {
		for k := range 480 {
			b, q := fmt.Sprint("b", k%40), fmt.Sprint("q", (k*7+int(d+30)*131)%600)
			t := storyDay + d*day + 8*3600 + int64(k)*60
			if k%23 != 7 {
				s.learn(Record{Ref: ref("Appointment", s.n), Known: t - day, Patient: patientOf(q), Ties: []Tie{{Template: AppointmentDirect, Party: who(b), From: t, To: t + 1200}}})
			}
			s.event(t, b, Event{Kind: Read, Patients: []string{patientOf(q)}})
			s.n++
		}
	}
}

func (s *story) event(t int64, name string, e Event) {
	e.Time, e.Agent, e.Role, e.Machine = t, s.who(name), s.roles[name], s.programs[name]
	if e.Role == "" && !e.Machine {
		e.Role = "nurse"
	}
	if e.Address == "" {
		e.Address = "10.0.0.1"
	}
	if e.Device == "" {
		e.Device = "Device/" + name
	}
	if e.Place == "" && s.home[name] != "" {
		e.Place = place(s.home[name])
	}
	s.events = append(s.events, e)
}

// who is the agent of a name: a program acts as itself.
func (s *story) who(name string) string {
	if s.programs[name] {
		return "client-" + name
	}
	return who(name)
}

// nightly is what a program did on each of the days before: a little more or less, at patients who are in the house, with those that are not.
func (s *story) nightly(name string, hour int64, count, atRest int) {
	if s.programs == nil {
		s.programs = map[string]bool{}
	}
	s.programs[name] = true
	for d := int64(-21); d < 0; d++ {
		for k := range count + int(d+40)*7%5 {
			q := fmt.Sprint("q", (k*7+int(d+30)*131)%600)
			if k < atRest {
				q = fmt.Sprint("gone", (k*7+int(d+30)*3)%200)
			}
			s.event(storyDay+d*day+hour*3600+int64(k)*20, name, Event{Kind: Read, Data: "Observation/1", Patients: []string{patientOf(q)}})
		}
	}
}

// each gives the patients whom a name means: NAME* is all of a crowd.
func (s *story) each(name string) (out []string) {
	crowd, many := strings.CutSuffix(name, "*")
	if !many {
		return []string{name}
	}
	for i := range s.crowds[crowd] {
		out = append(out, fmt.Sprint(crowd, i+1))
	}
	return out
}

// work is somebody's own ordinary weeks: eight appointments a day, from an hour on, with anybody or with the patients of a list.
func (s *story) work(name string, hour int64, list string) {
	for d := int64(-21); d < 0; d++ {
		for k := range 8 {
			q, t := fmt.Sprint("q", (k*31+int(d+40)*17)%600), storyDay+d*day+hour*3600+int64(k)*1800
			if n := s.crowds[list]; n > 0 {
				q = fmt.Sprint(list, 1+(k+int(d+40)*5)%n)
			}
			s.learn(Record{Ref: ref("Appointment", 500_000+s.n), Known: t - day, Patient: patientOf(q), Ties: []Tie{{Template: AppointmentDirect, Party: who(name), From: t, To: t + 1200}}})
			s.event(t, name, Event{Kind: Read, Patients: []string{patientOf(q)}})
			s.n++
		}
	}
}

// habit is what somebody did on each day of the weeks before: WHO KIND COUNT, at patients for whom no reason is known where it has some.
func (s *story) habit(f []string) {
	count, _ := strconv.Atoi(f[3])
	for d := int64(-21); d < 0; d++ {
		for k := range count {
			e := Event{Kind: kinds[f[2]]}
			switch e.Kind {
			case Export, Operation:
				e.Rows = 2000
			case Delete:
				e.Data = fmt.Sprint("Observation/h", s.n)
				fallthrough
			default:
				e.Patients = []string{patientOf(fmt.Sprint("q", (k*37+int(d+40)*53)%600))}
			}
			s.event(storyDay+d*day+14*3600+int64(k)*60, f[1], e)
			s.n++
		}
	}
}

// world reads one line of the world.
func (s *story) world(f []string) {
	if len(f) > 1 && f[0] != "patient" && strings.HasSuffix(f[1], "*") {
		for _, one := range s.each(f[1]) {
			s.world(slices.Concat(f[:1], []string{one}, f[2:]))
		}
		return
	}
	opt := func(i int) string {
		if i < len(f) {
			return strings.ReplaceAll(f[i], "_", " ")
		}
		return ""
	}
	key := map[string]string{}
	for _, x := range f {
		if k, v, ok := strings.Cut(x, "="); ok {
			key[k] = strings.ReplaceAll(v, "_", " ")
		}
	}
	known := int64(0)
	if key["known"] != "" {
		known = s.at(key["known"])
	}
	tie := func(kind string, personal, group Template, span int64) {
		r := Record{Ref: cmpOr(key["id"], ref(kind, 100_000+s.n)), Known: known, Patient: patientOf(f[1])}
		s.n++
		if key["by"] != "" {
			r.Maker = who(key["by"])
		}
		t := s.at(f[3])
		x := Tie{Template: personal, Party: who(f[2]), From: t, To: t + span}
		if u, ok := strings.CutPrefix(f[2], "@"); ok {
			x.Template, x.Party = group, place(u)
		}
		r.Ties = []Tie{x}
		s.learn(r)
	}
	switch f[0] {
	case "unit":
		s.learn(Record{Ref: place(f[1]), Unit: &Unit{Ref: place(f[1]), Type: opt(2)}})
	case "staff":
		s.roles[f[1]], s.home[f[1]] = f[2], key["at"]
		s.learn(Record{Ref: who(f[1]), Known: known, Folk: &Folk{Ref: who(f[1]), Family: cmpOr(key["family"], "S"+f[1]), Given: f[1], Birth: "1980-02-02", Street: cmpOr(key["street"], "1 "+f[1]), Postal: "1", Phones: []string{"phone-" + f[1]}}})
		s.learn(Record{Ref: "PractitionerRole/" + f[1], Known: known, Post: &Post{Person: who(f[1]), Role: f[2], Units: []string{place(f[3])}}})
		switch key["work"] {
		case "none":
		case "night":
			s.work(f[1], 23, key["list"])
		default:
			s.work(f[1], 9, key["list"])
		}
	case "habit":
		s.habit(f)
	case "program":
		number := func(k string) int { n, _ := strconv.Atoi(key[k]); return n }
		s.nightly(f[1], int64(number("hour")), number("count"), number("at-rest"))
	case "patients": // a crowd: NAME1, NAME2, ...
		n, _ := strconv.Atoi(f[2])
		if s.crowds == nil {
			s.crowds = map[string]int{}
		}
		s.crowds[f[1]] = n
		for i := range n {
			s.world(slices.Concat([]string{"patient", fmt.Sprint(f[1], i+1)}, f[3:]))
		}
	case "patient":
		x := Folk{Ref: patientOf(f[1]), Family: cmpOr(key["family"], "T"+f[1]), Given: f[1], Birth: cmpOr(key["born"], "1970-03-03"), Street: cmpOr(key["street"], "7 "+f[1]), Postal: "1"}
		if key["died"] != "" {
			x.Died = s.at(key["died"])
		}
		if key["kin"] != "" {
			x.Contacts = []Contact{{Phone: "phone-" + key["kin"]}}
		}
		s.learn(Record{Ref: patientOf(f[1]), Patient: patientOf(f[1]), Folk: &x})
		if key["staff"] != "" {
			s.learn(Record{Ref: "Person/" + f[1], Same: []string{who(key["staff"]), patientOf(f[1])}})
		}
		if key["flag"] != "" {
			s.learn(Record{Ref: "Flag/" + f[1], Patient: patientOf(f[1]), Flags: []string{key["flag"]}})
		}
	case "appointment":
		tie("Appointment", AppointmentDirect, AppointmentClinic, 1200)
	case "encounter":
		tie("Encounter", EncounterParticipant, EncounterUnit, 3*day)
	case "team":
		tie("CareTeam", CareTeam, CareTeam, day/2)
	case "order":
		tie("ServiceRequest", OrderMine, OrderDepartment, 0)
	case "task":
		tie("Task", TaskMine, TaskDepartment, 0)
	case "study":
		r := Record{Ref: key["id"]}
		if key["by"] != "" {
			r.Maker = who(key["by"])
		}
		for i := range s.crowds[f[2]] {
			r.Ties = append(r.Ties, Tie{Template: Research, Party: who(f[1]), Patient: patientOf(fmt.Sprint(f[2], i+1))})
		}
		s.learn(r)
	case "shift":
		s.e.Roster(Shift{Person: who(f[1]), Place: place(f[2]), From: s.at(f[3]), To: s.at(f[4])})
	case "justified":
		kind := f[2]
		if u, ok := strings.CutPrefix(kind, "@"); ok {
			kind = UnitPatients + place(u)
		}
		j := Justified{ID: strings.Join(f, " "), Patients: kind, From: s.at(f[3])}
		j.To = j.From + 90*day
		for _, name := range strings.Split(f[1], ",") {
			j.People = append(j.People, who(name))
		}
		s.e.Justify(j)
	case "leaves":
		s.e.Leaves(who(f[1]), s.at(f[2]))
	default:
		s.t.Fatalf("no such line of a world: %q", f)
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var kinds = map[string]Kind{"read": Read, "search": Search, "create": Create, "update": Update, "delete": Delete, "export": Export, "print": Print,
	"report": Operation, "login": Login, "glass": Glass}

// log reads one line of the log: TIME WHO KIND [PATIENT] [key=value]; a count after an x repeats it, each time with the next patient.
func (s *story) log(f []string, n *int) {
	t, ev, times := s.at(f[0]), Event{}, 1
	var patient string
	for _, x := range f[3:] {
		k, v, ok := strings.Cut(x, "=")
		num, _ := strconv.ParseInt(v, 10, 64)
		switch {
		case !ok && strings.HasPrefix(x, "x"):
			times, _ = strconv.Atoi(x[1:])
		case x == "failed":
			ev.Failed = true
		case !ok:
			patient = x
		case k == "data":
			ev.Data = v
		case k == "rows":
			ev.Rows = num
		case k == "section":
			ev.Section = v
		case k == "from":
			ev.Address = v
		case k == "device":
			ev.Device = v
		case k == "at":
			ev.Place = place(v)
		case k == "authored":
			ev.Authored = s.at(v)
		case k == "by":
			ev.Words = []Word{map[string]Word{"asked": ColleagueAsked, "cover": ColleagueCovered}[v]}
		}
	}
	ev.Kind = kinds[f[2]]
	crowd := s.each(patient)
	if strings.HasSuffix(patient, "*") && len(patient) > 1 && times == 1 {
		times = len(crowd)
	}
	for i := range times {
		*n++
		one := ev
		one.ID = fmt.Sprint("e", *n)
		switch {
		case patient == "*":
			one.Patients = []string{patientOf(fmt.Sprint("q", (i*37+*n*11)%600))}
		case patient == "in-house": // as many as one wants of those who come that day
			one.Patients = []string{patientOf(fmt.Sprint("q", (i*7+int((t-storyDay)/day+30)*131)%600))}
		case patient != "":
			one.Patients = []string{patientOf(crowd[i%len(crowd)])}
		}
		s.event(t+int64(i)*70, f[1], one)
	}
}

// expect checks one line.
func (s *story) expect(f []string) {
	last := func(id string) Verdict {
		v := s.verdicts[id]
		if len(v) == 0 {
			s.t.Fatalf("no verdict on %s", id)
		}
		return v[len(v)-1]
	}
	has := func(name, hyp string) bool {
		standing := map[string]Case{}
		for _, c := range s.cases {
			standing[c.ID] = c
		}
		for _, c := range standing {
			if c.Agent == s.who(name) && (hyp == "" || c.Hypothesis == hyp) && c.LogE >= 1 {
				return true
			}
		}
		return false
	}
	switch f[0] {
	case "explained":
		v := last(f[1])
		if !v.Explained || len(f) > 2 && !slices.ContainsFunc(v.Explanations, func(x Explanation) bool { return x.Template == f[2] }) {
			s.t.Errorf("%v: %+v", f, v)
		}
	case "first": // the first verdict was
		if v := s.verdicts[f[1]][0]; v.State != f[2] {
			s.t.Errorf("%v: %+v", f, v)
		}
	case "state": // the last verdict is
		if v := last(f[1]); v.State != f[2] {
			s.t.Errorf("%v: %+v", f, v)
		}
	case "says": // what speaks in a case
		if !slices.ContainsFunc(s.cases, func(c Case) bool {
			return c.Agent == s.who(f[1]) && slices.ContainsFunc(c.Contributions, func(x Signal) bool { return x.Name == f[2] })
		}) {
			s.t.Errorf("%v: nothing does", f)
		}
	case "unexplained":
		if v := last(f[1]); v.Explained {
			s.t.Errorf("%v: %+v", f, v)
		}
	case "revisions":
		if n := len(s.verdicts[f[1]]); fmt.Sprint(n) != f[2] {
			s.t.Errorf("%v: %d", f, n)
		}
	case "signal", "no-signal":
		found := slices.ContainsFunc(last(f[1]).Signals, func(x Signal) bool { return x.Name == f[2] })
		if found != (f[0] == "signal") {
			s.t.Errorf("%v: %+v", f, last(f[1]).Signals)
		}
	case "case":
		if !has(f[1], append(f, "")[2]) {
			s.t.Errorf("%v: there is none", f)
			for _, c := range s.cases {
				if c.Agent == s.who(f[1]) {
					s.t.Logf("%s %s %.2f %v", c.ID, c.Hypothesis, c.LogE, c.Contributions)
				}
			}
		}
	case "no-case":
		if hyp := append(f, "")[2]; has(f[1], hyp) {
			s.t.Errorf("%v: there is one", f)
			for _, c := range s.cases {
				if c.Agent == s.who(f[1]) {
					s.t.Logf("%s %s %.2f %v", c.ID, c.Hypothesis, c.LogE, c.Contributions)
				}
			}
		}
	case "no-review": // nobody is asked to look: at most a case that is watched
		standing := map[string]Case{}
		for _, c := range s.cases {
			standing[c.ID] = c
		}
		for _, c := range standing {
			if c.Agent == s.who(f[1]) && c.Queue != "watch" && !c.Provisional {
				s.t.Errorf("%v: %s %s %.2f is in the queue %s", f, c.ID, c.Hypothesis, c.LogE, c.Queue)
			}
		}
	default:
		s.t.Fatalf("no such expectation: %q", f)
	}
}

func TestScenarios(t *testing.T) {
	files, _ := filepath.Glob("../../scenarios/*.txtar")
	if len(files) < 20 {
		t.Fatalf("%d scenarios", len(files))
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := &story{t: t, verdicts: map[string][]Verdict{}, roles: map[string]string{}, home: map[string]string{}}
			s.e = New(Options{Seed: 1, Verdict: func(v *Verdict) {
				c := *v
				c.Explanations, c.Signals = slices.Clone(v.Explanations), slices.Clone(v.Signals)
				s.verdicts[v.Event] = append(s.verdicts[v.Event], c)
			}, Case: func(c *Case) {
				x := *c
				x.Contributions = slices.Clone(c.Contributions)
				s.cases = append(s.cases, x)
			}})
			s.background()
			part := map[string]string{}
			for _, f := range a.Files {
				part[f.Name] = string(f.Data)
			}
			each := func(text string, do func([]string)) {
				for l := range strings.Lines(part[text]) {
					if l, _, _ = strings.Cut(l, "#"); strings.TrimSpace(l) != "" {
						do(strings.Fields(l))
					}
				}
			}
			n := 0
			each("world", s.world)
			each("log", func(f []string) { s.log(f, &n) })
			for _, r := range s.records {
				s.e.Learn(r)
			}
			slices.SortStableFunc(s.events, func(a, b Event) int { return int(a.Time - b.Time) })
			for i := range s.events {
				if s.events[i].ID == "" {
					s.events[i].ID = fmt.Sprint("b", i)
				}
				s.e.Judge(&s.events[i])
			}
			s.e.Close()
			each("expect", s.expect)
		})
	}
}

func TestTheWorldIsUTC(t *testing.T) {
	if got := time.Unix(storyDay, 0).UTC().Format(time.DateTime); got != "2026-01-22 00:00:00" {
		t.Errorf("the story begins on %s", got)
	}
}
