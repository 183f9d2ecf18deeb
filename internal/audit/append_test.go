package audit

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
	"chartwarden/internal/tlog"
)

func TestWhatIsAppendedIsReadBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	e := reading(3, 7, 9)
	e.Query, e.Request, e.Text = "name=x", "r-1", "words"
	e.Patients[1].Unexplained, e.Patients[1].Glass, e.Patients[1].Relation = true, true, `{"team":true}`
	e.Patients[0].Records[0].Hash = [32]byte{1}
	e.Patients[0].Records[1].Ref = "Observation/o-1"
	r := disclose(t, l, e)
	got, err := l.Entry(t.Context(), r.Logged().Index())
	if err != nil {
		t.Fatal(err)
	}
	e.Kind, e.Time = Disclosure, got.Recorded
	if !reflect.DeepEqual(got.Event, e) || got.Entry() != r.Entry() || got.Withheld != 0 || got.Damaged {
		t.Fatalf("\nappended %+v\nread     %+v", e, got)
	}
	if !strings.HasPrefix(r.Entry(), origin+"/") {
		t.Fatal(r.Entry())
	}
}

func TestEveryEntryIsProvenAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	v, err := tlog.ParseVerifier(l.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			for i := range 15 {
				r := disclose(t, l, reading(1, fhir.PatientID(1+c%3), fhir.PatientID(10+i)))
				entry, p, err := l.InclusionProof(context.Background(), r.Logged().Index())
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := p.Check(entry, v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	head, _, err := tlog.OpenCheckpoint(l.Head(), v)
	if err != nil {
		t.Fatal(err)
	}
	proof, _, err := l.Consistency(t.Context(), 70)
	if err != nil || head.Size < 120 {
		t.Fatal(err, head)
	}
	older, err := tlog.Root(l.head.Load().tree.Reader(l.tile(t.Context(), 0)), 70)
	if err != nil || tlog.CheckConsistency(proof, 70, head.Size, older, head.Root) != nil {
		t.Fatal("the log of 70 entries is no prefix of the newest", err)
	}
}

func TestTheLogGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	n := 300 // more than a tile
	if testing.Short() {
		n = 30
	}
	for i := range n {
		disclose(t, l, reading(1, fhir.PatientID(1+i%5)))
	}
	before := l.State()
	s.stop()
	l = s.start()
	if after := l.State(); after.Cut || after.Outside != "agrees" || after.Size != before.Size+1 {
		t.Fatalf("%+v then %+v", before, after)
	}
	disclose(t, l, reading(1, 3))
	mine, err := l.OfPatient(t.Context(), 3, Page{Limit: 1000})
	if err != nil || len(mine) != n/5+1 {
		t.Fatalf("%d entries, %v", len(mine), err)
	}
}

func TestListsAreCompleteAndShowOnePatientOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	want := map[fhir.PatientID][]Index{}
	for range 200 {
		var patients []fhir.PatientID
		for p := range fhir.PatientID(6) {
			if rand.IntN(3) == 0 {
				patients = append(patients, p+1)
			}
		}
		if patients == nil {
			continue
		}
		i := disclose(t, l, reading(2, patients...)).Logged().Index()
		for _, p := range patients {
			want[p] = append(want[p], i)
		}
	}
	for p, all := range want {
		var got []Index
		page := Page{Limit: 7}
		for {
			reads, err := l.OfPatient(t.Context(), p, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range reads {
				if len(r.Event.Patients) != 1 || r.Event.Patients[0].Patient != p || r.Event.Agent != nurse {
					t.Fatalf("the list of %d shows %+v", p, r.Event)
				}
				got = append(got, r.Index)
				page.Before = r.Index
			}
			if len(reads) < 7 {
				break
			}
		}
		if len(got) != len(all) || got[0] != all[len(all)-1] {
			t.Fatalf("patient %d: %d of %d entries", p, len(got), len(all))
		}
	}
	reads, err := l.OfPerson(t.Context(), nurse.Person, Page{Limit: 3})
	if err != nil || len(reads) != 3 || len(reads[0].Event.Patients) == 0 {
		t.Fatalf("%+v, %v", reads, err)
	}
	if others, err := l.OfPerson(t.Context(), "p-other", Page{}); err != nil || len(others) != 0 {
		t.Fatalf("%+v, %v", others, err)
	}
}

func TestRangeFindsByTimeAndKind(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	var times []time.Time
	for i := range 30 {
		s.now.add(time.Minute)
		times = append(times, s.now.now())
		if i%3 == 0 {
			if _, err := l.Refuse(t.Context(), reading(1, 4)); err != nil {
				t.Fatal(err)
			}
		} else {
			disclose(t, l, reading(1, 4))
		}
	}
	got, err := l.Range(t.Context(), Span{From: times[10], To: times[20], Kinds: []Kind{Refusal}}, Page{})
	if err != nil || len(got) != 3 || got[0].Index < got[1].Index || got[0].Event.Outcome != 8 {
		t.Fatalf("%d, %v", len(got), err)
	}
	got, err = l.Range(t.Context(), Span{Keep: func(r *Read) bool { return r.Event.Agent.Job == "audit" }}, Page{Limit: 2})
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestManyPatientsTakeLinkedEntriesUnderOneReceipt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	patients := make([]fhir.PatientID, maxPatients+5)
	for i := range patients {
		patients[i] = fhir.PatientID(i + 1)
	}
	r := disclose(t, l, reading(1, patients...))
	if n := strings.Count(r.Entry(), ", "); n != 1 {
		t.Fatalf("%d entries", n+1)
	}
	for _, p := range []int64{1, 2000, 2001, 2005} {
		if err := r.Redeem(fhir.RecordID(p*1000), 1); err != nil {
			t.Errorf("patient %d: %v", p, err)
		}
	}
	second, err := l.Entry(t.Context(), r.Logged().Index()+1)
	if err != nil || !second.Continued || len(second.Event.Patients) != 5 {
		t.Fatalf("%v %d", err, len(second.Event.Patients))
	}
}

func TestEventsThatSayNothingAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	size := l.State().Size
	nobody, twice, failed, fine := reading(1, 1), reading(1, 1, 1), reading(1, 1), reading(1, 1)
	nobody.Agent, failed.Outcome = Agent{Name: "somebody"}, 8
	for name, e := range map[string]Event{"no agent": nobody, "a patient twice": twice, "a failure": failed, "no patient": {Agent: nurse}, "a heartbeat": fine.of(Heartbeat)} {
		if _, err := l.Disclose(t.Context(), e); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, k := range []Kind{0, Disclosure, Refusal, Intent, Conclusion, Cut, Heartbeat, Emergency, Redaction, Acknowledged} {
		if _, err := l.Note(t.Context(), fine.of(k)); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("noted a %s: %v", k, err)
		}
	}
	if _, err := l.Conclude(t.Context(), fine); !outcome.Is(err, outcome.Invalid) {
		t.Error(err)
	}
	if l.State().Size != size || l.State().Journaling {
		t.Fatal("something was appended")
	}
}

func TestIntentsDangleUntilTheyAreConcluded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	var intents []Logged
	for range 3 {
		g, err := l.Intend(t.Context(), reading(1, 5))
		if err != nil {
			t.Fatal(err)
		}
		intents = append(intents, g)
	}
	e := reading(1, 5)
	e.Intent = intents[1].Index()
	if _, err := l.Conclude(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	s.stop()
	l = s.start()
	left, err := l.Dangling(t.Context())
	if err != nil || len(left) != 2 || left[0].Index != intents[0].Index() || left[1].Index != intents[2].Index() || len(left[0].Event.Patients[0].Records) != 1 {
		t.Fatalf("%+v, %v", left, err)
	}
}

func TestIdleLogsHaveAHeartbeatAndTheHeadFileFollows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	s.pulse()
	size := l.State().Size
	s.now.add(59 * time.Second)
	s.pulse()
	if l.State().Size != size {
		t.Fatal("too early")
	}
	s.now.add(2 * time.Second)
	s.pulse()
	if l.State().Size != size+1 {
		t.Fatalf("no heartbeat: %d then %d", size, l.State().Size)
	}
	last, err := l.Entry(t.Context(), Index(size))
	if err != nil || last.Event.Kind != Heartbeat {
		t.Fatal(last, err)
	}
	notes, known := readHeads(s.path("heads"))
	if !known || string(notes[len(notes)-1]) != string(l.Head()) {
		t.Fatal("the head file does not hold the newest head")
	}
}

func TestFollowersSeeEachEntryOnceAcrossRestarts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var seen []Index
	follow := func(l *Log, until Index) {
		ctx, cancel := context.WithCancel(context.Background())
		_ = l.Follow(ctx, "test", func(_ context.Context, _ *sql.Tx, batch []Read) error {
			for _, r := range batch {
				seen = append(seen, r.Index)
			}
			if seen[len(seen)-1] >= until {
				cancel()
			}
			return nil
		})
	}
	for range 3 {
		l := s.start()
		for i := range 50 {
			disclose(t, l, reading(1, fhir.PatientID(i+1)))
		}
		follow(l, Index(l.State().Size-1))
		s.stop()
	}
	for i, at := range seen {
		if at != Index(i) {
			t.Fatalf("entry %d was seen as number %d", at, i)
		}
	}
	l := s.start()
	if err := l.Follow(context.Background(), "bad", func(context.Context, *sql.Tx, []Read) error { return fmt.Errorf("no") }); err == nil {
		t.Fatal("a follower's error was swallowed")
	}
}

func TestRedactionRemovesOnePatientsPartOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	i := disclose(t, l, reading(1, 5, 6)).Logged().Index()
	why := Event{Agent: Agent{Person: "p-privacy"}, Text: "Art. 17"}
	if _, err := l.Redact(t.Context(), i, 5, why); err != nil {
		t.Fatal(err)
	}
	got, err := l.Entry(t.Context(), i)
	if err != nil || got.Withheld != 1 || len(got.Event.Patients) != 1 || got.Event.Patients[0].Patient != 6 || got.Damaged {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := l.Redact(t.Context(), i, 5, why); !outcome.Is(err, outcome.Conflict) {
		t.Fatal(err)
	}
	if _, err := l.Redact(t.Context(), i, 77, why); err == nil {
		t.Fatal("redacted what is not there")
	}
	reads, err := l.OfPatient(t.Context(), 5, Page{})
	if err != nil || len(reads) != 1 || reads[0].Withheld != 1 {
		t.Fatalf("the entry left the patient's list: %+v, %v", reads, err)
	}
}

func TestListsAreRebuiltFromTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	var all []Index
	for i := range 60 {
		all = append(all, disclose(t, l, reading(1, fhir.PatientID(1+i%3), 9)).Logged().Index())
	}
	for _, i := range []int{4, 5, 30} {
		if _, err := l.Redact(t.Context(), all[i], 9, Event{Agent: Agent{Person: "p-privacy"}}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := l.OfPatient(t.Context(), 9, Page{Limit: 100})
	if err != nil || len(before) != 60 {
		t.Fatal(len(before), err)
	}
	s.stop()
	s.edit(`delete from lookup where at > 7`, `update cursor set at = 1 << 39`)
	l = s.start()
	after, err := l.OfPatient(t.Context(), 9, Page{Limit: 100})
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Fatalf("%d entries before, %d after: %v", len(before), len(after), err)
	}
	if err := l.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	disclose(t, l, reading(1, 9))
	if again, err := l.OfPatient(t.Context(), 9, Page{Limit: 100}); err != nil || !reflect.DeepEqual(before, again[1:]) {
		t.Fatal(len(again), err)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}
