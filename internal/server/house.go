package server

// houseRole is what a role of the house is of, by the rules that decide now.
func (s *Server) houseRole(name string) (of []string, ok bool) {
	r, ok := s.rules.Set().HouseRole(name)
	return r.Of, ok
}
