package web

import "chartwarden/internal/access"

func (p *Pages) careRoutes() []access.Route   { return nil }
func (p *Pages) chartRoutes() []access.Route  { return nil }
func (p *Pages) personRoutes() []access.Route { return nil }
