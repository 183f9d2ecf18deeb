package web

import (
	"fmt"
	"net/http"

	"chartwarden/internal/casework"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// randomAudits is the report of what random audits found.
func (p *Pages) randomAudits(w http.ResponseWriter, r *http.Request) {
	year, months, entry, err := p.o.Office.RandomAudits(r.Context(), p.asks(r), p.o.Zone)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entry)
	v := page.AuditsView{Shell: withEntry(p.shell(r, "Random audits", atCases), entry), Says: missed(year)}
	number := func(n int) string { return look.Number(int64(n)) }
	for _, m := range months {
		share := "None decided"
		if s, _, _ := m.Missed(); m.Decided > 0 {
			share = fmt.Sprintf("%.0f %%", 100*s)
		}
		v.Months = append(v.Months, page.AuditMonth{Month: m.Since.Format("January 2006"), Drawn: number(m.Drawn), Waiting: number(m.Waiting), Decided: number(m.Decided), Found: number(m.Found), Share: share})
	}
	p.draw(w, r, http.StatusOK, page.Audits(v))
}

// missed is the measured miss rate in words, with how sure it is.
func missed(a casework.Audits) string {
	text := fmt.Sprintf("In the last twelve months %s drawn", look.Plural(int64(a.Drawn), "act was", "acts were"))
	if a.Decided == 0 {
		return text + "; none is decided about yet, so nothing is measured."
	}
	share, low, high := a.Missed()
	text += fmt.Sprintf(" and %s decided about. ", look.Plural(int64(a.Decided), "was", "were"))
	if a.Found == 0 {
		return text + fmt.Sprintf("None had something that no case had said. So few say only this: the true share is likely below %.0f %%.", 100*high)
	}
	return text + fmt.Sprintf("%s something that no case had said: %.0f %%, and likely between %.0f and %.0f %%.", look.Plural(int64(a.Found), "had", "had"), 100*share, 100*low, 100*high)
}
