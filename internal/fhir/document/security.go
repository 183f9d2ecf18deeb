package document

import "slices"

// Secure adds a coding to meta.security, marked as chosen by nobody (Coding.userSelected false); d itself when a coding of that system and
// code is there. Errors: those of [Doc.Splice]; outcome.Structure if meta cannot carry it.
// Source: https://hl7.org/fhir/R4/datatypes-definitions.html#Coding.userSelected.
func (d *Doc) Secure(system, code string) (*Doc, error) {
	for coding := range d.Root().Get("meta").Get("security").Items() {
		if coding.Get("code").Text() == code && (coding.Get("system").Text() == system || coding.Get("system").Text() == "") {
			return d, nil
		}
	}
	text := append(appendMember(appendMember([]byte{'{'}, "system", system), "code", code), `,"userSelected":false}`...)
	text = slices.Delete(text, 1, 2) // the comma before the first member
	return d.secured(text)
}

// SecureLike adds a coding of another document's meta.security as it stands there. Errors: those of [Doc.Secure].
func (d *Doc) SecureLike(coding Node) (*Doc, error) { return d.secured(slices.Clone(coding.Raw())) }

func (d *Doc) secured(coding []byte) (*Doc, error) {
	edit, err := d.coded("security", coding)
	if err != nil {
		return nil, err
	}
	return d.Splice(edit)
}

// Unsecure takes the codings for which drop is true out of meta.security, and the list with the last of them; d itself when there are
// none. Errors: those of [Doc.Splice].
func (d *Doc) Unsecure(drop func(coding Node) bool) (*Doc, error) {
	list := d.Root().Get("meta").Get("security")
	var first, kept Node
	for coding := range list.Items() {
		switch {
		case !drop(coding):
			kept = coding
		case !first.Exists():
			first = coding
		}
	}
	switch {
	case !first.Exists():
		return d, nil
	case !kept.Exists():
		return d.Splice(list.Remove())
	}
	out, err := d.Splice(first.Remove()) // one at a time, since neighbours share a comma
	if err != nil {
		return nil, err
	}
	return out.Unsecure(drop)
}
