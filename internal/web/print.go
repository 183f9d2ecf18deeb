package web

import (
	"context"
	"net/http"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Paper leaves the house unseen, so a print is an act: a button that asks the door, which decides and writes it down, and only then the page
// that the browser prints. What the browser prints by itself is a line that says so (ADR 131).

// printing is what a request puts on paper.
type printing struct {
	back string // the page from which it was asked for
}

type printingKey struct{}

// printed is what a request puts on paper; nil: nothing.
func printed(r *http.Request) *printing {
	p, _ := r.Context().Value(printingKey{}).(*printing)
	return p
}

func onPaper(r *http.Request, back string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), printingKey{}, &printing{back}))
}

// print puts one part of a chart on paper.
func (p *Pages) print(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	part := r.PostForm.Get("part")
	name, item, _ := strings.Cut(part, "/")
	r.SetPathValue("item", item)
	r.SetPathValue("note", item)
	r.SetPathValue("document", item)
	one := item != "" && !strings.ContainsAny(item, "/?#")
	draw := map[page.Tab]http.HandlerFunc{page.TabSummary: p.summary, page.TabTimeline: p.timeline, page.TabResults: p.results, page.TabMedications: p.medications,
		page.TabNotes: p.notes, page.TabDocuments: p.documents}[page.Tab(name)]
	switch {
	case one && page.Tab(name) == page.TabResults:
		draw = p.resultHistory
	case one && page.Tab(name) == page.TabNotes:
		draw = p.note
	case one && page.Tab(name) == page.TabDocuments:
		draw = p.document
	}
	if draw == nil {
		p.fail(w, r, outcome.New(outcome.Value, "name a part of the chart to print").At("part"))
		return
	}
	if name == string(page.TabTimeline) && p.lessonFirst(w, r, "export") { // the whole history at once
		return
	}
	if r.PostForm.Get("all") != "" {
		p.teach(r.Context(), session(r).Person.ID, "print")
	}
	draw(w, onPaper(r, strings.TrimSuffix(chartHref(r.PathValue("patient"), part), "/")+where(r)))
}

// lessonFirst has a person read the lesson of a moment before the first act of its kind, and keeps her word; true when its page was drawn in
// place of the act. The same form, sent from there, goes on. What cannot be looked up or kept stands in nobody's way.
func (p *Pages) lessonFirst(w http.ResponseWriter, r *http.Request, moment string) bool {
	if p.o.School == nil {
		return false
	}
	who := p.asks(r)
	read, err := p.o.School.Read(r.Context(), who.Session.Person.ID, moment)
	if read || err != nil {
		return false
	}
	if r.PostForm.Get("lesson") == moment {
		if done, err := p.o.School.Acknowledge(r.Context(), who.Session, moment); err == nil {
			entered(w, done.Entry)
		}
		return false
	}
	m, _ := p.o.School.Lessons(moment)
	v := page.CourseView{Shell: p.shell(r, m.Title, ""), Title: m.Title, About: "60 seconds, once", Next: &page.CourseNext{Action: r.URL.RequestURI(), Back: chartHref(r.PathValue("patient"))}}
	for _, s := range m.Text {
		v.Text = append(v.Text, page.CourseText{Title: s.Title, Text: s.Text})
	}
	v.Next.Fields = []page.Option{{Name: "part", Value: r.PostForm.Get("part")}, {Name: "lesson", Value: moment}}
	p.draw(w, r, http.StatusOK, page.Course(v))
	return true
}

// printDeskPatient puts on paper what a desk knows of a patient.
func (p *Pages) printDeskPatient(w http.ResponseWriter, r *http.Request) {
	p.deskPatient(w, onPaper(r, "/desk/patients/"+r.PathValue("patient")))
}

// printAccount puts on paper what billing knows of a patient.
func (p *Pages) printAccount(w http.ResponseWriter, r *http.Request) {
	p.account(w, onPaper(r, "/billing/patients/"+r.PathValue("patient")))
}

// sheet says how a page of a chart comes to paper: of the page on the screen, by which act.
func (p *Pages) sheet(r *http.Request, c *access.Chart, made *printing) look.Sheet {
	if made != nil {
		s := look.Sheet{Made: true, Back: made.back}
		if c.Left > 0 {
			s.Left = "It holds the newest records; " + look.Plural(int64(c.Left), "older one is", "older ones are") + " left out."
		}
		return s
	}
	if !c.MayPrint {
		return look.Sheet{Shut: true}
	}
	act := r.URL.Path
	part := ""
	if base := chartHref(c.PatientID); strings.HasPrefix(act, base) {
		part = strings.TrimPrefix(strings.TrimPrefix(act, base), "/")
		act = base
	}
	if part == string(page.TabAccess) || part == "notes/new" { // not of the chart, or not yet
		return look.Sheet{Shut: part == "notes/new"}
	}
	return look.Sheet{Act: act + "/print" + where(r), Part: part}
}

// where is which stretch of a long page a request is about, as its address says it.
func where(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.Query().Encode()
}
