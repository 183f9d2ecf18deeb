package e2e

import (
	"testing"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/server/servertest"
)

// What was drawn at random is marked so, worked like a case, and counted by month.
func TestCaseDrawnAtRandom(t *testing.T) {
	o := newBureau(t)
	practitioner := o.put(`{"resourceType":"Practitioner","name":[{"family":"Whitlock","given":["Dana"]}]}`)
	o.person(identity.NewPerson{Name: "Dana Whitlock", Roles: []string{identity.Nurse}, Department: "3 West", Practitioner: practitioner})
	patient := o.put(`{"resourceType":"Patient","name":[{"family":"Okafor","given":["M"]}]}`)
	servertest.Raise(t, o.Cases, servertest.Suspicion{Agent: practitioner, Hypothesis: detect.RandomAudit, LogE: 1e-9, Severity: .6, At: time.Now().Add(-9 * time.Hour), Patients: []string{patient},
		Signals: []detect.Signal{{Name: detect.RandomAudit, Text: "drawn at random"}}})
	b := o.as(o.person(identity.NewPerson{Name: "Ruth Adeyemi", Roles: []string{identity.Privacy}, Department: "Privacy office"}))
	b.open("/privacy/cases/audits")
	b.says("none is decided about yet")
	b.open("/privacy/cases")
	b.says("Drawn at random", "had 1 access drawn at random", "nothing is suspected")
	b.silent("Dana", "Okafor")
	b.fits("cases-drawn")
	cases, err := o.Cases.Queue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.open("/privacy/cases/" + cases[0].ID)
	b.says("Drawn at random", "Take this case")
	b.silent("Leave this suspicion alone", "Probability of misuse")
	b.fits("case-drawn")
	b.touchable()
	b.tabTo("Take this case")
	b.followKeys("\r")
	b.says("Dana Whitlock")
	b.fits("case-drawn-taken")
	b.touch("[value=close]")
	b.touch("[name=outcome][value=training]")
	b.fill("text", "She looked out of curiosity. Training repeated.")
	b.follow("Record it")
	b.says("Training issue. Closed by Ruth Adeyemi")
	b.open("/privacy/cases/audits")
	b.says("1 had something that no case had said", "100 %")
	b.fits("cases-audits")
}
