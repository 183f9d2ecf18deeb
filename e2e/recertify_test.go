package e2e

import (
	"fmt"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/staffing"
)

// E:recertify. A manager says of twenty people who still needs what: what is ordinary with one touch, the rest one by one. What a person gave to each
// touch is counted: at ten seconds a decision that is well under five minutes.
func TestRecertify(t *testing.T) {
	o := newBureau(t)
	boss := o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Nurse}, Department: "4 East"})
	officer := o.person(identity.NewPerson{Name: "Olu Bankole", Roles: []string{identity.Privacy}})
	for i := range 20 {
		n := identity.NewPerson{Name: fmt.Sprintf("Nurse %02d", i), Roles: []string{identity.Nurse}, Department: "4 East", Manager: boss.login}
		switch i {
		case 3:
			n.Roles = append(n.Roles, identity.Billing)
		case 7:
			n.Clearances = []string{"PSY"}
		case 11:
			n.Roles = append(n.Roles, identity.Administrator)
		}
		o.person(n)
	}
	began := time.Now()
	office := o.as(officer)
	office.open("/recertify")
	office.fits("recertify-start")
	if _, err := o.Staffing.Recertify(t.Context(), audit.Agent{Job: "operator"}, staffing.Recertifying{Manager: boss.login, Owners: []string{officer.login}}); err != nil {
		t.Fatal(err)
	}
	b := o.as(boss)
	b.says("You are asked who still needs what")
	b.follow("Answer")
	b.says("23 answers about 20 people", "Keep the 20 ordinary ones", "Few colleagues hold it", "Runs or watches this house")
	b.fits("recertify")
	touches := 0
	touch := func(what string, says ...string) {
		t.Helper()
		b.follow(what)
		touches++
		b.says(says...)
	}
	touch("Keep the 20 ordinary ones", "Kept 20 ordinary ones")
	touch("main table button[value=keep]", "Kept: Administrator, Nurse 11") // the most pressing first
	touch("main table button[value=take]", "Taken away: Billing, Nurse 03")
	touch("main table button[value=keep]", "Kept: Psychiatry, Nurse 07")
	b.says("Nobody waits for your answer")
	b.fits("recertify-done")
	t.Logf("20 people, 23 answers: %d touches; at a machine's pace %.1f s with two sign-ins", touches, time.Since(began).Seconds())
	office.open("/recertify")
	office.says("Answered")
	office.fits("recertify-answered")
}
