package web

import "chartwarden/internal/access"

func (p *Pages) privacyRoutes() []access.Route { return nil }
func (p *Pages) adminRoutes() []access.Route   { return nil }
