package care

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/seal"
)

// noon is when most tests happen.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

var (
	anna  = Actor{Person: "p-anna", Practitioner: "Practitioner/anna"}
	bob   = Actor{Person: "p-bob", Practitioner: "Practitioner/bob"}
	clerk = Actor{Person: "p-clerk"} // front desk: no Practitioner
)

const maren fhir.PatientID = 7

// world is a graph with a store's worth of record numbers.
type world struct {
	t testing.TB
	*Graph
	d        *db.DB
	box      *seal.Box
	records  map[string]fhir.RecordID
	now      time.Time
	practice bool
	tx       int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ctx, place := context.Background(), dbtest.New(t)
	c, err := seal.CreateKeyFile(filepath.Join(place.Dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Create(ctx, place.Open(t, "keys"), c, true)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, d: place.Open(t, "records"), box: ring.Box("care"), records: map[string]fhir.RecordID{}, now: noon}
	w.Graph, err = Open(ctx, w.d, w.box, Options{Now: func() time.Time { return w.now }, Practice: func() bool { return w.practice }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// change makes a Change of JSON with ' for ". Charts are Patient/<number>.
func (w *world) change(by Actor, text string) Change {
	w.t.Helper()
	doc, err := document.Parse([]byte(strings.ReplaceAll(text, "'", `"`)))
	if err != nil {
		w.t.Fatal(err)
	}
	name := doc.Type() + "/" + doc.ID()
	if w.records[name] == 0 {
		w.records[name] = fhir.RecordID(len(w.records) + 1)
	}
	c := Change{Doc: doc, Record: w.records[name], Author: by.Person, AuthorActor: by.Practitioner, KnownAt: w.now,
		Resolve: func(id string) (fhir.PatientID, bool) {
			var n int64
			_, err := fmt.Sscan(id, &n)
			return fhir.PatientID(n), err == nil
		}}
	if refs := fhir.PatientRefs(doc); len(refs) > 0 {
		c.Patient, _ = c.Resolve(refs[0].ID)
	}
	return c
}

func (w *world) apply(c Change) {
	w.t.Helper()
	w.tx++
	c.Tx = w.tx
	err := w.d.Write(context.Background(), func(tx *sql.Tx) error { return w.Project(context.Background(), tx, c) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.Committed(w.tx)
}

// says writes a resource now.
func (w *world) says(by Actor, text string, args ...any) {
	w.t.Helper()
	w.apply(w.change(by, fmt.Sprintf(text, args...)))
}

// relate asks about maren, alone and among all patients, which must be the same.
func (w *world) relate(a Actor, at time.Time) Relation {
	w.t.Helper()
	r, err := w.Relate(context.Background(), a, maren, at)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := w.RelateAll(context.Background(), a, at)
	if err != nil {
		w.t.Fatal(err)
	}
	one := all.Of(maren)
	one.Visits = r.Visits
	if !reflect.DeepEqual(one, r) {
		w.t.Fatalf("%+v, among all patients %+v, %v", r, one, err)
	}
	if those := all.Patients(); len(r.Evidence)+len(r.Facts.Flags) > 0 && !slices.Contains(those, maren) {
		w.t.Fatal("a patient is missing among those to whom she stands in a relation")
	}
	return r
}

// facts names the facts that hold, in one line.
func facts(f Facts) string {
	var out []string
	for name, holds := range map[string]bool{"team": f.CareTeam, "open": f.OpenContact, "past": !f.LastContactEnd.IsZero(), "next": !f.NextContactStart.IsZero(),
		"order": len(f.OrderDepts) > 0, "task": f.TaskOpen, "selfmade": f.SelfMade, "self": f.Self, "panel": f.Panel} {
		if holds {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(append(out, f.Flags...), " ")
}

func (w *world) expect(a Actor, at time.Time, want string) Relation {
	w.t.Helper()
	r := w.relate(a, at)
	if got := facts(r.Facts); got != want {
		w.t.Errorf("%s at %s: %q, want %q", a.Person, at.Format("2 Jan 15:04"), got, want)
	}
	return r
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func ref(a Actor) string { return "{'reference':'" + a.Practitioner + "'}" }

func anEncounter(id, status string, start, end time.Time, who Actor, part string) string {
	period := fmt.Sprintf("'start':'%s'", stamp(start))
	if !end.IsZero() {
		period += fmt.Sprintf(",'end':'%s'", stamp(end))
	}
	return fmt.Sprintf(`{'resourceType':'Encounter','id':'%s','status':'%s','subject':{'reference':'Patient/7'},'period':{%s},
		'participant':[{'type':[{'coding':[{'code':'%s'}]}],'individual':%s}]}`, id, status, period, part, ref(who))
}

func anAppointment(id, status string, start, end time.Time, who Actor) string {
	return fmt.Sprintf(`{'resourceType':'Appointment','id':'%s','status':'%s','start':'%s','end':'%s',
		'participant':[{'actor':{'reference':'Patient/7'},'status':'accepted'},{'actor':%s,'status':'accepted'}]}`, id, status, stamp(start), stamp(end), ref(who))
}

func aTeam(id, status, period string, who ...Actor) string {
	var members []string
	for _, a := range who {
		members = append(members, "{'member':"+ref(a)+"}")
	}
	return fmt.Sprintf(`{'resourceType':'CareTeam','id':'%s','status':'%s','subject':{'reference':'Patient/7'},'period':{%s},'participant':[%s]}`,
		id, status, period, strings.Join(members, ","))
}

func TestNobodyIsRelatedToStartWith(t *testing.T) {
	w := newWorld(t)
	w.expect(anna, noon, "")
	w.expect(clerk, noon, "")
	if r := w.expect(Actor{Person: "p-maren", Patient: maren}, noon, "self"); len(r.Evidence) != 0 {
		t.Error("being the patient is no relationship of care")
	}
}

func TestEncounterByStatus(t *testing.T) {
	for _, c := range []struct {
		status     string
		start, end time.Time
		want       string
	}{
		{"planned", noon.Add(time.Hour), time.Time{}, "next"},
		{"planned", noon.Add(-time.Hour), time.Time{}, "open"},
		{"arrived", noon.Add(-time.Hour), time.Time{}, "open"},
		{"triaged", noon.Add(-time.Hour), time.Time{}, "open"},
		{"in-progress", noon.Add(-time.Hour), time.Time{}, "open"},
		{"in-progress", noon.Add(-90 * 24 * time.Hour), time.Time{}, "open"},
		{"in-progress", noon.Add(-time.Hour), noon.Add(-time.Minute), "open"}, // a planned end that is past
		{"in-progress", noon.Add(time.Hour), time.Time{}, "open"},             // begun early
		{"onleave", noon.Add(-time.Hour), time.Time{}, "open"},
		{"finished", noon.Add(-time.Hour), noon.Add(-time.Minute), "past"},
		{"finished", noon.Add(-10 * 24 * time.Hour), time.Time{}, "past"},
		{"finished", noon.Add(-800 * 24 * time.Hour), noon.Add(-799 * 24 * time.Hour), ""}, // too old to keep
		{"cancelled", noon.Add(-time.Hour), time.Time{}, ""},
		{"entered-in-error", noon.Add(-time.Hour), time.Time{}, ""},
		{"unknown", noon.Add(-time.Hour), time.Time{}, ""},
	} {
		w := newWorld(t)
		w.says(clerk, "%s", anEncounter("e", c.status, c.start, c.end, anna, "ATND"))
		r := w.expect(anna, noon, c.want)
		w.expect(bob, noon, "")
		if c.status == "finished" && c.end.IsZero() && !r.Facts.LastContactEnd.Before(noon.Add(-9*24*time.Hour)) {
			t.Error("an old visit without an end became a new one by being imported")
		}
	}
}

func TestAppointmentByStatus(t *testing.T) {
	for _, c := range []struct {
		status string
		start  time.Time
		want   string
	}{
		{"proposed", noon.Add(time.Hour), ""}, {"pending", noon.Add(time.Hour), ""}, {"waitlist", noon.Add(time.Hour), ""},
		{"booked", noon.Add(time.Hour), "next"}, {"booked", noon, "open"}, {"booked", noon.Add(-time.Hour), "past"},
		{"arrived", noon.Add(time.Hour), "open"}, {"checked-in", noon.Add(-3 * time.Hour), "open"},
		{"fulfilled", noon.Add(-time.Hour), "past"}, {"cancelled", noon, ""}, {"noshow", noon, ""}, {"entered-in-error", noon, ""},
	} {
		w := newWorld(t)
		w.says(clerk, "%s", anAppointment("a", c.status, c.start, c.start.Add(30*time.Minute), anna))
		w.expect(anna, noon, c.want)
	}
	w := newWorld(t)
	w.says(clerk, "%s", strings.Replace(anAppointment("a", "booked", noon, noon.Add(time.Hour), anna), "'accepted'}]", "'declined'}]", 1))
	w.expect(anna, noon, "")
}

// The facts that the windows of policy are about: exact ends and starts, to the millisecond.
func TestContactTimesAreExact(t *testing.T) {
	w := newWorld(t)
	end := noon.Add(-71 * time.Hour)
	w.says(clerk, "%s", anEncounter("e", "finished", end.Add(-time.Hour), end, anna, "CON"))
	w.says(clerk, "%s", anEncounter("older", "finished", end.Add(-9*time.Hour), end.Add(-8*time.Hour), anna, "CON"))
	start := noon.Add(47 * time.Hour)
	w.says(clerk, "%s", anAppointment("a", "booked", start, start.Add(time.Hour), anna))
	w.says(clerk, "%s", anAppointment("later", "booked", start.Add(time.Hour), start.Add(2*time.Hour), anna))
	f := w.expect(anna, noon, "next past").Facts
	if !f.LastContactEnd.Equal(end) || !f.NextContactStart.Equal(start) {
		t.Errorf("%v %v", f.LastContactEnd, f.NextContactStart)
	}
	w.expect(anna, end.Add(-time.Millisecond).Add(72*time.Hour), "next past")
	if f := w.relate(anna, start).Facts; !f.OpenContact {
		t.Error("an appointment begins at its start")
	}
	if f := w.relate(anna, start.Add(time.Hour)).Facts; f.OpenContact != true { // the later one
		t.Error("the later appointment has begun")
	}
	if f := w.relate(anna, start.Add(2*time.Hour)).Facts; f.OpenContact || !f.LastContactEnd.Equal(start.Add(2*time.Hour)) {
		t.Error("an appointment ends at its end")
	}
}

func TestEvidenceIsOrderedAndWindowed(t *testing.T) {
	for _, c := range []struct {
		ended time.Duration
		want  string
	}{{47 * time.Hour, "care.contact.past"}, {29 * 24 * time.Hour, "care.contact.past"}, {31 * 24 * time.Hour, ""}} {
		w := newWorld(t)
		w.says(clerk, "%s", anEncounter("e", "finished", noon.Add(-c.ended-time.Hour), noon.Add(-c.ended), anna, "ATND"))
		got := ""
		if e := w.relate(anna, noon).Evidence; len(e) > 0 {
			got = e[0].Template
		}
		if got != c.want {
			t.Errorf("ended %v ago: %q, want %q", c.ended, got, c.want)
		}
	}
	w := newWorld(t)
	w.says(clerk, "%s", aTeam("t", "active", "", anna))
	w.says(clerk, "%s", anEncounter("past", "finished", noon.Add(-3*time.Hour), noon.Add(-2*time.Hour), anna, ""))
	w.says(clerk, "%s", anEncounter("now", "in-progress", noon.Add(-4*time.Hour+10*time.Minute), time.Time{}, anna, "ATND"))
	var got []string
	for _, e := range w.relate(anna, noon).Evidence {
		got = append(got, e.Template)
	}
	if want := "care.encounter.attending care.team care.contact.past"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	e := w.relate(anna, noon).Evidence[0]
	if want := "You are the attending physician for an encounter in progress since 08:10."; e.Sentence() != want {
		t.Errorf("%q", e.Sentence())
	}
	if e.PatientSentence() != "was your attending physician" || !e.Ends().IsZero() || e.Source != w.records["Encounter/now"] {
		t.Errorf("%+v", e)
	}
	if past := w.relate(anna, noon).Evidence[2]; !past.Ends().Equal(noon.Add(-2*time.Hour).Add(30*24*time.Hour)) || past.Sentence() != "Your last visit with this patient ended at 10:00." {
		t.Errorf("%q until %v", past.Sentence(), past.Ends())
	}
}

func TestCareTeam(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, "%s", aTeam("t", "active", "'start':'2026-11-01','end':'2026-11-21'", anna))
	w.expect(anna, noon, "team")
	w.expect(anna, time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC), "team") // an end that is a date includes the day
	w.expect(anna, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), "")
	for _, status := range []string{"proposed", "suspended", "inactive", "entered-in-error"} {
		w.says(clerk, "%s", aTeam("t", status, "", anna))
		w.expect(anna, noon, "")
	}
}

func TestOwnDoctor(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'Patient','id':'7','generalPractitioner':[%s,{'reference':'Organization/big'}]}`, ref(anna))
	if r := w.expect(anna, noon, "team"); r.Evidence[0].Template != "care.doctor" {
		t.Errorf("%v", r.Evidence)
	}
	w.says(clerk, `{'resourceType':'Patient','id':'7'}`)
	w.expect(anna, noon, "")
}

// A role stands for the person who holds it, whichever resource comes first.
func TestRolesStandForPeople(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'CareTeam','id':'t','subject':{'reference':'Patient/7'},'participant':[{'member':{'reference':'PractitionerRole/r','display':'Cardiologist'}}]}`)
	w.expect(anna, noon, "")
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','practitioner':%s}`, ref(anna))
	w.expect(anna, noon, "team")
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','active':false,'practitioner':%s}`, ref(anna))
	w.expect(anna, noon, "")
}

// Removal closes the next relation; what was known then stays to be seen.
func TestRemovalClosesAndHistoryStays(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, "%s", anEncounter("e", "in-progress", noon.Add(-time.Hour), time.Time{}, anna, ""))
	w.expect(anna, noon, "open")
	w.expect(anna, noon.Add(-time.Minute), "") // true then, but not known
	w.now = noon.Add(time.Hour)
	c := w.change(clerk, anEncounter("e", "in-progress", noon.Add(-time.Hour), time.Time{}, anna, ""))
	c.Deleted = true
	w.apply(c)
	w.expect(anna, w.now, "")
	w.expect(anna, noon.Add(59*time.Minute), "open") // as it was known then

	w.says(clerk, "%s", anEncounter("f", "in-progress", noon, time.Time{}, anna, ""))
	w.expect(anna, w.now, "open")
	w.now = w.now.Add(time.Minute)
	w.says(clerk, "%s", anEncounter("f", "in-progress", noon, time.Time{}, bob, "")) // handed over
	w.expect(anna, w.now, "")
	w.expect(bob, w.now, "open")
	w.expect(anna, w.now.Add(-time.Second), "open")
	w.expect(bob, w.now.Add(-time.Second), "")
}

func TestAVisitThatEndsWithoutAnEndIsOverNow(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'Encounter','id':'e','status':'in-progress','subject':{'reference':'Patient/7'},'participant':[{'individual':%s}]}`, ref(anna))
	w.expect(anna, noon, "open")
	w.now = noon.Add(2 * time.Hour)
	for range 2 { // the second time changes nothing
		w.says(anna, `{'resourceType':'Encounter','id':'e','status':'finished','subject':{'reference':'Patient/7'},'participant':[{'individual':%s}]}`, ref(anna))
		w.now = w.now.Add(time.Hour)
	}
	f := w.expect(anna, noon.Add(3*time.Hour), "past").Facts
	if !f.LastContactEnd.Equal(noon.Add(2 * time.Hour)) {
		t.Errorf("ended %v", f.LastContactEnd)
	}
}

func TestUnitAndShiftWhileBothLast(t *testing.T) {
	w := newWorld(t)
	from, to := noon.Add(-5*time.Hour), noon.Add(7*time.Hour)
	w.says(clerk, `{'resourceType':'Slot','id':'s1','schedule':{'reference':'Schedule/s'},'status':'busy','start':'%s','end':'%s'}`, stamp(from), stamp(to))
	w.says(clerk, `{'resourceType':'Schedule','id':'s','actor':[%s,{'reference':'Location/5west','display':'5 West'}],'planningHorizon':{'start':'2026-11-01','end':'2026-11-30'}}`, ref(bob))
	w.says(clerk, `{'resourceType':'Slot','id':'s2','schedule':{'reference':'Schedule/s'},'status':'busy','start':'%s','end':'%s'}`, stamp(to.Add(time.Hour)), stamp(to.Add(9*time.Hour)))
	w.expect(bob, noon, "")
	w.says(clerk, `{'resourceType':'Encounter','id':'e','status':'in-progress','subject':{'reference':'Patient/7'},'period':{'start':'%s'},
		'location':[{'location':{'reference':'Location/ed'},'status':'completed','period':{'start':'%s','end':'%s'}},{'location':{'reference':'Location/5west'},'status':'active','period':{'start':'%s'}}]}`,
		stamp(noon.Add(-8*time.Hour)), stamp(noon.Add(-8*time.Hour)), stamp(noon.Add(-6*time.Hour)), stamp(noon.Add(-6*time.Hour)))
	r := w.expect(bob, noon, "open")
	if e := r.Evidence[0]; e.Template != "care.unit" || !e.From.Equal(from) || !e.To.Equal(to) {
		t.Errorf("%+v", e)
	}
	w.expect(bob, to.Add(-time.Millisecond), "open")
	w.expect(bob, to, "") // the shift is over, and nothing lingers
	w.expect(anna, noon, "")
	s, err := w.OnShift(t.Context(), bob, noon)
	if err != nil || !s.On || s.Place != "5 West" || !s.Until.Equal(to) {
		t.Errorf("%+v %v", s, err)
	}
	if s, _ := w.OnShift(t.Context(), bob, to); s.On {
		t.Error("on shift after the end")
	}
	w.says(clerk, `{'resourceType':'Slot','id':'s1','schedule':{'reference':'Schedule/s'},'status':'entered-in-error','start':'%s','end':'%s'}`, stamp(from), stamp(to))
	w.expect(bob, noon, "")
	w.says(clerk, `{'resourceType':'Schedule','id':'one','actor':[%s,{'reference':'Location/5west'}],'planningHorizon':{'start':'%s','end':'%s'}}`, ref(bob), stamp(from), stamp(to))
	w.expect(bob, noon, "open") // a plan as long as a shift is one
}

// A department is a place where patients can be; a whole hospital is not, or everybody on shift would be everybody's.
func TestServiceProviderThatIsADepartment(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','practitioner':%s,'organization':{'reference':'Organization/ed'}}`, ref(bob))
	w.says(clerk, `{'resourceType':'Encounter','id':'e','status':'in-progress','subject':{'reference':'Patient/7'},'serviceProvider':{'reference':'Organization/ed'}}`)
	w.says(clerk, `{'resourceType':'Schedule','id':'s','actor':[%s],'planningHorizon':{'start':'%s','end':'%s'}}`, ref(bob), stamp(noon), stamp(noon.Add(time.Hour)))
	w.says(clerk, `{'resourceType':'Organization','id':'ed','name':'The hospital'}`)
	w.expect(bob, noon, "")
	w.says(clerk, `{'resourceType':'Organization','id':'ed','partOf':{'reference':'Organization/hospital'}}`)
	w.expect(bob, noon, "open")
	w.expect(bob, noon.Add(time.Hour), "")
	w.expect(anna, noon, "")
}

func TestOrdersToADepartment(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','practitioner':%s,'organization':{'reference':'Organization/radiology'}}`, ref(bob))
	order := `{'resourceType':'ServiceRequest','id':'o','status':'%s','intent':'order','authoredOn':'2026-11-20T12:00:00Z','subject':{'reference':'Patient/7'},'requester':%s,'performer':[{'reference':'Organization/radiology'}]}`
	w.says(anna, order, "active", ref(anna))
	r := w.expect(bob, noon, "order")
	s, err := w.OnShift(t.Context(), bob, noon)
	if err != nil || !slices.Equal(s.Departments, r.Facts.OrderDepts) || len(s.Departments) != 1 || strings.Contains(s.Departments[0], "radiology") {
		t.Errorf("%v %v %v", s, r.Facts.OrderDepts, err)
	}
	if len(r.Evidence) != 0 {
		t.Error("off shift, an order is no reason")
	}
	w.now = noon.Add(time.Hour)
	w.says(bob, order, "completed", ref(anna))
	w.expect(bob, w.now.Add(71*time.Hour), "order")
	w.expect(bob, w.now.Add(73*time.Hour), "")
	w.says(bob, order, "entered-in-error", ref(anna))
	w.expect(bob, w.now, "")
}

func TestOldOpenOrdersStopCounting(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'ServiceRequest','id':'o','status':'active','intent':'order','authoredOn':'2026-01-01','subject':{'reference':'Patient/7'},'requester':%s}`, ref(anna))
	w.says(clerk, `{'resourceType':'MedicationRequest','id':'m','status':'active','intent':'order','authoredOn':'2026-09-01','subject':{'reference':'Patient/7'},'requester':%s}`, ref(anna))
	w.expect(anna, noon, "")
	w.says(clerk, `{'resourceType':'MedicationRequest','id':'m2','status':'active','intent':'order','authoredOn':'2026-11-01','subject':{'reference':'Patient/7'},'requester':%s}`, ref(anna))
	w.expect(anna, noon, "task")
}

func TestTasks(t *testing.T) {
	w := newWorld(t)
	text := `{'resourceType':'Task','id':'k','status':'%s','intent':'order','for':{'reference':'Patient/7'},'authoredOn':'2026-11-20T12:00:00Z','owner':%s}`
	w.says(anna, text, "requested", ref(bob))
	if r := w.expect(bob, noon, "task"); r.Evidence[0].Template != "care.task" {
		t.Errorf("%v", r.Evidence)
	}
	w.now = noon.Add(time.Hour)
	w.says(bob, text, "completed", ref(bob))
	w.expect(bob, w.now.Add(71*time.Hour), "task")
	w.expect(bob, w.now.Add(73*time.Hour), "")
}

func TestResultsToRead(t *testing.T) {
	w := newWorld(t)
	text := `{'resourceType':'DiagnosticReport','id':'d','status':'%s','subject':{'reference':'Patient/7'},'issued':'2026-11-21T08:00:00Z','resultsInterpreter':[%s]}`
	w.says(clerk, text, "preliminary", ref(bob))
	w.expect(bob, noon, "task")
	w.says(bob, text, "final", ref(bob))
	w.expect(bob, noon.Add(71*time.Hour), "task")
	w.expect(bob, noon.Add(73*time.Hour), "")
}

func TestProtections(t *testing.T) {
	w := newWorld(t)
	text := `{'resourceType':'Flag','id':'f','status':'%s','code':{'coding':[{'code':'VIP'},{'code':'fall-risk'}]},'subject':{'reference':'Patient/7'},'period':{'start':'2026-11-01'}}`
	w.says(clerk, text, "active")
	w.expect(anna, noon, "vip")
	w.says(clerk, `{'resourceType':'Person','id':'p','link':[{'target':{'reference':'Patient/7'}},{'target':%s}]}`, ref(anna))
	w.expect(anna, noon, "self employee vip")
	w.expect(bob, noon, "employee vip")
	w.says(clerk, text, "inactive")
	w.expect(bob, noon, "employee")
}

func TestPanelIsForPractices(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, "%s", anEncounter("e", "finished", noon.Add(-500*24*time.Hour), noon.Add(-499*24*time.Hour), bob, ""))
	w.expect(anna, noon, "")
	w.practice = true
	if r := w.expect(anna, noon, "panel"); r.Evidence[0].Template != "care.panel" || r.Evidence[0].Source != 0 || !r.Evidence[0].Known.IsZero() {
		t.Errorf("%+v", r.Evidence[0])
	}
	w.expect(anna, noon.Add(240*24*time.Hour), "")

	// Her own word puts nobody on the panel for her, whomever it books, until somebody else acts on it.
	for _, with := range []Actor{anna, bob} {
		w = newWorld(t)
		w.practice = true
		ahead := anAppointment("a", "booked", noon.Add(2400*time.Hour), noon.Add(2401*time.Hour), with)
		w.says(anna, "%s", ahead)
		w.expect(anna, noon, "")
		w.expect(clerk, noon, "panel")
		w.says(clerk, "%s", anAppointment("b", "booked", noon.Add(2400*time.Hour), noon.Add(2401*time.Hour), bob))
		w.expect(anna, noon, "panel")
	}
	// Nor does she need one who registered the patient, nor does a visit need to say who takes part.
	w = newWorld(t)
	w.practice = true
	w.says(anna, `{'resourceType':'Patient','id':'7'}`)
	w.says(anna, `{'resourceType':'Encounter','id':'e','status':'finished','subject':{'reference':'Patient/7'},'period':{'start':'%s','end':'%s'}}`, stamp(noon.Add(-2*time.Hour)), stamp(noon.Add(-time.Hour)))
	w.expect(anna, noon, "panel")
	w.expect(bob, noon, "panel")
}

func TestTeamAndPatients(t *testing.T) {
	w := newWorld(t)
	w.says(clerk, `{'resourceType':'CareTeam','id':'t','subject':{'reference':'Patient/7'},'participant':[{'member':{'reference':'PractitionerRole/r','display':'Dr Bob'}}]}`)
	w.says(clerk, `{'resourceType':'PractitionerRole','id':'r','practitioner':{'reference':'Practitioner/bob'}}`)
	w.says(clerk, "%s", anEncounter("e", "in-progress", noon.Add(-time.Hour), time.Time{}, anna, "ATND"))
	w.says(clerk, "%s", strings.ReplaceAll(anAppointment("a", "booked", noon.Add(time.Hour), noon.Add(2*time.Hour), anna), "Patient/7", "Patient/9"))
	w.says(clerk, "%s", strings.ReplaceAll(anAppointment("b", "booked", noon.Add(60*time.Hour), noon.Add(61*time.Hour), anna), "Patient/7", "Patient/11"))
	w.says(anna, "%s", strings.ReplaceAll(anAppointment("c", "booked", noon.Add(time.Hour), noon.Add(2*time.Hour), anna), "Patient/7", "Patient/13"))
	team, err := w.Team(t.Context(), maren, noon)
	if err != nil || len(team) != 2 || team[0].Ref != "Practitioner/anna" || team[0].Edge.Template != "care.encounter.attending" ||
		team[1].Ref != "Practitioner/bob" || team[1].Name != "Dr Bob" {
		t.Fatalf("%+v %v", team, err)
	}
	mine, err := w.Patients(t.Context(), anna, noon)
	if err != nil || len(mine) != 2 || mine[0].Patient != 7 || mine[1].Patient != 9 || mine[1].Edge.Sentence() != "You have a visit with this patient at 13:00." {
		t.Fatalf("%+v %v", mine, err)
	}
}
