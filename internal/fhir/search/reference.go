package search

import (
	"strings"

	"chartwarden/internal/fhir/document"
)

// target is what a reference says: a resource here, or a URL.
type target struct{ kind, id, url string }

// parseReference reads `Type/id`, with or without a version (/_history/n or |n) and the server's own base, and any other URL. For a URL that
// ends like a resource's address kind tells which, and the version goes. A relative reference to an unknown type stays a URL.
func parseReference(s, base string) target {
	local := s
	if base != "" {
		local = strings.TrimPrefix(s, base)
	}
	if i := strings.Index(local, "/_history/"); i > 0 {
		local = local[:i]
	} else if before, version, ok := strings.Cut(local, "|"); ok && isID(version) {
		local = before
	}
	slash := strings.LastIndexByte(local, '/')
	if slash <= 0 || !isID(local[slash+1:]) {
		return target{url: s}
	}
	before, id := local[:slash], local[slash+1:]
	kind := before[strings.LastIndexByte(before, '/')+1:]
	switch {
	case catalogue()[kind] == nil:
		return target{url: s}
	case kind == before:
		return target{kind: kind, id: id}
	default:
		return target{kind: kind, url: local}
	}
}

// isID reports whether s is written like a logical id. Source: https://hl7.org/fhir/R4/datatypes.html#id.
func isID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func (w *walker) reference(l *leaf, n document.Node) {
	v := Value{Param: l.param, Text: str(n.Get("display"))}
	if s := str(n.Get("reference")); s != "" {
		t := parseReference(s, w.base)
		v.Kind, v.ID, v.URL = t.kind, t.id, t.url
		if s[0] == '#' && l.resolve != "" {
			v.Kind = w.contained(s[1:])
		}
	}
	if identifier := n.Get("identifier"); identifier.Exists() {
		v.System, v.Code = str(identifier.Get("system")), str(identifier.Get("value"))
	}
	if v.Kind == "" {
		v.Kind = str(n.Get("type"))
	}
	if v.ID == "" && v.URL == "" && v.System == "" && v.Code == "" || l.resolve != "" && v.Kind != l.resolve {
		return
	}
	w.add(v)
}

// contained is the type of the contained resource with that id. Its own values are not the container's.
func (w *walker) contained(id string) string {
	if w.inside == nil {
		w.inside = map[string]string{}
		for c := range w.root.Get("contained").Items() {
			w.inside[str(c.Get("id"))] = str(c.Get("resourceType"))
		}
	}
	return w.inside[id]
}

// canonical reads url|version. One without a scheme is a reference to a resource here.
func (w *walker) canonical(l *leaf, n document.Node) {
	s := str(n)
	if s == "" {
		return
	}
	v := Value{Param: l.param}
	v.URL, v.Version, _ = strings.Cut(s, "|")
	if t := parseReference(v.URL, w.base); t.id != "" && l.param.Type == Reference {
		v.Kind, v.ID, v.URL = t.kind, t.id, ""
	}
	w.add(v)
}

// resource reads a resource in a Bundle as a reference to it.
func (w *walker) resource(l *leaf, n document.Node) {
	kind, id := str(n.Get("resourceType")), str(n.Get("id"))
	if kind != "" && id != "" && l.param.targets(kind) {
		w.add(Value{Param: l.param, Kind: kind, ID: id})
	}
}
