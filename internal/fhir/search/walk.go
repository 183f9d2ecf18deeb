package search

import (
	"sync"
	"time"

	"chartwarden/internal/fhir/document"
)

// site is what reading a document depends on besides the document.
type site struct {
	zone *time.Location
	base string // with a slash at its end, or empty
}

// walker collects the values of one document.
type walker struct {
	site
	root   document.Node
	values []Value
	inside map[string]string // type by id of the contained resources, once it was asked for
}

var walkers = sync.Pool{New: func() any { return &walker{values: make([]Value, 0, 16)} }}

func newWalker(d *document.Doc, s site) *walker {
	w := walkers.Get().(*walker)
	w.site, w.root = s, d.Root()
	return w
}

// release forgets the document, whose memory the values share.
func (w *walker) release() {
	w.reset()
	w.root, w.inside = document.Node{}, nil
	walkers.Put(w)
}

func (w *walker) reset() {
	clear(w.values)
	w.values = w.values[:0]
}

// walk reads n and everything below it that a path of s leads to.
func (w *walker) walk(n document.Node, s *state) {
	if n.Kind() == document.Array {
		for item := range n.Items() {
			w.walk(item, s)
		}
		return
	}
	for i := range s.leaves {
		s.leaves[i].read(w, &s.leaves[i], n)
	}
	for _, b := range s.where {
		if b.test.passes(n) {
			w.walk(n, b.to)
		}
	}
	switch len(s.next) {
	case 0:
	case 1: // a query's parameter: ask for the one name
		for name, e := range s.next {
			w.follow(n.Get(name), e)
		}
	default:
		for child := range n.Fields() {
			if e := s.next[child.Name()]; e != nil {
				w.follow(child, e)
			}
		}
	}
}

func (w *walker) follow(n document.Node, e *edge) {
	if !n.Exists() {
		return
	}
	if e.every != nil {
		w.walk(n, e.every)
	}
	if e.first != nil {
		for item := range n.Items() {
			w.walk(item, e.first)
			break
		}
	}
}
