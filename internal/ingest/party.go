package ingest

import "strings"

// A party is who or what a reference means: Type/id, or, as long as that is not known, one of
//
//	?Type?system|value   an identifier, of a type that may be empty
//	#id                  a resource contained in the one that refers
//	urn:uuid:...         a resource by the id that it had in a bundle
//	some text            a name, where nothing else is said
//
// [crosswalk.resolve] finds the resource.

// party reads a Reference: the literal one without base and version, else the identifier, else what is displayed.
func (c *cursor) party() string {
	if !c.is('{') {
		c.skip()
		return ""
	}
	var r reference
	for c.enter('{'); c.more('}'); {
		if k := c.key(); !r.field(c, k) {
			c.skip()
		}
	}
	return r.party()
}

// reference is one as FHIR writes it.
type reference struct{ literal, typ, system, value, display string }

// field reads a member of a Reference, or tells that it is none.
func (r *reference) field(c *cursor, key string) bool {
	switch key {
	case "reference":
		r.literal = local(c.text())
	case "type":
		r.typ = c.text()
	case "display":
		r.display = c.text()
	case "identifier":
		r.system, r.value = c.identifier()
	default:
		return false
	}
	return true
}

func (r *reference) party() string {
	switch {
	case r.literal != "":
		return r.literal
	case r.value != "":
		return logical(r.typ, r.system, r.value)
	}
	return r.display
}

func logical(typ, system, value string) string { return "?" + typ + "?" + system + "|" + value }

// bare is a party as it can be shown when no resource is found for it: of an identifier its value.
func bare(party string) string {
	if !strings.HasPrefix(party, "?") {
		return party
	}
	_, value, _ := strings.Cut(party, "|")
	return value
}

// identifier reads an Identifier.
func (c *cursor) identifier() (system, value string) {
	if !c.is('{') {
		c.skip()
		return "", ""
	}
	for c.enter('{'); c.more('}'); {
		switch c.key() {
		case "system":
			system = c.text()
		case "value":
			value = c.text()
		default:
			c.skip()
		}
	}
	return system, value
}

// local is Type/id of a reference that may have a base before and a version behind it. A conditional one names an identifier.
func local(ref string) string {
	if i := strings.Index(ref, "?identifier="); i > 0 {
		typ := ref[:i]
		system, value, both := strings.Cut(ref[i+len("?identifier="):], "|")
		if !both {
			system, value = "", system
		}
		return logical(typ[strings.LastIndexByte(typ, '/')+1:], system, value)
	}
	if i := strings.Index(ref, "/_history/"); i >= 0 {
		ref = ref[:i]
	}
	if strings.Contains(ref, "://") {
		if i := strings.LastIndexByte(ref, '/'); i > 0 {
			if j := strings.LastIndexByte(ref[:i], '/'); j >= 0 {
				return ref[j+1:]
			}
		}
	}
	return ref
}
