package policy

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// Requests ask the same again and again, only later. A bundle therefore remembers its answers (docs/adr/0071) under everything that its
// rules can see. Of the moment and the age of a sign-in they see nothing but comparisons with certain instants and numbers of seconds,
// which [readClock] finds in the syntax; how each of those comes out stands in the key instead of the moment. Equal keys are therefore
// equal questions. Where a rule does anything else with the moment, nothing is remembered.

// memo holds answers by key. Full, it begins anew.
type memo[T any] struct {
	most int

	mu sync.RWMutex
	of map[string]T
}

func (m *memo[T]) get(key []byte) (T, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	x, ok := m.of[string(key)]
	return x, ok
}

func (m *memo[T]) put(key []byte, x T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) >= m.most {
		m.of = map[string]T{}
	}
	m.of[string(key)] = x
}

const (
	mostDecisions = 8_192
	mostFilters   = 2_048
)

// clock is what the rules of a bundle ask of the moment: whether it is before or after one of these, and whether the sign-in is older
// than so many seconds.
type clock struct {
	instants []comparand
	ages     []int64
}

// comparand is a constant, or a time among the facts, and an offset in milliseconds.
type comparand struct {
	of    timeOf
	shift int64
}

type timeOf int8

const (
	constantTime timeOf = iota
	trainingDue
	lastContactEnd
	nextContactStart
	btgUntil
)

var relationTimeOf = map[types.String]timeOf{"lastContactEnd": lastContactEnd, "nextContactStart": nextContactStart, "btgUntil": btgUntil}

// in gives the instant in milliseconds; false where the fact is not there, so that no rule can compare with it.
func (c comparand) in(p *Principal, r *Relation) (int64, bool) {
	var t time.Time
	switch c.of {
	case constantTime:
		return c.shift, true
	case trainingDue:
		return p.TrainingDue.UnixMilli() + c.shift, true
	case lastContactEnd:
		t = r.LastContactEnd
	case nextContactStart:
		t = r.NextContactStart
	case btgUntil:
		t = r.BTGUntil
	}
	return t.UnixMilli() + c.shift, !t.IsZero()
}

// readClock finds what rules ask of the moment; false when one asks more than a clock can tell.
func readClock(rules []rule) (c clock, ok bool) {
	ok = true
	for _, r := range rules {
		for _, condition := range r.tree.Conditions {
			ast.Inspect(ast.NewNode(condition.Body), func(n ast.IsNode) bool {
				switch x := n.(type) {
				case ast.NodeTypeLessThan:
					return !c.compares(x.BinaryNode)
				case ast.NodeTypeLessThanOrEqual:
					return !c.compares(x.BinaryNode)
				case ast.NodeTypeGreaterThan:
					return !c.compares(x.BinaryNode)
				case ast.NodeTypeGreaterThanOrEqual:
					return !c.compares(x.BinaryNode)
				case ast.NodeTypeHas:
					return !isVariable(x.Arg, "context")
				case ast.NodeTypeAccess:
					if isVariable(x.Arg, "context") {
						ok = ok && x.Value != "now" && x.Value != "authAge"
						return false
					}
				case ast.NodeTypeVariable:
					ok = ok && x.Name != "context" // all of it at once
				}
				return true
			})
		}
	}
	return c, ok
}

// compares takes in a comparison of the moment with an instant, or of the age of the sign-in with a number; false when n is neither.
func (c *clock) compares(n ast.BinaryNode) bool {
	for _, side := range [][2]ast.IsNode{{n.Left, n.Right}, {n.Right, n.Left}} {
		a, ok := side[0].(ast.NodeTypeAccess)
		if !ok || !isVariable(a.Arg, "context") {
			continue
		}
		switch a.Value {
		case "now":
			instant, ok := comparandOf(side[1])
			if ok && !slices.Contains(c.instants, instant) {
				c.instants = append(c.instants, instant)
			}
			return ok
		case "authAge":
			v, _ := side[1].(ast.NodeValue)
			age, ok := v.Value.(types.Long)
			if ok && !slices.Contains(c.ages, int64(age)) {
				c.ages = append(c.ages, int64(age))
			}
			return ok
		}
	}
	return false
}

func comparandOf(n ast.IsNode) (comparand, bool) {
	switch x := n.(type) {
	case ast.NodeValue:
		t, ok := x.Value.(types.Datetime)
		return comparand{shift: t.Milliseconds()}, ok
	case ast.NodeTypeAccess:
		if of, ok := relationTimeOf[x.Value]; ok && isRelation(x.Arg) {
			return comparand{of: of}, true
		}
		return comparand{of: trainingDue}, x.Value == "trainingDue" && isVariable(x.Arg, "principal")
	case ast.NodeTypeExtensionCall:
		if x.Name == "datetime" && len(x.Args) == 1 {
			text, _ := literal(x.Args[0])
			t, err := types.ParseDatetime(text)
			return comparand{shift: t.Milliseconds()}, err == nil
		}
		if x.Name != "offset" || len(x.Args) != 2 {
			break
		}
		of, ok := comparandOf(x.Args[0])
		d, known := durationOf(x.Args[1])
		of.shift += d
		return of, ok && known
	}
	return comparand{}, false
}

func durationOf(n ast.IsNode) (int64, bool) {
	switch x := n.(type) {
	case ast.NodeValue:
		d, ok := x.Value.(types.Duration)
		return d.ToMilliseconds(), ok
	case ast.NodeTypeExtensionCall:
		if x.Name == "duration" && len(x.Args) == 1 {
			text, _ := literal(x.Args[0])
			d, err := types.ParseDuration(text)
			return d.ToMilliseconds(), err == nil
		}
	}
	return 0, false
}

// key writes everything that rules can see of a question, but for the resource, behind b.
func (c *clock) key(b []byte, p *Principal, action string, rel *Relation, at *Context) []byte {
	b = appendTexts(b, p.Kind, p.ID, p.Capacity, p.House, action, at.Device, at.Zone)
	for _, list := range [][]string{p.Roles, p.Departments, p.Clearances, p.Reads, p.Writes, p.Groups, rel.OrderDepts, rel.Flags, rel.Granted} {
		b = appendTexts(binary.AppendUvarint(b, uint64(len(list))), list...)
	}
	b = appendTruths(b, p.OnShift, p.Active, p.Provisions, p.Groups == nil, rel.CareTeam, rel.OpenContact, rel.TaskOpen, rel.SelfMade, rel.Self, rel.Panel, rel.Asked)
	for _, t := range [...]time.Time{p.TrainingDue, rel.LastContactEnd, rel.NextContactStart, rel.BTGUntil} {
		b = appendTruths(binary.AppendVarint(b, t.UnixMilli()), t.IsZero())
	}
	for _, n := range [...]int{at.AAL, at.Approvals, at.Rows} {
		b = binary.AppendVarint(b, int64(n))
	}
	now := at.Now.UnixMilli()
	for _, instant := range c.instants {
		if t, there := instant.in(p, rel); there {
			b = append(b, order(now, t))
		}
	}
	for _, age := range c.ages {
		b = append(b, order(int64(at.AuthAge), age))
	}
	return b
}

// appendResource writes everything that rules can see of a resource behind b.
func appendResource(b []byte, r *Resource) []byte {
	b = appendTexts(b, r.PatientKey, r.Type, r.Group)
	return appendTexts(appendTruths(b, r.Released, r.New, r.Restricted), r.Labels...)
}

func order(a, b int64) byte {
	switch {
	case a < b:
		return '<'
	case a > b:
		return '>'
	}
	return '='
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func appendTruths(b []byte, truths ...bool) []byte {
	for _, t := range truths {
		b = append(b, byte(truthOf(t)))
	}
	return b
}
