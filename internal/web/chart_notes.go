package web

import (
	"cmp"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// note is a clinical note as the chart shows it: a DocumentReference that carries its text, or a Composition.
type note struct {
	doc                *document.Doc
	id, kind, title    string
	author, authorID   string
	at                 moment
	text               string
	sections           []page.NoteSection
	draft, superseded  bool
	appends, amendedBy []string // ids
}

// notes reads documents, newest first. Amendments stay in the list of their note and out of the list of notes.
func notes(docs []*document.Doc, zone *time.Location) []*note {
	var out []*note
	byID := map[string]*note{}
	for _, d := range docs {
		root := d.Root()
		if withdrawn(root) {
			continue
		}
		n := &note{doc: d, id: d.ID(), kind: cmp.Or(words(root.Get("type")), "Note")}
		n.author, n.authorID = root.Path("author", "display").Text(), target(root.Path("author"))
		n.at = momentOf(zone, root.Get("date"), root.Path("content", "attachment", "creation"), root.Path("context", "period"), root.Get("meta").Get("lastUpdated"))
		n.draft = root.Get("docStatus").Text() == "preliminary" || d.Type() == "Composition" && root.Get("status").Text() == "preliminary"
		n.superseded = root.Get("status").Text() == "superseded"
		n.title = cmp.Or(root.Get("description").Text(), root.Get("title").Text(), root.Path("content", "attachment", "title").Text())
		if strings.EqualFold(n.title, n.kind) {
			n.title = ""
		}
		if d.Type() == "Composition" {
			n.sections = narrative(root.Get("section"))
		} else {
			text, ok := plainText(root.Get("content"))
			if !ok {
				continue
			}
			n.text, n.sections = text, sections(text)
		}
		for r := range root.Get("relatesTo").Items() {
			to := target(r.Get("target"))
			if to == "" {
				to = target(r.Get("targetReference"))
			}
			if code := r.Get("code").Text(); code == "appends" || code == "replaces" {
				n.appends = append(n.appends, to)
			}
		}
		out, byID[n.id] = append(out, n), n
	}
	for _, n := range out {
		for _, to := range n.appends {
			if original := byID[to]; original != nil && original != n {
				original.amendedBy = append(original.amendedBy, n.id)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *note) int { return b.at.at.Compare(a.at.at) })
	return out
}

// amends reports whether n is only shown below the note that it amends.
func (n *note) amends(all []*note) bool {
	return slices.ContainsFunc(n.appends, func(to string) bool {
		return to != n.id && slices.ContainsFunc(all, func(o *note) bool { return o.id == to })
	})
}

// narrative reads the sections of a Composition.
func narrative(list document.Node) []page.NoteSection {
	var out []page.NoteSection
	for s := range list.Items() {
		text := stripped(s.Path("text", "div").Text())
		if title := s.Get("title").Text(); title != "" || text != "" {
			out = append(out, page.NoteSection{Title: title, Text: text})
		}
		out = append(out, narrative(s.Get("section"))...)
	}
	return out
}

// plainText reads the first attachment of a content whose text stands in the document itself.
func plainText(contents document.Node) (string, bool) {
	for c := range contents.Items() {
		if text, ok := textOf(c.Get("attachment")); ok {
			return text, true
		}
	}
	return "", false
}

// textOf reads the text of an attachment. Markup is reduced to its text: nothing that was sent to us is ever shown as markup.
func textOf(attachment document.Node) (string, bool) {
	kind, parameters, _ := strings.Cut(strings.ToLower(attachment.Get("contentType").Text()), ";")
	kind = strings.TrimSpace(kind)
	data := attachment.Get("data").Text()
	if data == "" || kind != "text/plain" && kind != "text/html" && kind != "application/xhtml+xml" {
		return "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		return "", false
	}
	text := string(b)
	if strings.Contains(parameters, "8859-1") || !utf8.ValidString(text) {
		text = latin(b)
	}
	if kind != "text/plain" {
		text = stripped(text)
	}
	return strings.ReplaceAll(text, "\r\n", "\n"), true
}

func latin(b []byte) string {
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

var (
	unread     = regexp.MustCompile(`(?is)<(script|style|head|title)\b.*?</(script|style|head|title)\s*>|<!--.*?-->`)
	lineBreaks = regexp.MustCompile(`(?i)</(p|div|h[1-6]|li|tr|table|ul|ol)\s*>|<br\s*/?>`)
	cellBreaks = regexp.MustCompile(`(?i)</t[dh]\s*>`)
	tags       = regexp.MustCompile(`(?s)<[^>]*>`)
	manyLines  = regexp.MustCompile(`\n\s*\n\s*`)
)

// stripped is the text of XHTML or HTML.
func stripped(markup string) string {
	s := unread.ReplaceAllString(markup, "")
	s = cellBreaks.ReplaceAllString(lineBreaks.ReplaceAllString(s, "\n"), "  ")
	s = html.UnescapeString(tags.ReplaceAllString(s, ""))
	return strings.TrimSpace(manyLines.ReplaceAllString(s, "\n\n"))
}

// heading is a line, or the beginning of one, that names what follows: PAST HISTORY: or PLAN.
var heading = regexp.MustCompile(`^([A-Z][A-Z0-9 ,/&'()-]{2,60})(?::[ \t]*|$)`)

// sections splits a text at its headings; a text without any is one section without a title.
func sections(text string) []page.NoteSection {
	var out []page.NoteSection
	var lines []string
	title := ""
	flush := func() {
		if body := strings.TrimSpace(strings.Join(lines, "\n")); body != "" || title != "" {
			out = append(out, page.NoteSection{Title: title, Text: body})
		}
		lines, title = nil, ""
	}
	for line := range strings.SplitSeq(text, "\n") {
		if m := heading.FindStringSubmatch(strings.TrimRight(line, " \t")); m != nil {
			flush()
			title = m[1][:1] + strings.ToLower(m[1][1:])
			lines = append(lines, strings.TrimRight(line, " \t")[len(m[0]):])
			continue
		}
		lines = append(lines, line)
	}
	flush()
	return out
}

// marks say the state of a note in words.
func (n *note) marks() []look.Mark {
	var out []look.Mark
	if n.draft {
		out = append(out, look.Mark{Tone: look.Warn, Text: "Not signed"})
	}
	if len(n.amendedBy) > 0 {
		out = append(out, look.Mark{Text: "Amended"})
	}
	if n.superseded {
		out = append(out, look.Mark{Text: "Replaced"})
	}
	return out
}

// noteTypes are what notes and documents are read from.
var noteTypes = []string{"DocumentReference", "Composition"}

func (o *opened) notes(zone *time.Location) []*note {
	return notes(slices.Concat(o.chart.Docs["DocumentReference"], o.chart.Docs["Composition"]), zone)
}

func (p *Pages) notes(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabNotes, "Notes", noteTypes...)
	if !ok {
		return
	}
	v := page.NotesView{Chart: o.view, CanWrite: o.mayWrite()}
	all := o.notes(p.o.Zone)
	for _, n := range all {
		if n.amends(all) {
			continue
		}
		v.Notes = append(v.Notes, page.NoteLine{Href: o.href("notes", n.id), Kind: n.kind, Title: n.title, Author: n.author, When: n.at.recent(p.now()), Marks: n.marks()})
	}
	v.Total = len(v.Notes)
	for _, d := range p.drafts(r.Context(), o.who.Session) {
		if d.Chart == o.chart.PatientID {
			v.Drafts = append(v.Drafts, page.NoteLine{Href: writeHref(d), Kind: d.kind(), Title: d.Title, Author: "You",
				When: look.Recent(d.Saved.In(p.o.Zone), p.now()), Marks: []look.Mark{{Tone: look.Warn, Text: "Draft"}}})
		}
	}
	p.draw(w, r, http.StatusOK, page.Notes(v))
}

// mayWrite reports whether the page offers to write. The door decides when the note is signed.
func (o *opened) mayWrite() bool {
	s := o.who.Session
	return s.Person.Practitioner != "" && slices.ContainsFunc(s.Roles(), identity.Clinical)
}

func (p *Pages) note(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabNotes, "Note", noteTypes...)
	if !ok {
		return
	}
	v, found := p.noteView(o, r.PathValue("note"))
	if !found {
		p.fail(w, r, errNoNote)
		return
	}
	why, words := p.cameBack(r, chartHref(o.chart.PatientID, "notes", r.PathValue("note")))
	v.Problem, v.Text = why.text, words.Get("text")
	p.draw(w, r, cmp.Or(why.status, http.StatusOK), page.Note(v))
}

var errNoNote = outcome.New(outcome.NotFound, "this note is not in the chart, or it is restricted")

func (p *Pages) noteView(o *opened, id string) (page.NoteView, bool) {
	all := o.notes(p.o.Zone)
	i := slices.IndexFunc(all, func(n *note) bool { return n.id == id })
	if i < 0 {
		return page.NoteView{}, false
	}
	n := all[i]
	v := page.NoteView{Chart: o.view, Kind: n.kind, Title: n.title, Author: cmp.Or(n.author, "Author not named"), When: n.at.whole(), Sections: n.sections, Marks: n.marks()}
	for _, a := range slices.Backward(all) { // oldest first
		if slices.Contains(n.amendedBy, a.id) {
			v.Amends = append(v.Amends, page.Amendment{Author: cmp.Or(a.author, "Author not named"), Text: a.text, When: a.at.whole()})
		}
	}
	own := o.who.Session.Person.Practitioner != "" && "Practitioner/"+n.authorID == o.who.Session.Person.Practitioner
	switch {
	case n.draft && own && n.doc.Type() == "DocumentReference":
		v.EditAt = o.href("notes", "new") + "?of=" + n.id
	case !n.draft && n.doc.Type() == "DocumentReference":
		v.Signed = "Signed by " + cmp.Or(n.author, "its author") + ", " + n.at.whole().Text()
		if o.mayWrite() && !n.superseded {
			v.AmendAt = o.href("notes", n.id, "amend")
		}
	}
	return v, true
}
