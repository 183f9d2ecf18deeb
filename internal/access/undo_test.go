package access_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/server/servertest"
	"chartwarden/internal/tlog"
	"chartwarden/internal/witness"
)

func (w *ward) location(t testing.TB, p access.Principal, id, name string) (access.Written, error) {
	t.Helper()
	doc, err := document.Parse([]byte(`{"resourceType":"Location","id":"` + id + `","name":"` + name + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	if id == "" {
		if doc, err = document.Parse([]byte(`{"resourceType":"Location","name":"` + name + `"}`)); err != nil {
			t.Fatal(err)
		}
		return w.Gate.Create(t.Context(), p, doc)
	}
	return w.Gate.Update(t.Context(), p, doc, 0)
}

// content is a resource as it is now, without what each version has of its own; "" when it is deleted.
func (w *ward) content(t testing.TB, ref string) string {
	t.Helper()
	typ, id, _ := strings.Cut(ref, "/")
	got, err := w.Gate.Read(t.Context(), access.Job("undo"), typ, id)
	if outcome.Is(err, outcome.Deleted) {
		return ""
	}
	if err != nil {
		t.Fatal(ref, err)
	}
	var m map[string]any
	if err := json.Unmarshal(got.Docs[0].AppendJSON(nil), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "meta")
	b, _ := json.Marshal(m)
	return string(b)
}

func steps(u access.Undoing) (out []string) {
	for _, s := range u.Steps {
		out = append(out, fmt.Sprintf("%s %s/%s %d<-%d", s.Does, s.Type, s.ID, s.Version, s.To))
	}
	slices.Sort(out)
	return out
}

func left(u access.Undoing) (out []string) {
	for _, l := range u.Left {
		out = append(out, fmt.Sprintf("%s/%s %d: %s", l.Type, l.ID, l.Version, l.Why))
	}
	slices.Sort(out)
	return out
}

// What a physician did to a chart is taken back by two people: the list that both saw is what is done.
func TestUndoByTwoPeople(t *testing.T) {
	w := newWard(t)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	w.checkIn(t, w.anna, w.maren)
	admin, officer := w.Person(t, "Ruth Adeyemi", "administrator", ""), w.Person(t, "Olu Privacy", "privacy", "")
	bob := w.Person(t, "Bob Clerk", "front-desk", "")
	changed, gone, later := w.put(t, condition(w.maren, "")), w.put(t, condition(w.maren, "")), w.put(t, condition(w.maren, ""))
	was := map[string]string{changed: w.content(t, changed), gone: w.content(t, gone)}
	since := w.Now()

	worse := func(ref string) string {
		_, id, _ := strings.Cut(ref, "/")
		return strings.Replace(strings.Replace(condition(w.maren, ""), "Asthma", "Nothing", 1), `"Condition",`, `"Condition","id":"`+id+`",`, 1)
	}
	for _, ref := range []string{changed, later} {
		if a := anna.Do(t, "PUT", "/fhir/"+ref, worse(ref)); a.Status != 200 {
			t.Fatal(a.Status, a.Body)
		}
	}
	if a := anna.Do(t, "DELETE", "/fhir/"+gone, ""); a.Status >= 300 {
		t.Fatal(a.Status, a.Body)
	}
	made := anna.Do(t, "POST", "/fhir/Condition", condition(w.maren, ""))
	note := anna.Do(t, "POST", "/fhir/DocumentReference", `{"resourceType":"DocumentReference","status":"current","docStatus":"final","subject":{"reference":"Patient/`+w.maren+`"},
		"author":[{"reference":"`+w.anna+`"}],"content":[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]}`)
	if made.Status != 201 || note.Status != 201 {
		t.Fatal(made.Body, note.Body)
	}
	_, laterID, _ := strings.Cut(later, "/")
	if _, err := w.Gate.Import(t.Context(), access.Job("import"), []access.Entry{{Method: "PUT", URL: later, Doc: parsed(t, strings.Replace(worse(later), "Nothing", "Reviewed", 1))}}); err != nil {
		t.Fatal(err)
	}

	if _, err := w.Gate.UndoDryRun(t.Context(), w.as(t, bob), anna.Person.Person, since); !outcome.Is(err, outcome.Forbidden) {
		t.Errorf("the front desk lists it: %v", err)
	}
	dry, err := w.Gate.UndoDryRun(t.Context(), w.as(t, admin), anna.Person.Person, since)
	if err != nil {
		t.Fatal(err)
	}
	if got := left(dry); len(dry.Steps) != 4 || len(got) != 1 || !strings.HasPrefix(got[0], later+" 2: somebody else") {
		t.Fatalf("%v\n%v", steps(dry), got)
	}
	if w.content(t, changed) == was[changed] {
		t.Fatal("a dry run changed something")
	}

	item, err := w.Gate.AskUndo(t.Context(), w.as(t, admin), anna.Person.Person, since, "the chart was spoilt")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]*servertest.Client{"who asked": admin, "whose work it is": anna, "the front desk": bob} {
		if _, err := w.Gate.Approve(t.Context(), w.as(t, c), item.ID); !outcome.Is(err, outcome.Forbidden) {
			t.Errorf("%s approves: %v", what, err)
		}
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil || w.content(t, changed) == was[changed] {
		t.Fatalf("it was carried out before anybody agreed: %v", err)
	}
	list, err := w.Gate.Approvals(t.Context(), w.as(t, officer))
	if err != nil || len(list) != 1 || !list[0].May || list[0].ID != item.ID {
		t.Fatalf("%+v %v", list, err)
	}
	shown, err := w.Gate.UndoOf(t.Context(), w.as(t, officer), item.ID)
	if err != nil || !slices.Equal(steps(shown), steps(dry)) {
		t.Fatalf("the officer sees %v, %v", steps(shown), err)
	}
	if _, err := w.Gate.Approve(t.Context(), w.as(t, officer), item.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	for ref, content := range was {
		if got := w.content(t, ref); got != content {
			t.Errorf("%s is %s, was %s", ref, got, content)
		}
	}
	if got := w.content(t, "Condition/"+idOf(t, made.Body)); got != "" {
		t.Errorf("what she made is there: %s", got)
	}
	if got := w.content(t, "DocumentReference/"+idOf(t, note.Body)); !strings.Contains(got, "entered-in-error") || !strings.Contains(got, "aGVsbG8=") {
		t.Errorf("a signed note is kept and marked: %s", got)
	}
	if got := w.content(t, "Condition/"+laterID); !strings.Contains(got, "Reviewed") {
		t.Errorf("what somebody else wrote on top: %s", got)
	}
	after, err := w.Gate.ApprovalOf(t.Context(), w.as(t, officer), item.ID)
	if err != nil || after.State != "done" || after.DecidedBy != officer.Person.Person {
		t.Fatalf("%+v %v", after, err)
	}
	again, err := w.Gate.UndoDryRun(t.Context(), w.as(t, admin), anna.Person.Person, since)
	if err != nil || len(again.Steps) != 0 || len(again.Left) != 1 {
		t.Fatalf("a second time: %v %v %v", steps(again), left(again), err)
	}
	// Each version says in the log who wanted it.
	reads, err := w.Log.OfAgent(t.Context(), audit.Agent{Job: "undo"}, audit.Page{Limit: 100})
	if err != nil || !slices.ContainsFunc(reads, func(r audit.Read) bool {
		return r.Event.Kind == audit.Intent && strings.Contains(r.Event.Text, admin.Person.Person) && strings.Contains(r.Event.Text, officer.Person.Person)
	}) {
		t.Errorf("no entry names both: %v", err)
	}
	report, err := w.Verify(t.Context(), nil)
	if err != nil || !report.Holds() {
		t.Errorf("%+v %v", report, err)
	}
}

// A visit that its author made for herself carries no more weight after it comes back than before.
func TestUndoLendsNoWeight(t *testing.T) {
	w := newWard(t)
	anna := w.Person(t, "Anna Lindqvist", "physician", w.anna)
	visit := `{"resourceType":"Encounter","id":"%s","status":"%s","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
		"subject":{"reference":"Patient/` + w.maren + `"},"participant":[{"individual":{"reference":"` + w.anna + `"}}],"period":{"start":"` + w.Now().UTC().Format(time.RFC3339) + `"}}`
	made := anna.Do(t, "POST", "/fhir/Encounter", strings.Replace(fmt.Sprintf(visit, "", "in-progress"), `"id":"",`, "", 1))
	if made.Status != 201 {
		t.Fatal(made.Body)
	}
	bob, since := w.Person(t, "Bob Clerk", "front-desk", ""), w.Now()
	if a := bob.Do(t, "DELETE", "/fhir/Encounter/"+idOf(t, made.Body), ""); a.Status >= 300 {
		t.Fatal(a.Status, a.Body)
	}
	done, err := w.Gate.UndoNow(t.Context(), access.Job(access.Operator), bob.Person.Person, since, "test")
	if err != nil || len(done.Steps) != 1 {
		t.Fatalf("%v %v", steps(done), err)
	}
	if got := anna.Get(t, "/fhir/Condition?patient="+w.maren); got.Status != 403 {
		t.Fatalf("a self-made visit opened the chart after it came back: %d", got.Status)
	}
}

// Whatever two people write, one over the other, with undos between: what the dry run lists is what changes, it comes out as it was, and
// what the other wrote last stays.
func TestUndoDoesExactlyWhatItLists(t *testing.T) {
	w := newWard(t)
	people := []*servertest.Client{w.Person(t, "Ann One", "administrator", ""), w.Person(t, "Ben Two", "administrator", "")}
	who := []access.Principal{w.as(t, people[0]), w.as(t, people[1])}
	dice := rand.New(rand.NewPCG(7, 11))
	ids := []string{"a", "b", "c", "d", "e"}
	state := func() map[string]string {
		out := map[string]string{}
		for _, id := range ids {
			if _, err := w.Gate.Read(t.Context(), access.Job("undo"), "Location", id); !outcome.Is(err, outcome.NotFound) {
				out["Location/"+id] = w.content(t, "Location/"+id)
			}
		}
		return out
	}
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	total := 0
	for round := range rounds {
		since := w.Now()
		start := state()
		touched := map[string][]int{} // by whom, in order
		for range 1 + dice.IntN(12) {
			id, by := ids[dice.IntN(len(ids))], dice.IntN(2)
			var done access.Written
			var err error
			if dice.IntN(4) == 0 {
				done, err = w.Gate.Delete(t.Context(), who[by], "Location", id, 0)
			} else {
				done, err = w.location(t, who[by], id, fmt.Sprint("n", dice.IntN(1000000)))
			}
			if err != nil && !outcome.Is(err, outcome.NotFound) {
				t.Fatal(err)
			}
			if err == nil && done.Changed {
				touched["Location/"+id] = append(touched["Location/"+id], by)
			}
		}
		of := dice.IntN(2)
		before := state()
		dry, err := w.Gate.UndoDryRun(t.Context(), who[1-of], people[of].Person.Person, since)
		if err != nil {
			t.Fatal(err)
		}
		done, err := w.Gate.UndoNow(t.Context(), access.Job(access.Operator), people[of].Person.Person, since, "test")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(steps(dry), steps(done)) || !slices.Equal(left(dry), left(done)) {
			t.Fatalf("round %d: listed %v %v\ndid %v %v", round, steps(dry), left(dry), steps(done), left(done))
		}
		after := state()
		listed := map[string]bool{}
		for _, s := range done.Steps {
			listed[s.Type+"/"+s.ID] = true
		}
		total += len(listed)
		for ref := range before {
			by := touched[ref]
			switch {
			case !listed[ref] && before[ref] != after[ref]:
				t.Fatalf("round %d: %s changed and was not listed", round, ref)
			case len(by) > 0 && by[len(by)-1] != of && before[ref] != after[ref]:
				t.Fatalf("round %d: what the other wrote last on %s was overwritten", round, ref)
			case len(by) > 0 && !slices.Contains(by, 1-of) && after[ref] != start[ref]:
				t.Fatalf("round %d: %s is %q, was %q, %v %v", round, ref, after[ref], start[ref], steps(done), by)
			}
		}
		if again, err := w.Gate.UndoDryRun(t.Context(), who[1-of], people[of].Person.Person, since); err != nil || len(again.Steps) != 0 {
			t.Fatalf("round %d: once more %v %v", round, steps(again), err)
		}
		if !maps.Equal(state(), after) {
			t.Fatal("a dry run changed something")
		}
	}
	if total == 0 {
		t.Fatal("nothing was ever undone")
	}
}

// Killed between two batches it goes on where it was, and does nothing twice.
func TestUndoGoesOnAfterAStop(t *testing.T) {
	w := newWard(t)
	ann, ben := w.Person(t, "Ann One", "administrator", ""), w.Person(t, "Olu Privacy", "privacy", "")
	since := w.Now()
	const many = 120
	var refs []string
	for i := range many {
		done, err := w.location(t, w.as(t, ann), "", fmt.Sprint("n", i))
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, "Location/"+done.ID)
	}
	other := w.Person(t, "Ruth Adeyemi", "administrator", "")
	item, err := w.Gate.AskUndo(t.Context(), w.as(t, other), ann.Person.Person, since, "test")
	if err == nil {
		_, err = w.Gate.Approve(t.Context(), w.as(t, ben), item.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Gate.StopUndoAfter(1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := w.Gate.CarryOut(ctx); err == nil {
		t.Fatal("it was not stopped")
	}
	w.Stop()
	w.Server = servertest.Open(t, w.Dir)
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		_, id, _ := strings.Cut(ref, "/")
		h, err := w.Gate.History(t.Context(), access.Job("undo"), "Location", id, nil, "")
		if err != nil || len(h.Versions) != 2 || !h.Versions[0].Deleted {
			t.Fatalf("%s: %+v %v", ref, h.Versions, err)
		}
	}
}

// disputing is a witness of the ward's log that can be made to know another one, and the ward's server is told of it.
func (w *ward) disputing(t *testing.T) (says func(other bool)) {
	t.Helper()
	log, err := tlog.ParseVerifier(w.Log.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, err := witness.MakeKey(dir, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	honest, err := witness.Open(witness.Options{Dir: dir, Logs: []tlog.Verifier{log}})
	if err != nil {
		t.Fatal(err)
	}
	var lies atomic.Bool
	outside := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !lies.Load() {
			honest.Handler().ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(http.StatusConflict)
		_, _ = rw.Write([]byte("1000000\n"))
	}))
	t.Cleanup(func() { outside.Close(); honest.Close() })
	w.Stop()
	w.Server = servertest.OpenWitnessed(t, w.Dir, outside.URL+"="+key.Verifier().String())
	return func(other bool) {
		t.Helper()
		lies.Store(other)
		if _, _, err := w.Log.Export(t.Context(), t.TempDir(), audit.ExportOptions{}, audit.Event{Agent: audit.Agent{Job: "test"}, Interaction: "export"}); err != nil { // brings the head first
			t.Fatal(err)
		}
		if disputed := w.Log.State().Disputed != ""; disputed != other {
			t.Fatalf("%+v", w.Log.State())
		}
	}
}

// While a witness contradicts the log nothing is deleted: an undo that meets that stops where it is, the item waits, and what is left of it
// is done when the witness cosigns again.
func TestAnUndoWaitsForADispute(t *testing.T) {
	w := newWard(t)
	says := w.disputing(t)
	ann, olu, ruth := w.Person(t, "Ann One", "administrator", ""), w.Person(t, "Olu Privacy", "privacy", ""), w.Person(t, "Ruth Adeyemi", "administrator", "")
	since := w.Now()
	var ids []string
	for i := range 70 { // two batches
		done, err := w.location(t, w.as(t, ann), "", fmt.Sprint("n", i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, done.ID)
	}
	there := func() (n int) {
		t.Helper()
		for _, id := range ids {
			if w.content(t, "Location/"+id) != "" {
				n++
			}
		}
		return n
	}
	state := func(item string) string {
		t.Helper()
		a, err := w.Gate.ApprovalOf(t.Context(), w.as(t, olu), item)
		if err != nil {
			t.Fatal(err)
		}
		return a.State
	}
	item, err := w.Gate.AskUndo(t.Context(), w.as(t, ruth), ann.Person.Person, since, "test")
	if err == nil {
		_, err = w.Gate.Approve(t.Context(), w.as(t, olu), item.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Gate.BeforeBatch(1, func() { says(true) })
	if err := w.Gate.CarryOut(t.Context()); !outcome.Is(err, outcome.Lock) {
		t.Errorf("%v", err)
	}
	if got, n := state(item.ID), there(); got != "approved" || n != 20 {
		t.Errorf("the item is %s, %d of 70 are there", got, n)
	}
	if err := w.Gate.CarryOut(t.Context()); !outcome.Is(err, outcome.Lock) { // as long as that stands
		t.Errorf("%v", err)
	}
	if got, n := state(item.ID), there(); got != "approved" || n != 20 {
		t.Errorf("the item is %s, %d of 70 are there", got, n)
	}
	says(false)
	if err := w.Gate.CarryOut(t.Context()); err != nil {
		t.Error(err)
	}
	if got, n := state(item.ID), there(); got != "done" || n != 0 {
		t.Errorf("the item is %s, %d of 70 are there", got, n)
	}
}

func parsed(t testing.TB, body string) *document.Doc {
	t.Helper()
	doc, err := document.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func idOf(t testing.TB, body string) string {
	t.Helper()
	var r struct{ ID string }
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return r.ID
}
