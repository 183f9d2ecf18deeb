package access

// Bound sets how many patients an import may bring in.
func (g *Gate) Bound(most int) { g.most = most }
