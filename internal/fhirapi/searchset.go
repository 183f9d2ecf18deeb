package fhirapi

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// cursorParam holds the sealed cursor of a next link; nothing else of the search stands in that URL, so no value reaches a proxy.
const cursorParam = "_cursor"

func (a *API) search(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		Fail(w, outcome.New(outcome.Invalid, "the query is not well formed: encode spaces, % and & in values").At("url"))
		return
	}
	if r.Method == http.MethodPost {
		if r.ContentLength != 0 {
			if err := wantMedia(r, "application/x-www-form-urlencoded"); err != nil {
				Fail(w, err)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			Fail(w, outcome.New(outcome.Invalid, "send the parameters as application/x-www-form-urlencoded, at most 1 MiB").At("Content-Type"))
			return
		}
		inForm(w, r, r.PostForm, func(w http.ResponseWriter) { a.answerSearch(w, r, r.Form) }) // body and URL
		return
	}
	a.answerSearch(w, r, values)
}

func (a *API) answerSearch(w http.ResponseWriter, r *http.Request, values url.Values) {
	page, err := a.find(r, r.PathValue("type"), values)
	if err != nil {
		Fail(w, err)
		return
	}
	self := a.Base + "/" + r.PathValue("type")
	w.Header().Set("X-Audit-Entry", page.Entry)
	body(w, http.StatusOK, a.searchset(self, values.Get(cursorParam), page))
}

func (a *API) find(r *http.Request, typ string, values url.Values) (access.Page, error) {
	cursor := values.Get(cursorParam)
	values.Del(cursorParam)
	strict := preference(r, "handling") != "lenient"
	if cursor != "" {
		return a.Gate.Continue(r.Context(), principal(r), typ, cursor)
	}
	q, err := search.Parse(typ, values, search.Options{Strict: strict, Zone: a.Zone, Base: a.Base})
	if err != nil {
		return access.Page{}, err
	}
	page, err := a.Gate.Search(r.Context(), principal(r), q, values.Encode())
	var what *outcome.Error
	if errors.As(err, &what) && what.Code == outcome.TooCostly && what.Expression == "" {
		err = what.At("url")
	}
	return page, err
}

// searchset writes the bundle by hand around the exact bytes of each resource: nothing is parsed and printed again.
func (a *API) searchset(self, cursor string, page access.Page) []byte {
	size := 256
	for _, list := range [][]*document.Doc{page.Docs, page.Included} {
		for _, d := range list {
			size += d.Len() + 160
		}
	}
	b := make([]byte, 0, size)
	b = append(b, `{"resourceType":"Bundle","type":"searchset"`...)
	if page.Total >= 0 {
		b = strconv.AppendInt(append(b, `,"total":`...), int64(page.Total), 10)
	}
	link := func(relation, cursor string) {
		to := self
		if cursor != "" {
			to += "?" + cursorParam + "=" + url.QueryEscape(cursor)
		}
		b = append(append(append(append(b, `{"relation":"`...), relation...), `","url":"`...), to...)
		b = append(b, `"}`...)
	}
	b = append(b, `,"link":[`...)
	link("self", cursor)
	if page.Next != "" {
		b = append(b, ',')
		link("next", page.Next)
	}
	b = append(b, ']')
	if len(page.Docs)+len(page.Included) > 0 {
		b = append(b, `,"entry":[`...)
		for i, d := range page.Docs {
			b = a.found(b, i > 0, d, "match")
		}
		for i, d := range page.Included {
			b = a.found(b, i+len(page.Docs) > 0, d, "include")
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// found writes an entry of a searchset, behind others or first.
func (a *API) found(b []byte, behind bool, d *document.Doc, mode string) []byte {
	if behind {
		b = append(b, ',')
	}
	b = append(a.entry(b, d), `,"search":{"mode":"`...)
	return append(append(b, mode...), `"}}`...)
}

// entry opens a bundle entry with fullUrl and resource; the caller closes it.
func (a *API) entry(b []byte, d *document.Doc) []byte {
	b = append(append(append(append(append(b, `{"fullUrl":"`...), a.Base...), '/'), d.Type()...), '/')
	b = append(append(b, d.ID()...), `","resource":`...)
	return d.AppendJSON(b)
}
