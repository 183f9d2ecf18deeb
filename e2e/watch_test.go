package e2e

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/ingest"
	"chartwarden/internal/simulate"
)

// exported writes the log of a simulated hospital as the tables of another system, a file a day, and gives the directory of its context.
func exported(t testing.TB, dir string, days int) (contextDir string, tables []string) {
	t.Helper()
	out := filepath.Join(dir, "simulated")
	if _, err := simulate.Run(simulate.Options{Seed: 5, Staff: 200, Patients: 2000, Days: 10, Out: out}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(out, "log.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	day := ""
	for in.Scan() {
		e, why := ingest.Event(in.Text())
		if why != "" || len(e.Patients) != 1 || !strings.HasPrefix(e.Agent, "Practitioner/") {
			continue
		}
		at := time.Unix(e.Time, 0).UTC()
		if today := at.Format(time.DateOnly); today != day {
			if len(tables) == days {
				break
			}
			day = today
			tables = append(tables, "ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\tworkstation\n")
		}
		tables[len(tables)-1] += strings.Join([]string{at.Format("2006-01-02 15:04:05"), e.Agent[len("Practitioner/"):], e.Patients[0][len("Patient/"):], "MR_SNAPSHOT", strings.TrimPrefix(e.Device, "Device/")}, "\t") + "\n"
	}
	return filepath.Join(out, "context"), tables
}

// The pages of an installation that watches another system, as the guide has it begun: the queue, a case, how the log comes.
func TestCaseOfAnotherSystem(t *testing.T) {
	needsBrowser(t)
	dir := t.TempDir()
	contextDir, tables := exported(t, dir, 4)
	data, incoming := filepath.Join(dir, "data"), filepath.Join(dir, "incoming")
	if err := os.Mkdir(incoming, 0o700); err != nil {
		t.Fatal(err)
	}
	drop := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(incoming, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "init", "--data", data, "--sandbox", "--admin", "Ruth Adeyemi")
	officer := hospital{dir: data}.hired(t, "Omar Haddad", "privacy")
	p, err := launch("watch", "--data", data, "--context", contextDir, "--incoming", incoming, "--zone", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	b := browse(t, p.base)
	b.open("/sign-in")
	if status := b.signIn(officer, officer.code(t, 0)); status != 200 {
		t.Fatalf("%d\n%s", status, b.text())
	}
	b.open("/privacy/cases")
	b.says("Nothing has come of the watched log yet", "No case waits")
	b.silent("href=\"/day\"", "href=\"/privacy/reviews\"")
	for i, text := range tables {
		drop("access-2026-01-0"+string(rune('5'+i))+".tsv", text)
	}
	drop("access-broken.tsv", tables[0][:strings.IndexByte(tables[0], '\n')+1]+"yesterday\tU1\tP1\tMR_SNAPSHOT\tW1\n2026-01-09 08:00:00\n")
	drop("notes.txt", "what is this?\nno table\n")
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		b.open("/privacy/feed")
		if text := fold(ask[string](b, `document.body.textContent`)); strings.Contains(text, "notes.txt") && strings.Contains(text, "the time fits no layout") && strings.Contains(text, "access-2026-01-08.tsv") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is not all told:\n%s", b.text())
		}
	}
	b.says("How the log comes", "Not read, or not to the end: notes.txt", "2 rejected", "Rejected lines")
	b.fits("watch-feed")
	b.open("/privacy/cases?queue=review")
	b.says("Part of the watched log is not read", "Provisional")
	if err := os.Remove(filepath.Join(incoming, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); !strings.Contains(fold(b.text()), "watched log: access-broken.tsv"); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(b.text())
		}
		b.open("/privacy/cases?queue=review")
	}
	b.says("2 lines rejected", "Provisional")
	b.fits("watch-queue")
	b.open(ask[string](b, `document.querySelector('.preview a[href^="/privacy/cases/"]').getAttribute('href')`))
	b.says("Take this case", "Patients are masked", "sealed as they came")
	b.fits("watch-case-new")
	b.follow("Take this case")
	b.says("Write down an answer", "no account here")
	b.touchable()
	b.touch("[name=act][value=heard]")
	b.fill("text", "By telephone: the ward had asked for help")
	b.follow("Record it")
	b.says("wrote down an answer")
	b.touch("Show the patients’ numbers, with a reason")
	b.fill("names", "To look at the charts in the other system")
	b.follow("button[value=names]")
	b.says("You see the numbers under which the other system has the patients")
	b.fits("watch-case")
	b.expect(400)
	b.open("/chart/1")
	b.says("holds no charts")
	b.fits("watch-no-charts")
}
