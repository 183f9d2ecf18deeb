package fhirapi

import (
	"net/http"
	"net/url"
	"strconv"

	"chartwarden/internal/access"
	"chartwarden/internal/outcome"
)

// history answers for one resource, for a type, or for everything, by what the path names.
func (a *API) history(w http.ResponseWriter, r *http.Request) {
	typ, id := r.PathValue("type"), r.PathValue("id")
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		Fail(w, outcome.New(outcome.Invalid, "the query is not well formed: encode spaces, % and & in values").At("url"))
		return
	}
	token := asked.Get(cursorParam)
	asked.Del(cursorParam)
	page, err := a.Gate.History(r.Context(), principal(r), typ, id, asked, token)
	if err != nil {
		Fail(w, err)
		return
	}
	w.Header().Set("X-Audit-Entry", page.Entry)
	body(w, http.StatusOK, a.historyBundle(r.URL.Path[len("/fhir"):], token, page))
}

// historyBundle writes the bundle around the exact bytes of each version. Source: https://hl7.org/fhir/R4/http.html#history.
func (a *API) historyBundle(path, token string, page access.HistoryPage) []byte {
	b := []byte(`{"resourceType":"Bundle","type":"history"`)
	if page.Total >= 0 {
		b = strconv.AppendInt(append(b, `,"total":`...), int64(page.Total), 10)
	}
	self := a.Base + path
	b = append(b, `,"link":[`...)
	b = link(b, "self", self, token)
	if page.Next != "" {
		b = link(append(b, ','), "next", self, page.Next)
	}
	b = append(b, ']')
	for i, v := range page.Versions {
		if i == 0 {
			b = append(b, `,"entry":[`...)
		} else {
			b = append(b, ',')
		}
		at := v.Type + "/" + v.ID
		method, url, status := "PUT", at, "200"
		switch {
		case v.Deleted:
			method, status = "DELETE", "204"
			b = append(b, `{"fullUrl":"`+a.Base+"/"+at+`"`...)
		default:
			if v.Version == 1 {
				method, url, status = "POST", v.Type, "201"
			}
			b = a.entry(b, v.Doc)
		}
		b = append(b, `,"request":{"method":"`+method+`","url":"`+url+`"},"response":{"status":"`+status+`","etag":"W/\"`+
			strconv.FormatInt(v.Version, 10)+`\"","lastModified":"`+instant(v.Updated)+`"}}`...)
	}
	if len(page.Versions) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// link appends a link of a bundle; only the sealed cursor of a page stands in it, so no value of a question reaches a proxy.
func link(b []byte, relation, to, cursor string) []byte {
	if cursor != "" {
		to += "?" + cursorParam + "=" + url.QueryEscape(cursor)
	}
	return append(append(append(append(append(b, `{"relation":"`...), relation...), `","url":"`...), to...), `"}`...)
}
