package web

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/identity"
	"chartwarden/internal/outcome"
	"chartwarden/internal/web/look"
	"chartwarden/internal/web/page"
)

// kinds of notes that can be written here, by LOINC code; the first is offered.
var kinds = []struct{ code, name string }{
	{"11506-3", "Progress note"}, {"34117-2", "History and physical note"}, {"11488-4", "Consult note"}, {"34746-8", "Nurse note"},
	{"34111-5", "Emergency department note"}, {"28570-0", "Procedure note"}, {"34748-4", "Telephone note"}, {"18842-5", "Discharge summary"},
}

func kindName(code string) string {
	for _, k := range kinds {
		if k.code == code {
			return k.name
		}
	}
	return ""
}

// draft is a note that somebody is writing. It lies sealed on the server under the person's own key; nobody else can load it.
type draft struct {
	Chart string // id of the patient
	Of    string `json:",omitempty"` // id of the unsigned note in the chart that is being finished; empty for a new one
	Kind  string
	Title string `json:",omitempty"`
	Text  string `json:",omitempty"` // not in the list of drafts
	Saved time.Time
}

const newNote = "new"

// page names the draft to the draft store: one for each chart, and one for each unsigned note.
func (d draft) page() string { return chartHref(d.Chart, "notes", cmp.Or(d.Of, newNote)) }

func (d draft) kind() string { return cmp.Or(kindName(d.Kind), "Note") }

func writeHref(d draft) string {
	href := chartHref(d.Chart, "notes", newNote)
	if d.Of != "" {
		href += "?of=" + url.QueryEscape(d.Of)
	}
	return href
}

// draftList names the list of a person's drafts, by which pages find them; shownDrafts bounds it.
const (
	draftList   = "notes"
	shownDrafts = 50
)

// drafts lists what a person has begun and not signed, newest first, without the text. What cannot be read counts as none: a list of
// drafts never stands in the way of a chart.
func (p *Pages) drafts(ctx context.Context, s *identity.Session) []draft {
	b, err := p.o.Persons.LoadDraft(ctx, s, draftList)
	if err != nil || b == nil {
		return nil
	}
	var out []draft
	if json.Unmarshal(b, &out) != nil {
		return nil
	}
	return out
}

// keep saves a draft and puts it first in the list; one without any text is dropped.
func (p *Pages) keep(ctx context.Context, s *identity.Session, d draft) error {
	if strings.TrimSpace(d.Text) == "" && strings.TrimSpace(d.Title) == "" {
		return p.dropDraft(ctx, s, d)
	}
	d.Saved = p.o.Now()
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := p.o.Persons.SaveDraft(ctx, s, d.page(), b); err != nil {
		return err
	}
	d.Text = ""
	return p.listDrafts(ctx, s, append([]draft{d}, without(p.drafts(ctx, s), d)...))
}

func (p *Pages) dropDraft(ctx context.Context, s *identity.Session, d draft) error {
	if err := p.o.Persons.DropDraft(ctx, s, d.page()); err != nil {
		return err
	}
	return p.listDrafts(ctx, s, without(p.drafts(ctx, s), d))
}

func without(list []draft, d draft) []draft {
	return slices.DeleteFunc(list, func(x draft) bool { return x.page() == d.page() })
}

func (p *Pages) listDrafts(ctx context.Context, s *identity.Session, list []draft) error {
	b, err := json.Marshal(list[:min(len(list), shownDrafts)])
	if err != nil {
		return err
	}
	return p.o.Persons.SaveDraft(ctx, s, draftList, b)
}

// write shows the note that is being written: its draft, or the unsigned note that is to be finished, or nothing yet.
func (p *Pages) write(w http.ResponseWriter, r *http.Request) {
	d := draft{Chart: r.PathValue("patient"), Of: r.URL.Query().Get("of")}
	types := []string(nil)
	if d.Of != "" {
		types = noteTypes
	}
	o, ok := p.open(w, r, page.TabNotes, "Write a note", types...)
	if !ok {
		return
	}
	if !o.mayWrite() {
		p.fail(w, r, outcome.New(outcome.Forbidden, "notes are written by people of a clinical role who have a staff entry: ask an administrator to link yours"))
		return
	}
	kept, err := p.o.Persons.LoadDraft(r.Context(), o.who.Session, d.page())
	switch {
	case err != nil:
		p.fail(w, r, err)
		return
	case kept != nil:
		if err := json.Unmarshal(kept, &d); err != nil {
			p.fail(w, r, outcome.Wrap("web: draft", outcome.Exception, "the draft cannot be read", err))
			return
		}
	case d.Of != "":
		all := o.notes(p.o.Zone)
		i := slices.IndexFunc(all, func(n *note) bool { return n.id == d.Of && n.draft })
		if i < 0 {
			p.fail(w, r, errNoNote)
			return
		}
		d.Title, d.Text, d.Kind = all[i].title, all[i].text, all[i].doc.Root().Path("type", "coding", "code").Text()
	}
	c := p.complaints.take(o.who.Session.ID, d.page(), p.now())
	p.draw(w, r, cmp.Or(c.status, http.StatusOK), page.Write(p.writeView(o, d, c.text)))
}

func (p *Pages) writeView(o *opened, d draft, problem string) page.WriteView {
	v := page.WriteView{Chart: o.view, Draft: d.Of, Title: d.Title, Text: d.Text, Problem: problem}
	if !d.Saved.IsZero() {
		v.Saved = look.Clock(d.Saved.In(p.o.Zone))
	}
	for _, k := range kinds {
		v.Kinds = append(v.Kinds, page.Option{Value: k.code, Name: k.name, On: k.code == d.Kind})
	}
	return v
}

// typed reads the form of a note.
func typed(w http.ResponseWriter, r *http.Request) (draft, error) {
	if err := form(w, r); err != nil {
		return draft{}, err
	}
	f := r.PostForm
	d := draft{Chart: r.PathValue("patient"), Of: f.Get("draft"), Kind: f.Get("kind"), Title: strings.TrimSpace(f.Get("title")), Text: f.Get("text")}
	if d.Of == newNote {
		d.Of = ""
	}
	if !fhir.IsID(d.Chart) || d.Of != "" && !fhir.IsID(d.Of) {
		return d, errNoNote
	}
	if kindName(d.Kind) == "" {
		d.Kind = kinds[0].code
	}
	return d, nil
}

// keepDraft saves what is being typed; the page calls it by itself. It touches no chart, only what the person wrote.
func (p *Pages) keepDraft(w http.ResponseWriter, r *http.Request) {
	d, err := typed(w, r)
	if err == nil {
		err = p.keep(r.Context(), p.asks(r).Session, d)
	}
	if err != nil {
		http.Error(w, sentence(err), outcome.Status(err))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, cmp.Or(d.Of, newNote)) // the browser is gone: nothing to do
}

// doWrite keeps a note as a draft or signs it. Whatever happens, what was typed is kept first, so a note that cannot be signed is gone
// on with under the address of its draft: see typed.go for why nothing is drawn here.
func (p *Pages) doWrite(w http.ResponseWriter, r *http.Request) {
	d, err := typed(w, r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	who := p.asks(r)
	if err := p.keep(r.Context(), who.Session, d); err != nil {
		p.fail(w, r, err)
		return
	}
	if r.PostForm.Get("act") != "sign" {
		see(w, r, chartHref(d.Chart, "notes"))
		return
	}
	written, err := p.sign(r.Context(), who, p.factorIn(r), d)
	if err != nil {
		p.complaints.keep(who.Session.ID, d.page(), p.now(), complaint{sentence(err) + " The note is kept as your draft.", outcome.Status(err)})
		see(w, r, writeHref(d))
		return
	}
	entered(w, written.Entry)
	if err := p.dropDraft(r.Context(), who.Session, d); err != nil {
		p.fail(w, r, err)
		return
	}
	see(w, r, chartHref(d.Chart, "notes", written.ID))
}

// sign files a note through the door: a new one, or the unsigned one that it finishes.
func (p *Pages) sign(ctx context.Context, who access.Principal, factor identity.Attempt, d draft) (access.Written, error) {
	if strings.TrimSpace(d.Text) == "" {
		return access.Written{}, outcome.New(outcome.Required, "there is nothing to sign yet: write the note first").At("text")
	}
	who, err := p.afresh(ctx, who, factor)
	if err != nil {
		return access.Written{}, err
	}
	n, err := p.signed(who, d.Chart, d.Kind, d.Title, d.Text)
	if err != nil {
		return access.Written{}, err
	}
	if d.Of == "" {
		return p.create(ctx, who, n)
	}
	found, err := p.o.Gate.Read(ctx, who, "DocumentReference", d.Of)
	if err != nil {
		return access.Written{}, err
	}
	old := found.Docs[0]
	if root := old.Root(); root.Get("docStatus").Text() != "preliminary" || target(root.Get("subject")) != d.Chart || "Practitioner/"+target(root.Path("author")) != who.Session.Person.Practitioner {
		return access.Written{}, outcome.New(outcome.Conflict, "this note is signed already, or it is another person's: amend it instead")
	}
	n.ID = d.Of
	doc, err := n.over(old)
	if err != nil {
		return access.Written{}, err
	}
	version, err := access.ParseETag(old.VersionID())
	if err != nil {
		return access.Written{}, err
	}
	return p.o.Gate.Update(ctx, who, doc, version)
}

func (p *Pages) create(ctx context.Context, who access.Principal, n noteResource) (access.Written, error) {
	b, err := json.Marshal(n)
	if err != nil {
		return access.Written{}, err
	}
	doc, err := document.Parse(b)
	if err != nil {
		return access.Written{}, err
	}
	return p.o.Gate.Create(ctx, who, doc)
}

// afresh takes a code or a passkey, where one came with the form, as a fresh factor of the session.
func (p *Pages) afresh(ctx context.Context, who access.Principal, factor identity.Attempt) (access.Principal, error) {
	if factor.Code = strings.TrimSpace(factor.Code); factor.Code == "" && len(factor.Passkey) == 0 {
		return who, nil
	}
	factor.Person, factor.Capacity = who.Session.Person.ID, who.Session.Capacity
	s, err := p.o.Persons.StepUp(ctx, who.Session, factor)
	if err != nil {
		return who, err
	}
	return access.Person(s), nil
}

// amend adds to a signed note. The signed text never changes: the addition is a document of its own, with the labels of its note.
func (p *Pages) amend(w http.ResponseWriter, r *http.Request) {
	if err := form(w, r); err != nil {
		p.fail(w, r, err)
		return
	}
	who := p.asks(r)
	patient, id := r.PathValue("patient"), r.PathValue("note")
	if !fhir.IsID(patient) || !fhir.IsID(id) {
		p.fail(w, r, errNoNote)
		return
	}
	place := chartHref(patient, "notes", id)
	written, err := p.doAmend(r.Context(), who, patient, id, r.PostForm.Get("text"), p.factorIn(r))
	if errors.Is(err, identity.ErrSignedOut) || errors.Is(err, identity.ErrLocked) {
		p.fail(w, r, err)
		return
	}
	if err != nil {
		p.comeBack(w, r, place, complaint{sentence(err), outcome.Status(err)}, url.Values{"text": {r.PostForm.Get("text")}})
		return
	}
	p.sent(r, place)
	entered(w, written.Entry)
	see(w, r, place)
}

func (p *Pages) doAmend(ctx context.Context, who access.Principal, patient, id, text string, factor identity.Attempt) (access.Written, error) {
	if strings.TrimSpace(text) == "" {
		return access.Written{}, outcome.New(outcome.Required, "write what is to be added or corrected").At("text")
	}
	who, err := p.afresh(ctx, who, factor)
	if err != nil {
		return access.Written{}, err
	}
	found, err := p.o.Gate.Read(ctx, who, "DocumentReference", id)
	if err != nil {
		return access.Written{}, err
	}
	root := found.Docs[0].Root()
	if target(root.Get("subject")) != patient || root.Get("docStatus").Text() == "preliminary" {
		return access.Written{}, errNoNote
	}
	n, err := p.signed(who, patient, root.Path("type", "coding", "code").Text(), "Amendment", text)
	if err != nil {
		return access.Written{}, err
	}
	n.DocStatus, n.Type = "amended", root.Get("type").Raw()
	n.RelatesTo = []relation{{"appends", reference{Reference: "DocumentReference/" + id}}}
	if labels := root.Path("meta").Get("security"); labels.Exists() {
		n.Meta = &meta{labels.Raw()}
	}
	return p.create(ctx, who, n)
}

// noteResource is a DocumentReference as this server writes one. Source: https://hl7.org/fhir/R4/documentreference.html.
type noteResource struct {
	ResourceType string          `json:"resourceType"`
	ID           string          `json:"id,omitempty"`
	Meta         *meta           `json:"meta,omitempty"`
	Status       string          `json:"status"`
	DocStatus    string          `json:"docStatus"`
	Type         json.RawMessage `json:"type,omitempty"`
	Category     []concept       `json:"category"`
	Subject      reference       `json:"subject"`
	Date         string          `json:"date"`
	Author       []reference     `json:"author"`
	RelatesTo    []relation      `json:"relatesTo,omitempty"`
	Description  string          `json:"description,omitempty"`
	Content      []content       `json:"content"`
}

type (
	meta struct {
		Security json.RawMessage `json:"security"`
	}
	coding struct {
		System  string `json:"system"`
		Code    string `json:"code"`
		Display string `json:"display,omitempty"`
	}
	concept struct {
		Coding []coding `json:"coding"`
		Text   string   `json:"text,omitempty"`
	}
	reference struct {
		Reference string `json:"reference"`
		Display   string `json:"display,omitempty"`
	}
	relation struct {
		Code   string    `json:"code"`
		Target reference `json:"target"`
	}
	attachment struct {
		ContentType string `json:"contentType"`
		Data        string `json:"data"`
		Title       string `json:"title,omitempty"`
		Creation    string `json:"creation"`
	}
	content struct {
		Attachment attachment `json:"attachment"`
	}
)

// signed is a note as its author signs it now.
func (p *Pages) signed(who access.Principal, patient, kind, title, text string) (noteResource, error) {
	person := who.Session.Person
	if person.Practitioner == "" {
		return noteResource{}, outcome.New(outcome.BusinessRule, "you have no staff entry yet to sign with: ask an administrator to link one")
	}
	name := kindName(kind)
	loinc := concept{Coding: []coding{{"http://loinc.org", kind, name}}, Text: name}
	typ, err := json.Marshal(loinc)
	if err != nil {
		return noteResource{}, err
	}
	at := p.now().Format("2006-01-02T15:04:05-07:00")
	return noteResource{ResourceType: "DocumentReference", Status: "current", DocStatus: "final", Type: typ,
		Category: []concept{{Coding: []coding{{"http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note"}}}},
		Subject:  reference{Reference: "Patient/" + patient}, Date: at, Author: []reference{{person.Practitioner, person.Name}}, Description: title,
		Content: []content{{attachment{"text/plain; charset=utf-8", base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(text, "\r\n", "\n"))), title, at}}}}, nil
}

// over writes what signing changes into the unsigned note, and leaves everything else of it as it is: labels, visit, custodian.
func (n noteResource) over(old *document.Doc) (*document.Doc, error) {
	root := old.Root()
	var edits []document.Edit
	insertAt, _ := root.Span()
	insertAt++ // behind the opening brace
	for _, e := range []struct {
		name  string
		value any
	}{{"docStatus", n.DocStatus}, {"type", n.Type}, {"date", n.Date}, {"description", n.Description}, {"content", n.Content}} {
		if e.value == "" {
			continue
		}
		with, err := json.Marshal(e.value)
		if err != nil {
			return nil, err
		}
		if at := root.Get(e.name); at.Exists() {
			start, end := at.Span()
			edits = append(edits, document.Edit{Start: start, End: end, With: with})
			continue
		}
		edits = append(edits, document.Edit{Start: insertAt, End: insertAt, With: []byte(`"` + e.name + `":` + string(with) + `,`)})
	}
	return old.Splice(edits...)
}
