package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/policy"
	"chartwarden/internal/training"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// Training: what a person has to read and to sign, and how everybody stands.

const atTraining = "Training"

func (p *Pages) trainingRoutes() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/training", Action: policy.Own, Handler: p.training},
		{Method: "GET", Pattern: "/training/{module}", Action: policy.Own, Handler: p.course},
		{Method: "POST", Pattern: "/training/{module}", Action: policy.Own, Handler: p.signTraining},
		{Method: "GET", Pattern: "/training/lesson/{moment}", Action: policy.Own, Handler: p.lesson},
		{Method: "GET", Pattern: "/admin/training", Action: policy.PeopleList, Handler: p.compliance},
		{Method: "GET", Pattern: "/admin/training.csv", Action: policy.PeopleList, Handler: p.complianceFile},
	}
}

func (p *Pages) training(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if who.Session.Capacity == identity.PatientCapacity {
		see(w, r, "/me")
		return
	}
	person, err := p.o.Persons.Person(r.Context(), who.Session.Person.ID) // as she stands now, not as she signed in
	if err != nil {
		p.fail(w, r, err)
		return
	}
	tasks, err := p.o.School.Tasks(r.Context(), person)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.TrainingView{Shell: p.shell(r, "Training", atTraining), Until: p.trainingLasts(person)}
	for _, t := range tasks {
		line := page.TrainingLine{Href: "/training/" + t.ID, Title: t.Title, About: look.Plural(int64(t.Minutes), "minute", "minutes"), State: "To do"}
		switch {
		case len(t.Quiz) > 0:
			line.About += ", " + look.Plural(int64(len(t.Quiz)), "question", "questions")
		default:
			line.About += ", to read and to sign"
		}
		if !t.Done.At.IsZero() {
			line.State = "Signed " + look.Day(t.Done.At.In(p.o.Zone)).Text() + ", counts until " + look.Day(t.Until.In(p.o.Zone)).Text()
			if t.Due && t.Done.Version != t.Version {
				line.State = "Changed since you signed it " + look.Day(t.Done.At.In(p.o.Zone)).Text()
			}
		}
		if t.Due {
			v.ToDo = append(v.ToDo, line)
		} else {
			v.Done = append(v.Done, line)
		}
	}
	record, err := p.o.School.Record(r.Context(), person.ID)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	for _, d := range record {
		index := d.Entry[strings.LastIndexByte(d.Entry, '/')+1:]
		title := titleOf(tasks, d.Module)
		if m, ok := p.o.School.Lessons(strings.TrimPrefix(d.Module, "lesson-")); ok && title == d.Module {
			title = m.Title
		}
		v.Record = append(v.Record, page.TrainingSigned{What: title, Version: d.Version, When: look.Exact(d.At.In(p.o.Zone)), Entry: index})
	}
	p.draw(w, r, http.StatusOK, page.Training(v))
}

// titleOf is the title of a module, or its id where it is no longer asked for.
func titleOf(tasks []training.Task, id string) string {
	for _, t := range tasks {
		if t.ID == id {
			return t.Title
		}
	}
	return id
}

// trainingLasts says what blocks what, and when.
func (p *Pages) trainingLasts(person identity.Person) string {
	day := look.Day(person.TrainingDue.In(p.o.Zone)).Text()
	switch {
	case person.TrainingDue.IsZero():
		return ""
	case !person.TrainingDue.After(p.now()):
		return "Overdue since " + day + ". Exports, and charts of patients outside your care, wait until all is signed. Patients in your care and emergencies never wait."
	}
	return "Yours lasts until " + day + ". After that exports, and charts of patients outside your care, wait. Patients in your care and emergencies never wait. You can do it at any quiet hour, part by part."
}

func (p *Pages) course(w http.ResponseWriter, r *http.Request) {
	p.coursePage(w, r, p.asks(r), nil, nil)
}

// coursePage draws a module; wrong are the questions that were answered wrongly, chosen what was chosen.
func (p *Pages) coursePage(w http.ResponseWriter, r *http.Request, who access.Principal, wrong, chosen []int) {
	m, err := p.o.School.Module(who.Session.Person, r.PathValue("module"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	v := page.CourseView{Shell: p.shell(r, m.Title, atTraining), ID: m.ID, Title: m.Title, About: look.Plural(int64(m.Minutes), "minute", "minutes")}
	for _, s := range m.Text {
		v.Text = append(v.Text, page.CourseText{Title: s.Title, Text: s.Text})
	}
	for i, q := range m.Quiz {
		one := page.CourseQuestion{Name: "q" + strconv.Itoa(i), Text: q.Text}
		if chosen != nil {
			one.Why, one.Wrong = q.Why, slices.Contains(wrong, i)
		}
		for j, a := range q.Answers {
			one.Answers = append(one.Answers, page.Option{Value: strconv.Itoa(j), Name: a, On: chosen != nil && chosen[i] == j})
		}
		v.Quiz = append(v.Quiz, one)
	}
	status := http.StatusOK
	if len(wrong) > 0 {
		status = http.StatusUnprocessableEntity
		v.Problem = look.Plural(int64(len(wrong)), "answer is", "answers are") + " not right yet. Read why below, choose again, and sign."
	}
	p.draw(w, r, status, page.Course(v))
}

// signTraining takes the answers to a module and the person's word.
func (p *Pages) signTraining(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	m, err := p.o.School.Module(who.Session.Person, r.PathValue("module"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	if r.PostForm.Get("sign") == "" {
		p.fail(w, r, outcome.New(outcome.Required, "say that you read it, then sign"))
		return
	}
	answers := make([]int, len(m.Quiz))
	for i := range answers {
		n, err := strconv.Atoi(r.PostForm.Get("q" + strconv.Itoa(i)))
		if err != nil {
			n = -1 // none chosen: not right
		}
		answers[i] = n
	}
	done, wrong, err := p.o.School.Complete(r.Context(), who.Session, m.ID, answers)
	switch {
	case err != nil:
		p.fail(w, r, err)
	case len(wrong) > 0:
		p.coursePage(w, r, who, wrong, answers)
	default:
		entered(w, done.Entry)
		see(w, r, "/training")
	}
}

// lessons are lessons of a minute that wait for a person's next page.
type lessons struct {
	mu    sync.Mutex
	waits map[string]training.Module
}

// next takes the lesson that waits for a person, as a banner with the way there; an empty one for none.
func (l *lessons) next(person string) (b look.Banner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.waits[person]
	if !ok {
		return b
	}
	delete(l.waits, person)
	return look.Banner{Tone: look.Accent, Icon: "clipboard-list", Lead: m.Title + ".", Text: "This is shown once.",
		Link: look.Link{Text: "Read it, 60 seconds", Href: "/training/lesson/" + strings.TrimPrefix(m.ID, "lesson-")}}
}

// teach has a person's next page offer the lesson of a moment, the first time that she comes to it. It comes after the act and never
// before: nothing waits for it, and where it fails nobody notices.
func (p *Pages) teach(ctx context.Context, person, moment string) {
	if p.o.School == nil {
		return
	}
	m, first, err := p.o.School.Lesson(ctx, person, moment)
	if err != nil || !first {
		return
	}
	p.lessons.mu.Lock()
	defer p.lessons.mu.Unlock()
	if p.lessons.waits == nil {
		p.lessons.waits = map[string]training.Module{}
	}
	p.lessons.waits[person] = m
}

func (p *Pages) lesson(w http.ResponseWriter, r *http.Request) {
	p.asks(r)
	m, ok := p.o.School.Lessons(r.PathValue("moment"))
	if !ok {
		p.fail(w, r, outcome.New(outcome.NotFound, "there is no such lesson"))
		return
	}
	v := page.CourseView{Shell: p.shell(r, m.Title, ""), Title: m.Title, About: "60 seconds"}
	for _, s := range m.Text {
		v.Text = append(v.Text, page.CourseText{Title: s.Title, Text: s.Text})
	}
	p.draw(w, r, http.StatusOK, page.Course(v))
}

// compliance is how everybody stands, for those who keep people.
func (p *Pages) compliance(w http.ResponseWriter, r *http.Request) {
	all, err := p.answersFor(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	show := r.URL.Query().Get("show")
	v := page.ComplianceView{Shell: p.shell(r, "Training", atTraining)}
	count := map[string]int{"": len(all)}
	for _, s := range all {
		state := standingWord(s)
		count[state]++
		if show != "" && show != state || len(v.Rows) >= complianceShown {
			continue
		}
		tone := map[string]look.Tone{"overdue": look.Warn, "due": look.Accent, "done": look.OK}[state]
		v.Rows = append(v.Rows, page.ComplianceLine{Name: s.Person.Name, Unit: s.Person.Department, Done: strconv.Itoa(s.Done) + " of " + strconv.Itoa(s.Of), Href: "/admin/people/" + s.Person.ID,
			Due: look.Day(s.Person.TrainingDue.In(p.o.Zone)), Mark: look.Mark{Tone: tone, Text: upper(state)}})
	}
	for _, one := range []struct{ show, name string }{{"", "Everybody"}, {"overdue", "Overdue"}, {"due", "Due"}, {"done", "Done"}} {
		link := look.Link{Text: one.name + " " + strconv.Itoa(count[one.show]), Href: "/admin/training?show=" + one.show}
		if one.show == show {
			link.Href = ""
		}
		v.Views = append(v.Views, link)
	}
	v.Total = count[show]
	p.draw(w, r, http.StatusOK, page.Compliance(v))
}

const complianceShown = 200

// answersFor is how everybody stands for whom the asker answers: everybody for the privacy office, human resources and administrators, the own
// people for a manager. Everybody at work may list colleagues, but not who is overdue.
func (p *Pages) answersFor(r *http.Request) ([]training.Standing, error) {
	s := p.asks(r).Session
	all, err := p.o.School.Everybody(r.Context())
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.Roles(), func(role string) bool {
		return role == identity.Privacy || role == identity.HR || role == identity.Administrator
	}) {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(x training.Standing) bool { return x.Person.Manager != s.Person.ID })
	if len(all) == 0 {
		return nil, outcome.New(outcome.Forbidden, "how others stand is for those who answer for them").Because("not.yours")
	}
	return all, nil
}

// standingWord is overdue, due (something is missing, or it ends within 14 days) or done.
func standingWord(s training.Standing) string {
	switch {
	case s.Overdue:
		return "overdue"
	case s.Soon || s.Done < s.Of:
		return "due"
	}
	return "done"
}

// complianceFile is the same as a table for other programs.
func (p *Pages) complianceFile(w http.ResponseWriter, r *http.Request) {
	all, err := p.answersFor(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="training.csv"`)
	out := csv.NewWriter(w)
	_ = out.Write([]string{"person", "name", "department", "done", "of", "due", "state"}) // a connection that broke has nobody to tell
	for _, s := range all {
		due := ""
		if !s.Person.TrainingDue.IsZero() {
			due = s.Person.TrainingDue.In(p.o.Zone).Format(time.DateOnly)
		}
		_ = out.Write([]string{s.Person.ID, plainCell(s.Person.Name), plainCell(s.Person.Department), strconv.Itoa(s.Done), strconv.Itoa(s.Of), due, standingWord(s)})
	}
	out.Flush()
}

// plainCell keeps a spreadsheet from taking a name for a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t", rune(text[0])) {
		return "'" + text
	}
	return text
}
