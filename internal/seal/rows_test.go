package seal

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"testing"

	"chartwarden/internal/outcome"
)

// A tag holds for exactly the row that it was made for: no other column, table, family or installation.
func TestTagsOfRows(t *testing.T) {
	keys, _ := ring(t)
	rows := keys.Box("care").Rows("care_edge")
	tag := rows.Tag(int64(1), "ab", []byte("c"), nil, true)
	if len(tag) != TagSize || !rows.Holds(tag, int64(1), "ab", []byte("c"), nil, 1) {
		t.Fatal("a row does not hold under its own tag")
	}
	other, _ := ring(t)
	for what, holds := range map[string]bool{
		"another column":       rows.Holds(tag, int64(2), "ab", []byte("c"), nil, true),
		"a shifted border":     rows.Holds(tag, int64(1), "abc", []byte(""), nil, true),
		"another type":         rows.Holds(tag, int64(1), []byte("ab"), []byte("c"), nil, true),
		"a null for a zero":    rows.Holds(tag, int64(1), "ab", []byte("c"), 0, true),
		"a column less":        rows.Holds(tag, int64(1), "ab", []byte("c"), nil),
		"no tag":               rows.Holds(nil, int64(1), "ab", []byte("c"), nil, true),
		"a short tag":          rows.Holds(tag[:8], int64(1), "ab", []byte("c"), nil, true),
		"another table":        keys.Box("care").Rows("care_name").Holds(tag, int64(1), "ab", []byte("c"), nil, true),
		"another family":       keys.Box("record").Rows("care_edge").Holds(tag, int64(1), "ab", []byte("c"), nil, true),
		"another installation": other.Box("care").Rows("care_edge").Holds(tag, int64(1), "ab", []byte("c"), nil, true),
	} {
		if holds {
			t.Errorf("a tag holds for %s", what)
		}
	}
	if !bytes.Equal(rows.Tag(sql.NullInt64{}), rows.Tag(nil)) || !bytes.Equal(rows.Tag(sql.NullInt64{Int64: 5, Valid: true}), rows.Tag(int64(5))) {
		t.Error("a column that may be null is tagged unlike its value")
	}
}

func BenchmarkRowTag(b *testing.B) {
	keys, _ := ring(b)
	rows := keys.Box("care").Rows("care_edge")
	tag := rows.Tag(edgeLike(7)...)
	b.ReportAllocs()
	for b.Loop() {
		n := int64(7)
		if !rows.Holds(tag, n, n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9, true, n+10, n+11, n+12) {
			b.Fatal("does not hold")
		}
	}
}

func edgeLike(n int64) []any {
	return []any{n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, true, n + 10, n + 11, n + 12}
}

// An installation of an earlier version says for good, once, that its rows carry tags: setting it back makes the root unreadable.
func TestRowsAreMarkedTaggedForGood(t *testing.T) {
	dir := t.TempDir()
	c, err := CreateKeyFile(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	d := keysDB(t)
	made, err := Create(t.Context(), d, c, true)
	if err != nil {
		t.Fatal(err)
	}
	if !made.RowsTagged() {
		t.Error("a new installation has no row without a tag")
	}
	set := func(statement string, args ...any) {
		t.Helper()
		if err := d.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(statement, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	earlier, err := c.Wrap(made.root, made.context(false)) // as the version before wrapped it
	if err != nil {
		t.Fatal(err)
	}
	set(`update keyring set root=?, tagged=0`, earlier)
	old, err := Open(t.Context(), d, c)
	if err != nil || old.RowsTagged() || !old.Sandbox() {
		t.Fatalf("an installation of the version before: %v", err)
	}
	for range 2 {
		if err := old.MarkRowsTagged(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), d, c)
	if err != nil || !again.RowsTagged() || again.Installation() != made.Installation() {
		t.Fatalf("after marking: %v", err)
	}
	set(`update keyring set tagged=0`)
	if _, err := Open(t.Context(), d, c); !outcome.Is(err, outcome.Invalid) {
		t.Errorf("the mark was set back by SQL: %v", err)
	}
}
