package server_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/audit"
)

// verify runs `audit verify` and gives its faults; it fails the test when the exit code does not say what the report says.
func verify(t testing.TB, dir string, more ...string) []audit.Fault {
	t.Helper()
	out, complaint, code := run(t, append([]string{"audit", "verify", "--data", dir, "--json"}, more...)...)
	var report audit.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("audit verify: exit %d, %v\n%s%s", code, err, out, complaint)
	}
	if want := min(1, len(report.Faults)); code != want {
		t.Errorf("audit verify: exit %d with %d faults", code, len(report.Faults))
	}
	return report.Faults
}

// holds is verify for what must have no fault.
func holds(t testing.TB, dir string, more ...string) {
	t.Helper()
	for _, f := range verify(t, dir, more...) {
		t.Errorf("verify: %s", f)
	}
}

// grown is a stopped installation with some hundred entries and a resource of three versions.
func grown(t testing.TB) (in installation, updated string) {
	t.Helper()
	in = install(t)
	p := serve(t, in.dir)
	doctor := in.physician.at(p.url)
	made := doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], "60"))
	updated = resourcesIn(t, made.Body)[0].ref()
	for _, value := range []string{"61", "62"} {
		body := strings.Replace(observation(in.patients[0], value), `"Observation",`, `"Observation","id":"`+strings.TrimPrefix(updated, "Observation/")+`",`, 1)
		doctor.want(t, http.StatusOK, "PUT", "/fhir/"+updated, body)
	}
	for i := range 300 {
		doctor.want(t, http.StatusOK, "GET", "/fhir/Patient/"+in.patients[i%len(in.patients)], "")
	}
	p.stop(t)
	return in, updated
}

// statements carries out SQL on one database file or schema, as somebody who owns the disk or the database could.
func statements(t testing.TB, dir, file string, all ...string) {
	t.Helper()
	d := openFile(t, dir, file)
	defer d.Close()
	for _, one := range all {
		if _, err := d.Exec(said(one)); err != nil {
			t.Fatalf("%s: %v", one, err)
		}
	}
}

func openFile(t testing.TB, dir, file string) *sql.DB {
	t.Helper()
	d, err := openTables(dir, file)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// value reads one value of a database file.
func value[T any](t testing.TB, dir, file, query string) (v T) {
	t.Helper()
	d := openFile(t, dir, file)
	defer d.Close()
	if err := d.QueryRow(said(query)).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// Whoever owns the disk and changes what is stored, in the tables or under them, is found out by `audit verify`, which says where.
func TestTamperingIsNamed(t *testing.T) {
	base, updated := grown(t)
	holds(t, base.dir)
	origin := value[string](t, base.dir, "audit.db", `select origin from log`)
	size := value[int64](t, base.dir, "audit.db", `select max(at) from head`)
	const victim = 300
	at := func(index int64) func(audit.Fault) bool {
		return func(f audit.Fault) bool { return f.Log == origin && f.Index == index }
	}
	inLog := func(word string) func(audit.Fault) bool {
		return func(f audit.Fault) bool { return f.Log == origin && strings.Contains(f.What, word) }
	}
	version := func(n int) func(audit.Fault) bool {
		return func(f audit.Fault) bool { return f.Record == fmt.Sprintf("%s version %d", updated, n) }
	}
	rec := value[int64](t, base.dir, "records.db", `select rec from version where vid=2 limit 1`)
	other := value[int64](t, base.dir, "records.db", fmt.Sprintf(`select rec from resource where rec<>%d and patient=(select patient from resource where rec=%d) limit 1`, rec, rec))
	stranger := value[int64](t, base.dir, "records.db", fmt.Sprintf(`select patient from patient where patient<>(select patient from resource where rec=%d) limit 1`, rec))
	sql := func(file string, all ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { statements(t, dir, file, all...) }
	}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		named func(audit.Fault) bool
	}{
		{"entry byte", sql("audit.db", fmt.Sprintf(`update entry set bytes=%s where at=%d`, flipped("bytes"), victim)), at(victim)},
		{"entry byte on the disk", raw("audit.db", fmt.Sprintf(`select bytes from entry where at=%d`, victim)), at(victim)},
		{"early entry byte", sql("audit.db", `update entry set bytes=`+flipped("bytes")+` where at=7`), at(7)},
		{"entry deleted", sql("audit.db", fmt.Sprintf(`delete from entry where at=%d`, victim)), at(victim)},
		{"entries swapped", sql("audit.db", `update entry set at=-1 where at=40`, `update entry set at=40 where at=41`, `update entry set at=41 where at=-1`), at(40)},
		{"entry added", sql("audit.db", fmt.Sprintf(`insert into entry(at, bytes) select %d, bytes from entry where at=%d`, size, victim)), at(size)},
		{"payload byte", sql("audit.db", fmt.Sprintf(`update payload set sealed=%s where id=%d<<12|1`, flipped("sealed"), victim)), at(victim)},
		{"payload byte on the disk", raw("audit.db", fmt.Sprintf(`select sealed from payload where id=%d<<12`, victim)), at(victim)},
		{"payload part deleted", sql("audit.db", fmt.Sprintf(`delete from payload where id=%d<<12|1`, victim)), at(victim)},
		{"payload deleted", sql("audit.db", fmt.Sprintf(`delete from payload where id>>12=%d`, victim)), at(victim)},
		{"payload swapped", sql("audit.db", fmt.Sprintf(`update payload set sealed=(select sealed from payload where id=%d<<12) where id=%d<<12`, victim-1, victim)), at(victim)},
		{"payload passed off as redacted", sql("audit.db", fmt.Sprintf(`update payload set sealed=zeroblob(32) where id=%d<<12|1`, victim)), at(victim)},
		{"tile byte", sql("audit.db", `update tile set data=`+flipped("data")+` where id=0`), at(255)},
		{"tile deleted", sql("audit.db", `delete from tile where id=0`), inLog("tile")},
		{"head byte", sql("audit.db", `update head set note=replace(note, substr(note, 40, 1), case substr(note, 40, 1) when 'x' then 'y' else 'x' end) where at=(select max(at) from head)`), inLog("head")},
		{"newest heads deleted", sql("audit.db", `delete from head where at>=(select max(at) from head)`), inLog("missing")},
		{"end of the log deleted", sql("audit.db", `delete from entry where at>=320`, `delete from payload where id>>12>=320`, `delete from head where at>320`,
			`delete from lookup where at>=320`, `delete from intent`), inLog("and all after it")},
		{"access hidden from a patient's list", sql("audit.db", fmt.Sprintf(`delete from lookup where kind=1 and at=%d`, victim)),
			func(f audit.Fault) bool { return strings.Contains(f.What, "list of patient") }},
		{"record byte", sql("records.db", fmt.Sprintf(`update resource set body=%s where rec=%d`, flipped("body"), rec)), version(3)},
		{"record byte on the disk", raw("records.db", fmt.Sprintf(`select body from resource where rec=%d`, rec)), version(3)},
		{"old version's byte", sql("records.db", fmt.Sprintf(`update version set body=%s where rec=%d and vid=1`, flipped("body"), rec)), version(1)},
		{"record swapped with another", sql("records.db", fmt.Sprintf(`update resource set body=(select body from resource where rec=%d) where rec=%d`, other, rec)), version(3)},
		{"record rolled back", sql("records.db", fmt.Sprintf(`update resource set (vid, tx, at, updated, op, body)=(select vid, tx, at, updated, op, body from version where rec=%d and vid=2) where rec=%d`, rec, rec),
			fmt.Sprintf(`delete from version where rec=%d and vid=2`, rec)), version(3)},
		{"record deleted", sql("records.db", fmt.Sprintf(`delete from resource where rec=%d`, rec)), version(3)},
		{"old version deleted", sql("records.db", fmt.Sprintf(`delete from version where rec=%d and vid=1`, rec)), version(1)},
		{"record invented", sql("records.db", fmt.Sprintf(`insert into version select rec, 9, patient, kind, tx, until, at, updated, op, shared, body, further, mac from version where rec=%d and vid=1`, rec)),
			func(f audit.Fault) bool { return strings.HasSuffix(f.Record, "version 9") }},
		{"record moved into another chart", sql("records.db", fmt.Sprintf(`update resource set patient=%d where rec=%d`, stranger, rec)), version(3)},
		{"record passed off as deleted", sql("records.db", fmt.Sprintf(`update resource set op=3 where rec=%d`, rec)), version(3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			duplicate(t, dir, base.dir)
			c.spoil(t, dir)
			faults := verify(t, dir)
			if !slices.ContainsFunc(faults, c.named) {
				t.Errorf("it is not named among %d faults: %v", len(faults), faults)
			}
		})
	}
}

// raw changes one byte of a stored blob in the file itself.
func raw(file, query string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		onFiles(t)
		blob := value[[]byte](t, dir, file, query)
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		found := bytes.Index(b, blob)
		if found < 0 {
			t.Fatal("the blob does not lie in one piece")
		}
		b[found+len(blob)/2] ^= 0x40
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A byte changed anywhere in a database file is named, or changed nothing that counts.
func TestAnyByteOfTheFiles(t *testing.T) {
	onFiles(t)
	base, _ := grown(t)
	before := contents(t, base.dir)
	trials := 12
	if testing.Short() {
		trials = 3
	}
	for _, file := range []string{"audit.db", "records.db"} {
		whole, err := os.ReadFile(filepath.Join(base.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for range trials {
			place := rand.IntN(len(whole))
			dir := filepath.Join(t.TempDir(), "data")
			duplicate(t, dir, base.dir)
			spoilt := bytes.Clone(whole)
			spoilt[place] ^= byte(1 + rand.IntN(255))
			if err := os.WriteFile(filepath.Join(dir, file), spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			if len(verify(t, dir)) == 0 && contents(t, dir) != before {
				t.Errorf("byte %d of %s was changed from %#x to %#x, which changes what is stored, and nothing was found", place, file, whole[place], spoilt[place])
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// contents is everything that the log vouches for, as text.
func contents(t testing.TB, dir string) string {
	t.Helper()
	var out strings.Builder
	for _, q := range []struct{ file, query string }{
		{"audit.db", `select at, hex(bytes) from entry order by at`},
		{"audit.db", `select id, hex(sealed) from payload order by id`},
		{"audit.db", `select at, note from head order by at`},
		{"records.db", `select rec||' '||vid||' '||patient||' '||op, hex(body) from resource order by rec`},
		{"records.db", `select rec||' '||vid||' '||patient||' '||op, hex(body) from version order by rec, vid`},
	} {
		d := openFile(t, dir, q.file)
		rows, err := d.Query(q.query)
		for err == nil && rows.Next() {
			var a, b string
			if err = rows.Scan(&a, &b); err == nil {
				out.WriteString(a + " " + b + "\n")
			}
		}
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			fmt.Fprintln(&out, q.query, "cannot be read")
		}
		_ = d.Close()
	}
	return out.String()
}

// SQLite opens a database whose write-ahead log was cut as if nothing had happened. We do not.
func TestACutWriteAheadLogIsNamed(t *testing.T) {
	onFiles(t)
	for _, c := range []struct {
		file  string
		named func(audit.Fault) bool
	}{
		{"audit.db-wal", func(f audit.Fault) bool { return f.Index > 0 && strings.Contains(f.What, "missing") }},
		{"records.db-wal", func(f audit.Fault) bool {
			return strings.HasPrefix(f.Record, "Observation/") && strings.HasSuffix(f.Record, " version 1")
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			in := install(t)
			p := serve(t, in.dir)
			doctor := in.physician.at(p.url)
			for i := range 12 {
				doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], fmt.Sprint(60+i)))
			}
			waitForHead(t, in.dir)
			p.kill()
			holds(t, in.dir)
			p = serve(t, in.dir) // verifying folded the write-ahead log in
			doctor = in.physician.at(p.url)
			for i := range 12 {
				doctor.want(t, http.StatusCreated, "POST", "/fhir/Observation", observation(in.patients[0], fmt.Sprint(60+i)))
			}
			waitForHead(t, in.dir)
			p.kill()
			path := filepath.Join(in.dir, c.file)
			info, err := os.Stat(path)
			if err != nil || info.Size() < 50_000 {
				t.Fatalf("there is no write-ahead log to cut: %v", err)
			}
			if err := os.Truncate(path, info.Size()/2); err != nil {
				t.Fatal(err)
			}
			if faults := verify(t, in.dir); !slices.ContainsFunc(faults, c.named) {
				t.Errorf("it is not named: %v", faults)
			}
		})
	}
}

// A whole directory set back to an earlier state agrees with itself; a head kept elsewhere gives it away, to a verification and to the
// next start, which opens a new log and says so.
func TestARolledBackDirectoryIsNamed(t *testing.T) {
	in := install(t)
	before := filepath.Join(t.TempDir(), "before")
	duplicate(t, before, in.dir)
	p := serve(t, in.dir)
	doctor := in.physician.at(p.url)
	doctor.want(t, http.StatusOK, "GET", "/fhir/Patient/"+in.patients[0], "")
	p.stop(t)
	kept := filepath.Join(t.TempDir(), "head")
	if err := os.WriteFile(kept, []byte(must(t, "audit", "head", "--data", in.dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, in.dir, "--head", kept)
	holds(t, before)
	faults := verify(t, before, "--head", kept)
	if !slices.ContainsFunc(faults, func(f audit.Fault) bool { return f.Index >= 0 && strings.Contains(f.What, "missing") }) {
		t.Errorf("a verification does not name it: %v", faults)
	}
	// The head file lies elsewhere, as it should: it still knows the future.
	elsewhere := filepath.Join(in.dir, "heads", "head.log")
	p = launch(t, before)
	_ = p.answers()
	p.stop(t)
	holds(t, before)
	again := filepath.Join(t.TempDir(), "again")
	duplicate(t, again, before)
	t.Setenv("CHARTWARDEN_HEAD_FILE", elsewhere)
	p = serve(t, again)
	if !strings.Contains(p.printed.String(), "cut") {
		t.Errorf("the start says nothing: %s", p.printed)
	}
	answer := in.physician.at(p.url).want(t, http.StatusOK, "GET", "/fhir/Patient/"+in.patients[0], "")
	if entry := answer.Header.Get("X-Audit-Entry"); !strings.Contains(entry, "-2/") {
		t.Errorf("care goes on under entry %s, which is not of a new log", entry)
	}
	p.stop(t)
	if faults := verify(t, again); len(faults) == 0 {
		t.Error("nobody acknowledged the cut, and a verification is content")
	}
}

// waitForHead waits until the head file knows the newest head, which it does within about a second.
func waitForHead(t testing.TB, dir string) {
	t.Helper()
	newest := strings.TrimSpace(must(t, "audit", "head", "--data", dir))
	eventually(t, "the head file knows the newest head", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "heads", "head.log"))
		return err == nil && strings.Contains(string(b), newest)
	})
}
