package detect

// unexplainedSignal counts distinct patients for whom no reason of care is known.
var unexplainedSignal = counter{"volume.unexplained", "more patients without a known reason than usual", .5, 1}
