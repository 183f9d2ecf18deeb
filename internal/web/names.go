package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"chartwarden/internal/access"
	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/fhir/search"
)

// Records from elsewhere often refer to staff without saying who that is. The pages look the names up through the door, in the directory
// of staff, which is open to everybody who works here, and keep them for a while: a name of a colleague is no patient data.

const (
	namesLast   = 10 * time.Minute
	namesAtOnce = 50 // asked for in one search
)

// staffNames are names of Practitioners by id, as the directory told them; an empty name is one that it does not know.
type staffNames struct {
	mu    sync.Mutex
	known map[string]string
	since time.Time
}

// missing are the ids among those asked that are not known, each once.
func (n *staffNames) missing(ids []string, now time.Time) (out []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || now.Sub(n.since) > namesLast {
		n.known, n.since = map[string]string{}, now
	}
	for _, id := range ids {
		if _, known := n.known[id]; !known && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (n *staffNames) learn(ids []string, names map[string]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range ids {
		n.known[id] = names[id]
	}
}

func (n *staffNames) of(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[id]
}

// name writes into a chart who the colleagues are whom it only refers to. What cannot be looked up stays as it is: a name is a courtesy.
func (p *Pages) name(ctx context.Context, w http.ResponseWriter, who access.Principal, c *access.Chart) {
	var ids []string
	for _, docs := range c.Docs {
		for _, d := range docs {
			for n := range nameless(d) {
				ids = append(ids, target(n))
			}
		}
	}
	for _, m := range c.Team {
		if id, ok := strings.CutPrefix(m.Ref, "Practitioner/"); ok && m.Name == "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	for part := range slices.Chunk(p.names.missing(ids, p.now()), namesAtOnce) {
		found, entry, err := p.colleagues(ctx, who, part)
		if err != nil {
			return
		}
		entered(w, entry)
		p.names.learn(part, found)
	}
	for _, docs := range c.Docs {
		for i, d := range docs {
			docs[i] = p.displayed(d)
		}
	}
	for i, m := range c.Team {
		if id, ok := strings.CutPrefix(m.Ref, "Practitioner/"); ok && m.Name == "" {
			c.Team[i].Name = p.names.of(id)
		}
	}
}

// colleagues asks the directory for the names of Practitioners.
func (p *Pages) colleagues(ctx context.Context, who access.Principal, ids []string) (map[string]string, string, error) {
	values := url.Values{"_id": {strings.Join(ids, ",")}, "_count": {"100"}}
	q, err := search.Parse("Practitioner", values, search.Options{Zone: p.o.Zone, Now: p.now()})
	if err != nil {
		return nil, "", err
	}
	found, err := p.o.Gate.Search(ctx, who, q, values.Encode())
	if err != nil {
		return nil, "", err
	}
	names := map[string]string{}
	for _, d := range found.Docs {
		names[d.ID()] = calledName(d.Root().Get("name"))
	}
	return names, found.Entry, nil
}

// calledName writes a colleague's name as people say it: Anna Lindqvist.
func calledName(names document.Node) string {
	family, given, ok := strings.Cut(access.HumanName(names), ", ")
	if !ok {
		return family
	}
	return given + " " + family
}

// nameless are the references of a document to a Practitioner without a name.
func nameless(d *document.Doc) func(yield func(document.Node) bool) {
	return func(yield func(document.Node) bool) {
		for n := range d.Root().All() {
			if n.Kind() != document.Object || n.Get("display").Exists() {
				continue
			}
			ref, ok := fhir.ParseReference(n.Get("reference").Text())
			if ok && ref.Type == "Practitioner" && !yield(n) {
				return
			}
		}
	}
}

// displayed is the document with the names that are known put in.
func (p *Pages) displayed(d *document.Doc) *document.Doc {
	var edits []document.Edit
	for n := range nameless(d) {
		if name := p.names.of(target(n)); name != "" {
			_, end := n.Span()
			edits = append(edits, document.Edit{Start: end - 1, End: end - 1, With: []byte(`,"display":` + quoted(name))})
		}
	}
	if len(edits) == 0 {
		return d
	}
	out, err := d.Splice(edits...)
	if err != nil {
		return d
	}
	return out
}

// quoted is a JSON string.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always marshals
	return string(b)
}
