package watch

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

// errNotYet says that who works in a department may become known later.
var errNotYet = errors.New("the staff is not known yet")

// findings tells the engine what the office found justified since the last time. One about a department whose staff is not known yet is told
// later; the engine takes each one once.
func (s *session) findings(staff func(department string) ([]string, error)) error {
	list, err := s.o.Cases.FactsAfter(s.ctx, s.facts)
	if err != nil {
		return err
	}
	return s.justify(list, staff)
}

func (s *session) justify(list []casework.Fact, staff func(department string) ([]string, error)) error {
	waits := false
	for _, x := range list {
		j := detect.Justified{ID: "finding-" + strconv.FormatInt(x.Number, 10), Patients: x.Of, From: after(x.From), To: after(x.Until), People: []string{x.Agent}}
		if x.Unit != "" {
			var err error
			if j.People, err = staff(x.Unit); errors.Is(err, errNotYet) {
				waits = true
				continue
			} else if err != nil {
				return err
			}
		}
		if err := s.safely(func() { s.engine.Justify(j) }); err != nil {
			return err
		}
		if !waits {
			s.facts = x.Number
		}
	}
	return nil
}

// Units gives the units on which patients are, by name; none while no context is read.
func (w *Watch) Units() (out []casework.Unit) {
	w.working.Lock()
	defer w.working.Unlock()
	if w.engine == nil || w.named == nil {
		return nil
	}
	for _, ref := range w.engine.Wards() {
		if name := w.named(ref); name != "" {
			out = append(out, casework.Unit{Ref: ref, Name: name})
		}
	}
	slices.SortFunc(out, func(a, b casework.Unit) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Ref, b.Ref)) })
	return out
}
