package backup

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"

	"filippo.io/age"
)

var tables = fstest.MapFS{"0001_tables.sql": {Data: []byte(`-- +goose Up
create table parent (id integer primary key, name text not null unique, body blob);
create table child (parent integer not null references parent, part text not null, n integer, primary key (parent, part)) without rowid;
create table single (at integer not null);
insert into single(at) values (-1);
create table derived (id integer primary key);
`)}}

func open(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), db.Options{})
	must1(t, err)
	t.Cleanup(func() { _ = d.Close() })
	must1(t, db.Migrate(t.Context(), d, "things", tables))
	return d
}

func must1(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes n parents with children, of random content.
func fill(t testing.TB, d *db.DB, from, n int, r *rand.Rand) {
	t.Helper()
	must1(t, d.Write(t.Context(), func(tx *sql.Tx) error {
		for i := from; i < from+n; i++ {
			body := make([]byte, r.IntN(200))
			for j := range body {
				body[j] = byte(r.Uint32())
			}
			var b any = body
			if i%7 == 0 {
				b = nil
			}
			if _, err := tx.Exec(`insert into parent(id, name, body) values(?,?,?)`, i, fmt.Sprintf("name-%d-ä", i), b); err != nil {
				return err
			}
			for _, part := range []string{"a", "b"}[:r.IntN(3)] {
				if _, err := tx.Exec(`insert into child(parent, part, n) values(?,?,?)`, i, part, r.Int64()-r.Int64()); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(`update single set at = ?`, from+n)
		return err
	}))
}

func dump(t testing.TB, d *db.DB) map[string][][]any {
	t.Helper()
	out := map[string][][]any{}
	tx, err := reading(t.Context(), d)
	must1(t, err)
	defer func() { _ = tx.Rollback() }()
	p, err := shape(t.Context(), tx, Source{})
	must1(t, err)
	for _, table := range p.Tables {
		s := &gather{width: len(table.Columns)}
		must1(t, scanTable(t.Context(), tx, "", &table, s))
		out[table.Name] = s.rows
	}
	return out
}

type gather struct {
	width int
	rows  [][]any
}

func (*gather) begin(Manifest) error { return nil }
func (g *gather) chunk(_, _, _ string, b []byte) error {
	rows, err := decode(bytes.Clone(b), g.width)
	g.rows = append(g.rows, rows...)
	return err
}

var when = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func key(t testing.TB) *age.X25519Identity {
	t.Helper()
	k, err := age.GenerateX25519Identity()
	must1(t, err)
	return k
}

func TestFileBringsEveryRowBack(t *testing.T) {
	d, k := open(t), key(t)
	fill(t, d, 0, 3000, rand.New(rand.NewPCG(1, 1)))
	must1(t, d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`insert into derived values (1)`); return err }))
	var f bytes.Buffer
	m, err := WriteFile(t.Context(), &f, About{Installation: "i", Taken: when}, []Source{{Name: "things", DB: d, Skip: []string{"derived"}}}, k.Recipient())
	must1(t, err)
	if m.Rows() < 3000 || len(m.Sources[0].Tables) != 3 {
		t.Fatalf("the manifest lists %d rows of %d tables", m.Rows(), len(m.Sources[0].Tables))
	}
	c, err := OpenFile(bytes.NewReader(f.Bytes()), k)
	must1(t, err)
	into := open(t)
	got, err := Restore(t.Context(), c, map[string]Target{"things": {DB: into}})
	must1(t, err)
	if !reflect.DeepEqual(got, m) {
		t.Error("the manifest came back otherwise")
	}
	want, have := dump(t, d), dump(t, into)
	delete(want, "derived")
	delete(have, "derived")
	if !reflect.DeepEqual(want, have) {
		t.Error("rows came back otherwise")
	}
}

func TestARepositoryKeepsEachChunkOnce(t *testing.T) {
	d, k := open(t), key(t)
	r := rand.New(rand.NewPCG(2, 2))
	fill(t, d, 0, 6000, r)
	repo, err := OpenRepository(t.TempDir())
	must1(t, err)
	var states []map[string][][]any
	add := func(n int) int64 {
		m, added, err := repo.Add(t.Context(), About{Taken: when.Add(time.Duration(n) * time.Minute)}, []Source{{Name: "things", DB: d}}, k.Recipient())
		must1(t, err)
		if m.Rows() == 0 {
			t.Fatal("nothing copied")
		}
		states = append(states, dump(t, d))
		return added
	}
	whole := add(0)
	if again := add(1); again > 20_000 { // the manifest
		t.Errorf("an unchanged database added %d bytes", again)
	}
	fill(t, d, 6000, 20, r)
	must1(t, d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update parent set body = x'00' where id = 5; delete from child where parent = 77`)
		return err
	}))
	if little := add(2); little > whole/3 {
		t.Errorf("a small change added %d of %d bytes", little, whole)
	}
	names, err := repo.Copies()
	must1(t, err)
	if len(names) != 3 {
		t.Fatal(names)
	}
	for i, name := range names { // each of them, and the newest by no name
		if i == 2 {
			name = ""
		}
		c, err := repo.Open(name, k)
		must1(t, err)
		into := open(t)
		_, err = Restore(t.Context(), c, map[string]Target{"things": {DB: into}})
		must1(t, err)
		if !reflect.DeepEqual(states[i], dump(t, into)) {
			t.Errorf("copy %d came back otherwise", i)
		}
	}
}

// What a copy holds is one moment, whatever is written meanwhile; and a database read later knows all that an earlier one knew.
func TestACopyIsOneMoment(t *testing.T) {
	records, trail, k := open(t), open(t), key(t)
	pair := func(id int) error { // first the intent, then the act
		for _, d := range []*db.DB{trail, records} {
			if err := d.Write(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.Exec(`insert into parent(id, name) values(?,?)`, id, fmt.Sprint(id)); err != nil {
					return err
				}
				_, err := tx.Exec(`insert into child(parent, part) values(?,'x')`, id)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}
	for id := range 2000 {
		must1(t, pair(id))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for id := 2000; ctx.Err() == nil; id++ {
			if err := pair(id); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 3 {
		var f bytes.Buffer
		m, err := WriteFile(t.Context(), &f, About{}, []Source{{Name: "records", DB: records}, {Name: "audit", DB: trail}}, k.Recipient())
		must1(t, err)
		rows := map[string]int64{}
		for _, p := range m.Sources {
			for _, table := range p.Tables {
				rows[p.Name+"."+table.Name] = table.Rows
			}
		}
		if rows["records.parent"] != rows["records.child"] || rows["audit.parent"] != rows["audit.child"] {
			t.Errorf("tables of different moments: %v", rows)
		}
		if rows["audit.parent"] < rows["records.parent"] {
			t.Errorf("a record without its intent: %v", rows)
		}
	}
	stop()
	must1(t, <-done)
}

func TestWhatIsNotWholeIsRefused(t *testing.T) {
	d, k := open(t), key(t)
	fill(t, d, 0, 1500, rand.New(rand.NewPCG(3, 3)))
	var f bytes.Buffer
	_, err := WriteFile(t.Context(), &f, About{}, []Source{{Name: "things", DB: d}}, k.Recipient())
	must1(t, err)
	restore := func(b []byte, k age.Identity) error {
		c, err := OpenFile(bytes.NewReader(b), k)
		if err != nil {
			return err
		}
		_, err = Restore(t.Context(), c, map[string]Target{"things": {DB: open(t)}})
		return err
	}
	must1(t, restore(f.Bytes(), k))
	if err := restore(f.Bytes(), key(t)); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("another's key: %v", err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	for range 12 {
		cut := f.Bytes()[:r.IntN(f.Len())]
		if err := restore(cut, k); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("cut at %d of %d: %v", len(cut), f.Len(), err)
		}
		flipped := bytes.Clone(f.Bytes())
		flipped[r.IntN(len(flipped))] ^= 1 << r.IntN(8)
		if err := restore(flipped, k); !outcome.Is(err, outcome.Invalid) {
			t.Errorf("one bit flipped: %v", err)
		}
	}
	other := fstest.MapFS{"0001_tables.sql": tables["0001_tables.sql"], "0002_more.sql": {Data: []byte("-- +goose Up\ncreate table more (a integer);\n")}}
	newer := open(t)
	must1(t, db.Migrate(t.Context(), newer, "things", other))
	c, err := OpenFile(bytes.NewReader(f.Bytes()), k)
	must1(t, err)
	if _, err := Restore(t.Context(), c, map[string]Target{"things": {DB: newer}}); !outcome.Is(err, outcome.NotSupported) {
		t.Errorf("another schema: %v", err)
	}
}

func TestALostChunkIsNamed(t *testing.T) {
	d, k, dir := open(t), key(t), t.TempDir()
	fill(t, d, 0, 2000, rand.New(rand.NewPCG(5, 5)))
	repo, err := OpenRepository(dir)
	must1(t, err)
	_, _, err = repo.Add(t.Context(), About{Taken: when}, []Source{{Name: "things", DB: d}}, k.Recipient())
	must1(t, err)
	var one string
	must1(t, filepath.WalkDir(filepath.Join(dir, chunksDir), func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			one = p
		}
		return err
	}))
	must1(t, os.Remove(one))
	c, err := repo.Open("", k)
	must1(t, err)
	if _, err := Restore(t.Context(), c, map[string]Target{"things": {DB: open(t)}}); !outcome.Is(err, outcome.NotFound) {
		t.Error(err)
	}
}

func TestFilesComeAlong(t *testing.T) {
	d, k, dir := open(t), key(t), t.TempDir()
	path, gone := filepath.Join(dir, "journal"), filepath.Join(dir, "gone")
	must1(t, os.WriteFile(path, bytes.Repeat([]byte{0, 7}, 3<<20), 0o600)) // more than one chunk of rows
	var f bytes.Buffer
	_, err := WriteFile(t.Context(), &f, About{}, []Source{{Name: "things", DB: d}, {Name: "journal", File: path}, {Name: "other", File: gone}}, k.Recipient())
	must1(t, err)
	c, err := OpenFile(bytes.NewReader(f.Bytes()), k)
	must1(t, err)
	back := filepath.Join(dir, "back", "journal")
	_, err = Restore(t.Context(), c, map[string]Target{"things": {DB: open(t)}, "journal": {File: back}, "other": {File: gone}})
	must1(t, err)
	want, _ := os.ReadFile(path)
	if got, err := os.ReadFile(back); err != nil || !bytes.Equal(want, got) {
		t.Error("the file came back otherwise:", err)
	}
	if _, err := os.Stat(gone); err == nil {
		t.Error("a file that was not there came back")
	}
}

func TestNobodysKeyIsNoKey(t *testing.T) {
	if _, err := WriteFile(t.Context(), &bytes.Buffer{}, About{}, nil); !outcome.Is(err, outcome.Required) {
		t.Error(err)
	}
}

func FuzzRows(f *testing.F) {
	row, _ := appendValue(nil, int64(-5))
	row, _ = appendValue(row, "text")
	row, _ = appendValue(row, []byte{1, 2})
	row, _ = appendValue(row, nil)
	f.Add(row, 4)
	f.Add([]byte{tagText, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 1)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		if width < 0 || width > 100 {
			return
		}
		rows, err := decode(b, width)
		if err != nil {
			return
		}
		var again []byte
		for _, r := range rows {
			for _, v := range r {
				if again, err = appendValue(again, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		back, err := decode(again, width)
		if err != nil || len(back) != len(rows) {
			t.Fatal("rows that were read cannot be written and read again")
		}
	})
}
