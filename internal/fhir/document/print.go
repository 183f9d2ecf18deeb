package document

import (
	"fmt"
	"io"
	"log/slog"
)

// What follows makes content unprintable. A printer that meets a value in an unexported field cannot call its methods, and with a
// verb that does not fit (%s of a struct) fmt follows pointers. Hence content is hidden: it sits behind an unsafe.Pointer, which
// every printer shows as an address.

// String is "Patient/123", or "Patient" without an id.
func (d Doc) String() string {
	if d.p == nil {
		return "no resource"
	}
	typ, id := d.Type(), d.ID()
	if !plainID(id) {
		return typ
	}
	return typ + "/" + id
}

// plainID is the grammar of ids; anything else in an id's place could be a name.
func plainID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// Format prints [Doc.String] for every verb.
func (d Doc) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is [Doc.String].
func (d Doc) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is [Doc.String]; the wire form is [Doc.AppendJSON].
func (d Doc) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is where the node is and of which kind, not what it holds.
func (n Node) String() string {
	if n.p == nil {
		return "nothing"
	}
	return n.Expression() + " (" + n.Kind().String() + ")"
}

// Format prints [Node.String] for every verb.
func (n Node) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, n.String()) }

// LogValue is [Node.String].
func (n Node) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalText is [Node.String].
func (n Node) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// String is the range and the number of new bytes.
func (e Edit) String() string {
	return fmt.Sprintf("edit %d-%d (%d bytes)", e.Start, e.End, len(e.With))
}

// Format prints [Edit.String] for every verb.
func (e Edit) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue is [Edit.String].
func (e Edit) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText is [Edit.String].
func (e Edit) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// String is the entry's place and the resource's name.
func (e Entry) String() string {
	if d := e.content().doc; d != nil {
		return fmt.Sprintf("entry %d (%s)", e.index, d)
	}
	return fmt.Sprintf("entry %d", e.index)
}

// Format prints [Entry.String] for every verb.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue is [Entry.String].
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// MarshalText is [Entry.String].
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }
