package intake

import (
	"cmp"
	"hash/maphash"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// file is one input, with what the first pass learnt of it.
type file struct {
	path    string
	defines map[uint64]int  // names of what it brings, and how often: fullUrl, Type/id, identifiers
	needs   map[uint64]bool // names that it refers to and does not bring itself
}

// plan is the order in which files are taken in, and what the first pass knows about all of them.
type plan struct {
	files  []*file
	rings  map[*file][]*file // of files that refer to each other, those of each, in their order; the first of them leads to it
	coming map[uint64]bool   // names of what has not been taken in yet
	twice  map[uint64]bool   // places (Type/id) and full URLs that more than one entry brings
}

// survey reads all files once and orders them so that a file stands behind those whose resources it refers to. Files that refer to
// each other stay in the order of their names. Errors: outcome.NotFound for a path that is not there; outcome.Required for none.
func survey(paths []string) (*plan, error) {
	files, err := find(paths)
	if err != nil {
		return nil, err
	}
	readAll(files)
	p := &plan{coming: map[uint64]bool{}, twice: map[uint64]bool{}}
	owner := map[uint64]*file{}
	for _, f := range files {
		for h, n := range f.defines {
			if n > 1 || owner[h] != nil {
				p.twice[h] = true
			}
			if owner[h] == nil {
				owner[h], p.coming[h] = f, true
			}
		}
		f.defines = nil
	}
	needed := map[*file][]*file{}
	for _, f := range files {
		for h := range f.needs {
			if o := owner[h]; o != nil && o != f && !slices.Contains(needed[f], o) {
				needed[f] = append(needed[f], o)
			}
		}
		f.needs = nil
		slices.SortFunc(needed[f], byPath)
	}
	slices.SortFunc(files, byPath)
	p.rings = map[*file][]*file{}
	for _, ring := range rings(files, needed) {
		p.files = append(p.files, ring...)
		p.rings[ring[0]] = ring
	}
	return p, nil
}

// rings groups files that refer to each other, directly or by way of others, and gives the groups in an order in which each stands
// behind those that it refers to. Source: Tarjan, Depth-first search and linear graph algorithms, 1972.
func rings(files []*file, needed map[*file][]*file) (out [][]*file) {
	number, low := map[*file]int{}, map[*file]int{} // when a file was met; the first on the stack that it leads to
	var stack []*file
	var visit func(*file)
	visit = func(f *file) {
		number[f] = len(number) + 1
		low[f] = number[f]
		stack = append(stack, f)
		for _, o := range needed[f] {
			if number[o] == 0 {
				visit(o)
				low[f] = min(low[f], low[o])
			} else if slices.Contains(stack, o) {
				low[f] = min(low[f], number[o])
			}
		}
		if low[f] == number[f] {
			at := slices.Index(stack, f)
			ring := slices.Clone(stack[at:])
			stack = stack[:at]
			slices.SortFunc(ring, byPath)
			out = append(out, ring)
		}
	}
	for _, f := range files {
		if number[f] == 0 {
			visit(f)
		}
	}
	return out
}

func byPath(a, b *file) int { return cmp.Compare(a.path, b.path) }

// find lists the files of paths: those named, and in a directory those whose names say that they hold records.
func find(paths []string) ([]*file, error) {
	if len(paths) == 0 {
		return nil, outcome.New(outcome.Required, "name at least one file or directory to import")
	}
	var files []*file
	known := map[string]bool{}
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && (path == p || importable(path)) && !known[filepath.Clean(path)] {
				known[filepath.Clean(path)] = true
				files = append(files, &file{path: path, defines: map[uint64]int{}, needs: map[uint64]bool{}})
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
	return files, nil
}

func importable(path string) bool {
	path = strings.TrimSuffix(strings.ToLower(path), ".gz")
	return strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".ndjson") || strings.HasSuffix(path, ".jsonl")
}

// readAll is the first pass, on all processors.
func readAll(files []*file) {
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
		for h := range names(e) {
			f.defines[h]++
		}
		for n := range e.Doc.Root().All() {
			switch {
			case n.Name() == "reference" && n.Kind() == document.String:
				f.needs[nameOf(n.Text())] = true
			case n.Name() == "identifier" && n.Kind() == document.Object && n.Get("value").Exists():
				f.needs[nameOf("?identifier="+url.QueryEscape(n.Get("value").Text()))] = true
			}
		}
		return nil
	}, func(access.Entry, error) {})
	for h := range f.defines {
		delete(f.needs, h)
	}
}

var seed = maphash.MakeSeed()

// names are what others may call the resource of an entry: its full URL, its type and id, and the values of its identifiers where
// references go by them.
func names(e access.Entry) map[uint64]bool {
	out := map[uint64]bool{}
	if e.FullURL != "" {
		out[nameOf(e.FullURL)] = true
	}
	if id := e.Doc.ID(); id != "" {
		out[nameOf(e.Doc.Type()+"/"+id)] = true
	}
	if typ := e.Doc.Type(); typ == "Patient" || !fhir.InPatientCompartment(typ) {
		for one := range e.Doc.Root().Get("identifier").Items() {
			if value := one.Get("value").Text(); value != "" {
				out[maphash.String(seed, "?"+value)] = true
			}
		}
	}
	return out
}

// nameOf is the name by which a reference calls its target. One by identifier does so by the value, whatever its type and system: that
// is enough to know what comes first.
func nameOf(reference string) uint64 {
	if _, text, ok := strings.Cut(reference, "?"); ok {
		if query, err := url.ParseQuery(text); err == nil && query.Has("identifier") {
			value := query.Get("identifier")
			return maphash.String(seed, "?"+value[strings.LastIndex(value, "|")+1:])
		}
	}
	return maphash.String(seed, fhir.Unversioned(reference))
}
