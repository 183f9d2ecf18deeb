package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/audit"
	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/server/servertest"
)

// received is one answer that a client has whole.
type received struct {
	asked   string
	answer  servertest.Answer
	written string // Type/id/_history/n that the answer acknowledges
}

// rounds is how often the server is killed: CRASH_ROUNDS, else few.
func rounds(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("CRASH_ROUNDS")); err == nil && n > 0 {
		return n
	}
	if testing.Short() && dbtest.Engine() == db.SQLite { // where long runs are on files
		return 2
	}
	return 10
}

// Whatever a client received before kill -9 has its entry, whatever write it was told about is stored, and the log holds: round after
// round on the same directory.
func TestKillLosesNothingThatWasAnswered(t *testing.T) {
	in := install(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	known := &ledger{}
	total := 0
	for round := range rounds(t) {
		if random.IntN(3) == 0 { // a start is cut short too
			starting := launch(t, in.dir)
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			starting.kill()
		}
		p := serve(t, in.dir)
		doctor := in.physician.at(p.url)
		var workers sync.WaitGroup
		got := make([][]received, 8)
		for w := range got {
			source := rand.New(rand.NewPCG(seed, uint64(round*100+w+1)))
			workers.Go(func() { got[w] = work(doctor, in, known, source, fmt.Sprint(round*1000+w), nil) })
		}
		time.Sleep(time.Duration(random.IntN(250)) * time.Millisecond)
		p.kill()
		workers.Wait()
		all := slices.Concat(got...)
		total += len(all)
		t.Logf("round %d: %d whole answers", round, len(all))
		check(t, in, all, true)
	}
	if total == 0 {
		t.Error("no answer came in any round: nothing was tested")
	}
}

// ledger shares among workers which resources there are.
type ledger struct {
	mu   sync.Mutex
	refs []string
}

func (l *ledger) add(refs ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refs = append(l.refs, refs...)
}

func (l *ledger) any(random *rand.Rand) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refs) == 0 {
		return ""
	}
	return l.refs[random.IntN(len(l.refs))]
}

// work asks and writes until no answer comes any more, or, when there is a stop, until it closes, and keeps what came whole.
func work(c caller, in installation, known *ledger, random *rand.Rand, mark string, stop <-chan struct{}) (out []received) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return out
		default:
		}
		patient := in.patients[random.IntN(len(in.patients))]
		method, path, body := "GET", "", ""
		switch random.IntN(5) {
		case 0:
			path = "/fhir/Patient/" + patient
		case 1:
			path = "/fhir/Observation?patient=" + patient + "&_count=" + strconv.Itoa(1+random.IntN(20))
		case 2:
			path = "/fhir/Patient/" + patient
			if ref := known.any(random); ref != "" {
				path = "/fhir/" + ref
			}
		default:
			method, path, body = "POST", "/fhir/Observation", observation(patient, mark+strconv.Itoa(n))
		}
		answer, err := c.do(method, path, body)
		if err != nil && stop == nil {
			return out
		}
		if err != nil || answer.Status >= 500 {
			time.Sleep(10 * time.Millisecond) // an outage is no load test
		}
		if err != nil {
			continue
		}
		one := received{asked: method + " " + path, answer: answer}
		if at := answer.Header.Get("Location"); answer.Status == http.StatusCreated {
			_, one.written, _ = strings.Cut(at, "/fhir/")
			known.add(strings.Split(one.written, "/_history/")[0])
		}
		out = append(out, one)
	}
}

// check restarts the installation and holds what clients received against it: every answer has the entry that it names, which names
// every patient and record of the answer; every acknowledged write is there; the log and the records verify; the start found nothing
// missing and left no intent open. It gives the events that it looked up.
func check(t *testing.T, in installation, all []received, plain bool) {
	t.Helper()
	s := servertest.Open(t, in.dir)
	defer s.Stop()
	if state := s.Log.State(); state.Cut || state.Outside == "unknown" {
		t.Fatalf("the log was cut, or its head is unknown: %+v", state)
	}
	open, err := s.Log.Dangling(t.Context())
	if err != nil || len(open) > 0 {
		t.Errorf("%d intents are open after the restart (%v)", len(open), err)
	}
	for _, one := range all {
		if one.answer.Status >= 500 && plain {
			t.Errorf("%s: %d %s", one.asked, one.answer.Status, one.answer.Body)
		}
		covered(t, s, in.patients, one.asked, one.answer)
	}
	doctor := in.physician.at(s.URL)
	for _, one := range all {
		if one.written != "" {
			doctor.want(t, http.StatusOK, "GET", "/fhir/"+one.written, "")
		}
	}
	s.Stop()
	holds(t, in.dir)
}

// covered holds one answer against the entries that it names: ids out are ids logged.
func covered(t testing.TB, s *servertest.Server, patients []string, asked string, answer servertest.Answer) {
	t.Helper()
	if answer.Status >= 300 {
		for _, id := range patients {
			if strings.Contains(answer.Body, id) {
				t.Errorf("%s: the refusal %d names a patient", asked, answer.Status)
			}
		}
		return
	}
	var charts, refs []string
	for _, event := range eventsOf(t, s, answer.Header.Get("X-Audit-Entry")) {
		for _, part := range event.Patients {
			charts = append(charts, part.Ref)
			for _, r := range part.Records {
				refs = append(refs, r.Ref)
			}
		}
	}
	for _, id := range patients {
		if strings.Contains(answer.Body, id) && !slices.Contains(charts, "Patient/"+id) {
			t.Errorf("%s: the answer holds a patient whom its entry %q does not name", asked, answer.Header.Get("X-Audit-Entry"))
		}
	}
	if answer.Body == "" {
		return
	}
	for _, r := range resourcesIn(t, answer.Body) {
		if !slices.Contains(refs, r.ref()) {
			t.Errorf("%s: the answer holds %s, which its entry %q does not name", asked, r.ref(), answer.Header.Get("X-Audit-Entry"))
		}
	}
}

// eventsOf looks up what an X-Audit-Entry header names, in the log or, for what the emergency journal took, among the merged entries.
func eventsOf(t testing.TB, s *servertest.Server, header string) (out []audit.Event) {
	t.Helper()
	for name := range strings.SplitSeq(header, ", ") {
		if name == "" {
			continue
		}
		at := strings.LastIndexAny(name, "/-")
		number, err := strconv.ParseInt(name[at+1:], 10, 64)
		if err != nil {
			t.Fatalf("X-Audit-Entry %q", header)
		}
		if name[at] == '-' {
			out = append(out, journaled(t, s, name[:at], number))
			continue
		}
		index, err := s.Log.Find(name[:at], number)
		if err != nil {
			t.Errorf("entry %s: %v", name, err)
			continue
		}
		read, err := s.Log.Entry(t.Context(), index)
		if err != nil || read.Damaged {
			t.Errorf("entry %s is not there: %v", name, err)
			continue
		}
		out = append(out, read.Event)
	}
	return out
}

func journaled(t testing.TB, s *servertest.Server, origin string, number int64) audit.Event {
	t.Helper()
	found, err := s.Log.Range(t.Context(), audit.Span{Kinds: []audit.Kind{audit.Emergency}, Keep: func(r *audit.Read) bool {
		return strings.HasSuffix(origin, "/journal-"+r.Event.Imported.Journal) && r.Event.Imported.Number == number
	}}, audit.Page{Limit: 1})
	if err != nil || len(found) != 1 {
		t.Errorf("entry %s-%d was not merged (%v)", origin, number, err)
		return audit.Event{}
	}
	return found[0].Event
}
