package audit

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"chartwarden/internal/outcome"
	"chartwarden/internal/seal"
)

// The file: a header block, then records `length 4 | ciphertext | chain 32`, then zeros. Format: docs/formats/emergency-journal.md.
const (
	journalMagic  = "CWJRNL1\n"
	journalHeader = 512

	journalLongest = 256 << 10 // a record; an event that needs more is no single bedside read
)

// journal is the emergency journal: a file set aside in advance, so that a full disk does not stop it, sealed under keys that only go
// forward, so that who takes over the running server can neither read nor change what it wrote before, and chained, so that nothing
// between can be cut out. Its first key lies in its header, sealed under the installation's keys.
type journal struct {
	mu     sync.Mutex
	f      *os.File
	path   string
	id     string
	origin string // `<origin of the log>/journal-<id>`: in whose name its heads are signed
	size   int64
	end    int64
	n      int64
	chain  [32]byte
	key    [32]byte
	quota  quota

	spoiled error // a write that failed: nothing is appended until the file was read again
}

var aadJournal = []byte("journal")

// createJournal sets a new, empty journal aside and puts it in place at once or not at all.
func createJournal(ctx context.Context, box *seal.Box, path string, size int64) error {
	var first [32]byte
	var id [8]byte
	_, _ = rand.Read(first[:]) // never fails
	_, _ = rand.Read(id[:])
	key, err := box.Key(ctx, 0, "journal")
	if err != nil {
		return err
	}
	sealed, err := box.Seal(nil, key, aadJournal, first[:])
	if err != nil {
		return err
	}
	head := append([]byte(journalMagic), id[:]...)
	head = append(binary.BigEndian.AppendUint16(head, uint16(len(sealed))), sealed...)
	head = append(head, make([]byte, journalHeader-sha256.Size-len(head))...)
	sum := sha256.Sum256(head)
	head = append(head, sum[:]...)
	if err := writeZeroed(path+".new", head, size); err != nil {
		return noJournal("cannot be set aside: check its volume", err)
	}
	if err := errors.Join(os.Rename(path+".new", path), syncDir(filepath.Dir(path))); err != nil {
		return noJournal("cannot be set aside: check its volume", err)
	}
	return nil
}

// writeZeroed writes head and zeros, so that every block has its place on the disk.
func writeZeroed(path string, head []byte, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(head)
	zeros := make([]byte, 1<<20)
	for at := int64(len(head)); at < size && err == nil; {
		var n int
		n, err = f.Write(zeros[:min(int64(len(zeros)), size-at)])
		at += int64(n)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

func noJournal(why string, err error) error {
	return errNoJournal{outcome.Wrap("audit: emergency journal", outcome.NoStore, "the emergency journal "+why, err)}
}

// errNoJournal is a fault of the journal, not of the log: it stops nobody.
type errNoJournal struct{ error }

func (e errNoJournal) Unwrap() error { return e.error }

// journaled is one record of a journal.
type journaled struct {
	number int64 // from 1
	kind   Kind
	event  Event
	chain  [32]byte
}

// openJournalFile reads a journal from its beginning, calling see for each record, and leaves it ready to be written. A torn last
// record was never acknowledged and is overwritten. Errors: fs.ErrNotExist; outcome.Invariant when it was tampered with.
func openJournalFile(box *seal.Box, path, origin string, see func(journaled)) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	j := &journal{f: f, path: path, quota: quota{}}
	if err := j.read(box, origin, see); err != nil {
		_ = f.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) read(box *seal.Box, origin string, see func(journaled)) error {
	info, err := j.f.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, journalHeader)
	if _, err := j.f.ReadAt(head, 0); err != nil || string(head[:8]) != journalMagic {
		return errJournalAltered
	}
	sum := sha256.Sum256(head[:journalHeader-sha256.Size])
	n := int(binary.BigEndian.Uint16(head[16:]))
	if !bytes.Equal(sum[:], head[journalHeader-sha256.Size:]) || 18+n > journalHeader-sha256.Size {
		return errJournalAltered
	}
	first, err := box.Open(nil, aadJournal, head[18:18+n])
	if err != nil || len(first) != 32 {
		return noJournal("cannot be opened with this installation's keys", err)
	}
	j.id, j.size, j.end, j.chain = hex.EncodeToString(head[8:16]), info.Size(), journalHeader, sum
	j.origin = origin + "/journal-" + j.id
	copy(j.key[:], first)
	clear(first)
	for {
		ciphertext, chain, err := j.record()
		if err != nil || ciphertext == nil {
			return err
		}
		e, err := j.open(ciphertext)
		if err != nil {
			return errJournalAltered
		}
		j.chain = chain
		j.advance(j.end + 4 + int64(len(ciphertext)) + sha256.Size)
		e.number, e.chain = j.n, j.chain
		j.quota.count(e.event, e.event.Time)
		if see != nil {
			see(e)
		}
	}
}

var errJournalAltered = outcome.Wrap("audit: emergency journal", outcome.Invariant, "the emergency journal was altered", nil)

// record reads the next record, or nil behind the last. What a crash cut short was never acknowledged and counts as the end: it is
// recognised by nothing but zeros behind it. That a whole last record was removed is found out by the journal's heads.
func (j *journal) record() (ciphertext []byte, chain [32]byte, err error) {
	rest := make([]byte, min(journalLongest+1<<20, j.size-j.end))
	if len(rest) < 4 {
		return nil, chain, nil
	}
	if _, err := j.f.ReadAt(rest[:4], j.end); err != nil {
		return nil, chain, noJournal("cannot be read", err)
	}
	n := int64(binary.BigEndian.Uint32(rest))
	extent := 4 + n + sha256.Size
	if n == 0 {
		extent = 0
	}
	if n > journalLongest || extent > int64(len(rest)) {
		return nil, chain, errJournalAltered
	}
	if n > 0 {
		if _, err := j.f.ReadAt(rest[4:extent], j.end+4); err != nil {
			return nil, chain, noJournal("cannot be read", err)
		}
		ciphertext = rest[4 : 4+n]
		if chain = chained(j.chain, ciphertext); bytes.Equal(chain[:], rest[4+n:extent]) {
			return ciphertext, chain, nil
		}
	}
	if _, err := j.f.ReadAt(rest[extent:], j.end+extent); err != nil {
		return nil, chain, noJournal("cannot be read", err)
	}
	if len(bytes.TrimLeft(rest[extent:], "\x00")) > 0 {
		return nil, chain, errJournalAltered
	}
	return nil, chain, nil
}

func chained(before [32]byte, ciphertext []byte) [32]byte {
	return sha256.Sum256(append(before[:], ciphertext...))
}

// step derives from the ratchet's key: "seal" gives the key of this record, "next" the key of the following ones.
func step(key [32]byte, use string) (out [32]byte) {
	b, err := hkdf.Expand(sha256.New, key[:], "chartwarden journal "+use, 32)
	if err != nil {
		panic("audit: " + err.Error()) // only for impossible lengths
	}
	copy(out[:], b)
	return out
}

func (j *journal) aead() cipher.AEAD {
	key := step(j.key, "seal")
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("audit: " + err.Error()) // 32 bytes are a key
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic("audit: " + err.Error())
	}
	return a
}

// nonce may be constant: each record has a key of its own.
var nonce = make([]byte, 12)

func (j *journal) advance(end int64) {
	j.key = step(j.key, "next")
	j.n++
	j.end = end
}

// append makes one event durable in the journal.
func (j *journal) append(kind Kind, e *Event) (number int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.quota.allow(e, e.Time); err != nil {
		return 0, err
	}
	ciphertext := j.aead().Seal(nil, nonce, packEvent(kind, e), j.chain[:])
	chain := chained(j.chain, ciphertext)
	record := append(append(binary.BigEndian.AppendUint32(nil, uint32(len(ciphertext))), ciphertext...), chain[:]...)
	if len(ciphertext) > journalLongest {
		return 0, noJournal("takes no event of that size", nil)
	}
	if j.end+int64(len(record)) > j.size {
		return 0, noJournal("is full: reading stops until the audit log can be written again", nil)
	}
	if j.spoiled != nil {
		return 0, j.spoiled
	}
	_, err = j.f.WriteAt(record, j.end)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil { // the record may be there, in whole or in part: another in its place would use its key again and leave its tail behind
		j.spoiled = noJournal("cannot be written until the server is started again", err)
		return 0, j.spoiled
	}
	j.chain = chain
	j.advance(j.end + int64(len(record)))
	j.quota.count(*e, e.Time)
	return j.n, nil
}

func (j *journal) open(ciphertext []byte) (journaled, error) {
	plain, err := j.aead().Open(nil, nonce, ciphertext, j.chain[:])
	if err != nil {
		return journaled{}, err
	}
	kind, e, err := unpackEvent(plain)
	return journaled{kind: kind, event: e}, err
}

// length is the number of records and the chain after the last of them.
func (j *journal) length() (int64, [32]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.n, j.chain
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.key[:])
	return j.f.Close()
}

// packEvent writes a whole event: kind, then each part with its length, the common one first.
func packEvent(kind Kind, e *Event) []byte {
	part := appendCommon(nil, e)
	out := append(binary.AppendUvarint([]byte{byte(kind)}, uint64(len(part))), part...)
	for i := range e.Patients {
		part = appendPatient(part[:0], &e.Patients[i])
		out = append(binary.AppendUvarint(out, uint64(len(part))), part...)
	}
	return out
}

func unpackEvent(b []byte) (kind Kind, e Event, err error) {
	if len(b) == 0 {
		return 0, e, errPayload
	}
	kind, b = Kind(b[0]), b[1:]
	for first := true; first || len(b) > 0; first = false {
		n, used := binary.Uvarint(b)
		if used <= 0 || uint64(len(b)-used) < n {
			return 0, e, errPayload
		}
		part := b[used : used+int(n)]
		b = b[used+int(n):]
		if first {
			if e, err = parseCommon(part); err != nil {
				return 0, e, err
			}
			continue
		}
		p, err := parsePatient(part)
		if err != nil {
			return 0, e, err
		}
		e.Patients = append(e.Patients, p)
	}
	return kind, e, nil
}
