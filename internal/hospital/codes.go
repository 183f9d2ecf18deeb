package hospital

// Code systems, by the names FHIR gives them.
const (
	sysSNOMED         = "http://snomed.info/sct"
	sysLOINC          = "http://loinc.org"
	sysRxNorm         = "http://www.nlm.nih.gov/research/umls/rxnorm"
	sysICD10          = "http://hl7.org/fhir/sid/icd-10-cm"
	sysCVX            = "http://hl7.org/fhir/sid/cvx"
	sysSSN            = "http://hl7.org/fhir/sid/us-ssn"
	sysNPI            = "http://hl7.org/fhir/sid/us-npi"
	sysUCUM           = "http://unitsofmeasure.org"
	sysRace           = "urn:oid:2.16.840.1.113883.6.238"
	sysActCode        = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	sysParticipation  = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	sysRoleCode       = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
	sysMarital        = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
	sysInterpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
	sysIdentifierType = "http://terminology.hl7.org/CodeSystem/v2-0203"
	sysSection        = "http://terminology.hl7.org/CodeSystem/v2-0074"
	sysTerm           = "http://terminology.hl7.org/CodeSystem/" // of those that FHIR itself defines, by their last part

	usCore = "http://hl7.org/fhir/us/core/StructureDefinition/"
)

// The hospital's own systems. The top-level domain example is reserved: nobody will ever answer there.
const (
	ownDomain  = "northmere.example"
	sysMRN     = "http://" + ownDomain + "/mrn"
	sysVisit   = "http://" + ownDomain + "/visit"
	sysStaffID = "http://" + ownDomain + "/staff"
	sysMember  = "http://" + ownDomain + "/insurance-member"
	sysFlag    = "http://" + ownDomain + "/flag"
	sysTask    = "http://" + ownDomain + "/task"
	sysRole    = "http://" + ownDomain + "/role"
)

// Sensitivity labels: security labels that FHIR takes from v3 ActCode.
const (
	labelPsychiatry   = "PSY"
	labelTherapyNotes = "PSYTHPN"
	labelSubstance    = "ETH"
	labelHIV          = "HIV"
)

var labelNames = map[string]string{
	labelPsychiatry:   "psychiatry disorder information sensitivity",
	labelTherapyNotes: "psychotherapy note information sensitivity",
	labelSubstance:    "substance abuse information sensitivity",
	labelHIV:          "HIV/AIDS information sensitivity",
}

func snomed(code, display string) object { return coding(sysSNOMED, code, display) }
func loinc(code, display string) object  { return coding(sysLOINC, code, display) }

// term is a coding of a code system that FHIR itself defines: term("condition-clinical", "active", "Active").
func term(system, code, display string) object { return coding(sysTerm+system, code, display) }

func termConcept(system, code, display string) object {
	return object{"coding", list{term(system, code, display)}}
}
