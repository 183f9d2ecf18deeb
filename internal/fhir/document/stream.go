package document

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"chartwarden/internal/outcome"
)

// Entry is one resource of a stream: an entry of a bundle or a line of NDJSON. Use it by pointer. Safe for concurrent use.
type Entry struct {
	index int
	p     unsafe.Pointer // to an entryContent; see hidden in print.go
}

type entryContent struct {
	fullURL string
	request map[string]string
	doc     *Doc
	err     error
}

func newEntry(index int, c entryContent) *Entry { return &Entry{index, unsafe.Pointer(&c)} }

func (e Entry) content() *entryContent {
	if e.p == nil {
		return &entryContent{}
	}
	return (*entryContent)(e.p)
}

// Index is the place in the bundle, from 0, or the line of NDJSON, from 1.
func (e *Entry) Index() int { return e.index }

// FullURL is entry.fullUrl; "" when there is none.
func (e *Entry) FullURL() string { return e.content().fullURL }

// Request is entry.request.name, such as method, url or ifNoneExist; "" when there is none.
func (e *Entry) Request(name string) string { return e.content().request[name] }

// Doc is the resource; nil without error when the entry has none (a DELETE). The error, of the kinds of [Parse], concerns this
// entry alone: the stream goes on behind it, and FullURL and Request say nothing.
func (e *Entry) Doc() (*Doc, error) { return e.content().doc, e.content().err }

// scanner reads a stream of JSON by whole values: it finds where a value ends, and leaves its inside to the parser.
type scanner struct {
	r    io.Reader
	buf  []byte
	i, n int // buf[i:n] is not consumed
	read int64
	err  error
}

var errTooLong = outcome.New(outcome.TooLong, "one entry is larger than 16 MiB: put large content into a Binary or leave it at its source")

// peek is the next byte; false at the end or on a read error, which fault tells apart.
func (s *scanner) peek() (byte, bool) {
	for s.i == s.n {
		if s.err != nil {
			return 0, false
		}
		s.read += int64(s.n)
		s.i = 0
		s.n, s.err = s.r.Read(s.buf)
	}
	return s.buf[s.i], true
}

// space skips white space and gives the next byte.
func (s *scanner) space() (byte, bool) {
	for {
		c, ok := s.peek()
		if !ok || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c, ok
		}
		s.i++
	}
}

// fault is the error for what was met instead of something expected.
func (s *scanner) fault(public string) error {
	at := s.read + int64(s.i)
	switch {
	case s.err == nil || s.i < s.n:
		return outcome.New(outcome.Invalid, fmt.Sprintf("%s (byte %d)", public, at))
	case errors.Is(s.err, io.EOF):
		return outcome.New(outcome.Invalid, fmt.Sprintf("the JSON ends too early: close what is open (byte %d)", at))
	}
	return outcome.Wrap("read the stream", outcome.Transient, "the data could not be read to its end: please send it again", s.err)
}

func (s *scanner) expect(want byte, public string) error {
	if c, ok := s.space(); !ok || c != want {
		return s.fault(public)
	}
	s.i++
	return nil
}

// value appends the next value to dst. A value longer than limit is passed over and reported as errTooLong, after which the stream
// is behind it. Inside of the value only strings and brackets are looked at.
func (s *scanner) value(dst []byte, limit int) ([]byte, error) {
	first, ok := s.space()
	if !ok {
		return nil, s.fault("")
	}
	nested := first == '{' || first == '['
	if !nested && first != '"' && (first == ',' || first == '}' || first == ']' || first == ':') {
		return nil, s.fault("a value is missing")
	}
	depth, inString, escaped, long, done := 0, false, false, false, false
	base := len(dst)
	for !done {
		if _, ok := s.peek(); !ok {
			if !nested && first != '"' {
				break
			}
			return nil, s.fault("")
		}
		j := s.i
	chunk:
		for ; j < s.n; j++ {
			c := s.buf[j]
			switch {
			case escaped:
				escaped = false
			case inString:
				if c == '\\' {
					escaped = true
				} else if c == '"' {
					inString = false
					done = depth == 0
				}
			case c == '"':
				inString = true
			case c == '{' || c == '[':
				depth++
			case c == '}' || c == ']':
				if depth == 0 { // ends a number or word
					done = true
					break chunk
				}
				depth--
				done = depth == 0
			case depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t'):
				done = true
				break chunk
			}
			if done {
				j++
				break
			}
		}
		if !long {
			dst = append(dst, s.buf[s.i:j]...)
		}
		s.i = j
		if len(dst)-base > limit {
			long, dst = true, dst[:base]
		}
	}
	if long {
		return nil, errTooLong
	}
	return dst, nil
}
