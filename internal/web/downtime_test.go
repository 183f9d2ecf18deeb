package web_test

import (
	"net/http"
	"testing"
)

// One declares on the page, another agrees; then everybody at work reads a banner, a closed chart offers the downtime first, and one ends it.
func TestDowntimePages(t *testing.T) {
	o := newOffice(t)
	ruth, olu, nurse := o.staff("Ruth Adeyemi", "administrator"), o.staff("Olu Privacy", "privacy"), o.staff("Théo Moreau", "nurse")
	const banner = "Downtime until"
	o.shows(nurse.get("/downtime"), http.StatusForbidden, "Not allowed")
	ruth.page("/downtime", "Declare a downtime", "None yet")
	o.shows(ruth.post("/downtime", "hours", "13", "reason", "x"), http.StatusBadRequest, "one hour to twelve")
	o.shows(ruth.post("/downtime", "hours", "many", "reason", "x"), http.StatusBadRequest, "from 1 to 12")
	asked := ruth.post("/downtime", "hours", "2", "reason", "the network")
	if asked.status != http.StatusSeeOther {
		t.Fatal(asked.status, asked.body)
	}
	where := asked.header.Get("Location")
	olu.page(where, "Declare a downtime of 2 hours", "the network", "For 2 hours everybody who treats")
	o.hides(nurse.page("/day"), banner)
	if a := olu.post(where, "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	o.must(o.Gate.CarryOut(t.Context()))
	nurse.page("/day", banner, "Ruth Adeyemi and Olu Privacy")
	olu.page("/privacy", banner)
	door := &person{o: o, browser: &http.Client{}}
	o.hides(door.page("/sign-in", banner, "Opened by two people"), "Adeyemi")
	o.shows(nurse.get("/chart/"+o.maren), http.StatusForbidden, "We work in a declared downtime")
	if a := nurse.post("/glass", "patient", o.maren, "code", "downtime"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	o.shows(nurse.get("/chart/"+o.maren), http.StatusOK)
	o.shows(ruth.post("/downtime", "hours", "2", "reason", "x"), http.StatusConflict, "runs already")
	o.hides(olu.page("/downtime/1", "Opened with a reason: a declared downtime", "not drawn"), "Okafor")
	o.shows(ruth.get("/downtime/1"), http.StatusForbidden)
	if a := ruth.post("/downtime/end"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	o.hides(nurse.page("/day"), banner)
	o.shows(nurse.get("/chart/"+o.maren), http.StatusForbidden, "Open with a reason")
}
