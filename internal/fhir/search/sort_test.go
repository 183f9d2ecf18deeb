package search

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chartwarden/internal/fhir/document"
)

func TestSortKeysOrderAsBytes(t *testing.T) {
	for _, c := range []struct{ kind, key, resources, want string }{
		{"Observation", "date", `a "effectiveDateTime":"2019" | b "effectiveDateTime":"1890-01-01" | c | d "effectivePeriod":{"start":"2018","end":"2030"}`, "b d a c"},
		{"Observation", "-date", `a "effectiveDateTime":"2019" | b "effectiveDateTime":"1890-01-01" | c | d "effectivePeriod":{"start":"2018","end":"2030"}`, "a d b c"},
		{"Observation", "value-quantity", `a "valueQuantity":{"value":-2} | b "valueQuantity":{"value":10} | c "valueQuantity":{"value":-10.5} | d "valueQuantity":{"value":9} | e "valueQuantity":{"value":0}`, "c a e d b"},
		{"Observation", "-value-quantity", `a "valueQuantity":{"value":-2} | b "valueQuantity":{"value":10} | c "valueQuantity":{"value":0,"comparator":"<"} | d`, "b c a d"},
		{"Observation", "status,-date", `a "status":"final","effectiveDateTime":"2018" | b "status":"final","effectiveDateTime":"2019" | c "status":"amended" | d "effectiveDateTime":"2020"`, "c b a d"},
		{"Patient", "family", `a "name":[{"family":"Zoe"}] | b "name":[{"family":"zo"}] | c "name":[{"family":"Ähre"}] | d "name":[{"family":"ahr"},{"family":"zz"}]`, "d c b a"},
		{"Patient", "-family", `a "name":[{"family":"Zoe"}] | b "name":[{"family":"zo"}] | c | d "name":[{"family":"ahr"},{"family":"zz"}]`, "d a b c"},
		{"Observation", "subject", `a "subject":{"reference":"Patient/2"} | b "subject":{"reference":"Group/9"} | c "subject":{"reference":"http://x.example/a"} | d "subject":{"identifier":{"value":"0"}}`, "d b a c"},
		{"ValueSet", "version", `a "version":"1\u0000b" | b "version":"1" | c "version":"1\u0000" | d "version":"1b"`, "b c a d"},
		{"ValueSet", "-version", `a "version":"1\u0000b" | b "version":"1" | c "version":"1\u0000" | d "version":"1b"`, "d a c b"},
		{"Observation", "_id", `b | a | ab`, "a ab b"},
		{"Observation", "code", `a "code":{"text":"Alpha"} | b "code":{"coding":[{"code":"b"}]}`, "a b"},
	} {
		q := query(t, c.kind, "_sort="+c.key)
		var docs []*document.Doc
		for r := range strings.SplitSeq(c.resources, " | ") {
			id, rest, _ := strings.Cut(r, " ")
			if rest != "" {
				rest = "," + rest
			}
			docs = append(docs, doc(t, fmt.Sprintf(`{"resourceType":%q,"id":%q%s}`, c.kind, id, rest)))
		}
		slices.SortStableFunc(docs, func(a, b *document.Doc) int { return bytes.Compare(q.SortKey(a), q.SortKey(b)) })
		var got []string
		for _, d := range docs {
			got = append(got, d.ID())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s by %s: %v, want %s", c.kind, c.key, got, c.want)
		}
	}
	if key := query(t, "Observation", "").SortKey(doc(t, bodyHeight)); key != nil {
		t.Errorf("a key without _sort: %x", key)
	}
}
