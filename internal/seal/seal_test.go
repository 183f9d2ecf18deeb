package seal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chartwarden/internal/db"
	"chartwarden/internal/db/dbtest"
	"chartwarden/internal/outcome"
)

func keysDB(t testing.TB) *db.DB {
	t.Helper()
	return dbtest.New(t).Open(t, "keys")
}

func ring(t testing.TB) (*Keyring, *db.DB) {
	t.Helper()
	dir := t.TempDir()
	c, err := CreateKeyFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	d := keysDB(t)
	k, err := Create(t.Context(), d, c, false)
	if err != nil {
		t.Fatal(err)
	}
	return k, d
}

func key(t testing.TB, b *Box, owner int64) KeyID {
	t.Helper()
	k, err := b.Key(t.Context(), owner, "chart")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const resource = `{"resourceType":"Observation","id":"a1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"}]},"valueQuantity":{"value":72.5,"unit":"kg"}}`

func TestEverythingSealedOpens(t *testing.T) {
	k, _ := ring(t)
	b := k.Box("record")
	r := rand.New(rand.NewPCG(1, 2))
	keys := []KeyID{key(t, b, 1), key(t, b, 2), key(t, b, 3)}
	for n := range 500 {
		plain := make([]byte, r.IntN(1<<(n%15)+1))
		for i := range plain {
			plain[i] = resource[r.IntN(len(resource))]
		}
		if n%3 == 0 {
			plain = []byte(strings.Repeat(resource, n%7))
		}
		aad := []byte(fmt.Sprint("patient", n))
		sealed, err := b.Seal([]byte("before"), keys[n%3], aad, plain)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("Observation")) {
			t.Fatal("plain text in the envelope")
		}
		if NoEscapes(sealed[6:]) == bytes.Contains(plain, []byte{'\\'}) {
			t.Fatal("the no-escapes flag lies")
		}
		got, err := b.Open([]byte("in front"), aad, sealed[6:])
		if err != nil || string(got) != "in front"+string(plain) {
			t.Fatalf("%d bytes: %v", len(plain), err)
		}
	}
}

func TestAnyChangedByteIsNoticed(t *testing.T) {
	k, _ := ring(t)
	b := k.Box("record")
	id := key(t, b, 1)
	for _, plain := range []string{resource, "x"} { // packed and not
		sealed, err := b.Seal(nil, id, []byte("here"), []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		for i := range sealed {
			for _, flip := range []byte{1, 0x80, 0xff} {
				altered := bytes.Clone(sealed)
				altered[i] ^= flip
				if _, err := b.Open(nil, []byte("here"), altered); err == nil {
					t.Fatalf("byte %d may be changed", i)
				} else if !errors.Is(err, ErrTampered) && !errors.Is(err, ErrUnknownKey) {
					t.Fatalf("byte %d: %v", i, err)
				}
			}
		}
		for n := range sealed {
			if _, err := b.Open(nil, []byte("here"), sealed[:n]); err == nil {
				t.Fatalf("cut to %d", n)
			}
		}
		if _, err := b.Open(nil, []byte("there"), sealed); !errors.Is(err, ErrTampered) || !outcome.Is(err, outcome.Exception) {
			t.Fatalf("moved: %v", err)
		}
	}
}

func TestNoFamilyOpensAnothers(t *testing.T) {
	k, d := ring(t)
	sealed, err := k.Box("record").Seal(nil, key(t, k.Box("record"), 1), nil, []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families[1:] {
		if _, err := k.Box(family).Open(nil, nil, sealed); !errors.Is(err, ErrUnknownKey) || !outcome.Is(err, outcome.NoStore) {
			t.Fatalf("%s: %v", family, err)
		}
	}
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`update data_key set family='audit'`); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Box("audit").Open(nil, nil, sealed); !errors.Is(err, ErrTampered) {
		t.Fatalf("a key row given to another family: %v", err)
	}
	if a, b := k.Box("record").PRF("x"), k.Box("audit").PRF("x"); a == b {
		t.Fatal("two families share names")
	}
}

func TestSwappedKeyRowsDoNotUnwrap(t *testing.T) {
	k, d := ring(t)
	b := k.Box("record")
	one, two := key(t, b, 1), key(t, b, 2)
	sealed, err := b.Seal(nil, one, nil, []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	b.keys.drop(one)
	if err := d.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`update data_key set wrapped=(select wrapped from data_key where id=?) where id=?`, two, one)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(nil, nil, sealed); !errors.Is(err, ErrTampered) {
		t.Fatalf("%v", err)
	}
}

func TestShreddedIsGone(t *testing.T) {
	k, d := ring(t)
	b := k.Box("record")
	id := key(t, b, 7)
	sealed, err := b.Seal(nil, id, nil, []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	var wrapped []byte
	if err := d.Reader().QueryRow(`select wrapped from data_key where id=?`, id).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Shred(t.Context(), 7, "chart"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Open(nil, nil, sealed); !errors.Is(err, ErrShredded) || !outcome.Is(err, outcome.Deleted) {
		t.Fatalf("%v", err)
	}
	if _, err := b.Key(t.Context(), 7, "chart"); !errors.Is(err, ErrShredded) {
		t.Fatalf("a shredded owner got a new key: %v", err)
	}
	if other := key(t, b, 8); other <= id {
		t.Fatal("a key id was used again")
	}
	if err := b.Shred(t.Context(), 99, "chart"); err != nil {
		t.Fatalf("shredding nothing: %v", err)
	}
	if d.Engine() != db.SQLite {
		return
	}
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(d.Path() + suffix)
		if err == nil && bytes.Contains(raw, wrapped) {
			t.Fatalf("the wrapped key is still in keys.db%s", suffix)
		}
	}
}

func TestKeysAreMadeOnceWhoeverAsks(t *testing.T) {
	k, _ := ring(t)
	b := k.Box("audit")
	owners := make([]int64, 300)
	for i := range owners {
		owners[i] = int64(i)
	}
	var mu sync.Mutex
	var all [][]KeyID
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ids, err := b.Keys(t.Context(), owners, "payload")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, ids)
		})
	}
	wg.Wait()
	seen := map[KeyID]bool{}
	for i, id := range all[0] {
		for _, other := range all {
			if other[i] != id {
				t.Fatalf("owner %d has two keys", i)
			}
		}
		if id == 0 || seen[id] {
			t.Fatalf("owner %d shares key %d", i, id)
		}
		seen[id] = true
	}
	if other, _ := b.Key(t.Context(), 0, "other"); seen[other] {
		t.Fatal("two kinds share a key")
	}
}

func TestReopenedKeyringIsTheSame(t *testing.T) {
	dir := t.TempDir()
	c, err := CreateKeyFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	d := keysDB(t)
	if _, err := Open(t.Context(), d, c); !outcome.Is(err, outcome.NotFound) {
		t.Fatalf("before init: %v", err)
	}
	k, err := Create(t.Context(), d, c, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), d, c, true); !outcome.Is(err, outcome.Conflict) {
		t.Fatalf("second init: %v", err)
	}
	b := k.Box("record")
	sealed, err := b.Seal(nil, key(t, b, 1), nil, []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = OpenKeyFile(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), d, c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Box("record").Open(nil, nil, sealed)
	if err != nil || string(got) != resource {
		t.Fatal(err)
	}
	if again.Installation() != k.Installation() || len(k.Installation()) != 26 || !again.Sandbox() ||
		!again.Box("audit").SigningKey("log").Equal(k.Box("audit").SigningKey("log")) || again.Box("audit").PRF("a", nil) != k.Box("audit").PRF("a", nil) {
		t.Fatal("a reopened keyring differs")
	}
	other, err := CreateKeyFile(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), d, other); !outcome.Is(err, outcome.Invalid) || !strings.Contains(err.Error(), c.ID()) {
		t.Fatalf("another installation's key: %v", err)
	}
	if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`update keyring set sandbox=0`); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), d, c); !outcome.Is(err, outcome.Invalid) {
		t.Fatalf("a sandbox became real: %v", err)
	}
}

func TestKeyFileIsGuarded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := OpenKeyFile(path); !outcome.Is(err, outcome.NotFound) {
		t.Fatalf("missing: %v", err)
	}
	if _, err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	if _, err := CreateKeyFile(path); !outcome.Is(err, outcome.Conflict) {
		t.Fatalf("overwritten: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		altered := bytes.Clone(text)
		altered[i] ^= 3
		if k, err := parseKeyFile(string(altered)); err == nil && i < len(text)-1 {
			t.Errorf("byte %d of a key file may be %q: %s", i, altered[i], k.id)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyFile(path); !outcome.Is(err, outcome.Invalid) {
		t.Fatalf("readable by the group: %v", err)
	}
}

func TestPassphraseOpensOnlyItself(t *testing.T) {
	cheap := func(words string) *passphrase { return &passphrase{[]byte(words), stretching{1, 64, 1}} }
	wrapped, err := cheap("correct horse").Wrap([]byte("root"), []byte("ctx"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cheap("correct horse").Unwrap(wrapped, []byte("ctx")); err != nil || string(got) != "root" {
		t.Fatal(err)
	}
	if _, err := cheap("wrong horse").Unwrap(wrapped, []byte("ctx")); err == nil {
		t.Fatal("a wrong passphrase opens")
	}
	if _, err := cheap("correct horse").Unwrap(wrapped, []byte("other")); err == nil {
		t.Fatal("another context opens")
	}
	for i := range wrapped {
		altered := bytes.Clone(wrapped)
		altered[i] ^= 0x40
		if i >= 5 && i < 9 { // memory cost: bounded, but no test should ask for gigabytes
			continue
		}
		if _, err := cheap("correct horse").Unwrap(altered, []byte("ctx")); err == nil {
			t.Fatalf("byte %d may be changed", i)
		}
	}
	greedy := append([]byte{1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1}, make([]byte, 60)...)
	if _, err := cheap("correct horse").Unwrap(greedy, nil); err == nil {
		t.Fatal("an altered cost chooses our memory")
	}
	if _, err := OpenPassphrase([]byte("short")); !outcome.Is(err, outcome.Invalid) {
		t.Fatalf("%v", err)
	}
	c, err := OpenPassphrase([]byte("six random words would be better"))
	if err != nil {
		t.Fatal(err)
	}
	d := keysDB(t)
	if _, err := Create(t.Context(), d, c, false); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), d, cheap("not these words")); !outcome.Is(err, outcome.Invalid) {
		t.Fatalf("%v", err)
	}
}

func TestPRFFramesItsParts(t *testing.T) {
	k, _ := ring(t)
	b := k.Box("record")
	seen := map[[32]byte]string{}
	for _, parts := range [][]string{{"l"}, {"l", ""}, {"l", "", ""}, {"l", "ab", "c"}, {"l", "a", "bc"}, {"l", "abc"}, {"la", "bc"}} {
		var rest [][]byte
		for _, p := range parts[1:] {
			rest = append(rest, []byte(p))
		}
		name := b.PRF(parts[0], rest...)
		if other, ok := seen[name]; ok {
			t.Errorf("%q and %s share a name", parts, other)
		}
		seen[name] = fmt.Sprint(parts)
	}
}

func TestCacheForgetsWithinItsBound(t *testing.T) {
	c := newCache[int, int](100)
	for i := range 10_000 {
		c.put(i, i)
		if v, ok := c.get(i); !ok || v != i {
			t.Fatal("just put, not there")
		}
		if _, ok := c.get(0); !ok && i < 5000 {
			t.Fatal("what is used all the time was forgotten")
		}
		if i == 5000 {
			c.drop(0)
		}
	}
	if n := len(c.young) + len(c.old); n > 100 {
		t.Fatalf("%d kept", n)
	}
	if _, ok := c.get(0); ok {
		t.Fatal("dropped and still there")
	}
}

func FuzzOpen(f *testing.F) {
	k, _ := ring(f)
	b := k.Box("record")
	id, err := b.Key(context.Background(), 1, "chart")
	if err != nil {
		f.Fatal(err)
	}
	for _, plain := range []string{"", "x", resource} {
		sealed, err := b.Seal(nil, id, nil, []byte(plain))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sealed)
	}
	f.Add([]byte{1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := b.Open(nil, []byte("an aad that nothing was sealed with"), sealed); err == nil {
			t.Fatal("a forged envelope opens")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	k, _ := ring(b)
	box := k.Box("record")
	id, _ := box.Key(context.Background(), 1, "chart")
	plain := []byte(strings.Repeat(resource, 7)) // about 1.4 KB
	var dst []byte
	b.SetBytes(int64(len(plain)))
	for b.Loop() {
		dst, _ = box.Seal(dst[:0], id, []byte("aad"), plain)
	}
}

func BenchmarkOpen(b *testing.B) {
	k, _ := ring(b)
	box := k.Box("record")
	id, _ := box.Key(context.Background(), 1, "chart")
	sealed, _ := box.Seal(nil, id, []byte("aad"), []byte(strings.Repeat(resource, 7)))
	var dst []byte
	for b.Loop() {
		dst, _ = box.Open(dst[:0], []byte("aad"), sealed)
	}
}
