package validate

import (
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/document"
	"chartwarden/internal/outcome"
)

// code checks the code s at n against a required binding; its system is implied.
func (c *check) code(n document.Node, s string, e *fhir.Element) {
	if !e.Codes.Has(s) {
		c.add(n, "", outcome.CodeInvalid, "this code is not allowed here: "+allowed(e.Codes))
	}
}

// concept checks a CodeableConcept with a required binding: one of its codings must be of the set.
func (c *check) concept(n document.Node, e *fhir.Element) {
	if e.Codes.Open || e.Type.Name != "CodeableConcept" || n.Kind() != document.Object {
		return
	}
	for coding := range n.Get("coding").Items() {
		if e.Codes.HasIn(coding.Get("system").Text(), coding.Get("code").Text()) {
			return
		}
	}
	c.add(n, "", outcome.CodeInvalid, "none of the codings is allowed here: "+allowed(e.Codes))
}

// few is how many codes a sentence may list; beyond, it names the value set.
const few = 12

// allowed says which codes are: the codes of R4 itself, no values of the record.
func allowed(set *fhir.Codes) string {
	var codes []string
	for _, s := range set.Systems {
		codes = append(codes, s.Codes...)
	}
	if len(codes) > few {
		return "use one of " + set.URL
	}
	text := "use " + strings.Join(codes, ", ")
	if len(set.Systems) == 1 {
		text += " of " + set.Systems[0].URL
	}
	return text
}
