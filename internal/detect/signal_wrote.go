package detect

// Who writes something into a chart for which no reason is known is mostly at work; who is curious leaves no trace.
var wroteCircumstance = circumstance{name: "unwritten", misuse: [classes]float64{.93, .07}, usual: [classes]float64{.85, .15},
	says: [classes]string{"nothing was written into the chart", "something was written into the chart"}}
