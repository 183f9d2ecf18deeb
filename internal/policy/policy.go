// Package policy decides: may this principal do this to that record, now, and why.
//
// It is pure: facts go in ([Request]), a [Decision] with its reasons comes out. The rules are the Cedar text of package policies;
// this package alone knows the engine. Anything odd denies: an unknown role, a policy that errs, a fact that is missing.
//
//	set := policy.Default()
//	d := set.Decide(policy.Request{Principal: p, Action: policy.Read, Relation: rel, Resource: res, Context: ctx})
//	if !d.Allowed {
//		way, ok := set.WayForward(req) // what would open it: step-up, training, approval, the glass, a colleague
//	}
//
// Lists use [Set.Filter], which agrees with Decide row by row. Language: https://docs.cedarpolicy.com; how a bundle is written,
// linted and tried out: docs/guides/policies.md.
package policy

import (
	"slices"
	"strings"
	"time"
)

// Kinds of principal.
const (
	Person = "person"
	Client = "client"
	Job    = "job"
)

// Capacities of a person. A session acts in exactly one.
const (
	Staff   = "staff"
	Patient = "patient"
)

// Actions on patient data and the directory.
const (
	Read   = "read"
	Search = "search"
	Write  = "write"
	Export = "export"
	Print  = "print"
	Lower  = "lower" // take a sensitivity label off
	Find   = "find"  // learn that a patient is known here: name, birth year, last digits of the record number
	Break  = "btg"   // ask for a grant: break the glass
)

// Actions on the installation; they need no Resource.
const (
	Own          = "own" // one's own pages: my day, my activity, who looked at my record
	People       = "people"
	PeopleAgree  = "people-agree" // be the second person of a change of people, without administering them
	PeopleList   = "people-list"
	Provision    = "provision" // keep people and groups in step with a directory: programs only
	AuditRead    = "audit-read"
	AuditVerify  = "audit-verify"
	GlassReview  = "glass-review"
	PolicyRead   = "policy-read"
	Settings     = "settings"
	SettingsRead = "settings-read"
	Integrity    = "integrity"

	Approvals   = "approvals" // the page on which acts wait that two people have to want
	Undo        = "undo"      // ask that a person's work be taken back; with -agree: be the second person
	UndoAgree   = "undo-agree"
	Shred       = "shred"
	ShredAgree  = "shred-agree"
	ExportAgree = "export-agree"
	GrantAgree  = "grant-agree" // let somebody see field groups of a chart for a while

	PolicyPropose = "policy-propose" // write rules, try them on what happened, ask that they be enforced
	PolicyAgree   = "policy-agree"   // be the second person

	Recertify      = "recertify"       // answer for what people hold
	RecertifyStart = "recertify-start" // have it asked

	Cases     = "cases"     // see what detection raised
	CaseWork  = "case-work" // take a step on a case
	Mute      = "mute"      // ask that one suspicion about one person be left alone for a while
	MuteAgree = "mute-agree"
)

// Devices and zones. Any other word counts as the least trusted.
const (
	Managed    = "managed"
	Registered = "registered"
	Unknown    = "unknown"

	Hospital = "hospital"
	VPN      = "vpn"
	Internet = "internet"
)

// Principal is who asks. A person acts with the roles of one capacity only: as staff the role patient is ignored, as a patient all
// others are.
type Principal struct {
	Kind        string   // Person, Client or Job
	ID          string   // person id, client id, or job name (import, index, backup, undo)
	Roles       []string // role names of the command line contract
	Capacity    string   // Staff or Patient; persons only
	Departments []string // opaque department keys, the vocabulary of Relation.OrderDepts
	OnShift     bool
	Active      bool
	Clearances  []string  // sensitivity labels assigned by name
	TrainingDue time.Time // overdue from then on; zero means never trained, which is overdue
	House       string    // the role of the house that she holds, and no other: see [HouseRole]; empty: none
	Groups      []string  // the only field groups that she may see, as House gives them by the bundle that decides; nil means no narrowing
	Reads       []string  // clients: resource types its scopes cover, or "*"
	Writes      []string
	Provisions  bool // clients: keeps people and groups
}

// Relation is how the asking person stands to one patient. Zero times mean none.
type Relation struct {
	CareTeam         bool
	OpenContact      bool
	LastContactEnd   time.Time
	NextContactStart time.Time
	OrderDepts       []string
	TaskOpen         bool
	SelfMade         bool
	Self             bool
	Panel            bool
	Asked            bool
	Granted          []string // field groups
	BTGUntil         time.Time
	Flags            []string // protections of the chart itself, whoever asks: vip, employee, confidential, staff-safety
}

// Resource is what is asked for, by the properties that rules speak about. An empty PatientKey means data of no patient.
type Resource struct {
	Type       string // FHIR resource type
	Group      string // field group
	Labels     []string
	Released   bool
	Restricted bool // the patient withholds it from the asker, by a Consent
	New        bool // would be created by this request
	PatientKey string
}

// Context is the circumstances of the request.
type Context struct {
	Now       time.Time
	Device    string
	Zone      string
	AAL       int
	AuthAge   int // seconds since the last authentication at this level
	Approvals int // other people who approved this request
	Rows      int // records asked for
}

// Request is one question.
type Request struct {
	Principal Principal
	Action    string
	Relation  Relation
	Resource  Resource
	Context   Context
}

// Reason is one policy that applied.
type Reason struct {
	ID     string
	Why    string // a sentence to the asking person
	Advice string // what would lift it, for programs: training, step-up:aal3, approval:export
	glass  bool   // holds only by a grant
}

// Decision is the answer. Both lists are complete and sorted by id, also on a refusal: a page can say "you are on the care team,
// but your training is overdue". A Decision is shared and must not be changed.
type Decision struct {
	Allowed bool
	Permits []Reason
	Forbids []Reason
	Errors  []string // faults in the rules or facts; never empty silently: they deny, and the caller raises an alarm
	Hash    string   // of the bundle that decided
	Advice  string   // of the first forbid that has one
}

// Glass reports an allowed request that rests on breaking the glass alone, so that no relationship explains it.
func (d Decision) Glass() bool {
	return d.Allowed && !slices.ContainsFunc(d.Permits, func(r Reason) bool { return !r.glass })
}

// PermitIDs are the ids of the permits that held, sorted; what an audit entry keeps.
func (d Decision) PermitIDs() []string { return ids(d.Permits) }

// ForbidIDs are the ids of the forbids that held, sorted.
func (d Decision) ForbidIDs() []string { return ids(d.Forbids) }

func ids(reasons []Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = r.ID
	}
	return out
}

// Why is the decision as one line of text: the sentences that decided it.
func (d Decision) Why() string {
	reasons := d.Permits
	if !d.Allowed {
		if reasons = d.Forbids; len(reasons) == 0 {
			return "No rule gives you access to this."
		}
	}
	var out []string
	for _, r := range reasons {
		out = append(out, r.Why)
	}
	return strings.Join(out, " ")
}
