package detect

// printsSignal counts what goes to paper.
var printsSignal = counter{"export.prints", "more printing than usual", .4, 1.5}
