package staffing_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/staffing"
)

var shell = audit.Agent{Job: "test"}

// house is an installation whose clock the test turns.
type house struct {
	*servertest.Server
	t     *testing.T
	clock *clock
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func open(t *testing.T, sandbox bool) *house {
	t.Helper()
	place := dbtest.New(t)
	servertest.Lies(place.Dir, place.URL)
	if err := server.Init(t.Context(), server.Config{Data: place.Dir, Database: place.URL}, sandbox); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: &clock{at: time.Date(2046, 11, 20, 9, 0, 0, 0, time.UTC)}}
	s, err := server.Open(context.WithoutCancel(t.Context()), server.Config{Data: place.Dir, Database: place.URL, Listen: "127.0.0.1:0", PublicURL: "http://localhost"},
		server.Options{Now: h.clock.now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h.Server = &servertest.Server{Server: s, Dir: place.Dir}
	h.make(identity.NewPerson{Name: "Ada Admin", Roles: []string{identity.Administrator}})
	return h
}

func (h *house) make(n identity.NewPerson) identity.Person {
	h.t.Helper()
	p, _, err := h.Persons.Create(h.t.Context(), shell, n)
	h.must(err)
	return p
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// put stores a resource as the importer.
func (h *house) put(body string) {
	h.t.Helper()
	doc, err := document.Parse([]byte(body))
	h.must(err)
	done, err := h.Gate.Import(h.t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: doc.Type() + "/" + doc.Root().Get("id").Text(), Doc: doc}})
	h.must(err)
	h.must(done[0].Err)
}

// plan gives what a file comes to, as lines of step and employee.
func (h *house) plan(text string) (staffing.Plan, string) {
	h.t.Helper()
	rows, faults, err := staffing.ReadHR([]byte(text), time.UTC)
	h.must(err)
	plan, err := h.Staffing.Plan(h.t.Context(), rows, faults, -1)
	h.must(err)
	var out []string
	for _, s := range plan.Steps {
		out = append(out, strings.TrimSpace(s.Does+" "+s.Employee))
	}
	for _, f := range plan.Faults {
		out = append(out, fmt.Sprint("line ", f.Line))
	}
	return plan, strings.Join(out, ", ")
}

// run carries a file out after its dry run said what it does, and finds nothing to do a second time.
func (h *house) run(text, want string) staffing.Plan {
	h.t.Helper()
	plan, said := h.plan(text)
	if said != want {
		h.t.Fatalf("%s\nwant %s\n%+v", said, want, plan.Faults)
	}
	h.must(h.Staffing.CarryOut(h.t.Context(), shell, plan))
	again, said := h.plan(text)
	for _, s := range again.Steps {
		if !slices.Contains([]string{staffing.Unchanged, staffing.Orphan, staffing.Later}, s.Does) {
			h.t.Fatalf("a second run does something: %s", said)
		}
	}
	return plan
}

func (h *house) named(name string) identity.Person {
	h.t.Helper()
	people, err := h.Persons.People(h.t.Context())
	h.must(err)
	for _, p := range people {
		if p.Name == name {
			return p
		}
	}
	h.t.Fatalf("nobody is called %s", name)
	return identity.Person{}
}

const header = "employee,name,sign_in,roles,unit,start,end,mail,manager\n"

func TestTheFileOfHRIsFollowed(t *testing.T) {
	h := open(t, true)
	plan := h.run(header+"1,Anna Lindqvist,anna,physician,4 East,2040-01-01,,anna@h.example,2\n2,Bo Berg,bo,nurse auditor,4 East,,,,\n3,Cy Dahl,cy,billing,Office,2047-01-01,,,\n4,Di Ek,di,nurse,,,2046-01-01,,\n",
		"join 1, join 2, later 3, unchanged 4, orphan")
	anna, bo := h.named("Anna Lindqvist"), h.named("Bo Berg")
	if plan.Steps[0].Person != anna.ID || strings.Join(anna.Roles, " ") != "physician" || anna.Department != "4 East" || anna.Manager != bo.ID || anna.Mail != "anna@h.example" {
		t.Fatalf("%+v", anna)
	}
	// What an administrator changed stays; what HR changes, changes.
	if _, _, err := h.Persons.Change(t.Context(), shell, bo.ID, identity.Change{Roles: &[]string{"auditor", "billing", "nurse"}}); err != nil {
		t.Fatal(err)
	}
	plan = h.run(header+"1,Anna Lindqvist,anna,physician,5 West,2040-01-01,2046-12-01,anna@h.example,2\n2,Bo Berg-Ek,bo,technician,4 East,,,,\n3,Cy Dahl,cy,billing,Office,2046-11-20,,,\n",
		"move 1, move 2, join 3, orphan")
	if says := plan.Steps[1].Says; says != `name "Bo Berg" -> "Bo Berg-Ek"; roles "auditor nurse" -> "technician"` {
		t.Error(says)
	}
	if bo = h.named("Bo Berg-Ek"); strings.Join(bo.Roles, " ") != "billing technician" {
		t.Errorf("%v", bo.Roles)
	}
	set, err := h.Persons.ScheduledFor(t.Context(), anna.ID)
	if err != nil || len(set) != 1 || set[0].Kind != identity.LeaveAt || !set[0].At.Equal(time.Date(2046, 12, 2, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v %v", set, err)
	}
	h.clock.pass(11 * 24 * time.Hour)
	h.must(h.Staffing.Tick(t.Context()))
	if !h.named("Anna Lindqvist").Active {
		t.Error("ended before the end of the last day")
	}
	h.clock.pass(24 * time.Hour)
	h.must(h.Staffing.Tick(t.Context()))
	if h.named("Anna Lindqvist").State != identity.Ended {
		t.Error("not ended")
	}
	h.run(header+"1,Anna Lindqvist,anna,physician,5 West,2040-01-01,2046-12-01,anna@h.example,\n3,Cy Dahl,cy,billing,Office,2046-11-20,,,\n", "unchanged 1, unchanged 3, leave 2, orphan")
	if h.named("Bo Berg-Ek").State != identity.Ended {
		t.Error("who is not in the file any more works on")
	}
	if _, said := h.plan(header + "1,Anna Lindqvist,anna,physician,5 West,,,,\n3,Cy Dahl,cy,billing,Office,,,,\n"); said != "unchanged 3, orphan, line 2" {
		t.Error(said)
	}
}

// Any fault stops all of it, and each is named by its line.
func TestBadLinesOfHRStopTheRun(t *testing.T) {
	h := open(t, true)
	h.make(identity.NewPerson{Name: "Tom Clerk", SignInName: "tom", Mail: "tom@h.example"})
	plan, said := h.plan(header + "1,Anna,anna,nurse,,,,,\n,No Number,,,,,,,\n2,,x1,,,,,,\n3,C,x2,wizard,,,,,\n4,D,x3,nurse,,20.11.2046,,,\n5,E,x4,nurse,,2046-02-01,2046-01-01,,\n1,F,x5,,,,,,\n6,G,anna,,,,,,\n7,H,x6,,,,,no mail,\n8,I,x7,,,,,,99\n9,J,tom,,,,,,\n10,K,x8,,,,,tom@h.example,\n11,L,x9,patient,,,,,\n12,M\n13,N,A B,,,,,,\n")
	if said != "join 1, join 8, orphan, orphan, line 3, line 4, line 5, line 6, line 7, line 8, line 9, line 10, line 11, line 14, line 15, line 16, line 12, line 13" &&
		said != "join 1, join 8, orphan, orphan, line 3, line 4, line 5, line 6, line 7, line 8, line 9, line 10, line 11, line 14, line 15, line 16, line 11, line 12, line 13" {
		t.Error(said, plan.Faults)
	}
	if err := h.Staffing.CarryOut(t.Context(), shell, plan); !outcome.Is(err, outcome.Invalid) {
		t.Error(err)
	}
	if people, err := h.Persons.People(t.Context()); err != nil || len(people) != 2 {
		t.Error("something was written", people, err)
	}
	for _, bad := range []string{"", "name\nx\n", "employee,name,salary\n", "employee,name,name\n", "\xff\xfe"} {
		if _, _, err := staffing.ReadHR([]byte(bad), time.UTC); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A file cut short ends nobody; neither does one the last administrator.
	text := header
	for i := range 20 {
		text += fmt.Sprintf("%d,P %d,p%d,nurse,,,,,\n", i, i, i)
	}
	plan, _ = h.plan(text)
	h.must(h.Staffing.CarryOut(t.Context(), shell, plan))
	if _, said = h.plan(strings.Join(strings.SplitAfter(text, "\n")[:12], "")); !strings.HasSuffix(said, "line 0") {
		t.Error(said)
	}
	h.run("\xef\xbb\xbfEmployee;Name;Roles;Person\n"+"a;Ada Admin;administrator;"+h.named("Ada Admin").ID+"\n"+func() (rest string) {
		for i := range 20 {
			rest += fmt.Sprintf("%d;P %d;nurse;\n", i, i)
		}
		return rest
	}(), "join a"+strings.Repeat("", 0)+func() (rest string) {
		for i := range 20 {
			rest += fmt.Sprintf(", unchanged %d", i)
		}
		return rest
	}()+", orphan")
	if _, said = h.plan(text); !strings.Contains(said, "leave a") || !strings.HasSuffix(said, "line 0") {
		t.Error(said)
	}
}

// Ends in the past are leavers as much as missing lines are; whoever is here as a patient only is nobody to take on, and who is taken on has
// an entry.
func TestGuardsOfTheFile(t *testing.T) {
	h := open(t, true)
	text := header
	for i := range 20 {
		text += fmt.Sprintf("%d,P %d,p%d,nurse,,,,,\n", i, i, i)
	}
	plan, _ := h.plan(text)
	h.must(h.Staffing.CarryOut(t.Context(), shell, plan))
	if _, said := h.plan(strings.ReplaceAll(text, "nurse,,,,", "nurse,,,2040-01-01,")); !strings.HasSuffix(said, "line 0") {
		t.Error(said)
	}
	portal := h.make(identity.NewPerson{Name: "Pia Patient", Roles: []string{identity.Patient}, Patient: "Patient/pia"})
	clerk := h.make(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing}})
	const by = "employee,name,person\n"
	nobody, _ := h.plan(by + "a,Pia Patient,no-such-id\n")
	plan, _ = h.plan(by + "a,Pia Patient," + portal.ID + "\n")
	if len(plan.Faults) != len(nobody.Faults) || plan.Faults[0] != nobody.Faults[0] {
		t.Errorf("%+v, of nobody %+v", plan.Faults, nobody.Faults)
	}
	plan, _ = h.plan(strings.ReplaceAll(strings.ReplaceAll(text, ",,,,,\n", ",,,,,,\n"), "manager\n", "manager,person\n") + "a,Tom Clerk,,,,,,,," + clerk.ID + "\n")
	h.must(h.Staffing.CarryOut(t.Context(), shell, plan))
	list, err := h.Log.OfAgent(t.Context(), shell, audit.Page{Limit: 100})
	h.must(err)
	if !slices.ContainsFunc(list, func(e audit.Read) bool { return e.Event.Text == "person "+clerk.ID+" is taken on by the source hr:" }) {
		t.Error("no entry says that she was taken on")
	}
}

// Glass that was open stands in the certificate also where the first try to complete it failed after the glass was shut.
func TestACertificateCountsWhatAFailedTryEnded(t *testing.T) {
	h := open(t, true)
	h.put(`{"resourceType":"Patient","id":"otto"}`)
	h.put(`{"resourceType":"Practitioner","id":"cy","name":[{"family":"Dahl"}]}`)
	p := h.make(identity.NewPerson{Name: "Cy Dahl", Roles: []string{identity.Physician}, Practitioner: "Practitioner/cy"})
	in, err := h.Persons.Enter(t.Context(), p.ID, "", identity.Arrival{Zone: "hospital"})
	h.must(err)
	session, err := h.Persons.Authenticate(t.Context(), in.Token)
	h.must(err)
	_, err = h.Gate.BreakGlass(t.Context(), access.Person(session), "otto", "emergency", "found on the floor")
	h.must(err)
	full := true
	desk := staffing.New(staffing.Options{Persons: h.Persons, Gate: h.Gate, Log: h.Log, Now: h.clock.now, Cases: func(context.Context, identity.Person) (int, error) {
		if full {
			return 0, outcome.New(outcome.NoStore, "the disk is full")
		}
		return 0, nil
	}})
	if left, err := desk.End(t.Context(), shell, p.ID, "left"); err != nil || left.GrantsEnded != nil {
		t.Fatalf("%+v %v", left, err)
	}
	full = false
	h.clock.pass(time.Minute)
	if left, err := desk.Certificate(t.Context(), p.ID); err != nil || left.GrantsEnded == nil || *left.GrantsEnded != 1 {
		t.Errorf("%s %v", left.Signed, err)
	}
}

// Outside a sandbox a clinical role of the file waits for a second person, once.
func TestClinicalRolesOfHRWait(t *testing.T) {
	h := open(t, false)
	h.run("employee,name,roles\n1,Anna Lindqvist,nurse\n2,Tom Clerk,billing\n", "join 1, join 2, orphan")
	if p := h.named("Anna Lindqvist"); len(p.Roles) != 0 || !p.Active {
		t.Errorf("%+v", p)
	}
	if p := h.named("Tom Clerk"); strings.Join(p.Roles, " ") != "billing" {
		t.Errorf("%+v", p)
	}
	if items, err := h.Persons.Pending(t.Context()); err != nil || len(items) != 1 || items[0].Kind != "change" {
		t.Errorf("%+v %v", items, err)
	}
}

// What waits for a second person is asked last, after everything else of the person is written: else it could never be approved.
func TestAClinicalRoleOfHRCanBeApproved(t *testing.T) {
	h := open(t, false)
	h.run(header+"1,Anna Lindqvist,anna,nurse,4 East,,2047-01-01,,2\n2,Tom Clerk,tom,billing,,,,,\n", "join 1, join 2, orphan")
	items, err := h.Persons.Pending(t.Context())
	if err != nil || len(items) != 1 || h.named("Anna Lindqvist").Manager != h.named("Tom Clerk").ID {
		t.Fatalf("%+v %v", items, err)
	}
	list, err := h.Log.OfAgent(t.Context(), shell, audit.Page{Limit: 100})
	h.must(err)
	for _, e := range list { // newest first
		if strings.Contains(e.Event.Text, items[0].ID) {
			break
		}
		if e.Event.Interaction == "person-change" && strings.Contains(e.Event.Text, items[0].Person) {
			t.Errorf("she is changed after it was asked: %s", e.Event.Text)
		}
	}
}

// An item goes with the role that it was for, and one that came to nothing without anybody's no is asked for again.
func TestAnItemFollowsTheFile(t *testing.T) {
	h := open(t, false)
	text := "employee,name,roles\n1,Anna Lindqvist,nurse\n"
	waiting := func(want int) []identity.Pending {
		t.Helper()
		items, err := h.Persons.Pending(t.Context())
		if err != nil || len(items) != want {
			t.Fatalf("%+v %v", items, err)
		}
		return items
	}
	h.run(text, "join 1, orphan")
	h.must(h.Persons.Decline(t.Context(), shell, waiting(1)[0].ID, "withdrawn"))
	h.run(text, "move 1, orphan")
	waiting(1)
	h.clock.pass(8 * 24 * time.Hour) // it lapses
	h.run(text, "move 1, orphan")
	first := waiting(1)[0].ID
	dep := "5 West"
	_, _, err := h.Persons.Change(t.Context(), shell, h.named("Anna Lindqvist").ID, identity.Change{Department: &dep})
	h.must(err)
	h.run(text, "move 1, orphan") // the item was void
	if waiting(1)[0].ID == first {
		t.Error("an item that nobody can approve stays")
	}
	h.run("employee,name,roles\n1,Anna Lindqvist,billing\n", "move 1, orphan")
	waiting(0)
	if p := h.named("Anna Lindqvist"); strings.Join(p.Roles, " ") != "billing" {
		t.Errorf("%v", p.Roles)
	}
}

// What of a joiner was not done yet is done by the next run: her manager starts later.
func TestAJoinerGetsHerManagerWhenHeStarts(t *testing.T) {
	h := open(t, true)
	text := header + "1,Anna Lindqvist,anna,nurse,,,,,2\n2,Bo Berg,bo,nurse,,2046-12-01,,,\n"
	h.run(text, "join 1, later 2, orphan")
	h.clock.pass(12 * 24 * time.Hour)
	h.run(text, "move 1, join 2, orphan")
	if h.named("Anna Lindqvist").Manager != h.named("Bo Berg").ID {
		t.Error("she has no manager")
	}
}

// What is set happens once, whoever looks; a mover loses at once and gains by two.
func TestWhatIsSetHappensOnce(t *testing.T) {
	h := open(t, false)
	p := h.make(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing, identity.Auditor}})
	at := h.clock.now().Add(time.Hour)
	h.must(h.Persons.Schedule(t.Context(), shell, identity.Scheduled{Person: p.ID, Kind: identity.ChangeAt, At: at, Reason: "moves", Change: &identity.Change{Roles: &[]string{identity.Billing, identity.Nurse}}}))
	h.must(h.Persons.Schedule(t.Context(), shell, identity.Scheduled{Person: p.ID, Kind: identity.LeaveAt, At: at.Add(time.Hour), Reason: "retires"}))
	h.must(h.Staffing.Tick(t.Context()))
	h.clock.pass(time.Hour)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { _ = h.Staffing.Tick(context.WithoutCancel(t.Context())) })
	}
	all.Wait()
	if got := h.named("Tom Clerk"); strings.Join(got.Roles, " ") != "billing" {
		t.Errorf("%v", got.Roles)
	}
	if items, err := h.Persons.Pending(t.Context()); err != nil || len(items) != 1 {
		t.Errorf("%+v %v", items, err)
	}
	h.clock.pass(time.Hour)
	for range 4 {
		all.Go(func() { _ = h.Staffing.Tick(context.WithoutCancel(t.Context())) })
	}
	all.Wait()
	if h.named("Tom Clerk").State != identity.Ended {
		t.Error("works on")
	}
	list, err := h.Log.OfAgent(t.Context(), audit.Agent{Job: "staffing"}, audit.Page{Limit: 100})
	h.must(err)
	ends := 0
	for _, e := range list {
		if e.Event.Interaction == "person-terminate" {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("%d terminations", ends)
	}
	if left, err := h.Staffing.Certificate(t.Context(), p.ID); err != nil || left.Reason != "retires" {
		t.Errorf("%+v %v", left, err)
	}
}

// What cannot happen yet, because somebody is suspended or is the last administrator, stays set, and the log says so once.
func TestWhatIsSetWaitsUntilItCanHappen(t *testing.T) {
	h := open(t, true)
	ada := h.named("Ada Admin")
	tom := h.make(identity.NewPerson{Name: "Tom Clerk", Roles: []string{identity.Billing}})
	at := h.clock.now().Add(time.Hour)
	h.must(h.Persons.Schedule(t.Context(), shell, identity.Scheduled{Person: tom.ID, Kind: identity.ChangeAt, At: at, Reason: "moves", Change: &identity.Change{Roles: &[]string{identity.Auditor}}}))
	h.must(h.Persons.Schedule(t.Context(), shell, identity.Scheduled{Person: ada.ID, Kind: identity.LeaveAt, At: at, Reason: "retires"}))
	h.must(h.Persons.Suspend(t.Context(), shell, tom.ID, "on leave"))
	for range 3 {
		h.clock.pass(time.Hour)
		if err := h.Staffing.Tick(t.Context()); !outcome.Is(err, outcome.Conflict) {
			t.Fatalf("nobody is told: %v", err)
		}
	}
	list, err := h.Log.OfAgent(t.Context(), audit.Agent{Job: "staffing"}, audit.Page{Limit: 100})
	h.must(err)
	missed := 0
	for _, e := range list {
		if strings.Contains(e.Event.Text, " could not happen yet: ") {
			missed++
		}
	}
	if missed != 2 {
		t.Errorf("%d entries say that something could not happen, want one each", missed)
	}
	_, err = h.Staffing.Resume(t.Context(), shell, tom.ID, "back")
	h.must(err)
	h.make(identity.NewPerson{Name: "Eve Admin", Roles: []string{identity.Administrator}})
	h.clock.pass(time.Hour)
	h.must(h.Staffing.Tick(t.Context()))
	if tom = h.named("Tom Clerk"); strings.Join(tom.Roles, " ") != "auditor" || h.named("Ada Admin").State != identity.Ended {
		t.Errorf("%v, and the administrator is %s", tom.Roles, h.named("Ada Admin").State)
	}
	if set, err := h.Persons.ScheduledFor(t.Context(), ""); err != nil || len(set) != 0 {
		t.Errorf("%+v %v", set, err)
	}
}

// An account that nobody uses is told of, then suspended; a sign-in takes it back, and the last administrator stays.
func TestUnusedAccountsAreSuspended(t *testing.T) {
	h := open(t, true)
	used := h.make(identity.NewPerson{Name: "Anna Lindqvist", Roles: []string{identity.Nurse}})
	h.make(identity.NewPerson{Name: "Bo Berg", Roles: []string{identity.Nurse}})
	h.put(`{"resourceType":"Practitioner","id":"cy","name":[{"family":"Dahl"}]}`)
	h.make(identity.NewPerson{Name: "Cy Dahl", Roles: []string{identity.Nurse}, Practitioner: "Practitioner/cy"})
	h.clock.pass(staffing.UnusedAfter + time.Hour)
	h.must(h.Staffing.Warn(t.Context()))
	h.must(h.Staffing.Warn(t.Context()))
	set, err := h.Persons.ScheduledFor(t.Context(), "")
	if err != nil || len(set) != 4 || set[0].Kind != identity.SuspendAt {
		t.Fatalf("%+v %v", set, err)
	}
	if _, err := h.Persons.Enter(t.Context(), used.ID, "", identity.Arrival{Zone: "hospital"}); err != nil {
		t.Fatal(err)
	}
	h.clock.pass(staffing.SuspendedAfter)
	now := h.clock.now()
	h.put(`{"resourceType":"Schedule","id":"shift","actor":[{"reference":"Practitioner/cy"}],"planningHorizon":{"start":"` + now.Add(-time.Hour).Format(time.RFC3339) + `","end":"` + now.Add(7*time.Hour).Format(time.RFC3339) + `"}}`)
	h.must(h.Staffing.Tick(t.Context()))
	for name, want := range map[string]identity.State{"Anna Lindqvist": identity.Active, "Bo Berg": identity.Suspended, "Cy Dahl": identity.Active, "Ada Admin": identity.Active} {
		if got := h.named(name).State; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	h.clock.pass(25 * time.Hour) // the shift is over
	h.must(h.Staffing.Tick(t.Context()))
	if got := h.named("Cy Dahl").State; got != identity.Suspended {
		t.Errorf("off shift she is %s", got)
	}
}

func FuzzReadHR(f *testing.F) {
	f.Add([]byte(header + "1,Anna,anna,nurse,4 East,2046-01-01,2046-02-01,a@b.example,2\n"))
	f.Add([]byte("employee;name\n1;\"a\nb\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, faults, err := staffing.ReadHR(text, time.UTC)
		if err != nil && (outcome.Status(err) >= 500 || rows != nil) {
			t.Error(err)
		}
		for _, r := range rows {
			if r.Employee == "" || r.Name == "" || r.Line < 1 {
				t.Errorf("%+v", r)
			}
		}
		_ = faults
	})
}
