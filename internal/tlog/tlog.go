// Package tlog is the mathematics of a transparency log: an append-only Merkle tree in the C2SP formats that proves what it holds
// and that it never forgot or changed anything. It stores nothing and knows nothing of what an entry means.
//
// A writer grows a [Tree] leaf by leaf, drains its full tiles, and signs a [Checkpoint] of its size and root:
//
//	tree.Append(tlog.LeafHash(entry))
//	tiles := tree.Drain()                                      // store them with the entry
//	note := signer.Sign(tlog.Checkpoint{Origin: signer.Name(), Size: tree.Size(), Root: tree.Root()}.Text())
//
// A reader that has only tiles and entries makes proofs with [Inclusion] and [Consistency]; whoever holds a checkpoint checks them
// with [CheckInclusion] and [CheckConsistency], offline and without trusting the log.
//
// Sources: https://www.rfc-editor.org/rfc/rfc6962#section-2.1, https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-checkpoint,
// https://c2sp.org/signed-note.
package tlog

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"chartwarden/internal/outcome"
)

// HashSize is the length of a [Hash] in bytes.
const HashSize = sha256.Size

// Hash is a node of the tree: SHA-256 with the domain prefixes of RFC 6962.
type Hash [HashSize]byte

// EmptyRoot is the root of a tree without entries: SHA-256 of nothing.
var EmptyRoot = Hash(sha256.Sum256(nil))

// LeafHash is the hash of one entry: SHA-256(0x00 | entry).
func LeafHash(entry []byte) Hash {
	var small [256]byte
	return Hash(sha256.Sum256(append(append(small[:0], 0), entry...)))
}

// NodeHash is the hash of an inner node: SHA-256(0x01 | left | right).
func NodeHash(left, right Hash) Hash {
	var in [1 + 2*HashSize]byte
	in[0] = 1
	copy(in[1:], left[:])
	copy(in[1+HashSize:], right[:])
	return Hash(sha256.Sum256(in[:]))
}

// String is the standard base64 of h, as checkpoints write it.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads what [Hash.String] writes, and nothing else that decodes to the same bytes.
func ParseHash(s string) (Hash, error) {
	b, err := decode(s)
	if err != nil || len(b) != HashSize || Hash(b).String() != s {
		return Hash{}, outcome.New(outcome.Value, "not a hash: 44 characters of standard base64 are expected")
	}
	return Hash(b), nil
}

// decode reads base64 in its one form; the library's decoder passes over line ends.
func decode(text string) ([]byte, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}
