package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// careGuard is the waiver that keeps a forbid from standing between a person and a patient in need. It holds for a session of two
// factors with an open contact or a live grant, except on an unknown device on the internet without a fresh factor.
const careGuard = `forbid (principal is Staff, action, resource is Record) unless {
  action in [Action::"read", Action::"search", Action::"write"] &&
  context.aal >= 2 &&
  (context.device != "unknown" || context.zone != "internet" || context.authAge <= 900) &&
  resource.chart.hasTag(principal.key) &&
  (resource.chart.getTag(principal.key).openContact ||
   (resource.chart.getTag(principal.key) has btgUntil && context.now < resource.chart.getTag(principal.key).btgUntil))
};`

// unguarded are the forbids that may stand before care without the guard, each with its reason.
var unguarded = map[string]string{
	"deny.inactive":      "an account that was ended opens nothing",
	"deny.self.staff":    "one's own chart is never an emergency: the portal shows it",
	"deny.label":         "asks for nothing; a live grant lifts it",
	"deny.flagged":       "asks for nothing; contact or a live grant lifts it",
	"deny.consent":       "asks for nothing; a live grant lifts it",
	"deny.consent.enter": "asks for nothing; a Consent is no care",
	"deny.groups":        "asks for nothing; a live grant lifts it",
	"deny.psychotherapy": "closed in an emergency too, by decision",
	"stepup.factor":      "a session of one factor is not signed in yet; the guard asks for two",
}

var (
	wellFormedID = regexp.MustCompile(`^(treat|btg|ops|directory|self|admin|client|job|research|deny|stepup)(\.[a-z]+)+$`)
	advices      = []string{"training", "device:register", "step-up:aal2", "step-up:fresh-aal2", "approval:export", "approval:print"}
	annotations  = []types.AnnotationKey{"id", "why", "advice", "override", "rests"}
)

// vocabulary is what strings of the rules are compared with; the schema knows them only as String.
var vocabulary = map[types.String][]string{
	"device": {Managed, Registered, Unknown},
	"zone":   {Hospital, VPN, Internet},
	"flags":  {"vip", "employee", "confidential", "staff-safety"},
	"class": {"demographics", "identifiers", "contact", "scheduling", "billing", "medications", "results", "clinical", "notes",
		"directory"},
}

// lint finds what the validator lets pass: nameless rules, misspelt roles and words, permits that admit whoever is not excluded, and
// forbids without the care guard.
func (s *Set) lint() (faults []string) {
	complain := func(r rule, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: %s: ", r.place, r.id)+fmt.Sprintf(format, args...))
	}
	seen := map[string]bool{}
	for _, r := range s.rules {
		notes := r.policy.Annotations()
		switch {
		case r.id == "":
			complain(r, "has no @id")
		case !wellFormedID.MatchString(r.id):
			complain(r, "@id is not topic.name in small letters")
		case seen[r.id]:
			complain(r, "@id is used twice")
		case r.permit == (strings.HasPrefix(r.id, "deny.") || strings.HasPrefix(r.id, "stepup.")):
			complain(r, "@id and effect disagree: deny.* and stepup.* forbid, all others permit")
		}
		seen[r.id] = true
		if !strings.HasSuffix(r.reason.Why, ".") {
			complain(r, "has no @why that is a sentence")
		}
		for key, value := range notes {
			if !slices.Contains(annotations, key) {
				complain(r, "@%s is unknown", key)
			}
			if (key == "override" || key == "rests") && value != "btg" {
				complain(r, "@%s knows only btg", key)
			}
		}
		if a := r.reason.Advice; a != "" && (r.permit || !slices.Contains(advices, a)) {
			complain(r, "@advice is unknown, or on a permit")
		}
		for _, name := range s.unknownNames(r) {
			complain(r, "%s", name)
		}
		if singles(r.tree) {
			complain(r, "picks single people by principal.key: rules speak of roles and relationships, and key is the name of a relationship's tag alone")
		}
		if calls(r.tree, "datetime") {
			complain(r, "names a day: when rules begin is said when they are published")
		}
		if r.permit && !admits(r.tree) {
			complain(r, "a permit names those it admits: a role, a client, or a job")
		}
		if mentions(r.tree, "btgUntil") != (r.reason.glass || notes["override"] == "btg" || hasGuard(r.tree)) {
			complain(r, "speaks of a grant without @rests, @override or the care guard, or the other way round")
		}
		if !r.permit && s.beforeCare(r.tree) && !hasGuard(r.tree) && unguarded[r.id] == "" {
			complain(r, "lacks the care guard")
		}
	}
	return faults
}

// singles reports whether a rule looks at who somebody is. No law could be held against it by trying: whoever it is for is none of those tried.
func singles(p *ast.Policy) bool {
	key := func(n ast.IsNode) bool {
		x, ok := n.(ast.NodeTypeAccess)
		return ok && x.Value == "key" && isVariable(x.Arg, "principal")
	}
	all, tags := 0, 0
	inspect(p, func(n ast.IsNode) {
		switch x := n.(type) {
		case ast.NodeTypeHasTag:
			if key(x.Right) {
				tags++
			}
		case ast.NodeTypeGetTag:
			if key(x.Right) {
				tags++
			}
		case ast.NodeTypeAccess:
			if key(x) {
				all++
			}
		}
	})
	return all != tags
}

// calls reports whether a rule calls a function of Cedar.
func calls(p *ast.Policy, name types.Path) (found bool) {
	inspect(p, func(n ast.IsNode) {
		if x, ok := n.(ast.NodeTypeExtensionCall); ok && x.Name == name {
			found = true
		}
	})
	return found
}

// unknownNames finds entities that no enumeration holds and strings that no vocabulary holds.
func (s *Set) unknownNames(r rule) (out []string) {
	inspect(r.tree, func(n ast.IsNode) {
		switch x := n.(type) {
		case ast.NodeValue:
			if uid, ok := x.Value.(types.EntityUID); ok {
				out = append(out, s.unknownEntity(uid)...)
			}
		case ast.NodeTypeEquals:
			out = append(out, unknownWord(x.BinaryNode)...)
		case ast.NodeTypeNotEquals:
			out = append(out, unknownWord(x.BinaryNode)...)
		case ast.NodeTypeContains:
			out = append(out, unknownWord(x.BinaryNode)...)
			out = append(out, unknownWord(ast.BinaryNode{Left: x.Right, Right: x.Left})...)
		}
	})
	for _, scope := range []ast.IsScopeNode{r.tree.Principal, r.tree.Resource} {
		switch x := scope.(type) {
		case ast.ScopeTypeEq:
			out = append(out, s.unknownEntity(x.Entity)...)
		case ast.ScopeTypeIn:
			out = append(out, s.unknownEntity(x.Entity)...)
		case ast.ScopeTypeIsIn:
			out = append(out, s.unknownEntity(x.Entity)...)
		}
	}
	return out
}

func (s *Set) unknownEntity(uid types.EntityUID) []string {
	enum, ok := s.schema.Enums[uid.Type]
	switch {
	case !ok && uid.Type != "Action":
		return []string{fmt.Sprintf("%s is one alone: rules speak of roles and relationships", uid)}
	case ok && !slices.Contains(enum.Values, uid):
		return []string{fmt.Sprintf("%s is not in the schema", uid)}
	}
	return nil
}

// unknownWord looks at attribute on one side, literals on the other.
func unknownWord(n ast.BinaryNode) (out []string) {
	access, ok := n.Left.(ast.NodeTypeAccess)
	if !ok {
		return nil
	}
	words, ok := vocabulary[access.Value]
	if !ok {
		return nil
	}
	literals := []ast.IsNode{n.Right}
	if set, ok := n.Right.(ast.NodeTypeSet); ok {
		literals = set.Elements
	}
	for _, l := range literals {
		if v, ok := l.(ast.NodeValue); ok {
			if word, ok := v.Value.(types.String); ok && !slices.Contains(words, string(word)) {
				out = append(out, fmt.Sprintf("%q is no %s", word, access.Value))
			}
		}
	}
	return out
}

// admits reports whether a permit says whom it admits: a role in its scope, a list of roles as a condition that must hold, a client,
// or one job.
func admits(p *ast.Policy) bool {
	switch x := p.Principal.(type) {
	case ast.ScopeTypeIsIn:
		return x.Entity.Type == typeRole
	case ast.ScopeTypeEq:
		return x.Entity.Type == typeJob
	case ast.ScopeTypeIs:
		if x.Type == typeClient {
			return true
		}
	}
	return slices.ContainsFunc(p.Conditions, func(c ast.ConditionType) bool {
		return c.Condition == ast.ConditionWhen && conjunct(c.Body, func(n ast.IsNode) bool {
			in, ok := n.(ast.NodeTypeIn)
			if !ok {
				return false
			}
			v, ok := in.Left.(ast.NodeTypeVariable)
			set, isSet := in.Right.(ast.NodeTypeSet)
			return ok && v.Name == "principal" && isSet && !slices.ContainsFunc(set.Elements, func(e ast.IsNode) bool {
				v, ok := e.(ast.NodeValue)
				uid, isUID := v.Value.(types.EntityUID)
				return !ok || !isUID || uid.Type != typeRole
			})
		})
	})
}

// conjunct reports whether one of the terms that are joined by && passes.
func conjunct(n ast.IsNode, pass func(ast.IsNode) bool) bool {
	if and, ok := n.(ast.NodeTypeAnd); ok {
		return conjunct(and.Left, pass) || conjunct(and.Right, pass)
	}
	return pass(n)
}

// beforeCare reports whether a forbid can meet a member of staff who reads, searches or writes a chart.
func (s *Set) beforeCare(p *ast.Policy) bool {
	return scopeMay(p.Principal, typeStaff) && scopeMay(p.Resource, typeRecord) &&
		slices.ContainsFunc([]string{Read, Search, Write}, func(a string) bool { return actionIn(p.Action, s.actions[a]) })
}

var guardBody = func() ast.IsNode {
	var p cedar.Policy
	if err := p.UnmarshalCedar([]byte(careGuard)); err != nil {
		panic(err) // a constant
	}
	return p.AST().Conditions[0].Body
}()

func hasGuard(p *ast.Policy) bool {
	return slices.ContainsFunc(p.Conditions, func(c ast.ConditionType) bool {
		return c.Condition == ast.ConditionUnless && ast.Equal(ast.NewNode(c.Body), ast.NewNode(guardBody))
	})
}

func mentions(p *ast.Policy, attribute types.String) (found bool) {
	inspect(p, func(n ast.IsNode) {
		if a, ok := n.(ast.NodeTypeAccess); ok && a.Value == attribute {
			found = true
		}
	})
	return found
}

func inspect(p *ast.Policy, visit func(ast.IsNode)) {
	for _, c := range p.Conditions {
		ast.Inspect(ast.NewNode(c.Body), func(n ast.IsNode) bool { visit(n); return true })
	}
}
