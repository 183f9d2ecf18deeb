package detect

// unexplainedSignal counts distinct patients for whom no reason of care is known: how usual such looks are of a person and role. Of the day's
// number only the stray ones speak (signal_stray.go).
var unexplainedSignal = counter{"volume.unexplained", "more patients without a known reason than usual", .5, 1}
