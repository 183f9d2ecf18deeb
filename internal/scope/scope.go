// Package scope reads SMART scopes, version 2 and 1, as the upper bound that they are: what an app may be allowed, never what it is.
//
//	asked, err := scope.Parse("patient/Observation.rs?category=laboratory launch/patient openid fhirUser")
//	granted := asked.Within(registered)              // what is both asked for and registered
//	reach := granted.Reach(scope.Search, "Observation", scope.Patient)
//	reach.Admits(query)                              // a granular scope wants the search to say its part
//
// A [Set] is immutable and safe for concurrent use. Source: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html.
package scope

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartwarden/internal/fhir"
	"chartwarden/internal/fhir/search"
	"chartwarden/internal/outcome"
)

// Context says whose access a resource scope bounds.
type Context string

// The contexts.
const (
	Patient Context = "patient" // the one patient of the launch
	Person  Context = "user"    // whatever the person at the app may see; the word is the standard's
	System  Context = "system"  // a backend service, with nobody at it
)

// Interactions is a set of FHIR interactions.
type Interactions uint8

// The interactions, in the order in which a scope names them. Read includes versions and history of one resource.
const (
	Create Interactions = 1 << iota
	Read
	Update
	Delete
	Search
)

const letters = "cruds"

// The scopes that speak of the launch and not of resources.
const (
	OpenID        = "openid"
	FHIRPerson    = "fhirUser"
	Profile       = "profile"
	Launch        = "launch"
	LaunchPatient = "launch/patient"
	Offline       = "offline_access"
	Online        = "online_access"
)

var plain = []string{OpenID, FHIRPerson, Profile, Launch, LaunchPatient, Offline, Online}

// Names are the scopes besides those of resources that this server knows.
func Names() []string { return slices.Clone(plain) }

// Resource is one scope that speaks of resources.
type Resource struct {
	Context Context
	Type    string // a FHIR resource type, or * for each
	May     Interactions
	Part    string // search parameters in one order; empty for the whole type
	old     bool   // written as version 1
	part    *search.Query
}

// Set is what one token, one app or one request names.
type Set struct {
	names     []string
	resources []Resource
}

// Limits of what one request may name.
const (
	longest  = 8 << 10
	greatest = 200
)

// Parse reads scopes with spaces between. A scope that this server does not know is an error that says which one, by its place.
// Errors: outcome.Invalid.
func Parse(text string) (Set, error) {
	set, unknown, err := parse(text)
	if err == nil && len(unknown) > 0 {
		err = unknown[0]
	}
	if err != nil {
		return Set{}, err
	}
	return set, nil
}

// ParseKnown is Parse for what a client asks for: a scope that this server does not know is passed over, as OAuth has it.
// Errors: outcome.Invalid for a text that is too long.
func ParseKnown(text string) (Set, error) {
	set, _, err := parse(text)
	return set, err
}

func parse(text string) (set Set, unknown []error, err error) {
	fields := strings.Fields(text)
	if len(text) > longest || len(fields) > greatest {
		return Set{}, nil, outcome.New(outcome.Invalid, "too many scopes: at most 200 in 8 KiB").At("scope")
	}
	for i, one := range fields {
		if slices.Contains(plain, one) {
			if !slices.Contains(set.names, one) {
				set.names = append(set.names, one)
			}
			continue
		}
		r, mend := parseResource(one)
		if mend != "" {
			unknown = append(unknown, outcome.New(outcome.Invalid, mend).At("scope "+strconv.Itoa(i+1)))
			continue
		}
		set.add(r)
	}
	return set, unknown, nil
}

// parseResource reads context/Type.cruds?query, or of version 1 context/Type.read|write|*. mend says what is wrong.
func parseResource(text string) (r Resource, mend string) {
	body, query, granular := strings.Cut(text, "?")
	context, rest, ok := strings.Cut(body, "/")
	typ, verbs, ok2 := strings.Cut(rest, ".")
	r = Resource{Context: Context(context), Type: typ}
	switch {
	case !ok || !ok2 || r.Context != Patient && r.Context != Person && r.Context != System:
		return r, "no such scope: write patient/, user/ or system/, a resource type, a dot and some of cruds"
	case typ != "*" && !fhir.IsResourceType(typ):
		return r, "FHIR R4 has no resource type of that name"
	}
	switch verbs {
	case "read":
		r.May, r.old = Read|Search, true
	case "write":
		r.May, r.old = Create|Update|Delete, true
	case "*":
		r.May, r.old = Create|Read|Update|Delete|Search, true
	default:
		if r.May, ok = interactions(verbs); !ok {
			return r, "after the dot stand some of c, r, u, d, s, in this order and once each"
		}
	}
	if !granular {
		return r, ""
	}
	if r.old || typ == "*" {
		return r, "a scope with search parameters names one resource type and letters of cruds"
	}
	return r.of(query)
}

// of bounds r by search parameters.
func (r Resource) of(query string) (Resource, string) {
	values, err := url.ParseQuery(query)
	if err != nil || len(values) == 0 {
		return r, "the search parameters of this scope are not well formed: encode spaces, % and & in values"
	}
	for name := range values {
		bare, _, _ := strings.Cut(name, ":")
		if p, known := search.Lookup(r.Type, bare); !known || !p.Supported || strings.Contains(name, ".") {
			return r, "a scope is bounded by plain search parameters of its resource type"
		}
	}
	for _, v := range values {
		slices.Sort(v)
	}
	if r.part, err = search.Parse(r.Type, values, search.Options{Strict: true}); err != nil || len(r.part.Clauses()) == 0 {
		return r, "the search parameters of this scope cannot be understood"
	}
	r.Part = encode(values)
	return r, ""
}

// encode is url.Values.Encode without escaping what stands in scopes unharmed, so that a scope looks as its app wrote it.
func encode(values url.Values) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range slices.Compact(values[name]) {
			out = append(out, url.QueryEscape(name)+"="+unescaped.Replace(url.QueryEscape(v)))
		}
	}
	return strings.Join(out, "&")
}

var unescaped = strings.NewReplacer("%3A", ":", "%2F", "/", "%7C", "|", "%2C", ",")

func interactions(text string) (may Interactions, ok bool) {
	last := -1
	for _, l := range text {
		at := strings.IndexRune(letters, l)
		if at <= last {
			return 0, false
		}
		may, last = may|1<<at, at
	}
	return may, may != 0
}

// String is the letters, in their order.
func (i Interactions) String() string {
	var b strings.Builder
	for at := range letters {
		if i&(1<<at) != 0 {
			b.WriteByte(letters[at])
		}
	}
	return b.String()
}

// add joins r to the set: what names the same resources becomes one scope.
func (s *Set) add(r Resource) {
	at := slices.IndexFunc(s.resources, func(x Resource) bool { return x.Context == r.Context && x.Type == r.Type && x.Part == r.Part })
	if at < 0 {
		s.resources = append(s.resources, r)
		return
	}
	s.resources[at].May |= r.May
	s.resources[at].old = s.resources[at].old && r.old
}

// Has reports whether a scope that speaks of no resource, such as openid, is in the set.
func (s Set) Has(name string) bool { return slices.Contains(s.names, name) }

// Resources are the scopes that speak of resources. Do not change them.
func (s Set) Resources() []Resource { return s.resources }

// In reports whether a resource scope of that context is in the set.
func (s Set) In(c Context) bool {
	return slices.ContainsFunc(s.resources, func(r Resource) bool { return r.Context == c })
}

// Only is the set with the resource scopes of these contexts and no others.
func (s Set) Only(contexts ...Context) Set {
	out := Set{names: s.names}
	for _, r := range s.resources {
		if slices.Contains(contexts, r.Context) {
			out.resources = append(out.resources, r)
		}
	}
	return out
}

// Without is the set without some of the scopes that speak of no resource.
func (s Set) Without(names ...string) Set {
	return Set{resources: s.resources, names: slices.DeleteFunc(slices.Clone(s.names), func(n string) bool { return slices.Contains(names, n) })}
}

// String is the set as a token answer has it. Parse of it gives the same set.
func (s Set) String() string {
	out := slices.Clone(s.names)
	for _, r := range s.resources {
		out = append(out, r.String())
	}
	return strings.Join(out, " ")
}

// String is the scope as it is written.
func (r Resource) String() string {
	text := string(r.Context) + "/" + r.Type + "."
	if r.old && r.Part == "" {
		switch r.May {
		case Read | Search:
			return text + "read"
		case Create | Update | Delete:
			return text + "write"
		case Create | Read | Update | Delete | Search:
			return text + "*"
		}
	}
	text += r.May.String()
	if r.Part != "" {
		text += "?" + r.Part
	}
	return text
}
