package audit

import (
	"os"
	"strings"
	"testing"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// grown is a stopped site with n disclosures about three patients.
func grown(t *testing.T, n int) *site {
	t.Helper()
	s := newSite(t)
	l := s.start()
	for i := range n {
		disclose(t, l, reading(1, fhir.PatientID(1+i%3)))
	}
	s.stop()
	return s
}

func (s *site) rollBack(files map[string][]byte) {
	s.t.Helper()
	_ = os.Remove(s.path("audit.db-wal"))
	_ = os.Remove(s.path("audit.db-shm"))
	s.putBack(files)
}

func TestALogThatWasRolledBackIsNeverContinued(t *testing.T) {
	t.Parallel()
	s := grown(t, 30)
	old := s.copyDir("audit.db")
	l := s.start()
	for range 30 {
		disclose(t, l, reading(1, 2))
	}
	s.stop()
	s.rollBack(old)

	l = s.start()
	state := l.State()
	if !state.Cut || state.Origin != origin+"-2" || !strings.Contains(state.Evidence, "entries are missing") || strings.Count(state.Evidence, "— "+origin+" ") != 2 {
		t.Fatalf("%+v", state)
	}
	r := disclose(t, l, reading(1, 2)) // care goes on
	if !strings.HasPrefix(r.Entry(), origin+"-2/") {
		t.Fatal(r.Entry())
	}
	reads, err := l.OfPatient(t.Context(), 2, Page{Limit: 100})
	if err != nil || len(reads) != 11 || reads[0].Origin != origin+"-2" || reads[1].Origin != origin {
		t.Fatalf("%d entries, %v", len(reads), err)
	}
	if at, err := l.Find(reads[0].Origin, reads[0].Index.Number()); err != nil || at != reads[0].Index {
		t.Fatal(at, err)
	}
	s.stop()
	if r := s.verify(nil); r.Holds() || len(r.Logs) != 2 {
		t.Fatalf("a cut that nobody acknowledged holds: %+v", r)
	}

	l = s.start() // a restart does not forget
	if !l.State().Cut {
		t.Fatal("forgot the cut")
	}
	if _, err := l.Acknowledge(t.Context(), Event{Agent: Agent{Person: "p-privacy"}, Text: "restored after a disk fault"}); err != nil {
		t.Fatal(err)
	}
	if l.State().Cut {
		t.Fatal("still cut")
	}
	s.stop()
	if l = s.start(); l.State().Cut || l.State().Outside != "agrees" {
		t.Fatalf("%+v", l.State())
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() || len(r.Notes) != 2 {
		t.Fatalf("%+v", r)
	}

	s.rollBack(old) // once more, to before the first cut
	if l = s.start(); l.State().Origin != origin+"-3" || !strings.Contains(l.State().Evidence, "rolled back") {
		t.Fatalf("%+v", l.State())
	}
}

func TestDamageIsFoundAtStart(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	healthy := grown(t, 300)
	files := healthy.copyDir("audit.db", "heads", "journal")
	for name, damage := range map[string]func(s *site){
		"an entry of the tail":   func(s *site) { s.edit(`update entry set bytes=cast(substr(bytes,1,40)||x'00' as blob) where at=290`) },
		"a missing entry":        func(s *site) { s.edit(`delete from entry where at=301`) },
		"a tile":                 func(s *site) { s.edit(`update tile set data=zeroblob(8192)`) },
		"a missing tile":         func(s *site) { s.edit(`delete from tile`) },
		"an entry too many":      func(s *site) { s.edit(`insert into entry select at+1000, bytes from entry where at=5`) },
		"the newest head":        func(s *site) { s.edit(`update head set note='x'`) },
		"no heads":               func(s *site) { s.edit(`delete from head`) },
		"the database is gone":   func(s *site) { s.lose() },
		"the database is empty":  func(s *site) { s.edit(`delete from log`, `delete from entry`, `delete from head`, `delete from tile`) },
		"only the newest is cut": func(s *site) { s.edit(`delete from entry where at=(select max(at) from entry)`) },
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy.moved(t)
			s.putBack(files)
			damage(s)
			l := s.start()
			if state := l.State(); !state.Cut || state.Origin == origin || state.Evidence == "" {
				t.Errorf("%+v", state)
			}
			disclose(t, l, reading(1, 1))
			s.stop()
		})
	}
}

func TestAnUnknownHeadFileIsSaidAndNotFatal(t *testing.T) {
	t.Parallel()
	s := grown(t, 5)
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	if l := s.start(); l.State().Outside != "unknown" || l.State().Cut {
		t.Fatalf("%+v", l.State())
	}
	s.stop()
	if l := s.start(); l.State().Outside != "agrees" {
		t.Fatalf("%+v", l.State())
	}
	s.stop()
	f, err := os.OpenFile(s.path("heads"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("hospital.example/log\n99999\nAAAA"); err != nil { // torn by a crash
		t.Fatal(err)
	}
	_ = f.Close()
	for range 2 {
		if l := s.start(); l.State().Outside != "agrees" || l.State().Cut {
			t.Fatalf("%+v", l.State())
		}
		s.stop()
	}
}

func TestAnotherInstallationsLogIsRefused(t *testing.T) {
	t.Parallel()
	s := grown(t, 1)
	s.d = s.database("audit.db")
	o := s.options()
	o.Origin = "elsewhere.example/log"
	if _, err := Open(t.Context(), o); !outcome.Is(err, outcome.Invalid) {
		t.Fatal(err)
	}
}

func TestAForkWithTheSameKeyIsFound(t *testing.T) {
	t.Parallel()
	s := grown(t, 10)
	files := s.copyDir("audit.db")
	l := s.start()
	for range 10 {
		disclose(t, l, reading(1, 1))
	}
	s.stop()
	heads := s.copyDir("heads")
	s.rollBack(files) // the other history, grown longer than the first, with a head file of its own
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	l = s.start()
	for range 30 {
		disclose(t, l, reading(1, 2))
	}
	s.stop()
	s.putBack(heads)
	if l = s.start(); !l.State().Cut || !strings.Contains(l.State().Evidence, "another one") {
		t.Fatalf("%+v", l.State())
	}
}
