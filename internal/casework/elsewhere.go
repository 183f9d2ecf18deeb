package casework

import (
	"context"
	"slices"
	"strings"

	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/ingest"
)

// Elsewhere is another system whose accesses are watched.
type Elsewhere interface {
	// Row gives one line of its log as it came.
	Row(ctx context.Context, piece int64, line int) (detect.Event, error)
	// Member says who a Practitioner of it is.
	Member(practitioner string) (ingest.Member, bool)
}

// elsewhere is the person of a case as the other system's directory has her; without one only the reference is known.
func (f *Office) elsewhere(c *Case) identity.Person {
	p := identity.Person{ID: c.Person, Practitioner: c.Agent}
	if f.o.Elsewhere == nil {
		return p
	}
	if m, ok := f.o.Elsewhere.Member(c.Agent); ok {
		if p.Name, p.Department = m.Name, m.Unit; m.Role != "" {
			p.Roles = []string{strings.ToLower(m.Role)}
		}
	}
	return p
}

// Watches reports whether the accesses that cases are about are those of another system.
func (f *Office) Watches() bool { return f.o.Elsewhere != nil }

// rows reads again what the other system's log says of the newest accesses of a case, whose opening is durable. Lines that are not
// kept any more are not among them.
func (f *Office) rows(ctx context.Context, c *Case) (out map[string]detect.Event) {
	if f.o.Elsewhere == nil {
		return nil
	}
	out = map[string]detect.Event{}
	for _, e := range slices.Backward(c.Events) {
		if e.Piece == 0 || len(out) == linesRead {
			continue
		}
		if row, err := f.o.Elsewhere.Row(ctx, e.Piece, e.Line); err == nil {
			out[e.ID] = row
		}
	}
	return out
}
