package audit

import (
	"encoding/binary"
	"time"

	"chartwarden/internal/outcome"
)

// entry is the leaf of the log: no patient data, only tags that look random and a commitment to the sealed payload.
// Format: docs/formats/audit-entry.md.
type entry struct {
	kind       Kind
	flags      byte
	time       int64 // unix microseconds
	tags       []tag
	commitment [32]byte
}

// tag is the n-th link of somebody's chain: HMAC under the chain's key, cut to 8 bytes.
type tag [8]byte

const (
	entryVersion = 1
	entryFixed   = 1 + 1 + 1 + 8 + 2 + 32

	flagContinued byte = 1 << 0 // belongs to the entry before it: one act with more patients than one entry holds
	flagImported  byte = 1 << 1 // recorded elsewhere first
)

// maxPatients is how many patients one entry names; an act with more is split.
const maxPatients = 2000

func (e entry) at() time.Time { return time.UnixMicro(e.time).UTC() }

func (e entry) append(dst []byte) []byte {
	dst = append(dst, entryVersion, byte(e.kind), e.flags)
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.time))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(e.tags)))
	for _, t := range e.tags {
		dst = append(dst, t[:]...)
	}
	return append(dst, e.commitment[:]...)
}

func parseEntry(b []byte) (entry, error) {
	if len(b) < entryFixed || b[0] != entryVersion {
		return entry{}, outcome.New(outcome.Structure, "not an audit entry of version 1")
	}
	e := entry{kind: Kind(b[1]), flags: b[2], time: int64(binary.BigEndian.Uint64(b[3:]))}
	n := int(binary.BigEndian.Uint16(b[11:]))
	if len(b) != entryFixed+n*len(tag{}) {
		return entry{}, outcome.New(outcome.Structure, "an audit entry's length does not fit its number of tags")
	}
	e.tags = make([]tag, n)
	for i := range e.tags {
		copy(e.tags[i][:], b[13+i*len(tag{}):])
	}
	copy(e.commitment[:], b[len(b)-32:])
	return e, nil
}
