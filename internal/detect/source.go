package detect

import "slices"

// source is one resource of the context: who made it, whom it is about, and whether somebody else's act confirmed it.
type source struct {
	ref      uint64 // the digest of its reference
	maker    int32  // -1 unknown
	about    int32  // whom it speaks of
	applied  int32  // the version that holds: 0 none that is known by now, -1 nothing was said of it
	told     uint16 // the day on which it was last spoken of
	speaks   speaks
	standing standing
}

// speaks is of what kind those are whom a source speaks of, so that what it said can be taken back.
type speaks uint8

const (
	ofNobody  speaks = iota
	ofPatient        // one
	ofPost           // a person's
	ofMany
)

// standing is how far a source is believed of what its maker did for herself.
type standing uint8

const (
	unconfirmed standing = iota
	doubtful             // whoever made it had no reason of care herself
	confirmed            // by somebody else
)

// source numbers a resource.
func (w *world) source(ref string) int32 {
	h := digest(ref)
	i := w.sourceOf(h)
	if i < 0 {
		i = int32(len(w.sources))
		w.sources = append(w.sources, source{ref: h, maker: -1, about: -1, applied: -1, told: uint16(w.day)})
		w.bySource.add(h, i, w.refOf)
	}
	return i
}

// sourceOf is the number of a resource by the digest of its reference, -1 when nothing is known of it.
func (w *world) sourceOf(ref uint64) int32 {
	return w.bySource.find(ref, func(i int32) bool { return w.sources[i].ref == ref })
}

func (w *world) refOf(i int32) uint64 { return w.sources[i].ref }

// tell notes that a source is spoken of on a day.
func (s *source) tell(day int32) { s.told = max(s.told, uint16(day)) }

// spokenOf notes whom a source speaks of.
func (w *world) spokenOf(src int32, kind speaks, about int32) {
	switch s := &w.sources[src]; {
	case s.speaks == ofNobody:
		s.speaks, s.about = kind, about
	case s.speaks != kind || s.about != about:
		s.speaks, s.about = ofMany, -1
	}
}

// replace takes back what another version of a source said. Versions may be learned in any order; they come to be known in theirs.
func (w *world) replace(src, version int32) {
	s := &w.sources[src]
	if s.applied == version {
		return
	}
	s.applied = version
	delete(w.lists, s.ref)
	switch s.speaks {
	case ofPatient:
		w.patients[s.about].takeBack(src)
		s.speaks = ofNobody
	case ofPost: // stays the same person's
		w.persons[s.about].takeBack(src)
	case ofMany:
		for i := range w.patients {
			w.patients[i].takeBack(src)
		}
		for i := range w.persons {
			w.persons[i].takeBack(src)
		}
		s.speaks = ofNobody
	}
}

func (p *patient) takeBack(src int32) {
	p.facts = slices.DeleteFunc(p.facts, func(f fact) bool { return f.source == src })
	if p.vipBy == src {
		p.vipBy = -1
	}
	if p.consentBy == src {
		p.consentBy = -1
	}
}

func (p *person) takeBack(src int32) {
	p.posts = slices.DeleteFunc(p.posts, func(x posting) bool { return x.source == src })
}
