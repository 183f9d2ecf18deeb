package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Facts are everything that rules saw of a decision about one chart, or about the directory: who asked as far as rules know, the
// relation, the circumstances, and each kind of record. An audit entry keeps them as text, so that the decision can be made again, by
// the bundle of its day or by another one. Format: docs/formats/audit-entry.md, "Facts".
type Facts struct {
	Principal Principal
	Action    string
	Relation  Relation
	Context   Context
	Resources []Resource // kinds of records, each once; PatientKey is "1" in a chart
}

// factsText is how they are written; what is usual is left out.
type factsText struct {
	Action     string    `json:"a"`
	Kind       string    `json:"k,omitempty"` // of the principal, unless a person
	ID         string    `json:"i,omitempty"` // unless a person: she stands in the entry
	Patient    bool      `json:"p,omitempty"` // acts as patient
	Roles      []string  `json:"r,omitempty"`
	Depts      []string  `json:"d,omitempty"`
	OnShift    bool      `json:"s,omitempty"`
	Ended      bool      `json:"e,omitempty"`
	Clearances []string  `json:"c,omitempty"`
	Training   int64     `json:"t,omitempty"`
	Groups     *[]string `json:"g,omitempty"`
	House      string    `json:"h,omitempty"` // role of the house
	Reads      []string  `json:"cr,omitempty"`
	Writes     []string  `json:"cw,omitempty"`
	Provisions bool      `json:"cp,omitempty"`

	Links   string   `json:"l,omitempty"` // letters: t care team, o open contact, q task, m self-made, s self, p panel, w by a colleague's word
	Last    int64    `json:"lc,omitempty"`
	Next    int64    `json:"nc,omitempty"`
	Orders  []string `json:"o,omitempty"`
	Granted []string `json:"gr,omitempty"`
	Grant   int64    `json:"b,omitempty"`
	Flags   []string `json:"f,omitempty"`

	Now       int64  `json:"n"`
	Device    string `json:"dv,omitempty"`
	Zone      string `json:"z,omitempty"`
	AAL       int    `json:"al,omitempty"`
	AuthAge   int    `json:"aa,omitempty"`
	Approvals int    `json:"ap,omitempty"`
	Rows      int    `json:"rw,omitempty"`

	Chart bool     `json:"ch,omitempty"`
	Of    []string `json:"of"`
}

const linkLetters = "toqmspw"

func (r *Relation) links() []*bool {
	return []*bool{&r.CareTeam, &r.OpenContact, &r.TaskOpen, &r.SelfMade, &r.Self, &r.Panel, &r.Asked}
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Text writes the facts. Records of one kind are written once.
func (f Facts) Text() string {
	p, rel, c := &f.Principal, &f.Relation, &f.Context
	t := factsText{Action: f.Action, Patient: p.Capacity == Patient, Roles: p.Roles, Depts: p.Departments, OnShift: p.OnShift, Ended: !p.Active, Clearances: p.Clearances,
		Training: milli(p.TrainingDue), House: p.House, Reads: p.Reads, Writes: p.Writes, Provisions: p.Provisions,
		Last: milli(rel.LastContactEnd), Next: milli(rel.NextContactStart), Orders: rel.OrderDepts, Granted: rel.Granted, Grant: milli(rel.BTGUntil), Flags: rel.Flags,
		Now: c.Now.UnixMilli(), Device: c.Device, Zone: c.Zone, AAL: c.AAL, AuthAge: c.AuthAge, Approvals: c.Approvals, Rows: c.Rows}
	if p.Kind != Person {
		t.Kind, t.ID = p.Kind, p.ID
	}
	if p.Groups != nil {
		t.Groups = &p.Groups
	}
	for i, link := range rel.links() {
		if *link {
			t.Links += linkLetters[i : i+1]
		}
	}
	for i := range f.Resources {
		r := &f.Resources[i]
		t.Chart = t.Chart || r.PatientKey != ""
		if text := r.text(); !slices.Contains(t.Of, text) {
			t.Of = append(t.Of, text)
		}
	}
	out, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(out)
}

// text is `Observation/results`, then `!` where the patient may not see it yet, `+` where it would be created, `~` where the patient withholds it by a Consent, `#PSY#HIV` for labels.
func (r *Resource) text() string {
	out := r.Type + "/" + r.Group
	if !r.Released {
		out += "!"
	}
	if r.New {
		out += "+"
	}
	if r.Restricted {
		out += "~"
	}
	for _, l := range r.Labels {
		out += "#" + l
	}
	return out
}

func resourceOf(text string, chart bool) (Resource, error) {
	head, labels, labelled := strings.Cut(text, "#")
	var r Resource
	head, r.Restricted = strings.CutSuffix(head, "~")
	head, r.New = strings.CutSuffix(head, "+")
	head, hidden := strings.CutSuffix(head, "!")
	r.Released = !hidden
	var ok bool
	if r.Type, r.Group, ok = strings.Cut(head, "/"); !ok {
		return r, fmt.Errorf("%q names no record", head)
	}
	if labelled {
		r.Labels = strings.Split(labels, "#")
	}
	if chart {
		r.PatientKey = "1"
	}
	return r, nil
}

// ReadFacts reads what [Facts.Text] wrote; person is who stands in the entry. Errors: outcome.Invalid.
func ReadFacts(text, person string) (Facts, error) {
	var t factsText
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return Facts{}, outcome.Wrap("policy: facts", outcome.Invalid, "these are no facts of a decision", err)
	}
	f := Facts{Action: t.Action, Principal: Principal{Kind: Person, ID: person, Capacity: Staff, Roles: t.Roles, Departments: t.Depts, OnShift: t.OnShift, Active: !t.Ended,
		Clearances: t.Clearances, TrainingDue: fromMilli(t.Training), House: t.House, Reads: t.Reads, Writes: t.Writes, Provisions: t.Provisions},
		Relation: Relation{LastContactEnd: fromMilli(t.Last), NextContactStart: fromMilli(t.Next), OrderDepts: t.Orders, Granted: t.Granted, BTGUntil: fromMilli(t.Grant), Flags: t.Flags},
		Context:  Context{Now: time.UnixMilli(t.Now).UTC(), Device: t.Device, Zone: t.Zone, AAL: t.AAL, AuthAge: t.AuthAge, Approvals: t.Approvals, Rows: t.Rows}}
	if t.Patient {
		f.Principal.Capacity = Patient
	}
	if t.Kind != "" {
		f.Principal.Kind, f.Principal.ID, f.Principal.Capacity = t.Kind, t.ID, ""
	}
	if t.Groups != nil {
		f.Principal.Groups = append([]string{}, *t.Groups...)
	}
	for i, link := range f.Relation.links() {
		*link = strings.Contains(t.Links, linkLetters[i:i+1])
	}
	for _, one := range t.Of {
		r, err := resourceOf(one, t.Chart)
		if err != nil {
			return Facts{}, outcome.Wrap("policy: facts", outcome.Invalid, "these are no facts of a decision", err)
		}
		f.Resources = append(f.Resources, r)
	}
	return f, nil
}

// Requests are the questions that the facts answer, one for each kind of record.
func (f Facts) Requests() []Request {
	out := make([]Request, len(f.Resources))
	for i, r := range f.Resources {
		out[i] = Request{Principal: f.Principal, Action: f.Action, Relation: f.Relation, Resource: r, Context: f.Context}
	}
	return out
}
