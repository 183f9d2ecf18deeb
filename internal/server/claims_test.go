package server_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/audit"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/identity"
	"chartwarden/internal/scope"
	"chartwarden/internal/server/servertest"

	"github.com/go-jose/go-jose/v4"
)

// claim is what a CapabilityStatement says about one type.
type claim struct {
	Type                                               string
	Interaction                                        []struct{ Code string }
	SearchParam                                        []struct{ Name, Type string }
	SearchInclude, SearchRevInclude                    []string
	ConditionalCreate, ConditionalUpdate, UpdateCreate bool
	ConditionalDelete, ConditionalRead, Versioning     string
	Operation                                          []struct{ Name, Definition string }
}

// stage is a server that holds one published example of each type, all about one patient where they are about any, and a program that
// may do everything.
type stage struct {
	t        *testing.T
	s        *servertest.Server
	token    string
	examples map[string]*document.Doc
	id       map[string]string
	asked    int
	client   *http.Client
}

// do sends a request of the program.
func (g *stage) do(method, at, body string, header ...string) servertest.Answer {
	g.t.Helper()
	g.asked++
	c := servertest.Client{Client: g.client, Base: g.s.URL}
	return c.Do(g.t, method, "/fhir/"+at, body, append(header, "Authorization", "Bearer "+g.token)...)
}

// found asks for a search and gives the ids of matches and what was included, as Type/id.
func (g *stage) found(at string) (matches, included []string, answer servertest.Answer) {
	g.t.Helper()
	answer = g.do("GET", at, "")
	var b struct {
		Entry []struct {
			Search   struct{ Mode string }
			Resource struct{ ResourceType, ID string }
		}
	}
	if answer.Status == http.StatusOK {
		if err := json.Unmarshal([]byte(answer.Body), &b); err != nil {
			g.t.Fatal(err)
		}
	}
	for _, e := range b.Entry {
		if ref := e.Resource.ResourceType + "/" + e.Resource.ID; e.Search.Mode == "match" {
			matches = append(matches, ref)
		} else {
			included = append(included, ref)
		}
	}
	return matches, included, answer
}

// backendFor registers a backend service that may do everything and gives its token.
func backendFor(t testing.TB, s *servertest.Server) string {
	t.Helper()
	owner := s.Person(t, "Ruth Adeyemi", "administrator", "")
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES384", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := s.Persons.RegisterClient(t.Context(), audit.Agent{Job: "test"}, identity.NewClient{ID: "all", Name: "All", Owner: owner.Person.Person, Scope: "system/*.cruds", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	all, err := scope.Parse("system/*.cruds")
	if err != nil {
		t.Fatal(err)
	}
	issued, err := s.Persons.AuthorizeClient(t.Context(), c, all, identity.Arrival{})
	if err != nil {
		t.Fatal(err)
	}
	return issued.Access
}

// archive yields name and content of each file of a published archive.
func archive(t *testing.T, elements ...string) iter.Seq2[string, []byte] {
	name := servertest.Data(t, append([]string{"fhir"}, elements...)...)
	return func(yield func(string, []byte) bool) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg && !yield(h.Name, text) {
				return
			}
		}
	}
}

// setStage brings in one published example of each type. References among them are bent so that each leads somewhere.
func setStage(t *testing.T) *stage {
	t.Helper()
	g := &stage{t: t, s: servertest.Start(t), examples: map[string]*document.Doc{}, id: map[string]string{}, client: &http.Client{}}
	g.token = backendFor(t, g.s)
	raw := map[string]map[string]any{}
	size := map[string]int{}
	for name, text := range archive(t, "r4-examples.tar.gz") {
		var r map[string]any
		if len(text) > 60_000 || json.Unmarshal(text, &r) != nil {
			continue
		}
		typ, _ := r["resourceType"].(string)
		id, _ := r["id"].(string)
		if !fhir.IsResourceType(typ) || !fhir.IsID(id) || typ == "Patient" && id != "example" || strings.Contains(name, "questionnaireresponse") && typ == "" {
			continue
		}
		if id == "consent-example-signature" || id == "consent-example-smartonfhir" { // by a class that is no type of FHIR: it cannot be kept, and is refused (ADR 194)
			continue
		}
		if n := len(r); n > size[typ] || n == size[typ] && id < g.id[typ] { // the one with most elements
			raw[typ], size[typ], g.id[typ] = r, n, id
		}
	}
	var bend func(x any) any
	bend = func(x any) any {
		switch x := x.(type) {
		case map[string]any:
			if ref, ok := x["reference"].(string); ok && !strings.HasPrefix(ref, "#") && x["resourceType"] == nil {
				parsed, _ := fhir.ParseReference(ref)
				if id, here := g.id[parsed.Type]; here {
					x["reference"] = parsed.Type + "/" + id
				} else {
					delete(x, "reference")
					x["display"] = "somebody"
				}
			}
			for k, v := range x {
				x[k] = bend(v)
			}
		case []any:
			for i := range x {
				x[i] = bend(x[i])
			}
		}
		return x
	}
	var entries []access.Entry
	for _, typ := range fhir.ResourceTypes() {
		if raw[typ] == nil {
			continue
		}
		text, err := json.Marshal(bend(raw[typ]))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := document.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, access.Entry{Method: "PUT", URL: typ + "/" + g.id[typ], Doc: doc})
	}
	results, err := g.s.Gate.Import(t.Context(), access.Job("import"), entries)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Logf("without %s: %v", entries[i].URL, r.Err)
			continue
		}
		g.examples[r.Written.Type] = r.Written.Doc
	}
	if len(g.examples) < 120 {
		t.Fatalf("only %d examples", len(g.examples))
	}
	return g
}

// escaped is a value as a query writes it.
var escaped = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `$`, `\$`, `|`, `\|`)

// asking writes a question that finds v, and those that the modifiers of its type make of it: name and value to whether it finds it.
func asking(v search.Value) map[[2]string]bool {
	token := escaped.Replace(v.Code)
	if v.System != "" {
		token = escaped.Replace(v.System) + "|" + token
	}
	instant := func(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	out := map[[2]string]bool{}
	switch v.Param.Type {
	case search.Token:
		if v.Code != "" {
			out[[2]string{"", token}], out[[2]string{":not", token}] = true, false
		}
		if words := strings.Fields(v.Text); len(words) > 0 && !strings.ContainsAny(words[0], `\,$|()[]"'/-:;.`) {
			out[[2]string{":text", words[0]}] = true
		}
	case search.Date:
		if v.From != search.Never {
			out[[2]string{"", "ge" + instant(v.From)}], out[[2]string{"", "lt" + instant(v.From)}] = true, false
			out[[2]string{"", "sa" + instant(v.From-1_000_000)}] = true
		} else if v.To != search.Forever {
			out[[2]string{"", "le" + instant(v.To)}] = true
		}
	case search.Number:
		out[[2]string{"", number(v.Low)}], out[[2]string{"", "lt" + number(v.Low)}] = true, false
	case search.Quantity:
		if v.Low == v.High {
			out[[2]string{"", number(v.Low)}], out[[2]string{"", "gt" + number(v.High)}] = true, false
			if v.Code != "" {
				out[[2]string{"", "ge" + number(v.Low) + "|" + escaped.Replace(v.System) + "|" + escaped.Replace(v.Code)}] = true
				out[[2]string{"", number(v.Low) + "|urn:x|" + escaped.Replace(v.Code)}] = false
			}
		}
	case search.Reference:
		switch {
		case v.ID != "" && !slices.Contains(v.Param.Targets, v.Kind) && !slices.Contains(v.Param.Targets, "*"):
		case v.ID != "":
			out[[2]string{"", v.Kind + "/" + v.ID}], out[[2]string{":" + v.Kind, v.ID}] = true, true
			out[[2]string{"", v.Kind + "/nobody"}] = false
		case v.URL != "" && v.URL[0] != '#':
			out[[2]string{"", v.URL}] = true
		case v.Code != "":
			out[[2]string{":identifier", token}] = true
		}
	case search.String:
		text := escaped.Replace(v.Text)
		out[[2]string{"", text}], out[[2]string{":exact", text}], out[[2]string{":exact", text + "x"}] = true, true, false
		if runes := []rune(v.Text); len(runes) > 3 && !strings.ContainsAny(v.Text, `\,$|`) {
			out[[2]string{":contains", string(runes[1:])}] = true
		}
	case search.URI:
		out[[2]string{"", escaped.Replace(v.URL)}], out[[2]string{"", "urn:nowhere"}] = true, false
		if cut := strings.LastIndexByte(v.URL, '/'); cut > len("https://") {
			out[[2]string{":below", v.URL[:cut]}], out[[2]string{":above", v.URL + "/x"}] = true, true
		}
	}
	return out
}

// TestClaims walks the CapabilityStatement: whatever it claims works, on an example of each type.
func TestClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("13,000 requests")
	}
	g := setStage(t)
	statement := g.do("GET", "metadata", "")
	doc, err := document.Parse([]byte(statement.Body))
	if err != nil || statement.Status != http.StatusOK {
		t.Fatal(err, statement.Status)
	}
	if got := g.do("POST", "CapabilityStatement", statement.Body); got.Status != http.StatusCreated {
		t.Errorf("the statement is no valid resource: %d %s", got.Status, got.Body)
	}
	var said struct {
		Rest []struct {
			Resource    []claim
			Interaction []struct{ Code string }
		}
	}
	if err := json.Unmarshal(doc.AppendJSON(nil), &said); err != nil {
		t.Fatal(err)
	}
	params, values, questions := 0, 0, 0
	for _, c := range said.Rest[0].Resource {
		if c.Type == "CapabilityStatement" {
			delete(g.examples, c.Type) // there are two now
		}
		example := g.examples[c.Type]
		if example == nil {
			continue
		}
		self := c.Type + "/" + example.ID()
		for _, p := range c.SearchParam {
			params++
			param, _ := search.Lookup(c.Type, p.Name)
			all := param.Values(example, search.Options{Base: "http://localhost/fhir"})
			if len(all) > 0 {
				values++
			}
			ask := map[[2]string]bool{{":missing", "true"}: len(all) == 0, {":missing", "false"}: len(all) > 0}
			if param.Type == search.Composite {
				delete(ask, [2]string{":missing", "true"})
				delete(ask, [2]string{":missing", "false"})
				if len(all) > 0 {
					if q, ok := composite(all[0]); ok {
						ask[[2]string{"", q}] = true
					}
				}
			} else if len(all) > 0 {
				for q, finds := range asking(all[0]) {
					if finds || len(all) == 1 { // another value may satisfy what excludes this one
						ask[q] = finds
					}
				}
			}
			for q, finds := range ask {
				questions++
				at := c.Type + "?" + p.Name + q[0] + "=" + url.QueryEscape(q[1])
				matches, _, answer := g.found(at)
				if answer.Status != http.StatusOK || slices.Contains(matches, self) != finds {
					t.Errorf("%s: %d, finds the example: %v, want %v: %.200s", at, answer.Status, !finds, finds, answer.Body)
				}
			}
		}
		g.inclusions(c, self)
		g.interactions(c, example)
	}
	t.Log(len(g.examples), "types,", params, "parameters,", values, "with a value,", questions, "questions,", g.asked, "requests")
	if values < 900 {
		t.Error("too few parameters have a value in an example:", values)
	}
}

// composite asks for the first value of each component.
func composite(v search.Value) (string, bool) {
	var parts []string
	for _, component := range v.Parts {
		if len(component) == 0 {
			return "", false
		}
		for q, finds := range asking(component[0]) {
			if finds && q[0] == "" {
				parts = append(parts, q[1])
				break
			}
		}
	}
	return strings.Join(parts, "$"), len(parts) == len(v.Parts)
}

// inclusions asks for each _include and _revinclude.
func (g *stage) inclusions(c claim, self string) {
	example := g.examples[c.Type]
	for _, include := range c.SearchInclude {
		name := include[strings.IndexByte(include, ':')+1:]
		param, ok := search.Lookup(c.Type, name)
		if !ok {
			g.t.Errorf("_include=%s names no parameter", include)
			continue
		}
		_, included, answer := g.found(c.Type + "?_id=" + example.ID() + "&_include=" + url.QueryEscape(include))
		if answer.Status != http.StatusOK {
			g.t.Errorf("_include=%s: %d %.200s", include, answer.Status, answer.Body)
		}
		for _, v := range param.Values(example, search.Options{Base: "http://localhost/fhir"}) {
			if to := v.Kind + "/" + v.ID; v.ID != "" && to != self && g.examples[v.Kind] != nil && g.examples[v.Kind].ID() == v.ID && !slices.Contains(included, to) {
				g.t.Errorf("_include=%s brings %v, not %s", include, included, to)
			}
		}
	}
	for _, include := range c.SearchRevInclude {
		other, name, _ := strings.Cut(include, ":")
		if g.examples[other] == nil {
			continue
		}
		param, _ := search.Lookup(other, name)
		refers := false
		for _, v := range param.Values(g.examples[other], search.Options{Base: "http://localhost/fhir"}) {
			refers = refers || v.Kind == c.Type && v.ID == example.ID()
		}
		if !refers || other+"/"+g.examples[other].ID() == self {
			continue
		}
		_, included, answer := g.found(c.Type + "?_id=" + example.ID() + "&_revinclude=" + url.QueryEscape(include))
		if answer.Status != http.StatusOK || !slices.Contains(included, other+"/"+g.examples[other].ID()) {
			g.t.Errorf("%s?_revinclude=%s: %d brings %v", c.Type, include, answer.Status, included)
		}
	}
}

// unnamed is a resource without its id.
func unnamed(t *testing.T, body string) string {
	var r map[string]any
	err := json.Unmarshal([]byte(body), &r)
	delete(r, "id")
	text, failed := json.Marshal(r)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return string(text)
}

// interactions carries out each interaction that is claimed for a type.
func (g *stage) interactions(c claim, example *document.Doc) {
	at := c.Type + "/" + example.ID()
	body := string(example.AppendJSON(nil))
	want := func(what string, got servertest.Answer, status int, headers ...string) servertest.Answer {
		g.t.Helper()
		if got.Status != status {
			g.t.Errorf("%s of %s: %d, want %d: %.300s", what, c.Type, got.Status, status, got.Body)
		}
		for _, h := range headers {
			if got.Header.Get(h) == "" {
				g.t.Errorf("%s of %s has no %s", what, c.Type, h)
			}
		}
		return got
	}
	versioned := []string{"ETag", "Last-Modified", "X-Audit-Entry"}
	for _, i := range c.Interaction {
		switch i.Code {
		case "read":
			read := want("read", g.do("GET", at, ""), http.StatusOK, versioned...)
			head := want("HEAD", g.do("HEAD", at, ""), http.StatusOK, versioned...)
			if head.Body != "" || read.Header.Get("Content-Length") != head.Header.Get("Content-Length") {
				g.t.Errorf("HEAD of %s: %q, length %s, read %s", c.Type, head.Body, head.Header.Get("Content-Length"), read.Header.Get("Content-Length"))
			}
			want("conditional read", g.do("GET", at, "", "If-None-Match", read.Header.Get("ETag")), http.StatusNotModified)
			want("conditional read", g.do("GET", at, "", "If-Modified-Since", read.Header.Get("Last-Modified")), http.StatusNotModified)
			want("read as XML", g.do("GET", at, "", "Accept", "application/fhir+xml"), http.StatusNotAcceptable)
			for _, shape := range []string{"_summary=true", "_summary=data", "_summary=text", "_elements=id", "_pretty=true", "_format=json"} {
				want(shape, g.do("GET", at+"?"+shape, ""), http.StatusOK, versioned...)
			}
			short := g.do("GET", at+"?_elements=id", "").Body
			for _, element := range fhir.TypeNamed(c.Type).Elements {
				if element.Required && example.Root().Get(element.Name).Exists() && !strings.Contains(short, `"`+element.Name+`":`) {
					g.t.Errorf("_elements=id of %s is without %s, which is mandatory", c.Type, element.Name)
				}
			}
		case "vread":
			want("vread", g.do("GET", at+"/_history/1", ""), http.StatusOK, versioned...)
		case "history-instance":
			want("history", g.do("GET", at+"/_history?_count=1", ""), http.StatusOK, "X-Audit-Entry")
		case "history-type":
			want("history", g.do("GET", c.Type+"/_history?_count=1", ""), http.StatusOK, "X-Audit-Entry")
		case "search-type":
			want("search by POST", g.do("POST", c.Type+"/_search", "_id="+example.ID(), "Content-Type", "application/x-www-form-urlencoded"), http.StatusOK, "X-Audit-Entry")
			if count := want("count", g.do("GET", c.Type+"?_id="+example.ID()+"&_summary=count", ""), http.StatusOK); !strings.Contains(count.Body, `"total":1`) || strings.Contains(count.Body, `"entry"`) {
				g.t.Errorf("_summary=count of %s: %s", c.Type, count.Body)
			}
			if total := want("total", g.do("GET", c.Type+"?_id="+example.ID()+"&_total=accurate&_count=1&_sort=-_lastUpdated", ""), http.StatusOK); !strings.Contains(total.Body, `"total":1`) {
				g.t.Errorf("_total=accurate of %s: %.200s", c.Type, total.Body)
			}
		case "update":
			want("update that changes nothing", g.do("PUT", at, body, "If-Match", `W/"1"`), http.StatusOK, "ETag", "Location")
			want("update of another version", g.do("PUT", at, body, "If-Match", `W/"77"`), http.StatusPreconditionFailed)
			want("update as XML", g.do("PUT", at, "<x/>", "Content-Type", "application/fhir+xml"), http.StatusUnsupportedMediaType)
		case "patch":
			want("patch", g.do("PATCH", at, `[{"op":"add","path":"/language","value":"en"}]`, "Content-Type", "application/json-patch+json", "Prefer", "return=minimal"), http.StatusOK, "ETag", "Location")
		case "create":
			if c.Type == "Patient" {
				continue // a second patient makes references by sort ambiguous to nobody, but charts cost keys
			}
			made := want("create", g.do("POST", c.Type, body, "Prefer", "return=minimal"), http.StatusCreated, "Location", "ETag", "Last-Modified")
			if made.Body != "" {
				g.t.Errorf("return=minimal of %s answers %.100s", c.Type, made.Body)
			}
			_, id, _ := strings.Cut(made.Header.Get("Location"), "/"+c.Type+"/")
			id, _, _ = strings.Cut(id, "/")
			if c.ConditionalCreate {
				again := want("conditional create", g.do("POST", c.Type, body, "If-None-Exist", "_id="+id, "Prefer", "return=OperationOutcome"), http.StatusOK, "Location", "ETag")
				if !strings.Contains(again.Header.Get("Location"), id) || !strings.Contains(again.Body, "OperationOutcome") {
					g.t.Errorf("conditional create of %s: %s %.100s", c.Type, again.Header.Get("Location"), again.Body)
				}
			}
			if c.ConditionalUpdate {
				want("conditional update", g.do("PUT", c.Type+"?_id="+id, unnamed(g.t, body)), http.StatusOK, "ETag")
			}
			if c.ConditionalDelete == "single" {
				want("conditional delete", g.do("DELETE", c.Type+"?_id="+id, ""), http.StatusNoContent)
				want("read of what was deleted", g.do("GET", c.Type+"/"+id, ""), http.StatusGone)
			}
		case "delete":
			if c.Type != "Patient" {
				made := g.do("POST", c.Type, body, "Prefer", "return=minimal")
				_, id, _ := strings.Cut(made.Header.Get("Location"), "/"+c.Type+"/")
				id, _, _ = strings.Cut(id, "/")
				want("delete", g.do("DELETE", c.Type+"/"+id, ""), http.StatusNoContent)
			}
		default:
			g.t.Errorf("%s claims %s, which nothing here tries", c.Type, i.Code)
		}
	}
	for _, o := range c.Operation {
		want("$"+o.Name, g.do("GET", at+"/$"+o.Name, ""), http.StatusOK, "X-Audit-Entry")
	}
	if !c.UpdateCreate || c.ConditionalRead != "full-support" || c.Versioning != "versioned-update" {
		g.t.Errorf("%s claims %v %s %s", c.Type, c.UpdateCreate, c.ConditionalRead, c.Versioning)
	}
}
