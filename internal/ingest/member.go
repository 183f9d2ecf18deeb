package ingest

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"chartwarden/internal/detect"
)

// Member is somebody of the staff as a context describes her.
type Member struct {
	Name string // empty when the context has none
	Role string
	Unit string // name of the department
}

// staffList holds who works where, of a context. Safe for concurrent use.
type staffList struct {
	mu    sync.Mutex
	of    map[string]*Member
	units map[string]string // names, by reference
}

// Member says who a Practitioner is. Safe for concurrent use.
func (s *Standing) Member(ref string) (m Member, ok bool) {
	s.staff.mu.Lock()
	defer s.staff.mu.Unlock()
	x := s.staff.of[ref]
	if x == nil {
		return m, false
	}
	m = *x
	if name := s.staff.units[m.Unit]; name != "" {
		m.Unit = name
	} else if _, label, own := strings.Cut(m.Unit, "/name:"); own {
		m.Unit = strings.ReplaceAll(label, "_", " ")
	}
	return m, true
}

// InUnit lists the Practitioners whose department is called so. Safe for concurrent use.
func (s *Standing) InUnit(name string) (out []string) {
	s.staff.mu.Lock()
	refs := slices.Sorted(maps.Keys(s.staff.of))
	s.staff.mu.Unlock()
	for _, ref := range refs {
		if m, ok := s.Member(ref); ok && strings.EqualFold(m.Unit, name) && strings.HasPrefix(ref, "Practitioner/") {
			out = append(out, ref)
		}
	}
	return out
}

// UnitName is what a place is called; empty when the context does not say. Safe for concurrent use.
func (s *Standing) UnitName(ref string) string {
	s.staff.mu.Lock()
	defer s.staff.mu.Unlock()
	return s.staff.units[ref]
}

// Members is how many people of the staff the context and the log tell of. Safe for concurrent use.
func (s *Standing) Members() int {
	s.staff.mu.Lock()
	defer s.staff.mu.Unlock()
	return len(s.staff.of)
}

// unit notes the name of a place.
func (l *staffList) unit(e *entry) {
	typ, _, _ := strings.Cut(e.Ref, "/")
	if !slices.Contains([]string{"Location", "Organization", "HealthcareService"}, typ) {
		return
	}
	for _, id := range e.ids {
		if id.System == "" && id.Label == "" {
			l.mu.Lock()
			l.units[strings.Clone(e.Ref)] = strings.Clone(id.Value)
			l.mu.Unlock()
		}
	}
}

// learn notes who a person of the staff is and where she works; of several posts the one that was told last.
func (l *staffList) learn(r *detect.Record) {
	ref := r.Ref
	if r.Post != nil {
		ref = r.Post.Person
	}
	if !strings.HasPrefix(ref, "Practitioner/") || r.Folk == nil && r.Post == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.of[ref]
	if m == nil {
		m = &Member{}
		l.of[strings.Clone(ref)] = m
	}
	if f := r.Folk; f != nil && f.Family != "" {
		m.Name = strings.TrimSpace(f.Given + " " + f.Family)
	}
	if p := r.Post; p != nil {
		m.Role = strings.Clone(p.Role)
		if m.Unit = ""; len(p.Units) > 0 {
			m.Unit = strings.Clone(p.Units[0])
		}
	}
}
