// Package detect judges accesses to patients' data: whether one is explained by care, what else speaks for or against it, and which
// people the privacy office should ask about what they did.
//
// It is a pure engine over a recorded log. It opens no chart, keeps no database and reads no clock: time is the time of the events. It
// is told the context (who is related to whom, since when that is known) by [Engine.Learn], then each event in order by [Engine.Judge]:
//
//	e := detect.New(detect.Options{Verdict: write, Case: raise})
//	for _, r := range records { e.Learn(r) }
//	for _, ev := range events { e.Judge(&ev) }
//	report := e.Close()
//
// A verdict uses nothing that became known after the event: records wait until the log's own time reaches them, and everything learned
// is learned at midnight from the days before. The same records and events give the same verdicts, bit for bit.
// Figures called nats are natural logarithms of likelihood ratios; positive speaks for misuse.
package detect
