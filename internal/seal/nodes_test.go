package seal

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"chartwarden/internal/db/dbtest"
)

// A key shredded on one node is forgotten by the others, which had it open.
func TestOtherNodesForgetAShreddedKey(t *testing.T) {
	place := dbtest.Postgres(t)
	c, err := CreateKeyFile(filepath.Join(place.Dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	here, err := Create(t.Context(), place.Open(t, "keys"), c, false)
	if err != nil {
		t.Fatal(err)
	}
	there, err := Open(t.Context(), place.Open(t, "keys"), c)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := here.Box("record").Seal(nil, key(t, here.Box("record"), 1), nil, []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := there.Box("record").Open(nil, nil, sealed); err != nil {
		t.Fatal(err)
	}
	if a, b := key(t, here.Box("record"), 2), key(t, there.Box("record"), 2); a != b {
		t.Errorf("one owner has keys %d and %d", a, b)
	}
	if err := here.Box("record").Shred(t.Context(), 1, "chart"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err = there.Box("record").Open(nil, nil, sealed); errors.Is(err, ErrShredded) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !errors.Is(err, ErrShredded) {
		t.Errorf("%v", err)
	}
	if _, err := there.Box("record").Key(t.Context(), 1, "chart"); !errors.Is(err, ErrShredded) {
		t.Errorf("%v", err)
	}
}
