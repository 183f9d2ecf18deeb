package detect

// left reports whether the person's last day is over: then nothing may be done, and no score is asked.
func (p *person) left(t int64) bool { return p.leaves != 0 && t >= p.leaves }

// leaver reports whether somebody who left has no business here: with a shift planned the last day was put off, unless the access was ended.
func (p *person) leaver(t int64) bool {
	_, rostered := p.onShift(t)
	return p.ended || !rostered
}
