package detect

// ownCircle is the log e-value of having opened several charts of one's own surroundings (neighbours, coworkers, flagged charts) on a day
// without a known reason, against how many of the person's patients usually are.
func (e *Engine) ownCircle(p *person, d *today) float64 {
	k := 0
	for i := range d.patients {
		if l := &d.patients[i]; l.near() && l.nats > -1 {
			k++
		}
	}
	if k < 2 {
		return 0
	}
	days := min(float64(p.days), usual)
	share := (e.near[0] + 1) / (e.near[1] + 1)
	share = (float64(days*float64(p.near)) + 40*share) / (float64(days*float64(p.means[countPatients])) + 40)
	return pos(logE(binomialTail(len(d.patients), k, min(.9, share))))
}

// near reports whether an opened chart is of the person's surroundings.
func (l *look) near() bool { return int(l.q) != len(relations)-1 && !l.sought }
