package web

import (
	"fmt"
	"net/http"

	"chartwarden/internal/casework"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// nights is the report of how the messages of the night went.
func (p *Pages) nights(w http.ResponseWriter, r *http.Request) {
	n, err := p.o.Office.Nights(r.Context(), p.asks(r))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, n.Entry)
	v := page.NightsView{Shell: withEntry(p.shell(r, "Messages of the night", atCases), n.Entry)}
	for _, s := range n.Spans {
		v.Spans = append(v.Spans, nightSpan(s))
	}
	for _, h := range n.Heard {
		v.Heard = append(v.Heard, page.NightHeard{When: look.Recent(h.At.In(p.o.Zone), p.now()), Who: personWords(h.Alias), Answer: answerTitle(h.Answer), Accesses: look.Plural(int64(h.Accesses), "chart", "charts")})
	}
	p.draw(w, r, http.StatusOK, page.Nights(v))
}

func nightSpan(s casework.Span) page.NightSpan {
	number := func(n int) string { return look.Number(int64(n)) }
	out := page.NightSpan{Title: fmt.Sprintf("%d days", s.Days), Says: fmt.Sprintf("Nobody got a first message %d days ago or earlier: whether people do it again cannot be told yet.", s.Days)}
	if s.First > 0 {
		again := "none got another"
		if s.Again > 0 {
			again = fmt.Sprintf("%d got another (%.0f %%)", s.Again, 100*float64(s.Again)/float64(s.First))
		}
		out.Says = fmt.Sprintf("Of %s with a first message at least %d days ago %s within %d days.", look.Plural(int64(s.First), "person", "people"), s.Days, again, s.Days)
	}
	out.Figures = []look.Fact{{Name: "Messages", Value: number(s.Messages)}, {Name: "To people", Value: number(s.People)}, {Name: "Explained later by the record", Value: number(s.Explained)}}
	for _, a := range casework.Answers {
		out.Figures = append(out.Figures, look.Fact{Name: "Answered “" + answerTitle(a) + "”", Value: number(s.Answers[a])})
	}
	out.Figures = append(out.Figures, look.Fact{Name: "Neither answered nor explained", Value: number(s.Open)})
	return out
}
