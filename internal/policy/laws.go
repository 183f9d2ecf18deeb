package policy

import (
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync"
	"time"
)

// law is one sentence that no bundle may break, whoever wants it.
type law struct {
	says  string
	holds func(Request, Decision) bool
}

// laws are what the rest of the program, its pages and its promises rest on. Rules may be as strict or as generous as a house wants
// within them; what a bundle takes away from care that the glass still gives is answered for after a replay.
var laws = []law{
	{"an account that was ended opens nothing", func(q Request, d Decision) bool { return q.Principal.Active || !d.Allowed }},
	{"those who administer or watch see nothing clinical", func(q Request, d Decision) bool {
		return !d.Allowed || q.Action == Find || !slices.ContainsFunc(Roles[7:12], q.Principal.has) || !slices.Contains([]string{"clinical", "results", "medications", "notes"}, q.Resource.Group)
	}},
	{"a grant alone only reads", func(q Request, d Decision) bool {
		return !d.Allowed || !q.Relation.BTGUntil.After(q.Context.Now) || q.Relation.CareTeam || q.Relation.OpenContact || !slices.ContainsFunc(Clinical, q.Principal.has) ||
			q.Action != Export && q.Action != Print && (q.Action != Write || q.Relation.SelfMade)
	}},
	{"an export has a second person", func(q Request, d Decision) bool { return !d.Allowed || q.Action != Export || q.Context.Approvals > 0 }},
	{"as staff, nobody opens the own chart", func(q Request, d Decision) bool {
		return !d.Allowed || !q.Relation.Self || q.Principal.Capacity != Staff || q.Action == Find
	}},
	{"a patient opens no chart of others", func(q Request, d Decision) bool {
		return !d.Allowed || q.Principal.Capacity != Patient || q.Relation.Self
	}},
	{"what nobody confirmed permits nothing by itself", func(q Request, d Decision) bool {
		return !d.Allowed || !q.Relation.SelfMade || q.Relation.BTGUntil.After(q.Context.Now) || q.Action == Break || q.Action == Find || !slices.ContainsFunc(Clinical, q.Principal.has)
	}},
	{"psychotherapy notes open to those who are named for them", func(q Request, d Decision) bool {
		return !d.Allowed || !slices.Contains(q.Resource.Labels, "PSYTHPN") || q.Principal.Capacity != Staff || q.Action == Find || q.Action == Break
	}},
	{"a role of the house opens its own field groups only", func(q Request, d Decision) bool {
		return !d.Allowed || q.Principal.Groups == nil || slices.Contains(q.Principal.Groups, q.Resource.Group) || q.Relation.BTGUntil.After(q.Context.Now) || q.Action == Find || q.Action == Break
	}},
	{"whoever treats may always break the glass, and reads by it", func(q Request, d Decision) bool {
		return d.Allowed || !q.treats() || q.Action != Break && (q.Action != Read || !q.Relation.BTGUntil.After(q.Context.Now))
	}},
}

func (p Principal) has(role string) bool { return slices.Contains(p.Roles, role) }

// treats reports an active clinical person with two factors at a chart that is not her own; psychotherapy apart.
func (q Request) treats() bool {
	return q.Principal.Active && q.Principal.Capacity == Staff && slices.ContainsFunc(Clinical, q.Principal.has) && q.Context.AAL >= 2 && !q.Relation.Self &&
		!slices.Contains(q.Resource.Labels, "PSYTHPN")
}

// Broken lists the laws that a bundle breaks, each with the simplest case that the search met; none for one that may be enforced. It
// tries each role, and each role of the house, in each state of relationship, act, field group and label: some ten thousand questions, a third of a second.
// Errors: those of [Load].
func Broken(bundle fs.FS) ([]string, error) {
	set, err := Load(bundle)
	if err != nil {
		return nil, err
	}
	if known, ok := tried.Load(set.Hash()); ok {
		return known.([]string), nil
	}
	var out []string
	open := slices.Clone(laws)
	for q := range set.cases() {
		d := set.Decide(q)
		q.Principal = set.narrowed(q.Principal)
		open = slices.DeleteFunc(open, func(l law) bool {
			if l.holds(q, d) {
				return false
			}
			word := "refused"
			if d.Allowed {
				word = "allowed"
			}
			out = append(out, fmt.Sprintf("%s: %s %s, %s of %s/%s", l.says, q.Principal.Roles[0], word, q.Action, q.Resource.Type, q.Resource.Group))
			return true
		})
	}
	tried.Clear() // a page asks about one bundle, several times
	tried.Store(set.Hash(), out)
	return out, nil
}

// tried keeps what the last search found, by hash.
var tried sync.Map

// cases are the questions of [Broken], the ordinary before the odd.
func (s *Set) cases() iter.Seq[Request] {
	askers := make([]Principal, 0, len(Roles)+len(s.house))
	for _, role := range Roles {
		askers = append(askers, Principal{Roles: []string{role}})
	}
	for _, r := range s.house {
		askers = append(askers, Principal{Roles: r.Of, House: r.Name})
	}
	return func(yield func(Request) bool) { eachCase(askers, yield) }
}

func eachCase(askers []Principal, yield func(Request) bool) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	hour := now.Add(time.Hour)
	relations := []Relation{{}, {OpenContact: true}, {CareTeam: true}, {BTGUntil: hour}, {SelfMade: true}, {SelfMade: true, BTGUntil: hour}, {Self: true}, {Flags: []string{"vip"}, BTGUntil: hour}}
	// At ease, with nobody's approval, and with all that may be asked for missing at once.
	contexts := []Context{{Now: now, Device: Managed, Zone: Hospital, AAL: 2, Approvals: 1, Rows: 1}, {Now: now, Device: Managed, Zone: Hospital, AAL: 2, Rows: 1},
		{Now: now, Device: Unknown, Zone: Hospital, AAL: 2, AuthAge: 40000, Rows: 1}}
	for _, asker := range askers {
		for _, active := range []bool{true, false} {
			for _, r := range relations {
				for i, c := range contexts {
					p := Principal{Kind: Person, ID: "her", Capacity: Staff, Roles: asker.Roles, House: asker.House, Active: active, OnShift: true, TrainingDue: hour}
					if asker.Roles[0] == RolePatient {
						p.Capacity = Patient
					}
					if i > 0 && !active {
						continue
					}
					if i == 2 {
						p.TrainingDue = now.Add(-time.Hour)
					}
					for _, action := range []string{Read, Search, Write, Export, Print, Find, Break} {
						for _, x := range lawful {
							x.PatientKey = "1"
							if !yield(Request{p, action, r, x, c}) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// lawful are records of every field group of a chart, bare and labelled.
var lawful = []Resource{
	{Type: "Condition", Group: "clinical", Released: true}, {Type: "Observation", Group: "results", Released: true}, {Type: "MedicationRequest", Group: "medications", Released: true},
	{Type: "DocumentReference", Group: "notes", Released: true}, {Type: "Patient", Group: "demographics", Released: true}, {Type: "Patient", Group: "identifiers", Released: true},
	{Type: "Patient", Group: "contact", Released: true}, {Type: "Appointment", Group: "scheduling", Released: true}, {Type: "Claim", Group: "billing", Released: true},
	{Type: "Condition", Group: "clinical", Labels: []string{"PSY"}, Released: true}, {Type: "DocumentReference", Group: "notes", Labels: []string{"PSYTHPN"}, Released: true},
}
