package detect

// crowd adds to a look at a flagged chart that others without a known reason looked at it on the same day: word gets round.
func (e *Engine) crowd(people []int32, on int32) {
	onlookers := map[int32]int{}
	each := func(do func(l *look)) {
		for _, a := range people {
			d := e.dayOf(a, on)
			for i := range d.patients {
				if l := &d.patients[i]; l.unexplained() && e.world.patients[l.patient].vip() {
					do(l)
				}
			}
		}
	}
	each(func(l *look) { onlookers[l.patient]++ })
	each(func(l *look) { l.rel += float32(min(2, max(0, .7*float64(onlookers[l.patient]-1)))) })
}
