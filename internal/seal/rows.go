package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"hash"
	"sync"
)

// TagSize is the length of a row's tag in bytes.
const TagSize = 16

// Rows makes and checks the tags of the rows of one table: a keyed digest over their columns, without which a row that gives authority
// is worth nothing. Who writes SQL but holds no key can neither make a row, change one, nor copy one to another place, since key
// columns are among what is tagged. That a row is gone, or is as it once was, a tag does not tell. Safe for concurrent use.
type Rows struct{ digests sync.Pool }

// Rows gives the tags of a table. Keep it; each call derives its key anew. A name is part of the derivation and never changes.
func (b *Box) Rows(table string) *Rows {
	key := derive(b.rows, table)
	r := &Rows{}
	r.digests.New = func() any { return &rowDigest{mac: hmac.New(sha256.New, key)} }
	return r
}

// Tag is the tag of a row with these columns, in the order that the table's format states. A value is an int64, int, bool, string,
// []byte, sql.NullInt64 or nil; each says its type and length, so that no two rows read the same. It takes about a third of a
// microsecond.
func (r *Rows) Tag(columns ...any) []byte {
	d := r.digests.Get().(*rowDigest)
	defer r.digests.Put(d)
	return append([]byte(nil), d.sum(columns)...)
}

// Holds reports whether tag is that of a row with these columns.
func (r *Rows) Holds(tag []byte, columns ...any) bool {
	d := r.digests.Get().(*rowDigest)
	defer r.digests.Put(d)
	return hmac.Equal(tag, d.sum(columns))
}

// rowDigest is the reusable state of one tag.
type rowDigest struct {
	mac  hash.Hash
	text []byte
	out  [sha256.Size]byte
}

func (d *rowDigest) sum(columns []any) []byte {
	b := d.text[:0]
	for _, c := range columns {
		switch v := c.(type) {
		case nil:
			b = append(b, 0)
		case int64:
			b = appendInt(b, v)
		case int:
			b = appendInt(b, int64(v))
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			b = appendInt(b, n)
		case sql.NullInt64:
			if v.Valid {
				b = appendInt(b, v.Int64)
			} else {
				b = append(b, 0)
			}
		case string:
			b = append(binary.AppendUvarint(append(b, 2), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, 3), uint64(len(v))), v...)
		default:
			panic("seal: a column of this type cannot be tagged")
		}
	}
	d.text = b
	d.mac.Reset()
	_, _ = d.mac.Write(b) // a hash takes everything
	return d.mac.Sum(d.out[:0])[:TagSize]
}

func appendInt(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(n))
}
