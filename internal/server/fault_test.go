package server_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fault is what the kernel does to the server at the n-th of some system calls on some of its files.
type fault struct {
	name  string
	files []string // below the data directory
	calls string
	what  string // as strace injects it
	last  int    // n goes up to here
	fatal bool   // nothing may go into the log after it: a page may be gone although a retry succeeds
}

var (
	logFiles     = []string{"audit.db", "audit.db-wal"}
	headFiles    = []string{"heads/head.log", "heads"}
	journalFiles = []string{"journal/emergency.journal", "journal/emergency.journal.new", "journal"}
	recordFiles  = []string{"records.db", "records.db-wal"}
)

const (
	writes  = "write,pwrite64"
	syncs   = "fsync,fdatasync"
	renames = "rename,renameat,renameat2"
)

// stride is the step from one n to the next among 160: FAULT_STRIDE=1 tries each.
func stride() int {
	if n, err := strconv.Atoi(os.Getenv("FAULT_STRIDE")); err == nil && n > 0 {
		return n
	}
	return 80
}

// step is the stride, shortened for what has few calls.
func (f fault) step() int { return max(1, f.last*stride()/160) }

// first is where the steps begin: somewhere else in each run, so that many runs try every call.
func (f fault) first() int { return 1 + rand.IntN(f.step()) }

// While the server runs, disk faults and death hit the log, its head file, the journal and the records at one system call after
// another. Nothing is disclosed without an entry, nothing acknowledged is lost, nothing goes into a log whose disk has failed, and
// the installation is whole when it starts again.
func TestFaultsWhileServing(t *testing.T) {
	onFiles(t)
	if testing.Short() {
		t.Skip("drives the built program, of which the race detector sees nothing")
	}
	faults := []fault{
		{"log write EIO", logFiles, writes, "error=EIO", 160, true},
		{"log write ENOSPC", logFiles, writes, "error=ENOSPC", 160, false},
		{"log write killed", logFiles, writes, "signal=KILL", 160, false},
		{"log sync EIO", logFiles, syncs, "error=EIO", 12, true},
		{"log sync killed", logFiles, syncs, "signal=KILL", 12, false},
		{"head file write ENOSPC", headFiles, writes, "error=ENOSPC", 1, false},
		{"head file sync EIO", headFiles, syncs, "error=EIO", 1, false},
		{"log and journal gone", append(logFiles, journalFiles...), writes, "error=EIO", 1, true},
		{"log and journal sync gone", append(logFiles, journalFiles...), syncs, "error=EIO", 1, true},
		{"records write EIO", recordFiles, writes, "error=EIO", 120, false},
		{"records write ENOSPC", recordFiles, writes, "error=ENOSPC", 120, false},
		{"records write killed", recordFiles, writes, "signal=KILL", 120, false},
		{"records sync EIO", recordFiles, syncs, "error=EIO", 4, false},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			hit := false
			at := func(n int) {
				t.Logf("n %d", n)
				in := install(t)
				p := serve(t, in.dir)
				when := strconv.Itoa(n)
				if f.last == 1 {
					when = "1+"
				}
				struck := attach(t, p, in.dir, f, when)
				got := visit(t, in, p, f.fatal)
				hit = struck(len(got) < visits) || hit
				p.kill()
				check(t, in, got, false)
			}
			for n := f.first(); n <= f.last; n += f.step() {
				at(n)
			}
			for n := f.last / 8; !hit && n > 0; n /= 2 { // fewer calls than usual were made: group commits are larger on a busy machine
				at(n)
			}
			if !hit {
				t.Error("no fault was injected: the test looks at the wrong files or calls")
			}
		})
	}
}

// Faults at every step of a start that has an emergency journal to merge. Only without its records does the server not start, and says
// so; no answer of before and after loses its entry.
func TestFaultsWhileStarting(t *testing.T) {
	onFiles(t)
	if testing.Short() {
		t.Skip("drives the built program, of which the race detector sees nothing")
	}
	for _, f := range []fault{
		{"log write EIO", logFiles, writes, "error=EIO", 60, false},
		{"log write ENOSPC", logFiles, writes, "error=ENOSPC", 60, false},
		{"log write killed", logFiles, writes, "signal=KILL", 60, false},
		{"log sync EIO", logFiles, syncs, "error=EIO", 6, false},
		{"records write EIO", recordFiles, writes, "error=EIO", 20, false},
		{"head sync EIO", headFiles, syncs, "error=EIO", 1, false},
		{"journal rename EIO", journalFiles, renames, "error=EIO", 1, false},
		{"journal rename killed", journalFiles, renames, "signal=KILL", 1, false},
		{"journal write ENOSPC", journalFiles, writes, "error=ENOSPC", 20, false},
		{"journal write killed", journalFiles, writes, "signal=KILL", 20, false},
		{"journal sync EIO", journalFiles, syncs, "error=EIO", 2, false},
		{"journal sync killed", journalFiles, syncs, "signal=KILL", 2, false},
	} {
		t.Run(f.name, func(t *testing.T) {
			hit := false
			for n := f.first(); n <= f.last; n += f.step() {
				t.Logf("n %d", n)
				in := install(t)
				p := serve(t, in.dir)
				attach(t, p, in.dir, fault{files: logFiles, calls: writes, what: "error=ENOSPC"}, "1+") // not EIO, which ends the process
				got := visit(t, in, p, true)
				p.kill()
				if !slices.ContainsFunc(got, func(r received) bool { return strings.Contains(r.answer.Header.Get("X-Audit-Entry"), "/journal-") }) {
					t.Fatal("nothing stands in the journal: the start has nothing to merge")
				}
				record := filepath.Join(t.TempDir(), "trace")
				p, ok := tryServe(t, in.dir, f.tracing(t, in.dir, record, strconv.Itoa(n))...)
				died := !ok
				if ok {
					after := visit(t, in, p, false)
					died = len(after) < visits
					got = append(got, after...)
				} else if out := p.printed.String(); !f.kills() && (!strings.HasPrefix(f.name, "records") || !strings.Contains(out, "chartwarden: ")) {
					t.Errorf("n %d: the server does not start, or says nothing: %q", n, out)
				}
				p.kill()
				b, err := os.ReadFile(record)
				if err != nil {
					t.Fatal(err)
				}
				hit = hit || struckIn(b) || died && f.kills()
				check(t, in, got, false)
			}
			if !hit {
				t.Error("no fault was injected: the test looks at the wrong files or calls")
			}
		})
	}
}

// Whatever is wrong with the log's database, charts of one's own patients open under the emergency journal, also after a restart, and
// nothing else does; once the disk is whole again the journal is merged.
func TestStartWithoutTheLog(t *testing.T) {
	onFiles(t)
	for name, spoil := range map[string]func(t *testing.T, dir string) (before []string, mend func()){
		"writes fail": func(t *testing.T, dir string) ([]string, func()) {
			f := fault{files: logFiles, calls: writes, what: "error=EIO"}
			return f.tracing(t, dir, filepath.Join(t.TempDir(), "trace"), "1+"), func() {}
		},
		"the file is no database": func(t *testing.T, dir string) ([]string, func()) {
			path := filepath.Join(dir, "audit.db")
			if err := os.Rename(path, path+".good"); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return nil, func() {
				if err := os.Rename(path+".good", path); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := install(t)
			before, mend := spoil(t, in.dir)
			p := serve(t, in.dir, before...)
			got := visit(t, in, p, true)
			opened := 0
			for _, one := range got {
				entry := one.answer.Header.Get("X-Audit-Entry")
				if one.written != "" || entry != "" && !strings.Contains(entry, "/journal-") {
					t.Errorf("%s: %d under entry %q without the log", one.asked, one.answer.Status, entry)
				}
				if one.answer.Status == http.StatusOK {
					opened++
				}
			}
			if opened == 0 {
				t.Error("no chart opens by the emergency journal")
			}
			p.kill()
			mend()
			check(t, in, got, false)
		})
	}
}

func tracer(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not here")
	}
	return path
}

// tracing are the words in front of a program that starts under a fault; the tracer is no parent of it. A signal does not come with
// the fast filter.
func (f fault) tracing(t testing.TB, dir, record, n string) []string {
	words := []string{tracer(t), "-D", "-f"}
	if !f.kills() {
		words = append(words, "--seccomp-bpf")
	}
	return append(words, f.words(dir, record, n)...)
}

// words are strace's for a fault at the n-th call.
func (f fault) words(dir, record, n string) []string {
	out := []string{"-o", record, "-e", "trace=" + f.calls, "-e", "signal=none", "-e", "inject=" + f.calls + ":" + f.what + ":when=" + n}
	for _, name := range f.files {
		out = append(out, "-P", filepath.Join(dir, name))
	}
	return out
}

// attach lets a fault wait for a running server and gives a function that says whether it struck.
func attach(t testing.TB, p *process, dir string, f fault, n string) (struck func(died bool) bool) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "trace")
	said := &lines{}
	c := command(tracer(t), append([]string{"-f", "-p", strconv.Itoa(p.command.Process.Pid)}, f.words(dir, record, n)...)...)
	c.Stderr = said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // it ends with the server
		close(ended)
	}()
	t.Cleanup(func() { p.kill(); <-ended })
	for end := time.Now().Add(20 * time.Second); !strings.Contains(said.String(), " attached"); time.Sleep(5 * time.Millisecond) {
		select {
		case <-ended:
			t.Skip("ptrace is not permitted here: " + strings.TrimSpace(said.String()))
		default:
		}
		if time.Now().After(end) {
			t.Fatal("strace does not attach: " + said.String())
		}
	}
	return func(died bool) bool {
		if died && f.kills() {
			<-p.ended
			return true
		}
		for end := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if b, err := os.ReadFile(record); err == nil && struckIn(b) {
				return true
			}
			if f.last > 1 || time.Now().After(end) { // what runs once a second is worth waiting for
				return false
			}
		}
	}
}

func struckIn(record []byte) bool { return strings.Contains(string(record), "INJECTED") }

func (f fault) kills() bool { return strings.Contains(f.what, "KILL") }

// visits is the number of requests of a visit.
const visits = 24

// visit puts a mixed load on the server: reads, searches, writes, refusals, the glass. What comes whole is kept. After the first
// sign of a fatal fault nothing may be answered under an entry of the log again.
func visit(t *testing.T, in installation, p *process, fatal bool) (out []received) {
	t.Helper()
	doctor, stranger, clerk := in.physician.at(p.url), in.colleague.at(p.url), in.clerk.at(p.url)
	failed := false
	for i := range visits / 6 {
		patient := in.patients[i%len(in.patients)]
		for _, step := range []struct {
			who          caller
			method, path string
			body         string
			header       []string
		}{
			{doctor, "GET", "/fhir/Patient/" + patient, "", nil},
			{doctor, "POST", "/fhir/Observation", observation(patient, strconv.Itoa(60+i)), nil},
			{stranger, "GET", "/fhir/Condition?patient=" + patient, "", nil},
			{doctor, "GET", "/fhir/Observation?patient=" + patient + "&_count=5", "", nil},
			{stranger, "GET", "/fhir/Condition?patient=" + patient, "", []string{"X-Break-Glass", "emergency"}},
			{clerk, "GET", "/fhir/Patient?_count=2", "", nil},
		} {
			answer, err := step.who.do(step.method, step.path, step.body, step.header...)
			if err != nil {
				return out
			}
			one := received{asked: step.method + " " + step.path, answer: answer}
			entry := answer.Header.Get("X-Audit-Entry")
			if answer.Status == http.StatusCreated {
				_, one.written, _ = strings.Cut(answer.Header.Get("Location"), "/fhir/")
			}
			if answer.Status >= 500 && answer.Status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d %s", one.asked, answer.Status, answer.Body)
			}
			journal := strings.Contains(entry, "/journal-")
			if fatal && failed && entry != "" && !journal {
				t.Errorf("%s: answered under entry %s after the log's disk had failed", one.asked, entry)
			}
			failed = failed || journal || answer.Status == http.StatusServiceUnavailable
			out = append(out, one)
		}
	}
	return out
}
