package web

import (
	"cmp"
	"encoding/base64"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// paper is a filed document: a report, a letter, a scan. Notes that carry their text are on the page of notes as well.
type paper struct {
	page.Document
	id   string
	doc  *document.Doc
	note bool // it is read as a note
	at   moment
}

// papers lists documents and reports, newest first. A report of the laboratory that only gathers results is among the results.
func papers(references, reports []*document.Doc, now time.Time) []paper {
	var out []paper
	here := map[string]bool{}
	for _, d := range references {
		here[d.ID()] = true
	}
	for _, d := range references {
		root := d.Root()
		if withdrawn(root) || root.Get("status").Text() == "superseded" {
			continue
		}
		if r := root.Path("relatesTo"); r.Get("code").Text() == "appends" && here[target(r.Get("target"))] {
			continue // an amendment is read below its note
		}
		x := paper{id: d.ID(), doc: d}
		_, x.note = plainText(root.Get("content"))
		x.Kind = cmp.Or(words(root.Get("type")), "Document")
		x.Title = cmp.Or(root.Get("description").Text(), root.Path("content", "attachment", "title").Text(), x.Kind)
		x.Author = root.Path("author", "display").Text()
		x.Size = sizeWords(root.Path("content", "attachment"))
		x.at = momentOf(now.Location(), root.Get("date"), root.Path("content", "attachment", "creation"), root.Get("meta").Get("lastUpdated"))
		out = append(out, x)
	}
	for _, d := range reports {
		root := d.Root()
		if withdrawn(root) || root.Get("status").Text() == "cancelled" || !root.Get("conclusion").Exists() && !root.Get("presentedForm").Exists() {
			continue
		}
		x := paper{id: d.ID(), doc: d, note: root.Get("conclusion").Exists()}
		if _, readable := textOf(root.Path("presentedForm")); readable {
			x.note = true
		}
		x.Kind = cmp.Or(words(root.Path("category")), "Report")
		x.Title = cmp.Or(words(root.Get("code")), x.Kind)
		x.Author = cmp.Or(root.Path("resultsInterpreter", "display").Text(), root.Path("performer", "display").Text())
		x.Size = sizeWords(root.Path("presentedForm"))
		x.at = momentOf(now.Location(), root.Get("effectiveDateTime"), root.Get("effectivePeriod"), root.Get("issued"))
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b paper) int { return b.at.at.Compare(a.at.at) })
	for i := range out {
		out[i].When = out[i].at.day()
	}
	return out
}

// sizeWords is how large an attachment is, as far as it says.
func sizeWords(attachment document.Node) string {
	n, err := strconv.ParseInt(attachment.Get("size").Text(), 10, 64)
	if err != nil {
		n = int64(base64.StdEncoding.DecodedLen(len(attachment.Get("data").Text())))
	}
	switch {
	case n <= 0:
		return ""
	case n < 1000:
		return look.Plural(n, "byte", "bytes")
	case n < 1000_000:
		return look.Number(n/1000) + " kB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// opensAt is the address under which a paper opens, empty when its content is not here.
func (o *opened) opensAt(x paper) string {
	if x.note && x.doc.Type() == "DocumentReference" {
		return o.href("notes", x.id)
	}
	a := attachmentOf(x.doc)
	if !x.note && a.Get("data").Text() == "" && !binary(a.Get("url").Text()) {
		return ""
	}
	return o.href("documents", x.id)
}

func attachmentOf(d *document.Doc) document.Node {
	if d.Type() == "DiagnosticReport" {
		return d.Root().Path("presentedForm")
	}
	return d.Root().Path("content", "attachment")
}

// binary reports whether an address is a Binary of this server.
func binary(address string) bool {
	ref, ok := fhir.ParseReference(address)
	return ok && ref.Type == "Binary"
}

func (o *opened) papersOf(now time.Time) []paper {
	return papers(o.chart.Docs["DocumentReference"], o.chart.Docs["DiagnosticReport"], now)
}

// papers are the newest notes and documents for the summary.
func (o *opened) papers(now time.Time) []page.Item {
	var out []page.Item
	for _, x := range o.papersOf(now) {
		title := x.Kind
		if x.Title != x.Kind {
			title = x.Kind + ": " + x.Title
		}
		item := page.Item{Href: o.opensAt(x), Title: title, Sub: x.Author, When: x.at.recent(now)}
		if x.doc.Root().Get("docStatus").Text() == "preliminary" || x.doc.Root().Get("status").Text() == "preliminary" {
			item.Marks = []look.Mark{{Tone: look.Warn, Text: "Not final"}}
		}
		out = append(out, item)
	}
	return out
}

func (p *Pages) documents(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabDocuments, "Documents", "DocumentReference", "DiagnosticReport")
	if !ok {
		return
	}
	v := page.DocumentsView{Chart: o.view}
	for _, x := range o.papersOf(p.now()) {
		x.Href = o.opensAt(x)
		v.Documents = append(v.Documents, x.Document)
	}
	v.Total = len(v.Documents)
	p.draw(w, r, http.StatusOK, page.Documents(v))
}

// document opens one paper: its text on a page, any other content as a file.
func (p *Pages) document(w http.ResponseWriter, r *http.Request) {
	o, ok := p.open(w, r, page.TabDocuments, "Document", "DocumentReference", "DiagnosticReport", "Observation")
	if !ok {
		return
	}
	list := o.papersOf(p.now())
	i := slices.IndexFunc(list, func(x paper) bool { return x.id == r.PathValue("document") })
	if i < 0 {
		p.fail(w, r, outcome.New(outcome.NotFound, "this document is not in the chart, or it is restricted"))
		return
	}
	x := list[i]
	if !x.note {
		p.file(w, r, o, attachmentOf(x.doc))
		return
	}
	if v, found := p.noteView(o, x.id); found {
		v.Chart.Tab = page.TabDocuments
		p.draw(w, r, http.StatusOK, page.Note(v))
		return
	}
	p.draw(w, r, http.StatusOK, page.Note(o.report(x, p.now())))
}

// report is a DiagnosticReport to read: what it concludes, then the results that it rests on.
func (o *opened) report(x paper, now time.Time) page.NoteView {
	root := x.doc.Root()
	v := page.NoteView{Chart: o.view, Kind: x.Kind, Author: x.Author, When: x.at.whole()}
	if x.Title != x.Kind {
		v.Title = x.Title
	}
	if s := root.Get("status").Text(); s == "preliminary" || s == "registered" || s == "partial" {
		v.Marks = []look.Mark{{Tone: look.Warn, Text: "Not final"}}
	}
	if text := root.Get("conclusion").Text(); text != "" {
		v.Sections = append(v.Sections, page.NoteSection{Title: "Conclusion", Text: text})
	}
	for form := range root.Get("presentedForm").Items() {
		if text, ok := textOf(form); ok {
			v.Sections = append(v.Sections, sections(text)...)
		}
	}
	var lines []string
	all := readings(o.chart.Docs["Observation"], nil, now.Location())
	for ref := range root.Get("result").Items() {
		for _, one := range all {
			if one.id == target(ref) {
				line := one.name + ": " + strings.TrimSpace(one.text+" "+one.unit)
				if one.flag != "" {
					line += " (" + strings.ToLower(one.flag) + ")"
				}
				lines = append(lines, line)
			}
		}
	}
	if len(lines) > 0 {
		v.Sections = append(v.Sections, page.NoteSection{Title: "Results", Text: strings.Join(lines, "\n")})
	}
	return v
}

// fileNames are the kinds of files that are handed out under their own type; any other goes out as bytes.
var fileNames = map[string]string{"application/pdf": "document.pdf", "image/png": "document.png", "image/jpeg": "document.jpg", "image/tiff": "document.tiff",
	"text/plain": "document.txt", "application/rtf": "document.rtf", "text/rtf": "document.rtf"}

// file hands an attachment out as a download under a name that tells nothing. It is never shown inside this origin: what was sent to us
// may hold scripts.
func (p *Pages) file(w http.ResponseWriter, r *http.Request, o *opened, a document.Node) {
	data, kind := a.Get("data").Text(), a.Get("contentType").Text()
	if ref, ok := fhir.ParseReference(a.Get("url").Text()); data == "" && ok && ref.Type == "Binary" {
		found, err := p.o.Gate.Read(r.Context(), o.who, ref.Type, ref.ID)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		entered(w, found.Entry)
		root := found.Docs[0].Root()
		data, kind = root.Get("data").Text(), root.Get("contentType").Text()
	}
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil || len(b) == 0 {
		p.fail(w, r, outcome.New(outcome.NotFound, "the content of this document is not kept here"))
		return
	}
	media, _, err := mime.ParseMediaType(kind)
	name, known := fileNames[media]
	if err != nil || !known {
		media, name = "application/octet-stream", "document.bin"
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the browser is gone: nothing to do
}
