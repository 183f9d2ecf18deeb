package access

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/patch"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
	"chartwarden/internal/record"
)

// Entry is one request of a bundle.
type Entry struct {
	Index           int // in the bundle
	FullURL         string
	Method          string // GET, POST, PUT, PATCH, DELETE
	URL             string // Type, Type/id, or Type?query
	IfMatch         string // W/"3"
	IfNoneExist     string // criteria, of a POST
	IfNoneMatch     string // W/"3", of a GET
	IfModifiedSince string // of a GET
	Doc             *document.Doc
	Patch           *patch.Patch // of a PATCH; nil when Doc is a Binary that holds it
}

// Result is what became of one entry.
type Result struct {
	Written    *Written
	Disclosure *Disclosure // of a GET of one resource
	Page       *Page       // of a GET that searches
	History    *HistoryPage
	Err        error
}

// Transaction carries out all entries or none: deletes, then creates, then updates, in one commit under one intent; then the reads.
// References by urn:uuid among the entries become the ids that their targets get, and so do conditional references. Conditions are
// decided before anything is written, each once: two entries that would create by the same criteria share one resource. Results stand
// in the order of the entries. A read that cannot be understood stops the whole before anything is written; one that finds nothing,
// or is refused, is an error of its own in its Result, for the writes stand by then.
//
// Errors name the entry (Bundle.entry[3]...); those of [Gate.Create], [Gate.Update], [Gate.Delete], [Gate.CreateUnless].
// Source: https://hl7.org/fhir/R4/http.html#trules.
func (g *Gate) Transaction(ctx context.Context, p Principal, entries []Entry) ([]Result, error) {
	t := &transaction{g: g, p: p, entries: entries, reads: map[int]func() Result{}}
	if err := t.understand(ctx); err != nil {
		return nil, err
	}
	var out []Result
	if err := g.deciding(ctx, t.conditions, func() (err error) {
		out, err = t.write(ctx)
		return err
	}); err != nil {
		return nil, err
	}
	for i := range entries {
		if look := t.reads[i]; look != nil {
			out[i] = look()
		}
	}
	return out, nil
}

// Batch carries out each entry by itself; one that fails harms no other.
func (g *Gate) Batch(ctx context.Context, p Principal, entries []Entry) []Result {
	out := make([]Result, len(entries))
	seen := map[string]bool{}
	for i, e := range entries {
		switch err := fullURL(e, seen); {
		case err != nil:
			out[i].Err = err
		case e.Method == "GET":
			if look, err := g.get(ctx, p, e); err != nil {
				out[i].Err = inEntry(e.Index, err)
			} else {
				out[i] = look()
			}
		default:
			done, err := g.one(ctx, p, e)
			if err != nil {
				out[i].Err = inEntry(e.Index, err)
				break
			}
			out[i].Written = &done
		}
	}
	return out
}

// fullURL refuses a name that a bundle gives twice, or gives to a version. Source: https://hl7.org/fhir/R4/bundle.html#bdl-7.
func fullURL(e Entry, seen map[string]bool) error {
	switch {
	case e.FullURL == "":
		return nil
	case seen[e.FullURL]:
		return inEntry(e.Index, outcome.New(outcome.Duplicate, "two entries of one bundle have the same fullUrl: give each its own").At("fullUrl"))
	case strings.Contains(e.FullURL, "/_history/"):
		return inEntry(e.Index, outcome.New(outcome.Invalid, "a fullUrl names a resource, not one of its versions").At("fullUrl"))
	}
	seen[e.FullURL] = true
	return nil
}

// write turns an entry into a change; false for a GET.
func (e Entry) write() (record.Write, bool, error) {
	w := record.Write{Doc: e.Doc, Alias: e.FullURL, Local: true}
	typ, id, _ := strings.Cut(e.URL, "/")
	fail := func(mend string) (record.Write, bool, error) {
		return w, false, inEntry(e.Index, outcome.New(outcome.Invalid, mend))
	}
	if strings.Contains(e.URL, "?") && e.Method != "GET" {
		return fail("name the resource by its id here")
	}
	switch e.Method {
	case "GET":
		return w, false, nil
	case "POST":
		if e.Doc == nil || e.Doc.Type() != typ || id != "" {
			return fail("a POST entry has a resource, and request.url is its type")
		}
		w.Op, w.Type = record.Create, typ
	case "PUT":
		if e.Doc == nil || e.Doc.Type() != typ || id == "" || e.Doc.ID() != id {
			return fail("a PUT entry has a resource whose id stands in request.url as Type/id")
		}
		w.Op, w.Type, w.ID = record.Update, typ, id
	case "DELETE":
		if id == "" || !fhir.IsResourceType(typ) {
			return fail("a DELETE entry has Type/id as request.url")
		}
		w.Op, w.Type, w.ID, w.Doc = record.Delete, typ, id, nil
	default:
		return fail("the method of an entry is GET, POST, PUT, PATCH or DELETE")
	}
	if base, ok := strings.CutSuffix(e.FullURL, "/"+e.place()); ok && strings.Contains(base, "://") {
		w.Base = base
	}
	match, err := ParseETag(e.IfMatch)
	w.IfMatch = match
	return w, true, err
}

// place is Type/id of the resource of an entry, as its sender has it.
func (e Entry) place() string {
	if e.Doc == nil {
		return ""
	}
	return e.Doc.Type() + "/" + e.Doc.ID()
}

// get understands a GET entry (Type/id, Type/id/_history/n, Type?query, or a history) and gives what carries it out.
func (g *Gate) get(ctx context.Context, p Principal, e Entry) (func() Result, error) {
	path, query, searching := strings.Cut(g.local(e.URL), "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[len(parts)-1] == "_history" && len(parts) <= 3 && (len(parts) == 1 || fhir.IsResourceType(parts[0])):
		values, err := url.ParseQuery(query)
		if err == nil {
			_, err = g.span(values)
		}
		if err != nil {
			return nil, err
		}
		typ, id := "", ""
		if len(parts) > 1 {
			typ = parts[0]
		}
		if len(parts) > 2 {
			id = parts[1]
		}
		return func() Result {
			page, err := g.History(ctx, p, typ, id, values, "")
			return Result{History: &page, Err: err}
		}, nil
	case len(parts) == 2 && !searching:
		return func() Result {
			d, err := g.Read(ctx, p, parts[0], parts[1])
			return Result{Disclosure: &d, Err: err}
		}, nil
	case len(parts) == 4 && parts[2] == "_history":
		n, err := strconv.ParseInt(parts[3], 10, 64)
		if err != nil {
			return nil, outcome.New(outcome.NotFound, "there is no such version")
		}
		return func() Result {
			d, err := g.ReadVersion(ctx, p, parts[0], parts[1], n)
			return Result{Disclosure: &d, Err: err}
		}, nil
	case len(parts) == 1 && fhir.IsResourceType(parts[0]):
		values, err := url.ParseQuery(query)
		if err != nil {
			return nil, outcome.New(outcome.Invalid, "the query of request.url is not well formed")
		}
		q, err := search.Parse(parts[0], values, g.reading())
		if err != nil {
			return nil, err
		}
		return func() Result {
			page, err := g.Search(ctx, p, q, query)
			return Result{Page: &page, Err: err}
		}, nil
	}
	return nil, outcome.New(outcome.NotSupported, "a GET entry has Type/id, Type/id/_history/n, Type?query or a history as request.url")
}

// ParseETag reads W/"3" (or "3", or 3) as a version; empty is 0, which asks for nothing. Errors: outcome.Invalid.
func ParseETag(s string) (int64, error) {
	s = strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, outcome.New(outcome.Invalid, `write If-Match as W/"n", with the version that you saw`).At("If-Match")
	}
	return n, nil
}

func inEntry(index int, err error) error {
	e := outcome.Wrap("access: bundle", outcome.CodeOf(err), "this entry cannot be carried out", err)
	where := fmt.Sprintf("Bundle.entry[%d]", index)
	if e.Expression != "" {
		where += " " + e.Expression
	}
	e = e.At(where)
	for i, issue := range e.Issues {
		if i == 0 {
			e.Issues = slices.Clone(e.Issues)
		}
		e.Issues[i].Expression = strings.TrimSpace(fmt.Sprintf("Bundle.entry[%d] %s", index, issue.Expression))
	}
	return e
}
