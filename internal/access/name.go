package access

import (
	"strings"

	"chartwarden/internal/fhir/document"
)

// HumanName writes a name as `Family, Given`, the official one where there are several. Every page says it by this, so that the patient who is
// found and the chart that opens are called the same.
func HumanName(names document.Node) string {
	rank := map[string]int{"official": 1, "usual": 2, "": 3, "nickname": 5, "temp": 4, "anonymous": 4, "old": 8, "maiden": 8}
	var pick document.Node
	for n := range names.Items() {
		if !pick.Exists() || rank[n.Get("use").Text()] < rank[pick.Get("use").Text()] {
			pick = n
		}
	}
	var given []string
	for n := range pick.Get("given").Items() {
		given = append(given, n.Text())
	}
	family := pick.Get("family").Text()
	switch {
	case family == "" && len(given) == 0:
		return pick.Get("text").Text()
	case family == "":
		return strings.Join(given, " ")
	case len(given) == 0:
		return family
	}
	return family + ", " + strings.Join(given, " ")
}
