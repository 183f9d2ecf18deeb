package fhir

import (
	"strings"
	"time"

	"chartwarden/internal/fhir/document"
)

// MainDate is when what d tells of happened or was said: the first element of its type's list that has a date; false if there is
// none. A date without time or zone begins at midnight of the site's zone, a partial one at its first day; a Period counts by its start.
//
// Main dates stand in clear in the store, so people have none: a birth date would show.
func MainDate(d *document.Doc, zone *time.Location) (time.Time, bool) {
	for _, path := range mainDates[d.Type()] {
		n := d.Root()
		for name := range strings.SplitSeq(path, ".") {
			n = n.Path(name)
		}
		if n.Kind() == document.Object {
			n = n.Get("start")
		}
		if n.Kind() == document.String {
			if at, ok := beginning(n.Text(), zone); ok {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// beginning is the first moment of a date, dateTime or instant.
func beginning(s string, zone *time.Location) (time.Time, bool) {
	var layout string
	switch len(s) {
	case 4:
		layout = "2006"
	case 7:
		layout = "2006-01"
	case 10:
		layout = "2006-01-02"
	default:
		layout = time.RFC3339Nano
		s = strings.Replace(s, ":60", ":59", 1) // a leap second
	}
	at, err := time.ParseInLocation(layout, s, zone)
	return at, err == nil
}

// mainDates is the reviewed list: element paths, the first that has a value counts. The date of service comes before the date of
// writing, except for orders, which are sought by when they were given.
var mainDates = paths(`
Account servicePeriod
AdverseEvent date detected recordedDate
AllergyIntolerance onsetDateTime onsetPeriod recordedDate
Appointment start requestedPeriod created
AppointmentResponse start
AuditEvent period recorded
Basic created
BiologicallyDerivedProduct collection.collectedDateTime collection.collectedPeriod
Bundle timestamp
CarePlan period created
CareTeam period
ChargeItem occurrenceDateTime occurrencePeriod enteredDate
Claim billablePeriod created
ClaimResponse created
ClinicalImpression effectiveDateTime effectivePeriod date
Communication sent received
CommunicationRequest authoredOn occurrenceDateTime occurrencePeriod
Composition date
Condition onsetDateTime onsetPeriod recordedDate
Consent dateTime
Contract applies issued
Coverage period
CoverageEligibilityRequest servicedDate servicedPeriod created
CoverageEligibilityResponse servicedDate servicedPeriod created
DetectedIssue identifiedDateTime identifiedPeriod
DeviceRequest authoredOn occurrenceDateTime occurrencePeriod
DeviceUseStatement timingDateTime timingPeriod recordedOn
DiagnosticReport effectiveDateTime effectivePeriod issued
DocumentManifest created
DocumentReference date context.period
Encounter period
EnrollmentRequest created
EnrollmentResponse created
EpisodeOfCare period
ExplanationOfBenefit billablePeriod created
FamilyMemberHistory date
Flag period
Goal startDate statusDate
GuidanceResponse occurrenceDateTime
ImagingStudy started
Immunization occurrenceDateTime recorded
ImmunizationEvaluation date
ImmunizationRecommendation date
Invoice date
List date
MeasureReport date period
Media createdDateTime createdPeriod issued
MedicationAdministration effectiveDateTime effectivePeriod
MedicationDispense whenHandedOver whenPrepared
MedicationRequest authoredOn
MedicationStatement effectiveDateTime effectivePeriod dateAsserted
NutritionOrder dateTime
Observation effectiveDateTime effectivePeriod effectiveInstant effectiveTiming.event issued
PaymentNotice created
PaymentReconciliation created
Procedure performedDateTime performedPeriod
Provenance occurredDateTime occurredPeriod recorded
QuestionnaireResponse authored
RequestGroup authoredOn
ResearchSubject period
RiskAssessment occurrenceDateTime occurrencePeriod
Schedule planningHorizon
ServiceRequest authoredOn occurrenceDateTime occurrencePeriod
Slot start
Specimen collection.collectedDateTime collection.collectedPeriod receivedTime
SupplyDelivery occurrenceDateTime occurrencePeriod
SupplyRequest authoredOn occurrenceDateTime occurrencePeriod
Task authoredOn executionPeriod lastModified
VisionPrescription dateWritten created
`)

// paths reads lines of a type and its words.
func paths(text string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 {
			out[words[0]] = words[1:]
		}
	}
	return out
}
