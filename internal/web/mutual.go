package web

import (
	"fmt"

	"chartwarden/internal/access"
	"chartwarden/internal/web/look"
)

// mutual says of each pair how often they agreed to each other, and how often turns would have had them do so.
func mutual(pairs []access.Mutual) (facts []look.Fact) {
	for _, p := range pairs {
		facts = append(facts, look.Fact{Name: p.One.Name + " and " + p.Other.Name, Tone: look.Warn,
			Value: fmt.Sprintf("%d of their %d requests; about %.0f by turns", p.Agreed, p.Asked, p.Expected)})
	}
	return facts
}
