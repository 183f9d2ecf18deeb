package record

import (
	"context"
	"sync"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/consent"
	"chartwarden/internal/outcome"
)

// consents keeps what patients agreed to or forbade as it was understood: which charts hold a Consent at all, and those of the charts that
// were asked for last. It is up to date by the notes of the shelves.
type consents struct {
	mu      sync.Mutex
	holders consentHolders
	charts  map[fhir.PatientID]consentsOf
}

type consentHolders struct {
	charts map[fhir.PatientID]bool
	moment int64
}

type consentsOf struct {
	list       []*consent.Consent
	moment     int64 // the newest transaction when they were read
	generation int64
}

// anyChart stands for all charts in the note of a kind.
const anyChart fhir.PatientID = -1

const consentType = "Consent"

// mostConsents is of how many charts they are kept.
const mostConsents = 10_000

// Consents are those of a patient that count, whatever their period, and those that are asked for. It costs nothing where the chart has none. One that does not open
// counts as one that denies everything. Errors: outcome.NoStore.
func (s *Store) Consents(ctx context.Context, patient fhir.PatientID) ([]*consent.Consent, error) {
	kind := s.kinds.of(consentType)
	if patient == 0 || kind == 0 {
		return nil, nil
	}
	all := shelfKey{anyChart, kind}.note(&s.shelves).Load()
	touched := shelfKey{patient, kind}.note(&s.shelves).Load()
	s.consents.mu.Lock()
	holders, known := s.consents.holders, s.consents.charts[patient]
	s.consents.mu.Unlock()
	if holders.charts == nil || holders.moment < all {
		var err error
		if holders, err = s.consentHolders(ctx, kind); err != nil {
			return nil, err
		}
	}
	if !holders.charts[patient] {
		return nil, nil
	}
	generation := s.shelves.generation.Load()
	if known.moment >= touched && known.generation == generation && known.list != nil {
		return known.list, nil
	}
	moment, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer moment.end()
	fresh := consentsOf{list: []*consent.Consent{}, generation: generation}
	if err := s.one(ctx, moment, newestTx).Scan(&fresh.moment); err != nil {
		return nil, unreadable(err)
	}
	err = s.eachRow(ctx, moment, func(r row) error {
		f, err := s.openOrFault(r)
		switch {
		case outcome.Is(err, outcome.Deleted): // erased for good
			return nil
		case err != nil:
			return err
		case f.fault != nil:
			fresh.list = append(fresh.list, consent.Unreadable())
		case f.doc != nil && r.op != Delete:
			if c, _, counts := consent.Read(f.doc, s.o.Zone); counts {
				fresh.list = append(fresh.list, c)
			} else if c, asked := consent.Asked(f.doc, s.o.Zone); asked {
				fresh.list = append(fresh.list, c)
			}
		}
		return nil
	}, ofKind, patient, kind)
	if err != nil {
		return nil, err
	}
	s.consents.mu.Lock()
	defer s.consents.mu.Unlock()
	if s.consents.charts == nil || len(s.consents.charts) >= mostConsents {
		s.consents.charts = map[fhir.PatientID]consentsOf{}
	}
	s.consents.charts[patient] = fresh
	return fresh.list, nil
}

func (s *Store) consentHolders(ctx context.Context, kind int64) (consentHolders, error) {
	out := consentHolders{charts: map[fhir.PatientID]bool{}}
	if err := s.one(ctx, s.d.Reader(), newestTx).Scan(&out.moment); err != nil { // before the charts are read: too old is only read again
		return out, unreadable(err)
	}
	charts, err := s.chartsWith(ctx, kind)
	if err != nil {
		return out, err
	}
	for _, p := range charts {
		out.charts[p] = true
	}
	s.consents.mu.Lock()
	s.consents.holders = out
	s.consents.mu.Unlock()
	return out, nil
}

// Members are the references of those who are in a Group now; none for one that is not there, or not in use. Errors: outcome.NoStore.
func (s *Store) Members(ctx context.Context, group string) ([]string, error) {
	f, err := s.current(ctx, s.d.Reader(), "Group", group)
	if outcome.Is(err, outcome.NotFound) || outcome.Is(err, outcome.Deleted) || err == nil && (f.doc == nil || f.row.op == Delete) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	root := f.doc.Root()
	if active := root.Get("active"); active.Exists() && !active.Bool() {
		return nil, nil
	}
	for member := range root.Get("member").Items() {
		if ref, ok := fhir.ParseReference(member.Path("entity", "reference").Text()); ok && !member.Get("inactive").Bool() {
			out = append(out, ref.String())
		}
	}
	return out, nil
}

// Withheld reports whether v holds the content back, and tells nothing else of it. A version that has no content is judged by its type.
func (s *Sealed) Withheld(v consent.View) bool {
	if v.Silent() {
		return false
	}
	f := s.found()
	doc, err := f.content()
	if err != nil {
		doc = nil
	}
	return v.Withholds(f.kind, doc)
}
