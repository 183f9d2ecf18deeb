package web_test

import (
	"net/http"
	"testing"
	"time"

	"chartwarden/internal/fhir/document"
)

// Somebody else sees what taking back a person's work does, and agrees to exactly that; nobody agrees to the own request.
func TestApprovalPages(t *testing.T) {
	o := newOffice(t)
	ruth, olu := o.staff("Ruth Adeyemi", "administrator"), o.staff("Olu Privacy", "privacy")
	spoiler, nurse := o.staff("Ann Spoiler", "administrator"), o.staff("Théo Moreau", "nurse")
	since := o.clock.Now()
	o.clock.pass(time.Minute)
	doc, err := document.Parse([]byte(`{"resourceType":"Location","name":"Nowhere"}`))
	o.must(err)
	_, err = o.Gate.Create(t.Context(), spoiler.session, doc)
	o.must(err)
	o.clock.pass(time.Minute)
	olu.page("/approvals", "Nothing waits")
	item, err := o.Gate.AskUndo(t.Context(), ruth.session, spoiler.made.Person, since, "it was spoilt")
	o.must(err)
	olu.page("/approvals", "Take back what Ann Spoiler wrote", "Ruth Adeyemi", "/approvals/"+item.ID)
	olu.page("/privacy", "Approvals")
	page := olu.page("/approvals/"+item.ID, "it was spoilt", "1 resource in 0 charts", "Is deleted", "Agree", "A physician or a privacy officer")
	o.hides(page, "Nowhere")
	own := ruth.page("/approvals/"+item.ID, "Somebody else must agree", "Withdraw")
	o.hides(own, ">Agree<")
	o.shows(nurse.get("/approvals"), http.StatusForbidden, "Not allowed")
	o.shows(ruth.post("/approvals/"+item.ID, "act", "approve"), http.StatusForbidden)
	o.shows(olu.post("/approvals/"+item.ID, "act", "dance"), http.StatusBadRequest, "Choose: agree or decline")
	if a := olu.post("/approvals/"+item.ID, "act", "approve"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	o.must(o.Gate.CarryOut(t.Context()))
	olu.page("/approvals/"+item.ID, "Done", "Olu Privacy")

	gone, err := o.Gate.AskShred(t.Context(), ruth.session, o.maren, "the court said so")
	o.must(err)
	erased := olu.page("/approvals/"+gone.ID, "There is no way back", "the court said so")
	o.hides(erased, o.maren, "Okafor")
	if a := olu.post("/approvals/"+gone.ID, "act", "refuse", "why", "there is a hold"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.body)
	}
	if a, err := o.Gate.ApprovalOf(t.Context(), olu.session, gone.ID); err != nil || a.State != "refused" {
		t.Errorf("%+v %v", a, err)
	}
}
