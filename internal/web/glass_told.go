package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// glassNews gives, as they come, the events of the live stream by which somebody hears that a closed chart of a patient of hers was opened with
// a reason. They name who did it, and no patient. Nil for who treats nobody. It ends with the request.
func (p *Pages) glassNews(r *http.Request) <-chan string {
	who := access.PrincipalFrom(r.Context())
	if who.Session.Capacity != identity.StaffCapacity || who.Session.Person.Practitioner == "" {
		return nil
	}
	ctx, out := r.Context(), make(chan string)
	known := map[int64]bool{}
	list, changed := p.o.Gate.BrokenAtMine(who)
	for _, b := range list { // they stand under Colleagues
		known[b.Grant] = true
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			if list, changed = p.o.Gate.BrokenAtMine(who); len(list) == 0 {
				continue
			}
			var text strings.Builder
			for _, b := range list {
				if !known[b.Grant] {
					known[b.Grant] = true
					said, _ := json.Marshal(map[string]string{"text": p.brokenWords(r, b) + " ", "href": colleaguesPath, "link": "Look"})
					fmt.Fprintf(&text, "event: notice\ndata: %s\n\n", said) // without a number: those are of cases
				}
			}
			if text.Len() == 0 {
				continue
			}
			select {
			case out <- text.String():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (p *Pages) brokenWords(r *http.Request, b access.Broken) string {
	return p.nameOf(r, b.By) + " opened a chart of a patient of yours with a reason: " + glassTitle(b.Code) + "."
}

// brokenLines are the openings of the last three days, for the page Colleagues. names are by chart.
func (p *Pages) brokenLines(r *http.Request, list []access.Broken, names map[string]access.Identity) (out []page.BrokenLine) {
	for _, b := range list {
		name := names[b.PatientID].Name
		if name == "" {
			name = "a patient of yours"
		}
		out = append(out, page.BrokenLine{By: p.nameOf(r, b.By), Patient: name, Why: glassTitle(b.Code), Href: chartHref(b.PatientID), When: look.Recent(b.At.In(p.o.Zone), p.now())})
	}
	return out
}
