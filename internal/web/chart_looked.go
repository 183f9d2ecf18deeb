package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Who looked at a chart, as colleagues see it: who, when, and the reason that the record gives. Never suspicion, and the same ink for
// all.

// noReason stands where the record gives none. It says "yet": most are found later.
const noReason = "No reason recorded yet"

// reasons say a template of the door to colleagues, as a role or a reason. Vocabulary: docs/formats/explanations.md and the policies.
var reasons = map[string]string{
	"care.encounter.attending": "Attending physician", "care.encounter.consultant": "Consultant for this visit", "care.encounter": "Takes part in the visit",
	"care.appointment": "Has an appointment", "care.team": "On the care team", "care.doctor": "Own doctor", "care.unit": "On shift where the patient is",
	"care.task": "Has a task for this patient", "care.order.asked": "Asked by an order", "care.contact.past": "Treated the patient lately",
	"care.contact.next": "Has a visit coming up", "care.order.given": "Gave an order", "care.order.department": "Department with an open order",
	"care.cover": "Covered for a colleague", "care.order.taken": "Took an order of the department", "care.asked": "Asked by a colleague",
	"care.panel": "Works in the patient's practice", "care.selfmade": noReason,
	"ops.frontdesk": "Registration or appointments", "ops.frontdesk.checkin": "Checked the patient in", "ops.frontdesk.consent": "Entered a consent", "ops.register": "Registered the patient",
	"ops.billing": "Worked on the bill", "ops.billing.file": "Worked on the bill", "ops.find": "Looked for a patient", "self.patient": "The patient", "self.own": "The patient",
	"job.import": "Took over records", "glass.back": "Ended the emergency access", "review": "Reviewed an opening", "reason": "Gave a reason",
	"question": "The patient asked",
}

// because says a template to colleagues; what is new or unknown says that no reason is recorded, never something invented.
func because(template string) string {
	if code, ok := strings.CutPrefix(template, "glass."); ok && reasons[template] == "" {
		return "Opened with a reason: " + glassTitle(code)
	}
	if s, ok := reasons[template]; ok {
		return s
	}
	if strings.HasPrefix(template, "admin.") {
		return "Looks after this record"
	}
	if strings.HasPrefix(template, "job.") || strings.HasPrefix(template, "client.") {
		return "Works by itself for this hospital"
	}
	return noReason
}

// why says the reason of a line to colleagues.
func (l looking) why() string {
	if l.Unexplained && !l.Glass {
		return noReason
	}
	return because(l.Template)
}

// looking is a line of the log as lists of who looked use it.
type looking struct{ access.Line }

// lookings leaves out what is no looking: refusals, reading the list itself, casework.
func lookings(lines []access.Line) []looking {
	var out []looking
	for _, l := range lines {
		if l.Outcome == 0 && l.Kind != audit.LogRead && l.Kind != audit.Casework && l.Kind != audit.Message && l.Kind != audit.Refusal {
			out = append(out, looking{l})
		}
	}
	return out
}

// who is the name of the one who acted.
func (l looking) who() string {
	switch {
	case l.Agent.Name != "" && l.Agent.As != "":
		return l.Agent.Name + ", acting as " + l.Agent.AsName
	case l.Agent.Name != "":
		return l.Agent.Name
	case l.Agent.Job == "import":
		return "Import of records"
	case l.Agent.Job != "":
		return "Job: " + l.Agent.Job
	case l.Agent.Client != "":
		return "Program: " + l.Agent.Client
	}
	return "Name not kept"
}

func (l looking) role() string {
	if l.Agent.Person == "" {
		return "System"
	}
	return roleNames[l.Agent.Role]
}

// key tells agents apart.
func (l looking) key() string {
	return l.Agent.Person + "\x00" + l.Agent.Job + "\x00" + l.Agent.Client + "\x00" + l.Agent.As
}

func (l looking) incidental() bool { return l.Class == audit.Incidental }

// groupWords name field groups to people.
var groupWords = map[string]string{
	"demographics": "name and birth date", "identifiers": "record numbers", "contact": "address", "scheduling": "visits",
	"billing": "bills", "medications": "medications", "results": "results", "clinical": "problems", "notes": "notes",
}

// groupOrder is how lists of groups are written, what is most telling first.
var groupOrder = []string{"notes", "results", "medications", "clinical", "billing", "scheduling", "contact", "identifiers", "demographics"}

// parts writes field groups as a list in words: notes, results and medications. Who sees more than the name sees the name too.
func parts(groups []string) string {
	var out []string
	for _, g := range groupOrder {
		if slices.Contains(groups, g) && (g != "demographics" || len(out) == 0) {
			out = append(out, groupWords[g])
		}
	}
	for _, g := range groups {
		if groupWords[g] == "" { // better an odd word than a silence
			out = append(out, strconv.Quote(g))
		}
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return strings.Join(out, "")
}

// did says what a line did, to be read after a name.
func (l looking) did() string {
	what := parts(l.Groups)
	switch {
	case l.Kind == audit.Glass && l.Interaction == "glass":
		return "Opened the closed chart with a reason"
	case l.Kind == audit.Glass:
		return "Gave the emergency access back"
	case l.Kind == audit.Export:
		return "Took a copy out"
	case l.Interaction == "print":
		return "Printed " + cmp.Or(what, "a part")
	case l.Kind == audit.Intent:
		return "Wrote " + cmp.Or(what, "in the chart")
	case l.incidental():
		return "Saw the name in a list"
	}
	return "Opened " + cmp.Or(what, "the chart")
}

// folded are lines of one agent, newest first.
type folded struct {
	looking // the newest
	reason  string
	glass   bool
	times   int
	groups  []string
	lines   []looking
}

// fold gathers lines by who and what key adds, in the order of their newest line. The reason is that of the newest line which has one.
func fold(lines []looking, key func(looking) string) []*folded {
	at := map[string]*folded{}
	var out []*folded
	for _, l := range lines {
		k := l.key() + "\x00" + key(l)
		f := at[k]
		if f == nil {
			f = &folded{looking: l, reason: noReason}
			at[k] = f
			out = append(out, f)
		}
		if r := l.why(); f.reason == noReason || f.incidental() && !l.incidental() {
			f.reason = r
		}
		if f.incidental() && !l.incidental() {
			f.Class = l.Class
		}
		f.glass = f.glass || l.Glass
		f.times++
		for _, g := range l.Groups {
			if !slices.Contains(f.groups, g) {
				f.groups = append(f.groups, g)
			}
		}
		f.lines = append(f.lines, l)
	}
	return out
}

// did says what all lines of a fold did.
func (f *folded) did() string {
	one := f.looking
	for _, l := range f.lines { // the most telling act speaks for all
		if l.Kind == audit.Intent || l.Kind == audit.Export || l.Interaction == "print" {
			one = l
			break
		}
		if one.incidental() && !l.incidental() {
			one = l
		}
	}
	one.Groups = f.groups
	return one.did()
}

// shownLookers is how many lines of who else looked stand beside a chart.
const shownLookers = 8

// lookers are the people who opened a chart lately, for the side of its summary: by person and day, without whoever asks, without those
// who only saw the name in a list, and without the patient and programs.
func lookers(lines []access.Line, self string, now time.Time) []page.Looker {
	zone := now.Location()
	out := []page.Looker{} // not nil: the side is there, if empty
	opened := slices.DeleteFunc(lookings(lines), func(l looking) bool {
		return l.incidental() || l.Agent.Person == self || l.Agent.Person == "" || l.Agent.Capacity == identity.PatientCapacity
	})
	for _, f := range fold(opened, func(l looking) string { return l.At.In(zone).Format(time.DateOnly) }) {
		if len(out) == shownLookers {
			break
		}
		out = append(out, page.Looker{Name: f.who(), Role: f.role(), Reason: f.reason, At: look.Recent(f.At.In(zone), now)})
	}
	return out
}

// lastLook is when self opened the chart before the present sitting: the newest line that is at least an hour older than the one after
// it, or than now. Zero on the first look.
func lastLook(lines []access.Line, self string, now time.Time) time.Time {
	after := now
	for _, l := range lookings(lines) {
		if l.Agent.Person != self || l.incidental() {
			continue
		}
		if after.Sub(l.At) >= time.Hour {
			return l.At
		}
		after = l.At
	}
	return time.Time{}
}
