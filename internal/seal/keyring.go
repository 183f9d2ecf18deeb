// Package seal encrypts what is stored: one random key per owner (a patient, a month), wrapped by a key family, wrapped by the
// installation's root, wrapped by a custodian outside the database. Deleting an owner's key shreds all that was sealed with it.
//
// Each importer is handed the [Box] of its own family; no Box opens what another family sealed.
//
//	ring, err := seal.Open(ctx, keysDB, custodian)
//	box := ring.Box("record")
//	k, err := box.Key(ctx, int64(patient), "chart")
//	sealed, err := box.Seal(nil, k, aad, plain)      // compressed, AES-256-GCM; aad says where it belongs
//	plain, err = box.Open(nil, aad, sealed)          // fails unless every byte and aad are as sealed
//
// Formats: docs/formats/sealed-envelope.md. Decisions: keys.db is never part of a record backup.
package seal

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

//go:embed migrations
var embedded embed.FS

// families are the importers that may hold keys. A name is part of every derivation and never changes.
var families = []string{"record", "audit", "care", "identity", "casework", "feed", "message", "server"}

// Keyring is an installation's keys, open. All methods are safe for concurrent use.
type Keyring struct {
	d            *db.DB
	root         []byte
	installation [16]byte
	sandbox      bool
	custodian    Custodian
	tagged       atomic.Bool
	boxes        map[string]*Box
	shredded     int64 // the last shredding that was followed; see forget
}

// Create makes the keys of a new installation in d (keys.db), wrapped by c, and opens them. sandbox is bound into the wrapping and
// can never be changed. Errors: outcome.Conflict when d already has keys.
func Create(ctx context.Context, d *db.DB, c Custodian, sandbox bool) (*Keyring, error) {
	if err := migrate(ctx, d); err != nil {
		return nil, err
	}
	k := &Keyring{d: d, root: make([]byte, 32), sandbox: sandbox, custodian: c}
	k.tagged.Store(true)     // there is no row yet that could lack its tag
	_, _ = rand.Read(k.root) // never fails
	_, _ = rand.Read(k.installation[:])
	wrapped, err := c.Wrap(k.root, k.context(true))
	if err != nil {
		return nil, outcome.Wrap("seal: create", outcome.NoStore, "the key custodian refused to wrap the new key", err)
	}
	err = d.Write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow(`select count(*) from keyring`).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			return outcome.New(outcome.Conflict, "this data directory already has keys; it is initialised only once")
		}
		_, err := tx.Exec(`insert into keyring(one, installation, custodian, sandbox, tagged, root, created) values(1,?,?,?,1,?,?)`,
			k.installation[:], c.ID(), sandbox, wrapped, time.Now().UnixMicro())
		return err
	})
	if err != nil {
		return nil, outcome.Wrap("seal: create", outcome.NoStore, "the keys could not be stored", err)
	}
	return k, k.open()
}

// Open unwraps the keys in d with c.
//
// Errors: outcome.NotFound when d was never initialised; outcome.Invalid when c is another installation's, or the wrong
// passphrase, or the stored flags were altered. All say what to do.
func Open(ctx context.Context, d *db.DB, c Custodian) (*Keyring, error) {
	if err := migrate(ctx, d); err != nil {
		return nil, err
	}
	k := &Keyring{d: d, custodian: c}
	var installation, wrapped []byte
	var custodian string
	var tagged bool
	err := d.Reader().QueryRowContext(ctx, `select installation, custodian, sandbox, tagged, root from keyring`).Scan(&installation, &custodian, &k.sandbox, &tagged, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, outcome.Wrap("seal: open", outcome.NotFound, "this data directory has no keys: initialise it first", err)
	}
	if err != nil || copy(k.installation[:], installation) != 16 {
		return nil, outcome.Wrap("seal: open", outcome.NoStore, "the stored keys cannot be read", err)
	}
	if custodian != c.ID() {
		return nil, outcome.Wrap("seal: open", outcome.Invalid, "the key ("+c.ID()+") belongs to another installation: this one needs "+custodian, nil)
	}
	if k.root, err = c.Unwrap(wrapped, k.context(tagged)); err != nil || len(k.root) != 32 {
		return nil, outcome.Wrap("seal: open", outcome.Invalid, "the key does not open this installation: a wrong passphrase, or keys.db was altered", errors.Join(err, ErrTampered))
	}
	k.tagged.Store(tagged)
	return k, k.open()
}

func migrate(ctx context.Context, d *db.DB) error {
	files, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return err
	}
	return db.Migrate(ctx, d, "seal", files)
}

// Installation names this installation in origins and associated data: 26 letters and digits, not secret, random.
func (k *Keyring) Installation() string { return idText.EncodeToString(k.installation[:]) }

// Sandbox reports whether this installation was created for trials: it then refuses to be anything else.
func (k *Keyring) Sandbox() bool { return k.sandbox }

// Box gives the keys of one family. It panics on a name that is none: families are fixed, see docs/formats/sealed-envelope.md.
func (k *Keyring) Box(family string) *Box {
	b, ok := k.boxes[family]
	if !ok {
		panic("seal: no such key family: " + family)
	}
	return b
}

func (k *Keyring) open() error {
	k.boxes = make(map[string]*Box, len(families))
	for _, family := range slices.Clone(families) {
		b, err := newBox(k, family)
		if err != nil {
			return outcome.Wrap("seal: open", outcome.NoStore, "the stored keys cannot be read", err)
		}
		k.boxes[family] = b
	}
	k.d.Follow(k.forget)
	return nil
}

// forget takes keys out of memory that other nodes shredded.
func (k *Keyring) forget(ctx context.Context) error {
	rows, err := k.d.Reader().QueryContext(ctx, `select s.n, d.id, d.family, d.owner, d.kind from shredding s join data_key d on d.id=s.key where s.n>? order by s.n`, k.shredded)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var id KeyID
		var family string
		var of ownerKind
		if err := rows.Scan(&n, &id, &family, &of.owner, &of.kind); err != nil {
			return err
		}
		if b := k.boxes[family]; b != nil {
			b.ids.drop(of)
			b.keys.drop(id)
			b.telling.Lock()
			for _, tell := range b.tell {
				tell(of.owner, of.kind)
			}
			b.telling.Unlock()
		}
		k.shredded = n
	}
	return rows.Err()
}

// RowsTagged reports whether rows beside the records carry tags ([Rows]) in this installation, so that one without is a forgery. Only an
// installation of an earlier version does not say so, until [Keyring.MarkRowsTagged].
func (k *Keyring) RowsTagged() bool { return k.tagged.Load() }

// MarkRowsTagged says for good that every row has its tag now: the root is wrapped anew with that in its context.
// Errors: outcome.NoStore when the custodian or the disk refuses; nothing changed then.
func (k *Keyring) MarkRowsTagged(ctx context.Context) error {
	if k.tagged.Load() {
		return nil
	}
	wrapped, err := k.custodian.Wrap(k.root, k.context(true))
	if err != nil {
		return outcome.Wrap("seal: mark", outcome.NoStore, "the key custodian refused to wrap the key", err)
	}
	err = k.d.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`update keyring set root=?, tagged=1`, wrapped)
		return err
	})
	if err != nil {
		return outcome.Wrap("seal: mark", outcome.NoStore, "the keys could not be stored", err)
	}
	k.tagged.Store(true)
	return nil
}

// context is what the custodian binds to the root.
func (k *Keyring) context(tagged bool) []byte {
	flags := byte(0)
	if k.sandbox {
		flags |= 1
	}
	if tagged {
		flags |= 2
	}
	return append(append([]byte("chartwarden root 1\x00"), k.installation[:]...), flags)
}

// derive makes an independent 32-byte key of parent for one use (HKDF-SHA256, RFC 5869).
func derive(parent []byte, use string) []byte {
	key, err := hkdf.Expand(sha256.New, parent, "chartwarden/"+use, 32)
	if err != nil {
		panic("seal: " + err.Error()) // only for lengths beyond 255 blocks, or a FIPS build with a short parent
	}
	return key
}
