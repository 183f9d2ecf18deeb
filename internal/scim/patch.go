package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// operation is one step of a PATCH, as any directory writes it. Source: https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2.
type operation struct {
	Op    string
	Path  string
	Value any
}

// mostOperations bounds one request.
const mostOperations = 1000

// mostVisited bounds one request too: elements of lists, each time that an operation may look at all of them. It is a second or two.
const mostVisited = 5_000_000

// lists are the attributes that hold several values.
var lists = []string{"emails", "members", "phoneNumbers", "addresses", "roles", "entitlements", "groups", "ims", "photos", "x509Certificates"}

func isList(attr string) bool {
	return slices.ContainsFunc(lists, func(l string) bool { return strings.EqualFold(l, attr) })
}

// patch does operations on a resource, which the caller throws away on an error.
func patch(resource map[string]any, operations []operation) error {
	if len(operations) == 0 || len(operations) > mostOperations {
		return refuse(400, "invalidSyntax", "a PATCH has 1 to 1000 Operations, each with op, path and value")
	}
	visited := 0
	for _, o := range operations {
		for _, name := range lists {
			visited += len(list(resource[key(resource, name)]))
		}
		if visited > mostVisited {
			return refuse(413, "", "this is too much for one request: send fewer operations in one")
		}
		op := strings.ToLower(o.Op) // Entra writes Add, Replace, Remove
		if op != "add" && op != "replace" && op != "remove" {
			return refuse(400, "invalidSyntax", "op is add, replace or remove")
		}
		if o.Path == "" {
			members, ok := o.Value.(map[string]any)
			if op == "remove" {
				return refuse(400, "noTarget", "remove needs a path")
			}
			if !ok {
				return refuse(400, "invalidValue", "an operation without path has an object as value")
			}
			for _, name := range sortedKeys(members) { // names may have dots, and that of a schema in front
				if strings.EqualFold(name, "schemas") {
					continue
				}
				if err := step(resource, op, name, members[name]); err != nil {
					return err
				}
			}
			continue
		}
		if err := step(resource, op, o.Path, o.Value); err != nil {
			return err
		}
	}
	return nil
}

func step(resource map[string]any, op, at string, value any) error {
	p, err := parsePath(at)
	if err != nil {
		return err
	}
	target := resource
	if p.extension != "" {
		name := key(resource, p.extension)
		inner, ok := resource[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			resource[name] = inner
		}
		if p.attr == "" {
			members, ok := value.(map[string]any)
			switch {
			case op == "remove":
				delete(resource, name)
			case !ok:
				return refuse(400, "invalidValue", "the value of an extension is an object")
			default:
				for _, k := range sortedKeys(members) {
					inner[key(inner, k)] = single(k, members[k])
				}
			}
			return nil
		}
		target = inner
	}
	name := key(target, p.attr)
	switch {
	case p.filter != nil:
		return inElements(target, name, p, op, value)
	case p.sub != "" && isList(name):
		p.filter = nil
		return inElements(target, name, p, op, value)
	case p.sub != "":
		object, _ := target[name].(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
		if op == "remove" {
			delete(object, key(object, p.sub))
		} else {
			object[key(object, p.sub)] = single(p.sub, value)
		}
		target[name] = object
	case isList(name):
		inList(target, name, op, value)
	case op == "remove":
		delete(target, name)
	default:
		value = single(name, value)
		if object, ok := target[name].(map[string]any); ok {
			if members, ok := value.(map[string]any); ok { // of an object the members that come
				for _, k := range sortedKeys(members) {
					object[key(object, k)] = single(k, members[k])
				}
				return nil
			}
		}
		target[name] = value
	}
	return nil
}

// inList adds to, replaces or takes from a list as a whole. Entra takes members away by naming them in the value.
func inList(target map[string]any, name, op string, value any) {
	have, come := list(target[name]), list(value)
	switch op {
	case "replace":
		target[name] = come
	case "add":
		there := identities(have)
		have = slices.Clone(have)
		for _, v := range come {
			if e := identityOf(v); !there[e] {
				there[e] = true
				have = append(have, v)
			}
		}
		target[name] = have
	case "remove":
		if value == nil {
			delete(target, name)
			return
		}
		gone := identities(come)
		target[name] = slices.DeleteFunc(slices.Clone(have), func(h any) bool { return gone[identityOf(h)] })
	}
}

// identityOf is what an element of a list is known by: its value, as JSON, whose objects have their members in order.
func identityOf(v any) string {
	if o, ok := v.(map[string]any); ok {
		if value := lookUp(o, "value"); value != nil {
			v = value
		}
	}
	text, _ := json.Marshal(v) // it was read from JSON
	return string(text)
}

func identities(of []any) map[string]bool {
	out := make(map[string]bool, len(of))
	for _, v := range of {
		out[identityOf(v)] = true
	}
	return out
}

// inElements works on the elements of a list that a filter finds; where there is none, add and replace make one that the filter finds.
func inElements(target map[string]any, name string, p path, op string, value any) error {
	have := slices.Clone(list(target[name]))
	found := false
	for i := 0; i < len(have); i++ {
		object, ok := have[i].(map[string]any)
		if !ok {
			object = map[string]any{"value": have[i]}
		}
		if p.filter != nil && !p.filter.holds(object) {
			continue
		}
		found = true
		switch {
		case op == "remove" && p.sub == "":
			have = slices.Delete(have, i, i+1)
			i--
			continue
		case op == "remove":
			delete(object, key(object, p.sub))
		case p.sub != "":
			object[key(object, p.sub)] = single(p.sub, value)
		default:
			members, ok := one(value).(map[string]any)
			if !ok {
				members = map[string]any{"value": value}
			}
			for _, k := range sortedKeys(members) {
				object[key(object, k)] = members[k]
			}
		}
		have[i] = object
	}
	if !found && op != "remove" {
		made := map[string]any{}
		implied(p.filter, made)
		switch members, ok := one(value).(map[string]any); {
		case p.sub != "":
			made[p.sub] = single(p.sub, value)
		case ok:
			for k, v := range members {
				made[k] = v
			}
		default:
			made["value"] = value
		}
		have = append(have, made)
	}
	target[name] = have
	return nil
}

// implied fills in what a filter says that an element is: type eq "work".
func implied(e expression, into map[string]any) {
	switch e := e.(type) {
	case both:
		implied(e.left, into)
		implied(e.right, into)
	case comparison:
		if e.op == "eq" && e.at.sub == "" && e.at.extension == "" && e.at.filter == nil {
			into[e.at.attr] = e.want
		}
	}
}

// single takes the one element out of a list where a single value belongs.
func single(name string, v any) any {
	if isList(name) {
		return v
	}
	return one(v)
}

func one(v any) any {
	if l, ok := v.([]any); ok && len(l) == 1 {
		return l[0]
	}
	return v
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
