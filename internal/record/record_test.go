package record

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/care"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// world is a real store with a real audit log beside it.
type world struct {
	*Store
	t         testing.TB
	log       *audit.Log
	logo      audit.Options
	ring      *seal.Keyring
	custodian seal.Custodian
	now       time.Time
	o         Options
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	return newWorldAt(t, dbtest.New(t), change...)
}

func newWorldAt(t testing.TB, place dbtest.Place, change ...func(*Options)) *world {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	w := &world{t: t, now: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)}
	var err error
	w.custodian, err = seal.CreateKeyFile(filepath.Join(dir, "key"))
	must(t, err)
	w.ring, err = seal.Create(ctx, place.Open(t, "keys"), w.custodian, true)
	must(t, err)
	w.logo = audit.Options{DB: dbtest.Place{Dir: dir}.Open(t, "audit"), Box: w.ring.Box("audit"), Origin: "test.example/log"}
	w.log, err = audit.Open(ctx, w.logo)
	must(t, err)
	t.Cleanup(func() { _ = w.log.Close() })
	w.o = Options{DB: place.Open(t, "records"), Box: w.ring.Box("record"), Now: func() time.Time { return w.now }, Base: "https://ehr.example/fhir"}
	for _, c := range change {
		c(&w.o)
	}
	w.reopen()
	return w
}

func (w *world) reopen() {
	w.t.Helper()
	var err error
	w.Store, err = Open(context.Background(), w.o)
	must(w.t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (%v)", err, cause(err))
	}
}

func cause(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err
		}
		err = inner.Unwrap()
	}
}

func want(t testing.TB, err error, code outcome.Code) {
	t.Helper()
	if !outcome.Is(err, code) {
		t.Fatalf("%v, want %s", err, code)
	}
}

func doc(t testing.TB, text string) *document.Doc {
	t.Helper()
	d, err := document.Parse([]byte(text))
	must(t, err)
	return d
}

// write prepares, intends and commits as the door does.
func (w *world) write(writes ...Write) ([]*Sealed, error) {
	ctx := context.Background()
	p, err := w.Prepare(ctx, writes)
	if err != nil {
		return nil, err
	}
	var intent audit.Logged
	if parts := p.Intents(); len(parts) > 0 {
		if intent, err = w.log.Intend(ctx, audit.Event{Agent: audit.Agent{Job: "test"}, Interaction: "transaction", Patients: parts}); err != nil {
			return nil, err
		}
	}
	return w.Commit(ctx, p, intent)
}

func (w *world) must(writes ...Write) []*Sealed {
	w.t.Helper()
	out, err := w.write(writes...)
	must(w.t, err)
	return out
}

func (w *world) create(text string) *Sealed {
	w.t.Helper()
	d := doc(w.t, text)
	return w.must(Write{Op: Create, Type: d.Type(), Doc: d})[0]
}

func (w *world) put(id, text string) *Sealed {
	w.t.Helper()
	d := doc(w.t, text)
	return w.must(Write{Op: Update, Type: d.Type(), ID: id, Doc: d})[0]
}

func (w *world) patient(family, given, born string) *Sealed {
	w.t.Helper()
	return w.create(fmt.Sprintf(`{"resourceType":"Patient","name":[{"family":%q,"given":[%q]}],"birthDate":%q,"gender":"female"}`, family, given, born))
}

func (w *world) observation(p *Sealed, code, when string) *Sealed {
	w.t.Helper()
	return w.create(fmt.Sprintf(`{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":%q}]},"subject":{"reference":%q},"effectiveDateTime":%q}`, code, p.Ref(), when))
}

// open reads with a receipt of its own.
func (w *world) open(s *Sealed) string {
	w.t.Helper()
	r, err := w.disclose(s)
	must(w.t, err)
	d, err := s.Open(r)
	must(w.t, err)
	return string(d.AppendJSON(nil))
}

func (w *world) disclose(s ...*Sealed) (audit.Receipt, error) {
	return w.log.Disclose(context.Background(), audit.Event{Agent: audit.Agent{Person: "p1"}, Interaction: "read", Purpose: "TREAT", Patients: w.Parts(s...)})
}

func TestBytesComeBackAsTheyWereSent(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	sent := `{ "resourceType":"Observation", "status":"final","valueQuantity":{"value":1.10,"unit":"µg"}, "subject":{"reference":"` + p.Ref() + `"},"_status":{"id":"a\u00e9"} }`
	s := w.create(sent)
	got := w.open(s)
	want := strings.Replace(sent, `"resourceType":"Observation"`, `"resourceType":"Observation","id":"`+s.ID()+`","meta":{"versionId":"1","lastUpdated":"2026-03-04T10:00:00.000Z"}`, 1)
	if got != want {
		t.Fatalf("\n%s\n%s", got, want)
	}
	read, err := w.Read(t.Context(), "Observation", s.ID())
	must(t, err)
	if w.open(read) != got || read.Version() != 1 || read.Patient() != p.Patient() || !read.Updated().Equal(w.now) || read.Group() != fhir.GroupResults {
		t.Fatal("the stored resource differs from the committed one")
	}
	if p.Patient() != fhir.PatientID(p.Record()) || !slices.Equal(p.Patients(), []fhir.PatientID{p.Patient()}) {
		t.Fatal("a Patient is not in its own compartment")
	}
}

func TestIdsRevealNothingAndCannotBeForged(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	if len(o.ID()) != idLength || o.ID()[:10] == p.ID()[:10] {
		t.Fatalf("%s %s", o.ID(), p.ID())
	}
	for i := range o.ID() {
		for _, c := range "az27A=" {
			forged := o.ID()[:i] + string(c) + o.ID()[i+1:]
			if forged == o.ID() {
				continue
			}
			_, err := w.Read(t.Context(), "Observation", forged)
			want(t, err, outcome.NotFound)
		}
	}
	for _, c := range "abcdefghijklmnopqrstuvwxyz234567" { // the last letter has bits to spare, but one spelling
		if twin := p.ID()[:idLength-1] + string(c); twin != p.ID() {
			_, err := w.Patient(t.Context(), twin)
			want(t, err, outcome.NotFound)
		}
	}
	_, err := w.Read(t.Context(), "Condition", o.ID())
	want(t, err, outcome.NotFound)
	_, err = w.Patient(t.Context(), o.ID())
	want(t, err, outcome.NotFound)
	if n, err := w.Patient(t.Context(), p.ID()); err != nil || n != p.Patient() {
		t.Fatal(n, err)
	}
	_, err = w.write(Write{Op: Update, Type: "Observation", ID: w.ids.make(p.Patient(), 999), Doc: doc(t, `{"resourceType":"Observation"}`)})
	want(t, err, outcome.NotFound)
}

func TestEveryVersionStays(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	one := w.observation(p, "1-1", "2020-01-01")
	first := w.open(one)
	w.now = w.now.Add(time.Hour)
	two := w.put(one.ID(), strings.Replace(first, "2020", "2021", 1))
	if two.Version() != 2 || two.Record() != one.Record() {
		t.Fatal(two)
	}
	same := w.put(one.ID(), w.open(two))
	if same.Version() != 2 {
		t.Fatal("an update without a change made a version")
	}
	gone := w.must(Write{Op: Delete, Type: "Observation", ID: one.ID()})[0]
	if !gone.Deleted() || gone.Version() != 3 {
		t.Fatal(gone)
	}
	if again := w.must(Write{Op: Delete, Type: "Observation", ID: one.ID()})[0]; again.Version() != 3 {
		t.Fatal("a second delete made a version")
	}
	r, err := w.disclose(gone)
	must(t, err)
	_, err = gone.Open(r)
	want(t, err, outcome.Deleted)
	back := w.put(one.ID(), first)
	if back.Version() != 4 || back.Deleted() {
		t.Fatal(back)
	}
	history, err := w.History(t.Context(), "Observation", one.ID())
	must(t, err)
	var versions []int64
	for _, h := range history {
		versions = append(versions, h.Version())
	}
	if !slices.Equal(versions, []int64{4, 3, 2, 1}) || w.open(history[3]) != first {
		t.Fatal(versions)
	}
	old, err := w.ReadVersion(t.Context(), "Observation", one.ID(), 1)
	must(t, err)
	if w.open(old) != first {
		t.Fatal("version 1 changed")
	}
	_, err = w.ReadVersion(t.Context(), "Observation", one.ID(), 5)
	want(t, err, outcome.NotFound)
	chart, err := w.Chart(t.Context(), p.Patient())
	must(t, err)
	if len(chart) != 2 {
		t.Fatal(chart)
	}
}

func TestReceiptOpensItsRecordAndVersionOnce(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	a, b := w.observation(p, "1-1", "2020-01-01"), w.observation(p, "1-2", "2020-01-01")
	_, err := a.Open(audit.Receipt{})
	want(t, err, outcome.Forbidden)
	r, err := w.disclose(a)
	must(t, err)
	_, err = b.Open(r)
	want(t, err, outcome.Forbidden)
	a2 := w.put(a.ID(), strings.Replace(w.open(a), "2020", "2021", 1))
	_, err = a2.Open(r)
	want(t, err, outcome.Forbidden)
	_, err = a.Open(r)
	must(t, err)
	_, err = a.Open(r)
	want(t, err, outcome.Forbidden)
}

func TestSealedAndPreparedPrintNoContent(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	prepared, err := w.Prepare(t.Context(), []Write{{Op: Create, Type: "Patient", Doc: doc(t, `{"resourceType":"Patient","name":[{"family":"Castell"}]}`)}})
	must(t, err)
	page, err := w.Search(t.Context(), SearchRequest{Query: query(t, "Patient", "family=Castell")})
	must(t, err)
	type nested struct {
		s    *Sealed
		v    Sealed
		P    *Prepared
		page *Page
		m    map[string]*Sealed
	}
	n := nested{p, *p, prepared, page, map[string]*Sealed{"x": p}}
	for _, v := range []any{p, *p, prepared, *prepared, prepared.Changes(), page, n, &n, []any{n}, Cursor{}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "Castell") || strings.Contains(out, "43617374656c6c") || strings.Contains(out, "[67 97 115") {
				t.Errorf("%T by %s: %s", v, verb, out)
			}
		}
	}
}

func TestTransactionResolvesItsNames(t *testing.T) {
	w := newWorld(t)
	entries := []Write{
		{Op: Create, Type: "Observation", Alias: "urn:uuid:o", Doc: doc(t, `{"resourceType":"Observation","subject":{"reference":"urn:uuid:p"},"encounter":{"reference":"urn:uuid:e"}}`)},
		{Op: Create, Type: "Encounter", Alias: "urn:uuid:e", Doc: doc(t, `{"resourceType":"Encounter","subject":{"reference":"urn:uuid:p"}}`)},
		{Op: Create, Type: "Patient", Alias: "urn:uuid:p", Doc: doc(t, `{"resourceType":"Patient","name":[{"family":"Castell"}]}`)},
	}
	out := w.must(entries...)
	o, e, p := out[0], out[1], out[2]
	if text := w.open(o); !strings.Contains(text, `"`+p.Ref()+`"`) || !strings.Contains(text, `"`+e.Ref()+`"`) || strings.Contains(text, "urn:") {
		t.Fatal(text)
	}
	if o.Patient() != p.Patient() || e.Patient() != p.Patient() {
		t.Fatal("wrong compartment")
	}
	later := w.create(`{"resourceType":"Condition","subject":{"reference":"urn:uuid:p"},"encounter":{"reference":"urn:uuid:e"}}`)
	if later.Patient() != p.Patient() || !strings.Contains(w.open(later), e.Ref()) {
		t.Fatal("a later file did not find the names")
	}
	prepared, err := w.Prepare(t.Context(), entries)
	must(t, err)
	for i, c := range prepared.Changes() {
		if c.Effect != Unchanged || c.Record != out[i].Record() || c.ID != out[i].ID() {
			t.Fatalf("a second run would change something: %+v", c.Effect)
		}
	}
	if len(prepared.Intents()) != 0 {
		t.Fatal("nothing changes, and an intent is wanted")
	}
}

func TestChosenIdsHaveOneName(t *testing.T) {
	w := newWorld(t)
	p := w.put("mrn-4711", `{"resourceType":"Patient","id":"mrn-4711","name":[{"family":"Castell"}]}`)
	if p.ID() != "mrn-4711" || p.Version() != 1 {
		t.Fatal(p)
	}
	_, err := w.Read(t.Context(), "Patient", w.ids.make(p.Patient(), p.Record()))
	want(t, err, outcome.NotFound)
	got, err := w.Read(t.Context(), "Patient", "mrn-4711")
	must(t, err)
	if id, err := w.PatientRef(t.Context(), p.Patient()); err != nil || id != "mrn-4711" || got.Record() != p.Record() {
		t.Fatal(got, err)
	}
	if o := w.create(`{"resourceType":"Observation","subject":{"reference":"https://ehr.example/fhir/Patient/mrn-4711"}}`); o.Patient() != p.Patient() {
		t.Fatal("an absolute reference to ourselves")
	}
	must(t, w.d.Purge(t.Context()))
	raw := dbtest.Disk(t, w.d)
	if bytes.Contains(raw, []byte("mrn-4711")) || bytes.Contains(raw, []byte("Castell")) {
		t.Fatal("in clear on the disk")
	}
}

func TestPatientWhoIsNotHere(t *testing.T) {
	w := newWorld(t)
	text := `{"resourceType":"Observation","subject":{"reference":"Patient/later"}}`
	_, err := w.write(Write{Op: Create, Type: "Observation", Doc: doc(t, text)})
	want(t, err, outcome.Invalid)
	w.o.OpenReferences = true
	w.reopen()
	o := w.create(text)
	o2 := w.create(text)
	w.reopen()
	unrelated := w.patient("Someone", "Else", "1990-01-01")
	_, err = w.Patient(t.Context(), "later")
	want(t, err, outcome.NotFound)
	p := w.put("later", `{"resourceType":"Patient"}`)
	if p.Patient() != o.Patient() || o2.Patient() != o.Patient() || unrelated.Patient() == p.Patient() {
		t.Fatal("the promised compartment was not kept")
	}
}

func TestRecordsStayInTheirCompartment(t *testing.T) {
	w := newWorld(t)
	a, b := w.patient("Adler", "Ada", "1970-01-02"), w.patient("Birke", "Bo", "1980-01-02")
	o := w.observation(a, "1-1", "2020-01-01")
	_, err := w.write(Write{Op: Update, Type: "Observation", ID: o.ID(), Doc: doc(t, strings.Replace(w.open(o), a.Ref(), b.Ref(), 1))})
	want(t, err, outcome.BusinessRule)
	both := w.create(`{"resourceType":"Appointment","status":"booked","participant":[{"actor":{"reference":"` + a.Ref() + `"}},{"actor":{"reference":"` + b.Ref() + `"}}]}`)
	if !slices.Equal(both.Patients(), []fhir.PatientID{a.Patient(), b.Patient()}) {
		t.Fatal(both.Patients())
	}
	for _, p := range []*Sealed{a, b} {
		chart, err := w.Chart(t.Context(), p.Patient(), "Appointment")
		must(t, err)
		if len(chart) != 1 || len(chart[0].Patients()) != 2 {
			t.Fatalf("%v in the chart of %v", chart, p)
		}
		page, err := w.Search(t.Context(), SearchRequest{Query: query(t, "Appointment", "status=booked"), Patient: p.Patient()})
		must(t, err)
		if len(page.Hits) != 1 || page.Total != 1 {
			t.Fatal(page.Hits)
		}
		page, err = w.Search(t.Context(), SearchRequest{Query: query(t, "Appointment", "status=booked"), Patient: p.Patient(),
			Permits: func(n fhir.PatientID) bool { return n == p.Patient() }})
		must(t, err)
		if len(page.Hits) != 0 {
			t.Fatal("the appointment of another patient, too, who may not be seen")
		}
	}
	if parts := w.Parts(both); len(parts) != 2 || parts[0].Ref != a.Ref() || parts[1].Ref != b.Ref() {
		t.Fatalf("%+v", parts)
	}
	only := w.put(both.ID(), `{"resourceType":"Appointment","status":"booked","participant":[{"actor":{"reference":"`+a.Ref()+`"}}]}`)
	chart, err := w.Chart(t.Context(), b.Patient(), "Appointment")
	must(t, err)
	if len(chart) != 0 || len(only.Patients()) != 1 {
		t.Fatal("still in the chart that it left")
	}
}

func TestWritesThatDoNotHold(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	text := w.open(o)
	changed := doc(t, strings.Replace(text, "2020", "2021", 1))
	for _, c := range []struct {
		code   outcome.Code
		writes []Write
	}{
		{outcome.Precondition, []Write{{Op: Update, Type: "Observation", ID: o.ID(), Doc: changed, IfMatch: 2}}},
		{outcome.Precondition, []Write{{Op: Update, Type: "Observation", ID: "new", Doc: changed, IfMatch: 1}}},
		{outcome.NotFound, []Write{{Op: Delete, Type: "Observation", ID: "new"}}},
		{outcome.Invalid, []Write{{Op: Update, Type: "Observation", ID: "no good", Doc: changed}}},
		{outcome.Invalid, []Write{{Op: Create, Type: "Condition", Doc: changed}}},
		{outcome.Invalid, []Write{{Op: Create, Type: "Condition"}}},
		{outcome.Exception, []Write{{Type: "Observation", Doc: changed}}},
		{outcome.Duplicate, []Write{{Op: Update, Type: "Observation", ID: o.ID(), Doc: changed}, {Op: Delete, Type: "Observation", ID: o.ID()}}},
		{outcome.Duplicate, []Write{{Op: Create, Type: "Observation", Doc: changed, Alias: "urn:x"}, {Op: Create, Type: "Observation", Doc: changed, Alias: "urn:x"}}},
	} {
		_, err := w.write(c.writes...)
		want(t, err, c.code)
	}
	if _, err := w.write(Write{Op: Update, Type: "Observation", ID: o.ID(), Doc: changed, IfMatch: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestOfTwoWritersOneWins(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	text := w.open(o)
	for round, id := range []string{o.ID(), "chosen"} {
		var prepared []*Prepared
		for i := range 6 {
			d := doc(t, strings.Replace(text, "2020", fmt.Sprint(2030+i), 1))
			x, err := w.Prepare(t.Context(), []Write{{Op: Update, Type: "Observation", ID: id, Doc: d}, {Op: Create, Type: "Observation", Doc: d}})
			must(t, err)
			prepared = append(prepared, x)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for _, x := range prepared {
			wg.Go(func() {
				_, err := w.Commit(t.Context(), x, audit.Logged{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !outcome.Is(err, outcome.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		chart, err := w.Chart(t.Context(), p.Patient(), "Observation")
		must(t, err)
		if won != 1 || len(chart) != 2+2*round { // what was created beside a lost update went with it
			t.Fatalf("%d won, %d observations", won, len(chart))
		}
	}
}

type follower struct {
	seen     []care.Change
	resolved fhir.PatientID
	fail     error
}

func (f *follower) Project(_ context.Context, tx *sql.Tx, c care.Change) error {
	if _, err := tx.Exec(`create table if not exists seen(rec integer)`); err != nil {
		return err
	}
	if _, err := tx.Exec(`insert into seen values(?)`, c.Record); err != nil {
		return err
	}
	f.seen = append(f.seen, c)
	for _, ref := range fhir.PatientRefs(c.Doc) {
		f.resolved, _ = c.Resolve(ref.ID)
	}
	return f.fail
}

func (f *follower) Committed(int64) {}

func TestProjectionsAreOneWithTheWrite(t *testing.T) {
	f := &follower{}
	w := newWorld(t, func(o *Options) { o.Projections = []Projection{f} })
	out := w.must(
		Write{Op: Create, Type: "Encounter", Doc: doc(t, `{"resourceType":"Encounter","subject":{"reference":"urn:p"}}`), Author: "p1", AuthorActor: "Practitioner/x"},
		Write{Op: Create, Type: "Patient", Alias: "urn:p", Doc: doc(t, `{"resourceType":"Patient"}`)})
	if len(f.seen) != 2 || f.seen[0].Patient != out[1].Patient() || f.seen[0].Author != "p1" || f.seen[0].Doc.ID() != out[0].ID() {
		t.Fatal("the projection saw something else")
	}
	if f.resolved != out[1].Patient() {
		t.Fatal("a projection cannot resolve a patient of its own transaction")
	}
	f.fail = outcome.New(outcome.BusinessRule, "no")
	_, err := w.write(Write{Op: Create, Type: "Patient", Doc: doc(t, `{"resourceType":"Patient"}`)})
	want(t, err, outcome.BusinessRule)
	var n int
	must(t, w.d.Reader().QueryRow(`select (select count(*) from seen) + (select count(*) from resource) + (select count(*) from tx)`).Scan(&n))
	if n != 5 || w.Patients() != 1 {
		t.Fatalf("a refused write left something: %d", n)
	}
	f.fail = nil
	w.must(Write{Op: Delete, Type: "Encounter", ID: out[0].ID()})
	if last := f.seen[len(f.seen)-1]; !last.Deleted || last.Doc.Type() != "Encounter" || last.Record != out[0].Record() {
		t.Fatal("a deletion is not told")
	}
}

func TestAlteredRowsDoNotOpen(t *testing.T) {
	for name, sqlText := range map[string]string{
		"body":      `update resource set body=?2 where rec=?1`,
		"version":   `update resource set vid=2 where rec=?1 and body<>?2`,
		"patient":   `update resource set patient=0 where rec=?1 and body<>?2`,
		"kind":      `update resource set kind=(select kind from resource where rec=1) where rec=?1 and body<>?2`,
		"operation": `update resource set op=3 where rec=?1 and body<>?2`,
		"swap":      `update resource set body=(select body from resource where rec=?1+1) where rec=?1 and body<>?2`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.patient("Castell", "Ada", "1970-01-02")
			o := w.observation(p, "1-1", "2020-01-01")
			w.observation(p, "1-1", "2020-01-01")
			must(t, w.d.Write(t.Context(), func(tx *sql.Tx) error {
				var body []byte
				if err := tx.QueryRow(`select body from resource where rec=?`, o.Record()).Scan(&body); err != nil {
					return err
				}
				_, err := tx.Exec(sqlText, o.Record(), append(body, 0))
				return err
			}))
			s, err := w.Read(t.Context(), "Observation", o.ID())
			if err == nil {
				t.Fatalf("%v opens", s)
			}
			var faults int
			for v, err := range w.Stored(t.Context(), nil) {
				must(t, err)
				if v.Fault != nil {
					faults++
				}
			}
			if faults != 1 {
				t.Fatalf("%d faults", faults)
			}
			if name == "patient" || name == "kind" || name == "operation" {
				return // it lies elsewhere now
			}
			chart, err := w.Chart(t.Context(), p.Patient())
			must(t, err)
			if i := slices.IndexFunc(chart, func(s *Sealed) bool { return s.Fault() != nil }); len(chart) != 3 || i < 0 || chart[i].Record() != o.Record() {
				t.Fatalf("the chart hides the altered record: %v", chart)
			}
			page, err := w.Search(t.Context(), SearchRequest{Query: query(t, "Observation", "code=1-1"), Patient: p.Patient()})
			must(t, err)
			if len(page.Hits) != 1 || len(page.Faults) != 1 {
				t.Fatalf("%d hits, %d faults", len(page.Hits), len(page.Faults))
			}
		})
	}
}

func TestStoredVersionsMatchTheirIntents(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	prepared, err := w.Prepare(t.Context(), []Write{{Op: Update, Type: "Patient", ID: p.ID(), Doc: doc(t, `{"resourceType":"Patient","active":true}`)}})
	must(t, err)
	parts := prepared.Intents()
	if len(parts) != 1 || parts[0].Patient != p.Patient() || parts[0].Ref != p.Ref() || len(parts[0].Records) != 1 {
		t.Fatalf("%+v", parts)
	}
	r := parts[0].Records[0]
	if r.Version != 2 || r.Ref != p.Ref() || r.Hash == [32]byte{} {
		t.Fatalf("%+v", r)
	}
	if has, err := w.Has(t.Context(), r.Record, r.Version, r.Hash); err != nil || has {
		t.Fatal("stored before the commit")
	}
	_, err = w.Commit(t.Context(), prepared, audit.Logged{})
	must(t, err)
	if has, err := w.Has(t.Context(), r.Record, r.Version, r.Hash); err != nil || !has {
		t.Fatal("not stored after the commit")
	}
	if has, _ := w.Has(t.Context(), r.Record, r.Version, [32]byte{1}); has {
		t.Fatal("another hash is stored too")
	}
	seen := map[string][32]byte{}
	for v, err := range w.Stored(t.Context(), nil) {
		must(t, err)
		seen[fmt.Sprint(v.Record, "/", v.Version, " ", v.Ref)] = v.Hash
	}
	if len(seen) != 2 || seen[fmt.Sprint(r.Record, "/2 ", p.Ref())] != r.Hash {
		t.Fatal(seen)
	}
}

func TestAlteredPatientDoesNotCloseTheChart(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	must(t, w.d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update resource set body=? where rec=?`, []byte{1}, p.Record())
		return err
	}))
	w.reopen()
	read, err := w.Read(t.Context(), "Observation", o.ID())
	must(t, err)
	if id, err := w.PatientRef(t.Context(), p.Patient()); err != nil || id != p.ID() || w.open(read) == "" {
		t.Fatal(id, err)
	}
}

func TestLocalNamesAreForgotten(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	entry := func(code string) Write {
		return Write{Op: Create, Type: "Observation", Alias: "urn:uuid:1", Local: true,
			Doc: doc(t, `{"resourceType":"Observation","code":{"text":"`+code+`"},"subject":{"reference":"`+p.Ref()+`"},"hasMember":[{"reference":"urn:uuid:1"}]}`)}
	}
	one, two := w.must(entry("a"))[0], w.must(entry("b"))[0]
	if one.Record() == two.Record() || !strings.Contains(w.open(two), two.Ref()) {
		t.Fatal("a client that uses one name twice loses a resource")
	}
	stray := w.create(`{"resourceType":"Observation","subject":{"reference":"` + p.Ref() + `"},"hasMember":[{"reference":"urn:uuid:1"}]}`)
	if !strings.Contains(w.open(stray), "urn:uuid:1") {
		t.Fatal("a local name was kept")
	}
}

func TestShreddedChartIsGone(t *testing.T) {
	w := newWorld(t)
	p := w.patient("Castell", "Ada", "1970-01-02")
	o := w.observation(p, "1-1", "2020-01-01")
	must(t, w.o.Box.Shred(t.Context(), int64(p.Patient()), ChartKey))
	_, err := w.Read(t.Context(), "Observation", o.ID())
	want(t, err, outcome.Deleted)
	_, err = w.write(Write{Op: Create, Type: "Observation", Doc: doc(t, `{"resourceType":"Observation","subject":{"reference":"`+p.Ref()+`"}}`)})
	want(t, err, outcome.Deleted)
	w.reopen()
	if w.Patients() != 0 {
		t.Fatal("a shredded patient can be found")
	}
}
