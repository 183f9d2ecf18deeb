// Package fhir knows what FHIR R4 says of resources, without any I/O: types and their elements, references, the patient
// compartment, field groups, main dates, sensitivity labels.
//
//	d, err := document.Parse(body)
//	for _, patient := range fhir.PatientRefs(d) { ... }   // whose chart it is in, the one it is about first
//	group := fhir.FieldGroup(d.Type())                    // minimum necessary: what kind of data it is
//	at, ok := fhir.MainDate(d, zone)                      // when it happened
//
// The facts of types, required codes and the compartment are generated from the published definitions (schema.bin, readable in
// schema.txt; go run ./internal/fhir/internal/gen); groups, main dates, labels and release are reviewed tables of ours. Documents
// are in fhir/document, validation in fhir/validate, search in fhir/search.
package fhir
