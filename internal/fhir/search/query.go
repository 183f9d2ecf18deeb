package search

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"chartwarden/internal/outcome"
)

// Query is a search of one resource type. It is immutable and safe for concurrent use. What it looks for cannot be printed: a Query
// prints as its type and the names of its parameters.
type Query struct {
	Type     string
	Count    int      // _count: resources a page; -1 when not given
	Sort     []Sort   // _sort, first key first
	Total    string   // _total: none, estimate or accurate; "" when not given
	Summary  string   // _summary: true, text, data, count or false; "" when not given
	Elements []string // _elements: top-level elements to return
	Includes []Include
	Ignored  []string // parameters that were passed over because Options.Strict is off

	// Behind functions, since every printer shows a function as an address.
	clauses func() []Clause
	links   func() []Link
	site    func() site
}

// Sort is a key of the order of results.
type Sort struct {
	Param      *Param
	Descending bool
}

// Clause is one condition: any of its operands must hold. All clauses of a query must hold.
type Clause struct {
	Param    *Param
	Modifier Modifier
	Missing  bool // with ModifierMissing: there must be no value
	Any      []Operand
}

// Modifier changes how a clause compares.
type Modifier string

// The modifiers that are supported. That of a resource type (subject:Patient) ends up in the Kind of the operands.
const (
	NoModifier         Modifier = ""
	ModifierMissing    Modifier = "missing"
	ModifierExact      Modifier = "exact"
	ModifierContains   Modifier = "contains"
	ModifierNot        Modifier = "not"
	ModifierText       Modifier = "text"
	ModifierOfType     Modifier = "of-type"
	ModifierIdentifier Modifier = "identifier"
	ModifierAbove      Modifier = "above"
	ModifierBelow      Modifier = "below"
)

var modifiers = map[Type][]Modifier{
	Token:     {ModifierMissing, ModifierNot, ModifierText, ModifierOfType},
	Date:      {ModifierMissing},
	String:    {ModifierMissing, ModifierExact, ModifierContains},
	Number:    {ModifierMissing},
	Quantity:  {ModifierMissing},
	Reference: {ModifierMissing, ModifierIdentifier},
	URI:       {ModifierMissing, ModifierAbove, ModifierBelow},
	Composite: {ModifierMissing},
}

// Limits of what one query may ask for, and with it of the work on one document.
const (
	maxOperands = 2000
	maxSorts    = 16
)

// Parse reads the parameters of a search on a resource type; those of a _search body and of the URL together.
//
// Errors are outcome.Invalid (a value that does not fit: mend it), outcome.NotSupported (a modifier or a parameter that is not
// there) or outcome.TooCostly (too many values, too long a chain); they name the parameter and the mend, never the value.
// A parameter that nobody knows is an error when Options.Strict is set, else it is passed over and listed in Query.Ignored. What
// would change the meaning of the rest if passed over is always an error.
func Parse(resourceType string, parameters url.Values, o Options) (*Query, error) {
	if catalogue()[resourceType] == nil {
		return nil, outcome.New(outcome.NotSupported, "this is no resource type of FHIR R4: write it as in Patient")
	}
	p := &queryParser{q: &Query{Type: resourceType, Count: -1}, strict: o.Strict, alone: o.Alone, site: o.site(), now: o.Now}
	if p.now.IsZero() {
		p.now = time.Now()
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if err := p.parameter(name, parameters[name]); err != nil {
			return nil, outcome.Wrap("search", outcome.Invalid, "", err)
		}
	}
	return p.query(), nil
}

// query closes the query, with its conditions in their normal order.
func (p *queryParser) query() *Query {
	slices.SortStableFunc(p.clauses, func(a, b Clause) int { return cmp.Compare(a.normal(), b.normal()) })
	p.clauses = slices.CompactFunc(p.clauses, func(a, b Clause) bool { return a.normal() == b.normal() })
	slices.SortStableFunc(p.links, func(a, b Link) int { return cmp.Compare(a.normal(), b.normal()) })
	p.links = slices.CompactFunc(p.links, func(a, b Link) bool { return a.normal() == b.normal() })
	p.q.clauses = func() []Clause { return p.clauses }
	p.q.links = func() []Link { return p.links }
	p.q.site = func() site { return p.site }
	return p.q
}

func (o Options) site() site {
	s := site{zone: o.zone()}
	if o.Base != "" {
		s.base = strings.TrimSuffix(o.Base, "/") + "/"
	}
	return s
}

// Clauses lists the conditions in their normal order, for those who look for a driving index. Do not change it, and do not print
// what it holds.
func (q *Query) Clauses() []Clause { return q.clauses() }

// subjects are the parameters that name the patient whom a resource is about.
var subjects = []string{"patient", "subject", "beneficiary", "individual"}

// Subject reports whether a parameter names the patient in whose chart the resource lies.
func Subject(p *Param) bool { return p.Type == Reference && slices.Contains(subjects, p.Name) }

// Patients are the ids of the patients whom a clause asks for, one of whom every match names as its subject; false when it asks for
// something else.
func (c *Clause) Patients() (ids []string, ok bool) {
	if !Subject(c.Param) || c.Modifier != NoModifier {
		return nil, false
	}
	for i := range c.Any {
		if op := &c.Any[i]; op.ID == "" || op.Kind != "Patient" && (op.Kind != "" || !c.Param.TargetsOnly("Patient")) {
			return nil, false
		}
		ids = append(ids, c.Any[i].ID)
	}
	return ids, true
}

// Patient is the id of the one patient whom the query fixes: the target of patient=, subject= and the like, or the _id of a search
// for Patient. Every match names that patient there. False when there is none or several are asked for.
func (q *Query) Patient() (id string, ok bool) {
	clauses := q.clauses()
	for i := range clauses {
		c := &clauses[i]
		if q.Type == "Patient" && c.Param.Name == "_id" && len(c.Any) == 1 && c.Modifier == NoModifier {
			return c.Any[0].Code, true
		}
		if ids, ok := c.Patients(); ok && len(ids) == 1 {
			return ids[0], true
		}
	}
	return "", false
}

// Normalised is the query in one form for all ways to write it, without _count and what concerns only the form of the answer. It
// holds patient data: hash or seal it.
func (q *Query) Normalised() string {
	var b strings.Builder
	b.WriteString(q.Type)
	for _, c := range q.clauses() {
		b.WriteString("&" + c.normal())
	}
	for _, l := range q.links() {
		b.WriteString("&" + l.normal())
	}
	for _, s := range q.Sort {
		b.WriteString("&_sort=" + s.String())
	}
	return b.String()
}

func (c Clause) normal() string {
	name := c.Param.Name
	if c.Modifier != NoModifier {
		name += ":" + string(c.Modifier)
	}
	if c.Modifier == ModifierMissing {
		return fmt.Sprintf("%s=%t", name, c.Missing)
	}
	literals := make([]string, len(c.Any))
	for i, op := range c.Any {
		literals[i] = op.literal
	}
	return name + "=" + strings.Join(literals, ",")
}

// String is the key as _sort writes it.
func (s Sort) String() string {
	if s.Descending {
		return "-" + s.Param.Name
	}
	return s.Param.Name
}

// String is the type and the names of the parameters.
func (q *Query) String() string {
	if q == nil || q.clauses == nil {
		return "no query"
	}
	names := []string{}
	for _, c := range q.clauses() {
		names = append(names, c.String())
	}
	for _, l := range q.links() {
		names = append(names, l.String())
	}
	return q.Type + "?" + strings.Join(slices.Compact(names), "&")
}

// Format prints [Query.String] for every verb.
func (q *Query) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, q.String()) }

// LogValue is [Query.String].
func (q *Query) LogValue() slog.Value { return slog.StringValue(q.String()) }

// MarshalText is [Query.String].
func (q *Query) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// String is the name of the parameter.
func (c Clause) String() string {
	if c.Modifier != NoModifier {
		return c.Param.Name + ":" + string(c.Modifier)
	}
	return c.Param.Name
}

// Format prints [Clause.String] for every verb.
func (c Clause) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is [Clause.String].
func (c Clause) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is [Clause.String].
func (c Clause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
