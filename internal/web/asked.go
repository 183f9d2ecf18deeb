package web

import (
	"cmp"
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/casework"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// What the privacy office asks somebody stands in My activity, courteous and without a word of a suspicion.

// askedCharts are the charts that questions about the own accesses name.
func askedCharts(questions []casework.Question) (out []string) {
	for _, q := range questions {
		for _, a := range q.Accesses {
			if a.Patient != "" {
				out = append(out, strings.TrimPrefix(a.Patient, "Patient/"))
			}
		}
	}
	return out
}

// askedViews are the questions as the page shows them; status is that of an answer that failed.
func (p *Pages) askedViews(r *http.Request, questions []casework.Question, names map[string]access.Identity) (out []page.AskedView, status int) {
	if len(questions) == 0 {
		return nil, 0
	}
	why, words := p.cameBack(r, "/activity")
	for _, q := range questions {
		v := page.AskedView{ID: q.ID, Title: "About your accesses", Text: q.Text, When: look.Recent(q.Asked.In(p.o.Zone), p.now())}
		choices := casework.Answers
		if !q.Own() {
			v.Title, choices = "About the work of "+p.nameOf(r, q.About), casework.ManagerAnswers
		}
		for _, a := range q.Accesses {
			line := look.Moment(a.At.In(p.o.Zone)).Text() + ", " + strings.ToLower(cmp.Or(kindActsOf[a.Kind], "opened"))
			if a.Patient != "" {
				line += " the chart of " + cmp.Or(names[strings.TrimPrefix(a.Patient, "Patient/")].Name, "a patient whose name is not shown")
			}
			v.Accesses = append(v.Accesses, line)
		}
		for _, c := range choices {
			v.Answers = append(v.Answers, page.AnswerChoice{Value: c, Title: answerTitles[c].title, Hint: answerTitles[c].hint})
		}
		if words.Get("question") == q.ID {
			v.Problem, v.Said, v.Chosen, status = why.text, words.Get("text"), words.Get("answer"), why.status
		}
		out = append(out, v)
	}
	return out, status
}
