package access

import (
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
)

// masker hides the element groups that the asker may not see within documents that it may. Only Patient and RelatedPerson mix groups;
// every other resource belongs to one. Allergies have no element groups, so no mask can hide one (decisions 20).
type masker struct {
	hidden map[fhir.Group]bool
}

// drop says which elements of a type are held back; nil when none is.
func (m masker) drop(typ string) func(element string) bool {
	if !m.any() {
		return nil
	}
	return func(element string) bool { return m.hidden[fhir.ElementGroup(typ, element)] }
}

// mask returns doc without the elements of hidden groups, tagged REDACTED; doc itself where nothing is hidden.
func (m masker) mask(doc *document.Doc) (*document.Doc, error) {
	drop := m.drop(doc.Type())
	if drop == nil {
		return doc, nil
	}
	return doc.Mask(drop, document.Redacted)
}

// any reports whether anything is held back.
func (m masker) any() bool {
	for _, hidden := range m.hidden {
		if hidden {
			return true
		}
	}
	return false
}
