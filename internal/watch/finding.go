package watch

import (
	"cmp"
	"slices"
	"strconv"

	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
)

// findings tells the engine what the office found justified since the last time.
func (s *session) findings(staff func(department string) ([]string, error)) error {
	list, err := s.o.Cases.FactsAfter(s.ctx, s.facts)
	if err != nil {
		return err
	}
	for _, x := range list {
		j := detect.Justified{ID: "finding-" + strconv.FormatInt(x.Number, 10), Patients: x.Of, From: after(x.From), To: after(x.Until), People: []string{x.Agent}}
		if x.Unit != "" {
			if j.People, err = staff(x.Unit); err != nil {
				return err
			}
		}
		if err := s.safely(func() { s.engine.Justify(j) }); err != nil {
			return err
		}
		s.facts = x.Number
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
