package web

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// The patient's own list of who looked at her chart.

const (
	portalRead   = 500 // lines of the log that one page of the list is folded from
	linesOfVisit = 20  // at most so many lines for one visit
	longestList  = 100 // parts of portalRead lines in a download
)

// ownChart is the id of the patient who asks, in the capacity of a patient.
func ownChart(s *identity.Session) (string, error) {
	ref, ok := fhir.ParseReference(s.Person.Patient)
	if s.Capacity != identity.PatientCapacity || !ok {
		return "", outcome.New(outcome.Forbidden, "this page is for patients: sign in as a patient to see your own list").Because("capacity")
	}
	return ref.ID, nil
}

func (p *Pages) portal(w http.ResponseWriter, r *http.Request) {
	p.portalPage(w, r, http.StatusOK, "")
}

// portalPage is the list, with what is to be mended in a request for a restriction.
func (p *Pages) portalPage(w http.ResponseWriter, r *http.Request, status int, problem string) {
	who := p.asks(r)
	id, err := ownChart(who.Session)
	var window access.Window
	if err == nil {
		window, err = windowFrom(r, portalRead)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	list, err := p.o.Gate.WhoLooked(r.Context(), who, id, window)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	entered(w, list.Entry)
	// Visits only name the groups: without them the list is by day. Consents come in the same reading.
	var visits []visit
	var choices []page.Option
	consents, unread := []page.PortalConsent(nil), "What you agreed to or restricted cannot be shown now. It counts all the same."
	if c, err := p.o.Gate.Chart(r.Context(), who, id, "Encounter", "Consent"); err == nil {
		entered(w, c.Entry)
		visits, choices = visitsOf(c.Docs["Encounter"], p.now()), p.restrictable(c)
		if consents, unread = p.consents(r.Context(), c), ""; c.Damaged+c.Withheld > 0 {
			unread = "Something of your chart cannot be shown here, so a consent may be missing here. A consent that cannot be read keeps your whole chart closed, but for an emergency."
		}
	}
	now := p.now()
	v := page.PortalView{Shell: withEntry(p.shell(r, "Who looked at my chart", "Who looked"), list.Entry), Name: who.Session.Person.Name,
		Summary: portalSummary(list.Lines, who.Session.Person.ID, now), Visits: portalVisits(list.Lines, visits, who.Session.Person.ID, now),
		Consents: consents, Unread: unread, Report: "/me/report", ProofAt: entryHref(list.Entry), Proven: p.completeness(), Older: older(list.Older, "/me")}
	v.Head, v.Check = p.onPaper(list.Entry)
	v.Asked, v.Problem, v.Choices, v.People = p.ended.take(who.Session.ID, "/me", now), problem, choices, lookedNames(list.Lines, who.Session.Person.ID)
	p.draw(w, r, status, page.Portal(v))
}

// onPaper is what a printed list carries so that it can be checked later: the signed head of the record that it is under, and what to do
// with it.
func (p *Pages) onPaper(entry string) (head, how string) {
	if p.o.Head == nil {
		return "", ""
	}
	note, verifier := p.o.Head()
	if len(note) == 0 {
		return "", ""
	}
	how = "This list was written into the record as entry " + entry + " before it was shown. Below stands the record's signed head (C2SP tlog-checkpoint): its name, its size, " +
		"its hash, its signature. Keep it. Whoever takes an entry out of the record later can show no proof that leads from a head of theirs to this one. Ask the privacy office for " +
		"the proof of an entry, or fetch " + p.o.Base + "/audit/receipt/" + entry + " while you are signed in; " +
		"any C2SP verifier checks it. The key of the record: " + verifier
	return string(note), how
}

// completeness says what the patient can rely on, and no more.
func (p *Pages) completeness() string {
	const rule = "Every opening is written into the record before the chart opens, and nothing can be taken out of it without a trace."
	if p.o.State == nil {
		return rule
	}
	switch state := p.o.State(); {
	case state.Cut:
		return "We are looking into it: a copy of the record outside this machine disagrees with it. Openings before that may be missing from this list."
	case state.Journaling:
		return rule + " At the moment new openings go to a sealed emergency journal; they appear here as soon as it is merged."
	case state.Outside == "agrees":
		return rule + " The record agrees with the copy of its head that is kept apart from it."
	}
	return rule + " No copy outside this hospital confirms that yet."
}

// visit is a stay or visit of the patient, by which lines are grouped.
type visit struct {
	title    string
	from, to time.Time
	span     string
}

// visitsOf reads visits, newest first. One that ended counts two days on: letters and bills are written then.
func visitsOf(docs []*document.Doc, now time.Time) []visit {
	zone := now.Location()
	var out []visit
	for _, d := range docs {
		root := d.Root()
		from, to := momentOf(zone, root.Get("period")), momentOf(zone, root.Path("period", "end"))
		if withdrawn(root) || from.at.IsZero() {
			continue
		}
		v := visit{title: encounterTitle(root), from: from.at.Add(-24 * time.Hour), span: from.day().Text()}
		switch {
		case !to.at.IsZero():
			v.to = to.at.Add(48 * time.Hour)
			if days(from.at, to.at) > 0 {
				v.span += " to " + to.day().Text()
			}
		case underWay(root):
			v.to, v.span = now.Add(time.Hour), v.span+" until now"
		default:
			v.to = from.at.Add(48 * time.Hour)
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b visit) int { return b.from.Compare(a.from) })
	return out
}

// seen are the lines that the list is about: what others did, and what programs did, not what the patient did herself.
func seen(lines []access.Line, self string) []looking {
	return slices.DeleteFunc(lookings(lines), func(l looking) bool { return l.Agent.Person == self || l.Template == "question" })
}

// portalSummary counts the people of the last 30 days who opened something, and those for whom the record gives the reason.
func portalSummary(lines []access.Line, self string, now time.Time) string {
	people, explained := map[string]bool{}, 0
	unexplained := map[string]bool{}
	for _, l := range seen(lines, self) {
		if l.Agent.Person == "" || l.incidental() || now.Sub(l.At) > 30*24*time.Hour {
			continue
		}
		people[l.Agent.Person] = true
		if l.patientReason() == noReason {
			unexplained[l.Agent.Person] = true
		}
	}
	n := len(people)
	if explained = n - len(unexplained); n == 0 {
		return "Nobody opened your chart in the last 30 days."
	}
	looked := look.Plural(int64(n), "person", "people") + " opened your chart in the last 30 days."
	switch {
	case n == 1 && explained == 1:
		return looked + " The record gives the reason. You can ask about each."
	case explained == n:
		return looked + " The record gives the reason for each. You can ask about each."
	}
	return looked + fmt.Sprintf(" The record gives the reason for %s of them. You can ask about each.", look.Number(int64(explained)))
}

// patientReason is the reason in the patient's words, as the door wrote it when the chart opened.
func (l looking) patientReason() string {
	switch {
	case l.incidental():
		return "Saw your name in a list of patients"
	case l.Unexplained && !l.Glass || l.Sentence == "":
		return noReason
	}
	return capital(l.Sentence)
}

// portalVisits groups lines by visit, what belongs to none by day, and folds each group by person and reason.
func portalVisits(lines []access.Line, visits []visit, self string, now time.Time) []page.PortalVisit {
	zone := now.Location()
	questions := askedAbout(lines, zone)
	type group struct {
		title, span string
		lines       []looking
	}
	var groups []*group
	at := map[string]*group{}
	for _, l := range seen(lines, self) {
		title, span := dayTitle(midnight(l.At.In(zone)), now), ""
		for _, v := range visits {
			if !l.At.Before(v.from) && l.At.Before(v.to) {
				title, span = v.title, v.span
				break
			}
		}
		g := at[title+"\x00"+span]
		if g == nil {
			g = &group{title: title, span: span}
			at[title+"\x00"+span] = g
			groups = append(groups, g)
		}
		g.lines = append(g.lines, l)
	}
	var out []page.PortalVisit
	for _, g := range groups {
		v := page.PortalVisit{Title: g.title, Span: g.span}
		folds := foldForPatient(g.lines)
		v.Total = len(folds)
		for i, f := range folds {
			if i == linesOfVisit-1 && len(folds) > linesOfVisit {
				v.Lines = append(v.Lines, restOf(folds[i:], now))
				v.Total = linesOfVisit
				break
			}
			v.Lines = append(v.Lines, portalLine(f, questions, now))
		}
		out = append(out, v)
	}
	return out
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// foldForPatient gathers lines by person and reason. Rows of a list are told with what the same person opened, and stand alone only
// where she opened nothing.
func foldForPatient(lines []looking) []*folded {
	opened := map[string]string{}
	for _, l := range lines {
		if !l.incidental() && opened[l.key()] == "" {
			opened[l.key()] = l.patientReason()
		}
	}
	out := fold(lines, func(l looking) string {
		if reason, ok := opened[l.key()]; ok && (l.incidental() || l.Kind == audit.Glass) {
			return reason
		}
		return l.patientReason()
	})
	for _, f := range out {
		f.reason = noReason
		for _, l := range f.lines {
			if r := l.patientReason(); r != noReason && (f.reason == noReason || !l.incidental()) {
				f.reason = r
				if !l.incidental() {
					break
				}
			}
		}
	}
	return out
}

// shownOpenings is how many openings one line lists.
const shownOpenings = 30

func portalLine(f *folded, questions map[audit.Index]string, now time.Time) page.PortalLine {
	zone := now.Location()
	out := page.PortalLine{Who: f.who(), Role: f.role(), Reason: f.reason, Part: capital(cmp.Or(parts(f.groups), "name only")), When: look.Recent(f.At.In(zone), now), Times: f.times}
	for _, l := range f.lines {
		if q, ok := questions[l.Index]; ok {
			out.Asked = q
		}
		if len(out.Each) < shownOpenings {
			out.Each = append(out.Each, page.PortalOpening{When: look.Moment(l.At.In(zone)), Part: l.did(), Index: look.Number(int64(l.Index.Number())), Proof: entryHref(l.Entry)})
		}
	}
	if f.Agent.Person != "" {
		out.Entry = fmt.Sprint(int64(f.Index))
	}
	return out
}

// restOf gathers what is too much for a visit into one line; each name stands with its openings.
func restOf(folds []*folded, now time.Time) page.PortalLine {
	out := page.PortalLine{Who: look.Plural(int64(len(folds)), "more person", "more people"), Role: "of the same visit", Reason: "The reason of each stands below",
		When: look.Recent(folds[0].At.In(now.Location()), now)}
	var groups []string
	for _, f := range folds {
		out.Times += f.times
		groups = append(groups, f.groups...)
		out.Each = append(out.Each, page.PortalOpening{When: look.Moment(f.At.In(now.Location())), Part: f.who() + ", " + strings.ToLower(f.role()) + ": " + f.reason,
			Index: look.Number(int64(f.Index.Number())), Proof: entryHref(f.Entry)})
	}
	out.Part = capital(cmp.Or(parts(groups), "name only"))
	return out
}

// answerWithin is how long the privacy office takes at most to answer a patient.
const answerWithin = 7 * 24 * time.Hour

// askedAbout are the patient's questions by the entry that they are about.
func askedAbout(lines []access.Line, zone *time.Location) map[audit.Index]string {
	out := map[audit.Index]string{}
	for _, l := range lines {
		if l.Interaction == "question" {
			at := l.At.In(zone)
			out[l.About] = "You asked on " + look.ShortDay(at).Text() + ". The privacy office answers by " + look.ShortDay(at.Add(answerWithin)).Text() + "."
		}
	}
	return out
}

// ask takes the patient's question about an entry.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who := p.asks(r)
	_, err := ownChart(who.Session)
	var index audit.Index
	if err == nil {
		index, err = entryIndex(r.PostForm.Get("entry"))
	}
	if err == nil {
		err = p.o.Gate.Ask(r.Context(), who, index, r.PostForm.Get("text"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, "/me")
}

// report is the whole list as a table that any spreadsheet reads, line by line and not folded.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) {
	who := p.asks(r)
	id, err := ownChart(who.Session)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	rows := [][]string{{"When", "Who", "Role", "What", "Reason", "Entry"}}
	window := access.Window{Limit: portalRead}
	for range longestList {
		list, err := p.o.Gate.WhoLooked(r.Context(), who, id, window)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		entered(w, list.Entry)
		for _, l := range seen(list.Lines, who.Session.Person.ID) {
			rows = append(rows, []string{l.At.In(p.o.Zone).Format("2006-01-02 15:04:05"), l.who(), l.role(), l.did(), l.patientReason(), l.Entry})
		}
		if list.Older == 0 {
			break
		}
		window.Before = list.Older
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="who-looked-at-my-chart.csv"`)
	table := csv.NewWriter(w)
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if table.Write(row) != nil {
			return // the browser is gone: nothing to do
		}
	}
	table.Flush()
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
