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
		if q.Case == "" {
			v.Title, v.Text = "Charts without a known reason", "No reason in care is known for what you opened on "+q.Night.In(p.o.Zone).AddDate(0, 0, -1).Format("Mon 2 Jan")+
				". There may well be one that was not recorded yet. A sentence now saves a question later; patients can see who opened their charts."
		}
		for _, a := range q.Accesses {
			line := look.Moment(a.At.In(p.o.Zone)).Text() + ", " + strings.ToLower(cmp.Or(kindActsOf[a.Kind], "opened"))
			if a.Patient != "" {
				line += " the chart of " + cmp.Or(names[strings.TrimPrefix(a.Patient, "Patient/")].Name, "a patient whose name is not shown")
			}
			if a.Explained != "" {
				line += ". By now a reason is known: " + a.Explained
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

// clearedViews are the messages for which a reason of care is known by now.
func (p *Pages) clearedViews(list []casework.Question, names map[string]access.Identity) (out []page.ClearedView) {
	for _, q := range list {
		v := page.ClearedView{When: look.Recent(q.Cleared.In(p.o.Zone), p.now())}
		for _, a := range q.Accesses {
			v.Lines = append(v.Lines, look.Moment(a.At.In(p.o.Zone)).Text()+", the chart of "+cmp.Or(names[strings.TrimPrefix(a.Patient, "Patient/")].Name, "a patient whose name is not shown")+": "+a.Explained)
		}
		out = append(out, v)
	}
	return out
}
