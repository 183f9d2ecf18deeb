package scim

import (
	"slices"
	"strconv"
	"strings"
)

// How many resources one answer holds.
const (
	usualCount = 100
	mostCount  = 500
)

// page filters, pages and thins resources for an answer. Source: https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.
func (r request) page(all []map[string]any) (answer, error) {
	values := r.URL.Query()
	if values.Has("sortBy") {
		return answer{}, refuse(400, "invalidValue", "sorting is not supported: leave out sortBy")
	}
	if text := values.Get("filter"); text != "" {
		e, err := parseFilter(text)
		if err != nil {
			return answer{}, err
		}
		all = slices.DeleteFunc(all, func(one map[string]any) bool { return !e.holds(one) })
	}
	number := func(name string, usual int) (int, error) {
		text := values.Get(name)
		if text == "" {
			return usual, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, refuse(400, "invalidValue", name+" is a whole number")
		}
		return n, nil
	}
	start, err := number("startIndex", 1)
	if err != nil {
		return answer{}, err
	}
	count, err := number("count", usualCount)
	if err != nil {
		return answer{}, err
	}
	start, count = max(start, 1), min(max(count, 0), mostCount) // less than one counts as one, less than none as none
	total := len(all)
	from := min(start-1, total)
	shown := all[from:min(from+count, total)]
	for i := range shown {
		r.thin(shown[i])
	}
	return answer{status: 200, body: map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": total, "startIndex": start,
		"itemsPerPage": len(shown), "Resources": shown}}, nil
}

// thin leaves in a resource what attributes and excludedAttributes ask for; id and schemas always stay.
func (r request) thin(resource map[string]any) map[string]any {
	named := func(param string) []string {
		var out []string
		for _, name := range strings.FieldsFunc(r.URL.Query().Get(param), func(c rune) bool { return c == ',' || c == ' ' }) {
			if strings.HasPrefix(strings.ToLower(name), strings.ToLower(core)) {
				name = name[strings.LastIndexByte(name, ':')+1:]
			}
			top, _, _ := strings.Cut(name, ".")
			if strings.HasPrefix(strings.ToLower(name), "urn:") {
				top = enterprise
			}
			out = append(out, top)
		}
		return out
	}
	has := func(names []string, k string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, k) })
	}
	only, not := named("attributes"), named("excludedAttributes")
	for k := range resource {
		if k == "id" || k == "schemas" {
			continue
		}
		if len(only) > 0 && !has(only, k) || has(not, k) {
			delete(resource, k)
		}
	}
	return resource
}
