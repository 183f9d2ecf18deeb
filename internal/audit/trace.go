package audit

import (
	"fmt"

	"chartwarden/internal/seal"
)

// tracer follows all chains of one log from its first entry and finds gaps, tags that belong to nobody, and owners of what was
// redacted: a tag that no open part explains waits until its owner's next entry shows that it must have been the owner's.
type tracer struct {
	box    *seal.Box
	origin string
	links  map[owner]*link
	orphan map[tag]orphan
	found  func(p place, at Index) // an owner of something redacted was found; may be nil
	fault  func(at Index, what string)
}

type orphan struct {
	at   Index
	e    entry
	part int
}

func newTracer(box *seal.Box, origin string, fault func(Index, string)) *tracer {
	return &tracer{box: box, origin: origin, links: map[owner]*link{}, orphan: map[tag]orphan{}, fault: fault}
}

// far is how many missing entries of a chain are looked for before the chain is taken as broken.
const far = 64

// visit checks the tags of one entry. known are the owners that its open parts name, closed the parts that name nobody any more; whole
// is false when parts were lost.
func (t *tracer) visit(at Index, e entry, known []place, closed []int, whole bool) {
	if whole && len(e.tags) != len(known)+len(closed) {
		t.fault(at, fmt.Sprintf("has %d tags for %d people", len(e.tags), len(known)+len(closed)))
		return
	}
	free := map[int]bool{}
	for i := range e.tags {
		free[i] = true
	}
	position := func(want tag) int {
		for i := range e.tags {
			if free[i] && e.tags[i] == want {
				return i
			}
		}
		return -1
	}
	for _, p := range known {
		k := t.links[p.owner]
		if k == nil {
			k = &link{}
			t.links[p.owner] = k
		}
		t.adopt(p.owner, k)
		n := k.n + 1
		i := position(k.tag(t.box, t.origin, p.owner, e.at(), n))
		for i < 0 && n < k.n+far {
			n++
			i = position(k.tag(t.box, t.origin, p.owner, e.at(), n))
		}
		switch {
		case i < 0:
			t.fault(at, "does not continue the chain of "+p.owner.String())
			continue
		case n > k.n+1:
			t.fault(at, fmt.Sprintf("continues the chain of %s at number %d, but number %d is missing", p.owner, n, k.n+1))
		}
		k.n = n
		delete(free, i)
	}
	for i := range free {
		o := orphan{at: at, e: e}
		if len(closed) == len(free) { // in the order of parts, tags and parts correspond
			o.part = closed[rankOf(free, i)]
		}
		t.orphan[e.tags[i]] = o
	}
}

// adopt finds redacted entries that belong to the owner before the next one.
func (t *tracer) adopt(o owner, k *link) {
	for again := len(t.orphan) > 0; again; {
		again = false
		for tag, w := range t.orphan {
			if k.tag(t.box, t.origin, o, w.e.at(), k.n+1) == tag {
				k.n++
				delete(t.orphan, tag)
				if t.found != nil {
					t.found(place{o, w.part}, w.at)
				}
				again = len(t.orphan) > 0
				break
			}
		}
	}
}

func rankOf(set map[int]bool, i int) (n int) {
	for j := range set {
		if j < i {
			n++
		}
	}
	return n
}

// String names an owner for people who run the server: pseudonyms.
func (o owner) String() string {
	if o.kind == ownerPatient {
		return fmt.Sprintf("patient %d", o.id)
	}
	return fmt.Sprintf("agent %x", o.id)
}
