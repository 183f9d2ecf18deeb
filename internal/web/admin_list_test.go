package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
)

// A long list is read in parts, and each person is found by any word about her, whatever the accents; what was typed is in no address.
func TestPeopleAreSearchedAndPaged(t *testing.T) {
	o := newOffice(t)
	anna := o.staff("Anna Berg", identity.Administrator)
	for i := range 120 {
		_, _, err := o.Persons.Create(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: fmt.Sprintf("Colleague %03d", i), Roles: []string{identity.Nurse}, Department: "4 East"})
		o.must(err)
	}
	_, _, err := o.Persons.Create(t.Context(), audit.Agent{Job: "test"}, identity.NewPerson{Name: "Théo Bieńkowski", Roles: []string{identity.Pharmacist}, Department: "Pharmacy"})
	o.must(err)

	a := anna.page("/admin/people", "1 to 50 of 122", "Anna Berg", "Colleague 048")
	o.hides(a, "Colleague 049", "Before")
	seen := 0
	for next := "/admin/people"; next != ""; {
		a := anna.page(next)
		seen += strings.Count(a.body, "<tr data-row")
		m := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(a.body)
		if next = ""; m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if seen != 122 {
		t.Errorf("%d people on all pages", seen)
	}

	for q, want := range map[string]string{"bienk": "Théo Bieńkowski", "theo pharm": "Théo Bieńkowski", "ADMINISTRATOR": "Anna Berg", "colleague 119": "Colleague 119", "theo.bienkowski": "Théo Bieńkowski"} {
		a := anna.post("/admin/people/find", "q", q) // answered with an address of its own, which is read
		o.shows(a, http.StatusOK, want, "Active, 1")
		if strings.Contains(a.body, "find?typed="+q) {
			t.Errorf("%q stands in an address", q)
		}
		if n := strings.Count(a.body, "<tr data-row"); n != 1 {
			t.Errorf("%q finds %d people", q, n)
		}
	}
	a = anna.post("/admin/people/find", "q", "east")
	o.shows(a, http.StatusOK, "1 to 50 of 120")
	next := strings.ReplaceAll(regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(a.body)[1], "&amp;", "&")
	a = anna.page(next, "51 to 100 of 120", "Before")
	o.hides(a, "Anna Berg</a>", "Bieńkowski")
	o.shows(anna.post("/admin/people/find", "q", "nobody at all"), http.StatusOK, "No person of this list fits")
	anna.page("/admin/people?from=nonsense", "1 to 50 of 122")
	anna.page("/admin/people?from=9999", "Before")
}

// The list of keys leads back to the page where it was open, and to no other server.
func TestKeysLeadBack(t *testing.T) {
	o := newOffice(t)
	anna := o.staff("Anna Berg", identity.Administrator)
	anna.page("/admin/people?show=ended", `Turn single keys off`)
	if a := anna.get("/admin/people?show=ended"); !strings.Contains(a.body, `name="back" value="/admin/people?show=ended"`) {
		t.Error("the form does not know where it is")
	}
	for back, want := range map[string]string{"/admin/people?show=ended": "/admin/people?show=ended", "https://evil.example/": "/admin/people", "//evil.example": "/admin/people", "": "/admin/people"} {
		if a := anna.post("/settings/keys", "back", back); a.header.Get("Location") != want {
			t.Errorf("back to %q leads to %s", back, a.header.Get("Location"))
		}
	}
}
