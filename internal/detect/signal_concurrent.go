package detect

// concurrentSignal counts returns to a device within ten minutes, with another device of another network in between: two places at once.
var concurrentSignal = counter{"session.concurrent", "sessions at two places at once", .15, .4}

func (p *person) concurrent(device uint32, t int64) bool {
	if device == 0 {
		return false
	}
	if p.recent[0].device == device {
		p.recent[0].at = t
		return false
	}
	back := p.recent[1].device == device && t-p.recent[1].at < 600
	p.recent[2], p.recent[1], p.recent[0] = p.recent[1], p.recent[0], seat{device, t}
	return back
}
