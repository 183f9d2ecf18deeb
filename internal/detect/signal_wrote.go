package detect

// Who writes something into a chart for which no reason is known is mostly at work; who is curious leaves no trace.
var wroteCircumstance = circumstance{misuse: [classes]float64{.93, .07}, usual: [classes]float64{.85, .15}}
