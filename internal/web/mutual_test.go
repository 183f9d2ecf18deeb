package web_test

import (
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// Two administrators who sign for each other, while two others take turns with everybody, stand on the overview with both figures.
func TestWhoAgreesToEachOtherIsTold(t *testing.T) {
	o := newOffice(t)
	ruth, nurse := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Noa Stern", identity.Nurse)
	var who [4]*person
	for i, name := range []string{"Ann Aziz", "Ben Brook", "Cleo Cruz", "Dov Dahl"} {
		who[i] = o.staff(name, identity.Administrator)
	}
	agree := func(asker, second, times int) {
		t.Helper()
		for range times {
			item, err := o.Persons.AskReset(t.Context(), audit.Agent{Person: who[asker].made.Person, Capacity: identity.StaffCapacity}, nurse.made.Person, "lost phone")
			o.must(err)
			_, err = o.Persons.Approve(t.Context(), audit.Agent{Person: who[second].made.Person, Capacity: identity.StaffCapacity}, item.ID)
			o.must(err)
		}
	}
	for a := range 4 {
		for b := range 4 {
			if a != b {
				agree(a, b, 2)
			}
		}
	}
	o.hides(ruth.page("/privacy"), "Who agrees to each other")
	agree(0, 1, 9)
	agree(1, 0, 9)
	page := ruth.page("/privacy", "Who agrees to each other", "Ann Aziz and Ben Brook", "22 of their 30 requests", "by turns")
	o.hides(page, "Cleo Cruz and")
}
