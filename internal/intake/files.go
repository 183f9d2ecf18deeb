package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// file is one input, with what the first pass learnt of it.
type file struct {
	path    string
	defines map[uint64]bool // hashes of the fullUrls and Type/id that it brings
	needs   map[uint64]bool // hashes of the references that it does not define itself
}

// order lists the files of paths so that a file stands behind those whose resources it refers to. Files that refer to each other stay
// in the order of their names. Errors: outcome.NotFound for a path that is not there; outcome.Required for none.
func order(paths []string) ([]*file, error) {
	if len(paths) == 0 {
		return nil, outcome.New(outcome.Required, "name at least one file or directory to import")
	}
	var files []*file
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && (path == p || importable(path)) {
				files = append(files, &file{path: path, defines: map[uint64]bool{}, needs: map[uint64]bool{}})
			}
			return err
		})
		if err != nil {
			return nil, outcome.Wrap("intake: "+p, outcome.NotFound, "the path "+p+" cannot be read: check that it exists and that you may read it", err)
		}
	}
	if len(files) == 0 {
		return nil, outcome.New(outcome.NotFound, "there is no .json, .ndjson or .gz file in "+strings.Join(paths, ", "))
	}
	if len(files) == 1 {
		return files, nil
	}
	survey(files)
	owner := map[uint64]*file{}
	for _, f := range files {
		for h := range f.defines {
			if owner[h] == nil {
				owner[h] = f
			}
		}
	}
	var sorted []*file
	state := map[*file]int{} // 1: on the way, 2: placed
	var place func(*file)
	place = func(f *file) {
		if state[f] != 0 {
			return
		}
		state[f] = 1
		var before []*file
		for h := range f.needs {
			if o := owner[h]; o != nil && o != f && !slices.Contains(before, o) {
				before = append(before, o)
			}
		}
		slices.SortFunc(before, func(a, b *file) int { return strings.Compare(a.path, b.path) })
		for _, o := range before {
			place(o)
		}
		state[f] = 2
		sorted = append(sorted, f)
	}
	// Directories and staff first: what defines no patient's data is small and much referred to.
	slices.SortStableFunc(files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	for _, f := range files {
		place(f)
	}
	return sorted, nil
}

func importable(path string) bool {
	path = strings.TrimSuffix(strings.ToLower(path), ".gz")
	return strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".ndjson") || strings.HasSuffix(path, ".jsonl")
}

var seed = maphash.MakeSeed()

// survey is the first pass, on all processors.
func survey(files []*file) {
	queue := make(chan *file)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for f := range queue {
				f.survey()
			}
		})
	}
	for _, f := range files {
		queue <- f
	}
	close(queue)
	workers.Wait()
}

// survey is the first pass over one file. What is wrong with it shows in the second.
func (f *file) survey() {
	_ = f.each(func(e access.Entry) error {
		if e.FullURL != "" {
			f.defines[maphash.String(seed, e.FullURL)] = true
		}
		if e.Doc == nil {
			return nil
		}
		if id := e.Doc.ID(); id != "" {
			f.defines[maphash.String(seed, e.Doc.Type()+"/"+id)] = true
		}
		for n := range e.Doc.Root().All() {
			if n.Name() == "reference" && n.Kind() == document.String {
				f.needs[maphash.String(seed, n.Text())] = true
			}
		}
		return nil
	}, func(access.Entry, error) {})
	for h := range f.defines {
		delete(f.needs, h)
	}
}

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
		r, name = zipped, strings.TrimSuffix(name, ".gz")
	}
	if strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".jsonl") {
		for line, err := range document.SplitLines(r) {
			if err != nil {
				bad(access.Entry{}, err)
				return nil
			}
			if err := single(line, take, bad); err != nil {
				return err
			}
		}
		return nil
	}
	buffered := bufio.NewReaderSize(r, 1<<20)
	if kind := resourceType(buffered); kind != "" && kind != "Bundle" {
		return f.one(buffered, take, bad)
	}
	return f.bundle(buffered, take, bad)
}

// resourceType looks ahead for the type of what r holds; empty when it is not within what r keeps, or is no resource. It has to be known
// before the first entry is read: a List has entries too.
func resourceType(r *bufio.Reader) string {
	ahead, _ := r.Peek(r.Size()) // a short file gives all it has
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
func (f *file) one(r io.Reader, take func(access.Entry) error, bad func(access.Entry, error)) error {
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

// bundle reads a Bundle as a stream.
func (f *file) bundle(r io.Reader, take func(access.Entry) error, bad func(access.Entry, error)) error {
	s := document.SplitBundle(r)
	for entry, err := range s.Entries() {
		if err != nil {
			bad(access.Entry{}, err)
			return nil
		}
		e := access.Entry{Index: entry.Index(), FullURL: entry.FullURL(), Method: entry.Request("method"), URL: entry.Request("url")}
		var broken error
		if e.Doc, broken = entry.Doc(); broken != nil {
			bad(e, broken)
			continue
		}
		if e.Doc == nil {
			bad(e, outcome.New(outcome.Required, "the entry has no resource; an import only brings records in"))
			continue
		}
		complete(&e)
		if err := take(e); err != nil {
			return err
		}
	}
	return nil
}

func single(line *document.Entry, take func(access.Entry) error, bad func(access.Entry, error)) error {
	e := access.Entry{Index: line.Index()}
	var broken error
	if e.Doc, broken = line.Doc(); broken != nil {
		bad(e, broken)
		return nil
	}
	complete(&e)
	return take(e)
}

// complete fills in the request that a resource without one means: under its own id if it has one, else a new one. A POST keeps the
// id of the server's making.
func complete(e *access.Entry) {
	e.URL = strings.TrimPrefix(e.URL, "/")
	if e.Method != "" {
		return
	}
	if id := e.Doc.ID(); id != "" {
		e.Method, e.URL = "PUT", e.Doc.Type()+"/"+id
		return
	}
	e.Method, e.URL = "POST", e.Doc.Type()
}

// batch is what is handed to the door at once, with what of the file could not even be read.
type batch struct {
	file    string
	entries []access.Entry
	bad     []Rejection
	last    bool // of its file
	err     error
}

// batches reads a file batch by batch; the whole file is one when it is to be stored whole.
func (f *file) batches(whole bool) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		enough := errors.New("enough")
		b := batch{file: filepath.Base(f.path)}
		err := f.each(func(e access.Entry) error {
			b.entries = append(b.entries, e)
			if len(b.entries) < batchSize || whole {
				return nil
			}
			full := b
			b = batch{file: full.file}
			if !yield(full) {
				return enough
			}
			return nil
		}, func(e access.Entry, err error) { b.bad = append(b.bad, rejection(b.file, e, err)) })
		if errors.Is(err, enough) {
			return
		}
		b.last, b.err = true, err
		yield(b)
	}
}

// read gives the batches of all files in their order.
func read(files []*file, whole bool) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for _, f := range files {
			for b := range f.batches(whole) {
				if !yield(b) {
					return
				}
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
