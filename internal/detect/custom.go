package detect

// custom is how the work at a department is, whoever does it: the looks from its seats, and those of them that no reason is known for,
// decayed over weeks. Who helps out there works as they do.
type custom struct{ looks, open float64 }

// usualShare is the share of looks without a known reason that is usual of a person, or, where it is larger, of those who sit where she sits.
func (e *Engine) usualShare(p *person, d *today) float64 {
	share := e.openShare(p)
	if d.seat > 0 {
		x := &e.world.units[d.seat-1].custom
		share = max(share, x.open/(x.looks+100))
	}
	return share
}

// accustom learns a settled day for the department where it was worked, a clear case too: one day is little of a department's weeks, and
// where nothing were learned from who stands out, people whose department has no reasons on file would stand out for ever.
func (e *Engine) accustom(d *today) {
	if d.seat > 0 {
		x := &e.world.units[d.seat-1].custom
		x.looks += float64(d.counts[countPatients])
		x.open += float64(d.counts[countUnexplained])
	}
}

func (c *custom) fade() {
	c.looks *= .97
	c.open *= .97
}

// sits is the department of the place or device where somebody works, else -1.
func (e *Engine) sits(place int32, device string) int32 {
	if place >= 0 {
		return e.world.department(place)
	}
	if dev := thin(device); dev != 0 {
		if m := e.machine(dev); m.place >= 0 {
			return e.world.department(m.place)
		}
	}
	return -1
}
