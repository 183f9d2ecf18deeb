package record

import (
	"context"
	"slices"

	"chartwarden/internal/fhir"
	"chartwarden/internal/outcome"
)

// Unlabelled gives writes of [Relabel] for resources that were stored before a rule came about that gives them a label, among at most most
// records behind the record after. Next is where to go on, 0 at the end. A label that some version carried by rule was lowered since and
// stays so. Errors: as [Store.Read].
func (s *Store) Unlabelled(ctx context.Context, after fhir.RecordID, most int) (writes []Write, next fhir.RecordID, err error) {
	seen := 0
	var records []fhir.RecordID
	err = s.eachRow(ctx, s.d.Reader(), func(r row) error {
		seen, next = seen+1, r.rec
		if r.op == Delete {
			return nil
		}
		f, err := s.openOrFault(r)
		if outcome.Is(err, outcome.Deleted) || err == nil && f.doc == nil {
			return nil
		}
		if err != nil {
			return err
		}
		had := fhir.Labels(f.doc)
		raise := slices.DeleteFunc(fhir.Sensitivity(f.doc), func(label string) bool { return slices.Contains(had, label) })
		if len(raise) > 0 {
			records = append(records, r.rec)
			writes = append(writes, Write{Op: Relabel, Type: f.kind, ID: f.id, IfMatch: r.vid, Raise: raise})
		}
		return nil
	}, currents+`where rec>? order by rec limit ?`, after, most)
	if err != nil {
		return nil, 0, err
	}
	if seen < most {
		next = 0
	}
	for i := range writes {
		err := s.each(ctx, s.d.Reader(), func(f *found) error {
			if f.fault == nil && f.doc != nil {
				writes[i].Raise = slices.DeleteFunc(writes[i].Raise, func(label string) bool { return fhir.LabelledByRule(f.doc, label) })
			}
			return nil
		}, versions+`where rec=?`, records[i])
		if err != nil {
			return nil, 0, err
		}
	}
	return slices.DeleteFunc(writes, func(w Write) bool { return len(w.Raise) == 0 }), next, nil
}
