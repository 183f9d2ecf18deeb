package document

import (
	"time"

	"chartwarden/internal/outcome"
)

// Instant is how the server writes meta.lastUpdated: UTC with milliseconds.
const Instant = "2006-01-02T15:04:05.000Z07:00"

// Stamp sets id, meta.versionId and meta.lastUpdated, and nothing else: every other byte stays. What is absent is put behind
// resourceType, respectively first into meta.
// Errors: outcome.Structure when meta is not an object; outcome.Exception when an argument is empty.
func (d *Doc) Stamp(id, versionID string, lastUpdated time.Time) (*Doc, error) {
	if id == "" || versionID == "" || lastUpdated.IsZero() {
		return nil, outcome.New(outcome.Exception, "a stamp needs an id, a version and a time")
	}
	root := d.Root()
	meta := root.Get("meta")
	if meta.Exists() && meta.Kind() != Object {
		return nil, outcome.New(outcome.Structure, "meta is not an object: write it as {...} or leave it out").At(meta.Expression())
	}
	var edits []Edit
	_, afterType := root.Get("resourceType").Span()
	var behind []byte // what goes behind resourceType
	if at := root.Get("id"); at.Exists() {
		edits = append(edits, replace(at, appendQuoted(nil, id)))
	} else {
		behind = appendMember(behind, "id", id)
	}
	version := appendMember(nil, "versionId", versionID)
	updated := appendMember(nil, "lastUpdated", lastUpdated.UTC().Format(Instant))
	if !meta.Exists() {
		behind = append(append(append(behind, `,"meta":{`...), version[1:]...), updated...)
		behind = append(behind, '}')
	} else {
		var inside []byte
		for _, m := range []struct {
			name   string
			member []byte
		}{{"versionId", version}, {"lastUpdated", updated}} {
			if at := meta.Get(m.name); at.Exists() {
				edits = append(edits, replace(at, m.member[len(m.name)+4:]))
			} else {
				inside = append(inside, m.member...)
			}
		}
		if len(inside) > 0 {
			edits = append(edits, intoObject(meta, inside[1:]))
		}
	}
	if len(behind) > 0 {
		edits = append(edits, Edit{afterType, afterType, behind})
	}
	return d.Splice(edits...)
}

// appendMember appends `,"name":"value"`.
func appendMember(dst []byte, name, value string) []byte {
	dst = append(appendQuoted(append(dst, ','), name), ':')
	return appendQuoted(dst, value)
}

func replace(n Node, with []byte) Edit {
	start, end := n.Span()
	return Edit{start, end, with}
}

// intoObject inserts members (without leading comma) as the first of object n.
func intoObject(n Node, members []byte) Edit {
	start, _ := n.Span()
	if n.node().next != n.i+1 {
		members = append(members, ',')
	}
	return Edit{start + 1, start + 1, members}
}
