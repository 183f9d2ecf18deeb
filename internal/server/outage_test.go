package server_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/server/servertest"
)

// onServers is an installation on a PostgreSQL of its own, to be broken.
func onServers(t *testing.T) (in installation, server *dbtest.Server, place dbtest.Place) {
	t.Helper()
	if testing.Short() {
		t.Skip("breaks a PostgreSQL of its own")
	}
	data := servertest.Data(t, "fhir", "synthea")
	server = dbtest.Own(t)
	place = server.Database(t)
	in = installation{dir: filepath.Join(t.TempDir(), "data")}
	lies(in.dir, place.URL)
	return prepareAt(t, in, data), server, place
}

// busy keeps eight clients at work at a server until the returned function is called, which gives the whole answers that they got.
func busy(in installation, p *process) (enough func() []received) {
	stop, known := make(chan struct{}), &ledger{}
	doctor := in.physician.at(p.url)
	doctor.client.Timeout = 2 * time.Minute
	var workers sync.WaitGroup
	got := make([][]received, 8)
	for w := range got {
		source := rand.New(rand.NewPCG(rand.Uint64(), uint64(w)))
		workers.Go(func() { got[w] = work(doctor, in, known, source, fmt.Sprint(w), stop) })
	}
	return func() []received {
		close(stop)
		workers.Wait()
		return slices.Concat(got...)
	}
}

// recovers waits until the server reads and writes under its log again, by itself.
func recovers(t *testing.T, in installation, p *process) {
	t.Helper()
	doctor := in.physician.at(p.url)
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		read, err := doctor.do("GET", "/fhir/Patient/"+in.patients[0], "")
		if err == nil && read.Status == http.StatusOK && !byJournal(read) {
			written, err := doctor.do("POST", "/fhir/Observation", observation(in.patients[0], "70"))
			if err == nil && written.Status == http.StatusCreated {
				return
			}
		}
		if p.over() || time.Now().After(end) {
			t.Fatalf("it does not recover: %v %d %s\n%s", err, read.Status, read.Body, p.printed)
		}
	}
}

func byJournal(a servertest.Answer) bool {
	return strings.Contains(a.Header.Get("X-Audit-Entry"), "/journal-")
}

// sound looks over what clients got through an outage: of the fives nothing but 503, and answers and acknowledged writes among the rest.
func sound(t *testing.T, all []received) {
	t.Helper()
	whole, written, refused, journaled := 0, 0, 0, 0
	for _, one := range all {
		switch {
		case one.answer.Status >= 500:
			refused++
			if one.answer.Status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d %s", one.asked, one.answer.Status, one.answer.Body)
			}
		case one.written != "":
			written++
		case one.answer.Status == http.StatusOK:
			whole++
		}
		if byJournal(one.answer) {
			journaled++
		}
	}
	t.Logf("%d disclosures (%d by the journal), %d acknowledged writes, %d times 503", whole, journaled, written, refused)
	if whole == 0 || written == 0 {
		t.Error("nothing was answered: nothing was tested")
	}
}

// PostgreSQL crashes under load, has its connections cut in mid-commit, stands still, waits for a standby that is gone. The server
// goes on by itself each time; whatever a client received has its entry, whatever it was told is stored, is, and the log holds.
func TestPostgreSQLFailsUnderLoad(t *testing.T) {
	in, server, place := onServers(t)

	t.Run("crashes", func(t *testing.T) {
		p := serve(t, in.dir)
		enough := busy(in, p)
		for range 3 {
			time.Sleep(time.Duration(200+rand.IntN(300)) * time.Millisecond)
			server.Crash(t)
			time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
			server.Restart(t)
		}
		recovers(t, in, p)
		all := enough()
		p.kill()
		sound(t, all)
		check(t, in, all, false)
	})

	t.Run("cut in mid-commit", func(t *testing.T) {
		cut := cutCommits(t, server.Dir)
		lies(in.dir, strings.ReplaceAll(place.URL, hostOf(server.Dir), hostOf(cut.dir)))
		p := serve(t, in.dir)
		enough := busy(in, p)
		cut.often.Store(10)
		eventually(t, "commits were cut before and after they happened", func() bool { return cut.before.Load() > 5 && cut.after.Load() > 5 })
		cut.often.Store(0)
		recovers(t, in, p)
		all := enough()
		p.kill()
		t.Logf("%d commits cut before they reached PostgreSQL, %d before their answer came back", cut.before.Load(), cut.after.Load())
		lies(in.dir, place.URL)
		sound(t, all)
		check(t, in, all, false)
	})

	t.Run("killed while PostgreSQL commits", func(t *testing.T) {
		cut := cutCommits(t, server.Dir)
		lies(in.dir, strings.ReplaceAll(place.URL, hostOf(server.Dir), hostOf(cut.dir)))
		p := serve(t, in.dir)
		doctor := in.physician.at(p.url)
		doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], "70"))
		cut.holds.Store(true)
		go func() { _, _ = doctor.do("POST", "/fhir/Observation", observation(in.patients[0], "72")) }() // it never hears
		select {
		case <-cut.held:
		case <-time.After(time.Minute):
			t.Fatal("no commit of the records came by")
		}
		p.kill()
		lies(in.dir, place.URL)
		next := launch(t, in.dir)
		waits := `select count(*) from pg_stat_activity where wait_event='advisory' and application_name='chartwarden records'`
		eventually(t, "the next start waits for it, or does not", func() bool {
			return value[int](t, in.dir, "records.db", waits) > 0 || listening.MatchString(next.printed.String())
		})
		close(cut.release)
		if !next.answers() {
			t.Fatalf("it does not start: %s", next.printed)
		}
		next.stop(t)
		check(t, in, nil, true)
	})

	t.Run("stands still", func(t *testing.T) {
		p := serve(t, in.dir)
		enough := busy(in, p)
		time.Sleep(300 * time.Millisecond)
		thaw := server.Freeze(t)
		time.Sleep(7 * time.Second) // longer than an append waits
		thaw()
		recovers(t, in, p)
		all := enough()
		p.kill()
		sound(t, all)
		check(t, in, all, false)
	})

	for _, f := range []struct{ name, calls, what string }{
		{"its log cannot be flushed", "fdatasync", "error=EIO:when=15"},
		{"its disk is full", "pwrite64", "error=ENOSPC:when=30"},
	} {
		t.Run(f.name, func(t *testing.T) {
			p := serve(t, in.dir)
			enough := busy(in, p)
			struck, heal := failingDisk(t, server, f.calls, f.what)
			eventually(t, "the fault ends PostgreSQL", struck)
			time.Sleep(time.Second)
			heal()
			server.Restart(t) // where it could not even recover, it gave up
			recovers(t, in, p)
			all := enough()
			p.kill()
			sound(t, all)
			check(t, in, all, false)
		})
	}

	t.Run("a lost standby", func(t *testing.T) {
		p := serve(t, in.dir)
		doctor, stranger := in.physician.at(p.url), in.colleague.at(p.url)
		doctor.client.Timeout, stranger.client.Timeout = 2*time.Minute, 2*time.Minute
		doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], "70"))
		server.LoseStandby(t)
		var all []received
		ask := func(who caller, method, path, body string) servertest.Answer {
			answer, err := who.do(method, path, body)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, received{asked: method + " " + path, answer: answer})
			return answer
		}
		path := "/fhir/Patient/" + in.patients[0]
		if a := ask(doctor, "GET", path, ""); a.Status != http.StatusOK || !byJournal(a) {
			t.Errorf("an explained read while commits wait: %d under %q", a.Status, a.Header.Get("X-Audit-Entry"))
		}
		if a := ask(stranger, "GET", path, ""); a.Status == http.StatusOK {
			t.Errorf("an unexplained read while commits wait: %d", a.Status)
		}
		if a := ask(doctor, "POST", "/fhir/Observation", observation(in.patients[0], "71")); a.Status != http.StatusServiceUnavailable {
			t.Errorf("a write while commits wait: %d %s", a.Status, a.Body)
		}
		if a := ask(doctor, "GET", "/readyz", ""); a.Status != http.StatusServiceUnavailable {
			t.Errorf("readyz: %d", a.Status)
		}
		server.FindStandby(t)
		recovers(t, in, p)
		doctor.want(t, http.StatusNoContent, "GET", "/readyz", "")
		p.kill()
		check(t, in, all, false)
	})
}

// failingDisk makes calls of all processes of a PostgreSQL fail, and tells whether one did and ended the server for it, which recovers by
// itself then. Each process begins to count anew.
func failingDisk(t *testing.T, server *dbtest.Server, calls, what string) (struck func() bool, heal func()) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "trace")
	said := &lines{}
	words := []string{"-f", "-o", record, "-e", "trace=" + calls, "-e", "signal=none", "-e", "inject=" + calls + ":" + what}
	for _, pid := range server.Processes(t) {
		words = append(words, "-p", strconv.Itoa(pid))
	}
	c := command(tracer(t), words...)
	c.Stderr = said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	heal = sync.OnceFunc(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // it lets go of what it traces
		<-ended
	})
	t.Cleanup(heal)
	eventually(t, "strace attaches", func() bool {
		select {
		case <-ended:
			t.Skip("ptrace is not permitted here: " + strings.TrimSpace(said.String()))
		default:
		}
		return strings.Contains(said.String(), " attached")
	})
	return func() bool {
		b, err := os.ReadFile(record)
		return err == nil && struckIn(b) && strings.Contains(string(b), "+++ exited with 2 +++") // as all do when one failed so
	}, heal
}
