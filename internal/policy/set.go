package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"chartwarden/internal/outcome"
	"chartwarden/policies"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// Set is a loaded bundle. It does not change, but for remembering answers, and is safe for concurrent use.
type Set struct {
	hash     string
	rules    []rule
	schema   *resolved.Schema
	house    []HouseRole
	actions  map[string]types.Entity    // with their parents
	relevant map[question]relevantRules // rules whose scope can match, so that a decision walks a third of the bundle

	clock     clock
	lasting   bool // the clock tells all that rules ask of the moment: answers may be remembered
	decisions memo[Decision]
	filters   memo[*Filter]
}

// rule is one policy, compiled and as syntax.
type rule struct {
	id     string
	policy *cedar.Policy
	tree   *ast.Policy
	reason Reason
	permit bool
	place  string // file:line
}

type question struct {
	principal types.EntityType
	action    string
	resource  types.EntityType
}

type relevantRules struct{ permits, forbids rules }

// rules lets the engine walk them in our order, sorted by id, where its own set is a map.
type rules []rule

func (r rules) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, x := range r {
			if !yield(cedar.PolicyID(x.id), x.policy) {
				return
			}
		}
	}
}

var shipped = sync.OnceValues(func() (*Set, error) { return Load(policies.Files) })

// Default is the shipped bundle.
func Default() *Set {
	set, err := shipped()
	if err != nil {
		panic(err) // the bundle is part of the binary; its test would have failed
	}
	return set
}

// Load reads a bundle: schema.cedarschema, *.cedar, scenarios/*.txt and roles.txt. It parses, validates against the schema in strict mode and
// lints; the error (outcome.Invalid) names every fault with file and line. It does not run the scenarios: see [Set.Test].
func Load(bundle fs.FS) (*Set, error) {
	set, faults := parse(bundle)
	if len(faults) == 0 {
		faults = append(set.validate(), set.lint()...)
	}
	if len(faults) > 0 {
		return nil, outcome.Wrap("policy: load", outcome.Invalid, "the policies cannot be used: "+strings.Join(faults, "; "), errors.New("invalid bundle"))
	}
	set.index()
	return set, nil
}

// Reopen loads a bundle that was checked when it was published: it only parses, so that an old decision can be made again whatever the
// program asks of a bundle today. To enforce one use [Load]. Errors: outcome.Invalid.
func Reopen(bundle fs.FS) (*Set, error) {
	set, faults := parse(bundle)
	if len(faults) > 0 {
		return nil, outcome.Wrap("policy: reopen", outcome.Invalid, "this bundle cannot be read: "+strings.Join(faults, "; "), errors.New("invalid bundle"))
	}
	set.index()
	return set, nil
}

// Check lists every fault of a bundle, with file and line; none means that [Load] accepts it.
func Check(bundle fs.FS) []string {
	set, faults := parse(bundle)
	if len(faults) == 0 {
		faults = append(set.validate(), set.lint()...)
	}
	return faults
}

// Hash identifies the bundle: SHA-256 over its files, in hex. It stands in every audit entry, so that each decision can be explained
// by the rules of its day.
func (s *Set) Hash() string { return s.hash }

// Policies lists every policy of the bundle, sorted by id.
func (s *Set) Policies() []Reason {
	var out []Reason
	for _, r := range s.rules {
		out = append(out, r.reason)
	}
	return out
}

// Actions lists the actions that a request may name, sorted. A route of the server names one of them.
func (s *Set) Actions() []string {
	return slices.Sorted(maps.Keys(s.actions))
}

func parse(bundle fs.FS) (*Set, []string) {
	set := &Set{actions: map[string]types.Entity{}}
	text, err := fs.ReadFile(bundle, schemaFile)
	if err != nil {
		return nil, []string{"schema.cedarschema is missing"}
	}
	var sc schema.Schema
	sc.SetFilename(schemaFile)
	if err := sc.UnmarshalCedar(text); err != nil {
		return nil, []string{err.Error()}
	}
	if set.schema, err = sc.Resolve(); err != nil {
		return nil, []string{"schema.cedarschema: " + err.Error()}
	}
	for uid, a := range set.schema.Actions {
		if a.AppliesTo != nil { // not a group
			set.actions[string(uid.ID)] = a.Entity
		}
	}
	names := filesOf(bundle)
	texts := map[string]string{schemaFile: string(text)}
	var faults []string
	for _, name := range names {
		text, err := fs.ReadFile(bundle, name)
		if err != nil {
			faults = append(faults, name+": cannot be read")
			continue
		}
		texts[name] = string(text)
		if name == HouseFile {
			var wrong []string
			set.house, wrong = ReadHouse(string(text))
			faults = append(faults, wrong...)
		}
		if !strings.HasSuffix(name, ".cedar") {
			continue
		}
		list, err := cedar.NewPolicyListFromBytes(name, text)
		if err != nil {
			faults = append(faults, strings.Replace(err.Error(), "<input>", name, 1))
			continue
		}
		for _, p := range list {
			set.rules = append(set.rules, newRule(name, p))
		}
	}
	if len(faults) == 0 && len(set.rules) == 0 {
		faults = append(faults, "there is no policy")
	}
	slices.SortStableFunc(set.rules, func(a, b rule) int { return strings.Compare(a.id, b.id) })
	set.hash = hashOf(slices.Insert(names, 0, schemaFile), func(name string) string { return texts[name] })
	return set, faults
}

func newRule(file string, p *cedar.Policy) rule {
	notes := p.Annotations()
	id := string(notes["id"])
	return rule{
		id: id, policy: p, tree: (*ast.Policy)(p.AST()), permit: p.Effect() == cedar.Permit,
		place:  fmt.Sprintf("%s:%d", file, p.Position().Line),
		reason: Reason{ID: id, Why: string(notes["why"]), Advice: string(notes["advice"]), glass: notes["rests"] == "btg"},
	}
}

func (s *Set) validate() (faults []string) {
	v := validate.New(s.schema, validate.WithStrict())
	for _, r := range s.rules {
		if err := v.Policy(r.id, r.tree); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %s: %s", r.place, r.id, err))
		}
	}
	for _, e := range sampleEntities() {
		if err := v.Entity(e); err != nil {
			faults = append(faults, fmt.Sprintf("schema.cedarschema: the server's facts no longer fit: %s", err))
		}
	}
	return faults
}

// index sorts out, once, which rules can match which kind of question: by the scope line alone, never by a condition.
func (s *Set) index() {
	s.clock, s.lasting = readClock(s.rules)
	s.decisions.most, s.filters.most = mostDecisions, mostFilters
	s.relevant = map[question]relevantRules{}
	for action, entity := range s.actions {
		for _, p := range []types.EntityType{typeStaff, typePatient, typeClient, typeJob} {
			for _, r := range []types.EntityType{typeRecord, typeDirectory, typeSystem} {
				var found relevantRules
				for _, x := range s.rules {
					if !scopeMay(x.tree.Principal, p) || !scopeMay(x.tree.Resource, r) || !actionIn(x.tree.Action, entity) {
						continue
					}
					if x.permit {
						found.permits = append(found.permits, x)
					} else {
						found.forbids = append(found.forbids, x)
					}
				}
				s.relevant[question{p, action, r}] = found
			}
		}
	}
}

func scopeMay(scope ast.IsScopeNode, t types.EntityType) bool {
	switch x := scope.(type) {
	case ast.ScopeTypeIs:
		return x.Type == t
	case ast.ScopeTypeIsIn:
		return x.Type == t
	case ast.ScopeTypeEq:
		return x.Entity.Type == t
	}
	return true
}

func actionIn(scope ast.IsActionScopeNode, action types.Entity) bool {
	in := func(uid types.EntityUID) bool { return action.UID == uid || action.Parents.Contains(uid) }
	switch x := scope.(type) {
	case ast.ScopeTypeEq:
		return action.UID == x.Entity
	case ast.ScopeTypeIn:
		return in(x.Entity)
	case ast.ScopeTypeInSet:
		return slices.ContainsFunc(x.Entities, in)
	}
	return true
}
