package detect

// patientsSignal counts distinct patients.
var patientsSignal = counter{"volume.patients", "more patients than usual", 14, 120}
