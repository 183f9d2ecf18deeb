package detect

// glassSignal counts broken glasses.
var glassSignal = counter{"glass.count", "more broken glasses than usual", .03, .05}
