package web_test

import (
	"net/http"
	"strings"
	"testing"

	"chartwarden/internal/identity"
)

// A clearance is given by name on the page of a person, never to oneself, and only for labels that there are.
func TestClearances(t *testing.T) {
	o := newOffice(t)
	anna, sam := o.staff("Anna Berg", identity.Administrator), o.staff("Sam Rivera", identity.Physician)
	path := "/admin/people/" + sam.made.Person
	o.hides(anna.page(path, "Restricted records", "a second person agrees", `value="PSYTHPN"`), "Cleared for restricted records")
	if a := anna.post(path+"/clearances", "label", "PSY", "label", "HIV", "label", "everything"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	if now, err := o.Persons.Person(t.Context(), sam.made.Person); err != nil || strings.Join(now.Clearances, " ") != "HIV PSY" || strings.Join(now.Roles, " ") != "physician" {
		t.Errorf("%v %v %v", now.Clearances, now.Roles, err)
	}
	anna.page(path, "Cleared for restricted records", "HIV, PSY", `name="label" value="PSY" checked`)
	if a := anna.post(path + "/clearances"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	if now, err := o.Persons.Person(t.Context(), sam.made.Person); err != nil || len(now.Clearances) > 0 {
		t.Errorf("taken, and still there: %v %v", now.Clearances, err)
	}
	if a := anna.post("/admin/people/"+anna.made.Person+"/clearances", "label", "PSY"); a.status != http.StatusForbidden {
		t.Errorf("she clears herself: %d", a.status)
	}
	if a := sam.post(path+"/clearances", "label", "PSY"); a.status != http.StatusForbidden {
		t.Errorf("a physician clears himself: %d", a.status)
	}
}
