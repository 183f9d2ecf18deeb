package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/outcome"
)

func ptr[T any](v T) *T { return &v }

func TestTheFirstAdministratorWaitsForNobody(t *testing.T) {
	s := newSite(t, false)
	first, item, err := s.Create(t.Context(), shell, NewPerson{Name: "Ada Admin", Roles: []string{Administrator, Physician}})
	s.must(err)
	if item != nil || !first.Active {
		t.Fatalf("%+v %+v", first, item)
	}
	p, item, err := s.Create(t.Context(), shell, NewPerson{Name: "Maren Okafor", Roles: []string{Nurse}})
	s.must(err)
	if item == nil || p.Active || p.State != Waiting {
		t.Fatalf("%+v %+v", p, item)
	}
	clerk, item, err := s.Create(t.Context(), shell, NewPerson{Name: "Tom Clerk", Roles: []string{Billing}})
	s.must(err)
	if item != nil || !clerk.Active {
		t.Fatalf("%+v %+v", clerk, item)
	}
	people, err := s.People(t.Context())
	s.must(err)
	if len(people) != 3 || people[0].Name != "Ada Admin" || people[1].Name != "Maren Okafor" {
		t.Fatalf("%v", people)
	}
}

func TestFieldsOfAPersonAreChecked(t *testing.T) {
	s := newSite(t, true)
	for what, n := range map[string]NewPerson{
		"no name":            {},
		"unknown role":       {Name: "A", Roles: []string{"wizard"}},
		"patient, no chart":  {Name: "A", Roles: []string{Patient}},
		"a wrong reference":  {Name: "A", Practitioner: "Patient/1"},
		"a name with spaces": {Name: "A", SignInName: "a b"},
	} {
		if _, _, err := s.Create(t.Context(), shell, n); err == nil || outcome.Status(err) >= 500 {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := s.Create(t.Context(), shell, NewPerson{Name: "A", SignInName: "aa"})
	s.must(err)
	_, _, err = s.Create(t.Context(), shell, NewPerson{Name: "B", SignInName: "aa"})
	s.refused(err, outcome.Duplicate, "a taken name")
	if got := nameFrom("Dr. Søren O’Neil-Łuk"); !signInName.MatchString(got) {
		t.Error(got)
	}
	if got := nameFrom("李 明"); got != "person" {
		t.Error(got)
	}
}

func TestAChangeTellsOldAndNew(t *testing.T) {
	s := newSite(t, true)
	p := s.hire("Tom Clerk", Billing)
	s.trail.take()
	got, _, err := s.Change(t.Context(), shell, p.Person, Change{Roles: ptr([]string{FrontDesk, Auditor}), Department: ptr("Records"), Name: ptr("Tom Klerk")})
	s.must(err)
	e := s.trail.take()
	if len(e) != 1 || !strings.Contains(e[0].Text, `roles "billing" -> "auditor front-desk"`) || !strings.Contains(e[0].Text, `department "" -> "Records"`) || strings.Contains(e[0].Text, "lerk") {
		t.Fatalf("%+v", e)
	}
	if got.Name != "Tom Klerk" || got.SignInName != "tom.clerk" {
		t.Fatalf("%+v", got)
	}
	_, _, err = s.Change(t.Context(), shell, p.Person, Change{Department: ptr("Records")})
	s.must(err)
	s.wantSaid() // nothing changed, nothing said
	_, _, err = s.Change(t.Context(), p.agent(), p.Person, Change{Roles: ptr([]string{Administrator})})
	s.refused(err, outcome.Forbidden, "rights to oneself")
	admin := s.hire("Ada Admin", Administrator)
	_, _, err = s.Change(t.Context(), shell, admin.Person, Change{Roles: ptr([]string{})})
	s.refused(err, outcome.Conflict, "the last administrator")
	r, err := s.find(t.Context(), s.db.Reader(), p.Person)
	s.must(err)
	r.revision--
	s.refused(s.update(t.Context(), noted{}, r, r.profile(), nil), outcome.Conflict, "a lost race")
}

// office is a real installation (no sandbox) with people whose authenticators are ripe.
func office(t *testing.T) (s *site, ada, ben, eve someone) {
	s = newSite(t, false)
	ada, ben, eve = s.hire("Ada Admin", Administrator), s.hire("Ben Privacy", Privacy), s.hire("Eve Nurse", Nurse)
	s.clock.pass(25 * time.Hour)
	s.trail.take()
	return s, ada, ben, eve
}

func TestARightTakesTwoPeople(t *testing.T) {
	s, ada, ben, eve := office(t)
	tom := s.hire("Tom Clerk", Billing)
	s.trail.take()
	for what, c := range map[string]Change{
		"a clinical role": {Roles: ptr([]string{Billing, Nurse})},
		"a clearance":     {Clearances: ptr([]string{"PSY"})},
	} {
		before, err := s.Person(t.Context(), tom.Person)
		s.must(err)
		p, item, err := s.Change(t.Context(), ada.agent(), tom.Person, c)
		s.must(err)
		if item == nil || !slices.Equal(p.Roles, before.Roles) || !slices.Equal(p.Clearances, before.Clearances) {
			t.Fatalf("%s came at once: %+v", what, p)
		}
		for who, by := range map[string]someone{"who asked": ada, "himself": tom} {
			_, err := s.Approve(t.Context(), by.agent(), item.ID)
			s.refused(err, outcome.Forbidden, what+" approved by "+who)
		}
		_, err = s.Approve(t.Context(), shell, item.ID)
		s.refused(err, outcome.Forbidden, what+" approved by a command line")
		asPatient := ben.agent()
		asPatient.Capacity = PatientCapacity
		_, err = s.Approve(t.Context(), asPatient, item.ID)
		s.refused(err, outcome.Forbidden, what+" approved in patient capacity")
		_, err = s.Approve(t.Context(), s.hire("New Hire", Privacy).agent(), item.ID)
		s.refused(err, outcome.Forbidden, what+" approved by a new authenticator")
		done, err := s.Approve(t.Context(), ben.agent(), item.ID)
		s.must(err)
		if slices.Equal(done.Person.Roles, before.Roles) && slices.Equal(done.Person.Clearances, before.Clearances) {
			t.Fatalf("%s: %+v", what, done.Person)
		}
		_, err = s.Approve(t.Context(), ben.agent(), item.ID)
		s.refused(err, outcome.NotFound, "twice")
	}
	// another practitioner's relationships are a right, too
	_, item, err := s.Change(t.Context(), ada.agent(), eve.Person, Change{Practitioner: ptr("Practitioner/other")})
	s.must(err)
	if item == nil {
		t.Fatal("a nurse took over another practitioner's patients alone")
	}
	// taking away needs nobody
	p, item2, err := s.Change(t.Context(), ada.agent(), tom.Person, Change{Roles: ptr([]string{})})
	s.must(err)
	if item2 != nil || len(p.Roles) != 0 {
		t.Fatalf("%+v %+v", p, item2)
	}
	s.clock.pass(8 * 24 * time.Hour)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.refused(err, outcome.NotFound, "a lapsed item")
}

func TestWhoCreatedWhomIsNoSecondPerson(t *testing.T) {
	s, ada, ben, _ := office(t)
	puppet, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Pup Pet", Roles: []string{Privacy}})
	s.must(err)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID) // deceived
	s.must(err)
	link, err := s.Invite(t.Context(), ada.agent(), puppet.ID)
	s.must(err)
	s.enrol(link)
	s.clock.pass(25 * time.Hour)
	p, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
	s.must(err)
	by := ada.agent()
	by.Person = puppet.ID
	_, err = s.Approve(t.Context(), by, item.ID)
	s.refused(err, outcome.Forbidden, "a person of one's own making")
	done, err := s.Approve(t.Context(), ben.agent(), item.ID)
	s.must(err)
	if done.Person.ID != p.ID || !done.Person.Active {
		t.Fatalf("%+v", done)
	}
	_, item, err = s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nick Nurse", Roles: []string{Nurse}})
	s.must(err)
	s.must(s.Decline(t.Context(), ben.agent(), item.ID, "unknown here"))
	if p, _ := s.Person(t.Context(), item.Person); p.State != Ended {
		t.Fatalf("%+v", p.State)
	}
	if list, err := s.Pending(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("%v %v", list, err)
	}
}

// One administrator makes people of her own who would ask and agree for her: where another could look, he has to; and whom they make
// in turn is of her making, too.
func TestNobodyMakesHerOwnSecondPerson(t *testing.T) {
	s, ada, ben, _ := office(t)
	olga := s.hire("Olga Admin", Administrator)
	tom := s.hire("Tom Clerk", Billing)
	s.clock.pass(25 * time.Hour)
	for _, role := range []string{Administrator, Privacy, Security, HR} {
		p, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Pup " + role, Roles: []string{role}})
		s.must(err)
		if item == nil || p.Active {
			t.Errorf("a new %s came at once", role)
		}
		p, item, err = s.Change(t.Context(), ada.agent(), tom.Person, Change{Roles: ptr([]string{Billing, role})})
		s.must(err)
		if item == nil || slices.Contains(p.Roles, role) {
			t.Errorf("an old hand became %s at once", role)
		}
	}
	made := func(by someone, name, role string) someone { // with everybody deceived
		t.Helper()
		p, item, err := s.Create(t.Context(), by.agent(), NewPerson{Name: name, Roles: []string{role}})
		s.must(err)
		if item != nil {
			_, err = s.Approve(t.Context(), ben.agent(), item.ID)
			s.must(err)
		}
		link, err := s.Invite(t.Context(), by.agent(), p.ID)
		s.must(err)
		s.enrol(link)
		s.clock.pass(25 * time.Hour)
		out := by
		out.Person = p.ID
		return out
	}
	child := made(ada, "Pup Pet", Administrator)
	grandchild := made(child, "Pup Two", Privacy)
	_, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
	s.must(err)
	_, err = s.Approve(t.Context(), grandchild.agent(), item.ID)
	s.refused(err, outcome.Forbidden, "whom her own creature made")
	_, err = s.Approve(t.Context(), olga.agent(), item.ID)
	s.must(err)
}

// What others judge a person by is not hers to change, whatever she may change of others.
func TestNobodyChangesWhatSheIsJudgedBy(t *testing.T) {
	s, ada, _, _ := office(t)
	for what, c := range map[string]Change{"department": {Department: ptr("Elsewhere")}, "training": {TrainingDue: ptr(s.clock.now().AddDate(9, 0, 0))}, "manager": {Manager: ptr("")},
		"roles": {Roles: ptr([]string{Administrator, Privacy})}, "clearances": {Clearances: ptr([]string{"PSY"})}, "practitioner": {Practitioner: ptr("Practitioner/other")}, "patient": {Patient: ptr("Patient/other")}} {
		if _, _, err := s.Change(t.Context(), ada.agent(), ada.Person, c); what != "manager" {
			s.refused(err, outcome.Forbidden, "her own "+what)
		}
	}
}

func TestASoloPracticeApprovesAloneAfterADay(t *testing.T) {
	s := newSite(t, false)
	ada := s.hire("Ada Solo", Administrator)
	s.clock.pass(25 * time.Hour)
	_, item, err := s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
	s.must(err)
	_, err = s.Approve(t.Context(), ada.agent(), item.ID)
	s.refused(err, outcome.Forbidden, "alone at once")
	s.clock.pass(24 * time.Hour)
	s.trail.take()
	_, err = s.Approve(t.Context(), ada.agent(), item.ID)
	s.must(err)
	if e := s.trail.take(); len(e) != 1 || !strings.Contains(e[0].Text, "approved alone") {
		t.Fatalf("%+v", e)
	}
	_, item, err = s.Create(t.Context(), ada.agent(), NewPerson{Name: "Nora Nurse", Roles: []string{Nurse}})
	s.must(err)
	s.hire("Ben Privacy", Privacy)
	s.clock.pass(25 * time.Hour)
	_, err = s.Approve(t.Context(), ada.agent(), item.ID)
	s.refused(err, outcome.Forbidden, "alone although somebody else is there")
}

// enrol sets credentials behind a link.
func (s *site) enrol(link Link) (Opened, someone) {
	s.t.Helper()
	e, err := s.Enrolment(s.t.Context(), link.Token)
	s.must(err)
	p := someone{Credentials{Person: e.Person, Name: e.Name, Password: "seven quiet herons", Secret: e.Secret}, s}
	o, err := s.Enrol(s.t.Context(), link.Token, p.Password, p.code(), atStation)
	s.must(err)
	return o, p
}

func TestAnEnrolmentLinkWorksOnce(t *testing.T) {
	s := newSite(t, false)
	who, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Ada Admin", Roles: []string{Administrator}})
	s.must(err)
	old, err := s.Invite(t.Context(), shell, who.ID)
	s.must(err)
	link, err := s.Invite(t.Context(), shell, who.ID)
	s.must(err)
	_, err = s.Enrolment(t.Context(), old.Token)
	s.refused(err, outcome.NotFound, "a replaced link")
	e, err := s.Enrolment(t.Context(), link.Token)
	s.must(err)
	if e.Name != "Ada Admin" || !strings.Contains(e.URI, e.Secret) {
		t.Fatalf("%+v", e)
	}
	p := someone{Credentials{Person: who.ID, Password: "seven quiet herons", Secret: e.Secret}, s}
	_, err = s.Enrol(t.Context(), link.Token, "short", p.code(), atStation)
	s.refused(err, outcome.Value, "a short password")
	_, err = s.Enrol(t.Context(), link.Token, "Ada  ADMIN   ada admin"[:12]+"", "000000", atStation)
	s.refused(err, outcome.Value, "a wrong code")
	code := p.code()
	o, err := s.Enrol(t.Context(), link.Token, p.Password, code, atStation)
	s.must(err)
	s.alive(o.Token, "signed in by enrolling")
	_, err = s.Enrol(t.Context(), link.Token, p.Password, p.code(), atStation)
	s.refused(err, outcome.NotFound, "the second use")
	_, err = s.Enrolment(t.Context(), link.Token)
	s.refused(err, outcome.NotFound, "reading a used link")
	_, err = s.SignIn(t.Context(), Attempt{Person: who.ID, Password: p.Password, Code: code, From: atStation})
	s.refused(err, outcome.Login, "the code of the enrolment again")
	p.signIn()
	_, err = s.Invite(t.Context(), shell, who.ID)
	s.refused(err, outcome.Conflict, "a link for somebody enrolled, by one person")
}

func TestOfTwoWhoEnrolOneWins(t *testing.T) {
	s := newSite(t, true)
	who, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Tom Clerk", Roles: []string{Billing}})
	s.must(err)
	link, err := s.Invite(t.Context(), shell, who.ID)
	s.must(err)
	e, err := s.Enrolment(t.Context(), link.Token)
	s.must(err)
	code := someone{Credentials{Secret: e.Secret}, s}.code()
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, err := s.Enrol(context.Background(), link.Token, fmt.Sprint("seven quiet herons", i), code, atStation); err == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d enrolled with one link", won.Load())
	}
}

func TestAnEnrolmentLinkLapses(t *testing.T) {
	s := newSite(t, false)
	who, _, err := s.Create(t.Context(), shell, NewPerson{Name: "Tom Clerk", Roles: []string{Billing}})
	s.must(err)
	link, err := s.Invite(t.Context(), shell, who.ID)
	s.must(err)
	s.clock.pass(72*time.Hour - time.Second)
	_, err = s.Enrolment(t.Context(), link.Token)
	s.must(err)
	s.clock.pass(time.Second)
	_, err = s.Enrolment(t.Context(), link.Token)
	s.refused(err, outcome.NotFound, "a lapsed link")
	for _, token := range []string{"", "x", link.Token + "A", strings.Repeat("A", 43)} {
		_, err = s.Enrolment(t.Context(), token)
		s.refused(err, outcome.NotFound, "no link")
	}
}

func TestWhoWaitsEnrolsWithoutASession(t *testing.T) {
	s, _, ben, _ := office(t)
	who, item, err := s.Create(t.Context(), shell, NewPerson{Name: "Nina Nurse", Roles: []string{Nurse}})
	s.must(err)
	link, err := s.Invite(t.Context(), shell, who.ID)
	s.must(err)
	o, nina := s.enrol(link)
	if o.Session != nil || o.Token != "" {
		t.Fatal("a session without the second person")
	}
	_, err = s.SignIn(t.Context(), nina.attempt())
	s.refused(err, outcome.Forbidden, "before the second person")
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.must(err)
	nina.signIn()
}

func TestAResetTakesTwoOthers(t *testing.T) {
	s, ada, ben, eve := office(t)
	o := eve.signIn()
	_, err := s.AskReset(t.Context(), eve.agent(), eve.Person, "lost phone")
	s.refused(err, outcome.Forbidden, "asked by the person")
	_, err = s.AskReset(t.Context(), shell, eve.Person, "lost phone")
	s.refused(err, outcome.Forbidden, "asked by a command line")
	item, err := s.AskReset(t.Context(), ada.agent(), eve.Person, "lost phone")
	s.must(err)
	s.alive(o.Token, "asking changes nothing")
	for who, by := range map[string]someone{"who asked": ada, "the person": eve} {
		_, err := s.Approve(t.Context(), by.agent(), item.ID)
		s.refused(err, outcome.Forbidden, "approved by "+who)
	}
	s.trail.take()
	done, err := s.Approve(t.Context(), ben.agent(), item.ID)
	s.must(err)
	s.wantSaid("credential-reset")
	s.dead(o.Token, "sessions end with the factors")
	_, err = s.SignIn(t.Context(), eve.attempt())
	s.refused(err, outcome.Login, "the old factors")
	opened, fresh := s.enrol(*done.Link)
	if opened.Session.Person.ID != eve.Person {
		t.Fatal("somebody else")
	}
	fresh.signIn()
	s.wantSaid("login failed", "enrol", "login", "login")

	item, err = s.AskReset(t.Context(), ada.agent(), eve.Person, "again")
	s.must(err)
	s.clock.pass(time.Hour)
	_, err = s.Approve(t.Context(), ben.agent(), item.ID)
	s.refused(err, outcome.NotFound, "a reset lapses after an hour")
	if errors.Is(err, ErrLocked) {
		t.Fatal("sentinels mix")
	}
}

func TestRolesAreThirteen(t *testing.T) {
	if r := Roles(); len(r) != 13 || !slices.Contains(r, MedicalAssistant) || Clinical(Administrator) || !Clinical(Pharmacist) {
		t.Fatal(r)
	}
}
