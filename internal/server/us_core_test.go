package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/search"
)

// expected is how a CapabilityStatement of an implementation guide asks for something: SHALL, SHOULD, MAY.
type expected struct {
	Extension []struct {
		URL, ValueCode, ValueString string
		Extension                   []struct{ URL, ValueString string }
	}
}

func (e expected) how() string {
	for _, x := range e.Extension {
		if strings.HasSuffix(x.URL, "/capabilitystatement-expectation") {
			return x.ValueCode
		}
	}
	return ""
}

// guide is what US Core asks of a server, as far as it is here.
type guide struct {
	Version string
	Rest    []struct {
		Resource []struct {
			Type        string
			SearchParam []struct {
				expected
				Name string
			}
			Extension []struct {
				URL       string
				Extension []struct{ URL, ValueCode, ValueString string }
			}
			Interaction []struct {
				expected
				Code string
			}
			SearchInclude, SearchRevInclude []string
			Operation                       []struct {
				expected
				Name string
			}
		}
	}
}

// demand is one thing that a guide asks for.
type demand struct {
	how, typ, what string
	params         []string
}

// demands lists them: interactions, searches by one parameter and by several, includes, operations.
func (u guide) demands() (out []demand) {
	for _, r := range u.Rest[0].Resource {
		for _, i := range r.Interaction {
			out = append(out, demand{i.how(), r.Type, i.Code, nil})
		}
		for _, p := range r.SearchParam {
			out = append(out, demand{p.how(), r.Type, "search by " + p.Name, []string{p.Name}})
		}
		for _, x := range r.Extension {
			if !strings.HasSuffix(x.URL, "/capabilitystatement-search-parameter-combination") {
				continue
			}
			d := demand{typ: r.Type}
			for _, part := range x.Extension {
				switch {
				case part.ValueString != "":
					d.params = append(d.params, part.ValueString)
				case strings.HasSuffix(part.URL, "expectation"):
					d.how = part.ValueCode
				}
			}
			d.what = "search by " + strings.Join(d.params, " and ")
			out = append(out, d)
		}
		for _, include := range r.SearchInclude {
			out = append(out, demand{"SHOULD", r.Type, "_include=" + include, nil})
		}
		for _, include := range r.SearchRevInclude {
			out = append(out, demand{"SHALL", r.Type, "_revinclude=" + include, nil}) // each version says so in its text
		}
		for _, o := range r.Operation {
			out = append(out, demand{o.how(), r.Type, "$" + o.Name, nil})
		}
	}
	return out
}

// meets tries one thing and reports whether it works.
func (g *stage) meets(d demand) bool {
	example := g.examples[d.typ]
	if example == nil {
		return true // nothing to try it on; the types are all alike
	}
	self, ask := d.typ+"/"+example.ID(), url.Values{}
	switch {
	case strings.HasPrefix(d.what, "$"):
		return g.do("GET", d.typ+"/"+d.what, "").Status == http.StatusOK
	case strings.HasPrefix(d.what, "_"):
		name, value, _ := strings.Cut(d.what, "=")
		_, _, answer := g.found(d.typ + "?_id=" + example.ID() + "&" + url.Values{name: {value}}.Encode())
		return answer.Status == http.StatusOK
	case d.params == nil: // each is tried by TestClaims
		return slices.Contains([]string{"create", "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "search-type"}, d.what)
	}
	whole := true
	for _, name := range d.params {
		param, ok := search.Lookup(d.typ, name)
		if !ok || !param.Supported {
			return false
		}
		value := ""
		for _, v := range param.Values(example, search.Options{Base: "http://localhost/fhir"}) {
			for q, finds := range asking(v) {
				if finds && q[0] == "" && value == "" {
					value = q[1]
				}
			}
		}
		if value == "" {
			whole, value = false, "2020"
		}
		ask.Set(name, value)
	}
	matches, _, answer := g.found(d.typ + "?" + ask.Encode())
	return answer.Status == http.StatusOK && (!whole || slices.Contains(matches, self))
}

// TestUSCore tries what each published version of US Core asks of a server and holds it against the table in docs/formats/us-core.md.
func TestUSCore(t *testing.T) {
	g := setStage(t)
	var table strings.Builder
	table.WriteString("| version | required, of which work | recommended, of which work | do not work |\n|---|---|---|---|\n")
	for _, version := range []string{"311", "400", "501", "610", "700", "800"} {
		var u guide
		for name, text := range archive(t, "us-core", "us_core_"+version+".tgz") {
			if strings.HasSuffix(name, "CapabilityStatement-us-core-server.json") {
				if err := json.Unmarshal(text, &u); err != nil {
					t.Fatal(err)
				}
			}
		}
		count, work := map[string]int{}, map[string]int{}
		var missing []string
		for _, d := range u.demands() {
			if d.how != "SHALL" && d.how != "SHOULD" {
				continue
			}
			if count[d.how]++; g.meets(d) {
				work[d.how]++
			} else {
				missing = append(missing, d.typ+" "+d.what+map[string]string{"SHALL": " (required)"}[d.how])
			}
		}
		slices.Sort(missing)
		fmt.Fprintf(&table, "| %s | %d, %d | %d, %d | %s |\n", u.Version, count["SHALL"], work["SHALL"], count["SHOULD"], work["SHOULD"], strings.Join(slices.Compact(missing), "; "))
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "us-core.md"))
	if err != nil || !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/formats/us-core.md does not say (%v):\n%s", err, table.String())
	}
}
