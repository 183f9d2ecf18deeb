package detect

// What a list may be picked by.
const (
	attrEmergency = iota
	attrChild
	attrElder
	attrFlagged
	attributes
)

func (w *world) attributesOf(p int32, t int64) (has [attributes]bool) {
	x := &w.patients[p]
	year := int64(1970 + t/31_556_952)
	has[attrEmergency] = x.emergency != 0 && t-x.emergency < 2*day && t >= x.emergency
	has[attrChild] = x.born > 0 && year-x.born < 18
	has[attrElder] = x.born > 0 && year-x.born >= 65
	has[attrFlagged] = x.vip()
	return has
}

// pickList is the log e-value of the day's patients having one attribute in common more than the role's do: a list put together for
// somebody, even where each look is explained.
func (r *roleStats) pickList(who *person, d *today) float64 {
	n := len(d.patients)
	if n < 8 {
		return 0
	}
	best := 1.0
	for i, k := range d.attr {
		share := (r.attr[i] + 20) / (r.looks + 100)
		days := min(float64(who.days), usual)
		own := days * float64(who.means[countPatients])
		share = (days*float64(who.attr[i]) + 30*share) / (own + 30)
		if p := binomialTail(n, int(k), min(.95, share)); p < best {
			best = p
		}
	}
	return pos(logE(min(1, best*attributes*10))) // people work by such lists: tenfold caution
}
