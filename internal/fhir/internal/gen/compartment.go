package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// member is a resource type of the patient compartment: the element paths whose references to a Patient put a resource into it.
type member struct {
	typ   string
	paths []string
}

// first is the parameter whose patient the resource is about, where the definition lists another one before it.
var first = map[string]string{"Coverage": "beneficiary"}

// forgotten are paths of types that the R4 definition leaves out although they are about one patient (R5 has Task); a server that
// guards charts cannot leave them outside.
var forgotten = []member{
	{"BiologicallyDerivedProduct", []string{"collection.source"}},
	{"Binary", []string{"securityContext"}},
	{"Contract", []string{"subject"}},
	{"Device", []string{"patient"}},
	{"GuidanceResponse", []string{"subject"}},
	{"Task", []string{"for"}},
}

var plainPath = regexp.MustCompile(`^([A-Z]\w*)((?:\.\w+)+?)(\.where\(resolve\(\) is Patient\))?$`)

func (s *schema) addCompartment(d *definitions) error {
	for _, r := range d.compartment.Resource {
		if len(r.Param) == 0 {
			continue
		}
		m := member{typ: r.Code}
		if at := slices.Index(r.Param, first[r.Code]); at > 0 {
			r.Param = slices.Insert(slices.Delete(slices.Clone(r.Param), at, at+1), 0, first[r.Code])
		}
		for _, code := range r.Param {
			p, ok := d.params[[2]string{r.Code, code}]
			if !ok {
				return fmt.Errorf("compartment: %s has no search parameter %s", r.Code, code)
			}
			found := false
			for term := range strings.SplitSeq(p.Expression, "|") {
				match := plainPath.FindStringSubmatch(strings.TrimSpace(term))
				if match == nil {
					if strings.Contains(term, r.Code+".") {
						return fmt.Errorf("compartment: %s %s: unknown expression %s", r.Code, code, term)
					}
					continue
				}
				if match[1] != r.Code {
					continue
				}
				found = true
				if path := match[2][1:]; !slices.Contains(m.paths, path) {
					m.paths = append(m.paths, path)
				}
			}
			if !found {
				return fmt.Errorf("compartment: %s %s has no expression", r.Code, code)
			}
		}
		s.compartment = append(s.compartment, m)
	}
	s.compartment = append(s.compartment, forgotten...)
	slices.SortFunc(s.compartment, func(a, b member) int { return strings.Compare(a.typ, b.typ) })
	for _, m := range s.compartment {
		for _, path := range m.paths {
			if err := s.endsInPatient(m.typ, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// endsInPatient checks that path exists and may refer to a patient.
func (s *schema) endsInPatient(typ, path string) error {
	at := s.types[typ]
	var f *field
	for name := range strings.SplitSeq(path, ".") {
		i := slices.IndexFunc(at.elements, func(f *field) bool { return f.name == name })
		if i < 0 {
			return fmt.Errorf("compartment: %s.%s does not exist", typ, path)
		}
		f = at.elements[i]
		at = s.types[f.typ]
	}
	if f.typ != "Reference" || !slices.Contains(f.targets, "Patient") && !slices.Contains(f.targets, "Resource") {
		return fmt.Errorf("compartment: %s.%s cannot refer to a patient", typ, path)
	}
	return nil
}
