package fhir

// PatientID is the pseudonymous number of one patient's compartment (a chart). Zero means no patient: staff and system data.
type PatientID int64

// RecordID is the pseudonymous number of one resource, allotted in commit order and never reused.
type RecordID int64
