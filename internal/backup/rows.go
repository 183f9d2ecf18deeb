package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
)

// Rows of a chunk lie one behind the other, the values of a row likewise: a tag, then the value. Nothing else is needed, since the
// manifest names the columns.
const (
	tagNull byte = iota
	tagInt
	tagText
	tagBytes
	tagFloat
)

var errRows = errors.New("backup: rows are damaged")

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case int64:
		return binary.AppendVarint(append(b, tagInt), v), nil
	case bool:
		n := int64(0)
		if v {
			n = 1
		}
		return binary.AppendVarint(append(b, tagInt), n), nil
	case string:
		return append(binary.AppendUvarint(append(b, tagText), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.AppendUvarint(append(b, tagBytes), uint64(len(v))), v...), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	}
	return nil, fmt.Errorf("backup: a column of type %T cannot be copied", v) // a type, never a value
}

// decode gives the rows of a chunk, width values each. Values of text and bytes lie in b.
func decode(b []byte, width int) (rows [][]any, err error) {
	if width == 0 {
		return nil, errRows
	}
	for len(b) > 0 {
		row := make([]any, width)
		for i := range row {
			if row[i], b, err = value(b); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func value(b []byte) (any, []byte, error) {
	if len(b) == 0 {
		return nil, nil, errRows
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagNull:
		return nil, b, nil
	case tagInt:
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil, nil, errRows
		}
		return v, b[n:], nil
	case tagText, tagBytes:
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, nil, errRows
		}
		v, rest := b[n:n+int(size)], b[n+int(size):]
		if tag == tagText {
			return string(v), rest, nil
		}
		return v, rest, nil
	case tagFloat:
		if len(b) < 8 {
			return nil, nil, errRows
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], nil
	}
	return nil, nil, errRows
}

// Chunks end where a row's key says so, not after a number of rows: a row more or less changes the chunk it is in and no other, so
// that a repository keeps the rest.
const (
	meanRows  = 512
	mostBytes = 4 << 20
)

func ends(key []byte, size int) bool {
	if size >= mostBytes {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write(key)
	return h.Sum64()%meanRows == 0
}
