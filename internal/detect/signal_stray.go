package detect

// straySignal counts distinct patients for whom no reason of care is known, whom nobody of the person's company opened that day, and for
// whom nothing was written: charts that no gap in what is filed explains.
var straySignal = counter{"volume.unexplained", "more patients without a known reason than usual", .3, .6}

// stray reports whether a look is such a one. Who else opened the chart is known in the evening; until then nobody did.
func (l *look) stray() bool { return l.unexplained() && l.company != companyMates && !l.wrote }

// strays counts the stray looks of the day anew.
func (d *today) strays() {
	n := int32(0)
	for i := range d.patients {
		if l := &d.patients[i]; l.counted && l.stray() {
			n++
		}
	}
	d.counts[countStray] = n
}
