package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/casework"
	"chartwarden/internal/detect"
	"chartwarden/internal/identity"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

const (
	namesShown  = 40 // patients whose names a page opens
	accessShown = 60
	accessFirst = 12 // that stand on the page; the others unfold
)

// caseOf is one case on one page.
func (p *Pages) caseOf(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	f, err := p.o.Office.Open(r.Context(), who, r.PathValue("case"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	t := p.caseTaleOf(f.Listed, &f)
	entries := []string{f.Entry}
	if why := f.Named[who.Session.Person.ID]; why != "" && f.Owner == who.Session.Person.ID {
		var named map[string]string
		var entry string
		if p.o.Watches {
			named, entry, err = p.o.Office.Numbers(r.Context(), who, &f.Case, why)
		} else {
			named, entry, err = p.o.Gate.Named(r.Context(), who, why, chartsIn(f.Patients)...)
		}
		if err != nil {
			p.fail(w, r, err)
			return
		}
		t.named, entries = true, append(entries, entry)
		for ref, letters := range t.patients {
			if name := cmp.Or(named[ref], named[strings.TrimPrefix(ref, "Patient/")]); name != "" {
				t.patients[ref] = name + " (" + strings.TrimPrefix(letters, "Patient ") + ")"
			}
		}
	}
	v, err := p.caseView(r, t)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, entries...)
	why, words := p.cameBack(r, caseHref(f.ID))
	p.typed(&v, why.text, words.Get)
	p.draw(w, r, cmp.Or(why.status, http.StatusOK), page.Case(v))
}

// typed puts back what was typed into a form that failed, and why it did.
func (p *Pages) typed(v *page.CaseView, why string, word func(string) string) {
	v.Problem = why
	v.Typed = page.CaseTyped{Text: word("text"), Names: word("names"), HandOver: word("hand-over"), Mute: word("mute"), Reopen: word("reopen")}
	if f := v.Form; f != nil {
		f.Choice, f.Outcome = cmp.Or(word("act"), f.Choice), word("outcome")
		if !slices.Contains([]string{"ask", "ask-manager", "heard", "note", "close"}, f.Choice) {
			f.Choice = "note"
		}
		for i := range f.Managers {
			if chosen := word("manager"); chosen != "" {
				f.Managers[i].On = f.Managers[i].Value == chosen
			}
		}
		f.Fact.Whom, f.Fact.Patients, f.Fact.Reason = word("fact-whom"), word("fact-patients"), word("fact-reason")
		for i := range f.Fact.Kinds {
			f.Fact.Kinds[i].On = f.Fact.Kinds[i].Value == word("fact-of")
		}
	}
}

func chartsIn(refs []string) (out []string) {
	for _, ref := range refs[:min(len(refs), namesShown)] {
		out = append(out, strings.TrimPrefix(ref, "Patient/"))
	}
	return out
}

func (p *Pages) caseView(r *http.Request, t caseTale) (page.CaseView, error) {
	f, me := t.file, session(r)
	mine := f.Owner == me.Person.ID
	known := t.Who.Name != "" // the officer may know whose accesses they are
	v := page.CaseView{Watched: p.o.Watches, Shell: withEntry(p.shell(r, "Case", atCases), f.Entry), ID: f.ID, Headline: t.headline(), Marks: p.caseMarks(f.Listed), Tale: t.happened(), Unknown: t.unknown(),
		Weights: t.weights(), Figures: t.figures(), Checks: t.checks(), Steps: p.caseSteps(f), Proof: p.caseProof(f), Barred: capital(f.Barred), Related: t.related()}
	v.Meta = []string{"Raised " + look.Moment(f.Opened.In(p.o.Zone)).Text()}
	if t.Who.Unit != "" || !known {
		v.Meta = append([]string{personWords(t.Who)}, v.Meta...)
	}
	if f.Officer != "" {
		v.Meta = append(v.Meta, "With "+f.Officer)
	}
	switch {
	case f.Overdue:
		v.Overdue = capital(p.due(f.Listed))
	case f.Open():
		v.Meta = append(v.Meta, capital(p.due(f.Listed)))
	}
	if f.Prev != "" {
		v.Prev = caseHref(f.Prev)
	}
	if f.Next != "" {
		v.Next = caseHref(f.Next)
	}
	v.Lanes, v.LanesOf = t.lanes()
	v.Ego, v.Ties = t.graph()
	v.Entries, v.Shown = p.caseEntries(t, known)
	if len(v.Entries) > accessFirst+3 {
		v.Entries, v.More = v.Entries[:accessFirst], v.Entries[accessFirst:]
	}
	if !t.named {
		v.Masked = "Patients are masked"
	}
	for _, q := range f.Questions {
		if q.Answer == "" {
			continue
		}
		a := page.CaseAnswer{Who: "The person", Answer: answerTitle(q.Answer), Said: q.Said, When: look.Recent(q.Answered.In(p.o.Zone), p.now())}
		if !q.Own() {
			a.Who = "The manager"
		}
		v.Given = append(v.Given, a)
	}
	if err := p.caseHours(r, &v, t); err != nil {
		return v, err
	}
	p.caseHistory(r, &v, f)
	for _, c := range f.Alike {
		v.Alike = append(v.Alike, p.caseLine(c))
	}
	for _, c := range f.About {
		v.About = append(v.About, p.caseLine(c))
	}
	if known && f.Person != "" {
		v.Also = []look.Link{{Text: "Everything this person did", Href: "/audit?person=" + f.Person}}
	}
	free := f.Barred == ""
	v.Take = f.Open() && free && f.Owner == ""
	if f.Open() && f.Owner != "" && !mine {
		v.Held = f.Officer + " answers for this case. You may write a note into it."
	}
	if !f.Mute.IsZero() {
		v.Muted = "Two officers leave this suspicion alone until " + look.Day(f.Mute.In(p.o.Zone)).Text() + "; one case in twenty is shown all the same."
	}
	if f.State == casework.Closed {
		by := "the person’s answer to a message of the night, while it was only on watch,"
		if f.Closer != "" {
			by = p.nameOf(r, f.Closer)
		}
		v.Closed = outcomeTitles[f.Outcome] + ". Closed by " + by + " " + look.Moment(f.Closed.In(p.o.Zone)).Text() + "."
		v.Reopen = free
	}
	if f.Open() && free && (mine || f.Owner == "") {
		for _, o := range f.Officers {
			v.HandOver = append(v.HandOver, page.Option{Value: o.ID, Name: o.Name})
		}
	}
	if f.Open() && free && mine {
		v.Form = p.caseForm(r, t)
		v.Names = &page.CaseNames{Shown: t.named, Text: f.Named[me.Person.ID], Numbers: p.o.Watches}
		if f.Mutable && f.Mute.IsZero() {
			v.Mute = "A second officer has to agree. For 30 days this suspicion about this person raises no case in the queue, one in twenty aside."
		}
	}
	return v, nil
}

const managersShown = 150

// caseForm is the form of the next step.
func (p *Pages) caseForm(r *http.Request, t caseTale) *page.CaseForm {
	f := &page.CaseForm{Choice: "ask", First: "the person", CanAsk: t.Person != "", Seen: fmt.Sprint(len(t.Events)), Fact: page.CaseFact{Unit: t.Who.Unit, Kinds: p.patientKinds()}}
	if first, _, ok := strings.Cut(t.Who.Name, " "); ok && t.Person != "" {
		f.First = first
	}
	switch {
	case t.Person == "":
		f.Choice = "heard"
	case t.State == casework.Asked:
		f.Choice = "note"
	case slices.ContainsFunc(t.file.Questions, func(q casework.Question) bool { return q.Own() && q.Answer != "" }):
		f.Choice = "close"
	}
	people, err := p.o.Persons.People(r.Context())
	if err != nil {
		return f
	}
	me := session(r).Person.ID
	known := ""
	if i := slices.IndexFunc(people, func(o identity.Person) bool { return o.ID == t.Person && t.Person != "" }); i >= 0 {
		known = people[i].Manager
	}
	f.Hint = "No manager of this person is known here: choose whom you ask. An administrator can write down who it is, on the person’s page."
	for _, near := range []bool{true, false} {
		for _, one := range people {
			same := t.Who.Unit != "" && one.Department == t.Who.Unit
			if same != near || one.ID == t.Person || one.ID == me || !one.Active || portalOnly(one) || len(f.Managers) == managersShown && one.ID != known {
				continue
			}
			name := one.Name
			for _, role := range one.Roles {
				if role != identity.Patient {
					name += ", " + strings.ToLower(roleNames[role])
					break
				}
			}
			if one.Department != "" {
				name += ", " + one.Department
			}
			if one.ID == known {
				name += ", the manager"
				f.Hint = "The manager is chosen."
				f.Managers = append([]page.Option{{Value: one.ID, Name: name, On: true}}, f.Managers...)
				continue
			}
			f.Managers = append(f.Managers, page.Option{Value: one.ID, Name: name})
		}
	}
	return f
}

// isHeard reports whether somebody has said something about a case, here or in another way.
func isHeard(f *casework.File) bool {
	return slices.ContainsFunc(f.Questions, func(q casework.Question) bool { return q.Answer != "" }) ||
		slices.ContainsFunc(f.Notes, func(n casework.Note) bool { return n.Step == "heard" || n.Step == "dispute" }) || len(f.Reasons) > 0
}

// patientKinds are the kinds of patients by which detection can hold later accesses against what was found justified.
func (p *Pages) patientKinds() (out []page.Option) {
	for _, u := range p.o.Office.Units() {
		out = append(out, page.Option{Value: detect.UnitPatients + u.Ref, Name: "Patients of " + u.Name})
	}
	for _, k := range []struct{ value, name string }{{detect.Children, "Children"}, {detect.Deceased, "Patients who have died"}, {detect.Employees, "Patients who work here"}, {detect.Anybody, "Anybody (so wide that it will earn nothing)"}} {
		out = append(out, page.Option{Value: k.value, Name: k.name})
	}
	return out
}

// caseSteps are how far a case came.
func (p *Pages) caseSteps(f *casework.File) []page.CaseStep {
	heard := isHeard(f)
	asked := len(f.Questions) > 0
	steps := []page.CaseStep{
		{Text: "Raised, evidence kept", Hint: look.Moment(f.Opened.In(p.o.Zone)).Text(), Done: true},
		{Text: "Taken by an officer", Done: !f.Taken.IsZero()},
		{Text: "The person and the manager are heard", Done: heard},
		{Text: "Decided and written down", Done: f.State == casework.Closed},
	}
	if !f.Taken.IsZero() {
		steps[1].Hint = "First look after " + ago(f.Taken.Sub(f.Opened))
	}
	if asked && !heard {
		steps[2].Hint = "Asked; no answer yet"
	}
	for i := range steps {
		if !steps[i].Done {
			if f.State != casework.Closed {
				steps[i].Now = true
			}
			break
		}
	}
	return steps
}

// caseProof says whether the entries of a case stand in the record.
func (p *Pages) caseProof(f *casework.File) page.ProofLine {
	line := proofLine(p.state())
	own, foreign := len(f.Lines)+f.Skipped, 0
	for _, e := range f.Events {
		if e.Entry < 0 {
			foreign++
		}
	}
	if own > 0 {
		line.Lead = look.Plural(int64(own), "access", "accesses") + " in the record"
	}
	if foreign > 0 && p.o.Watches {
		line.Lead = look.Plural(int64(foreign), "access of another system, sealed as it came", "accesses of another system, sealed as they came")
		line.Text = "What the other system wrote, nothing here proves; what was done about it stands in the record. " + line.Text
	} else if foreign > 0 {
		line.Text = look.Plural(int64(foreign), "access comes", "accesses come") + " from another system’s log, which nothing here proves. " + line.Text
	}
	return line
}

// caseEntries are the accesses, the newest first: from the own log as it stands, else as detection was told.
func (p *Pages) caseEntries(t caseTale, known bool) ([]page.CaseEntry, string) {
	var out []page.CaseEntry
	lines := map[int64]access.Line{}
	for _, l := range t.file.Lines {
		lines[int64(l.Index)] = l
	}
	for _, e := range slices.Backward(t.Events) {
		if len(out) == accessShown {
			break
		}
		x := page.CaseEntry{When: look.Exact(e.Time.In(p.o.Zone)), Patient: t.patient(e.Patient), Where: "Another system", Did: cmp.Or(kindActsOf[e.Kind], upper(e.Kind)), Found: cmp.Or(upper(t.said(e)), "None")}
		if l, ok := lines[e.Entry]; ok && e.Entry >= 0 {
			x.Where, x.Did = cmp.Or(placeWords(l.Agent.Zone), "Not known"), upper(act(l))
			switch {
			case l.Glass:
				x.Found = "None, behind the glass"
			case !l.Unexplained && l.Kind == audit.Disclosure && strings.HasPrefix(l.Template, "care."): // a function of the house is no link to a patient
				x.Found = because(l.Template)
			}
			if known {
				x.Href = entryHref(l.Entry)
			}
		} else if e.Entry >= 0 {
			x.Where = "Not read here"
		} else if row, ok := t.file.Rows[e.ID]; ok {
			x.Did, x.Where = didOf(x.Did, row), cmp.Or(fromOf(row), "Not told")
		} else if t.file.Rows != nil {
			x.Where = "Not kept any more"
		}
		out = append(out, x)
	}
	return out, look.Shown(len(out), len(t.Events), "access", "accesses")
}

// didOf says what was done in words of the other system's log, where it has any.
func didOf(did string, row detect.Event) string {
	if row.Failed {
		did += ", refused"
	}
	if row.Section != "" {
		did += ": " + row.Section
	}
	return did
}

// fromOf says from where, as the other system's log has it: department, device, address.
func fromOf(row detect.Event) string {
	var out []string
	for _, ref := range []string{row.Place, row.Device} {
		if ref != "" {
			out = append(out, strings.ReplaceAll(casework.Number(ref), "_", " "))
		}
	}
	if row.Address != "" {
		out = append(out, row.Address)
	}
	return strings.Join(out, ", ")
}

// kindActsOf say kinds of events of other systems.
var kindActsOf = map[string]string{"read": "Opened", "search": "Searched", "create": "Wrote", "update": "Changed", "delete": "Deleted", "export": "Took a copy out", "print": "Printed",
	"operation": "Read many at once", "sign-in": "Signed in", "sign-out": "Signed out", "glass": "Broke the glass", "other": "Something else"}

// caseHours are the usual hours of the person, and those of peers.
func (p *Pages) caseHours(r *http.Request, v *page.CaseView, t caseTale) error {
	own, peers, of, err := p.o.Office.Hours(r.Context(), &t.Case)
	if err != nil || t.Person == "" || len(t.Events) == 0 {
		return err
	}
	if own == (access.Hours{}) && peers == (access.Hours{}) {
		return nil // nothing to compare with
	}
	h := look.HoursOf{Name: "This person", Usual: own}
	if of != "" {
		h.Of = of + " in the same role"
		if t.Who.Unit != "" {
			h.Of += ", " + t.Who.Unit
		}
		h.Peers = (*[7][24]int)(&peers)
	}
	for _, e := range t.Events {
		at := e.Time.In(p.o.Zone)
		h.Now[(int(at.Weekday())+6)%7][at.Hour()] = true
	}
	v.Hours, v.HoursOf = &h, "12 weeks before. Framed: these accesses"
	return nil
}

// caseHistory is what was done about a case, the newest first.
func (p *Pages) caseHistory(r *http.Request, v *page.CaseView, f *casework.File) {
	notes := slices.Clone(f.Notes)
	for _, l := range f.Reasons {
		notes = append(notes, casework.Note{At: l.At, By: f.Person, Step: "reason", Text: l.Text, Entry: l.Entry})
	}
	slices.SortStableFunc(notes, func(a, b casework.Note) int { return a.At.Compare(b.At) })
	for _, n := range slices.Backward(notes) {
		line := page.CaseNote{When: look.Recent(n.At.In(p.o.Zone), p.now()), Text: p.noteWords(r, f, n)}
		if n.Entry != "" && (f.Who.Name != "" || n.By != f.Person) {
			line.Href = entryHref(n.Entry)
		}
		v.Notes = append(v.Notes, line)
	}
	v.Notes = append(v.Notes, page.CaseNote{When: look.Recent(f.Opened.In(p.o.Zone), p.now()), Text: raisedBy(f)})
}

// raisedBy says how a case came to be.
func raisedBy(f *casework.File) string {
	if f.Drawn() {
		return "Drawn at random."
	}
	if len(f.Notes) > 0 && f.Notes[0].Step == "raise" {
		return "Raised from a review."
	}
	return "Raised by detection."
}

// noteWords is one line of a case's history.
func (p *Pages) noteWords(r *http.Request, f *casework.File, n casework.Note) string {
	by := "The system"
	switch {
	case n.By == "":
	case n.By == f.Person && f.Person != "":
		by = "The person"
	default:
		by = p.nameOf(r, n.By)
	}
	quoted := ""
	if n.Text != "" {
		quoted = ": “" + n.Text + "”"
	}
	switch n.Step {
	case "take":
		return by + " took the case."
	case "hand-over":
		return by + " handed it over " + n.Text + "."
	case "ask":
		return by + " asked the person" + quoted
	case "ask-manager":
		return by + " asked the manager" + quoted
	case "reason":
		return by + " wrote in My activity, unasked" + quoted
	case "dispute":
		return by + " says that it was somebody else" + quoted
	case "heard":
		return by + " wrote down an answer" + quoted
	case "answer":
		code, words, _ := strings.Cut(n.Text, ": ")
		text := by + " answered: " + answerTitle(code) + "."
		if words != "" {
			text += " “" + words + "”"
		}
		return text
	case "close":
		outcome, words, _ := strings.Cut(n.Text, ": ")
		return by + " closed it. " + outcomeTitles[outcome] + ": “" + words + "”"
	case "reopen":
		return by + " opened it again" + quoted
	case "names":
		if p.o.Watches {
			return by + " has the patients’ numbers shown" + quoted
		}
		return by + " has the patients’ names shown" + quoted
	case "mute":
		return by + " " + n.Text
	case "muted":
		return by + " agreed: the suspicion is left alone " + n.Text + "."
	}
	return by + quoted
}
