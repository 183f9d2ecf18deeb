package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"sync"

	"chartwarden/internal/db"
	"chartwarden/internal/outcome"
)

// KeyID names a data key inside an installation. It is no secret, is never reused and says nothing about its owner by itself.
type KeyID int64

// What [Box.Open] and [Box.Seal] may find; each is wrapped by the error returned and has an outcome code of its own.
var (
	ErrTampered   = errors.New("seal: not what was sealed here")    // outcome.Exception
	ErrShredded   = errors.New("seal: the key was shredded")        // outcome.Deleted
	ErrUnknownKey = errors.New("seal: no such key in this keyring") // outcome.NoStore: keys.db is older than the data
)

// cached bounds the unwrapped keys in memory of one Box: about 1 KiB each.
const cached = 16384

// Box seals and opens for one key family. All methods are safe for concurrent use.
type Box struct {
	family  string
	d       *db.DB
	wrap    cipher.AEAD
	prf     []byte
	blocks  []byte
	signing []byte
	rows    []byte
	bound   []byte // the part of associated data that all envelopes of this Box share
	keys    *cache[KeyID, cipher.AEAD]
	ids     *cache[ownerKind, KeyID]

	telling sync.Mutex
	tell    []func(owner int64, kind string) // of what other nodes shredded
	byID    *sql.Stmt
	byOwner *sql.Stmt
	scratch sync.Pool
}

type ownerKind struct {
	owner int64
	kind  string
}

func newBox(k *Keyring, family string) (*Box, error) {
	own := derive(k.root, "family/"+family)
	wrap, err := gcm(derive(own, "wrap"))
	if err != nil {
		return nil, err
	}
	b := &Box{
		family: family, d: k.d, wrap: wrap, prf: derive(own, "prf"), blocks: derive(own, "block"), signing: derive(own, "sign"),
		rows:  derive(own, "row"),
		bound: append(append([]byte("chartwarden seal 1\x00"), k.installation[:]...), family+"\x00"...),
		keys:  newCache[KeyID, cipher.AEAD](cached), ids: newCache[ownerKind, KeyID](cached),
	}
	b.scratch.New = func() any { return new([]byte) }
	if b.byID, err = k.d.Reader().Prepare(`select owner, kind, wrapped from data_key where id=? and family=?`); err != nil {
		return nil, err
	}
	b.byOwner, err = k.d.Reader().Prepare(`select id, wrapped is null from data_key where family=? and owner=? and kind=?`)
	return b, err
}

// Key gives the data key of an owner, making a random one the first time. It is durable before Key returns. owner and kind are the
// importer's: a patient number and "chart", a month and "payload". Errors: outcome.Deleted when it was shredded; as db.Write.
func (b *Box) Key(ctx context.Context, owner int64, kind string) (KeyID, error) {
	ids, err := b.Keys(ctx, []int64{owner}, kind)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// Keys is [Box.Key] for many owners with one commit; the result is in the order of owners.
func (b *Box) Keys(ctx context.Context, owners []int64, kind string) ([]KeyID, error) {
	ids := make([]KeyID, len(owners))
	var missing []int
	for i, owner := range owners {
		id, err := b.find(ctx, owner, kind)
		switch {
		case err == nil:
			ids[i] = id
		case errors.Is(err, sql.ErrNoRows):
			missing = append(missing, i)
		default:
			return nil, outcome.Wrap("seal: key", outcome.NoStore, "the keys cannot be read", err)
		}
	}
	if len(missing) == 0 {
		return ids, nil
	}
	err := b.d.Write(ctx, func(tx *sql.Tx) error {
		for _, i := range missing {
			wrapped, err := b.fresh(owners[i], kind)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`insert into data_key(family, owner, kind, wrapped) values(?,?,?,?) on conflict do nothing`, b.family, owners[i], kind, wrapped); err != nil {
				return err
			}
			if err := tx.QueryRow(`select id from data_key where family=? and owner=? and kind=?`, b.family, owners[i], kind).Scan(&ids[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, outcome.Wrap("seal: key", outcome.NoStore, "a new key could not be stored", err)
	}
	return ids, nil
}

func (b *Box) find(ctx context.Context, owner int64, kind string) (KeyID, error) {
	if id, ok := b.ids.get(ownerKind{owner, kind}); ok {
		return id, nil
	}
	var id KeyID
	var gone bool
	if err := b.byOwner.QueryRowContext(ctx, b.family, owner, kind).Scan(&id, &gone); err != nil {
		return 0, err
	}
	if gone {
		return 0, outcome.Wrap("seal: key", outcome.Deleted, "the data was erased for good", ErrShredded)
	}
	b.ids.put(ownerKind{owner, kind}, id)
	return id, nil
}

// fresh makes a random data key, wrapped; the owner is bound to it, so that swapped rows do not unwrap.
func (b *Box) fresh(owner int64, kind string) ([]byte, error) {
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	return b.wrap.Seal(nil, nil, key[:], wrapContext(owner, kind)), nil
}

func wrapContext(owner int64, kind string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(owner)), kind...)
}

// unwrapped gives the cipher of a data key, from memory or from keys.db.
func (b *Box) unwrapped(id KeyID) (cipher.AEAD, error) {
	if a, ok := b.keys.get(id); ok {
		return a, nil
	}
	var owner int64
	var kind string
	var wrapped []byte
	err := b.byID.QueryRow(id, b.family).Scan(&owner, &kind, &wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, outcome.Wrap("seal: key", outcome.NoStore, "the key of this data is missing: restore the key backup", ErrUnknownKey)
	}
	if err != nil {
		return nil, outcome.Wrap("seal: key", outcome.NoStore, "the keys cannot be read", err)
	}
	if wrapped == nil {
		return nil, outcome.Wrap("seal: key", outcome.Deleted, "the data was erased for good", ErrShredded)
	}
	key, err := b.wrap.Open(nil, nil, wrapped, wrapContext(owner, kind))
	if err != nil {
		return nil, outcome.Wrap("seal: key", outcome.Exception, "a stored key was altered", ErrTampered)
	}
	a, err := gcm(key)
	if err != nil {
		return nil, outcome.Wrap("seal: key", outcome.Exception, "a stored key was altered", err)
	}
	b.keys.put(id, a)
	return a, nil
}

// Shred destroys an owner's key for good: what was sealed with it opens nowhere, except with a backup of keys.db until that
// expires. Its id stays taken and Key refuses the owner from now on. Shredding what has no key, or twice, is fine. When it returns
// outcome.Transient the key is gone from the tables but may still be in the write-ahead log: call it again.
func (b *Box) Shred(ctx context.Context, owner int64, kind string) error {
	var id KeyID
	err := b.d.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`insert into data_key(family, owner, kind, wrapped) values(?,?,?,null)
			on conflict (family, owner, kind) do update set wrapped=null returning id`, b.family, owner, kind).Scan(&id)
		if err != nil || !b.d.Shared() {
			return err
		}
		_, err = tx.Exec(`insert into shredding(key) values(?)`, id) // for other nodes
		return err
	})
	if err != nil {
		return outcome.Wrap("seal: shred", outcome.NoStore, "the key could not be destroyed", err)
	}
	b.ids.drop(ownerKind{owner, kind})
	b.keys.drop(id)
	return b.d.Purge(ctx)
}

// Follow calls tell for each key of this family that another node shredded.
func (b *Box) Follow(tell func(owner int64, kind string)) {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.tell = append(b.tell, tell)
}

// PRF is a keyed name of parts: equal parts give equal names in this family and label, and nobody without the keys can tell which
// parts. Parts are length-framed, so ("ab","c") and ("a","bc") differ. It is HMAC-SHA256 and holds no state.
func (b *Box) PRF(label string, parts ...[]byte) [32]byte {
	mac := hmac.New(sha256.New, b.prf)
	var n [8]byte
	frame := func(p []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write(p)
	}
	frame([]byte(label))
	for _, p := range parts {
		frame(p)
	}
	var out [32]byte
	mac.Sum(out[:0])
	return out
}

// Block is a keyed permutation of 16 bytes (AES-256), the same for a label for ever: it turns numbers into ids that reveal nothing
// and turns them back. Keep it; each call derives it anew.
func (b *Box) Block(label string) cipher.Block {
	block, err := aes.NewCipher(derive(b.blocks, label))
	if err != nil {
		panic("seal: " + err.Error()) // 32 bytes are a key
	}
	return block
}

// SigningKey is the Ed25519 key of a label in this family: the same at every start, from the installation's root. A new label is a
// new key.
func (b *Box) SigningKey(label string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(derive(b.signing, label))
}
