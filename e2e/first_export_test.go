package e2e

import (
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Before the first thing leaves the house a person reads for a minute what that means: once, and never again.
func TestFirstExport(t *testing.T) {
	w := newWard(t, nil)
	who, err := w.Persons.CreateForTest(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Sam Rivera", Roles: []string{identity.Physician}, Practitioner: w.nurse, TrainingDue: w.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	b := browse(t, w.base)
	b.open("/sign-in")
	sam := signIn{login: who.Person, password: who.Password, secret: who.Secret}
	b.signIn(sam, sam.code(t, 0))
	const lesson = "A minute before data leaves this house"
	b.open(w.chart + "/timeline")
	b.follow("Print")
	b.says(lesson)
	b.silent("Quintanilla")
	b.fits("first-export")
	b.touchable()
	b.follow("I have read it: go on")
	b.says("Quintanilla", "This print is recorded")
	b.open(w.chart + "/timeline")
	b.follow("Print")
	b.says("Quintanilla", "This print is recorded")
	b.silent(lesson)
	b.open("/training")
	b.says("Your record", lesson)
}
