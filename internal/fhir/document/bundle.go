package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"chartwarden/internal/outcome"
)

// Splitter reads one bundle from a stream, entry by entry; see [SplitBundle]. Not safe for concurrent use.
type Splitter struct {
	s       scanner
	header  []byte // the bundle without its entries
	started bool
	done    bool
	kind    string
}

// headerLimit bounds what a bundle may say besides its entries.
const headerLimit = 1 << 20

// SplitBundle splits the bundle in r. Only one entry is held at a time, so a bundle may be larger than memory; each entry is limited
// as [Parse] limits a resource.
//
//	s := document.SplitBundle(r)
//	for entry, err := range s.Entries() { ... }   // err ends the stream; entry.Doc() has the errors of single entries
//	header, err := s.Header()                     // resourceType, type and the rest, which may stand behind the entries
func SplitBundle(r io.Reader) *Splitter {
	return &Splitter{s: scanner{r: r, buf: make([]byte, 64<<10)}, header: []byte{'{'}}
}

// Type is Bundle.type as far as the stream has been read, "" before it was met.
func (b *Splitter) Type() string { return b.kind }

// Header is the bundle without its entries, once [Splitter.Entries] has been read to its end.
// Errors: those of [Parse]; outcome.Exception before the end.
func (b *Splitter) Header() (*Doc, error) {
	if !b.done {
		return nil, outcome.New(outcome.Exception, "a bundle's header is complete only behind its entries")
	}
	return Parse(append([]byte(nil), b.header...))
}

// Entries reads the entries in their order, once. An error is yielded alone and ends the stream: outcome.Invalid or
// outcome.Structure when the bundle is broken, outcome.Transient when reading failed. Entries yielded before it stand.
func (b *Splitter) Entries() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		if b.started {
			return
		}
		b.started = true
		stopped := false
		err := b.members(func(e *Entry) bool {
			stopped = !yield(e, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

func (b *Splitter) members(yield func(*Entry) bool) error {
	s := &b.s
	if err := s.expect('{', "a bundle is one JSON object: send { ... }"); err != nil {
		return err
	}
	seen := false
	for first := true; ; first = false {
		c, ok := s.space()
		if ok && c == '}' {
			s.i++
			break
		}
		if !first {
			if err := s.expect(',', "a comma is missing between two members"); err != nil {
				return err
			}
			c, ok = s.space()
		}
		if !ok || c != '"' {
			return s.fault("a property name in double quotes is missing")
		}
		name, err := s.value(nil, 255)
		if err != nil {
			return s.fault("a property name is too long")
		}
		if err := s.expect(':', "a colon is missing behind a name"); err != nil {
			return err
		}
		if string(name) == `"entry"` {
			if seen {
				return outcome.New(outcome.Structure, "a name occurs twice in one object: keep one").At("Bundle.entry")
			}
			seen = true
			if more, err := b.entries(yield); err != nil || !more {
				return err
			}
			continue
		}
		value, err := s.value(nil, headerLimit-len(b.header))
		if err != nil {
			if errors.Is(err, errTooLong) {
				err = outcome.New(outcome.TooLong, "the bundle says more than 1 MiB besides its entries: leave that out")
			}
			return err
		}
		if string(name) == `"type"` {
			b.kind = string(bytes.Trim(value, `"`))
		}
		if len(b.header) > 1 {
			b.header = append(b.header, ',')
		}
		b.header = append(append(append(b.header, name...), ':'), value...)
	}
	if _, ok := s.space(); ok || s.err != io.EOF {
		return s.fault("something follows the bundle: send one JSON object")
	}
	b.header = append(b.header, '}')
	b.done = true
	header, err := b.Header()
	if err == nil && header.Type() != "Bundle" {
		err = outcome.New(outcome.Structure, "this is not a bundle: resourceType must be Bundle").At("resourceType")
	}
	return err
}

// entries reads the array; false when the reader of the stream has had enough.
func (b *Splitter) entries(yield func(*Entry) bool) (bool, error) {
	s := &b.s
	if err := s.expect('[', "entry is not an array: write it as [...]"); err != nil {
		return false, err
	}
	for index := 0; ; index++ {
		c, ok := s.space()
		if ok && c == ']' {
			s.i++
			return true, nil
		}
		if index > 0 {
			if err := s.expect(',', "a comma is missing between two entries"); err != nil {
				return false, err
			}
		}
		raw, err := s.value(nil, MaxSize+slack(false))
		if err != nil && !errors.Is(err, errTooLong) {
			return false, err
		}
		content := entryContent{err: err}
		if err == nil {
			content = readEntry(raw)
		}
		if content.err != nil {
			content = entryContent{err: within(index, content.err)}
		}
		if !yield(newEntry(index, content)) {
			return false, nil
		}
	}
}

// readEntry parses the text of one bundle entry.
func readEntry(raw []byte) (c entryContent) {
	d, err := parse(raw, MaxDepth+1, false)
	if err != nil {
		c.err = err
		return c
	}
	root := d.Root()
	if root.Kind() != Object {
		c.err = structureAt(root, "an entry is a JSON object: write it as {...}")
		return c
	}
	if resource := root.Get("resource"); resource.Exists() {
		c.doc, c.err = resource.Detach()
	}
	c.fullURL = strings.Clone(text(root.Get("fullUrl")))
	for f := range root.Get("request").Fields() {
		if c.request == nil {
			c.request = map[string]string{}
		}
		c.request[strings.Clone(f.Name())] = strings.Clone(text(f))
	}
	return c
}

// within puts the entry's place in front of the place of err.
func within(index int, err error) error {
	var what *outcome.Error
	if !errors.As(err, &what) {
		return err
	}
	place := fmt.Sprintf("Bundle.entry[%d]", index)
	if rest, ok := strings.CutPrefix(what.Expression, untyped); ok {
		return what.At(place + rest)
	}
	return what.At(place + ".resource")
}
