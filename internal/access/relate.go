package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/identity"
	"chartwarden/internal/policy"
)

// standing is everything a decision about one chart rests on, computed at the moment of access: who asks, how the two are related,
// under which circumstances. It is made once per chart and request and never kept.
type standing struct {
	principal Principal
	who       policy.Principal
	relation  policy.Relation
	care      care.Relation
	grant     *Grant
	chart     chart
	context   policy.Context
	withheld  consent.View // what the patient's Consents hold back from the asker
	at        time.Time
	view      *view     // of the chart, where a search looks at many
	actor     *standing // of who acts as the asker; nil: she asks herself
	kind      string    // of a search inside one chart: the type that was asked for
	asked     string    // of a search across charts: what the entry of its refusal says was asked
}

// relate computes how p stands to the chart c now. For staff and system data (c.number 0) there is no relation, only the asker.
func (g *Gate) relate(ctx context.Context, p Principal, c chart) (standing, error) {
	s := g.alone(p)
	s.chart = c
	if p.Session == nil {
		return s, g.heed(ctx, &s)
	}
	if p.Session.Actor != nil {
		own, err := g.relate(ctx, p.actor(), c)
		if err != nil {
			return s, err
		}
		s.actor = &own
	}
	person := p.Session.Person
	actor, err := g.actor(ctx, person)
	if err != nil {
		return s, err
	}
	if c.number == 0 {
		s.care.Shift, err = g.care.OnShift(ctx, actor, s.at)
	} else {
		s.care, err = g.care.Relate(ctx, actor, c.number, s.at)
	}
	if err != nil {
		return s, err
	}
	s.meet(s.care)
	if c.number != 0 && p.Session.Capacity == identity.StaffCapacity {
		if s.relation.Granted, err = g.approved(ctx, person.ID, c.number, s.at); err != nil {
			return s, err
		}
	}
	if p.hasGlass() && c.number != 0 {
		if s.grant, err = g.liveGrant(ctx, person, c.number, s.at); err != nil {
			return s, err
		}
		s.hold(s.grant.bounded(s.care.Visits, s.at))
	}
	return s, g.heed(ctx, &s)
}

// alone is how p stands before anything is known of a chart: who asks, and under which circumstances.
func (g *Gate) alone(p Principal) standing {
	s := standing{principal: p, at: g.now()}
	s.context = policy.Context{Now: s.at}
	if p.Session == nil {
		s.who = p.machine()
		return s
	}
	person := p.Session.Person
	s.who = policy.Principal{
		Kind: policy.Person, ID: person.ID, Roles: person.RolesIn(p.Session.Capacity), Capacity: p.Session.Capacity,
		Active: person.Active, Clearances: person.Clearances, TrainingDue: trained(person), House: person.House,
	}
	s.context.Device, s.context.Zone, s.context.AAL = p.Session.Trust, zoneOf(p.Session.Zone), p.Session.AAL
	s.context.AuthAge = int(s.at.Sub(p.Session.AuthTime(p.Session.AAL)).Seconds())
	return s
}

// never is a day that does not come.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// trained is until when a person's training lasts. Where nothing was asked yet no day has passed: rules compare with a day, so one far off stands for it.
func trained(p identity.Person) time.Time {
	if p.TrainingDue.IsZero() {
		return never
	}
	return p.TrainingDue
}

// zoneOf is the zone of a place: "hospital/ward-3" is in the hospital.
func zoneOf(place string) string {
	zone, _, _ := strings.Cut(place, "/")
	return zone
}

// meet takes in what care knows of the asker and the chart.
func (s *standing) meet(c care.Relation) {
	s.care = c
	if s.principal.Session.Capacity == identity.StaffCapacity {
		s.who.OnShift, s.who.Departments = c.Shift.On, c.Shift.Departments
	}
	if s.chart.number == 0 {
		return
	}
	f := c.Facts
	s.relation = policy.Relation{
		CareTeam: f.CareTeam, OpenContact: f.OpenContact, LastContactEnd: f.LastContactEnd, NextContactStart: f.NextContactStart,
		OrderDepts: f.OrderDepts, TaskOpen: f.TaskOpen, SelfMade: f.SelfMade, Self: f.Self, Panel: f.Panel, Asked: f.Asked, Flags: f.Flags,
	}
}

// hold takes in a grant; nil is none.
func (s *standing) hold(grant *Grant) {
	if s.grant = grant; grant != nil {
		s.relation.BTGUntil = grant.Until
	}
}

// hasGlass reports whether p may hold grants at all.
func (p Principal) hasGlass() bool {
	return p.Session != nil && p.Session.Capacity == identity.StaffCapacity && p.mayBreakGlass()
}

// actor is the person as care knows her: by her Practitioner, by her own chart, and with what colleagues said.
func (g *Gate) actor(ctx context.Context, person identity.Person) (care.Actor, error) {
	a := care.Actor{Person: person.ID, Practitioner: person.Practitioner}
	if ref, ok := fhir.ParseReference(person.Patient); ok {
		own, err := g.records.Patient(ctx, ref.ID)
		if err != nil {
			return a, err
		}
		a.Patient = own
	}
	var err error
	a.Words, err = g.wordsOf(ctx, person)
	return a, err
}

// reason is the one reason of an access that d permits: the strongest edge for a clinical person, else the sentence of the permit.
func (s standing) reason(d policy.Decision) Reason {
	if s.actor != nil {
		return s.actor.reason(d)
	}
	r := Reason{Permits: d.PermitIDs(), Glass: d.Glass()}
	switch {
	case r.Glass && s.grant != nil:
		r.Template, r.Until = "glass."+s.grant.Code, s.grant.Until
		r.Sentence, r.Patient = "You opened this chart by giving a reason.", glassSentence(s.grant.Code)
	case s.treats(d) && len(s.care.Evidence) > 0:
		best := s.care.Evidence[0]
		r.Template, r.Sentence, r.Patient, r.Until = best.Template, best.Sentence(), best.PatientSentence(), best.Ends()
	case len(d.Permits) > 0:
		first := d.Permits[0]
		r.Template, r.Sentence, r.Patient = first.ID, first.Why, patientWords(first.ID)
	}
	return r
}

// treats reports whether a care relationship, rather than a function of the house, is among the permits.
func (s standing) treats(d policy.Decision) bool {
	return slices.ContainsFunc(d.Permits, func(r policy.Reason) bool { return strings.HasPrefix(r.ID, "treat.") })
}

// patientWords says to the patient what a permit that is no care relationship means.
func patientWords(permit string) string {
	switch {
	case strings.HasPrefix(permit, "self."):
		return "was you"
	case strings.HasPrefix(permit, "ops.frontdesk"), permit == "ops.register":
		return "registered you or kept your appointments"
	case strings.HasPrefix(permit, "ops.billing"):
		return "worked on your bill"
	case permit == "ops.find":
		return "looked you up in the list of patients"
	case permit == "job.undo":
		return "took back what somebody had written, by a decision of two people"
	case permit == "job.label":
		return "marked a record as sensitive, by a rule of this hospital"
	case strings.HasPrefix(permit, "job.import"):
		return "took over your records from another system"
	case strings.HasPrefix(permit, "client."):
		return "is a program that works for this hospital"
	}
	return "had a reason that this hospital defined"
}

// agent is who asks, as the entry tells it.
func (p Principal) agent() audit.Agent {
	switch {
	case p.Session != nil && p.App != nil:
		a := p.Session.Agent()
		a.Client = p.App.Client.ID
		return a
	case p.Session != nil:
		return p.Session.Agent()
	case p.App != nil:
		return p.App.Agent()
	}
	return audit.Agent{Job: p.Job}
}

// AtWork reports whether the roster has a person on shift now. Errors: outcome.NoStore.
func (g *Gate) AtWork(ctx context.Context, person identity.Person) (bool, error) {
	actor, err := g.actor(ctx, person)
	if err != nil {
		return false, err
	}
	shift, err := g.care.OnShift(ctx, actor, g.now())
	return shift.On, err
}
