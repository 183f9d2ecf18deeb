package audit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/fhir"
)

// verify runs the verification over what is on the disk, with the head file and the journal.
func (s *site) verify(change func(*VerifyOptions)) *Report {
	s.t.Helper()
	d := s.database("audit.db")
	defer d.Close()
	heads, _ := os.ReadFile(s.path("heads"))
	o := VerifyOptions{Box: s.ring.Box("audit"), Heads: heads, JournalFile: s.path("journal")}
	if change != nil {
		change(&o)
	}
	r, err := Verify(context.Background(), d, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// filled is a stopped site whose log has more than one tile, several months, refusals, redactions and writes in it.
func filled(t *testing.T, n int) *site {
	t.Helper()
	if testing.Short() {
		n /= 4
	}
	s := newSite(t)
	l := s.start()
	for i := range n {
		if i%100 == 0 {
			s.now.add(20 * 24 * time.Hour)
		}
		s.now.add(time.Second)
		switch p := fhir.PatientID(1 + i%7); i % 11 {
		case 3:
			if _, err := l.Refuse(t.Context(), reading(1, p)); err != nil {
				t.Fatal(err)
			}
		case 5:
			disclose(t, l, reading(2, p, p+1, p+2))
		default:
			disclose(t, l, reading(1, p))
		}
	}
	s.stop()
	return s
}

func TestAHealthyLogHolds(t *testing.T) {
	t.Parallel()
	s := filled(t, 700)
	r := s.verify(nil)
	if !r.Holds() || r.Entries < 170 || r.Opened < 340 || r.Outside == 0 || len(r.Logs) != 1 {
		t.Fatalf("%+v", r)
	}
	without := s.verify(func(o *VerifyOptions) { o.Box, o.Keys = nil, []string{r.Logs[0].Key} })
	if !without.Holds() || without.Locked == 0 || len(without.Notes) != 0 {
		t.Fatalf("%+v", without)
	}
}

// Whatever somebody with the database file changes is named, with its index where one entry is at fault. Of what is random four bytes are
// written over: one would be the same as before once in 256 runs.
func TestEveryMutationIsNamed(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("one goroutine, many rounds: not for the race detector")
	}
	healthy := filled(t, 600)
	files := healthy.copyDir("audit.db", "heads", "journal")
	for name, c := range map[string]struct {
		edit []string
		want []string
	}{
		"bytes of a full tile's entry": {[]string{`update entry set bytes = cast(substr(bytes,1,20)||x'ffffffff'||substr(bytes,25) as blob) where at=300`}, []string{"/300: was changed", "/300: does not continue the chain"}},
		"the time of an early entry":   {[]string{`update entry set bytes = cast(substr(bytes,1,9)||x'ff'||substr(bytes,11) as blob) where at=17`}, []string{"/17: was changed"}},
		"a byte of the newest entries": {[]string{`update entry set bytes = cast(substr(bytes,1,9)||x'ff'||substr(bytes,11) as blob) where at=590`}, []string{"entries 542 to 601, or their order, are not what was signed"}},
		"its commitment":               {[]string{`update entry set bytes = cast(substr(bytes,1,length(bytes)-4)||x'00000000' as blob) where at=595`}, []string{"/595: its payload is not what it committed to", "are not what was signed"}},
		"a deleted entry":              {[]string{`delete from entry where at=100`}, []string{"/100: is missing"}},
		"a deleted newest entry":       {[]string{`delete from entry where at=599`}, []string{"/599: is missing", "cannot be recomputed"}},
		"a deleted row, renumbered":    {[]string{`delete from entry where at=400`, `update entry set at=-at where at>400`, `update entry set at=-at-1 where at<0`}, []string{"/400: is not what its tile says", "/400: its payload is not what it committed to", "is missing"}},
		"an inserted entry":            {[]string{`insert into entry select at+1000, bytes from entry where at=5`}, []string{"beyond the newest signed head"}},
		"two rows swapped": {[]string{`update entry set at=-1 where at=40`, `update entry set at=40 where at=41`, `update entry set at=41 where at=-1`},
			[]string{"/40: was changed", "/41: was changed"}},
		"a deleted payload":        {[]string{`delete from payload where id>>12=250`}, []string{"/250: has lost its payload"}},
		"a deleted part":           {[]string{`delete from payload where id=(250<<12)+1`}, []string{"/250: has lost part 1"}},
		"a deleted last part":      {[]string{`delete from payload where id=(250<<12)+3`}, []string{"/250: its payload is not what it committed to"}},
		"a deleted common part":    {[]string{`delete from payload where id=(250<<12)`}, []string{"/250: has lost part 0"}},
		"bytes of a payload":       {[]string{`update payload set sealed=cast(substr(sealed,1,40)||x'ffffffff'||substr(sealed,45) as blob) where id=(251<<12)+1`}, []string{"/251: part 1 of its payload was changed"}},
		"payloads exchanged":       {[]string{`update payload set sealed=(select sealed from payload where id=(13<<12)+1) where id=(20<<12)+1`}, []string{"/20: its payload is not what it committed to"}},
		"a redaction nobody made":  {[]string{`update payload set sealed=zeroblob(32) where id=(20<<12)+1`}, []string{"/20: part 1 of its payload was removed", "/20: its payload is not"}},
		"bytes of a tile":          {[]string{`update tile set data=cast(substr(data,1,64)||x'ffffffff'||substr(data,69) as blob) where id=0`}, []string{"/2: is as it was signed, but its hash in the tile was changed"}},
		"a deleted tile":           {[]string{`delete from tile where id=1`}, []string{"the tile of entries 256 to 511 is missing"}},
		"a deleted newest head":    {[]string{`delete from head where at=(select max(at) from head)`}, []string{"beyond the newest signed head"}},
		"an altered head":          {[]string{`update head set note=substr(note, 1, length(note)-9)||'AAAAAAA='||char(10) where at=(select max(at) from head)`}, []string{"not signed by the log's key"}},
		"a hidden access":          {[]string{`delete from lookup where kind=1 and owner=3 and at=(select max(at) from lookup where kind=1 and owner=3)`}, []string{"the list of patient 3 shows"}},
		"an access laid to others": {[]string{`insert into lookup select kind, 3, at, part from lookup where kind=1 and owner=4 limit 1`}, []string{"the list of patient 3 shows"}},
		"the log's row":            {[]string{`update log set verifier='x'`, `insert into entry select at+(7<<40), bytes from entry where at=5`}, []string{"never opened"}},
		"a rewritten tail": {[]string{`delete from entry where at>=580`, `delete from payload where id>=580<<12`, `delete from head where at>580`, `delete from lookup where at>=580`},
			[]string{": is missing, and all after it: a signed head kept elsewhere", "beyond the newest signed head"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy.moved(t)
			s.putBack(files)
			s.edit(c.edit...)
			var found []string
			for _, f := range s.verify(nil).Faults {
				found = append(found, f.String())
			}
			all := strings.Join(found, "\n")
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("%q is not named in\n%s", want, all)
				}
			}
		})
	}
}

func TestALogWithoutItsTailIsNamedByTheHeadFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	for i := range 50 {
		disclose(t, l, reading(1, fhir.PatientID(1+i%3)))
	}
	s.stop()
	old := s.copyDir("audit.db")
	l = s.start()
	for i := range 50 {
		disclose(t, l, reading(1, fhir.PatientID(1+i%3)))
	}
	size := l.State().Size
	s.stop()
	s.putBack(old) // the directory of yesterday; the head file is on another volume
	_ = os.Remove(s.path("audit.db-wal"))
	r := s.verify(nil)
	want := fmt.Sprintf("a signed head kept elsewhere knows %d entries", size)
	if r.Holds() || !strings.Contains(r.Faults[len(r.Faults)-1].String(), want) {
		t.Fatalf("%v", r.Faults)
	}
	if inside := s.verify(func(o *VerifyOptions) { o.Heads = nil }); !inside.Holds() {
		t.Fatalf("without a head from elsewhere nothing can show it, yet: %v", inside.Faults)
	}
}

func TestAWriteAheadLogCutShortIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.files()
	l := s.start()
	s.pulse()
	for i := range 200 {
		disclose(t, l, reading(1, fhir.PatientID(1+i%3)))
	}
	l.writeHead()
	wal, err := os.ReadFile(s.path("audit.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"audit.db", "heads", "journal"} {
		b, err := os.ReadFile(s.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "audit.db-wal"), wal[:len(wal)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	crashed := *s
	crashed.dir = dir
	r := crashed.verify(nil)
	if r.Holds() || !strings.Contains(fmt.Sprint(r.Faults), "kept elsewhere knows") {
		t.Fatalf("the engine says nothing, and neither do we: %v", r.Faults)
	}
}

func TestRedactionAndItsEntryHold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	why := Event{Agent: Agent{Person: "p-privacy"}, Text: "Art. 17"}
	var all []Index
	for i := range 40 {
		all = append(all, disclose(t, l, reading(1, fhir.PatientID(1+i%3), 9)).Logged().Index())
	}
	for _, i := range []int{3, 4, 5, 6, 20, 37} { // chains go on over gaps in what can be read
		if _, err := l.Redact(t.Context(), all[i], fhir.PatientID(1+i%3), why); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Redact(t.Context(), all[10], 0, why); err != nil {
		t.Fatal(err)
	}
	s.stop()
	r := s.verify(nil)
	if !r.Holds() || r.Redacted != 7 {
		t.Fatalf("%+v", r)
	}
	s.edit(`delete from payload where id>>12 = (select max(at) from entry where hex(substr(bytes,2,1))='0F')`)
	if r := s.verify(nil); r.Holds() {
		t.Fatal("a redaction entry lost its payload and nobody noticed")
	}
}

func TestShreddedAuditKeysLeaveTheLogWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	for i := range 20 {
		disclose(t, l, reading(1, fhir.PatientID(1+i%3), 9))
	}
	if err := s.ring.Box("audit").Shred(t.Context(), 2, "patient"); err != nil {
		t.Fatal(err)
	}
	if reads, err := l.OfPatient(t.Context(), 2, Page{}); err != nil || len(reads) == 0 || reads[0].Withheld != 1 {
		t.Fatalf("%+v, %v", reads, err)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() || r.Erased == 0 {
		t.Fatalf("%+v", r)
	}
}

func TestStoredRecordsAreComparedWithTheirIntents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	var stored []Stored
	for i := range 30 {
		e := reading(1, 5)
		r := &e.Patients[0].Records[0]
		*r = Record{Record: fhir.RecordID(100 + i), Version: 1, Ref: fmt.Sprintf("Observation/o%d", i), Hash: [32]byte{byte(i), 1}}
		g, err := l.Intend(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		end := reading(0)
		end.Intent = g.Index()
		if i%5 == 4 {
			end.Outcome = 8 // the write failed
		} else {
			stored = append(stored, Stored{Record: r.Record, Version: r.Version, Ref: r.Ref, Hash: r.Hash})
		}
		if i == 29 {
			stored = append(stored, Stored{Record: r.Record, Version: r.Version, Ref: r.Ref, Hash: r.Hash})
			break // dangles, and was stored all the same
		}
		if _, err := l.Conclude(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	s.stop()
	check := func(stored []Stored) *Report {
		return s.verify(func(o *VerifyOptions) {
			o.Clinical = func(yield func(Stored, error) bool) {
				for _, r := range stored {
					if !yield(r, nil) {
						return
					}
				}
			}
		})
	}
	if r := check(stored); !r.Holds() || r.Stored != int64(len(stored)) || len(r.Dangling) != 1 {
		t.Fatalf("%+v", r)
	}
	changed := append([]Stored(nil), stored...)
	changed[3].Hash[0] ^= 1
	foreign := append([]Stored{{Record: 9999, Version: 1, Ref: "Observation/new"}}, stored...)
	for want, set := range map[string][]Stored{
		"Observation/o3 version 1: is not what was written": changed,
		"Observation/new version 1: is stored, but no":      foreign,
		"Observation/o7 version 1: was written and is not":  append(append([]Stored(nil), stored[:6]...), stored[7:]...),
	} {
		if r := check(set); len(r.Faults) != 1 || !strings.Contains(r.Faults[0].String(), want) {
			t.Errorf("%q is not named: %v", want, r.Faults)
		}
	}
}

func TestVerificationRunsBesideTheServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.start()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_, _ = l.Disclose(context.Background(), reading(1, fhir.PatientID(1+i%5)))
			}
		}
	}()
	for range 10 {
		l.writeHead()
		if r, err := l.Verify(t.Context(), nil); err != nil || !r.Holds() {
			t.Errorf("%+v, %v", r, err)
		}
	}
	close(stop)
	<-stopped
}
