package e2e

import (
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/staffing"
)

// S:mover. An administrator sets a move with an overlap, sees the difference and what else is set, and takes one back, with the keyboard alone where a
// button is; then settles who stands on no roster.
func TestMover(t *testing.T) {
	o := newBureau(t)
	boss := o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Nurse}, Department: "4 East"})
	bo := o.person(identity.NewPerson{Name: "Bo Berg", Roles: []string{identity.Nurse, identity.Auditor}, Department: "4 East", Manager: boss.login})
	tom := o.person(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing}})
	ada := o.person(identity.NewPerson{Name: "Ada Admin", Roles: []string{identity.Administrator}})
	shell := audit.Agent{Job: "test"}
	if err := o.Persons.Schedule(t.Context(), shell, identity.Scheduled{Person: tom.login, Kind: identity.LeaveAt, At: time.Now().AddDate(0, 1, 0), Reason: "retires"}); err != nil {
		t.Fatal(err)
	}
	rows, faults, err := staffing.ReadHR([]byte("employee,name,roles,person\n1,Bo Berg,nurse auditor,"+bo.login+"\n"), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := o.Staffing.Plan(t.Context(), rows, faults, -1)
	if err == nil {
		err = o.Staffing.CarryOut(t.Context(), shell, plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := o.as(ada)
	b.follow("Bo Berg")
	b.follow("Set a move")
	b.fits("move")
	b.fill("reason", "Moves to the office")
	b.touch("[name=role][value=nurse]")
	b.touch("[name=role][value=billing]")
	b.fill("overlap", "93")
	ask[bool](b, `document.querySelector('main form').noValidate = true`)
	b.expect(400)
	b.follow("Set this move")
	b.says("whole days, 0 to 92")
	b.fill("overlap", "14")
	b.fill("department", "Office")
	at := time.Now().UTC().AddDate(0, 0, 3)
	ask[string](b, `document.querySelector('#at').value = '`+at.Format("2006-01-02T15:04")+`'`)
	b.follow("Set this move")
	b.says("The move of Bo Berg is set for", "Nurse, Auditor → Billing, Auditor", "also: Nurse", "Department: 4 East → Office", "Tom Clerk", "retires")
	b.fits("coming")
	m := o.as(boss) // who answers for him sees the difference, too
	m.open("/recertify")
	m.says("Your people who move", "Nurse, Auditor → Billing, Auditor")
	m.silent("Tom Clerk")
	m.fits("recertify-moves")
	b.tabTo("button[value=leave]")
	b.followKeys("\r")
	b.says("Taken back: Tom Clerk")
	if set, err := o.Persons.ScheduledFor(t.Context(), ""); err != nil || len(set) != 1 || set[0].Overlap != 14*24*time.Hour || set[0].By != ada.login {
		t.Errorf("%+v %v", set, err)
	}
	b.open("/admin/people")
	b.follow("On no roster")
	b.says("4 people who can get in", "the HR file", "Ruth Adeyemi", "Tom Clerk")
	b.fits("unrostered")
	b.tabTo("#because-" + tom.login)
	b.keys("Engineer of the vendor")
	b.followKeys("\r")
	b.says("Tom Clerk", "Engineer of the vendor")
	b.fits("unrostered-known")
}
