package fhir

import (
	"slices"
	"strings"
)

// Group is a field group: what kind of data a resource or an element is, for the minimum necessary. Policy permits groups, masks
// hide them, audit entries name them.
type Group string

// The field groups, a superset of those of ASTM E2147.
const (
	GroupDemographics Group = "demographics"
	GroupIdentifiers  Group = "identifiers" // numbers that lead to a person elsewhere
	GroupContact      Group = "contact"
	GroupScheduling   Group = "scheduling"
	GroupBilling      Group = "billing"
	GroupMedications  Group = "medications"
	GroupResults      Group = "results"
	GroupClinical     Group = "clinical" // also whatever is not in the table
	GroupNotes        Group = "notes"
	GroupDirectory    Group = "directory" // staff, places and definitions: nothing about a patient
)

// Groups lists the field groups in the order of the reviewed table.
func Groups() []Group {
	return []Group{GroupDemographics, GroupIdentifiers, GroupContact, GroupScheduling, GroupBilling, GroupMedications, GroupResults,
		GroupClinical, GroupNotes, GroupDirectory}
}

// FieldGroup is the group of a resource type, [GroupClinical] for one that the table does not have.
func FieldGroup(resourceType string) Group {
	if g, ok := typeGroups[resourceType]; ok {
		return g
	}
	return GroupClinical
}

// ElementGroup is the group of a top-level element, named as in JSON without `_`: the group of its type unless the table says
// otherwise. The narrative and contained resources of a mixed type count as its most guarded part.
func ElementGroup(resourceType, element string) Group {
	if g, ok := elementGroups[resourceType+"."+strings.TrimPrefix(element, "_")]; ok {
		return g
	}
	return FieldGroup(resourceType)
}

// ElementGroups are the groups that elements of the type belong to, that of the type first. Where there is more than one, a mask may
// have to be applied inside a resource. The caller does not change the slice.
func ElementGroups(resourceType string) []Group {
	if mixed, ok := mixedGroups[resourceType]; ok {
		return mixed
	}
	return []Group{FieldGroup(resourceType)}
}

// The reviewed table; docs/formats/field-groups.md shows it and a test keeps both equal.
var typeGroups = groups(`
demographics Patient Person
contact RelatedPerson
scheduling Appointment AppointmentResponse Encounter
billing Account ChargeItem Claim ClaimResponse Coverage CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest
billing EnrollmentResponse ExplanationOfBenefit Invoice PaymentNotice PaymentReconciliation
medications MedicationAdministration MedicationDispense MedicationRequest MedicationStatement
results DiagnosticReport ImagingStudy Media MolecularSequence Observation Specimen
notes Binary Communication Composition DocumentManifest DocumentReference
directory Practitioner PractitionerRole Organization OrganizationAffiliation Location HealthcareService Schedule Slot Endpoint
directory Medication MedicationKnowledge Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
directory SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification MedicinalProduct
directory MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
directory MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
directory MedicinalProductUndesirableEffect ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem
directory CompartmentDefinition ConceptMap DeviceDefinition EventDefinition Evidence EvidenceVariable ExampleScenario
directory EffectEvidenceSynthesis GraphDefinition ImplementationGuide InsurancePlan Library Measure MessageDefinition NamingSystem
directory ObservationDefinition OperationDefinition PlanDefinition Questionnaire ResearchDefinition ResearchElementDefinition
directory ResearchStudy RiskEvidenceSynthesis SearchParameter SpecimenDefinition StructureDefinition StructureMap
directory TerminologyCapabilities TestReport TestScript ValueSet
`)

var elementGroups = groups(`
identifiers Patient.identifier Patient.text Patient.contained
contact Patient.telecom Patient.address Patient.contact
identifiers Person.identifier Person.text Person.contained
contact Person.telecom Person.address
identifiers RelatedPerson.identifier RelatedPerson.text RelatedPerson.contained
clinical Appointment.reasonCode Appointment.reasonReference Appointment.supportingInformation Appointment.description
clinical Appointment.comment Appointment.patientInstruction Appointment.text Appointment.contained
clinical AppointmentResponse.comment AppointmentResponse.text AppointmentResponse.contained
clinical Encounter.type Encounter.reasonCode Encounter.reasonReference Encounter.diagnosis Encounter.hospitalization
clinical Encounter.text Encounter.contained
demographics Practitioner.birthDate
contact Practitioner.address Practitioner.telecom Practitioner.text Practitioner.contained
`)

var mixedGroups = func() map[string][]Group {
	out := map[string][]Group{}
	for name, group := range elementGroups {
		typ, _, _ := strings.Cut(name, ".")
		if out[typ] == nil {
			out[typ] = []Group{FieldGroup(typ)}
		}
		if !slices.Contains(out[typ], group) {
			out[typ] = append(out[typ], group)
		}
	}
	return out
}()

func groups(text string) map[string]Group {
	out := map[string]Group{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		for i, name := range words {
			if i > 0 {
				out[name] = Group(words[0])
			}
		}
	}
	return out
}
