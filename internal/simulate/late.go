package simulate

// filed is when a fact of unscheduled work became known: 70 % within the hour, 25 % within the day, 5 % within five days.
func filed(d *draw, at int64) int64 {
	switch x := d.below(100); {
	case x < 70:
		return at + int64(d.early(3000)+d.below(600))
	case x < 95:
		return at + 3600 + int64(d.early(82800))
	default:
		return at + 86400 + int64(d.below(4*86400))
	}
}

// often scales a number that noise scales.
func (w *world) often(n int) int { return n * w.noise / 100 }

// gap is true for facts that are never filed: so many of a thousand at noise 1.
func (w *world) gap(d *draw, permille int) bool { return d.chance(min(900, w.often(permille))) }
