package detect

// left reports whether the person's last day is over: then nothing may be done, and no score is asked.
func (p *person) left(t int64) bool { return p.leaves != 0 && t >= p.leaves }
