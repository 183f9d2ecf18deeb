package server_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A sync that fails ends the process, whichever database it was for: it says so and exits with 2. What it had answered until then has
// its entry, what it acknowledged is stored, and the next start finds everything whole.
func TestADiskErrorEndsTheServer(t *testing.T) {
	onFiles(t)
	if testing.Short() {
		t.Skip("drives the built program, of which the race detector sees nothing")
	}
	for _, name := range []string{"audit.db", "records.db"} {
		t.Run(name, func(t *testing.T) {
			for n := 1; n <= 5; n += 2 {
				in := install(t)
				p := serve(t, in.dir)
				attach(t, p, in.dir, fault{files: []string{name + "-wal"}, calls: syncs, what: "error=EIO", last: n}, strconv.Itoa(n))
				var got []received
				for !p.over() && len(got) < 20*visits { // the heartbeat would do it too, in a minute
					got = append(got, visit(t, in, p, name == "audit.db")...)
				}
				p.endsByItself(t, name+": the disk failed")
				check(t, in, got, false)
			}
		})
	}
}

// A log whose database fails soon after each start is left alone by the start after: care goes on by the journal, and does not end again
// and again. The start after that one tries the log.
func TestALogThatFailsAgainAndAgain(t *testing.T) {
	onFiles(t)
	if testing.Short() {
		t.Skip("drives the built program, of which the race detector sees nothing")
	}
	in := install(t)
	broken := fault{files: []string{"audit.db-wal"}, calls: syncs, what: "error=EIO", last: 1}
	p := serve(t, in.dir)
	attach(t, p, in.dir, broken, "1+")
	got := visit(t, in, p, true)
	p.endsByItself(t, "audit.db: the disk failed")

	p = serve(t, in.dir)
	attach(t, p, in.dir, broken, "1+") // nothing that it does reaches that file
	got = append(got, visit(t, in, p, true)...)
	last := got[len(got)-visits:]
	if !slices.ContainsFunc(last, func(r received) bool { return strings.Contains(r.answer.Header.Get("X-Audit-Entry"), "/journal-") }) {
		t.Error("no chart opens by the emergency journal")
	}
	p.stop(t)

	p = serve(t, in.dir)
	in.physician.at(p.url).want(t, http.StatusNoContent, "GET", "/readyz", "")
	p.stop(t)
	check(t, in, got, false)
}

// endsByItself waits for the process to end as one does that cannot go on.
func (p *process) endsByItself(t testing.TB, says string) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		t.Fatalf("the server goes on after its disk failed:\n%s", p.printed)
	}
	if code := p.command.ProcessState.ExitCode(); code != 2 || !strings.Contains(p.printed.String(), says) {
		t.Fatalf("the server ended with exit %d, want 2 and %q:\n%s", code, says, p.printed)
	}
}
