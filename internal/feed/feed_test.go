package feed

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/ingest"
	"chartwarden/internal/seal"
)

// intray is a directory into which files come, and what is taken of them.
type intray struct {
	*Store
	t    *testing.T
	dir  string
	disk *db.DB
	box  *seal.Box
	form ingest.Form
	now  time.Time
}

func newIntray(t *testing.T, form ingest.Form) *intray {
	t.Helper()
	place := dbtest.New(t)
	custodian, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Create(t.Context(), place.Open(t, "keys"), custodian, true)
	if err != nil {
		t.Fatal(err)
	}
	in := &intray{t: t, dir: t.TempDir(), disk: place.Open(t, "records"), box: ring.Box("feed"), form: form, now: time.Now().Add(time.Hour)}
	in.again()
	return in
}

// again opens the store anew, as after a crash.
func (in *intray) again() {
	in.t.Helper()
	s, err := Open(in.t.Context(), Options{DB: in.disk, Box: in.box, Dir: in.dir, Form: in.form, Now: func() time.Time { return in.now }})
	if err != nil {
		in.t.Fatal(err)
	}
	in.Store = s
}

func (in *intray) put(name, text string) {
	in.t.Helper()
	if err := os.WriteFile(filepath.Join(in.dir, name), []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
}

func (in *intray) scan() {
	in.t.Helper()
	if _, err := in.Scan(in.t.Context()); err != nil {
		in.t.Fatal(err)
	}
}

// text is all that was taken, in order; a line that was left out stands as !line.
func (in *intray) text() string {
	in.t.Helper()
	pieces, err := in.After(in.t.Context(), 0, 1<<20)
	if err != nil {
		in.t.Fatal(err)
	}
	var out strings.Builder
	next := map[string]int{}
	for i, p := range pieces {
		if p.Number != int64(i+1) {
			in.t.Errorf("piece %d is numbered %d", i, p.Number)
		}
		if was := next[p.File]; was != 0 && was != p.First && len(next) == 1 && p.File != "events.ndjson" {
			in.t.Errorf("%s: a piece begins with line %d, want %d", p.File, p.First, was)
		}
		next[p.File] = p.First + strings.Count(p.Text, "\n")
		if p.Why != "" {
			next[p.File]++
			fmt.Fprintf(&out, "!%d\n", p.First)
		}
		out.WriteString(p.Text)
	}
	return out.String()
}

func (in *intray) want(text string) {
	in.t.Helper()
	if got := in.text(); got != text {
		in.t.Errorf("taken:\n%.300q\nwant:\n%.300q", got, text)
	}
}

func events(from, to int) string {
	var out strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&out, `{"resourceType":"AuditEvent","id":"e%d","text":"%s"}`+"\n", i, strings.Repeat("x", i%50))
	}
	return out.String()
}

// However a file grows, wherever a start is cut short: each byte of it is taken once.
func TestAGrowingFileIsTakenOnce(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	whole := events(0, 6000)
	random := rand.New(rand.NewPCG(1, 1))
	path := filepath.Join(in.dir, "growing.ndjson")
	for at := 0; at < len(whole); {
		n := min(1+random.IntN(60_000), len(whole)-at)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.WriteString(whole[at : at+n])
		if at += n; f.Close() != nil {
			t.Fatal("close")
		}
		in.now = time.Now() // the file may still grow
		switch random.IntN(3) {
		case 0:
			in.again()
		case 1: // cut short in the middle
			ctx, stop := context.WithCancel(t.Context())
			go stop()
			_, _ = in.Scan(ctx)
			continue
		}
		in.scan()
	}
	in.scan()
	in.want(whole)
	in.again()
	in.scan()
	in.want(whole)
}

// A file is known by what is in it: moved away, copied or packed it is not taken again, and a new one of its name is.
func TestAFileIsKnownByItsContent(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	in.put("events.ndjson", events(0, 100))
	in.scan()
	if err := os.Rename(filepath.Join(in.dir, "events.ndjson"), filepath.Join(in.dir, "events-1.ndjson")); err != nil {
		t.Fatal(err)
	}
	in.put("events.ndjson", events(100, 150))
	in.put("copy.ndjson", events(0, 100))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(events(0, 100) + events(500, 510)))
	_ = z.Close()
	in.scan()
	in.put("late.ndjson.gz", packed.String())
	in.scan()
	in.want(events(0, 100) + events(100, 150) + events(500, 510))
}

// What is not finished waits: half a line, half an archive, a file that is still being copied under another name.
func TestWhatIsNotFinishedWaits(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	in.now = time.Now()
	in.put("a.ndjson", events(0, 2)+"{\"resource")
	in.put("b.ndjson.part", events(2, 3))
	in.put("c.ndjson.gz", "\x1f\x8b\x08")
	in.scan()
	in.want(events(0, 2))
	in.now = in.now.Add(50 * time.Minute) // who writes by blocks leaves half a row for long
	in.scan()
	in.want(events(0, 2))
	in.now = in.now.Add(20 * time.Minute) // nobody writes any more
	in.scan()
	in.want(events(0, 2) + "{\"resource")
	files, err := in.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || files[0].Name != "a.ndjson" || files[0].Trouble != "" || files[1].Name != "c.ndjson.gz" || files[1].Trouble == "" {
		t.Errorf("%+v", files)
	}
}

// The last row of a file without an end is taken when it is one by itself, or when the next file was begun.
func TestALastRowWithoutAnEnd(t *testing.T) {
	whole := strings.TrimSuffix(events(0, 2), "\n")
	in := newIntray(t, ingest.Form{})
	in.now = time.Now().Add(time.Minute)
	in.put("a.ndjson", whole)
	in.scan()
	in.want(whole)

	const header = "ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\tworkstation\n"
	in = newIntray(t, ingest.Form{Name: "auto", Zone: time.UTC})
	row := "2026-03-01 10:01:00\tU1\tP1\tMR_SNAPSHOT\tW1\n"
	in.now = time.Now().Add(time.Minute)
	in.put("day1.tsv", header+row+row[:len(row)-4]) // the device may go on
	in.scan()
	in.want(row)
	in.put("day1.tsv", header+row+row)
	in.scan()
	in.want(row + row)
	in.put("day1.tsv", header+row+row+strings.TrimSuffix(row, "\n"))
	in.scan()
	in.want(row + row)
	in.now = in.now.Add(time.Minute)
	in.put("day2.tsv", header+strings.ReplaceAll(row, "-01 10", "-02 10"))
	in.scan()
	in.scan()
	if got := in.text(); strings.Count(got, "-01 10:01:00") != 3 || strings.Count(got, "-02 10:01:00") != 1 {
		t.Errorf("%q", got)
	}
}

// Two tables of many columns are two, though their headers are long.
func TestLongHeaders(t *testing.T) {
	m, err := ingest.FormOf("", "ours.map", "format: ours\nseparator: comma\nzone: UTC\ntime: Zeit\nlayout: yyyy-MM-dd HH:mm\nperson login: Person\npatient nr: Patient\nevent: Was\n", "")
	if err != nil {
		t.Fatal(err)
	}
	header := "Zeit,Person,Patient,Was"
	for i := range 600 {
		header += fmt.Sprintf(",Spalte %d", i)
	}
	in := newIntray(t, m)
	row := func(day int) string {
		return fmt.Sprintf("2026-01-0%d 10:00,a,b,read", day) + strings.Repeat(",", 600) + "\n"
	}
	in.put("a.csv", header+"\n"+row(1)+row(2))
	in.scan()
	in.put("b.csv", header+"\n"+row(3))
	in.scan()
	in.want(row(1) + row(2) + row(3))
}

func TestTablesByTheirHeader(t *testing.T) {
	const header = "ACCESS_TIME\tUSER_ID\tPAT_ID\tMETRIC_NAME\tworkstation\n"
	in := newIntray(t, ingest.Form{Name: "auto"})
	row := func(i int) string { return fmt.Sprintf("2026-03-01 10:%02d:00\tU%d\tP%d\tMR_SNAPSHOT\tW1\n", i, i, i) }
	in.put("day1.tsv", header+row(1)+row(2))
	in.put("other.tsv", "a\tb\n1\t2\n")
	in.scan()
	files, _ := in.Files(t.Context())
	if len(files) != 2 || !strings.Contains(files[0].Trouble+files[1].Trouble, "--zone") || !strings.Contains(files[0].Trouble+files[1].Trouble, "no header of a known export") {
		t.Errorf("%+v", files)
	}
	in.want("")
	in.form.Zone = time.UTC
	in.again()
	in.scan()
	in.put("day2.tsv", header+row(3))
	in.scan()
	in.want(row(1) + row(2) + row(3))
	pieces, err := in.After(t.Context(), 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	if p := pieces[1]; p.Header != header || p.First != 2 || p.Form.Map == nil || p.Form.Map.Name != "epic-research" || p.Form.Zone != time.UTC {
		t.Errorf("%+v", p)
	}
	if e, ok := pieces[1].Row(2); !ok || e.Device != "Device/W1" {
		t.Errorf("%+v %v", e, ok)
	}
}

// A line without end takes no memory and hides nothing that follows it; one that opens a quote costs itself.
func TestALongLine(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	in.put("a.ndjson", events(0, 3)+strings.Repeat("x", 3*longest)+"\n"+events(3, 5))
	in.scan()
	in.want(events(0, 3) + "!4\n" + events(3, 5))
	if testing.Short() {
		return
	}
	csv := "Zeit,Person,Patient,Was\n"
	m, err := ingest.FormOf("", "ours.map", "format: ours\nquote: yes\nseparator: comma\nzone: UTC\ntime: Zeit\nlayout: yyyy-MM-dd HH:mm\nperson login: Person\npatient nr: Patient\nevent: Was\n", "")
	if err != nil {
		t.Fatal(err)
	}
	in = newIntray(t, m)
	rest := strings.Repeat("2026-01-01 10:00,a,b,read\n", longest/26+10)
	in.put("a.csv", csv+"2026-01-01 10:00,\"a,b,read\n"+rest)
	in.scan()
	in.want("!2\n" + rest)
}

// Messages of the network lie as they came, framed so that they are read again one by one.
func TestMessagesOfTheNetwork(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	for i := range 3 {
		if err := in.Append(t.Context(), "syslog", time.UTC, []string{fmt.Sprintf("<85>1 message %d", i), "<85>1 two\nlines"}); err != nil {
			t.Fatal(err)
		}
		in.again()
	}
	if got := in.text(); strings.Count(got, "15 <85>1 message") != 3 || strings.Count(got, "15 <85>1 two\nlines\n") != 3 {
		t.Errorf("%q", got)
	}
	if files, err := in.Files(t.Context()); err != nil || len(files) != 1 || files[0].Name != "syslog" {
		t.Errorf("%v %v", files, err)
	}
}

// Nothing of what came lies in clear, and a row that was altered is not believed.
func TestItLiesSealed(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	in.put("secret-name.ndjson", events(0, 3))
	in.scan()
	for _, q := range []string{`select sealed from feed_piece`, `select sealed from feed_file`} {
		var sealed []byte
		if err := in.disk.Reader().QueryRowContext(t.Context(), q).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("AuditEvent")) || bytes.Contains(sealed, []byte("secret-name")) {
			t.Error("it lies in clear")
		}
	}
	if err := in.disk.Write(t.Context(), exec(`update feed_piece set came = came + 1`)); err != nil {
		t.Fatal(err)
	}
	if _, err := in.After(t.Context(), 0, 9); err == nil {
		t.Error("an altered piece was read")
	}
}

func exec(text string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error { _, err := tx.Exec(text); return err }
}

// Of several processes on one database one takes the files; another that takes over goes on where it was.
func TestOneProcessTakesTheFiles(t *testing.T) {
	in := newIntray(t, ingest.Form{})
	mine := false
	in.o.Mine = func() bool { return mine }
	in.put("a.ndjson", events(0, 5))
	in.scan()
	in.want("")
	mine = true
	in.scan()
	in.want(events(0, 5))
	first := in.Store
	in.again()
	in.put("a.ndjson", events(0, 9))
	in.scan()
	if _, err := first.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.want(events(0, 9))
}
