package fhir

import (
	"slices"

	"chartwarden/internal/fhir/document"
)

// PatientRefs lists the patients whose compartment d is in, each once, the one it is about first; a Patient is in its own. It is
// empty for staff and system data, and for resources that name no patient by a relative reference (unresolved urn:uuid, contained).
//
// The paths are those of the R4 compartment definition, and of types that it forgot although they are about a patient: Task,
// Device, GuidanceResponse, Contract, Binary, BiologicallyDerivedProduct. Strings share the document's memory.
// Source: https://hl7.org/fhir/R4/compartmentdefinition-patient.html.
func PatientRefs(d *document.Doc) []Ref {
	typ := d.Type()
	if typ == "Patient" {
		if id := d.ID(); IsID(id) {
			return []Ref{{typ, id}}
		}
		return nil
	}
	var out []Ref
	for _, path := range table.patients[typ] {
		out = patientsAt(d.Root(), path, out)
	}
	return out
}

func patientsAt(n document.Node, path []string, out []Ref) []Ref {
	for item := range n.Items() {
		if len(path) > 0 {
			out = patientsAt(item.Get(path[0]), path[1:], out)
			continue
		}
		if ref, ok := ParseReference(item.Get("reference").Text()); ok && ref.Type == "Patient" && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out
}

// InPatientCompartment reports whether resources of this type can be in a patient's compartment.
func InPatientCompartment(resourceType string) bool {
	return resourceType == "Patient" || table.patients[resourceType] != nil
}
