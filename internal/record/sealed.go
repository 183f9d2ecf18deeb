package record

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
	"unsafe"

	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// Sealed is one version of one resource that the store found and that nobody may read yet. It tells what the door needs to decide
// and to name it in the audit; the content comes out of [Sealed.Open] only. It prints as "Patient/123" on every path. Use it by
// pointer; safe for concurrent use.
type Sealed struct {
	p unsafe.Pointer // to a found: no printer follows it, see package document
}

// found is what a Sealed stands for.
type found struct {
	row  row
	kind string
	id   string
	doc  *document.Doc // nil for a deletion, with a fault, and while told speaks for it
	also []fhir.PatientID
	// told stands in for a document that lies closed on a shelf; store opens it from row.body.
	told  *told
	store *Store
	// fault is why the stored bytes do not open.
	fault error
}

func newSealed(f *found) *Sealed { return &Sealed{unsafe.Pointer(f)} }

func (s *Sealed) found() *found { return (*found)(s.p) }

// Type is the resource type.
func (s *Sealed) Type() string { return s.found().kind }

// ID is the logical id. It may have been chosen by a client and mean something: it goes where the resource may go.
func (s *Sealed) ID() string { return s.found().id }

// Ref is "Type/id".
func (s *Sealed) Ref() string { return s.Type() + "/" + s.ID() }

// Record is the number of the resource, the same for all its versions.
func (s *Sealed) Record() fhir.RecordID { return s.found().row.rec }

// Patient is the compartment under whose key the resource lies; 0 for staff and system data.
func (s *Sealed) Patient() fhir.PatientID { return s.found().row.patient }

// Patients are all compartments that the resource is in, Patient first; empty for staff and system data. Who may not see one of
// them may not see the resource.
func (s *Sealed) Patients() []fhir.PatientID {
	f := s.found()
	if f.row.patient == 0 {
		return nil
	}
	return append([]fhir.PatientID{f.row.patient}, f.also...)
}

// Also are the patients besides [Sealed.Patient]. Do not change it.
func (s *Sealed) Also() []fhir.PatientID { return s.found().also }

// Version counts from 1 without gaps; a delete is a version too.
func (s *Sealed) Version() int64 { return s.found().row.vid }

// Updated is meta.lastUpdated; for a deletion, when it was deleted.
func (s *Sealed) Updated() time.Time {
	f := s.found()
	if f.told != nil {
		return f.told.updated
	}
	if f.doc != nil {
		if t, ok := f.doc.LastUpdated(); ok {
			return t
		}
	}
	return time.UnixMicro(f.row.updated).UTC()
}

// Stored is when this server came to know the version; for what it made itself that is [Sealed.Updated].
func (s *Sealed) Stored() time.Time { return time.UnixMicro(s.found().row.updated).UTC() }

// Deleted reports that this version says the resource is gone.
func (s *Sealed) Deleted() bool { return s.found().row.op == Delete }

// Fault is why this version cannot be opened although it is there: its row was altered. Lists keep such versions, because a chart
// that lacks one in silence is worse than one that says so; everything but type, number and patient is unknown then.
func (s *Sealed) Fault() error { return s.found().fault }

// Group is the field group that policy judges by.
func (s *Sealed) Group() fhir.Group { return fhir.FieldGroup(s.Type()) }

// Labels are the sensitivity labels in the content. None for a deletion: judge it by the version before.
func (s *Sealed) Labels() []string {
	f := s.found()
	switch {
	case f.told != nil:
		return f.told.labels
	case f.doc != nil:
		return fhir.Labels(f.doc)
	}
	return nil
}

// Released reports whether the patient may see it in the portal.
func (s *Sealed) Released() bool {
	f := s.found()
	if f.told != nil {
		return f.told.released
	}
	return f.doc != nil && fhir.Released(f.doc)
}

// Open gives the document to whoever made the access durable: r names this record and version, is fresh and not yet used for it.
// Errors: those of audit.Receipt.Redeem; outcome.Deleted for a deletion; [Sealed.Fault].
func (s *Sealed) Open(r audit.Receipt) (*document.Doc, error) {
	f := s.found()
	if err := r.Redeem(f.row.rec, f.row.vid); err != nil {
		return nil, err
	}
	doc, err := f.content()
	if err == nil && doc == nil {
		err = outcome.New(outcome.Deleted, "the resource was deleted")
	}
	return doc, err
}

// Masked is s without the top-level elements for which drop is true: what is opened later lacks them. A nil drop gives s itself.
func (s *Sealed) Masked(drop func(element string) bool) (*Sealed, error) {
	f := *s.found()
	doc, err := f.content()
	if f.fault != nil || doc == nil && err == nil || drop == nil {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	masked, err := doc.Mask(drop, document.Redacted)
	if err != nil {
		return nil, outcome.Wrap("record: mask", outcome.Exception, "the resource cannot be shown", err)
	}
	f.doc, f.told = masked, nil
	return newSealed(&f), nil
}

// Matches reports whether the content is what q looks for, and tells nothing else of it. A deletion matches nothing.
func (s *Sealed) Matches(q *search.Query) bool {
	doc, err := s.found().content()
	return err == nil && doc != nil && search.Match(doc, q)
}

// concerns reports whether p is among its patients.
func (f *found) concerns(p fhir.PatientID) bool {
	return f.row.patient == p || slices.Contains(f.also, p)
}

// String is "Type/id, version n", without the id where it could be a name.
func (s Sealed) String() string {
	if s.p == nil {
		return "no resource"
	}
	f := s.found()
	if !fhir.IsID(f.id) {
		return f.kind
	}
	return fmt.Sprintf("%s/%s version %d", f.kind, f.id, f.row.vid)
}

// Format prints [Sealed.String] for every verb.
func (s Sealed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is [Sealed.String].
func (s Sealed) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is [Sealed.String].
func (s Sealed) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
