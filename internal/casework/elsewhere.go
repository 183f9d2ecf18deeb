package casework

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/ingest"
	"chartwarden/internal/policy"
)

// Elsewhere is another system whose accesses are watched.
type Elsewhere interface {
	// Row gives one line of its log as it came.
	Row(ctx context.Context, piece int64, line int) (detect.Event, error)
	// Member says who a Practitioner of it is.
	Member(practitioner string) (ingest.Member, bool)
	// Members is how many people work there, as far as is known.
	Members() int
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

// Number is under which number the other system has a patient whom a case names (Patient/mrn:4711).
func Number(ref string) string {
	_, id, _ := strings.Cut(ref, "/")
	if _, number, ok := strings.Cut(id, ":"); ok {
		return number
	}
	return id
}

// Numbers shows an officer under which numbers the other system has the patients of her case: names are only there. Each view is an entry,
// which is given. Errors: as [access.Gate.StepCase].
func (f *Office) Numbers(ctx context.Context, p access.Principal, c *Case, why string) (map[string]string, string, error) {
	entry, err := f.o.Gate.StepCase(ctx, p, policy.CaseWork, access.CaseStep{Case: c.ID, Step: "numbers", Text: strconv.Itoa(len(c.Patients)) + " patients of the other system are shown by their numbers: " + why})
	if err != nil {
		return nil, "", err
	}
	out := map[string]string{}
	for _, ref := range c.Patients {
		out[ref] = Number(ref)
	}
	return out, entry, nil
}

// Heard writes down what the person of a case or her manager said in another way than by a question here. Errors: as [Office.Take].
func (f *Office) Heard(ctx context.Context, p access.Principal, id, text string) (Case, error) {
	return f.take(ctx, p, id, step{name: "heard", text: text, needs: true, owner: true}, nil, nil)
}

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
