package detect

// failuresSignal counts failed sign-ins and refused accesses.
var failuresSignal = counter{"failures", "more failed attempts than usual", .1, .3}
