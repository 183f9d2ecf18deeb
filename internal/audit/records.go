package audit

import (
	"encoding/binary"
	"slices"

	"chartwarden/internal/fhir"
)

// appendRecords writes records in order of number as differences: what a chart shows lies together, so most take two or three bytes.
func appendRecords(dst []byte, records []Record) []byte {
	sorted := records
	if !slices.IsSortedFunc(records, compareRecords) {
		sorted = slices.SortedFunc(slices.Values(records), compareRecords)
	}
	dst = binary.AppendUvarint(dst, uint64(len(sorted)))
	last := int64(0)
	for i := range sorted {
		r := &sorted[i]
		dst = binary.AppendVarint(dst, int64(r.Record)-last)
		last = int64(r.Record)
		head := uint64(r.Version) << 2
		if r.Hash != ([32]byte{}) {
			head |= 1
		}
		if r.Ref != "" {
			head |= 2
		}
		dst = binary.AppendUvarint(dst, head)
		if head&1 != 0 {
			dst = append(dst, r.Hash[:]...)
		}
		if head&2 != 0 {
			dst = append(binary.AppendUvarint(dst, uint64(len(r.Ref))), r.Ref...)
		}
	}
	return dst
}

func compareRecords(a, b Record) int {
	if a.Record != b.Record {
		return int(min(1, max(-1, a.Record-b.Record)))
	}
	return int(min(1, max(-1, a.Version-b.Version)))
}

func parseRecords(b []byte) ([]Record, error) {
	count, used := binary.Uvarint(b)
	if used <= 0 || count > uint64(len(b)) {
		return nil, errPayload
	}
	b = b[used:]
	out := make([]Record, 0, count)
	last := int64(0)
	for range count {
		delta, used := binary.Varint(b)
		if used <= 0 {
			return nil, errPayload
		}
		head, more := binary.Uvarint(b[used:])
		if more <= 0 {
			return nil, errPayload
		}
		b = b[used+more:]
		last += delta
		r := Record{Record: fhir.RecordID(last), Version: int64(head >> 2)}
		if head&1 != 0 {
			if len(b) < 32 {
				return nil, errPayload
			}
			copy(r.Hash[:], b)
			b = b[32:]
		}
		if head&2 != 0 {
			n, used := binary.Uvarint(b)
			if used <= 0 || uint64(len(b)-used) < n {
				return nil, errPayload
			}
			r.Ref, b = string(b[used:used+int(n)]), b[used+int(n):]
		}
		out = append(out, r)
	}
	if len(b) != 0 {
		return nil, errPayload
	}
	return out, nil
}
