package policy

import (
	"fmt"
	"time"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/eval"
)

// residual is what remains of one rule when everything but the record is known; false when it cannot hold for any record.
func residual(r rule, env eval.Env) (expression, bool, error) {
	left, keep := eval.PartialPolicy(env, r.tree)
	if !keep {
		return nil, false, nil
	}
	out, err := scopeExpression(left.Resource)
	for _, c := range left.Conditions {
		if err != nil {
			break
		}
		var term expression
		if term, err = compile(c.Body); c.Condition == ast.ConditionUnless {
			term = negation{term}
		}
		out = both{out, term}
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", r.id, err)
	}
	return out, true, nil
}

func scopeExpression(scope ast.IsScopeNode) (expression, error) {
	switch x := scope.(type) {
	case ast.ScopeTypeAll:
		return constant(yes), nil
	case ast.ScopeTypeIs:
		return isType(x.Type)
	}
	return nil, fmt.Errorf("a filter cannot use the scope %T", scope)
}

// isType knows that a filter only ever meets records and directory entries.
func isType(t types.EntityType) (expression, error) {
	switch t {
	case typeRecord:
		return negation{isDirectory{}}, nil
	case typeDirectory:
		return isDirectory{}, nil
	case typeSystem:
		return constant(no), nil
	}
	return nil, fmt.Errorf("a filter cannot ask for the type %s", t)
}

var relationFlags = map[types.String]func(*Relation) bool{
	"careTeam": func(r *Relation) bool { return r.CareTeam }, "openContact": func(r *Relation) bool { return r.OpenContact },
	"taskOpen": func(r *Relation) bool { return r.TaskOpen }, "asked": func(r *Relation) bool { return r.Asked }, "panel": func(r *Relation) bool { return r.Panel },
	"selfMade": func(r *Relation) bool { return r.SelfMade }, "self": func(r *Relation) bool { return r.Self },
}

var relationTimes = map[types.String]func(*Relation) (int64, bool){
	"lastContactEnd":   func(r *Relation) (int64, bool) { return millis(r.LastContactEnd) },
	"nextContactStart": func(r *Relation) (int64, bool) { return millis(r.NextContactStart) },
	"btgUntil":         func(r *Relation) (int64, bool) { return millis(r.BTGUntil) },
}

func millis(t time.Time) (int64, bool) { return t.UnixMilli(), !t.IsZero() }

var resourceFlags = map[types.String]func(*Resource) bool{
	"released": func(r *Resource) bool { return r.Released }, "restricted": func(r *Resource) bool { return r.Restricted },
	"fresh": func(r *Resource) bool { return r.New },
}

var resourceTexts = map[types.String]func(*Resource) string{
	"kind": func(r *Resource) string { return r.Type }, "class": func(r *Resource) string { return r.Group },
}

// compile turns syntax into an expression. What it does not know is an error, and the caller refuses the query.
func compile(n ast.IsNode) (expression, error) {
	switch x := n.(type) {
	case ast.NodeValue:
		if b, ok := x.Value.(types.Boolean); ok {
			return constant(truthOf(bool(b))), nil
		}
	case ast.NodeTypeAnd:
		l, r, err := compileTwo(x.BinaryNode)
		return both{l, r}, err
	case ast.NodeTypeOr:
		l, r, err := compileTwo(x.BinaryNode)
		return either{l, r}, err
	case ast.NodeTypeNot:
		of, err := compile(x.Arg)
		return negation{of}, err
	case ast.NodeTypeIs:
		if isVariable(x.Left, "resource") {
			return isType(x.EntityType)
		}
	case ast.NodeTypeHasTag:
		if isChart(x.Left) {
			return constant(yes), nil // the asker's tag is on every chart of a slice
		}
	case ast.NodeTypeHas:
		if get, ok := relationTimes[x.Value]; ok && isRelation(x.Arg) {
			return timeSet{instant{get: get}}, nil
		}
	case ast.NodeTypeAccess:
		if get, ok := relationFlags[x.Value]; ok && isRelation(x.Arg) {
			return relationFlag{get}, nil
		}
		if get, ok := resourceFlags[x.Value]; ok && isVariable(x.Arg, "resource") {
			return resourceFlag{get}, nil
		}
	case ast.NodeTypeLessThan:
		return compileTimes(x.Left, x.Right, false)
	case ast.NodeTypeLessThanOrEqual:
		return compileTimes(x.Left, x.Right, true)
	case ast.NodeTypeGreaterThan:
		return compileTimes(x.Right, x.Left, false)
	case ast.NodeTypeGreaterThanOrEqual:
		return compileTimes(x.Right, x.Left, true)
	case ast.NodeTypeEquals:
		return compileEquals(x.BinaryNode)
	case ast.NodeTypeNotEquals:
		of, err := compileEquals(x.BinaryNode)
		return negation{of}, err
	case ast.NodeTypeIsEmpty:
		if isFlags(x.Arg) {
			return noFlags{}, nil
		}
	default:
		return compileSets(n)
	}
	return nil, fmt.Errorf("a filter cannot use %T here", n)
}

func compileTwo(n ast.BinaryNode) (expression, expression, error) {
	l, err := compile(n.Left)
	if err != nil {
		return nil, nil, err
	}
	r, err := compile(n.Right)
	return l, r, err
}

func compileEquals(n ast.BinaryNode) (expression, error) {
	get, ok := text(n.Left)
	word, isWord := literal(n.Right)
	if ok && isWord {
		return textIn{get, []string{word}}, nil
	}
	return nil, fmt.Errorf("a filter compares only kind and class with a word")
}

func compileSets(n ast.IsNode) (expression, error) {
	switch x := n.(type) {
	case ast.NodeTypeContains:
		if words, ok := words(x.Left); ok {
			if get, ok := text(x.Right); ok {
				return textIn{get, words}, nil
			}
		}
		if get, ok := text(x.Right); ok && isAttribute(x.Left, "granted") {
			return grantedIn{get}, nil
		}
		if word, ok := literal(x.Right); ok {
			switch {
			case isLabels(x.Left):
				return labelIn{word}, nil
			case isFlags(x.Left):
				return flagIn{word}, nil
			}
		}
	case ast.NodeTypeContainsAll:
		if words, ok := words(x.Left); ok && isLabels(x.Right) {
			return labelsWithin{words}, nil
		}
	case ast.NodeTypeContainsAny:
		if keys, ok := words(x.Left); ok && isAttribute(x.Right, "orderDepts") {
			return orderTo{keys}, nil
		}
	}
	return nil, fmt.Errorf("a filter cannot use %T here", n)
}

func compileTimes(l, r ast.IsNode, orEqual bool) (expression, error) {
	left, err := instantOf(l)
	if err != nil {
		return nil, err
	}
	right, err := instantOf(r)
	return before{left, right, orEqual}, err
}

func instantOf(n ast.IsNode) (instant, error) {
	switch x := n.(type) {
	case ast.NodeValue:
		if t, ok := x.Value.(types.Datetime); ok {
			return instant{shift: t.Milliseconds()}, nil
		}
	case ast.NodeTypeAccess:
		if get, ok := relationTimes[x.Value]; ok && isRelation(x.Arg) {
			return instant{get: get}, nil
		}
	case ast.NodeTypeExtensionCall:
		if x.Name == "offset" {
			of, err := instantOf(x.Args[0])
			if v, ok := x.Args[1].(ast.NodeValue); ok && err == nil {
				if d, ok := v.Value.(types.Duration); ok {
					of.shift += d.ToMilliseconds()
					return of, nil
				}
			}
		}
	}
	return instant{}, fmt.Errorf("a filter compares only instants")
}

func isVariable(n ast.IsNode, name types.String) bool {
	v, ok := n.(ast.NodeTypeVariable)
	return ok && v.Name == name
}

func isChart(n ast.IsNode) bool {
	a, ok := n.(ast.NodeTypeAccess)
	return ok && a.Value == "chart" && isVariable(a.Arg, "resource")
}

// isRelation is the asker's tag: only her key can stand there, the slice holds no other.
func isRelation(n ast.IsNode) bool {
	g, ok := n.(ast.NodeTypeGetTag)
	return ok && isChart(g.Left)
}

func isAttribute(n ast.IsNode, name types.String) bool {
	a, ok := n.(ast.NodeTypeAccess)
	return ok && a.Value == name && isRelation(a.Arg)
}

func isFlags(n ast.IsNode) bool {
	a, ok := n.(ast.NodeTypeAccess)
	return ok && a.Value == "flags" && isChart(a.Arg)
}

func isLabels(n ast.IsNode) bool {
	a, ok := n.(ast.NodeTypeAccess)
	return ok && a.Value == "labels" && isVariable(a.Arg, "resource")
}

func text(n ast.IsNode) (func(*Resource) string, bool) {
	a, ok := n.(ast.NodeTypeAccess)
	if !ok || !isVariable(a.Arg, "resource") {
		return nil, false
	}
	get, ok := resourceTexts[a.Value]
	return get, ok
}

func literal(n ast.IsNode) (string, bool) {
	v, ok := n.(ast.NodeValue)
	if !ok {
		return "", false
	}
	s, ok := v.Value.(types.String)
	return string(s), ok
}

// words reads a set of words or of entities.
func words(n ast.IsNode) ([]string, bool) {
	out := []string{}
	switch x := n.(type) {
	case ast.NodeValue:
		set, ok := x.Value.(types.Set)
		if !ok {
			return nil, false
		}
		for v := range set.All() {
			switch v := v.(type) {
			case types.String:
				out = append(out, string(v))
			case types.EntityUID:
				out = append(out, string(v.ID))
			default:
				return nil, false
			}
		}
		return out, true
	case ast.NodeTypeSet:
		for _, e := range x.Elements {
			word, ok := literal(e)
			if !ok {
				return nil, false
			}
			out = append(out, word)
		}
		return out, true
	}
	return nil, false
}
