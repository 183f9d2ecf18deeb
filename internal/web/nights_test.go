package web_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"chartwarden/internal/casework"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// The message of the night stands in the person's My day and My activity without a word of a suspicion, her answer closes what is on
// watch, a later reason is said, and the office reads figures and pseudonyms.
func TestMessageOfTheNight(t *testing.T) {
	o := newOffice(t)
	ruth := o.staff("Ruth Adeyemi", identity.Privacy)
	dana, c := o.suspect(func(x *servertest.Suspicion) {
		x.Queue, x.Signals, x.Hypothesis = casework.Watch, nil, "stalking"
		x.At = o.clock.Now().Truncate(24 * time.Hour).Add(-3 * time.Hour)
	})
	until := o.clock.Now().Truncate(24 * time.Hour)
	tell := func(day int, patients ...string) {
		t.Helper()
		var list []casework.Unexplained
		for _, ref := range patients {
			at := until.AddDate(0, 0, day)
			list = append(list, casework.Unexplained{Event: ref + at.Format("0102"), Agent: c.Agent, Patient: ref, Kind: "read", At: at.Add(-time.Hour)})
		}
		if n, err := o.Office.Night(t.Context(), until.AddDate(0, 0, day), list); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	tell(0, c.Patients...)
	dana.page("/day", "Answer 1 question")
	a := dana.page("/activity", "Charts without a known reason", "There may well be one", "opened the chart of Okafor, Maren", "opened the chart of Brandt, Otto", "I do not know this access")
	o.hides(a, "case", "suspicion", "watch")
	form := regexp.MustCompile(`action="(/activity/questions/\d+)"`).FindStringSubmatch(a.body)
	if form == nil {
		t.Fatal("no form")
	}
	o.shows(dana.post(form[1], "answer", "working"), http.StatusSeeOther)
	o.shows(dana.get("/activity"), http.StatusBadRequest, "Say in a sentence what you were working on.")
	if a := dana.post(form[1], "answer", "working", "text", "covering in the clinic"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	o.hides(dana.get("/activity"), "Charts without a known reason")
	ruth.page("/privacy/cases/"+c.ID, "Answered by the person. Closed by the person’s answer to a message of the night, while it was only on watch", "covering in the clinic")
	ruth.page("/privacy/cases?show=closed", "Answered by the person", "Messages of the night")

	tell(1, c.Patients[0])
	if err := o.Office.Explained(t.Context(), c.Agent, c.Patients[0]+until.AddDate(0, 0, 1).Format("0102"), "has an appointment with the patient"); err != nil {
		t.Fatal(err)
	}
	o.hides(dana.page("/activity", "A reason is known by now", "Okafor, Maren: has an appointment with the patient"), "Charts without a known reason")

	tell(2, c.Patients[1])
	form = regexp.MustCompile(`action="(/activity/questions/\d+)"`).FindStringSubmatch(dana.get("/activity").body)
	if a := dana.post(form[1], "answer", "should-not"); a.status != http.StatusSeeOther {
		t.Fatal(a.status, a.text())
	}
	a = ruth.page("/privacy/cases/nights", "Messages 3", "Explained later by the record 1", "Answered “I was working” 1", "cannot be told yet", "Nurse N-", "I should not have")
	o.hides(a, "Dana", "Whitlock", "Okafor", "Brandt")
	if a := dana.get("/privacy/cases/nights"); a.status != http.StatusForbidden {
		t.Error(a.status)
	}
}
