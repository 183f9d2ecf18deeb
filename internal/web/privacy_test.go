package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
)

var reviewLink = regexp.MustCompile(`href="(/privacy/reviews/\d+)"`)

func (o *office) firstReview(a seen) string {
	o.t.Helper()
	m := reviewLink.FindStringSubmatch(a.body)
	if m == nil {
		o.t.Fatal("no review on the page: " + a.text())
	}
	return m[1]
}

// A closed chart is opened with a reason; the office sees who and why, masked, decides, and what comes later opens the review again.
func TestReviewOfAGlassOpening(t *testing.T) {
	o := newOffice(t)
	ruth, sam := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Sam Rivera", identity.Physician)
	a := ruth.page("/privacy", "Nothing waits", "Waiting for a look", "self-witnessed")
	o.hides(a, "dealt at random", "no link found") // nothing to compute them from yet
	sam.breaks("covering", "Covering for Lee until eight")
	o.clock.pass(20 * time.Second)

	a = ruth.page("/privacy", "Sam Rivera", "M. O.", "covering for a colleague", "Glass openings today", "no link found", "1 of 1 in 7 days")
	if a.header.Get("X-Audit-Entry") == "" {
		t.Error("the overview names no entry")
	}
	o.hides(a, "Okafor", "Maren", "Asthma")
	a = ruth.page("/privacy/reviews", "Sam Rivera", "M. O.")
	review := o.firstReview(a)
	a = ruth.page(review, "Sam Rivera, physician, gave a reason and opened this chart once on Tue 20 Nov at 09:10; no visit, care team, order, task or shift links them.",
		"“Covering for Lee until eight”", "We do not know", "What would have explained it", "A shift none", "None, behind the glass", "Record the decision")
	o.hides(a, "Okafor", "Maren", "Asthma")

	o.shows(ruth.post(review, "decision", "explained", "text", " "), http.StatusBadRequest, "Say in a sentence")
	o.shows(ruth.post(review, "decision", "guess", "text", "x"), http.StatusBadRequest, "explained, ask, or escalate")
	if a = ruth.post(review, "decision", "ask", "text", "Who is Lee?"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	ruth.page("/privacy/reviews", "Nothing waits")
	ruth.page("/privacy/reviews?show=asked", "Sam Rivera")
	ruth.page(review, "Ruth Adeyemi asked the person: “Who is Lee?”", "Record the decision")
	asked, err := o.Gate.Questions(t.Context(), sam.session)
	if o.must(err); len(asked) != 1 || asked[0].Text != "Who is Lee?" {
		t.Errorf("asked: %+v", asked)
	}
	if a = ruth.post(review, "decision", "explained", "text", "The roster says so"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a = ruth.page(review, "Ruth Adeyemi explained it: “The roster says so”")
	o.hides(a, "Record the decision")
	ruth.page("/privacy/reviews?show=closed", "Explained")

	// Reading on under the judged grant opens nothing anew; breaking the glass again does.
	_, err = o.Gate.Chart(t.Context(), sam.session, o.maren)
	o.must(err)
	ruth.page("/privacy/reviews", "Nothing waits")
	o.must(o.Gate.GiveBack(t.Context(), sam.session, o.maren))
	o.clock.pass(20 * time.Second)
	sam.breaks("emergency", "")
	ruth.page("/privacy/reviews", "Sam Rivera")
	ruth.page(review, "Record the decision", "“The roster says so”", "The reason given: “Treating the patient in an emergency”")
}

// Nobody decides about the own accesses, not by the form either.
func TestOwnAccessesAreDecidedBySomebodyElse(t *testing.T) {
	o := newOffice(t)
	both, ruth := o.staff("Jo Park", identity.Physician, identity.Privacy), o.staff("Ruth Adeyemi", identity.Privacy)
	both.breaks("other", "Curious")
	review := o.firstReview(both.page("/privacy/reviews", "Jo Park"))
	a := both.page(review, "Somebody else decides this one")
	o.hides(a, "Record the decision")
	o.shows(both.post(review, "decision", "explained", "text", "I say so"), http.StatusForbidden, "Nobody reviews the own accesses")
	nora := o.staff("Nora Vance", identity.Privacy)
	ruth.page(review, "Pass it on", "Nora Vance")
	if a := ruth.post(review+"/pass", "to", nora.made.Person, "text", "I know them"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	nora.page("/privacy/reviews?show=mine", "Jo Park")
	nora.page(review, "passed it on to Nora Vance: I know them")
	if a := ruth.post(review, "decision", "escalate", "text", "No reason at all"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/privacy/cases/") {
		t.Fatal(a.status, a.header, a.text())
	} else {
		ruth.page(a.header.Get("Location"), "Jo Park", "No reason at all", "Raised from a review")
	}
	ruth.page(review, "made it a case")
}

// Names come only with a reason, and the patient finds both in the own list.
func TestNamesComeWithAReason(t *testing.T) {
	o := newOffice(t)
	ruth, sam := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Sam Rivera", identity.Physician)
	maren := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	sam.breaks("emergency", "")
	review := o.firstReview(ruth.page("/privacy/reviews"))
	for _, c := range []struct {
		text   string
		status int
		says   string
	}{{"", http.StatusBadRequest, "why you need the names"}, {"The family asked", http.StatusOK, "Okafor, Maren"}} {
		a := ruth.post(review+"/names", "text", c.text)
		for a.status == http.StatusSeeOther {
			if strings.Contains(a.header.Get("Location"), "family") {
				t.Error("the reason stands in the address")
			}
			a = ruth.get(a.header.Get("Location"))
		}
		o.shows(a, c.status, c.says)
	}
	list, err := o.Gate.WhoLooked(t.Context(), maren.session, o.maren, access.Window{})
	o.must(err)
	found := false
	for _, l := range list.Lines {
		found = found || l.Agent.Name == "Ruth Adeyemi" && strings.Contains(l.Sentence, "saw your name")
		if l.Text == "The family asked" {
			t.Error("the patient reads what the office wrote in its work")
		}
	}
	if !found {
		t.Errorf("the patient does not learn that her name was shown: %+v", list.Lines)
	}
}

// Auditors see entries and no patient, and have no reviews; those who treat or administer have none of these pages.
func TestWhoOpensTheOffice(t *testing.T) {
	o := newOffice(t)
	sam := o.staff("Sam Rivera", identity.Physician)
	sam.breaks("emergency", "")
	auditor := o.staff("Ada Roth", identity.Auditor)
	a := auditor.page("/privacy", "Entries in the record")
	o.hides(a, `href="/privacy/reviews"`+" ", "M. O.")
	a = auditor.page("/audit?what=glass", "Sam Rivera", o.maren[len(o.maren)-6:])
	o.hides(a, "M. O.", "Okafor")
	for path, people := range map[string][]*person{
		"/privacy":         {sam, o.staff("Anna Berg", identity.Administrator)},
		"/privacy/reviews": {sam, auditor},
		"/audit":           {sam},
		"/audit?what=":     {sam},
		"/integrity":       {sam},
		"/admin/people":    {sam, auditor},

		"/admin/configuration": {sam, auditor, o.staff("Ruth Adeyemi", identity.Privacy)},
	} {
		for _, who := range people {
			if a := who.get(path); a.status != http.StatusForbidden {
				t.Errorf("%s opens %s: %d", who.made.Name, path, a.status)
			}
		}
	}
}
