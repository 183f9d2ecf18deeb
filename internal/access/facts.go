package access

import (
	"chartwarden/internal/policy"
	"chartwarden/internal/record"
)

// facts is what the rules saw of a decision about one chart, for its entry: with it the decision can be made again, by the bundle of its
// day or by a candidate. Empty where no kind of record was decided about.
func (s standing) facts(action string, of ...policy.Resource) string {
	if action == "" || len(of) == 0 {
		return ""
	}
	if s.actor != nil {
		return s.actor.facts(action, of...)
	}
	return policy.Facts{Principal: s.who, Action: action, Relation: s.relation, Context: s.context, Resources: of}.Text()
}

// facts are those of the records that are about to be opened; of a search that found none, of the kind that was asked for: that it was answered
// is a decision, too.
func (p permitted) facts() string {
	var of []policy.Resource
	seen := map[string]bool{}
	for _, x := range p.records {
		if len(x.Labels()) == 0 && x.Released() {
			if seen[x.Type()] {
				continue
			}
			seen[x.Type()] = true
		}
		of = append(of, p.standing.resource(x))
	}
	if len(of) == 0 && p.standing.kind != "" {
		of = append(of, p.standing.typical(p.standing.kind))
	}
	return p.standing.facts(p.action, of...)
}

var _ sealed = (*record.Sealed)(nil)
