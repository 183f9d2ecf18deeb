package fhirapi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// maxEntries bounds a transaction over the wire; an import has no such bound.
const maxEntries = 5000

// bundle carries out a batch or a transaction.
func (a *API) bundle(w http.ResponseWriter, r *http.Request) {
	kind, entries, err := entriesOf(w, r)
	if err != nil {
		Fail(w, err)
		return
	}
	var results []access.Result
	switch kind {
	case "transaction":
		results, err = a.Gate.Transaction(r.Context(), principal(r), entries)
	case "batch":
		results = a.Gate.Batch(r.Context(), principal(r), entries)
	default:
		err = outcome.New(outcome.Invalid, "post a Bundle whose type is batch or transaction").At("Bundle.type")
	}
	if err != nil {
		Fail(w, err)
		return
	}
	a.answerBundle(w, r, kind, entries, results)
}

// entriesOf reads the bundle from the stream, one entry after the other.
func entriesOf(w http.ResponseWriter, r *http.Request) (kind string, entries []access.Entry, err error) {
	if err := wantMedia(r, "application/fhir+json", "application/json"); err != nil {
		return "", nil, err
	}
	s := document.SplitBundle(http.MaxBytesReader(w, r.Body, MaxBody))
	for entry, err := range s.Entries() {
		if err != nil {
			return "", nil, tooLarge(err)
		}
		if len(entries) == maxEntries {
			return "", nil, outcome.New(outcome.TooLong, "a bundle has at most 5000 entries here; send the rest in another").At("Bundle.entry")
		}
		doc, err := entry.Doc()
		if err != nil {
			return "", nil, err
		}
		entries = append(entries, access.Entry{Index: entry.Index(), FullURL: entry.FullURL(), Method: entry.Request("method"),
			URL: entry.Request("url"), IfMatch: entry.Request("ifMatch"), IfNoneExist: entry.Request("ifNoneExist"),
			IfNoneMatch: entry.Request("ifNoneMatch"), IfModifiedSince: entry.Request("ifModifiedSince"), Doc: doc})
	}
	header, err := s.Header()
	if err != nil {
		return "", nil, tooLarge(err)
	}
	if header.Type() != "Bundle" {
		return "", nil, outcome.New(outcome.Invalid, "post a Bundle here, or one resource to its type's URL").At("resourceType")
	}
	return s.Type(), entries, nil
}

func tooLarge(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return outcome.New(outcome.TooLong, "a bundle over the wire has at most 64 MiB; send it in parts, or use `chartwarden import`")
	}
	return err
}

func (a *API) answerBundle(w http.ResponseWriter, r *http.Request, kind string, entries []access.Entry, results []access.Result) {
	b := []byte(`{"resourceType":"Bundle","type":"` + kind + `-response","entry":[`)
	var trail []string
	returns := preference(r, "return")
	for i, res := range results {
		if i > 0 {
			b = append(b, ',')
		}
		var entry string
		b, entry = a.answerEntry(b, entries[i], res, returns)
		if entry != "" && (len(trail) == 0 || trail[len(trail)-1] != entry) {
			trail = append(trail, entry)
		}
	}
	b = append(b, `]}`...)
	if len(trail) > 0 {
		w.Header().Set("X-Audit-Entry", strings.Join(trail, ", "))
	}
	body(w, http.StatusOK, b)
}

// answerEntry appends what became of one entry and gives the audit entry behind it.
func (a *API) answerEntry(b []byte, e access.Entry, res access.Result, returns string) ([]byte, string) {
	switch {
	case res.Err != nil:
		b = append(b, `{"response":{"status":"`+strconv.Itoa(outcome.Status(res.Err))+`","outcome":`...)
		b = append(b, outcome.OperationOutcome(res.Err)...)
		return append(b, `}}`...), ""
	case res.Disclosure != nil:
		doc := res.Disclosure.Docs[0]
		updated, _ := doc.LastUpdated()
		response := `"etag":"W/\"` + doc.VersionID() + `\"","lastModified":"` + instant(updated) + `"}}`
		if unchanged(doc, e.IfNoneMatch, e.IfModifiedSince) {
			return append(b, `{"response":{"status":"304",`+response...), res.Disclosure.Entry
		}
		return append(a.entry(b, doc), `,"response":{"status":"200",`+response...), res.Disclosure.Entry
	case res.History != nil:
		b = append(append(b, `{"resource":`...), a.historyBundle(a.below(e.URL), "", *res.History)...)
		return append(b, `,"response":{"status":"200"}}`...), res.History.Entry
	case res.Page != nil:
		b = append(b, `{"resource":`...)
		b = append(b, a.searchset(a.Base+a.below(e.URL), "", *res.Page)...)
		return append(b, `,"response":{"status":"200"}}`...), res.Page.Entry
	}
	done := res.Written
	if done.ID == "" { // a delete that found nothing
		return append(b, `{"response":{"status":"204"}}`...), done.Entry
	}
	status := "200"
	switch {
	case done.Doc == nil:
		status = "204"
	case done.Created:
		status = "201"
	}
	if returns == "representation" && done.Doc != nil {
		b = append(a.entry(b, done.Doc), ',')
	} else {
		b = append(b, '{')
	}
	version := strconv.FormatInt(done.Version, 10)
	b = append(b, `"response":{"status":"`+status+`","location":"`+done.Type+"/"+done.ID+"/_history/"+version+`","etag":"W/\"`+version+
		`\"","lastModified":"`+instant(done.Updated)+`"`...)
	if returns == "OperationOutcome" {
		b = append(append(b, `,"outcome":`...), storedOutcome...)
	}
	return append(b, `}}`...), done.Entry
}

// below is where the question of an entry was put, under the base, without its parameters: links to further pages start there.
func (a *API) below(entryURL string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(entryURL, a.Base), "?")
	return "/" + strings.Trim(path, "/")
}
