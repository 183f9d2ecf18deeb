package seal

import (
	"bytes"
	"encoding/binary"

	"chartwarden/internal/outcome"
)

// The envelope: format, flags, dictionary, key id (uvarint), then nonce, ciphertext and tag as AES-GCM with random nonce gives them.
const (
	format byte = 1

	flagCompressed byte = 1 << 0
	flagNoEscapes  byte = 1 << 1
)

// Seal appends to dst an envelope of plain under key k and gives the extended slice. aad says where the envelope belongs (patient,
// type, id, version); it is bound, not stored, and the same bytes must be given to Open. plain is compressed by itself: nothing of
// another patient is in its window but the dictionary, which is invented.
//
// Errors: as [Box.Open] for the key.
func (b *Box) Seal(dst []byte, k KeyID, aad, plain []byte) ([]byte, error) {
	a, err := b.unwrapped(k)
	if err != nil {
		return nil, err
	}
	var flags, dictionary byte
	if bytes.IndexByte(plain, '\\') < 0 {
		flags |= flagNoEscapes
	}
	space := b.scratch.Get().(*[]byte)
	defer b.scratch.Put(space)
	packed := (*space)[:0]
	if len(plain) >= worthPacking {
		packed = compress(packed, plain)
	}
	if len(packed) > 0 && len(packed) < len(plain) {
		flags, dictionary = flags|flagCompressed, newest
	} else {
		packed = append(packed[:0], plain...)
	}
	start := len(dst)
	dst = binary.AppendUvarint(append(dst, format, flags, dictionary), uint64(k))
	inner := len(packed)
	packed = b.bind(packed, dst[start:], aad)
	dst = a.Seal(dst, nil, packed[:inner], packed[inner:])
	clear(packed)
	*space = packed[:0]
	return dst, nil
}

// Open appends to dst what was sealed and gives the extended slice.
//
// Errors wrap [ErrTampered] (a byte or aad differs, or another family sealed it), [ErrShredded], [ErrUnknownKey].
func (b *Box) Open(dst, aad, sealed []byte) ([]byte, error) {
	head, flags, dictionary, k, ok := header(sealed)
	if !ok {
		return nil, tampered()
	}
	a, err := b.unwrapped(k)
	if err != nil {
		return nil, err
	}
	space := b.scratch.Get().(*[]byte)
	defer b.scratch.Put(space)
	bound := b.bind((*space)[:0], sealed[:head], aad)
	edge := len(bound)
	if flags&flagCompressed == 0 {
		*space = bound[:0]
		if dst, err = a.Open(dst, nil, sealed[head:], bound); err != nil {
			return nil, tampered()
		}
		return dst, nil
	}
	packed, err := a.Open(bound, nil, sealed[head:], bound)
	if err != nil {
		*space = bound[:0]
		return nil, tampered()
	}
	*space = packed[:0]
	dst, err = expand(dst, packed[edge:], dictionary)
	clear(packed[edge:])
	if err != nil {
		return nil, outcome.Wrap("seal: open", outcome.Exception, "the stored data cannot be unpacked by this version of the program", err)
	}
	return dst, nil
}

// NoEscapes reports that the plain text of an envelope holds no backslash, so that a JSON string in it is found by comparing bytes.
// It is only a hint until Open succeeds.
func NoEscapes(sealed []byte) bool { return len(sealed) > 1 && sealed[1]&flagNoEscapes != 0 }

// header reads the clear part of an envelope; head is its length.
func header(sealed []byte) (head int, flags, dictionary byte, k KeyID, ok bool) {
	if len(sealed) < 4 || sealed[0] != format {
		return 0, 0, 0, 0, false
	}
	id, n := binary.Uvarint(sealed[3:])
	if n <= 0 || id > 1<<62 {
		return 0, 0, 0, 0, false
	}
	return 3 + n, sealed[1], sealed[2], KeyID(id), true
}

// bind appends the associated data: what this Box is, the clear header (it delimits itself), the caller's words.
func (b *Box) bind(dst, head, aad []byte) []byte {
	return append(append(append(dst, b.bound...), head...), aad...)
}

func tampered() error {
	return outcome.Wrap("seal: open", outcome.Exception, "stored data was altered or moved: it is not what was sealed here", ErrTampered)
}
