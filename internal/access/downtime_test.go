package access_test

import (
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// declared puts the site into a downtime of some hours by two people.
func (w *ward) declared(t *testing.T, by, with *servertest.Client, hours int) {
	t.Helper()
	a, err := w.Gate.AskDowntime(t.Context(), w.at(t, by), hours, "the network of the old system is down")
	if err == nil {
		_, err = w.Gate.Approve(t.Context(), w.at(t, with), a.ID)
	}
	if err == nil {
		err = w.Gate.CarryOut(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *ward) running(t *testing.T) bool {
	t.Helper()
	d, err := w.Gate.Downtime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d != nil
}

// A downtime takes two people, lasts twelve hours at most, is survived by nothing that it gave, and what it opened is drawn from afterwards.
func TestADowntimeTakesTwoPeopleAndEnds(t *testing.T) {
	w := newWard(t)
	dir := w.Dir
	clock := servertest.ClockAt(w.Now())
	w.Stop()
	w.Server = servertest.OpenOn(t, dir, clock)
	anna, ruth := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ruth Adeyemi", "privacy", "")
	nurse, clerk := w.Person(t, "Nils Berg", "nurse", ""), w.Person(t, "Cleo Desk", "front-desk", "")
	glass := func(who *servertest.Client, patient, code string) error {
		_, err := w.Gate.BreakGlass(t.Context(), w.at(t, who), patient, code, "")
		return err
	}
	opens := func(who *servertest.Client, patient string) bool {
		_, err := w.Gate.Chart(t.Context(), w.at(t, who), patient)
		return err == nil
	}

	for hours, code := range map[int]outcome.Code{0: outcome.Value, 13: outcome.Value} {
		if _, err := w.Gate.AskDowntime(t.Context(), w.at(t, anna), hours, "x"); !outcome.Is(err, code) {
			t.Errorf("%d hours: %v", hours, err)
		}
	}
	if _, err := w.Gate.AskDowntime(t.Context(), w.at(t, clerk), 2, "x"); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("a clerk: %v", err)
	}
	if _, err := w.Gate.AskDowntime(t.Context(), access.Job(access.Operator), 2, "x"); err == nil {
		t.Error("the command line declared a downtime")
	}
	a, err := w.Gate.AskDowntime(t.Context(), w.at(t, anna), 2, "the network of the old system is down")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Gate.Approve(t.Context(), w.at(t, anna), a.ID); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("agreed to by who declared it: %v", err)
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil || w.running(t) {
		t.Fatalf("one person's word is in force: %v", err)
	}
	if err := glass(nurse, w.maren, "downtime"); !outcome.Is(err, outcome.Value) {
		t.Fatalf("opened by a downtime that nobody agreed to: %v", err)
	}
	if _, err := w.Gate.Approve(t.Context(), w.at(t, ruth), a.ID); err != nil {
		t.Fatal(err)
	}
	w.Stop() // between the word of the second and the act
	clock.Add(time.Minute)
	w.Server = servertest.OpenOn(t, dir, clock)
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := w.Gate.Downtime(t.Context())
	if err != nil || d == nil || !d.Until.Equal(a.Asked.Truncate(time.Microsecond).Add(2*time.Hour)) || d.Asked != anna.Person.Person || d.Agreed != ruth.Person.Person {
		t.Fatalf("%+v %v, asked %v", d, err, a.Asked)
	}
	for range 2 {
		w.Stop()
		w.Server = servertest.OpenOn(t, dir, clock)
		if !w.running(t) {
			t.Fatal("a restart ended it")
		}
	}
	for _, patient := range []string{w.maren, w.otto} {
		if err := glass(nurse, patient, "downtime"); err != nil || !opens(nurse, patient) {
			t.Fatal(err)
		}
		clock.Add(11 * time.Second)
	}
	reviews := func() int {
		got, err := w.Gate.Reviews(t.Context(), w.at(t, ruth), access.ReviewsOpen, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return got.Total
	}
	if n := reviews(); n != 0 {
		t.Errorf("%d reviews wait while it runs", n)
	}
	listed := func() access.DowntimeOpenings {
		got, err := w.Gate.OpenedIn(t.Context(), w.at(t, ruth), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := listed(); got.Total != 2 || got.Sampled != 0 || len(got.Reviews) != 2 || got.Reviews[0].Code != "downtime" {
		t.Errorf("%+v", got)
	}
	if _, err := w.Gate.OpenedIn(t.Context(), w.at(t, nurse), d.ID); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("a nurse reads the list: %v", err)
	}
	if err := w.Gate.EndDowntime(t.Context(), w.at(t, nurse)); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("a nurse ends it: %v", err)
	}
	if err := w.Gate.EndDowntime(t.Context(), w.at(t, ruth)); err != nil || w.running(t) {
		t.Fatal("it was not ended by one person: ", err)
	}
	if opens(nurse, w.maren) {
		t.Error("a chart stays open by a downtime that was ended")
	}
	clock.Add(time.Second)
	if n, got := reviews(), listed(); n != 2 || got.Sampled != 2 {
		t.Errorf("%d reviews, %d drawn of %d", n, got.Sampled, got.Total)
	}
	if n := reviews(); n != 2 {
		t.Errorf("drawn twice: %d", n)
	}

	w.declared(t, ruth, anna, 12)
	clock.Add(12*time.Hour - time.Minute)
	if !w.running(t) {
		t.Error("it ended before its time")
	}
	clock.Add(time.Minute)
	if w.running(t) {
		t.Error("it runs longer than twelve hours")
	}
	if report, err := w.Verify(t.Context(), nil); err != nil || len(report.Faults) != 0 {
		t.Errorf("verify: %v %v", err, report.Faults)
	}
}

// What one node declares or ends, the others follow within a second.
func TestADowntimeReachesEachNode(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two nodes on a database server")
	}
	a := &ward{Server: servertest.StartAt(t, dbtest.Postgres(t))}
	b := &ward{Server: a.Node(t, "second")}
	anna, ruth := a.Person(t, "Anna Lindqvist", "physician", ""), a.Person(t, "Ruth Adeyemi", "privacy", "")
	within := func(what string, want bool) {
		t.Helper()
		for begun := time.Now(); b.running(t) != want; time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 1500*time.Millisecond { // a second, and what a busy machine takes
				t.Fatalf("the other node knows nothing of %s", what)
			}
		}
	}
	within("none", false)
	a.declared(t, anna, ruth, 1)
	within("a downtime", true)
	if err := a.Gate.EndDowntime(t.Context(), a.at(t, ruth)); err != nil {
		t.Fatal(err)
	}
	within("its end", false)
}
