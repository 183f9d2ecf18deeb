package care

import (
	"strings"
	"testing"
	"time"
)

// What a person says about herself carries no weight until somebody else acts on it, however old it grows.
func TestSelfMadeEdgesWaitForSomebodyElse(t *testing.T) {
	open := anEncounter("e", "in-progress", noon.Add(-time.Hour), time.Time{}, anna, "ATND")
	for name, c := range map[string]struct {
		confirm func(w *world)
		want    string
	}{
		"nobody acts":           {func(*world) {}, "selfmade"},
		"she acts herself":      {func(w *world) { w.says(anna, observation, "Encounter/e") }, "selfmade"},
		"she says it again":     {func(w *world) { w.says(anna, "%s", open) }, "selfmade"},
		"about another visit":   {func(w *world) { w.says(bob, observation, "Encounter/x") }, "selfmade"},
		"vitals by a nurse":     {func(w *world) { w.says(bob, observation, "Encounter/e") }, "open"},
		"check-in at the desk":  {func(w *world) { w.says(clerk, "%s", open) }, "open"},
		"the desk changes it":   {func(w *world) { w.says(clerk, "%s", strings.Replace(open, "ATND", "CON", 1)) }, "open"},
		"the patient's own act": {func(w *world) { w.says(Actor{Person: "p-maren", Patient: maren}, observation, "Encounter/e") }, "open"},
	} {
		w := newWorld(t)
		w.says(anna, "%s", open)
		w.expect(anna, noon, "selfmade")
		w.now = noon.Add(time.Minute)
		c.confirm(w)
		for _, at := range []time.Time{w.now, noon.Add(25 * time.Hour), noon.Add(60 * 24 * time.Hour)} {
			if got := facts(w.relate(anna, at).Facts); got != c.want {
				t.Errorf("%s: %q at %v, want %q", name, got, at, c.want)
			}
		}
		w.expect(anna, noon.Add(time.Second), "selfmade") // as it was known before
	}
}

const observation = `{'resourceType':'Observation','id':'o','status':'final','subject':{'reference':'Patient/7'},'encounter':{'reference':'%s'}}`

func TestEveryKindOfEdgeCanBeSelfMade(t *testing.T) {
	at := noon.Add(-time.Hour)
	shift := func(by Actor) func(w *world) {
		return func(w *world) {
			w.says(by, `{'resourceType':'Schedule','id':'s','actor':[%s,{'reference':'Location/5west'}],'planningHorizon':{'start':'%s','end':'%s'}}`,
				ref(anna), stamp(at), stamp(noon.Add(time.Hour)))
		}
	}
	placed := func(by Actor) func(w *world) {
		return func(w *world) {
			w.says(by, `{'resourceType':'Encounter','id':'e','status':'in-progress','subject':{'reference':'Patient/7'},'period':{'start':'%s'},'location':[{'location':{'reference':'Location/5west'}}]}`, stamp(at))
		}
	}
	roleOf := func(by Actor) func(w *world) {
		return func(w *world) {
			w.says(by, `{'resourceType':'PractitionerRole','id':'r','practitioner':%s,'organization':{'reference':'Organization/lab'}}`, ref(anna))
		}
	}
	order := func(by Actor) func(w *world) {
		return func(w *world) {
			w.says(by, `{'resourceType':'ServiceRequest','id':'o','status':'active','intent':'order','authoredOn':'%s','subject':{'reference':'Patient/7'},'performer':[{'reference':'Organization/lab'}]}`, stamp(at))
		}
	}
	for name, c := range map[string]struct {
		steps []func(w *world)
		want  string
	}{
		"appointment": {[]func(*world){func(w *world) { w.says(anna, "%s", anAppointment("a", "booked", at, noon.Add(time.Hour), anna)) }}, "selfmade"},
		"care team":   {[]func(*world){func(w *world) { w.says(anna, "%s", aTeam("t", "active", "", anna)) }}, "selfmade"},
		"care team by her role": {[]func(*world){roleOf(clerk), func(w *world) {
			w.says(anna, "%s", strings.ReplaceAll(aTeam("t", "active", "", anna), "Practitioner/anna", "PractitionerRole/r"))
		}}, "selfmade"},
		"order to her department":            {[]func(*world){roleOf(clerk), order(anna)}, "selfmade"},
		"order by another":                   {[]func(*world){roleOf(clerk), order(bob)}, "order"},
		"order to a department she put on":   {[]func(*world){roleOf(anna), order(bob)}, ""},
		"her own roster":                     {[]func(*world){shift(anna), placed(clerk)}, ""},
		"rostered, patient placed by her":    {[]func(*world){shift(clerk), placed(anna)}, "selfmade"},
		"rostered, patient placed by others": {[]func(*world){shift(clerk), placed(bob)}, "open"},
		"future appointment far off": {[]func(*world){func(w *world) {
			w.says(anna, "%s", anAppointment("a", "booked", noon.Add(72*time.Hour), noon.Add(73*time.Hour), anna))
		}}, ""},
	} {
		w := newWorld(t)
		for _, step := range c.steps {
			step(w)
		}
		if got := facts(w.relate(anna, noon).Facts); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A chart that she registered as new is exempt: nobody's data is disclosed.
func TestAPatientRegisteredAsNewIsExempt(t *testing.T) {
	w := newWorld(t)
	w.says(anna, `{'resourceType':'Patient','id':'7'}`)
	w.expect(anna, noon, "")
	w.says(anna, "%s", anEncounter("e", "in-progress", noon.Add(-time.Hour), time.Time{}, anna, ""))
	w.expect(anna, noon, "open")
	w.says(bob, "%s", anEncounter("f", "in-progress", noon.Add(-time.Hour), time.Time{}, bob, ""))
	w.expect(bob, noon, "selfmade")
	w.says(bob, `{'resourceType':'Patient','id':'7','active':true}`) // a later change registers nobody
	w.expect(bob, noon, "selfmade")
}

// Ending or prolonging a running visit keeps the weight of whoever began it; reviving an old one does not.
func TestCarryingOnKeepsWeightRevivingDoesNot(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, "%s", anEncounter("e", "planned", noon, noon.Add(time.Hour), anna, ""))
	w.now = noon.Add(10 * time.Minute)
	w.says(anna, "%s", anEncounter("e", "in-progress", noon, time.Time{}, anna, ""))
	w.expect(anna, w.now, "open")
	w.now = noon.Add(2 * time.Hour)
	w.says(anna, "%s", anEncounter("e", "finished", noon, w.now, anna, ""))
	w.expect(anna, w.now, "past")
	w.now = noon.Add(10 * 24 * time.Hour)
	w.says(anna, "%s", anEncounter("e", "in-progress", noon, time.Time{}, anna, ""))
	w.expect(anna, w.now, "selfmade")

	// Nor does somebody else's visit become hers by her own hand.
	w = newWorld(t)
	w.says(clerk, "%s", anEncounter("e", "in-progress", noon, time.Time{}, bob, ""))
	w.says(anna, "%s", anEncounter("e", "in-progress", noon, time.Time{}, anna, ""))
	w.expect(anna, noon, "selfmade")
	w.expect(bob, noon, "")
}
