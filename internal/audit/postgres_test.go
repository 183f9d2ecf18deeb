package audit

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/fhir"
)

// onServer is a site on a PostgreSQL of its own, to be broken.
func onServer(t *testing.T) (*site, *dbtest.Server) {
	t.Helper()
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	server := dbtest.Own(t)
	return newSiteIn(t, server.Database(t)), server
}

// load appends from so many clients of each log until stop, and gives what was acknowledged by a log.
func load(logs []*Log, clients int, stop <-chan struct{}) (told []string, journaled int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n, l := range logs {
		for c := range clients {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					e := reading(1, fhir.PatientID(1+(c+i)%5))
					e.Agent.Person = fmt.Sprintf("p-%d-%d", n, c)
					r, err := l.Disclose(context.Background(), e)
					mu.Lock()
					switch {
					case err != nil:
					case r.Logged().Journaled():
						journaled++
					default:
						told = append(told, r.Entry())
					}
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	return told, journaled
}

// there finds what was acknowledged.
func there(t *testing.T, l *Log, told []string) {
	t.Helper()
	for _, name := range told {
		origin, number, _ := cutLast(name)
		at, err := l.Find(origin, number)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r, err := l.Entry(t.Context(), at); err != nil || r.Event.Kind != Disclosure {
			t.Fatalf("%s was acknowledged and is gone: %v", name, err)
		}
	}
}

// Backends die in the middle of commits of two nodes, one by one and all at once as in a crash of the server: what was acknowledged is
// there, what was not acknowledged disclosed nothing, and the logs go on and hold.
func TestBackendsDieInMidCommit(t *testing.T) {
	t.Parallel()
	s, server := onServer(t)
	main := s.start()
	ward := s.join(s.beside("ward"))
	logs := []*Log{main, ward}
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for range 15 {
			time.Sleep(30 * time.Millisecond)
			_ = server.Do(context.Background(), `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chartwarden audit'`)
		}
		for range 2 {
			var pid int
			if err := s.d.Reader().QueryRow(`select pg_backend_pid()`).Scan(&pid); err == nil {
				server.Kill(t, pid)
			}
			time.Sleep(700 * time.Millisecond)
		}
	}()
	told, journaled := load(logs, 4, stop)
	t.Logf("%d acknowledged by a log, %d by a journal", len(told), journaled)
	if len(told) == 0 {
		t.Fatal("nothing was appended: nothing was tested")
	}
	eventually(t, "both logs take entries again", func() bool {
		for _, l := range logs {
			if _, err := l.Note(context.Background(), Event{Kind: Job, Agent: Agent{Job: "test"}}); err != nil {
				return false
			}
		}
		return true
	})
	there(t, main, told)
	there(t, ward, told)
	if err := ward.Close(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.start() // merges what its journal took
	o := s.beside("ward")
	ward = s.join(o)
	if ward.State().Cut || s.log.State().Cut {
		t.Fatal("a log was cut", ward.State().Evidence, s.log.State().Evidence)
	}
	there(t, ward, told)
	if err := ward.Close(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if r := s.verifyAll("ward"); !r.Holds() || len(r.Logs) != 2 {
		t.Fatalf("%v", r.Faults)
	}
}

// A server that is gone: explained reads go on by the journal, others do not.
func TestPostgresIsAway(t *testing.T) {
	t.Parallel()
	s, server := onServer(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	server.Kill(t, 0)
	var r Receipt
	eventually(t, "the journal serves", func() bool { // connections live on for a moment
		r = disclose(t, l, reading(1, 2))
		return r.Logged().Journaled()
	})
	if r.Redeem(2000, 1) != nil || !l.State().Journaling || l.State().Waiting != 1 {
		t.Fatalf("%s %+v", r.Entry(), l.State())
	}
	unexplained := reading(1, 3)
	unexplained.Patients[0].Unexplained = true
	if _, err := l.Disclose(t.Context(), unexplained); err == nil {
		t.Fatal("an unexplained read went on without a log")
	}
}

// A commit whose wait for a standby is cancelled is stored here and nowhere else: it mints no receipt of the log.
func TestACommitInDoubtMintsNoReceipt(t *testing.T) {
	t.Parallel()
	s, server := onServer(t)
	l := s.start()
	disclose(t, l, reading(1, 1))
	size := l.State().Size
	server.LoseStandby(t)
	type answer struct {
		r   Receipt
		err error
	}
	got := make(chan answer, 1)
	go func() {
		r, err := l.Disclose(context.Background(), reading(1, 2))
		got <- answer{r, err}
	}()
	for waiting := true; waiting; {
		select {
		case a := <-got:
			if a.err == nil && !a.r.Logged().Journaled() {
				t.Fatalf("a receipt of the log for a commit in doubt: %s", a.r.Entry())
			}
			waiting = false
		case <-time.After(200 * time.Millisecond):
			if err := server.Do(t.Context(), `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, q := range []string{`alter system reset synchronous_standby_names`, `select pg_reload_conf()`} {
		if err := server.Do(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	var r Receipt
	eventually(t, "the log takes entries again", func() bool {
		var err error
		r, err = l.Disclose(context.Background(), reading(1, 3))
		return err == nil && !r.Logged().Journaled()
	})
	if at := r.Logged().Index().Number(); at <= size {
		t.Fatalf("entry %d is behind what was in doubt", at)
	}
	s.stop()
	s.start()
	if s.log.State().Cut {
		t.Fatal(s.log.State().Evidence)
	}
	s.stop()
	if r := s.verify(nil); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}

// Whatever somebody with the database's credentials changes in the log of one node is named while the other node's holds.
func TestTamperingWithANodesLogIsNamed(t *testing.T) {
	t.Parallel()
	s := newSiteIn(t, dbtest.Postgres(t))
	main := s.start()
	ward := s.join(s.beside("ward"))
	for i := range 300 {
		disclose(t, ward, reading(1, fhir.PatientID(1+i%3)))
		disclose(t, main, reading(1, fhir.PatientID(1+i%3)))
	}
	if err := ward.Close(); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if r := s.verifyAll("ward"); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
	files := s.copyDir("audit.db")
	for edit, want := range map[string]string{
		`update entry set bytes = set_byte(bytes, 20, 255 - get_byte(bytes, 20)) where at = 1099511627776 + 100`:                                                        "/node/ward/100: was changed",
		`delete from entry where at = 1099511627776 + 200`:                                                                                                              "/node/ward/200: is missing",
		`delete from payload where id >> 12 = 1099511627776 + 50`:                                                                                                       "/node/ward/50: has lost its payload",
		`update payload set sealed = set_byte(sealed, 45, 255 - get_byte(sealed, 45)) where id = ((1099511627776 + 50) << 12) + 1`:                                      "/node/ward/50: part 1 of its payload was changed",
		`update head set note = replace(note, 'node/ward', 'node/mard') where at > 1099511627776`:                                                                       "is not signed by the log's key",
		`delete from lookup where kind = 1 and owner = 2 and at = (select max(at) from lookup where kind = 1 and owner = 2)`:                                            "the list of patient 2 shows",
		`update entry set at = at + 5000 where at = (select max(at) from entry)`:                                                                                        "is missing",
		`insert into entry select at + 1099511627776 * 5, bytes from entry where at = 1099511627776 + 5`:                                                                "never opened",
		`update log set verifier = 'x' where number = 1`:                                                                                                                "not as it was written",
		`delete from entry where at >= 1099511627776 + 250; delete from payload where id >> 12 >= 1099511627776 + 250; delete from head where at > 1099511627776 + 250`: "is missing, and all after it",
	} {
		s.edit(edit)
		all := fmt.Sprint(s.verifyAll("ward").Faults)
		if !strings.Contains(all, want) {
			t.Errorf("%s: %q is not named in %s", edit, want, all)
		}
		s.putBack(files)
	}
	if r := s.verifyAll("ward"); !r.Holds() {
		t.Fatalf("%v", r.Faults)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
