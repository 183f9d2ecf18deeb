// Package page holds every page of Chartwarden as a view and a template. A view is a plain struct of words and links, already decided
// and masked by whoever fills it; a template only lays it out. Nothing here reads data, knows a policy or touches the network.
//
// Each page is one exported templ function that takes its view, such as [Summary] with a [SummaryView]:
//
//	v := page.DayView{Shell: shell, Date: look.Day(now), Groups: groups}
//	err := page.Day(v).Render(ctx, w)
//
// Forms are plain POST forms, so each page works without scripts; their addresses and field names are listed in routes.go. Names,
// numbers and other data of patients never go into a title or an address; what is searched for travels in the body.
package page
