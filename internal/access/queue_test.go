package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
)

// A review that no fact closed waits for one officer by name: in turn, never for one of the person's own unit; after a day in which she did
// not sign in, for the next; and whoever passes it on says why.
func TestReviewsWaitForOneOfficerByName(t *testing.T) {
	w := newWard(t)
	dir, at := w.Dir, w.Now()
	for at.Weekday() != time.Tuesday {
		at = at.AddDate(0, 0, 1)
	}
	w.Stop()
	clock := servertest.ClockAt(at)
	w.Server = servertest.OpenOn(t, dir, clock)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	ruth, nora, kim := w.Person(t, "Ruth Adeyemi", "privacy", ""), w.Person(t, "Nora Vance", "privacy", ""), w.Person(t, "Kim Close", "privacy", "")
	surgery := "Surgery"
	for _, of := range []*servertest.Client{c, kim} {
		if _, _, err := w.Persons.Change(t.Context(), audit.Agent{Job: "test"}, of.Person.Person, identity.Change{Department: &surgery}); err != nil {
			t.Fatal(err)
		}
	}
	for _, patient := range []string{w.maren, w.otto} {
		if _, err := w.Gate.BreakGlass(t.Context(), w.at(t, c), patient, "other", "x"); err != nil {
			t.Fatal(err)
		}
		clock.Add(time.Minute)
	}
	list := func(who *servertest.Client, state access.ReviewState) []access.Review {
		t.Helper()
		got, err := w.Gate.Reviews(t.Context(), w.at(t, who), state, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return got.Reviews
	}
	for _, r := range list(ruth, access.ReviewsOpen) {
		if r.Owner != "" {
			t.Fatalf("given out before later facts had their hour: %+v", r)
		}
	}
	at = clock.Add(2 * time.Hour)
	if open := list(ruth, access.ReviewsOpen); len(open) != 2 || open[0].Due.Before(at.Add(23*time.Hour)) {
		t.Fatalf("%+v", open)
	}
	if a, b, near := list(ruth, access.ReviewsMine), list(nora, access.ReviewsMine), list(kim, access.ReviewsMine); len(a) != 1 || len(b) != 1 || len(near) != 0 {
		t.Fatalf("they are not given out in turn: %d, %d, to her own unit %d", len(a), len(b), len(near))
	}
	kims := w.at(t, kim) // of the person's unit
	if err := w.Gate.Decide(t.Context(), kims, list(ruth, access.ReviewsMine)[0].ID, "explained", "She is fine"); !outcome.Is(err, outcome.Forbidden) {
		t.Error("an officer of the person's own unit closes a review while others are there:", err)
	}
	// Ruth is away for a day; Nora signs in each morning.
	clock.Add(25 * time.Hour)
	nora = w.SignIn(t, nora.Person, "")
	if n := len(list(nora, access.ReviewsMine)); n != 2 {
		t.Errorf("what waited for who is away did not go to the next: %d", n)
	}
	mine := list(nora, access.ReviewsMine)
	if mine[1].Given.After(mine[0].Given) { // the one that came to her just now is passed on
		mine[0], mine[1] = mine[1], mine[0]
	}
	officer := w.at(t, nora)
	if err := w.Gate.PassOn(t.Context(), officer, mine[0].ID, ruth.Person.Person, " "); err == nil {
		t.Error("passed on without a reason")
	}
	if err := w.Gate.PassOn(t.Context(), officer, mine[0].ID, kim.Person.Person, "busy"); err == nil {
		t.Error("passed on to somebody of the person's own unit")
	}
	if err := w.Gate.PassOn(t.Context(), officer, mine[0].ID, c.Person.Person, "busy"); err == nil {
		t.Error("passed on to somebody who is no officer")
	}
	clock.Add(3 * time.Hour)
	officer = w.at(t, nora)
	if err := w.Gate.PassOn(t.Context(), officer, mine[0].ID, ruth.Person.Person, "I leave tomorrow"); err != nil {
		t.Fatal(err)
	}
	for _, r := range list(nora, access.ReviewsOpen) {
		if r.ID == mine[0].ID && (r.Owner != ruth.Person.Person || !r.Due.Equal(mine[0].Due)) {
			t.Errorf("who passes it on makes it due on another day: %v, was %v", r.Due, mine[0].Due)
		}
	}
	if n := len(list(nora, access.ReviewsMine)); n != 1 {
		t.Errorf("she still has %d", n)
	}
	if n, _, err := w.Gate.ReviewsOverdue(t.Context()); err != nil || n != 1 {
		t.Errorf("overdue after a day: %d %v, want that of who did not look", n, err)
	}
	clock.Add(5 * 24 * time.Hour)
	if n, _, err := w.Gate.ReviewsOverdue(t.Context()); err != nil || n != 2 {
		t.Errorf("overdue after five days: %d %v", n, err)
	}
	// When nobody else is left she answers, and her name is in the entry.
	for _, other := range []*servertest.Client{ruth, nora} {
		if err := w.Staffing.Suspend(t.Context(), identityAgent, other.Person.Person, "test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Gate.Decide(t.Context(), kims, mine[0].ID, "explained", "She is fine"); err != nil {
		t.Error("nobody else is there, and the last officer may not answer:", err)
	}
}

// A review stays with an officer who is merely off shift: it keeps the day on which it is due, so that being late is told.
func TestAReviewStaysWithWhoIsOffShift(t *testing.T) {
	w := newWard(t)
	dir, at := w.Dir, w.Now()
	for at.Weekday() != time.Tuesday {
		at = at.AddDate(0, 0, 1)
	}
	w.Stop()
	clock := servertest.ClockAt(at)
	w.Server = servertest.OpenOn(t, dir, clock)
	c := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	on := func(name string, from, until time.Duration) *servertest.Client {
		desk := w.put(t, `{"resourceType":"Practitioner","name":[{"family":"`+name+`"}]}`)
		w.put(t, `{"resourceType":"Schedule","actor":[{"reference":"`+desk+`"}],"planningHorizon":{"start":"`+at.Add(from).UTC().Format(time.RFC3339)+`","end":"`+at.Add(until).UTC().Format(time.RFC3339)+`"}}`)
		return w.Person(t, name, "privacy", desk)
	}
	ruth, nora := on("Ruth", 0, 8*time.Hour), on("Nora", 24*time.Hour, 32*time.Hour)
	if _, err := w.Gate.BreakGlass(t.Context(), w.at(t, c), w.maren, "other", "x"); err != nil {
		t.Fatal(err)
	}
	of := func(who *servertest.Client) access.Review {
		t.Helper()
		got, err := w.Gate.Reviews(t.Context(), w.at(t, who), access.ReviewsOpen, 0, 10)
		if err != nil || len(got.Reviews) != 1 {
			t.Fatal(got, err)
		}
		return got.Reviews[0]
	}
	clock.Add(2 * time.Hour)
	first := of(ruth)
	if first.Owner != ruth.Person.Person {
		t.Fatalf("who is on shift did not get it: %+v", first)
	}
	clock.Add(25 * time.Hour)
	w.SignIn(t, ruth.Person, "")
	nora = w.SignIn(t, nora.Person, "")
	if now := of(nora); now.Owner != first.Owner || !now.Due.Equal(first.Due) {
		t.Errorf("it was passed on from an officer who is off shift and still here: %+v", now)
	}
	if n, _, err := w.Gate.ReviewsOverdue(t.Context()); err != nil || n != 1 {
		t.Errorf("overdue: %d %v", n, err)
	}
}

// Reviews that stay with their officers hide none that came after them.
func TestABacklogHidesNoReview(t *testing.T) {
	w := newWard(t)
	dir, at := w.Dir, w.Now()
	for at.Weekday() != time.Tuesday {
		at = at.AddDate(0, 0, 1)
	}
	w.Stop()
	clock := servertest.ClockAt(at)
	w.Server = servertest.OpenOn(t, dir, clock)
	c, ruth := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ruth Adeyemi", "privacy", "")
	newest := func() access.Review {
		t.Helper()
		got, err := w.Gate.Reviews(t.Context(), w.at(t, ruth), access.ReviewsOpen, 0, 1000)
		if err != nil || len(got.Reviews) == 0 {
			t.Fatal(len(got.Reviews), err)
		}
		return slices.MaxFunc(got.Reviews, func(a, b access.Review) int { return a.First.Compare(b.First) })
	}
	open := func(patient string) {
		t.Helper()
		if _, err := w.Gate.BreakGlass(t.Context(), w.at(t, c), patient, "other", "x"); err != nil {
			t.Fatal(err)
		}
	}
	open(w.maren)
	clock.Add(2 * time.Hour)
	first := newest()
	var rows []string
	for n := range 201 { // hers, and she is here
		rows = append(rows, fmt.Sprintf(`SELECT kind, person, patient, day - %d, first_at - %d, last_at, entries, first_idx, last_idx, owner, given, due FROM access_review WHERE id = %d`, n+1, n+1, first.ID))
	}
	clock.Add(25 * time.Hour)
	c, ruth = w.SignIn(t, c.Person, ""), w.SignIn(t, ruth.Person, "") // sessions last less than a day
	if err := w.Gate.Exec(t.Context(), `INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx, owner, given, due) `+strings.Join(rows, " UNION ALL ")); err != nil {
		t.Fatal(err)
	}
	open(w.otto)
	clock.Add(2 * time.Hour)
	if r := newest(); r.Owner != ruth.Person.Person {
		t.Errorf("behind the others it waits for nobody: %+v", r)
	}
}

// One round gives out at most 200 reviews, whatever stays where it is among them; the next goes on.
func TestARoundGivesOutSoManyAndNoMore(t *testing.T) {
	w := newWard(t)
	dir, at := w.Dir, w.Now()
	for at.Weekday() != time.Tuesday {
		at = at.AddDate(0, 0, 1)
	}
	w.Stop()
	clock := servertest.ClockAt(at)
	w.Server = servertest.OpenOn(t, dir, clock)
	c, ruth := w.Person(t, "Anna Lindqvist", "physician", w.anna), w.Person(t, "Ruth Adeyemi", "privacy", "")
	list := func() (all []access.Review, owned int) {
		t.Helper()
		got, err := w.Gate.Reviews(t.Context(), w.at(t, ruth), access.ReviewsOpen, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Reviews {
			if r.Owner != "" {
				owned++
			}
		}
		return got.Reviews, owned
	}
	if _, err := w.Gate.BreakGlass(t.Context(), w.at(t, c), w.maren, "other", "x"); err != nil {
		t.Fatal(err)
	}
	clock.Add(2 * time.Hour)
	first, _ := list()
	clock.Add(25 * time.Hour)
	ruth = w.SignIn(t, ruth.Person, "") // she is here: the first stays with her, at the head of the queue
	var rows []string
	for n := range 401 {
		rows = append(rows, fmt.Sprintf(`SELECT kind, person, patient, day - %d, first_at + %d, last_at, entries, first_idx, last_idx, '', 0, 0 FROM access_review WHERE id = %d`, n+1, n+1, first[0].ID))
	}
	if err := w.Gate.Exec(t.Context(), `INSERT INTO access_review (kind, person, patient, day, first_at, last_at, entries, first_idx, last_idx, owner, given, due) `+strings.Join(rows, " UNION ALL ")); err != nil {
		t.Fatal(err)
	}
	for want := 1 + 200; ; want += 200 { // a round of the server's own may lie between: each ends at a whole bound
		all, owned := list()
		if owned == len(all) && owned == 1+401 {
			break
		}
		for want < owned {
			want += 200
		}
		if len(all) != 1+401 || owned != want {
			t.Fatalf("%d of %d wait for somebody, want %d", owned, len(all), want)
		}
	}
}
