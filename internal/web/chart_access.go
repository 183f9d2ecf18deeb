package web

import (
	"net/http"
	"strconv"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// accessRead is how many lines of the log one page of the access list is folded from.
const accessRead = 300

// windowFrom reads which part of a list the address asks for; its number tells nothing about anybody.
func windowFrom(r *http.Request, limit int) (access.Window, error) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return access.Window{Limit: limit}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return access.Window{}, outcome.New(outcome.Value, "the address names a part of the list that is not there")
	}
	return access.Window{Before: audit.Index(n), Limit: limit}, nil
}

// older leads to the next part of a list at the same address.
func older(at audit.Index, href string) look.Link {
	if at == 0 {
		return look.Link{}
	}
	return look.Link{Text: "Earlier", Href: href + "?before=" + strconv.FormatInt(int64(at), 10)}
}

// chartAccess lists who looked at a chart, for those who may open it: by person and day.
func (p *Pages) chartAccess(w http.ResponseWriter, r *http.Request) {
	window, err := windowFrom(r, accessRead)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	o, ok := p.open(w, r, page.TabAccess, "Who looked")
	if !ok {
		return
	}
	list, err := p.looks(r.Context(), w, o, window)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.AccessView{Chart: o.view, Rows: accesses(list.Lines, p.now()), Older: older(list.Older, o.href("access"))}
	v.Total = len(v.Rows)
	v.AskIn = p.askIn(r, o)
	p.draw(w, r, http.StatusOK, page.ChartAccess(v))
}

func accesses(lines []access.Line, now time.Time) []page.Access {
	zone := now.Location()
	var out []page.Access
	for _, f := range fold(lookings(lines), func(l looking) string { return l.At.In(zone).Format(time.DateOnly) }) {
		out = append(out, page.Access{Name: f.who(), Role: f.role(), Did: f.did(), Reason: f.reason, When: look.Recent(f.At.In(zone), now), Times: f.times, Glass: f.glass})
	}
	return out
}
