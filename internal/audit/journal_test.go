package audit

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// break makes every append fail until mend, as a full disk would.
func (s *site) sabotage() {
	s.t.Helper()
	s.exec(`create trigger full before insert on entry begin select raise(abort, 'full'); end`)
}

func (s *site) mend() {
	s.t.Helper()
	s.exec(`drop trigger full`)
}

func (s *site) exec(q string) {
	s.t.Helper()
	if err := s.d.Write(context.Background(), func(tx *sql.Tx) error { _, err := tx.Exec(said(s.d, q)); return err }); err != nil {
		s.t.Fatal(err)
	}
}

func TestWhenTheLogFailsOnlyExplainedAndEmergencyReadsGoOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	s.sabotage()
	s.now.add(time.Hour)
	began := s.now.now()

	r := disclose(t, l, reading(1, 2))
	if err := r.Redeem(2000, 1); err != nil || !r.Logged().Journaled() || !strings.HasPrefix(r.Entry(), origin+"/journal-") || !strings.HasSuffix(r.Entry(), "-1") {
		t.Fatal(r, err)
	}
	if state := l.State(); !state.Journaling || state.Waiting != 1 || state.Fault == "" {
		t.Fatalf("%+v", state)
	}
	glass := reading(1, 3)
	glass.Patients[0].Unexplained, glass.Patients[0].Glass = true, true
	disclose(t, l, glass)
	if _, err := l.Note(t.Context(), Event{Kind: Glass, Agent: nurse, Interaction: "glass", Text: "no pulse"}); err != nil {
		t.Fatal(err)
	}
	unexplained, export, print, many := reading(1, 4), reading(1, 4).of(Export), reading(1, 4), reading(0)
	unexplained.Patients[0].Unexplained = true
	print.Interaction = "print"
	for p := range fhir.PatientID(21) {
		many.Patients = append(many.Patients, PatientPart{Patient: p + 50})
	}
	for name, e := range map[string]Event{"unexplained": unexplained, "export": export, "print": print, "bulk": many} {
		if _, err := l.Disclose(t.Context(), e); !outcome.Is(err, outcome.NoStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{"intend": second(l.Intend(t.Context(), reading(1, 4))), "refuse": second(l.Refuse(t.Context(), reading(1, 4))), "people": second(l.Note(t.Context(), reading(0).of(People)))} {
		if err == nil {
			t.Errorf("%s went on", name)
		}
	}
	for p := range fhir.PatientID(18) { // 20 with the two before
		disclose(t, l, reading(1, 100+p))
	}
	if _, err := l.Disclose(t.Context(), reading(1, 200)); !outcome.Is(err, outcome.Throttled) {
		t.Fatalf("the 21st chart in an hour: %v", err)
	}
	disclose(t, l, reading(1, 2)) // again is no new chart
	other := reading(1, 200)
	other.Agent.Person = "p-other"
	disclose(t, l, other)
	s.now.add(61 * time.Minute)
	disclose(t, l, reading(1, 200))

	s.mend()
	s.pulse()
	if state := l.State(); state.Journaling || state.Waiting != 0 || state.Fault != "" {
		t.Fatalf("%+v", state)
	}
	reads, err := l.OfPatient(t.Context(), 2, Page{})
	if err != nil || len(reads) != 2 || reads[1].Event.Kind != Emergency || reads[1].Event.Time.Sub(began) > time.Minute || reads[1].Event.Imported.Number != 1 || reads[1].Event.Interaction != "read" {
		t.Fatalf("%+v, %v", reads, err)
	}
	disclose(t, l, reading(1, 2))
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
	if kept, _ := filepath.Glob(s.path("journal.*.merged")); len(kept) != 1 {
		t.Fatalf("%v", kept)
	}
}

func second(_ Logged, err error) error { return err }

func TestTheServerStartsWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	s.stop()
	o := s.options()
	for i := range 2 { // restarts in the middle of it, too
		l, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if state := l.State(); !state.Journaling || state.Waiting != int64(i) {
			t.Fatalf("%+v", state)
		}
		disclose(t, l, reading(1, 5))
		if _, err := l.OfPatient(t.Context(), 5, Page{}); !outcome.Is(err, outcome.NoStore) {
			t.Fatal(err)
		}
		if _, err := l.Intend(t.Context(), reading(1, 5)); !outcome.Is(err, outcome.NoStore) {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.d = nil
	if r := s.verify(nil); r.Holds() || !strings.Contains(fmt.Sprint(r.Faults), "2 entries that are not merged") {
		t.Fatalf("%v", r.Faults)
	}
	l := s.start()
	if reads, err := l.OfPatient(t.Context(), 5, Page{}); err != nil || len(reads) != 2 || l.State().Waiting != 0 {
		t.Fatalf("%v, %v", reads, err)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
	o.JournalFile = ""
	if _, err := Open(t.Context(), o); !outcome.Is(err, outcome.NoStore) {
		t.Fatal(err)
	}
}

// journaled makes a journal with three entries and gives its bytes; the log did not merge it.
func journaledSite(t *testing.T) (*site, []byte) {
	t.Helper()
	s := newSite(t)
	s.start()
	s.stop()
	l, err := Open(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	for p := range fhir.PatientID(3) {
		disclose(t, l, reading(1, 5+p))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.path("journal"))
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

// extents are the ends of the records.
func extents(b []byte) (ends []int) {
	for at := journalHeader; ; {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n == 0 {
			return ends
		}
		at += 4 + n + 32
		ends = append(ends, at)
	}
}

func TestAnAlteredJournalIsNamedAndKept(t *testing.T) {
	t.Parallel()
	s, b := journaledSite(t)
	ends := extents(b)
	heads := s.copyDir("heads")
	for _, at := range []int{0, 9, 20, 400, 511, journalHeader + 1, journalHeader + 30, ends[0] - 1, ends[1] - 40, ends[1] + 3, ends[2] - 1, ends[2] + 100} {
		bent := bytes.Clone(b)
		bent[at] ^= 0x10
		s.putBack(map[string][]byte{"journal": bent})
		if r := s.verify(nil); len(r.Faults) == 0 || !strings.Contains(fmt.Sprint(r.Faults), "journal") {
			t.Errorf("byte %d: %v", at, r.Faults)
		}
	}
	shorter := bytes.Clone(b)
	clear(shorter[ends[1]:ends[2]])
	s.putBack(map[string][]byte{"journal": shorter})
	if r := s.verify(nil); !strings.Contains(fmt.Sprint(r.Faults), "shorter than a signed state") {
		t.Fatalf("%v", r.Faults)
	}
	s.putBack(heads)
	l := s.start() // serves, but never forgets
	if reads, err := l.OfPatient(t.Context(), 5, Page{}); err != nil || len(reads) != 0 {
		t.Fatal(reads, err)
	}
	s.stop()
	if r := s.verify(nil); len(r.Faults) != 1 || !strings.Contains(r.Faults[0].What, "missing and was never merged") {
		t.Fatalf("%v", r.Faults)
	}
	if kept, _ := filepath.Glob(s.path("journal.altered-*")); len(kept) != 1 {
		t.Fatalf("%v", kept)
	}
}

func TestATornRecordWasNeverAcknowledged(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	s, b := journaledSite(t)
	ends := extents(b)
	if err := os.Remove(s.path("heads")); err != nil {
		t.Fatal(err)
	}
	for cut := ends[1] + 1; cut < ends[2]; cut += 7 {
		torn := append(bytes.Clone(b[:cut]), make([]byte, len(b)-cut)...)
		s.putBack(map[string][]byte{"journal": torn})
		n := 0
		j, err := openJournalFile(s.ring.Box("audit"), s.path("journal"), origin, func(journaled) { n++ })
		if err != nil || n != 2 {
			t.Fatalf("cut at %d: %d records, %v", cut, n, err)
		}
		e := reading(1, 9)
		e.Time = s.now.now()
		if _, err := j.append(Disclosure, &e); err != nil {
			t.Fatal(err)
		}
		_ = j.close()
		n = 0
		j, err = openJournalFile(s.ring.Box("audit"), s.path("journal"), origin, func(journaled) { n++ })
		if err != nil || n != 3 {
			t.Fatalf("cut at %d, then %d records, %v", cut, n, err)
		}
		_ = j.close()
	}
}

func TestAMissingJournalIsNamed(t *testing.T) {
	t.Parallel()
	s := grown(t, 3)
	if err := os.Remove(s.path("journal")); err != nil {
		t.Fatal(err)
	}
	if r := s.verify(nil); r.Holds() {
		t.Fatal("it is missing")
	}
	s.start()
	s.stop()
	s.start()
	s.stop()
	if r := s.verify(nil); len(r.Faults) != 1 || !strings.Contains(r.Faults[0].What, "never merged") {
		t.Fatalf("%v", r.Faults)
	}
}

func TestAFullJournalStopsReading(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.d = s.database("audit.db")
	o := s.options()
	o.JournalSize = 2000
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.log = l
	s.sabotage()
	for i := range 20 {
		if _, err := l.Disclose(t.Context(), reading(1, 1)); err != nil {
			if !outcome.Is(err, outcome.NoStore) || i < 2 {
				t.Fatal(i, err)
			}
			return
		}
	}
	t.Fatal("never full")
}

func TestTheJournalHoldsNoPlainText(t *testing.T) {
	t.Parallel()
	s, b := journaledSite(t)
	s.files()
	db, err := os.ReadFile(s.path("audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Adeyemi", "p-nurse", "Patient/5", "care team"} {
		if bytes.Contains(b, []byte(word)) || bytes.Contains(db, []byte(word)) {
			t.Errorf("%q can be read", word)
		}
	}
}

func TestABrokenDatabaseServesThroughTheJournalUntilARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	disclose(t, l, reading(1, 4))
	if err := s.d.Close(); err != nil {
		t.Fatal(err)
	}
	if r := disclose(t, l, reading(1, 5)); !r.Logged().Journaled() || r.Redeem(5000, 1) != nil {
		t.Fatal(r)
	}
	s.pulse() // cannot recover, and must not hang
	if !l.State().Journaling || l.State().Waiting != 1 {
		t.Fatalf("%+v", l.State())
	}
	s.stop()
	l = s.start()
	if reads, err := l.OfPatient(t.Context(), 5, Page{}); err != nil || len(reads) != 1 {
		t.Fatal(reads, err)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}

func TestAShreddedPatientIsNoTroubleOfTheLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	if err := s.ring.Box("audit").Shred(t.Context(), 9, "patient"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Disclose(t.Context(), reading(1, 9)); !outcome.Is(err, outcome.Deleted) || l.State().Journaling {
		t.Fatal(err, l.State())
	}
}

// After a write that failed the file may hold the record or a part of it: nothing is written over it, and a restart takes it as it finds it.
func TestAFailedJournalWaitsForARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	s.sabotage()
	disclose(t, l, reading(1, 2))
	whole := l.journal.f
	blind, err := os.Open(s.path("journal")) // takes no writes
	if err != nil {
		t.Fatal(err)
	}
	l.journal.f = blind
	if _, err := l.Disclose(t.Context(), reading(1, 3)); !outcome.Is(err, outcome.NoStore) {
		t.Fatal(err)
	}
	l.journal.f = whole // as after a sync that fails once
	_ = blind.Close()
	if _, err := l.Disclose(t.Context(), reading(1, 4)); !outcome.Is(err, outcome.NoStore) {
		t.Error("the journal went on over what failed:", err)
	}
	s.mend()
	s.stop()
	l = s.start()
	disclose(t, l, reading(1, 5))
	if state := l.State(); state.Journaling || state.Waiting != 0 {
		t.Errorf("%+v", state)
	}
}
