package policy

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// A scenario file is plain text, one example after the other:
//
//	Scenario: A contact permits for 72 hours
//	  who:   physician, on shift
//	  chart: contact ended 71 h ago
//	  from:  managed device, hospital
//	  reads notes -> allowed by treat.contact treat.contact.wide
//	  chart: contact ended 73 h ago, flagged vip
//	  reads notes -> refused by deny.flagged, offers break-glass-available
//
// who, chart and from each replace what stood before; a line with an arrow is one question and its answer. Phrases are separated by
// commas and come from a fixed list (docs/guides/policies.md). # starts a comment.

// scenarioNow is when every scenario happens.
var scenarioNow = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// step is one question of a scenario with the answer that is expected.
type step struct {
	file     string
	line     int
	scenario string
	text     string
	request  Request
	allowed  bool
	by       []string // nil: not asked
	offers   []string // nil: not asked
}

// phrase is one thing that can be said, and what it means.
type phrase struct {
	pattern *regexp.Regexp
	apply   func(r *Request, arg []string) error
}

func say(pattern string, apply func(r *Request, arg []string) error) phrase {
	return phrase{regexp.MustCompile("^" + pattern + "$"), apply}
}

func fact(pattern string, apply func(r *Request)) phrase {
	return say(pattern, func(r *Request, _ []string) error { apply(r); return nil })
}

// when reads "71 h" and gives the instant to a setter.
func when(pattern string, set func(r *Request, d time.Duration)) phrase {
	return say(pattern, func(r *Request, arg []string) error {
		n, err := strconv.Atoi(arg[0])
		if err != nil || n > 1e6 {
			return fmt.Errorf("%q is no number", arg[0])
		}
		set(r, time.Duration(n)*map[string]time.Duration{"ms": time.Millisecond, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[arg[1]])
		return nil
	})
}

const span = `(\d+) (ms|min|h|d)`

var whoPhrases = []phrase{
	say(`([a-z-]+)`, func(r *Request, arg []string) error {
		if !slices.Contains(Roles, arg[0]) {
			return fmt.Errorf("%q is no role", arg[0])
		}
		r.Principal.Roles = append(r.Principal.Roles, arg[0])
		if arg[0] == RolePatient && len(r.Principal.Roles) == 1 {
			r.Principal.Capacity = Patient
		}
		return nil
	}),
	fact(`nobody in particular`, func(*Request) {}),
	fact(`acting as patient`, func(r *Request) { r.Principal.Capacity = Patient }),
	fact(`acting as staff`, func(r *Request) { r.Principal.Capacity = Staff }),
	fact(`on shift`, func(r *Request) { r.Principal.OnShift = true }),
	fact(`account ended`, func(r *Request) { r.Principal.Active = false }),
	fact(`training overdue`, func(r *Request) { r.Principal.TrainingDue = scenarioNow.Add(-time.Millisecond) }),
	say(`in ([a-z]+)`, func(r *Request, arg []string) error {
		r.Principal.Departments = append(r.Principal.Departments, arg[0])
		return nil
	}),
	say(`cleared for ([A-Z+]+)`, func(r *Request, arg []string) error {
		r.Principal.Clearances = strings.Split(arg[0], "+")
		return nil
	}),
	say(`seeing only ([a-z+]+)`, func(r *Request, arg []string) error {
		r.Principal.Groups = strings.Split(arg[0], "+")
		return nil
	}),
	say(`as ([a-z][a-z0-9-]+)`, func(r *Request, arg []string) error {
		r.Principal.House = arg[0]
		return nil
	}),
	fact(`a program`, func(r *Request) { r.Principal.Kind = Client }),
	say(`with scope to read ([A-Za-z+*]+)`, func(r *Request, arg []string) error {
		r.Principal.Reads = strings.Split(arg[0], "+")
		return nil
	}),
	say(`with scope to write ([A-Za-z+*]+)`, func(r *Request, arg []string) error {
		r.Principal.Writes = strings.Split(arg[0], "+")
		return nil
	}),
	fact(`that keeps people and groups`, func(r *Request) { r.Principal.Provisions = true }),
	say(`the job (import|index|backup|undo|label)`, func(r *Request, arg []string) error {
		r.Principal.Kind, r.Principal.ID = Job, arg[0]
		return nil
	}),
}

var chartPhrases = []phrase{
	fact(`a stranger's`, func(*Request) {}),
	fact(`on the care team`, func(r *Request) { r.Relation.CareTeam = true }),
	fact(`contact now`, func(r *Request) { r.Relation.OpenContact = true }),
	when(`contact ended `+span+` ago`, func(r *Request, d time.Duration) { r.Relation.LastContactEnd = scenarioNow.Add(-d) }),
	when(`contact in `+span, func(r *Request, d time.Duration) { r.Relation.NextContactStart = scenarioNow.Add(d) }),
	say(`order for ([a-z]+)`, func(r *Request, arg []string) error {
		r.Relation.OrderDepts = append(r.Relation.OrderDepts, arg[0])
		return nil
	}),
	fact(`task open`, func(r *Request) { r.Relation.TaskOpen = true }),
	fact(`asked in`, func(r *Request) { r.Relation.Asked = true }),
	say(`granted ([a-z+]+)`, func(r *Request, arg []string) error {
		r.Relation.Granted = strings.Split(arg[0], "+")
		return nil
	}),
	fact(`of the practice`, func(r *Request) { r.Relation.Panel = true }),
	fact(`self-made contact`, func(r *Request) { r.Relation.SelfMade = true }),
	fact(`her own`, func(r *Request) { r.Relation.Self = true }),
	when(`grant for `+span, func(r *Request, d time.Duration) { r.Relation.BTGUntil = scenarioNow.Add(d) }),
	when(`grant ended `+span+` ago`, func(r *Request, d time.Duration) { r.Relation.BTGUntil = scenarioNow.Add(-d) }),
	say(`flagged (vip|employee|confidential|staff-safety)`, func(r *Request, arg []string) error {
		r.Relation.Flags = append(r.Relation.Flags, arg[0])
		return nil
	}),
}

var fromPhrases = []phrase{
	say(`(managed|registered|unknown) device`, func(r *Request, arg []string) error { r.Context.Device = arg[0]; return nil }),
	say(`(hospital|vpn|internet)`, func(r *Request, arg []string) error { r.Context.Zone = arg[0]; return nil }),
	say(`([123]) factors?`, func(r *Request, arg []string) error { r.Context.AAL = int(arg[0][0] - '0'); return nil }),
	fact(`security key`, func(r *Request) { r.Context.AAL = 3 }),
	when(`signed in `+span+` ago`, func(r *Request, d time.Duration) { r.Context.AuthAge = int(d / time.Second) }),
	fact(`approved by another`, func(r *Request) { r.Context.Approvals = 1 }),
	say(`(\d{1,6}) rows`, func(r *Request, arg []string) (err error) { r.Context.Rows, err = strconv.Atoi(arg[0]); return err }),
}

var verbs = map[string]string{"reads": Read, "searches": Search, "writes": Write, "creates": Write, "exports": Export, "prints": Print, "lowers": Lower}

var recordPattern = regexp.MustCompile(`^(?:([A-Z][A-Za-z]+) as )?([a-z]+)(?: labelled ([A-Z+]+))?( not released)?( withheld by the patient)?( in the directory)?$`)

func freshWho(r *Request) {
	r.Principal = Principal{Kind: Person, ID: "her", Capacity: Staff, Active: true, TrainingDue: scenarioNow.Add(24 * time.Hour)}
}

func freshFrom(r *Request) {
	r.Context = Context{Now: scenarioNow, Device: Managed, Zone: Hospital, AAL: 2, AuthAge: 60, Rows: 1}
}

// scenarios reads every scenario file of a bundle. Faults name file and line.
func scenarios(bundle fs.FS) ([]step, error) {
	names, err := fs.Glob(bundle, "scenarios/*.txt")
	if err != nil {
		return nil, err
	}
	var out []step
	for _, name := range names {
		text, err := fs.ReadFile(bundle, name)
		if err != nil {
			return nil, outcome.Wrap("policy: scenarios", outcome.Invalid, name+" cannot be read", err)
		}
		steps, err := parseScenarios(name, text)
		if err != nil {
			return nil, err
		}
		out = append(out, steps...)
	}
	return out, nil
}

func parseScenarios(name string, text []byte) ([]step, error) {
	var out []step
	var title string
	var r Request
	seen := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		line = strings.TrimSpace(line)
		fail := func(format string, args ...any) error {
			return outcome.New(outcome.Invalid, fmt.Sprintf(format, args...)).At(fmt.Sprintf("%s:%d", name, n))
		}
		head, rest, _ := strings.Cut(line, ":")
		rest = strings.TrimSpace(rest)
		var err error
		switch {
		case line == "":
		case head == "Scenario":
			if title = rest; title == "" || seen[title] > 0 {
				return nil, fail("a scenario needs a name of its own")
			}
			seen[title]++
			r = Request{}
			freshWho(&r)
			freshFrom(&r)
		case title == "":
			return nil, fail("start with `Scenario: what it shows`")
		case head == "who":
			freshWho(&r)
			err = apply(&r, whoPhrases, rest)
		case head == "chart":
			r.Relation = Relation{}
			err = apply(&r, chartPhrases, rest)
		case head == "from":
			freshFrom(&r)
			err = apply(&r, fromPhrases, rest)
		default:
			s := step{file: name, line: n, scenario: title, text: line, request: r}
			if err = s.read(line); err == nil {
				out = append(out, s)
			}
		}
		if err != nil {
			return nil, fail("%s", err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, outcome.Wrap("policy: scenarios", outcome.Invalid, name+" cannot be read", err)
	}
	return out, nil
}

func apply(r *Request, known []phrase, text string) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		i := slices.IndexFunc(known, func(p phrase) bool { return p.pattern.MatchString(part) })
		if i < 0 {
			return fmt.Errorf("%q is not understood", part)
		}
		if err := known[i].apply(r, known[i].pattern.FindStringSubmatch(part)[1:]); err != nil {
			return err
		}
	}
	return nil
}

// read parses `reads notes -> allowed by treat.careteam`.
func (s *step) read(line string) error {
	question, answer, ok := strings.Cut(line, "->")
	if !ok {
		return fmt.Errorf("expected who:, chart:, from:, or a question with an arrow")
	}
	if err := s.ask(strings.TrimSpace(question)); err != nil {
		return err
	}
	for i, part := range strings.Split(answer, ",") {
		words := strings.Fields(part)
		switch {
		case i == 0 && len(words) > 0 && (words[0] == "allowed" || words[0] == "refused"):
			s.allowed = words[0] == "allowed"
			if len(words) > 2 && words[1] == "by" {
				s.by = slices.Sorted(slices.Values(words[2:]))
			} else if len(words) > 1 {
				return fmt.Errorf("after %s comes `by` and policy ids", words[0])
			}
		case i == 1 && len(words) == 2 && words[0] == "offers":
			s.offers = words[1:]
		default:
			return fmt.Errorf("an answer is `allowed` or `refused`, then `by` ids, then `, offers` a way forward or nothing")
		}
	}
	return nil
}

func (s *step) ask(text string) error {
	verb, object, _ := strings.Cut(text, " ")
	s.request.Resource = Resource{Type: "Patient", Group: "demographics", Released: true, PatientKey: "1"}
	switch {
	case text == "breaks the glass":
		s.request.Action = Break
		return nil
	case text == "finds the patient":
		s.request.Action = Find
		return nil
	case verb == "does":
		if !administrative(object) {
			return fmt.Errorf("%q is no administrative action", object)
		}
		s.request.Action, s.request.Resource = object, Resource{}
		return nil
	case verbs[verb] == "":
		return fmt.Errorf("%q is no verb", verb)
	}
	m := recordPattern.FindStringSubmatch(object)
	if m == nil {
		return fmt.Errorf("%q names no record: write `notes`, or `AllergyIntolerance as clinical`, then `labelled PSY`, `not released`, `withheld by the patient`, `in the directory`", object)
	}
	if !slices.Contains(vocabulary["class"], m[2]) {
		return fmt.Errorf("%q is no field group", m[2])
	}
	s.request.Action = verbs[verb]
	s.request.Resource = Resource{Type: m[1], Group: m[2], Released: m[4] == "", Restricted: m[5] != "", New: verb == "creates", PatientKey: "1"}
	if m[3] != "" {
		s.request.Resource.Labels = strings.Split(m[3], "+")
	}
	if m[6] != "" {
		s.request.Resource.PatientKey = ""
	}
	return nil
}
