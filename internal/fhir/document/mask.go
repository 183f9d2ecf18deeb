package document

// Tag says why elements are missing from a masked resource.
type Tag string

// The tags of [Doc.Mask], codes of http://terminology.hl7.org/CodeSystem/v3-ObservationValue.
const (
	Subsetted Tag = "SUBSETTED" // the asker wanted less (_summary, _elements); goes into meta.tag
	Redacted  Tag = "REDACTED"  // policy held something back; goes into meta.security
)

const observationValue = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

// Mask removes the top-level elements for which drop is true, with their `_` siblings, and adds tag to meta. drop gets the name as
// written without `_`; resourceType, id and meta always stay. When nothing is dropped the result is d itself, untagged.
// Errors: those of [Doc.Splice]; outcome.Structure if meta cannot carry the tag.
func (d *Doc) Mask(drop func(element string) bool, tag Tag) (*Doc, error) {
	var edits []Edit
	kept, end := false, 0 // is there a kept member, and where the member before ended
	open := -1            // start of dropped members at the front, closed by the next kept one
	for m := range d.Root().Fields() {
		name := m.Name()
		if len(name) > 1 && name[0] == '_' {
			name = name[1:]
		}
		_, memberEnd := m.Span()
		start := int(m.node().name) - 1
		gone := name != "resourceType" && name != "id" && name != "meta" && drop(name)
		switch {
		case gone && kept:
			edits = append(edits, Edit{end, memberEnd, nil})
		case gone && open < 0:
			open = start
		case !gone && open >= 0:
			edits = append(edits, Edit{open, start, nil})
			open = -1
		}
		kept = kept || !gone
		end = memberEnd
	}
	if len(edits) == 0 {
		return d, nil
	}
	tagged, err := d.tag(tag)
	if err != nil {
		return nil, err
	}
	return d.Splice(append(edits, tagged...)...)
}

// Partial reports whether d says of itself that elements are missing: it is the answer to somebody who wanted, or might see, less.
// Source: https://hl7.org/fhir/R4/resource-definitions.html#Meta.tag.
func (d *Doc) Partial() bool {
	meta := d.Root().Get("meta")
	for list, tag := range map[string]Tag{"tag": Subsetted, "security": Redacted} {
		for coding := range meta.Get(list).Items() {
			if coding.Get("code").Text() == string(tag) && coding.Get("system").Text() == observationValue {
				return true
			}
		}
	}
	return false
}

// tag gives the edit that adds t to meta, none if it is there.
func (d *Doc) tag(t Tag) ([]Edit, error) {
	list := "tag"
	if t == Redacted {
		list = "security"
	}
	if codings := d.Root().Get("meta").Get(list); codings.Kind() == Array {
		for c := range codings.Items() {
			if c.Get("code").Text() == string(t) && c.Get("system").Text() == observationValue {
				return nil, nil
			}
		}
	}
	edit, err := d.coded(list, append(appendMember([]byte(`{"system":"`+observationValue+`"`), "code", string(t)), '}'))
	return []Edit{edit}, err
}

// coded gives the edit that adds a coding to a list of meta.
func (d *Doc) coded(list string, coding []byte) (Edit, error) {
	root := d.Root()
	meta := root.Get("meta")
	if !meta.Exists() {
		after := root.Get("id")
		if !after.Exists() {
			after = root.Get("resourceType")
		}
		_, at := after.Span()
		return Edit{at, at, []byte(`,"meta":{"` + list + `":[` + string(coding) + `]}`)}, nil
	}
	if meta.Kind() != Object {
		return Edit{}, structureAt(meta, "meta is not an object: write it as {...} or leave it out")
	}
	codings := meta.Get(list)
	if !codings.Exists() {
		return intoObject(meta, []byte(`"`+list+`":[`+string(coding)+`]`)), nil
	}
	if codings.Kind() != Array {
		return Edit{}, structureAt(codings, "this element repeats: write it as [...]")
	}
	for range codings.Items() {
		coding = append([]byte{','}, coding...)
		break
	}
	_, end := codings.Span()
	return Edit{end - 1, end - 1, coding}, nil
}
