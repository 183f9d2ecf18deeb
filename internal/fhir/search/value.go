package search

import (
	"fmt"
	"io"
	"log/slog"

	"chartwarden/internal/fhir/document"
)

// Value is one search value. Which fields are used depends on the type of its parameter:
//
//	token      System, Code, Text (display, text), IgnoreCase, Kinds (of an identifier)
//	date       From, To: the interval [From, To) in microseconds since 1970, with [Never] and [Forever] for open ends
//	number     Low, High: equal, but for a range
//	quantity   Low, High; System, Code, Text: the unit, the latter as written
//	reference  Kind and ID of a resource here, or URL (and Kind if it shows); Version of a canonical; System, Code: the identifier;
//	           Text: the display
//	string     Text as written, Folded
//	uri        URL, and Version of a canonical
//	composite  Parts: the values of each component, all of one element
//
// Strings share the document's memory: clone what is kept. A Value prints as its parameter.
type Value struct {
	Param        *Param
	System, Code string
	Text, Folded string
	Kind, ID     string
	URL, Version string
	From, To     int64
	Low, High    float64
	IgnoreCase   bool
	Kinds        []Coding
	Parts        [][]Value
}

// Coding is a code of a system.
type Coding struct{ System, Code string }

// Values gives all search values of d, of every supported parameter of its type, in the order of the text; nil for a type that R4
// does not have. Equal values are not merged.
func Values(d *document.Doc, o Options) []Value {
	own := catalogue()[d.Type()]
	if own == nil {
		return nil
	}
	w := newWalker(d, o.site())
	defer w.release()
	w.walk(w.root, own.all)
	return append(make([]Value, 0, len(w.values)), w.values...)
}

// String names the parameter, never the value.
func (v Value) String() string {
	if v.Param == nil {
		return "a search value"
	}
	return "a value of " + v.Param.Name
}

// Format prints [Value.String] for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, v.String()) }

// LogValue is [Value.String].
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalText is [Value.String].
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
