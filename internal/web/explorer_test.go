package web_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/tlog"
)

var (
	rowLink    = regexp.MustCompile(`data-row>\s*<td[^>]*><a[^>]*href="(/audit/[^"?]+)"`)
	beforeOf   = regexp.MustCompile(`name="before" value="(\d+)"`)
	codeBlocks = regexp.MustCompile(`<code>([^<]+)</code>`)
)

func TestExplorerFilters(t *testing.T) {
	o := newOffice(t)
	ruth, sam := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Sam Rivera", identity.Physician)
	o.staff("Sam Rivers", identity.Nurse)
	sam.breaks("emergency", "")
	for range 60 {
		_, err := o.Gate.MyActivity(t.Context(), sam.session, access.Window{})
		o.must(err)
	}
	o.hides(ruth.page("/audit", "Show entries"), "newest first")

	login := strings.ToLower(strings.ReplaceAll(sam.made.Name, " ", "."))
	a := ruth.post("/audit", "who", login, "what", "watching")
	o.shows(a, http.StatusOK, "50 entries, newest first", "Sam Rivera", "Read the record of accesses", "Older entries")
	before := beforeOf.FindStringSubmatch(a.body)
	if before == nil {
		t.Fatal("no way to older entries")
	}
	a = ruth.post("/audit", "who", login, "what", "watching", "before", before[1])
	o.shows(a, http.StatusOK, "10 entries, newest first")

	o.shows(ruth.post("/audit", "who", "sam"), http.StatusBadRequest, "fits 2 people")
	o.shows(ruth.post("/audit", "who", "nobody"), http.StatusNotFound, "Nobody who works here")
	o.shows(ruth.post("/audit", "from", "11/12/26"), http.StatusBadRequest, "Write a date like")
	o.shows(ruth.post("/audit", "patient", "0000"), http.StatusNotFound)
	for _, typed := range []string{o.maren, "Patient/" + o.maren, "00482217"} {
		a = ruth.post("/audit", "patient", typed, "reason", "unusual")
		o.shows(a, http.StatusOK, "2 entries", "Opened a closed chart by giving a reason", "M. O.", "Behind the glass")
		o.hides(a, "Okafor")
	}
	o.shows(ruth.post("/audit", "patient", o.maren, "what", "glass", "from", "20 Nov 2046", "to", "20 Nov 2046"), http.StatusOK, "1 entry")
	o.shows(ruth.post("/audit", "patient", o.maren, "what", "glass", "to", "19 Nov 2046"), http.StatusOK, "No entry fits")
	o.shows(ruth.post("/audit", "who", login, "outcome", "refused"), http.StatusOK, "No entry fits")
}

// An entry shows everything but the patient, and what it shows is enough to check it without us.
func TestEntryCanBeCheckedByHand(t *testing.T) {
	o := newOffice(t)
	ruth, sam, lee := o.staff("Ruth Adeyemi", identity.Privacy), o.staff("Sam Rivera", identity.Physician), o.staff("Lee Ng", identity.Physician)
	maren := o.person("Maren Okafor", identity.NewPerson{Roles: []string{identity.Patient}, Patient: "Patient/" + o.maren})
	sam.breaks("emergency", "")
	a := ruth.get("/audit?patient=" + o.maren + "&what=opened")
	m := rowLink.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatal("no entry: " + a.text())
	}
	a = ruth.page(m[1], "Sam Rivera opened", "of M. O.", "Who Sam Rivera, physician, as staff", "Purpose Emergency treatment", "Records 2", "btg.grant", "Two factors",
		"The path and the signature were recomputed", "How to check it yourself", "AuditEvent", "kept by this installation alone")
	o.hides(a, "Okafor", "Asthma")

	proof, err := tlog.ParseProof([]byte(ruth.get(m[1] + "?as=proof").body))
	o.must(err)
	key, err := tlog.ParseVerifier(o.Log.Verifier())
	o.must(err)
	held := false
	for _, block := range codeBlocks.FindAllStringSubmatch(a.body, -1) {
		if entry, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(block[1], "&#43;", "+")); err == nil && !held {
			_, _, err := proof.Check(entry, key)
			held = err == nil
		}
	}
	if !held {
		t.Error("nothing on the page is the entry that the proof proves")
	}
	var event struct {
		ResourceType string
		Agent        []struct{ Name string }
	}
	o.must(json.Unmarshal([]byte(ruth.get(m[1]+"?as=resource").body), &event))
	if event.ResourceType != "AuditEvent" || len(event.Agent) == 0 || event.Agent[0].Name != "Sam Rivera" {
		t.Errorf("resource: %+v", event)
	}

	sam.page(m[1], "Sam Rivera opened", "My activity", "You opened this chart by giving a reason", "Proof")
	a = maren.page(m[1], "Sam Rivera", "opened your chart in an emergency")
	o.hides(a, "127.0.0.1", "Session ", sam.session.Session.ID)
	for _, path := range []string{m[1], "/audit/nowhere/1", "/audit/x", m[1][:strings.LastIndexByte(m[1], '/')] + "/999999"} {
		if a := lee.get(path); a.status != http.StatusNotFound || !strings.Contains(a.text(), "not yours to read") {
			t.Errorf("a stranger at %s: %d %s", path, a.status, a.text())
		}
	}
}
