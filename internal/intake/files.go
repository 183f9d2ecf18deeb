package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// each reads the file as a stream and calls take for every entry, or bad for one that cannot be read. The error stops the file.
func (f *file) each(take func(access.Entry) error, bad func(access.Entry, error)) error {
	in, err := os.Open(f.path)
	if err != nil {
		return outcome.Wrap("intake: "+filepath.Base(f.path), outcome.NotFound, "the file cannot be read", err)
	}
	defer in.Close()
	var r io.Reader = in
	name := strings.ToLower(f.path)
	if strings.HasSuffix(name, ".gz") {
		zipped, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
		if err != nil {
			bad(access.Entry{}, outcome.New(outcome.Invalid, "the file is called .gz and is not gzip"))
			return nil
		}
		defer zipped.Close()
		r, name = unzipped{zipped}, strings.TrimSuffix(name, ".gz")
	}
	buffered := bufio.NewReaderSize(r, 1<<20)
	ahead, _ := buffered.Peek(buffered.Size()) // a short file gives all it has
	switch {
	case bytes.HasPrefix(ahead, []byte("\xef\xbb\xbf")):
		_, _ = buffered.Discard(3) // peeked
		ahead = ahead[3:]
	case bytes.HasPrefix(ahead, []byte("\xff\xfe")), bytes.HasPrefix(ahead, []byte("\xfe\xff")):
		bad(access.Entry{}, outcome.New(outcome.Invalid, "the file is UTF-16: convert it to UTF-8"))
		return nil
	}
	if inLines(ahead, strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".jsonl")) {
		return lines(buffered, take, bad)
	}
	if kind := resourceType(ahead); kind != "" && kind != "Bundle" {
		return one(buffered, take, bad)
	}
	return bundle(buffered, 0, take, bad)
}

// unzipped says of a .gz file that is cut off or damaged what is wrong with it.
type unzipped struct{ *gzip.Reader }

func (u unzipped) Read(b []byte) (int, error) {
	n, err := u.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = outcome.Wrap("intake: unzip", outcome.Invalid, "the .gz file is cut off or damaged here: what stood before is taken in; fetch the file again", err)
	}
	return n, err
}

// inLines reports whether what begins so is one resource a line, whatever the name of the file promises: a file called .json may hold
// lines, and one called .ndjson a resource that is written over many.
func inLines(ahead []byte, promised bool) bool {
	text := bytes.TrimLeft(ahead, " \t\r\n")
	first, rest, more := bytes.Cut(text, []byte("\n"))
	whole, follows := json.Valid(first), bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("{"))
	if promised {
		return whole || follows || !more || resourceType(text) == ""
	}
	return whole && follows && bytes.HasPrefix(first, []byte("{"))
}

// lines reads one resource a line. A line may be a whole Bundle, too.
func lines(r io.Reader, take func(access.Entry) error, bad func(access.Entry, error)) error {
	for line, err := range document.SplitLines(r) {
		if err != nil {
			bad(access.Entry{}, err)
			return nil
		}
		e := access.Entry{Index: line.Index()}
		var broken error
		if e.Doc, broken = line.Doc(); broken != nil {
			bad(e, broken)
			continue
		}
		if e.Doc.Type() == "Bundle" && e.Doc.Root().Get("entry").Exists() {
			err = bundle(bytes.NewReader(e.Doc.AppendJSON(nil)), e.Index, take, bad)
		} else {
			complete(&e)
			err = take(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resourceType looks for the type of what begins so; empty when it is further behind, or this is no resource. It has to be known before
// the first entry is read: a List has entries too.
func resourceType(ahead []byte) string {
	in := json.NewDecoder(bytes.NewReader(ahead))
	for depth, name := 0, ""; ; {
		token, err := in.Token()
		if err != nil {
			return ""
		}
		text, isText := token.(string)
		switch {
		case token == json.Delim('{'), token == json.Delim('['):
			depth, name = depth+1, ""
		case token == json.Delim('}'), token == json.Delim(']'):
			depth, name = depth-1, ""
		case depth == 1 && name == "" && isText:
			name = text
		case depth == 1 && name == "resourceType":
			return text
		default:
			name = ""
		}
	}
}

// one reads a file that holds one resource.
func one(r io.Reader, take func(access.Entry) error, bad func(access.Entry, error)) error {
	text, err := io.ReadAll(io.LimitReader(r, document.MaxSize+1))
	if err != nil {
		bad(access.Entry{}, outcome.Wrap("intake: read", outcome.Transient, "the file cannot be read to its end", err))
		return nil
	}
	doc, err := document.Parse(text)
	if err != nil {
		bad(access.Entry{}, err)
		return nil
	}
	e := access.Entry{Doc: doc}
	complete(&e)
	return take(e)
}

// bundle reads a Bundle as a stream; line is where it stands in NDJSON, 0 in a file of its own.
func bundle(r io.Reader, line int, take func(access.Entry) error, bad func(access.Entry, error)) error {
	s := document.SplitBundle(r)
	for entry, err := range s.Entries() {
		if err != nil {
			bad(access.Entry{Index: line}, err)
			return nil
		}
		e := access.Entry{Index: entry.Index(), FullURL: entry.FullURL(), Method: entry.Request("method"), URL: entry.Request("url"),
			IfNoneExist: entry.Request("ifNoneExist")}
		if line > 0 {
			e.Index = line
		}
		var broken error
		if e.Doc, broken = entry.Doc(); broken != nil {
			bad(e, broken)
			continue
		}
		switch {
		case e.Doc == nil:
			bad(e, outcome.New(outcome.Required, "the entry has no resource; an import only brings records in"))
			continue
		case e.Doc.Type() == "OperationOutcome" && e.Method == "":
			bad(e, outcome.New(outcome.NotSupported, "an OperationOutcome is the answer to a request, no record"))
			continue
		}
		complete(&e)
		if err := take(e); err != nil {
			return err
		}
	}
	return nil
}

// complete fills in the request that a resource means which comes without one, or with one that would make a double of it each time:
// under its own id if it has one, else a new one. A POST under a full URL keeps the id of the server's making.
func complete(e *access.Entry) {
	e.URL = strings.TrimPrefix(e.URL, "/")
	if e.Method != "" && (e.Method != "POST" || e.FullURL != "" || e.IfNoneExist != "") {
		return
	}
	if id := e.Doc.ID(); id != "" {
		e.Method, e.URL = "PUT", e.Doc.Type()+"/"+id
		return
	}
	e.Method, e.URL = "POST", e.Doc.Type()
}

// placed is an entry with the name of its file.
type placed struct {
	file  string
	entry access.Entry
}

// batch is what is handed to the door at once, with what of the file could not even be read.
type batch struct {
	entries []placed
	bad     []Rejection
	ends    []string // files that end with it
	err     error
}

// batches reads a file batch by batch; the whole file is one when it is to be stored whole. Two entries of one name, or with one
// condition, do not meet in a batch: the second finds what the first left.
func (f *file) batches(whole bool, twice map[uint64]bool) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		enough := errors.New("enough")
		var b batch
		file := filepath.Base(f.path)
		met, doubles := map[uint64]bool{}, map[[32]byte]int{}
		err := f.each(func(e access.Entry) error {
			name(&e, file, doubles)
			mine := claims(e, twice)
			if !whole && (len(b.entries) == batchSize || slices.ContainsFunc(mine, func(h uint64) bool { return met[h] })) {
				full := b
				b = batch{}
				clear(met)
				if !yield(full) {
					return enough
				}
			}
			for _, h := range mine {
				met[h] = true
			}
			b.entries = append(b.entries, placed{file, e})
			return nil
		}, func(e access.Entry, err error) { b.bad = append(b.bad, rejection(file, e, err)) })
		if errors.Is(err, enough) {
			return
		}
		b.ends, b.err = []string{file}, err
		yield(b)
	}
}

// name gives an entry that has none a name made of its file and content, so that a second run knows it. doubles counts equal ones.
func name(e *access.Entry, file string, doubles map[[32]byte]int) {
	if e.Method != "POST" || e.FullURL != "" || e.IfNoneExist != "" {
		return
	}
	hash := sha256.Sum256(e.Doc.AppendJSON(nil))
	doubles[hash]++
	e.FullURL = fmt.Sprintf("urn:x-chartwarden:%s:%x:%d", file, hash, doubles[hash])
}

// claims are the names that only one entry of a batch may have, where more than one of the import has them.
func claims(e access.Entry, twice map[uint64]bool) (out []uint64) {
	for _, n := range []string{e.FullURL, e.URL} {
		if h := nameOf(n); n != "" && twice[h] {
			out = append(out, h)
		}
	}
	if e.IfNoneExist != "" {
		out = append(out, maphash.String(seed, e.Doc.Type()+"?"+e.IfNoneExist))
	}
	return out
}

// read gives the batches of all files in their order. Files that are to be stored whole and refer to each other are one batch: neither
// can be stored before the other.
func (p *plan) read(whole bool) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for _, f := range p.files {
			if !whole {
				for b := range f.batches(false, p.twice) {
					if !yield(b) {
						return
					}
				}
				continue
			}
			var all batch
			for _, f := range p.rings[f] {
				for b := range f.batches(true, p.twice) {
					all.entries, all.bad, all.ends = append(all.entries, b.entries...), append(all.bad, b.bad...), append(all.ends, b.ends...)
					all.err = cmp.Or(all.err, b.err)
				}
			}
			if len(all.ends) > 0 && !yield(all) {
				return
			}
		}
	}
}

// ahead runs seq one step ahead of whoever uses it, so that one batch is read while the one before it is stored.
func ahead[T any](seq iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		made, enough := make(chan T), make(chan struct{})
		defer close(enough)
		go func() {
			defer close(made)
			for x := range seq {
				select {
				case made <- x:
				case <-enough:
					return
				}
			}
		}()
		for x := range made {
			if !yield(x) {
				return
			}
		}
	}
}
