package web_test

import (
	"regexp"
	"strings"
	"testing"
)

// A patient asks on her page, the desk answers on its own, she reads the answer; what is wrong is said where it can be mended.
func TestAskingForARestriction(t *testing.T) {
	w := newWard(t)
	x := w.put(t, `{"resourceType":"Practitioner"}`)
	w.Person(t, "Xaver Exner", "physician", x)
	maren, desk := w.Patient(t, "Maren Okafor", w.maren), w.Person(t, "Marcus Hale", "front-desk", "")
	ask := func(name, value string) { holds(t, "asked", maren.Form(t, "/me/restrictions", name, value), 303) }
	holds(t, "a wrong name", maren.Form(t, "/me/restrictions", "whom", "No Body"), 400, "Nobody here is called that", "Ask for a restriction")
	holds(t, "nothing chosen", maren.Form(t, "/me/restrictions"), 400, "Say who may not open your chart")
	ask("whom", "Xaver Exner")
	holds(t, "waits", maren.Get(t, "/me"), 200, "The front desk is asked", "Xaver Exner may not see your chart.", "It does not count before the front desk agrees", "Take it back")
	visit := regexp.MustCompile(`value="(visit:[^"]+)">([^<]+)<`).FindStringSubmatch(maren.Get(t, "/me").Body)
	if visit == nil {
		t.Fatal("no visit can be chosen")
	}
	ask("what", visit[1])
	holds(t, "a visit", maren.Get(t, "/me"), 200, "Nobody here may see your records of “"+visit[2]+"”.", "But whoever works here may see your records of “"+visit[2]+"” for treatment.")
	list := desk.Get(t, "/desk/restrictions")
	holds(t, "the list", list, 200, "Okafor, Maren", "Xaver Exner may not see the patient's chart.", "Nobody here may see the patient's records of")
	ids := regexp.MustCompile(`action="(/desk/restrictions/[^"]+)"`).FindAllStringSubmatch(list.Body, -1)
	if len(ids) != 4 {
		t.Fatalf("%d forms", len(ids))
	}
	holds(t, "no reason", desk.Form(t, ids[0][1], "act", "decline"), 400, "Say why")
	holds(t, "neither", desk.Form(t, ids[0][1]), 400, "Choose whether you agree or decline")
	holds(t, "agreed", desk.Form(t, ids[0][1], "act", "agree"), 303)
	holds(t, "declined", desk.Form(t, ids[2][1], "act", "decline", "reason", "Programs need it to call the helicopter."), 303)
	holds(t, "empty", desk.Get(t, "/desk/restrictions"), 200, "Nobody waits for an answer")
	answered := maren.Get(t, "/me")
	holds(t, "answers", answered, 200, "and the hospital agreed", "Declined: Programs need it to call the helicopter.")
	back := regexp.MustCompile(`action="(/me/restrictions/[^"]+/withdraw)"`).FindAllStringSubmatch(answered.Body, -1)
	if len(back) != 1 {
		t.Fatalf("%d can be taken back", len(back))
	}
	holds(t, "taken back", maren.Form(t, back[0][1]), 303)
	holds(t, "gone", maren.Get(t, "/me"), 200, "You took it back", "!Xaver Exner may not")
	holds(t, "a doctor's list", w.physician.Get(t, "/desk/restrictions"), 403)
	if strings.Contains(desk.Get(t, "/desk").Body, "/me/restrictions") {
		t.Error("the desk asks for the patient")
	}
}
